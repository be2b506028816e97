/* What all calls of CMSIS-NN share. */
#ifndef TG_CMSIS_NN_H
#define TG_CMSIS_NN_H

#include "arm_nnfunctions.h"
#include "tg_common.h"

/* Not ARM_CMSIS_NN_SUCCESS, which is 0, after a call that failed. */
static int tg_cmsis_nn_status;

TG_INLINE void tg_cmsis_nn_check(arm_cmsis_nn_status status)
{
    if (status != ARM_CMSIS_NN_SUCCESS) {
        tg_cmsis_nn_status = status;
    }
}

#endif
