/* Sum of two int8 rows with scales of their own for Helium (MVE): the arithmetic and the loops of add_s8.h, four
 * elements at a time, where neighbours in a row are neighbours in both operands.
 *
 * The output may overwrite an operand of its shape.
 */
#ifndef TG_ADD_MVE_S8_H
#define TG_ADD_MVE_S8_H

#include "add_s8.h"
#include "tg_mve.h"

/* As tg_rescale; which of the roundings are needed is known when layers are compiled. */
TG_INLINE int32x4_t tg_mve_rescale(int32x4_t x, int32_t multiplier, int32_t right)
{
    const int32x4_t y = vqrdmulhq_n_s32(x, multiplier);
    return right == 0 ? y : vrshlq_n_s32(vaddq_s32(y, vshrq_n_s32(y, 31)), -right);
}

/* As tg_add_s8_operand. */
TG_INLINE int32x4_t tg_add_mve_s8_operand(int32x4_t x, int32_t zero_point, int32_t multiplier, int32_t right)
{
    x = vaddq_n_s32(x, -zero_point);
    if (multiplier == (int32_t)1 << 30 && right == 0) {
        return vshlq_n_s32(x, 19);
    }
    return tg_mve_rescale(vshlq_n_s32(x, 20), multiplier, right);
}

TG_INLINE int32x4_t tg_add_mve_s8_sum(const tg_add_s8_params *p, int32x4_t a, int32x4_t b)
{
    const int32x4_t sum = vaddq_s32(tg_add_mve_s8_operand(a, p->a_zero_point, p->a_multiplier, p->a_right),
                                    tg_add_mve_s8_operand(b, p->b_zero_point, p->b_multiplier, p->b_right));
    const int32x4_t y = vaddq_n_s32(tg_mve_rescale(sum, p->multiplier, p->right), p->zero_point);
    return vminq_s32(vmaxq_s32(y, vdupq_n_s32(p->activation_min)), vdupq_n_s32(p->activation_max));
}

TG_INLINE void tg_add_mve_s8_run(const tg_add_s8_params *p, const int8_t *a, const int8_t *b, int8_t *to)
{
    int32_t left = p->inner;
    for (; left >= 4; left -= 4, a += 4, b += 4, to += 4) {
        vstrbq_s32(to, tg_add_mve_s8_sum(p, vldrbq_s32(a), vldrbq_s32(b)));
    }
    if (left > 0) {
        const mve_pred16_t lanes = vctp32q((uint32_t)left);
        vstrbq_p_s32(to, tg_add_mve_s8_sum(p, vldrbq_z_s32(a, lanes), vldrbq_z_s32(b, lanes)), lanes);
    }
}

TG_INLINE void tg_add_mve_s8(const tg_add_s8_params *p, int32_t y, const void *const *rows, void *out)
{
    const int8_t *const a_row = (const int8_t *)rows[0] + y * p->a_row;
    const int8_t *const b_row = (const int8_t *)rows[1] + y * p->b_row;
    for (int32_t i = 0; i < p->outer; i++) {
        for (int32_t j = 0; j < p->middle; j++) {
            const int8_t *const a = a_row + i * p->a_outer + j * p->a_middle;
            const int8_t *const b = b_row + i * p->b_outer + j * p->b_middle;
            tg_add_mve_s8_run(p, a, b, (int8_t *)out + i * p->out_outer + j * p->out_middle);
        }
    }
}

#endif
