/* int8 vectors times a matrix of weights, which have a scale for each output channel. */
#ifndef TG_ARM_FULLY_CONNECTED_PER_CHANNEL_S8_H
#define TG_ARM_FULLY_CONNECTED_PER_CHANNEL_S8_H

#include "tg_weight_sums.h"

typedef struct {
    cmsis_nn_fc_params fc;
    cmsis_nn_dims input;  /* n: vectors */
    cmsis_nn_dims filter; /* n: elements of a vector, c: output channels */
    cmsis_nn_dims output;
    const int32_t *multiplier; /* per output channel */
    const int32_t *shift;
    const int8_t *weights;      /* [output channel][element] */
    const int32_t *bias;        /* may be NULL */
    const int32_t *weight_sums; /* with MVE: bias + input offset * sum of the weights, per output channel */
} tg_arm_fully_connected_per_channel_s8_params;

TG_INLINE void tg_arm_fully_connected_per_channel_s8(const tg_arm_fully_connected_per_channel_s8_params *p,
                                                     const void *const *rows, void *out)
{
    const cmsis_nn_context context = {(void *)p->weight_sums, 4 * p->filter.c};
    const cmsis_nn_per_channel_quant_params quant = {(int32_t *)p->multiplier, (int32_t *)p->shift};
    const cmsis_nn_dims bias = {1, 1, 1, p->filter.c};
    tg_cmsis_nn_check(arm_fully_connected_per_channel_s8(&context, &p->fc, &quant, &p->input, rows[0], &p->filter,
                                                         p->weights, &bias, p->bias, &p->output, out));
}

#endif
