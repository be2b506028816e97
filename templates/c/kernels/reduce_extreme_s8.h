/* The largest or the smallest element over any dimensions, int8, with the loops of mean_s8.h. */
#ifndef TG_REDUCE_EXTREME_S8_H
#define TG_REDUCE_EXTREME_S8_H

#include "tg_common.h"

typedef struct {
    int32_t steps;        /* rows that are reduced one at a time, 1 where there is one */
    int32_t outer_count;  /* the dimensions that stay */
    int32_t outer_stride; /* in bytes */
    int32_t inner_count;
    int32_t inner_stride;
    int32_t lines;       /* the dimensions that are reduced */
    int32_t line_stride; /* in bytes */
    int32_t line_count;
    int32_t element_stride;
} tg_reduce_extreme_s8_params;

/* The extreme of the elements that make one output element, and of `found`. */
TG_INLINE int8_t tg_reduce_extreme(const tg_reduce_extreme_s8_params *p, const int8_t *in, int8_t found,
                                   const int larger)
{
    int32_t best = found;
    for (int32_t i = 0; i < p->lines; i++, in += p->line_stride) {
        const int8_t *element = in;
        for (int32_t k = p->line_count; k > 0; k--, element += p->element_stride) {
            if ((*element > best) == larger) {
                best = *element;
            }
        }
    }
    return (int8_t)best;
}

/* Step y of the rows that are reduced: extremes of the rows so far are in `held`, which may be the output. */
TG_INLINE void tg_reduce_extreme_row(const tg_reduce_extreme_s8_params *p, int32_t y, const void *const *rows,
                                     int8_t *held, const int larger)
{
    const int8_t *in = rows[0];
    for (int32_t i = 0; i < p->outer_count; i++) {
        for (int32_t k = 0; k < p->inner_count; k++, held++) {
            const int8_t *const first = in + i * p->outer_stride + k * p->inner_stride;
            *held = tg_reduce_extreme(p, first, y == 0 ? *first : *held, larger);
        }
    }
}

/* All that an output element needs is in the row. */
static TG_NOINLINE void tg_reduce_max_s8(const tg_reduce_extreme_s8_params *p, const void *const *rows, void *out)
{
    tg_reduce_extreme_row(p, 0, rows, out, 1);
}

static TG_NOINLINE void tg_reduce_min_s8(const tg_reduce_extreme_s8_params *p, const void *const *rows, void *out)
{
    tg_reduce_extreme_row(p, 0, rows, out, 0);
}

/* Rows are reduced too: a byte for each result in acc, which the last step writes. */
TG_INLINE void tg_reduce_extreme_rows(const tg_reduce_extreme_s8_params *p, int32_t y, const void *const *rows,
                                      void *out, void *acc, const int larger)
{
    tg_reduce_extreme_row(p, y, rows, acc, larger);
    if (y == p->steps - 1) {
        memcpy(out, acc, (size_t)(p->outer_count * p->inner_count));
    }
}

static TG_NOINLINE void tg_reduce_max_rows_s8(const tg_reduce_extreme_s8_params *p, int32_t y, const void *const *rows,
                                              void *out, int32_t *acc)
{
    tg_reduce_extreme_rows(p, y, rows, out, acc, 1);
}

static TG_NOINLINE void tg_reduce_min_rows_s8(const tg_reduce_extreme_s8_params *p, int32_t y, const void *const *rows,
                                              void *out, int32_t *acc)
{
    tg_reduce_extreme_rows(p, y, rows, out, acc, 0);
}

#endif
