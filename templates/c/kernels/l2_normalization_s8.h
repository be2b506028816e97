/* Vectors of int8 divided by their length, in gemmlowp's fixed-point arithmetic: 7 fractional bits in the result.
 *
 * The output may overwrite the input.
 */
#ifndef TG_L2_NORMALIZATION_S8_H
#define TG_L2_NORMALIZATION_S8_H

#include "tg_common.h"

typedef struct {
    int32_t vectors;     /* of a row */
    int32_t channels;    /* bytes of a vector */
    int32_t input_pitch; /* bytes from one vector to the next */
    int32_t output_pitch;
    int32_t input_zero_point;
} tg_l2_normalization_s8_params;

/* The multiplier of 1 / sqrt(x) for x >= 0, that of 1 for 0; *shift is its power of two.
 *
 * x is brought to 28 or 29 bits, a number between 1/4 and 1 with 31 - 3 fractional bits, times 4. Five steps of Newton
 * and Raphson go from 1 to its reciprocal root: y = 3/2 y - x/2 y^3.
 */
static TG_NOINLINE int32_t tg_inverse_root(int32_t x, int32_t *shift)
{
    int32_t right = 11;
    if (x <= 1) {
        *shift = 0;
        return INT32_MAX;
    }
    while (x >= (int32_t)1 << 29) {
        x /= 4;
        right++;
    }
    while (x < (int32_t)1 << 27) {
        x *= 4;
        right--;
    }
    const int32_t half = ((x >> 1) + 1) >> 1;
    int32_t y = (int32_t)1 << 28;
    for (int32_t i = 0; i < 5; i++) {
        const int32_t cube = tg_high_multiply(tg_high_multiply(y, y), y) * 64;
        y = (tg_high_multiply((int32_t)3 << 27, y) - tg_high_multiply(half, cube)) * 8;
    }
    *shift = -right;
    return tg_high_multiply(y, 1518500250); /* 1 / sqrt(2) */
}

TG_INLINE void tg_l2_normalization_s8(const tg_l2_normalization_s8_params *p, const void *const *rows, void *out)
{
    const int8_t *in = rows[0];
    int8_t *to = out;
    for (int32_t i = 0; i < p->vectors; i++, in += p->input_pitch, to += p->output_pitch) {
        int32_t sum = 0, shift;
        for (int32_t c = 0; c < p->channels; c++) {
            const int32_t x = in[c] - p->input_zero_point;
            sum += x * x;
        }
        const int32_t multiplier = tg_inverse_root(sum, &shift);
        for (int32_t c = 0; c < p->channels; c++) {
            const int32_t x = in[c] - p->input_zero_point;
            to[c] = (int8_t)tg_clamp(tg_requantize_double(x, multiplier, shift + 7), -128, 127);
        }
    }
}

#endif
