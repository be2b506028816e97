/* Part of a row or tensor: nested loops with a stride of the input and of the output for each, from a first byte on;
 * those of the input may be negative. Elements of any size are runs of bytes, and so is whatever stays together. */
#ifndef TG_SLICE_X8_H
#define TG_SLICE_X8_H

#include "tg_common.h"

typedef struct {
    int32_t first;   /* byte of the input */
    int32_t count_0; /* turns of the loops, outermost first */
    int32_t count_1;
    int32_t count_2;
    int32_t count_3;
    int32_t stride_0; /* bytes of the input from one turn to the next */
    int32_t stride_1;
    int32_t stride_2;
    int32_t stride_3;
    int32_t out_stride_0; /* the same of the output */
    int32_t out_stride_1;
    int32_t out_stride_2;
    int32_t out_stride_3;
    int32_t run; /* bytes copied at once */
} tg_slice_x8_params;

TG_INLINE void tg_slice_x8(const tg_slice_x8_params *p, const void *const *rows, void *out)
{
    const uint8_t *const in = (const uint8_t *)rows[0] + p->first;
    for (int32_t i = 0; i < p->count_0; i++) {
        for (int32_t j = 0; j < p->count_1; j++) {
            for (int32_t k = 0; k < p->count_2; k++) {
                int32_t at = i * p->stride_0 + j * p->stride_1 + k * p->stride_2;
                uint8_t *to = (uint8_t *)out + i * p->out_stride_0 + j * p->out_stride_1 + k * p->out_stride_2;
                for (int32_t l = 0; l < p->count_3; l++) {
                    if (p->run == 1) {
                        *to = in[at];
                    } else {
                        memcpy(to, in + at, (size_t)p->run);
                    }
                    to += p->out_stride_3;
                    at += p->stride_3;
                }
            }
        }
    }
}

#endif
