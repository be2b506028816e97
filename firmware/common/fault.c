/* What the firmware says when the core traps: one line with the registers, decoded by the host, then silence. */
#include "protocol.h"
#include "tinygen_port.h"

#if defined(__riscv)

void tg_fault(const char *kind, const uint32_t *frame)
{
    tg_write("\r\ntg fault");
    tg_field_text("kind", kind);
    tg_field_hex("pc", frame[0]);
    tg_field_hex("address", frame[1]);
    tg_field_hex("cause", frame[2]);
    tg_field_hex("lr", frame[3]);
    tg_field_hex("sp", frame[4]);
    tg_end();
    for (;;) {
    }
}

#else

extern uint32_t __stack_bottom[], __stack_top[];

void tg_fault(const char *kind, const uint32_t *frame)
{
    tg_write("\r\ntg fault");
    tg_field_text("kind", kind);
    tg_field_hex("sp", (uint32_t)(uintptr_t)frame);
    /* After a stack overflow there is no frame to read: the core failed to push it. */
    if (frame >= __stack_bottom && frame + 8 <= __stack_top) {
        tg_field_hex("pc", frame[6]);
        tg_field_hex("lr", frame[5]);
    }
#if !defined(__ARM_ARCH_6M__)
    const uint32_t status = TG_REGISTER(0xE000ED28u);
    tg_field_hex("cfsr", status);
    if ((status & 0x0080u) != 0u) {
        tg_field_hex("address", TG_REGISTER(0xE000ED34u));
    } else if ((status & 0x8000u) != 0u) {
        tg_field_hex("address", TG_REGISTER(0xE000ED38u));
    }
#endif
    tg_end();
    for (;;) {
    }
}

#endif
