/* 2-D convolution, int8, for Helium (MVE): one output row at a time, two output pixels times four filters.
 *
 * The taps of the two pixels are gathered side by side in scratch memory, each padded with zeros to a multiple of 16.
 * Gathering is where the borders are handled, so the multiply loops know none: taps outside the input read the input's
 * zero point, whose share is already in the bias. A filter is `runs` runs of `run_bytes` taps: a kernel row, or a
 * pixel where pixels or taps lie apart. Weights are not padded: what is read after a filter's end meets the zeros of
 * the pixel.
 *
 *   weights: [filter / 4], each [4 filters][the last 1 to 16 taps], then backwards [depth / 16][4 filters][16 taps];
 *            what is left one by one: [filter][depth]; zeros at the end, so that nothing behind it is read
 */
#ifndef TG_CONV_2D_MVE_S8_H
#define TG_CONV_2D_MVE_S8_H

#include "tg_mve.h"

typedef struct {
    int32_t input_width;   /* pixels of an input row */
    int32_t input_pitch;   /* bytes from one input pixel to the next */
    int32_t output_width;  /* pixels of an output row */
    int32_t output_pitch;  /* bytes from one output pixel to the next */
    int32_t kernel_height; /* row pointers the kernel is given */
    int32_t runs_per_row;  /* 1, or the kernel's width */
    int32_t run_bytes;     /* contiguous taps of a run */
    int32_t stride;        /* in pixels */
    int32_t dilation;      /* in pixels */
    int32_t pad_left;      /* in pixels */
    int32_t depth;         /* taps of a filter */
    int32_t pixels;        /* in scratch memory side by side: 1 or 2 */
    int32_t input_zero_point;
    tg_requantize_s8_params requantize;
    const int8_t *weights;
} tg_conv_2d_mve_s8_params;

/* Gathers the taps of output pixel x. */
static TG_NOINLINE void tg_conv_2d_mve_gather(const tg_conv_2d_mve_s8_params *p, const void *const *rows, int32_t x,
                                              int8_t *taps)
{
    const int32_t row_bytes = p->input_width * p->input_pitch;
    for (int32_t ky = 0; ky < p->kernel_height; ky++) {
        const int8_t *row = rows[ky];
        int32_t first = (x * p->stride - p->pad_left) * p->input_pitch;
        for (int32_t run = 0; run < p->runs_per_row; run++, taps += p->run_bytes) {
            const int32_t end = first + p->run_bytes;
            if (row && first >= 0 && end <= row_bytes) {
                tg_mve_copy(taps, row + first, p->run_bytes);
            } else {
                tg_mve_fill(taps, (int8_t)p->input_zero_point, p->run_bytes);
                if (row) {
                    const int32_t from = first > 0 ? first : 0;
                    tg_mve_copy(taps + (from - first), row + from, (end < row_bytes ? end : row_bytes) - from);
                }
            }
            first += p->dilation * p->input_pitch;
        }
    }
}

/* All filters over one or two pixels; taps of the second are `pitch` bytes on. */
TG_INLINE void tg_conv_2d_mve_multiply(const tg_conv_2d_mve_s8_params *p, const int8_t *taps, int32_t pitch,
                                       int8_t *out, const int pixels, const int simple)
{
    const int32_t channels = p->requantize.channels, chunks = pitch / 16 - 1;
    const int8_t *const last = taps + 16 * chunks;
    int32_t sums[2 * TG_MVE_BLOCK], c = 0;
    tg_mve_dots dots = {last, last + pitch, chunks, p->depth - 16 * chunks, p->weights, NULL, NULL};
    while (channels - c >= 4) {
        const int32_t count = channels - c < TG_MVE_BLOCK ? (channels - c) / 4 * 4 : TG_MVE_BLOCK;
        dots.sums = sums;
        dots.end = sums + pixels * count;
        if (pixels > 1) {
            tg_mve_dots_2x4(&dots);
        } else {
            tg_mve_dots_1x4(&dots);
        }
        tg_mve_requantize_s8(&p->requantize, c, count, sums, out + c, p->output_pitch, pixels, simple);
        c += count;
    }
    for (const int8_t *weights = dots.weights; c < channels; c++, weights += p->depth) {
        const tg_channel_s8 channel = tg_channel(&p->requantize, c, 0);
        for (int32_t i = 0; i < pixels; i++) {
            const int32_t acc = p->requantize.bias[c] + tg_mve_dot(taps + i * pitch, weights, chunks + 1);
            out[i * p->output_pitch + c] = tg_requantize_s8(&p->requantize, channel, acc, 0);
        }
    }
}

TG_INLINE void tg_conv_2d_mve_row(const tg_conv_2d_mve_s8_params *p, const void *const *rows, int8_t *out, int8_t *taps,
                                  const int simple)
{
    const int32_t pitch = (p->depth + 15) / 16 * 16;
    int32_t x = 0;
    for (int32_t i = 0; i < p->pixels; i++) {
        vstrbq_s8(taps + (i + 1) * pitch - 16, vdupq_n_s8(0));
    }
    if (p->pixels > 1) {
        for (; x + 2 <= p->output_width; x += 2, out += 2 * p->output_pitch) {
            tg_conv_2d_mve_gather(p, rows, x, taps);
            tg_conv_2d_mve_gather(p, rows, x + 1, taps + pitch);
            tg_conv_2d_mve_multiply(p, taps, pitch, out, 2, simple);
        }
    }
    for (; x < p->output_width; x++, out += p->output_pitch) {
        tg_conv_2d_mve_gather(p, rows, x, taps);
        tg_conv_2d_mve_multiply(p, taps, pitch, out, 1, simple);
    }
}

/* Any requantization and any activation range. */
static TG_NOINLINE void tg_conv_2d_mve_s8(const tg_conv_2d_mve_s8_params *p, const void *const *rows, void *out,
                                          void *scratch)
{
    tg_conv_2d_mve_row(p, rows, out, scratch, 0);
}

/* Shifts to the right, and an activation that cuts off below the output's zero point. */
static TG_NOINLINE void tg_conv_2d_mve_relu_s8(const tg_conv_2d_mve_s8_params *p, const void *const *rows, void *out,
                                               void *scratch)
{
    tg_conv_2d_mve_row(p, rows, out, scratch, 1);
}

#endif
