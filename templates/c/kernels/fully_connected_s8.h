/* Fully connected, int8: vectors of `depth` values times all filters, four at a time.
 *
 *   weights: [filter / 4][depth / 4][4 filters][4 values], then what is left one by one: [filter][depth / 4][4 values];
 *            depth padded with zero weights to a multiple of four
 */
#ifndef TG_FULLY_CONNECTED_S8_H
#define TG_FULLY_CONNECTED_S8_H

#include "tg_common.h"
#if TG_DSP
#include "tg_dsp.h"
#endif

typedef struct {
    int32_t vectors; /* in a step */
    int32_t depth;   /* values of an input vector */
    int32_t channels;
    int32_t zero_point;
    int32_t activation_min;
    int32_t activation_max;
    const int32_t *bias; /* the input zero point folded in */
    const int32_t *multiplier;
    const int8_t *shift;
    const int8_t *weights;
} tg_fully_connected_s8_params;

/* The last one to three values of a vector as a word; what follows them meets zero weights, but may not be read. */
TG_INLINE uint32_t tg_fully_connected_tail(const int8_t *in, int32_t count)
{
    uint32_t word = 0;
    for (int32_t i = 0; i < count; i++) {
        word |= (uint32_t)(uint8_t)in[i] << (8 * i);
    }
    return word;
}

/* acc[f] += four values times the weights of filter f, for `filters` filters. */
TG_INLINE void tg_fully_connected_step(uint32_t values, const int8_t *weights, const int filters, int32_t *acc)
{
#if TG_DSP
    const uint32_t even = tg_even_bytes(values), odd = tg_odd_bytes(values);
    uint32_t w = tg_load_aligned(weights);
    acc[0] = tg_mac_pair(odd, tg_odd_bytes(w), tg_mac_pair(even, tg_even_bytes(w), acc[0]));
    if (filters == 4) {
        w = tg_load_aligned(weights + 4);
        acc[1] = tg_mac_pair(odd, tg_odd_bytes(w), tg_mac_pair(even, tg_even_bytes(w), acc[1]));
        w = tg_load_aligned(weights + 8);
        acc[2] = tg_mac_pair(odd, tg_odd_bytes(w), tg_mac_pair(even, tg_even_bytes(w), acc[2]));
        w = tg_load_aligned(weights + 12);
        acc[3] = tg_mac_pair(odd, tg_odd_bytes(w), tg_mac_pair(even, tg_even_bytes(w), acc[3]));
    }
#else
    acc[0] = tg_dot_4(values, tg_load_aligned(weights), acc[0]);
    if (filters == 4) {
        acc[1] = tg_dot_4(values, tg_load_aligned(weights + 4), acc[1]);
        acc[2] = tg_dot_4(values, tg_load_aligned(weights + 8), acc[2]);
        acc[3] = tg_dot_4(values, tg_load_aligned(weights + 12), acc[3]);
    }
#endif
}

TG_INLINE const int8_t *tg_fully_connected_dot(const int8_t *in, int32_t depth, const int8_t *weights,
                                               const int filters, int32_t *acc)
{
    for (; depth >= 4; depth -= 4, in += 4, weights += 4 * filters) {
        tg_fully_connected_step(tg_load_word(in), weights, filters, acc);
    }
    if (depth > 0) {
        tg_fully_connected_step(tg_fully_connected_tail(in, depth), weights, filters, acc);
        weights += 4 * filters;
    }
    return weights;
}

TG_INLINE int8_t tg_fully_connected_output(const tg_fully_connected_s8_params *p, int32_t c, int32_t acc,
                                           const int double_rounding)
{
    const int32_t multiplier = p->multiplier[c], shift = p->shift[c];
    const int32_t x =
        double_rounding ? tg_requantize_double(acc, multiplier, shift) : tg_requantize_single(acc, multiplier, shift);
    return (int8_t)tg_clamp(x + p->zero_point, p->activation_min, p->activation_max);
}

TG_INLINE void tg_fully_connected(const tg_fully_connected_s8_params *p, const int8_t *in, int8_t *out,
                                  const int double_rounding)
{
    for (int32_t v = 0; v < p->vectors; v++, in += p->depth, out += p->channels) {
        const int8_t *weights = p->weights;
        int32_t c = 0;
        for (; c + 4 <= p->channels; c += 4) {
            int32_t acc[4] = {p->bias[c], p->bias[c + 1], p->bias[c + 2], p->bias[c + 3]};
            weights = tg_fully_connected_dot(in, p->depth, weights, 4, acc);
            for (int32_t f = 0; f < 4; f++) {
                out[c + f] = tg_fully_connected_output(p, c + f, acc[f], double_rounding);
            }
        }
        for (; c < p->channels; c++) {
            int32_t acc = p->bias[c];
            weights = tg_fully_connected_dot(in, p->depth, weights, 1, &acc);
            out[c] = tg_fully_connected_output(p, c, acc, double_rounding);
        }
    }
}

/* One rounding, as LiteRT has it. */
static TG_NOINLINE void tg_fully_connected_s8(const tg_fully_connected_s8_params *p, const void *const *rows, void *out)
{
    tg_fully_connected(p, rows[0], out, 0);
}

/* Two roundings, as TFLM and CMSIS-NN have it. */
static TG_NOINLINE void tg_fully_connected_double_s8(const tg_fully_connected_s8_params *p, const void *const *rows,
                                                     void *out)
{
    tg_fully_connected(p, rows[0], out, 1);
}

#endif
