/* Softmax of the int8 vectors of a row. */
#ifndef TG_ARM_SOFTMAX_S8_H
#define TG_ARM_SOFTMAX_S8_H

#include "tg_cmsis_nn.h"

typedef struct {
    int32_t vectors; /* in a row */
    int32_t depth;   /* elements of a vector */
    int32_t multiplier;
    int32_t shift;
    int32_t least_difference; /* to the maximum; what is further below counts as 0 */
} tg_arm_softmax_s8_params;

TG_INLINE void tg_arm_softmax_s8(const tg_arm_softmax_s8_params *p, const void *const *rows, void *out)
{
    arm_softmax_s8(rows[0], p->vectors, p->depth, p->multiplier, p->shift, p->least_difference, out);
}

#endif
