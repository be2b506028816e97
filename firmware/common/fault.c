/* What the firmware says when the core traps: one line with the registers and what their bits mean, then silence. */
#include "protocol.h"
#include "tinygen_port.h"

volatile int32_t tg_running_layer = -1;

/* The words of the line are separated by spaces, so a meaning has hyphens. */
struct meaning {
    uint8_t number;
    const char *text;
};

static void end_fault(void)
{
    if (tg_running_layer >= 0) {
        tg_field_number("layer", (uint32_t)tg_running_layer);
    }
    tg_end();
    tg_trigger(false);
    for (;;) {
    }
}

#if defined(__riscv)

/* The RISC-V privileged specification, mcause without the interrupt bit. */
static const struct meaning causes[] = {
    {0, "misaligned-jump"},   {1, "instruction-access-fault"}, {2, "illegal-instruction"},
    {3, "breakpoint"},        {4, "misaligned-load"},          {5, "load-access-fault"},
    {6, "misaligned-store"},  {7, "store-access-fault"},       {8, "environment-call"},
    {11, "environment-call"}, {12, "instruction-page-fault"},  {13, "load-page-fault"},
    {15, "store-page-fault"},
};

void tg_fault(const char *kind, const uint32_t *frame)
{
    const char *why = NULL;
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        if (frame[2] == causes[i].number) {
            why = causes[i].text;
        }
    }
    tg_write("\r\ntg fault");
    tg_field_text("kind", kind);
    if (why != NULL) {
        tg_field_text("why", why);
    }
    tg_field_hex("pc", frame[0]);
    tg_field_hex("address", frame[1]);
    tg_field_hex("cause", frame[2]);
    tg_field_hex("lr", frame[3]);
    tg_field_hex("sp", frame[4]);
    end_fault();
}

#else

extern uint32_t __stack_bottom[], __stack_top[];

#if !defined(__ARM_ARCH_6M__)

#define CFSR TG_REGISTER(0xE000ED28u)
#define HFSR TG_REGISTER(0xE000ED2Cu)
#define MMFAR TG_REGISTER(0xE000ED34u)
#define BFAR TG_REGISTER(0xE000ED38u)
#define CFSR_MMFAR_VALID (1u << 7)
#define CFSR_BFAR_VALID (1u << 15)
#define HFSR_VECTOR_TABLE (1u << 1)

/* The ARMv7-M and ARMv8-M Architecture Reference Manuals, bits of the Configurable Fault Status Register. */
static const struct meaning bits[] = {
    {0, "execution-from-memory-that-forbids-it"},
    {1, "data-access-violation"},
    {3, "stacking-failed-on-return"},
    {4, "stacking-failed:-stack-overflow"},
    {8, "instruction-bus-error"},
    {9, "precise-bus-error"},
    {10, "imprecise-bus-error"},
    {11, "bus-error-on-return"},
    {12, "bus-error-while-stacking:-stack-overflow"},
    {16, "undefined-instruction"},
    {17, "jump-without-the-Thumb-bit"},
    {18, "bad-return-from-an-exception"},
    {19, "floating-point-unit-off"},
    {20, "stack-limit-reached"},
    {24, "unaligned-access"},
    {25, "division-by-zero"},
};

static void write_status(void)
{
    const uint32_t status = CFSR;
    const char *separator = " why=";
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        if ((status >> bits[i].number & 1u) != 0u) {
            tg_write(separator);
            tg_write(bits[i].text);
            separator = ",";
        }
    }
    if ((HFSR & HFSR_VECTOR_TABLE) != 0u) {
        tg_write(separator);
        tg_write("vector-table-unreadable");
    }
    tg_field_hex("cfsr", status);
    if ((status & CFSR_MMFAR_VALID) != 0u) {
        tg_field_hex("address", MMFAR);
    } else if ((status & CFSR_BFAR_VALID) != 0u) {
        tg_field_hex("address", BFAR);
    }
}

#else

/* ARMv6-M has no registers that tell what happened. */
static void write_status(void)
{
}

#endif

void tg_fault(const char *kind, const uint32_t *frame)
{
    tg_write("\r\ntg fault");
    tg_field_text("kind", kind);
    write_status();
    tg_field_hex("sp", (uint32_t)(uintptr_t)frame);
    /* After a stack overflow there is no frame to read: the core failed to push it. */
    if (frame >= __stack_bottom && frame + 8 <= __stack_top) {
        tg_field_hex("pc", frame[6]);
        tg_field_hex("lr", frame[5]);
    }
    end_fault();
}

#endif
