/* Checks that CMSIS-NN wants the sums of the weights as they are prepared here. */
#ifndef TG_WEIGHT_SUMS_H
#define TG_WEIGHT_SUMS_H

#include "tg_cmsis_nn.h"

#if defined(ARM_MATH_MVEI)
/* Since version 7.0.0 the sums include the bias and the input offset. That is when arm_vector_sum_s8 got seven
 * parameters: an error here says that the version is older. Nothing is called. */
typedef char tg_cmsis_nn_7_is_needed[sizeof(arm_vector_sum_s8(NULL, 0, 0, NULL, 0, 0, NULL)) > 0 ? 1 : -1];
#endif

#endif
