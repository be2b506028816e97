/* float32 to int8: x / scale, rounded half away from zero, plus the zero point, saturated; NaN becomes -128. */
#ifndef TG_QUANTIZE_F32_S8_H
#define TG_QUANTIZE_F32_S8_H

#include "tg_common.h"

typedef struct {
    int32_t runs;        /* of elements that follow each other in a row */
    int32_t count;       /* elements of a run */
    int32_t input_pitch; /* elements from one run to the next */
    int32_t output_pitch;
    float scale;
    int32_t zero_point;
} tg_quantize_f32_s8_params;

TG_INLINE void tg_quantize_f32_s8(const tg_quantize_f32_s8_params *p, const void *const *rows, void *out)
{
    const float *in = rows[0];
    int8_t *to = out;
    for (int32_t run = 0; run < p->runs; run++, in += p->input_pitch, to += p->output_pitch) {
        for (int32_t i = 0; i < p->count; i++) {
            float q = in[i] / p->scale;
            /* Within int32 before the conversion, whatever came in: NaN fails the first comparison. The quotients that
             * are clamped here saturate below for every zero point. */
            q = q > -512.0f ? q : -512.0f;
            q = q < 512.0f ? q : 512.0f;
            int32_t n = (int32_t)q;
            const float rest = q - (float)n; /* exact, and of q's sign */
            n += rest >= 0.5f;
            n -= rest <= -0.5f;
            to[i] = (int8_t)tg_clamp(n + p->zero_point, -128, 127);
        }
    }
}

#endif
