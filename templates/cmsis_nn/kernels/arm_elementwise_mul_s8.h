/* Product of two int8 rows. */
#ifndef TG_ARM_ELEMENTWISE_MUL_S8_H
#define TG_ARM_ELEMENTWISE_MUL_S8_H

#include "tg_cmsis_nn.h"

typedef struct {
    int32_t count;
    int32_t a_offset;
    int32_t b_offset;
    int32_t offset; /* of the output */
    int32_t multiplier;
    int32_t shift;
    int32_t activation_min;
    int32_t activation_max;
} tg_arm_elementwise_mul_s8_params;

TG_INLINE void tg_arm_elementwise_mul_s8(const tg_arm_elementwise_mul_s8_params *p, const void *const *rows, void *out)
{
    tg_cmsis_nn_check(arm_elementwise_mul_s8(rows[0], rows[1], p->a_offset, p->b_offset, out, p->offset, p->multiplier,
                                             p->shift, p->activation_min, p->activation_max, p->count));
}

#endif
