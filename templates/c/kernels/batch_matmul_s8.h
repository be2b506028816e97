/* Products of int8 matrices; a transposed one is read with its strides exchanged. */
#ifndef TG_BATCH_MATMUL_S8_H
#define TG_BATCH_MATMUL_S8_H

#include "tg_common.h"

typedef struct {
    int32_t batches;    /* pairs of matrices */
    int32_t left_batch; /* from one matrix to the next, 0 where all pairs have the same */
    int32_t right_batch;
    int32_t rows; /* of a product */
    int32_t columns;
    int32_t depth;
    int32_t left_row;     /* from one row to the next */
    int32_t left_step;    /* along a row */
    int32_t right_column; /* from one column to the next */
    int32_t right_step;   /* along a column */
    int32_t left_zero_point;
    int32_t right_zero_point;
    int32_t multiplier;
    int32_t shift;
    int32_t zero_point; /* of the output */
} tg_batch_matmul_s8_params;

TG_INLINE int8_t tg_batch_matmul_element(const tg_batch_matmul_s8_params *p, const int8_t *left, const int8_t *right)
{
    int32_t sum = 0;
    for (int32_t k = p->depth; k > 0; k--, left += p->left_step, right += p->right_step) {
        sum += (*left - p->left_zero_point) * (*right - p->right_zero_point);
    }
    const int32_t x = tg_requantize_double(sum, p->multiplier, p->shift) + p->zero_point;
    return (int8_t)tg_clamp(x, -128, 127);
}

static TG_NOINLINE void tg_batch_matmul_s8(const tg_batch_matmul_s8_params *p, const void *const *rows, void *out)
{
    const int8_t *left = rows[0], *right = rows[1];
    int8_t *to = out;
    for (int32_t i = 0; i < p->batches; i++, left += p->left_batch, right += p->right_batch) {
        for (int32_t y = 0; y < p->rows; y++) {
            for (int32_t x = 0; x < p->columns; x++) {
                *to++ = tg_batch_matmul_element(p, left + y * p->left_row, right + x * p->right_column);
            }
        }
    }
}

#endif
