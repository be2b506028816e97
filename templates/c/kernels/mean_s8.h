/* Means over any dimensions, int8, rescaled from the input's scale to the output's.
 *
 * The compiler merges neighbouring dimensions that are both kept or both averaged; at most two of each are left, given
 * as a count and a distance in bytes. An averaged dimension that is not there has count 1.
 */
#ifndef TG_MEAN_S8_H
#define TG_MEAN_S8_H

#include "tg_common.h"

typedef struct {
    int32_t steps;        /* rows that are averaged one at a time, 1 where there is one */
    int32_t outer_count;  /* the dimensions that stay */
    int32_t outer_stride; /* in bytes */
    int32_t inner_count;
    int32_t inner_stride;
    int32_t lines;       /* the dimensions that are averaged over */
    int32_t line_stride; /* in bytes */
    int32_t line_count;
    int32_t element_stride;
    int32_t offset;     /* -input zero point * averaged elements */
    int32_t multiplier; /* the division by the number of averaged elements is part of it */
    int32_t shift;
    int32_t zero_point; /* of the output */
} tg_mean_s8_params;

/* The sum of the elements that make one output element. */
TG_INLINE int32_t tg_mean_sum(const tg_mean_s8_params *p, const int8_t *in)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < p->lines; i++, in += p->line_stride) {
        const int8_t *element = in;
        for (int32_t k = p->line_count; k > 0; k--, element += p->element_stride) {
            sum += *element;
        }
    }
    return sum;
}

TG_INLINE int8_t tg_mean_finish(const tg_mean_s8_params *p, int32_t sum)
{
    const int32_t x = tg_requantize_double(sum + p->offset, p->multiplier, p->shift);
    return (int8_t)tg_clamp(x + p->zero_point, -128, 127);
}

/* All that an output element needs is in the row. */
static TG_NOINLINE void tg_mean_s8(const tg_mean_s8_params *p, const void *const *rows, void *out)
{
    const int8_t *in = rows[0];
    int8_t *to = out;
    for (int32_t i = 0; i < p->outer_count; i++) {
        for (int32_t k = 0; k < p->inner_count; k++) {
            *to++ = tg_mean_finish(p, tg_mean_sum(p, in + i * p->outer_stride + k * p->inner_stride));
        }
    }
}

/* Rows are averaged over too: step y adds row y to the sums in acc, the last step rescales. */
static TG_NOINLINE void tg_mean_rows_s8(const tg_mean_s8_params *p, int32_t y, const void *const *rows, void *out,
                                        int32_t *acc)
{
    const int8_t *in = rows[0];
    const int32_t count = p->outer_count * p->inner_count;
    if (y == 0) {
        memset(acc, 0, (size_t)count * sizeof *acc);
    }
    int32_t *sum = acc;
    for (int32_t i = 0; i < p->outer_count; i++) {
        for (int32_t k = 0; k < p->inner_count; k++) {
            *sum++ += tg_mean_sum(p, in + i * p->outer_stride + k * p->inner_stride);
        }
    }
    if (y == p->steps - 1) {
        int8_t *to = out;
        for (int32_t i = 0; i < count; i++) {
            to[i] = tg_mean_finish(p, acc[i]);
        }
    }
}

#endif
