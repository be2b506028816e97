/* Sigmoid and tanh of int16 between the entries of a table, as tflite-micro's kernels compute them. Results have 15
 * fractional bits.
 *
 *   table: tanh(i / 48) for i from 0 to 255, 15 fractional bits
 */
#ifndef TG_GATE_TABLE_S16_H
#define TG_GATE_TABLE_S16_H

#include "tg_common.h"

/* The table at x / 2^bits, with that many fractional bits more; `most` from the last entry on. */
TG_INLINE int32_t tg_gate_between(const int16_t *table, int32_t x, int32_t bits, int32_t most)
{
    const int32_t i = x >> bits;
    if (i >= 255) {
        return most * ((int32_t)1 << bits);
    }
    const int32_t from = table[i], to = table[i + 1];
    return from * ((int32_t)1 << bits) + (x & (((int32_t)1 << bits) - 1)) * (to - from);
}

/* 1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2, of x with 12 fractional bits */
static TG_NOINLINE int32_t tg_gate_table_sigmoid(const int16_t *table, int32_t x)
{
    const int32_t y = tg_gate_between(table, x < 0 ? -3 * x : 3 * x, 9, INT16_MAX - 1);
    const int32_t half = ((int32_t)1 << 24) + (1 << 9);
    return (x < 0 ? half - 1 - y : half + y) >> 10;
}

/* tanh(x) */
static TG_NOINLINE int32_t tg_gate_table_tanh(const int16_t *table, int32_t x, int32_t integer_bits)
{
    int32_t scaled = 3 * x;
    if (integer_bits >= 3) {
        scaled *= (int32_t)1 << (integer_bits - 3);
    } else {
        scaled = (scaled + ((int32_t)1 << (2 - integer_bits))) >> (3 - integer_bits);
    }
    const int32_t y = tg_gate_between(table, scaled < 0 ? -scaled : scaled, 8, INT16_MAX);
    return ((scaled < 0 ? -y - 1 : y) + (1 << 7)) >> 8;
}

#endif
