/* Grouped 2-D convolution, int8: an ordinary one for each group, over that group's channels of the pixels. */
#ifndef TG_CONV_2D_GROUPED_S8_H
#define TG_CONV_2D_GROUPED_S8_H

#include "conv_2d_apart_s8.h"

#define TG_CONV_2D_GROUPED_ROWS 16

typedef struct {
    int32_t groups;
    int32_t weights_bytes;     /* of a group */
    tg_conv_2d_s8_params conv; /* of the first group; constants of the others follow */
} tg_conv_2d_grouped_s8_params;

TG_INLINE void tg_conv_2d_grouped_row(const tg_conv_2d_grouped_s8_params *p, const void *const *rows, void *out,
                                      void *scratch, const int fast)
{
    tg_conv_2d_s8_params conv = p->conv;
    for (int32_t group = 0; group < p->groups; group++) {
        const void *window[TG_CONV_2D_GROUPED_ROWS];
        for (int32_t k = 0; k < conv.kernel_height; k++) {
            window[k] = rows[k] ? (const int8_t *)rows[k] + group * conv.run_bytes : NULL;
        }
        int8_t *const to = (int8_t *)out + group * conv.requantize.channels;
        if (fast) {
            tg_conv_2d_apart_fast_s8(&conv, window, to, scratch);
        } else {
            tg_conv_2d_apart_s8(&conv, window, to, scratch);
        }
        conv.requantize.bias += conv.requantize.channels;
        conv.requantize.multiplier += conv.requantize.channels;
        conv.requantize.shift += conv.requantize.channels;
        conv.weights += p->weights_bytes;
    }
}

/* Any requantization and any activation range. */
static TG_NOINLINE void tg_conv_2d_grouped_s8(const tg_conv_2d_grouped_s8_params *p, const void *const *rows, void *out,
                                              void *scratch)
{
    tg_conv_2d_grouped_row(p, rows, out, scratch, 0);
}

/* The common case tg_requantize.h describes. */
static TG_NOINLINE void tg_conv_2d_grouped_fast_s8(const tg_conv_2d_grouped_s8_params *p, const void *const *rows,
                                                   void *out, void *scratch)
{
    tg_conv_2d_grouped_row(p, rows, out, scratch, 1);
}

#endif
