/* 2-D convolution, int8, for output pixels that lie apart: else as conv_2d_s8.h. */
#ifndef TG_CONV_2D_APART_S8_H
#define TG_CONV_2D_APART_S8_H

#include "conv_2d_s8.h"

/* Functions of their own for each width of the panel: compilers then keep the accumulators in registers. */
static TG_NOINLINE void tg_conv_2d_apart_three(const tg_conv_2d_s8_params *p, const uint32_t *panel, int8_t *out)
{
    tg_conv_2d_multiply(p, panel, out, 3, 1, 1);
}

static TG_NOINLINE void tg_conv_2d_apart_two(const tg_conv_2d_s8_params *p, const uint32_t *panel, int8_t *out)
{
    tg_conv_2d_multiply(p, panel, out, 2, 1, 1);
}

static TG_NOINLINE void tg_conv_2d_apart_one(const tg_conv_2d_s8_params *p, const uint32_t *panel, int8_t *out)
{
    tg_conv_2d_multiply(p, panel, out, 1, 1, 1);
}

/* Any requantization and any activation range. */
static TG_NOINLINE void tg_conv_2d_apart_s8(const tg_conv_2d_s8_params *p, const void *const *rows, void *out,
                                            void *scratch)
{
    int8_t *to = out;
    for (int32_t x = 0, pixels; x < p->output_width; x += pixels, to += pixels * p->output_pitch) {
        pixels = tg_conv_2d_fill(p, rows, x, scratch);
        if (pixels == 3) {
            tg_conv_2d_multiply(p, scratch, to, 3, 0, 1);
        } else if (pixels == 2) {
            tg_conv_2d_multiply(p, scratch, to, 2, 0, 1);
        } else {
            tg_conv_2d_multiply(p, scratch, to, 1, 0, 1);
        }
    }
}

/* The common case tg_requantize.h describes. */
static TG_NOINLINE void tg_conv_2d_apart_fast_s8(const tg_conv_2d_s8_params *p, const void *const *rows, void *out,
                                                 void *scratch)
{
    int8_t *to = out;
    for (int32_t x = 0, pixels; x < p->output_width; x += pixels, to += pixels * p->output_pitch) {
        pixels = tg_conv_2d_fill(p, rows, x, scratch);
        if (pixels == 3) {
            tg_conv_2d_apart_three(p, scratch, to);
        } else if (pixels == 2) {
            tg_conv_2d_apart_two(p, scratch, to);
        } else {
            tg_conv_2d_apart_one(p, scratch, to);
        }
    }
}

#endif
