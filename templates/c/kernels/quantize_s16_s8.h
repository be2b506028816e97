/* int16 to int8: from one scale and zero point to another. */
#ifndef TG_QUANTIZE_S16_S8_H
#define TG_QUANTIZE_S16_S8_H

#include "tg_rescale.h"

typedef struct {
    int32_t runs;        /* of elements that follow each other in a row */
    int32_t count;       /* elements of a run */
    int32_t input_pitch; /* elements from one run to the next */
    int32_t output_pitch;
    int32_t input_zero_point;
    int32_t multiplier; /* input scale / output scale = multiplier * 2^(left - right - 31) */
    int32_t left;       /* at most 14 */
    int32_t right;
    int32_t output_zero_point;
} tg_quantize_s16_s8_params;

TG_INLINE void tg_quantize_s16_s8(const tg_quantize_s16_s8_params *p, const void *const *rows, void *out)
{
    const int16_t *in = rows[0];
    int8_t *to = out;
    for (int32_t run = 0; run < p->runs; run++, in += p->input_pitch, to += p->output_pitch) {
        for (int32_t i = 0; i < p->count; i++) {
            const int32_t x = (in[i] - p->input_zero_point) * ((int32_t)1 << p->left);
            to[i] = tg_saturate(tg_rescale(x, p->multiplier, p->right) + p->output_zero_point, -128, 127);
        }
    }
}

#endif
