/* Convolution of an int8 tensor, or of one row of it where the window is a single pixel. */
#ifndef TG_ARM_CONVOLVE_WRAPPER_S8_H
#define TG_ARM_CONVOLVE_WRAPPER_S8_H

#include "tg_cmsis_nn.h"

typedef struct {
    cmsis_nn_conv_params conv;
    cmsis_nn_dims input;
    cmsis_nn_dims filter; /* n: output channels */
    cmsis_nn_dims output;
    const int32_t *multiplier; /* per output channel */
    const int32_t *shift;
    const int8_t *weights; /* [output channel][y][x][input channel] */
    const int32_t *bias;   /* may be NULL */
    int32_t scratch_bytes;
} tg_arm_convolve_wrapper_s8_params;

/* What the library asks for. */
TG_INLINE int32_t tg_arm_convolve_wrapper_s8_scratch(const tg_arm_convolve_wrapper_s8_params *p)
{
    return arm_convolve_wrapper_s8_get_buffer_size(&p->conv, &p->input, &p->filter, &p->output);
}

TG_INLINE void tg_arm_convolve_wrapper_s8(const tg_arm_convolve_wrapper_s8_params *p, const void *const *rows,
                                          void *out, void *scratch)
{
    const cmsis_nn_context context = {scratch, p->scratch_bytes};
    const cmsis_nn_per_channel_quant_params quant = {(int32_t *)p->multiplier, (int32_t *)p->shift};
    const cmsis_nn_dims bias = {1, 1, 1, p->filter.n};
    tg_cmsis_nn_check(arm_convolve_wrapper_s8(&context, &p->conv, &quant, &p->input, rows[0], &p->filter, p->weights,
                                              &bias, p->bias, &p->output, out));
}

#endif
