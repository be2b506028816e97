/* Maxima of windows, int8: one output row at a time.
 *
 * An output pixel starts at the smallest value its activation allows and takes in one pixel of the window after the
 * other, all channels at once. Only what lies inside the input takes part: rows outside are NULL, and the columns are
 * clipped once for each window.
 */
#ifndef TG_MAX_POOL_2D_S8_H
#define TG_MAX_POOL_2D_S8_H

#include "tg_common.h"

typedef struct {
    int32_t input_width;  /* pixels of an input row */
    int32_t output_width; /* pixels of an output row */
    int32_t channels;     /* bytes of a pixel */
    int32_t window_height;
    int32_t window_width;
    int32_t stride;   /* in pixels */
    int32_t pad_left; /* in pixels */
    int32_t activation_min;
    int32_t activation_max;
} tg_max_pool_2d_s8_params;

/* out = max(out, in), channel by channel. */
TG_INLINE void tg_max_pool_2d_take(int8_t *restrict out, const int8_t *restrict in, int32_t channels)
{
    for (int32_t c = 0; c < channels; c++) {
        out[c] = in[c] > out[c] ? in[c] : out[c];
    }
}

static TG_NOINLINE void tg_max_pool_2d_s8(const tg_max_pool_2d_s8_params *p, const void *const *rows, void *out)
{
    const int32_t channels = p->channels;
    int8_t *to = out;
    for (int32_t x = 0; x < p->output_width; x++, to += channels) {
        const int32_t left = x * p->stride - p->pad_left;
        const int32_t first = left > 0 ? left : 0;
        const int32_t end = left + p->window_width < p->input_width ? left + p->window_width : p->input_width;
        memset(to, p->activation_min, (size_t)channels);
        for (int32_t k = 0; k < p->window_height; k++) {
            const int8_t *row = rows[k];
            if (row) {
                for (int32_t i = first; i < end; i++) {
                    tg_max_pool_2d_take(to, row + i * channels, channels);
                }
            }
        }
        if (p->activation_max < 127) {
            for (int32_t c = 0; c < channels; c++) {
                to[c] = (int8_t)(to[c] < p->activation_max ? to[c] : p->activation_max);
            }
        }
    }
}

#endif
