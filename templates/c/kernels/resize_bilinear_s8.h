/* Bilinear resizing, int8: which rows and pixels of the input are mixed, and in which shares, is worked out beforehand.
 *
 * Shares are in 1/1024. A mixture of four int8 has 20 fractional bits and stays within 28 bits; it is rounded once.
 */
#ifndef TG_RESIZE_BILINEAR_S8_H
#define TG_RESIZE_BILINEAR_S8_H

#include "tg_common.h"

typedef struct {
    int32_t columns;         /* pixels of an output row */
    int32_t channels;        /* bytes of a pixel */
    int32_t input_pitch;     /* bytes from one input pixel to the next */
    int32_t output_pitch;    /* bytes from one output pixel to the next */
    int32_t input_row_bytes; /* where the whole input comes through one pointer, else 0 */
    const int16_t *down;     /* for each output row two input rows, among those given, and the share of the second */
    const int16_t *across;   /* for each output column two input columns, and the share of the second */
} tg_resize_bilinear_s8_params;

TG_INLINE const int8_t *tg_resize_bilinear_row(const tg_resize_bilinear_s8_params *p, const void *const *rows,
                                               int32_t row)
{
    return p->input_row_bytes > 0 ? (const int8_t *)rows[0] + row * p->input_row_bytes : (const int8_t *)rows[row];
}

static TG_NOINLINE void tg_resize_bilinear_s8(const tg_resize_bilinear_s8_params *p, int32_t y, const void *const *rows,
                                              void *out)
{
    const int8_t *const top = tg_resize_bilinear_row(p, rows, p->down[3 * y]);
    const int8_t *const bottom = tg_resize_bilinear_row(p, rows, p->down[3 * y + 1]);
    const int32_t below = p->down[3 * y + 2], above = 1024 - below;
    const int16_t *across = p->across;
    int8_t *to = out;
    for (int32_t x = 0; x < p->columns; x++, across += 3, to += p->output_pitch) {
        const int32_t left = across[0] * p->input_pitch, right = across[1] * p->input_pitch;
        const int32_t after = across[2], before = 1024 - after;
        for (int32_t c = 0; c < p->channels; c++) {
            const int32_t first = top[left + c] * above + bottom[left + c] * below;
            const int32_t second = top[right + c] * above + bottom[right + c] * below;
            to[c] = (int8_t)tg_rounding_shift(first * before + second * after, 20);
        }
    }
}

#endif
