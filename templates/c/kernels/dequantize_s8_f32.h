/* int8 to float32: scale * (x - zero point). */
#ifndef TG_DEQUANTIZE_S8_F32_H
#define TG_DEQUANTIZE_S8_F32_H

#include "tg_common.h"

typedef struct {
    int32_t runs;        /* of elements that follow each other in a row */
    int32_t count;       /* elements of a run */
    int32_t input_pitch; /* elements from one run to the next */
    int32_t output_pitch;
    float scale;
    int32_t zero_point;
} tg_dequantize_s8_f32_params;

TG_INLINE void tg_dequantize_s8_f32(const tg_dequantize_s8_f32_params *p, const void *const *rows, void *out)
{
    const int8_t *in = rows[0];
    float *to = out;
    for (int32_t run = 0; run < p->runs; run++, in += p->input_pitch, to += p->output_pitch) {
        for (int32_t i = 0; i < p->count; i++) {
            to[i] = p->scale * (float)(in[i] - p->zero_point);
        }
    }
}

#endif
