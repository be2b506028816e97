/* The core's cycle counter: DWT CYCCNT on ARMv7-M and later, SysTick on ARMv6-M, a CSR on RISC-V; and time from it. */
#include "decimal.h"
#include "tinygen_port.h"

#if defined(__riscv)

#ifndef TG_CYCLE_CSR
#define TG_CYCLE_CSR 0xB00 /* mcycle; its upper half is 0x80 further on */
#define TG_CYCLE_CSR_HIGH 0xB80
#endif
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
/* Named in the assembly, as the GNU compiler finds no run-time library built for a -march with zicsr. */
#define ZICSR ".option push\n\t.option arch, +zicsr\n\t"
#define END_ZICSR "\n\t.option pop"
#define READ_CSR(csr, value) __asm__ volatile(ZICSR "csrr %0, " TEXT(csr) END_ZICSR : "=r"(value))

void tg_cycles_init(void)
{
#ifdef TG_CYCLE_EVENTS_CSR
    /* Espressif's counter: select cycles, then let it count. */
    __asm__ volatile(ZICSR "csrw " TEXT(TG_CYCLE_EVENTS_CSR) ", %0\n\t"
                                                             "csrw " TEXT(TG_CYCLE_MODE_CSR) ", %0" END_ZICSR
                     :
                     : "r"(1));
#endif
}

uint64_t tg_cycles(void)
{
#ifdef TG_CYCLE_CSR_HIGH
    uint32_t high, low, again;
    do {
        READ_CSR(TG_CYCLE_CSR_HIGH, high);
        READ_CSR(TG_CYCLE_CSR, low);
        READ_CSR(TG_CYCLE_CSR_HIGH, again);
    } while (high != again);
    return (uint64_t)high << 32 | low;
#else
    static uint64_t total;
    static uint32_t last;
    uint32_t now;
    READ_CSR(TG_CYCLE_CSR, now);
    total += now - last;
    last = now;
    return total;
#endif
}

const char *tg_cycles_source(void)
{
#ifdef TG_CYCLE_CSR_HIGH
    return "mcycle";
#else
    return "csr" TEXT(TG_CYCLE_CSR);
#endif
}

uint64_t tg_ticks(void)
{
    return tg_cycles();
}

void tg_ticks_count_wraps(bool on)
{
    (void)on;
}

#else

#define SYST_CSR TG_REGISTER(0xE000E010u)
#define SYST_RVR TG_REGISTER(0xE000E014u)
#define SYST_CVR TG_REGISTER(0xE000E018u)
#define CSR_ON 5u /* core clock, enable */
#define CSR_INTERRUPT 2u
#define CSR_WRAPPED (1u << 16)
#define PERIOD 0x01000000u

void SysTick_Handler(void);

static volatile uint32_t wraps;

/* 24 bits wrap within a second, so an interrupt counts the wraps: a few dozen cycles in sixteen million. */
void SysTick_Handler(void)
{
    wraps++;
}

static void start_systick(uint32_t control)
{
    SYST_RVR = PERIOD - 1u;
    SYST_CVR = 0;
    SYST_CSR = control;
}

static uint64_t read_systick(void)
{
    uint32_t before, value;
    do {
        before = wraps;
        value = SYST_CVR;
    } while (before != wraps);
    return (uint64_t)before * PERIOD + (PERIOD - 1u - value);
}

#if defined(__ARM_ARCH_6M__)

void tg_cycles_init(void)
{
    start_systick(CSR_ON | CSR_INTERRUPT);
}

uint64_t tg_cycles(void)
{
    return read_systick();
}

const char *tg_cycles_source(void)
{
    return "systick";
}

uint64_t tg_ticks(void)
{
    return tg_cycles();
}

void tg_ticks_count_wraps(bool on)
{
    (void)on;
}

#else

#define DEMCR TG_REGISTER(0xE000EDFCu)
#define DWT_CTRL TG_REGISTER(0xE0001000u)
#define DWT_CYCCNT TG_REGISTER(0xE0001004u)
#define DWT_LAR TG_REGISTER(0xE0001FB0u)

/* In emulators without a DWT its counter stands still. Time then comes from SysTick, whose interrupt is off except
 * where somebody needs it: it would be counted among an inference's instructions. */
static bool still;

void tg_cycles_init(void)
{
    DEMCR |= 1u << 24;
    DWT_LAR = 0xC5ACCE55u; /* the Cortex-M7 locks the unit; elsewhere the write does nothing */
    DWT_CYCCNT = 0;
    DWT_CTRL |= 1u;
    const uint32_t first = DWT_CYCCNT;
    still = DWT_CYCCNT == first;
    if (still) {
        start_systick(CSR_ON);
    }
}

uint64_t tg_cycles(void)
{
    static uint64_t total;
    static uint32_t last;
    const uint32_t now = DWT_CYCCNT;
    total += now - last;
    last = now;
    return total;
}

const char *tg_cycles_source(void)
{
    return "dwt";
}

uint64_t tg_ticks(void)
{
    if (!still) {
        return tg_cycles();
    }
    const uint32_t control = SYST_CSR; /* reading forgets that the counter has wrapped */
    if ((control & CSR_INTERRUPT) == 0u && (control & CSR_WRAPPED) != 0u) {
        wraps++;
    }
    return read_systick();
}

void tg_ticks_count_wraps(bool on)
{
    if (still) {
        (void)tg_ticks();
        SYST_CSR = on ? CSR_ON | CSR_INTERRUPT : CSR_ON;
    }
}

#endif
#endif

uint64_t tg_microseconds(uint64_t ticks)
{
    return tg_divide(ticks * 1000u, tg_clock_hz() / 1000u);
}
