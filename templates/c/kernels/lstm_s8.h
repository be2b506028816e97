/* LSTM, int8 with an int8 output state and int16 cells, gate by gate as LiteRT's reference kernel: what a gate takes is
 * saturated after the input's sum, and again after that of the output state is added.
 *
 *   gates:   input, forget, cell, output, in this order wherever there are four of something
 *   weights: [cell][depth / 4][4 gates][4 values], depth padded with zero weights to a multiple of four; input_weights
 *            for the input's values, state_weights for the output state's
 *   biases:  [cell][4 gates], the zero points folded in
 *
 * The fast form is chosen at compile time for layers where no sum can reach 2^30 and every shift is to the right.
 */
#ifndef TG_LSTM_S8_H
#define TG_LSTM_S8_H

#include "fully_connected_s8.h"
#include "tg_gate_s16.h"
#include "tg_rescale.h"

typedef struct {
    int32_t times; /* time steps of a call */
    int32_t depth; /* values of a time step */
    int32_t cells;
    int32_t cell_shift; /* fractional bits of a cell, 9 to 15 */
    int32_t cell_clip;  /* the most a cell holds, in magnitude */
    int32_t hidden_multiplier;
    int32_t hidden_shift;
    int32_t hidden_zero_point;
    const int32_t *input_multiplier; /* of the four gates */
    const int32_t *input_shift;
    const int32_t *state_multiplier;
    const int32_t *state_shift;
    const int32_t *input_bias;
    const int32_t *state_bias;
    const int8_t *input_weights;
    const int8_t *state_weights;
} tg_lstm_s8_params;

#define TG_LSTM_GATE_BITS 3 /* integer bits of what a gate takes */

/* Factors from sums to what each gate takes. */
typedef struct {
    const int32_t *multiplier;
    const int32_t *shift;
} tg_lstm_factors;

/* What gate g takes after a sum: requantized, added to what it took before, saturated. */
TG_INLINE int32_t tg_lstm_take(tg_lstm_factors factors, int32_t g, int32_t acc, int32_t before, const int fast)
{
    const int32_t multiplier = factors.multiplier[g], shift = factors.shift[g];
    const int32_t x = fast ? tg_rescale(acc, multiplier, -shift) : tg_requantize_double(acc, multiplier, shift);
    return tg_clamp(x + before, INT16_MIN, INT16_MAX);
}

/* Adds the sums of one cell's gates over a vector to what they take. Returns the next cell's weights. */
TG_INLINE const int8_t *tg_lstm_add(const int8_t *values, int32_t depth, const int8_t *weights, const int32_t *bias,
                                    tg_lstm_factors factors, const int fast, int32_t *gate)
{
    /* No loops over gates, so that sums stay in registers. */
    int32_t acc[4] = {bias[0], bias[1], bias[2], bias[3]};
    weights = tg_fully_connected_dot(values, depth, weights, 4, acc);
    gate[0] = tg_lstm_take(factors, 0, acc[0], gate[0], fast);
    gate[1] = tg_lstm_take(factors, 1, acc[1], gate[1], fast);
    gate[2] = tg_lstm_take(factors, 2, acc[2], gate[2], fast);
    gate[3] = tg_lstm_take(factors, 3, acc[3], gate[3], fast);
    return weights;
}

/* The new value of a cell, and what it gives to the output state. */
TG_INLINE int8_t tg_lstm_cell(const tg_lstm_s8_params *p, const int32_t *gate, int16_t *cell)
{
    const int32_t entering = tg_gate_sigmoid(gate[0], TG_LSTM_GATE_BITS) * tg_gate_tanh(gate[2], TG_LSTM_GATE_BITS);
    const int32_t kept = tg_gate_sigmoid(gate[1], TG_LSTM_GATE_BITS) * *cell;
    int32_t x = tg_gate_shift(kept, 15) + tg_gate_shift(entering, 30 - p->cell_shift);
    x = tg_clamp(tg_clamp(x, INT16_MIN, INT16_MAX), -p->cell_clip, p->cell_clip);
    *cell = (int16_t)x;
    x = tg_gate_sigmoid(gate[3], TG_LSTM_GATE_BITS) * tg_gate_tanh(x, 15 - p->cell_shift);
    x = tg_requantize_double(x, p->hidden_multiplier, p->hidden_shift);
    return (int8_t)tg_clamp(x + p->hidden_zero_point, -128, 127);
}

TG_INLINE void tg_lstm(const tg_lstm_s8_params *p, const void *const *rows, void *out, int8_t *state, int16_t *cells,
                       const int fast)
{
    const int8_t *in = rows[0];
    int8_t *to = out;
    const tg_lstm_factors from_input = {p->input_multiplier, p->input_shift};
    const tg_lstm_factors from_state = {p->state_multiplier, p->state_shift};
    for (int32_t t = 0; t < p->times; t++, in += p->depth, to += p->cells) {
        const int8_t *input_weights = p->input_weights, *state_weights = p->state_weights;
        for (int32_t c = 0; c < p->cells; c++) {
            int32_t gate[4] = {0, 0, 0, 0};
            input_weights = tg_lstm_add(in, p->depth, input_weights, p->input_bias + 4 * c, from_input, fast, gate);
            state_weights = tg_lstm_add(state, p->cells, state_weights, p->state_bias + 4 * c, from_state, fast, gate);
            to[c] = tg_lstm_cell(p, gate, &cells[c]);
        }
        memcpy(state, to, (size_t)p->cells);
    }
}

static TG_NOINLINE void tg_lstm_s8(const tg_lstm_s8_params *p, const void *const *rows, void *out, int8_t *state,
                                   int16_t *cells)
{
    tg_lstm(p, rows, out, state, cells, 0);
}

static TG_NOINLINE void tg_lstm_fast_s8(const tg_lstm_s8_params *p, const void *const *rows, void *out, int8_t *state,
                                        int16_t *cells)
{
    tg_lstm(p, rows, out, state, cells, 1);
}

#endif
