/* Softmax of int8 vectors to int8 or int16, TFLite's fixed-point arithmetic with the exponentials looked up. To int8 in
 * place is fine.
 *
 * exp(x - max) depends on the difference of two int8 only, so a table has all of them. They have 31 fractional bits;
 * from `entries` on they are zero and left out of the table. Sums have 19 fractional bits.
 */
#ifndef TG_SOFTMAX_S8_H
#define TG_SOFTMAX_S8_H

#include "tg_common.h"

typedef struct {
    int32_t vectors; /* in a row */
    int32_t depth;   /* elements of a vector */
    int32_t entries; /* of the table, at most 256 */
    const int32_t *exponentials;
} tg_softmax_s8_params;

/* 1 / (2 d) for d in [1/2, 1), 31 fractional bits in and out. Newton-Raphson with 29 fractional bits, from a line. */
TG_INLINE int32_t tg_softmax_reciprocal(int32_t d)
{
    const int32_t one = (int32_t)1 << 29;
    int32_t x = 1515870810 + tg_high_multiply(d, -1010580540); /* 48/17 - 32/17 * d */
    for (int32_t i = 0; i < 3; i++) {
        x += tg_high_multiply(x, one - tg_high_multiply(d, x)) * 4;
    }
    return x < 2 * one ? 2 * x : INT32_MAX; /* halved, and 31 fractional bits instead of 29 */
}

/* `bits` of an output: 8 or 16. */
TG_INLINE void tg_softmax_vector(const tg_softmax_s8_params *p, const int8_t *in, void *out, const int bits)
{
    int32_t max = -128;
    for (int32_t i = 0; i < p->depth; i++) {
        max = in[i] > max ? in[i] : max;
    }
    uint32_t sum = 0;
    for (int32_t i = 0; i < p->depth; i++) {
        const int32_t difference = max - in[i];
        if (difference < p->entries) {
            sum += ((uint32_t)p->exponentials[difference] + 2048) >> 12;
        }
    }
    /* The maximum's own term is 1, so the sum is at least 2^19; outputs have as many fractional bits as
     * they have bits. */
    int32_t exponent = 12 + 31 - bits;
    for (; sum < (uint32_t)1 << 31; sum <<= 1) {
        exponent--;
    }
    const int32_t scale = tg_softmax_reciprocal((int32_t)(sum >> 1));
    for (int32_t i = 0; i < p->depth; i++) {
        const int32_t difference = max - in[i];
        int32_t x = 0;
        if (difference < p->entries) {
            x = tg_rounding_shift(tg_high_multiply(scale, p->exponentials[difference]), exponent);
        }
        if (bits == 8) {
            ((int8_t *)out)[i] = (int8_t)(x < 255 ? x - 128 : 127);
        } else {
            ((int16_t *)out)[i] = (int16_t)(x < 65535 ? x - 32768 : 32767);
        }
    }
}

static TG_NOINLINE void tg_softmax_s8(const tg_softmax_s8_params *p, const void *const *rows, void *out)
{
    const int8_t *in = rows[0];
    int8_t *to = out;
    for (int32_t i = 0; i < p->vectors; i++) {
        tg_softmax_vector(p, in + i * p->depth, to + i * p->depth, 8);
    }
}

static TG_NOINLINE void tg_softmax_s8_s16(const tg_softmax_s8_params *p, const void *const *rows, void *out)
{
    const int8_t *in = rows[0];
    int16_t *to = out;
    for (int32_t i = 0; i < p->vectors; i++) {
        tg_softmax_vector(p, in + i * p->depth, to + i * p->depth, 16);
    }
}

#endif
