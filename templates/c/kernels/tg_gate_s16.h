/* Sigmoid and tanh of int16 in gemmlowp's fixed-point arithmetic, as LiteRT's reference kernels compute them: an
 * exponential of a number that is not positive, and a reciprocal by Newton and Raphson. Results have 15 fractional
 * bits.
 */
#ifndef TG_GATE_S16_H
#define TG_GATE_S16_H

#include "tg_common.h"

/* a * b with 15 fractional bits, ties towards plus infinity. */
TG_INLINE int32_t tg_gate_multiply(int32_t a, int32_t b)
{
    return (a * b + (1 << 14)) >> 15;
}

/* round(x / 2^exponent), ties away from zero; exponent >= 1. */
TG_INLINE int32_t tg_gate_shift(int32_t x, int32_t exponent)
{
    return (x + (x >> 31) + ((int32_t)1 << (exponent - 1))) >> exponent;
}

/* exp of x <= 0: a Taylor polynomial around -1/8 for [-1/4, 0), then a factor for each bit of the rest. */
TG_INLINE int32_t tg_gate_exp(int32_t x, int32_t integer_bits)
{
    /* exp(-1/4), exp(-1/2), exp(-1) ... exp(-16), and what rounds to nothing */
    static const int16_t factors[9] = {25520, 19875, 12055, 4435, 600, 11, 0, 0, 0};
    const int32_t fractional_bits = 15 - integer_bits;
    const int32_t quarter = (int32_t)1 << (fractional_bits - 2);
    if (x == 0) {
        return INT16_MAX;
    }
    if (integer_bits > 5 && x < -((int32_t)32 << fractional_bits)) {
        return 0;
    }
    const int32_t fraction = (x & (quarter - 1)) - quarter;
    const int32_t x1 = fraction * ((int32_t)1 << integer_bits) + (1 << 12);
    const int32_t x2 = tg_gate_multiply(x1, x1);
    const int32_t x3 = tg_gate_multiply(x2, x1);
    const int32_t x4 = tg_gate_multiply(x2, x2);
    const int32_t tail = tg_gate_shift(tg_gate_multiply(tg_gate_shift(x4, 2) + x3, 10923) + x2, 1);
    int32_t result = 28918 + tg_gate_multiply(28918, x1 + tail);
    result = result < INT16_MAX ? result : INT16_MAX;
    const int16_t *factor = factors;
    for (int32_t rest = (fraction - x) >> (fractional_bits - 2); rest != 0; rest >>= 1, factor++) {
        if (rest & 1) {
            result = tg_gate_multiply(result, *factor);
        }
    }
    return result;
}

/* 2 / (1 + x) for x in [0, 1), with 13 fractional bits: three steps from 48/17 - 32/17 * (1 + x) / 2, the saturation
 * of which no x reaches. */
TG_INLINE int32_t tg_gate_reciprocal(int32_t x)
{
    const int32_t half = (x + 32768) >> 1;
    int32_t y = 23130 + tg_gate_multiply(half, -15420);
    for (int32_t i = 0; i < 3; i++) {
        y += tg_gate_multiply(y, 8192 - tg_gate_multiply(half, y)) * 4;
    }
    return y;
}

/* The most that 15 fractional bits hold stands for 1. */
TG_INLINE int32_t tg_gate_one(int32_t x)
{
    return x < INT16_MAX ? x : INT16_MAX;
}

/* 1 / (1 + exp(-x)) */
static TG_NOINLINE int32_t tg_gate_sigmoid(int32_t x, int32_t integer_bits)
{
    const int32_t y = tg_gate_one(tg_gate_reciprocal(tg_gate_exp(x < 0 ? x : -x, integer_bits)) * 2);
    return x > 0 ? y : x < 0 ? INT16_MAX - y : 1 << 14;
}

/* (1 - exp(-2x)) / (1 + exp(-2x)) */
static TG_NOINLINE int32_t tg_gate_tanh(int32_t x, int32_t integer_bits)
{
    const int32_t reciprocal = tg_gate_reciprocal(tg_gate_exp(x < 0 ? x : -x, integer_bits + 1));
    const int32_t y = tg_gate_one((reciprocal - 8192) * 4);
    return x > 0 ? y : x < 0 ? -y : 0;
}

#endif
