/* Register writes and waits as data, from the board's description: its clock and its trigger pin are set up so. */
#ifndef TINYGEN_REGISTERS_H
#define TINYGEN_REGISTERS_H

#include <stddef.h>
#include <stdint.h>

enum tg_step_kind {
    TG_STEP_WRITE, /* the bits of the mask become the value, the others stay */
    TG_STEP_WAIT,  /* until the bits of the mask are the value */
    TG_STEP_DELAY  /* value microseconds or more, at TG_FULL_CLOCK_HZ or below */
};

struct tg_step {
    const char *name;
    uint32_t address;
    uint32_t mask;
    uint32_t value;
    uint8_t bits;
    uint8_t kind;
};

/* For the lists X(kind, register, address, bits, mask, value) of tinygen_board.h. */
#define TG_STEP(kind_, register_, address_, bits_, mask_, value_)                                                      \
    {.name = #register_,                                                                                               \
     .address = (address_),                                                                                            \
     .mask = (mask_),                                                                                                  \
     .value = (value_),                                                                                                \
     .bits = (bits_),                                                                                                  \
     .kind = TG_STEP_##kind_},

#define TG_STEPS_MAX 48

/* Takes up to TG_STEPS_MAX steps. When a wait is in vain, undoes the writes, last one first, and returns that step. */
const struct tg_step *tg_take_steps(const struct tg_step *steps, size_t count);

#endif
