/* Sum of two int8 rows with scales of their own.
 *
 * Each operand is brought to a common scale with 20 fractional bits, and the sum to the output's scale; both steps
 * round twice, as TFLite does. Rows of any broadcast are three nested loops with a stride of 0 where an operand is
 * repeated; rows of one shape are a single loop. The output may overwrite an operand of its shape.
 */
#ifndef TG_ADD_S8_H
#define TG_ADD_S8_H

#include "tg_rescale.h"

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
    int32_t a_zero_point;
    int32_t a_multiplier; /* real factor = multiplier * 2^(-31 - right) */
    int32_t a_right;
    int32_t b_zero_point;
    int32_t b_multiplier;
    int32_t b_right;
    int32_t zero_point; /* of the output */
    int32_t multiplier;
    int32_t right;
    int32_t activation_min;
    int32_t activation_max;
} tg_add_s8_params;

/* An operand in the common scale: below 2^27 in magnitude. */
TG_INLINE int32_t tg_add_s8_operand(int32_t x, int32_t multiplier, int32_t right)
{
    if (multiplier == (int32_t)1 << 30 && right == 0) {
        return x * ((int32_t)1 << 19); /* exactly a half: the operand with the larger scale */
    }
    return tg_rescale(x * ((int32_t)1 << 20), multiplier, right);
}

TG_INLINE int8_t tg_add_s8_element(const tg_add_s8_params *p, int8_t a, int8_t b)
{
    const int32_t sum = tg_add_s8_operand(a - p->a_zero_point, p->a_multiplier, p->a_right) +
                        tg_add_s8_operand(b - p->b_zero_point, p->b_multiplier, p->b_right);
    const int32_t y = tg_rescale(sum, p->multiplier, p->right) + p->zero_point;
    return tg_saturate(y, p->activation_min, p->activation_max);
}

TG_INLINE void tg_add_s8(const tg_add_s8_params *p, int32_t y, const void *const *rows, void *out)
{
    const int8_t *const a_row = (const int8_t *)rows[0] + y * p->a_row;
    const int8_t *const b_row = (const int8_t *)rows[1] + y * p->b_row;
    for (int32_t i = 0; i < p->outer; i++) {
        for (int32_t j = 0; j < p->middle; j++) {
            const int8_t *const a = a_row + i * p->a_outer + j * p->a_middle;
            const int8_t *const b = b_row + i * p->b_outer + j * p->b_middle;
            int8_t *const to = (int8_t *)out + i * p->out_outer + j * p->out_middle;
            for (int32_t k = 0; k < p->inner; k++) {
                to[k * p->out_inner] = tg_add_s8_element(p, a[k * p->a_inner], b[k * p->b_inner]);
            }
        }
    }
}

#endif
