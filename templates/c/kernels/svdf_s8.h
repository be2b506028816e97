/* SVDF, int8 with int16 state: each filter turns the input into a number, remembers the last `memory` of them, and
 * weighs these; an output is the sum of `rank` filters. Source: Nakkiran et al. 2015, "Compressing Deep Neural
 * Networks using a Rank-Constrained Topology".
 *
 *   state:           [filters][memory], the newest number last; what is older than that is forgotten
 *   feature_weights: as in fully_connected_s8.h, the input zero point folded into feature_bias
 *   time_weights:    [filters][memory]
 *
 * Sums of weighted numbers wrap around in 32 bits, as LiteRT's do.
 */
#ifndef TG_SVDF_S8_H
#define TG_SVDF_S8_H

#include "fully_connected_s8.h"

typedef struct {
    int32_t depth;   /* values of the input */
    int32_t filters; /* a multiple of rank */
    int32_t rank;
    int32_t memory;
    int32_t feature_multiplier;
    int32_t feature_shift;
    int32_t output_multiplier;
    int32_t output_shift;
    int32_t output_zero_point;
    const int32_t *feature_bias;
    const int8_t *feature_weights;
    const int16_t *time_weights;
    const int32_t *bias; /* of each output */
} tg_svdf_s8_params;

/* Forgets a filter's oldest number, remembers the newest, and weighs all of them. */
TG_INLINE uint32_t tg_svdf_remember(int16_t *state, const int16_t *weights, int32_t memory, int32_t newest)
{
    uint32_t sum = 0;
#if TG_DSP
    if (memory % 2 == 0) {
        /* Pairs of numbers as words, the older in the lower half. */
        uint32_t pair = tg_load_aligned(state);
        for (int32_t k = 0; k < memory; k += 2) {
            const uint32_t next = k + 2 < memory ? tg_load_aligned(state + k + 2) : (uint32_t)newest;
            const uint32_t moved = pair >> 16 | next << 16;
            memcpy(state + k, &moved, sizeof moved);
            sum = (uint32_t)tg_mac_pair(moved, tg_load_aligned(weights + k), (int32_t)sum);
            pair = next;
        }
        return sum;
    }
#endif
    for (int32_t k = 0; k + 1 < memory; k++) {
        state[k] = state[k + 1];
        sum += (uint32_t)(state[k] * weights[k]);
    }
    state[memory - 1] = (int16_t)newest;
    return sum + (uint32_t)(newest * weights[memory - 1]);
}

/* The number of filter f. */
TG_INLINE int32_t tg_svdf_feature(const tg_svdf_s8_params *p, int32_t acc)
{
    return tg_clamp(tg_requantize_double(acc, p->feature_multiplier, p->feature_shift), INT16_MIN, INT16_MAX);
}

TG_INLINE int8_t tg_svdf_output(const tg_svdf_s8_params *p, uint32_t sum)
{
    const int32_t x = tg_requantize_double((int32_t)sum, p->output_multiplier, p->output_shift);
    return (int8_t)(tg_clamp(x, -128 - p->output_zero_point, 127 - p->output_zero_point) + p->output_zero_point);
}

static TG_NOINLINE void tg_svdf_s8(const tg_svdf_s8_params *p, const void *const *rows, void *out, int16_t *state)
{
    const int8_t *weights = p->feature_weights;
    int8_t *to = out;
    uint32_t sum = 0;
    int32_t added = 0;
    for (int32_t f = 0; f < p->filters;) {
        const int32_t count = p->filters - f < 4 ? 1 : 4;
        int32_t acc[4] = {p->feature_bias[f], 0, 0, 0};
        if (count == 4) {
            acc[1] = p->feature_bias[f + 1];
            acc[2] = p->feature_bias[f + 2];
            acc[3] = p->feature_bias[f + 3];
            weights = tg_fully_connected_dot(rows[0], p->depth, weights, 4, acc);
        } else {
            weights = tg_fully_connected_dot(rows[0], p->depth, weights, 1, acc);
        }
        for (int32_t i = 0; i < count; i++, f++) {
            const int32_t at = f * p->memory;
            sum += tg_svdf_remember(state + at, p->time_weights + at, p->memory, tg_svdf_feature(p, acc[i]));
            if (++added == p->rank) {
                *to = tg_svdf_output(p, sum + (uint32_t)p->bias[to - (int8_t *)out]);
                to++;
                sum = 0;
                added = 0;
            }
        }
    }
}

#endif
