/* The board's trigger pin, high while the model runs; nothing where the board names none. */
#include "registers.h"
#include "tinygen_port.h"

#ifdef TG_TRIGGER_HIGH
static const struct tg_step high[] = {TG_TRIGGER_HIGH(TG_STEP)};
static const struct tg_step low[] = {TG_TRIGGER_LOW(TG_STEP)};
#endif

void tg_trigger_init(void)
{
#ifdef TG_TRIGGER_HIGH
    static const struct tg_step setup[] = {TG_TRIGGER_SETUP(TG_STEP)};
    (void)tg_take_steps(setup, sizeof setup / sizeof setup[0]);
    (void)tg_take_steps(low, 1);
#endif
}

void tg_trigger(bool running)
{
#ifdef TG_TRIGGER_HIGH
    (void)tg_take_steps(running ? high : low, 1);
#else
    (void)running;
#endif
}
