/* Nearest-neighbour resizing: which row and which pixels of the input an output row shows is worked out beforehand. */
#ifndef TG_RESIZE_NEAREST_X8_H
#define TG_RESIZE_NEAREST_X8_H

#include "tg_common.h"

typedef struct {
    int32_t columns;          /* pixels of an output row */
    int32_t bytes;            /* of a pixel */
    int32_t input_pitch;      /* bytes from one input pixel to the next */
    int32_t output_pitch;     /* bytes from one output pixel to the next */
    int32_t input_row_bytes;  /* where the whole input comes through one pointer, else 0 */
    const int16_t *row_of;    /* for each output row, the input row, among those given */
    const int16_t *column_of; /* for each output column, the input column */
} tg_resize_nearest_x8_params;

TG_INLINE void tg_resize_nearest_x8(const tg_resize_nearest_x8_params *p, int32_t y, const void *const *rows, void *out)
{
    const int32_t row = p->row_of[y];
    const uint8_t *const in =
        p->input_row_bytes > 0 ? (const uint8_t *)rows[0] + row * p->input_row_bytes : (const uint8_t *)rows[row];
    uint8_t *to = out;
    for (int32_t x = 0; x < p->columns; x++, to += p->output_pitch) {
        memcpy(to, in + p->column_of[x] * p->input_pitch, (size_t)p->bytes);
    }
}

#endif
