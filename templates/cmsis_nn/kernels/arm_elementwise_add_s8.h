/* Sum of two int8 rows with scales of their own. */
#ifndef TG_ARM_ELEMENTWISE_ADD_S8_H
#define TG_ARM_ELEMENTWISE_ADD_S8_H

#include "tg_cmsis_nn.h"

typedef struct {
    int32_t count;
    int32_t a_offset;
    int32_t a_multiplier; /* to the common scale */
    int32_t a_shift;
    int32_t b_offset;
    int32_t b_multiplier;
    int32_t b_shift;
    int32_t left_shift;
    int32_t offset; /* of the output */
    int32_t multiplier;
    int32_t shift;
    int32_t activation_min;
    int32_t activation_max;
} tg_arm_elementwise_add_s8_params;

TG_INLINE void tg_arm_elementwise_add_s8(const tg_arm_elementwise_add_s8_params *p, const void *const *rows, void *out)
{
    tg_cmsis_nn_check(arm_elementwise_add_s8(rows[0], rows[1], p->a_offset, p->a_multiplier, p->a_shift, p->b_offset,
                                             p->b_multiplier, p->b_shift, p->left_shift, out, p->offset, p->multiplier,
                                             p->shift, p->activation_min, p->activation_max, p->count));
}

#endif
