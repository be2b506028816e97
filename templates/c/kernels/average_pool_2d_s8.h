/* Means of windows, int8: one output row at a time, or a single window accumulated row by row.
 *
 * Sums are made of four channels at a time. Only what lies inside the input counts: rows outside are NULL, and the
 * columns are clipped once for each window.
 */
#ifndef TG_AVERAGE_POOL_2D_S8_H
#define TG_AVERAGE_POOL_2D_S8_H

#include "tg_common.h"

typedef struct {
    int32_t input_width;  /* pixels of an input row */
    int32_t input_pitch;  /* bytes from one input pixel to the next */
    int32_t output_width; /* pixels of an output row */
    int32_t output_pitch; /* bytes from one output pixel to the next */
    int32_t channels;     /* bytes of a pixel */
    int32_t window_height;
    int32_t window_width;
    int32_t stride;   /* in pixels */
    int32_t pad_left; /* in pixels */
    int32_t activation_min;
    int32_t activation_max;
} tg_average_pool_2d_s8_params;

typedef struct {
    int32_t steps;    /* rows of the window inside the input */
    int32_t columns;  /* columns of the window inside the input */
    int32_t channels; /* bytes of a pixel */
    int32_t pitch;    /* bytes from one pixel to the next */
    int32_t activation_min;
    int32_t activation_max;
} tg_average_pool_global_s8_params;

/* sum / count, ties away from zero. */
TG_INLINE int8_t tg_average_pool_2d_mean(int32_t sum, int32_t count, int32_t activation_min, int32_t activation_max)
{
    const int32_t half = count / 2;
    return (int8_t)tg_clamp((sum > 0 ? sum + half : sum - half) / count, activation_min, activation_max);
}

/* out[0..channels) = the means over a window of `columns` pixels in each row, from byte `offset` of the rows on;
 * channels is 4 or 1, so that the sums stay in registers. */
TG_INLINE void tg_average_pool_2d_window(const tg_average_pool_2d_s8_params *p, const void *const *rows, int32_t offset,
                                         int32_t columns, int32_t count, int8_t *out, const int channels)
{
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (int32_t k = 0; k < p->window_height; k++) {
        const int8_t *in = rows[k];
        if (!in) {
            continue;
        }
        in += offset;
        for (int32_t i = columns; i > 0; i--, in += p->input_pitch) {
            s0 += in[0];
            if (channels == 4) {
                s1 += in[1];
                s2 += in[2];
                s3 += in[3];
            }
        }
    }
    out[0] = tg_average_pool_2d_mean(s0, count, p->activation_min, p->activation_max);
    if (channels == 4) {
        out[1] = tg_average_pool_2d_mean(s1, count, p->activation_min, p->activation_max);
        out[2] = tg_average_pool_2d_mean(s2, count, p->activation_min, p->activation_max);
        out[3] = tg_average_pool_2d_mean(s3, count, p->activation_min, p->activation_max);
    }
}

static TG_NOINLINE void tg_average_pool_2d_s8(const tg_average_pool_2d_s8_params *p, const void *const *rows, void *out)
{
    const int32_t channels = p->channels;
    int32_t valid_rows = 0;
    for (int32_t k = 0; k < p->window_height; k++) {
        valid_rows += rows[k] ? 1 : 0;
    }
    int8_t *to = out;
    for (int32_t x = 0; x < p->output_width; x++, to += p->output_pitch) {
        const int32_t left = x * p->stride - p->pad_left;
        const int32_t first = left > 0 ? left : 0;
        const int32_t end = left + p->window_width < p->input_width ? left + p->window_width : p->input_width;
        const int32_t columns = end - first, count = columns * valid_rows;
        int32_t c = 0;
        for (; c + 4 <= channels; c += 4) {
            tg_average_pool_2d_window(p, rows, first * p->input_pitch + c, columns, count, to + c, 4);
        }
        for (; c < channels; c++) {
            tg_average_pool_2d_window(p, rows, first * p->input_pitch + c, columns, count, to + c, 1);
        }
    }
}

/* sums[0..channels) += a run of pixels, channel by channel; channels is 4 or 1. */
TG_INLINE void tg_average_pool_2d_add(int32_t *sums, const int8_t *in, int32_t pixels, int32_t stride,
                                      const int channels)
{
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (; pixels > 0; pixels--, in += stride) {
        s0 += in[0];
        if (channels == 4) {
            s1 += in[1];
            s2 += in[2];
            s3 += in[3];
        }
    }
    sums[0] += s0;
    if (channels == 4) {
        sums[1] += s1;
        sums[2] += s2;
        sums[3] += s3;
    }
}

/* The only window of the layer: step y adds row y to the sums in acc, the last step divides. */
static TG_NOINLINE void tg_average_pool_global_s8(const tg_average_pool_global_s8_params *p, int32_t y,
                                                  const void *const *rows, void *out, int32_t *acc)
{
    const int32_t channels = p->channels;
    const int8_t *row = rows[0];
    if (y == 0) {
        memset(acc, 0, (size_t)channels * sizeof *acc);
    }
    int32_t c = 0;
    for (; c + 4 <= channels; c += 4) {
        tg_average_pool_2d_add(acc + c, row + c, p->columns, p->pitch, 4);
    }
    for (; c < channels; c++) {
        tg_average_pool_2d_add(acc + c, row + c, p->columns, p->pitch, 1);
    }
    if (y == p->steps - 1) {
        int8_t *to = out;
        for (c = 0; c < channels; c++) {
            const int32_t count = p->steps * p->columns;
            to[c] = tg_average_pool_2d_mean(acc[c], count, p->activation_min, p->activation_max);
        }
    }
}

#endif
