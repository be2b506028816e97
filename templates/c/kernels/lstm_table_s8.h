/* LSTM, int8 with an int8 output state and int16 cells, gate by gate as tflite-micro's reference kernel: sigmoid and
 * tanh come from a table, and every sum and product is saturated before it is added to another.
 */
#ifndef TG_LSTM_TABLE_S8_H
#define TG_LSTM_TABLE_S8_H

#include "lstm_s8.h"
#include "tg_gate_table_s16.h"

typedef struct {
    tg_lstm_s8_params lstm;
    const int16_t *tanh_table;
} tg_lstm_table_s8_params;

/* x * 2^shift to int16, rounded after the first bit and again after the others; shift < -1. */
TG_INLINE int32_t tg_lstm_shift(int32_t x, int32_t shift)
{
    return tg_clamp(tg_requantize_double(x, (int32_t)1 << 30, shift + 1), INT16_MIN, INT16_MAX);
}

/* The new value of a cell, and what it gives to the output state. */
TG_INLINE int8_t tg_lstm_table_cell(const tg_lstm_table_s8_params *params, const int32_t *gate, int16_t *cell)
{
    const tg_lstm_s8_params *p = &params->lstm;
    const int16_t *table = params->tanh_table;
    const int32_t entering =
        tg_gate_table_sigmoid(table, gate[0]) * tg_gate_table_tanh(table, gate[2], TG_LSTM_GATE_BITS);
    const int32_t kept = tg_gate_table_sigmoid(table, gate[1]) * *cell;
    int32_t x = tg_lstm_shift(kept, -15) + tg_lstm_shift(entering, p->cell_shift - 30);
    x = tg_clamp(tg_clamp(x, INT16_MIN, INT16_MAX), -p->cell_clip, p->cell_clip);
    *cell = (int16_t)x;
    x = tg_gate_table_sigmoid(table, gate[3]) * tg_gate_table_tanh(table, x, 15 - p->cell_shift);
    x = tg_requantize_double(x, p->hidden_multiplier, p->hidden_shift);
    return (int8_t)tg_clamp(x + p->hidden_zero_point, -128, 127);
}

static TG_NOINLINE void tg_lstm_table_s8(const tg_lstm_table_s8_params *params, const void *const *rows, void *out,
                                         int8_t *state, int16_t *cells)
{
    const tg_lstm_s8_params *p = &params->lstm;
    const int8_t *in = rows[0];
    int8_t *to = out;
    const tg_lstm_factors from_input = {p->input_multiplier, p->input_shift};
    const tg_lstm_factors from_state = {p->state_multiplier, p->state_shift};
    for (int32_t t = 0; t < p->times; t++, in += p->depth, to += p->cells) {
        const int8_t *input_weights = p->input_weights, *state_weights = p->state_weights;
        for (int32_t c = 0; c < p->cells; c++) {
            int32_t gate[4] = {0, 0, 0, 0}, from[4] = {0, 0, 0, 0};
            input_weights = tg_lstm_add(in, p->depth, input_weights, p->input_bias + 4 * c, from_input, 0, gate);
            state_weights = tg_lstm_add(state, p->cells, state_weights, p->state_bias + 4 * c, from_state, 0, from);
            for (int32_t g = 0; g < 4; g++) {
                gate[g] = tg_clamp(gate[g] + from[g], INT16_MIN, INT16_MAX);
            }
            to[c] = tg_lstm_table_cell(params, gate, &cells[c]);
        }
        memcpy(state, to, (size_t)p->cells);
    }
}

#endif
