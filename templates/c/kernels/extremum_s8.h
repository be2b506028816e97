/* The larger or the smaller of two int8 rows, element by element, with the loops of mul_s8.h.
 *
 * The output may overwrite an operand of its shape.
 */
#ifndef TG_EXTREMUM_S8_H
#define TG_EXTREMUM_S8_H

#include "tg_common.h"

typedef struct {
    int32_t outer; /* loops over an output row */
    int32_t middle;
    int32_t inner;
    int32_t a_row; /* from one output row to the next, 0 where the pointer is to the row itself */
    int32_t a_outer;
    int32_t a_middle;
    int32_t a_inner;
    int32_t b_row;
    int32_t b_outer;
    int32_t b_middle;
    int32_t b_inner;
    int32_t out_outer;
    int32_t out_middle;
    int32_t out_inner;
} tg_extremum_s8_params;

TG_INLINE void tg_extremum_s8_row(const tg_extremum_s8_params *p, int32_t y, const void *const *rows, void *out,
                                  const int larger)
{
    const int8_t *const a_row = (const int8_t *)rows[0] + y * p->a_row;
    const int8_t *const b_row = (const int8_t *)rows[1] + y * p->b_row;
    for (int32_t i = 0; i < p->outer; i++) {
        for (int32_t j = 0; j < p->middle; j++) {
            const int8_t *const a = a_row + i * p->a_outer + j * p->a_middle;
            const int8_t *const b = b_row + i * p->b_outer + j * p->b_middle;
            int8_t *const to = (int8_t *)out + i * p->out_outer + j * p->out_middle;
            for (int32_t k = 0; k < p->inner; k++) {
                const int8_t x = a[k * p->a_inner], z = b[k * p->b_inner];
                to[k * p->out_inner] = (x > z) == larger ? x : z;
            }
        }
    }
}

TG_INLINE void tg_maximum_s8(const tg_extremum_s8_params *p, int32_t y, const void *const *rows, void *out)
{
    tg_extremum_s8_row(p, y, rows, out, 1);
}

TG_INLINE void tg_minimum_s8(const tg_extremum_s8_params *p, int32_t y, const void *const *rows, void *out)
{
    tg_extremum_s8_row(p, y, rows, out, 0);
}

#endif
