/* Squared difference of two int8 rows with scales of their own: the loops and parameters of a sum, see add_s8.h.
 *
 * The output may overwrite an operand of its shape.
 */
#ifndef TG_SQUARED_DIFFERENCE_S8_H
#define TG_SQUARED_DIFFERENCE_S8_H

#include "add_s8.h"

/* Operands have 7 fractional bits in the common scale: differences are below 2^15, and squares below 2^30. */
TG_INLINE int8_t tg_squared_difference_s8_element(const tg_add_s8_params *p, int8_t a, int8_t b)
{
    const int32_t difference = tg_rescale((a - p->a_zero_point) * 128, p->a_multiplier, p->a_right) -
                               tg_rescale((b - p->b_zero_point) * 128, p->b_multiplier, p->b_right);
    const int32_t y = tg_rescale(difference * difference, p->multiplier, p->right) + p->zero_point;
    return tg_saturate(y, p->activation_min, p->activation_max);
}

TG_INLINE void tg_squared_difference_s8(const tg_add_s8_params *p, int32_t y, const void *const *rows, void *out)
{
    const int8_t *const a_row = (const int8_t *)rows[0] + y * p->a_row;
    const int8_t *const b_row = (const int8_t *)rows[1] + y * p->b_row;
    for (int32_t i = 0; i < p->outer; i++) {
        for (int32_t j = 0; j < p->middle; j++) {
            const int8_t *const a = a_row + i * p->a_outer + j * p->a_middle;
            const int8_t *const b = b_row + i * p->b_outer + j * p->b_middle;
            int8_t *const to = (int8_t *)out + i * p->out_outer + j * p->out_middle;
            for (int32_t k = 0; k < p->inner; k++) {
                to[k * p->out_inner] = tg_squared_difference_s8_element(p, a[k * p->a_inner], b[k * p->b_inner]);
            }
        }
    }
}

#endif
