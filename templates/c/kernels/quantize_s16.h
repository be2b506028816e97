/* int16 to int8, int16 or int32: from one scale and zero point to another. */
#ifndef TG_QUANTIZE_S16_H
#define TG_QUANTIZE_S16_H

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
    int32_t output_zero_point; /* of int32 at most 2^30 in magnitude, so that no sum overflows */
} tg_quantize_s16_params;

/* An element, not saturated yet. */
TG_INLINE int32_t tg_quantize_s16_element(const tg_quantize_s16_params *p, int32_t element)
{
    const int32_t x = (element - p->input_zero_point) * ((int32_t)1 << p->left);
    return tg_rescale(x, p->multiplier, p->right) + p->output_zero_point;
}

TG_INLINE void tg_quantize_s16_s8(const tg_quantize_s16_params *p, const void *const *rows, void *out)
{
    const int16_t *in = rows[0];
    int8_t *to = out;
    for (int32_t run = 0; run < p->runs; run++, in += p->input_pitch, to += p->output_pitch) {
        for (int32_t i = 0; i < p->count; i++) {
            to[i] = tg_saturate(tg_quantize_s16_element(p, in[i]), -128, 127);
        }
    }
}

TG_INLINE void tg_quantize_s16_s16(const tg_quantize_s16_params *p, const void *const *rows, void *out)
{
    const int16_t *in = rows[0];
    int16_t *to = out;
    for (int32_t run = 0; run < p->runs; run++, in += p->input_pitch, to += p->output_pitch) {
        for (int32_t i = 0; i < p->count; i++) {
            to[i] = (int16_t)tg_clamp(tg_quantize_s16_element(p, in[i]), INT16_MIN, INT16_MAX);
        }
    }
}

TG_INLINE void tg_quantize_s16_s32(const tg_quantize_s16_params *p, const void *const *rows, void *out)
{
    const int16_t *in = rows[0];
    int32_t *to = out;
    for (int32_t run = 0; run < p->runs; run++, in += p->input_pitch, to += p->output_pitch) {
        for (int32_t i = 0; i < p->count; i++) {
            to[i] = tg_quantize_s16_element(p, in[i]);
        }
    }
}

#endif
