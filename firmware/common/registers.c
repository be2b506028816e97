/* Takes a board's steps: masked writes, bounded waits, and all of it undone when a wait is in vain. */
#include "registers.h"

#include "tinygen_port.h"

#ifdef TG_FULL_CLOCK_HZ
#define CYCLES_PER_MICROSECOND (TG_FULL_CLOCK_HZ / 1000000u + 1u)
#else
#define CYCLES_PER_MICROSECOND (TG_CLOCK_HZ / 1000000u + 1u)
#endif

static uint32_t read_register(const struct tg_step *step)
{
    switch (step->bits) {
    case 8:
        return *(const volatile uint8_t *)(uintptr_t)step->address;
    case 16:
        return *(const volatile uint16_t *)(uintptr_t)step->address;
    default:
        return TG_REGISTER(step->address);
    }
}

static void write_register(const struct tg_step *step, uint32_t value)
{
    switch (step->bits) {
    case 8:
        *(volatile uint8_t *)(uintptr_t)step->address = (uint8_t)value;
        break;
    case 16:
        *(volatile uint16_t *)(uintptr_t)step->address = (uint16_t)value;
        break;
    default:
        TG_REGISTER(step->address) = value;
        break;
    }
}

static void delay(uint32_t microseconds)
{
    for (volatile uint32_t cycles = microseconds * CYCLES_PER_MICROSECOND; cycles != 0u; cycles--) {
    }
}

const struct tg_step *tg_take_steps(const struct tg_step *steps, size_t count)
{
    uint32_t before[TG_STEPS_MAX];
    for (size_t i = 0; i < count; i++) {
        const struct tg_step *step = &steps[i];
        if (step->kind == TG_STEP_DELAY) {
            delay(step->value);
        } else if (step->kind == TG_STEP_WRITE) {
            before[i] = read_register(step);
            write_register(step, (before[i] & ~step->mask) | step->value);
        } else {
            TG_WAIT_WHILE((read_register(step) & step->mask) != step->value, TG_CLOCK_PATIENCE);
            if ((read_register(step) & step->mask) != step->value) {
                for (size_t back = i; back-- > 0u;) {
                    if (steps[back].kind == TG_STEP_WRITE) {
                        write_register(&steps[back], before[back]);
                    }
                }
                return step;
            }
        }
    }
    return NULL;
}
