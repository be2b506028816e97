/* Where along a dimension the largest or smallest int8 is, the first of equal ones. */
#ifndef TG_ARG_EXTREME_S8_H
#define TG_ARG_EXTREME_S8_H

#include "tg_common.h"

typedef struct {
    int32_t outer; /* results before the dimension */
    int32_t count; /* elements compared */
    int32_t inner; /* results after the dimension, and bytes from one element to the next */
} tg_arg_extreme_s8_params;

TG_INLINE int32_t tg_arg_extreme(const int8_t *in, int32_t count, int32_t stride, const int larger)
{
    int32_t best = *in, found = 0;
    for (int32_t i = 1; i < count; i++) {
        in += stride;
        if (larger ? *in > best : *in < best) {
            best = *in;
            found = i;
        }
    }
    return found;
}

/* A function for each type of the results. */
#define TG_ARG_EXTREME(name, type, larger)                                                                             \
    TG_INLINE void name(const tg_arg_extreme_s8_params *p, const void *const *rows, void *out)                         \
    {                                                                                                                  \
        const int8_t *in = rows[0];                                                                                    \
        type *to = out;                                                                                                \
        for (int32_t i = 0; i < p->outer; i++, in += p->count * p->inner) {                                            \
            for (int32_t k = 0; k < p->inner; k++) {                                                                   \
                *to++ = tg_arg_extreme(in + k, p->count, p->inner, larger);                                            \
            }                                                                                                          \
        }                                                                                                              \
    }

TG_ARG_EXTREME(tg_arg_max_s8_s32, int32_t, 1)
TG_ARG_EXTREME(tg_arg_max_s8_s64, int64_t, 1)
TG_ARG_EXTREME(tg_arg_min_s8_s32, int32_t, 0)
TG_ARG_EXTREME(tg_arg_min_s8_s64, int64_t, 0)

#endif
