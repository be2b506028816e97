/* The core's clock: the board's steps to full speed, and the clock after reset where they lead nowhere. */
#include "registers.h"
#include "tinygen_port.h"

static uint32_t core_hz = TG_CLOCK_HZ;
#ifdef TG_UART_CLOCK_HZ
static uint32_t uart_hz = TG_UART_CLOCK_HZ;
#else
static uint32_t uart_hz = TG_CLOCK_HZ;
#endif
static const char *missing;

void tg_clock_init(void)
{
#ifdef TG_FULL_CLOCK_HZ
    static const struct tg_step steps[] = {TG_CLOCK_STEPS(TG_STEP)};
    const struct tg_step *failed = tg_take_steps(steps, sizeof steps / sizeof steps[0]);
    if (failed != NULL) {
        missing = failed->name;
    } else {
        core_hz = TG_FULL_CLOCK_HZ;
        uart_hz = TG_FULL_UART_CLOCK_HZ;
    }
#endif
}

uint32_t tg_clock_hz(void)
{
    return core_hz;
}

uint32_t tg_uart_clock_hz(void)
{
    return uart_hz;
}

const char *tg_clock_missing(void)
{
    return missing;
}
