/* Maxima of windows, int8: one output row at a time.
 *
 * Maxima are made of four channels at a time and start at the smallest value the activation allows. Only what lies
 * inside the input takes part: rows outside are NULL, and the columns are clipped once for each window.
 */
#ifndef TG_MAX_POOL_2D_S8_H
#define TG_MAX_POOL_2D_S8_H

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
} tg_max_pool_2d_s8_params;

TG_INLINE int32_t tg_max_pool_2d_larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* out[0..channels) = the maxima over a window of `columns` pixels in each row, from byte `offset` of the rows on;
 * channels is 4 or 1, so that the maxima stay in registers. */
TG_INLINE void tg_max_pool_2d_window(const tg_max_pool_2d_s8_params *p, const void *const *rows, int32_t offset,
                                     int32_t columns, int8_t *out, const int channels)
{
    int32_t m0 = p->activation_min, m1 = m0, m2 = m0, m3 = m0;
    for (int32_t k = 0; k < p->window_height; k++) {
        const int8_t *in = rows[k];
        if (!in) {
            continue;
        }
        in += offset;
        for (int32_t i = columns; i > 0; i--, in += p->input_pitch) {
            m0 = tg_max_pool_2d_larger(m0, in[0]);
            if (channels == 4) {
                m1 = tg_max_pool_2d_larger(m1, in[1]);
                m2 = tg_max_pool_2d_larger(m2, in[2]);
                m3 = tg_max_pool_2d_larger(m3, in[3]);
            }
        }
    }
    out[0] = (int8_t)(m0 < p->activation_max ? m0 : p->activation_max);
    if (channels == 4) {
        out[1] = (int8_t)(m1 < p->activation_max ? m1 : p->activation_max);
        out[2] = (int8_t)(m2 < p->activation_max ? m2 : p->activation_max);
        out[3] = (int8_t)(m3 < p->activation_max ? m3 : p->activation_max);
    }
}

static TG_NOINLINE void tg_max_pool_2d_s8(const tg_max_pool_2d_s8_params *p, const void *const *rows, void *out)
{
    const int32_t channels = p->channels;
    int8_t *to = out;
    for (int32_t x = 0; x < p->output_width; x++, to += p->output_pitch) {
        const int32_t left = x * p->stride - p->pad_left;
        const int32_t first = left > 0 ? left : 0;
        const int32_t end = left + p->window_width < p->input_width ? left + p->window_width : p->input_width;
        int32_t c = 0;
        for (; c + 4 <= channels; c += 4) {
            tg_max_pool_2d_window(p, rows, first * p->input_pitch + c, end - first, to + c, 4);
        }
        for (; c < channels; c++) {
            tg_max_pool_2d_window(p, rows, first * p->input_pitch + c, end - first, to + c, 1);
        }
    }
}

#endif
