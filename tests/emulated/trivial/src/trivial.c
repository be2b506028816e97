/* Two layers, interleaved row by row: doubling (operator 0) and adding the other input (operator 2). */
#include "trivial.h"

#ifdef TRIVIAL_PROFILE
#define LAYER static __attribute__((noinline)) void
#define BEGIN(index) trivial_layer_begin(index)
#define END(index) trivial_layer_end(index)
#else
#define LAYER static void
#define BEGIN(index) (void)0
#define END(index) (void)0
#endif

enum {
    FAULT_WRITE_FLASH = 101,
    FAULT_STACK,
    FAULT_CALL_NULL,
    FAULT_LOOP,
    FAULT_RUN_RAM,
    FAULT_READ,
    FAULT_STATUS,
    FAULT_TRAP,
};

static int8_t arena[TRIVIAL_ARENA_BYTES] __attribute__((aligned(4)));
static const int8_t weights[4] = {2, 2, 2, 2};

#ifndef TRIVIAL_TAME
static __attribute__((noinline)) int overflow_stack(volatile int *depth)
{
    volatile int frame[16];
    frame[0] = *depth + 1;
    return frame[0] < 0 ? 0 : overflow_stack(frame) + frame[0];
}

static __attribute__((noinline)) void misbehave(int8_t what)
{
    volatile int8_t *unmapped = (volatile int8_t *)(uintptr_t)0xA0000000u;
    volatile uintptr_t nowhere = 0;
    volatile int depth = 0;
    switch (what) {
    case FAULT_WRITE_FLASH:
        *(volatile int8_t *)(uintptr_t)weights = 1;
        break;
    case FAULT_STACK:
        (void)overflow_stack(&depth);
        break;
    case FAULT_CALL_NULL:
        ((void (*)(void))nowhere)();
        break;
    case FAULT_LOOP:
        while (nowhere == 0u) {
        }
        break;
    case FAULT_RUN_RAM:
        ((void (*)(void))((uintptr_t)arena | 1u))();
        break;
    case FAULT_READ:
        (void)*unmapped;
        break;
    case FAULT_TRAP:
        __builtin_trap();
    default:
        break;
    }
}
#endif

LAYER trivial_double(int32_t first_row, int32_t end_row)
{
    for (int32_t i = 4 * first_row; i < 4 * end_row; i++) {
        arena[i] = (int8_t)(arena[i] * weights[i & 3]);
    }
}

LAYER trivial_add(int32_t first_row, int32_t end_row)
{
    for (int32_t i = 4 * first_row; i < 4 * end_row; i++) {
        arena[20 + i] = (int8_t)(arena[i] + arena[16 + (i & 3)]);
    }
#ifndef TRIVIAL_TAME
    if (end_row == 4) {
        misbehave(arena[16]);
    }
#endif
}

int trivial_init(void)
{
    return 0;
}

int trivial_invoke(void)
{
    for (int32_t row = 0; row < 4; row++) {
        BEGIN(0);
        trivial_double(row, row + 1);
        END(0);
        BEGIN(2);
        trivial_add(row, row + 1);
        END(2);
    }
    return arena[16] == FAULT_STATUS ? 3 : 0;
}

void *trivial_input(size_t index)
{
    return &arena[index == 0u ? 0 : 16];
}

const void *trivial_output(size_t index)
{
    return &arena[20 + index];
}
