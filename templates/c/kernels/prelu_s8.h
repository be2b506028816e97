/* A rectifier with a slope below zero for each channel or element, int8, with the loops of mul_s8.h.
 *
 * The output may overwrite the input.
 */
#ifndef TG_PRELU_S8_H
#define TG_PRELU_S8_H

#include "tg_rescale.h"

typedef struct {
    int32_t outer; /* loops over an output row */
    int32_t middle;
    int32_t inner;
    int32_t a_row; /* from one output row to the next, 0 where the pointer is to the row itself */
    int32_t a_outer;
    int32_t a_middle;
    int32_t a_inner;
    int32_t b_row; /* b is the slope */
    int32_t b_outer;
    int32_t b_middle;
    int32_t b_inner;
    int32_t out_outer;
    int32_t out_middle;
    int32_t out_inner;
    int32_t a_zero_point;
    int32_t b_zero_point;
    int32_t positive_multiplier; /* real factor = multiplier * 2^(left - right - 31) */
    int32_t positive_left;       /* at most 14: values stay below 2^30 */
    int32_t positive_right;
    int32_t negative_multiplier; /* of the product with the slope */
    int32_t negative_left;       /* at most 14 */
    int32_t negative_right;
    int32_t zero_point; /* of the output */
} tg_prelu_s8_params;

TG_INLINE int8_t tg_prelu_s8_element(const tg_prelu_s8_params *p, int32_t x, int32_t slope)
{
    const int32_t y =
        x >= 0 ? tg_rescale(x * ((int32_t)1 << p->positive_left), p->positive_multiplier, p->positive_right)
               : tg_rescale(x * slope * ((int32_t)1 << p->negative_left), p->negative_multiplier, p->negative_right);
    return tg_saturate(y + p->zero_point, -128, 127);
}

TG_INLINE void tg_prelu_s8(const tg_prelu_s8_params *p, int32_t y, const void *const *rows, void *out)
{
    const int8_t *const a_row = (const int8_t *)rows[0] + y * p->a_row;
    const int8_t *const b_row = (const int8_t *)rows[1] + y * p->b_row;
    for (int32_t i = 0; i < p->outer; i++) {
        for (int32_t j = 0; j < p->middle; j++) {
            const int8_t *const a = a_row + i * p->a_outer + j * p->a_middle;
            const int8_t *const b = b_row + i * p->b_outer + j * p->b_middle;
            int8_t *const to = (int8_t *)out + i * p->out_outer + j * p->out_middle;
            for (int32_t k = 0; k < p->inner; k++) {
                const int32_t slope = b[k * p->b_inner] - p->b_zero_point;
                to[k * p->out_inner] = tg_prelu_s8_element(p, a[k * p->a_inner] - p->a_zero_point, slope);
            }
        }
    }
}

#endif
