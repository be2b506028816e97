/* Difference of two int8 rows with scales of their own: the arithmetic and the loops of a sum, see add_s8.h.
 *
 * The output may overwrite an operand of its shape.
 */
#ifndef TG_SUB_S8_H
#define TG_SUB_S8_H

#include "add_s8.h"

/* a - b, or b - a with a sign of -1. */
TG_INLINE void tg_sub_s8_row(const tg_add_s8_params *p, int32_t y, const void *const *rows, void *out,
                             const int32_t sign)
{
    const int8_t *const a_row = (const int8_t *)rows[0] + y * p->a_row;
    const int8_t *const b_row = (const int8_t *)rows[1] + y * p->b_row;
    for (int32_t i = 0; i < p->outer; i++) {
        for (int32_t j = 0; j < p->middle; j++) {
            const int8_t *const a = a_row + i * p->a_outer + j * p->a_middle;
            const int8_t *const b = b_row + i * p->b_outer + j * p->b_middle;
            int8_t *const to = (int8_t *)out + i * p->out_outer + j * p->out_middle;
            for (int32_t k = 0; k < p->inner; k++) {
                const int32_t x = tg_add_s8_operand(a[k * p->a_inner] - p->a_zero_point, p->a_multiplier, p->a_right);
                const int32_t z = tg_add_s8_operand(b[k * p->b_inner] - p->b_zero_point, p->b_multiplier, p->b_right);
                const int32_t difference = tg_rescale(sign * (x - z), p->multiplier, p->right) + p->zero_point;
                to[k * p->out_inner] = tg_saturate(difference, p->activation_min, p->activation_max);
            }
        }
    }
}

TG_INLINE void tg_sub_s8(const tg_add_s8_params *p, int32_t y, const void *const *rows, void *out)
{
    tg_sub_s8_row(p, y, rows, out, 1);
}

/* The operands come in the other order, the one of the output's shape being the second. */
TG_INLINE void tg_sub_reversed_s8(const tg_add_s8_params *p, int32_t y, const void *const *rows, void *out)
{
    tg_sub_s8_row(p, y, rows, out, -1);
}

#endif
