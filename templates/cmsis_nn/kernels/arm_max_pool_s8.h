/* Maxima of windows of an int8 tensor, channel by channel. */
#ifndef TG_ARM_MAX_POOL_S8_H
#define TG_ARM_MAX_POOL_S8_H

#include "tg_cmsis_nn.h"

typedef struct {
    cmsis_nn_pool_params pool;
    cmsis_nn_dims input;
    cmsis_nn_dims filter;
    cmsis_nn_dims output;
    int32_t scratch_bytes;
} tg_arm_max_pool_s8_params;

TG_INLINE void tg_arm_max_pool_s8(const tg_arm_max_pool_s8_params *p, const void *const *rows, void *out, void *scratch)
{
    const cmsis_nn_context context = {scratch, p->scratch_bytes};
    tg_cmsis_nn_check(arm_max_pool_s8(&context, &p->pool, &p->input, rows[0], &p->filter, &p->output, out));
}

#endif
