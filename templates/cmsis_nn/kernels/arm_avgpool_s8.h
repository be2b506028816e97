/* Means of windows of an int8 tensor, channel by channel. */
#ifndef TG_ARM_AVGPOOL_S8_H
#define TG_ARM_AVGPOOL_S8_H

#include "tg_cmsis_nn.h"

typedef struct {
    cmsis_nn_pool_params pool;
    cmsis_nn_dims input;
    cmsis_nn_dims filter;
    cmsis_nn_dims output;
    int32_t scratch_bytes;
} tg_arm_avgpool_s8_params;

/* What the library asks for. */
TG_INLINE int32_t tg_arm_avgpool_s8_scratch(const tg_arm_avgpool_s8_params *p)
{
    return arm_avgpool_s8_get_buffer_size(p->output.w, p->input.c);
}

TG_INLINE void tg_arm_avgpool_s8(const tg_arm_avgpool_s8_params *p, const void *const *rows, void *out, void *scratch)
{
    const cmsis_nn_context context = {scratch, p->scratch_bytes};
    tg_cmsis_nn_check(arm_avgpool_s8(&context, &p->pool, &p->input, rows[0], &p->filter, &p->output, out));
}

#endif
