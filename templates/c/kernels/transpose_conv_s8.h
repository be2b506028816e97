/* Transposed 2-D convolution, int8: one output row at a time.
 *
 * Outputs whose index has the same remainder by the stride see the input through the same taps, in order: they are an
 * ordinary convolution of stride 1. A row of a stride of two is two of them, side by side:
 *
 *   input    a   b   c          weights  u v w
 *   output   au  av  aw+bu  bv  bw+cu  cv  cw       even: b u + a w, odd: b v
 *
 * So no output is written twice and no accumulators lie in memory.
 */
#ifndef TG_TRANSPOSE_CONV_S8_H
#define TG_TRANSPOSE_CONV_S8_H

#include "conv_2d_apart_s8.h"

/* Of a remainder of rows and one of columns. */
typedef struct {
    int32_t first_row; /* among the rows of a step */
    int32_t kernel_height;
    int32_t first_column; /* of the output */
    int32_t columns;
    int32_t pad_left;
    int32_t runs_per_row;
    int32_t run_bytes;
    int32_t depth;
    int32_t weights; /* bytes before its weights */
} tg_transpose_conv_phase;

#define TG_TRANSPOSE_CONV_PHASE ((int32_t)(sizeof(tg_transpose_conv_phase) / sizeof(int32_t)))

typedef struct {
    int32_t row_phases;    /* the stride */
    int32_t column_phases; /* the stride */
    const int32_t *phases; /* [row phases][column phases] tg_transpose_conv_phase */
    int32_t input_width;   /* pixels of an input row */
    int32_t input_pitch;   /* bytes from one input pixel to the next */
    int32_t output_pitch;  /* bytes from one output pixel to the next */
    int32_t panel_pixels;  /* pixels side by side in the panel: 1, 2 or 3 */
    int32_t input_zero_point;
    int32_t channels; /* of the output */
    int32_t zero_point;
    int32_t activation_min;
    int32_t activation_max;
    const int32_t *bias; /* [row phases][column phases][channels], the input zero point folded in */
    const int32_t *multiplier;
    const int8_t *shift;
    const int8_t *weights; /* of each phase, as in conv_2d_s8.h */
} tg_transpose_conv_s8_params;

/* The convolution that makes the outputs of a phase. */
TG_INLINE tg_conv_2d_s8_params tg_transpose_conv_of(const tg_transpose_conv_s8_params *p, int32_t number)
{
    tg_transpose_conv_phase phase;
    memcpy(&phase, p->phases + number * TG_TRANSPOSE_CONV_PHASE, sizeof phase);
    const tg_conv_2d_s8_params conv = {
        .input_width = p->input_width,
        .input_pitch = p->input_pitch,
        .output_width = phase.columns,
        .output_pitch = p->output_pitch * p->column_phases,
        .kernel_height = phase.kernel_height,
        .runs_per_row = phase.runs_per_row,
        .run_bytes = phase.run_bytes,
        .stride = 1,
        .dilation = 1,
        .pad_left = phase.pad_left,
        .depth = phase.depth,
        .panel_pixels = p->panel_pixels,
        .input_zero_point = p->input_zero_point,
        .requantize =
            {
                .channels = p->channels,
                .zero_point = p->zero_point,
                .activation_min = p->activation_min,
                .activation_max = p->activation_max,
                .bias = p->bias + number * p->channels,
                .multiplier = p->multiplier + number * p->channels,
                .shift = p->shift + number * p->channels,
            },
        .weights = p->weights + phase.weights,
    };
    return conv;
}

TG_INLINE void tg_transpose_conv_row(const tg_transpose_conv_s8_params *p, int32_t y, const void *const *rows,
                                     void *out, void *scratch, const int fast)
{
    for (int32_t i = 0; i < p->column_phases; i++) {
        const int32_t number = y % p->row_phases * p->column_phases + i;
        const tg_conv_2d_s8_params conv = tg_transpose_conv_of(p, number);
        const void *const *const window = rows + p->phases[number * TG_TRANSPOSE_CONV_PHASE];
        int8_t *const to = (int8_t *)out + i * p->output_pitch;
        if (fast) {
            tg_conv_2d_apart_fast_s8(&conv, window, to, scratch);
        } else {
            tg_conv_2d_apart_s8(&conv, window, to, scratch);
        }
    }
}

/* Any requantization and any activation range. */
static TG_NOINLINE void tg_transpose_conv_s8(const tg_transpose_conv_s8_params *p, int32_t y, const void *const *rows,
                                             void *out, void *scratch)
{
    tg_transpose_conv_row(p, y, rows, out, scratch, 0);
}

/* The common case tg_requantize.h describes. */
static TG_NOINLINE void tg_transpose_conv_fast_s8(const tg_transpose_conv_s8_params *p, int32_t y,
                                                  const void *const *rows, void *out, void *scratch)
{
    tg_transpose_conv_row(p, y, rows, out, scratch, 1);
}

#endif
