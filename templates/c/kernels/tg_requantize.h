/* From an int32 accumulator to an int8 output: bias, multiplier, shift, zero point, activation range, per channel.
 *
 * Kernels come in two forms. The general one takes any multiplier. The fast one is chosen at compile time for layers
 * where every shift is to the right by 1 to 31, no accumulator can reach 2^30, and the activation range is all of
 * int8; then two roundings take five instructions on a Cortex-M4.
 */
#ifndef TG_REQUANTIZE_H
#define TG_REQUANTIZE_H

#include "tg_common.h"
#if TG_DSP
#include "tg_dsp.h"
#endif

typedef struct {
    int32_t channels;
    int32_t zero_point;
    int32_t activation_min;
    int32_t activation_max;
    const int32_t *bias;       /* the input zero point folded in */
    const int32_t *multiplier; /* real factor = multiplier * 2^(shift - 31) */
    const int8_t *shift;       /* positive: to the left */
} tg_requantize_s8_params;

/* The constants of one channel, in registers. */
typedef struct {
    int32_t multiplier;
    int32_t shift; /* in the fast form to the right */
    int32_t half;  /* in the fast form 2^(shift - 1) */
    int32_t zero_point;
} tg_channel_s8;

TG_INLINE tg_channel_s8 tg_channel(const tg_requantize_s8_params *p, int32_t c, const int fast)
{
    tg_channel_s8 channel = {p->multiplier[c], p->shift[c], 0, p->zero_point};
    if (fast) {
        channel.shift = -channel.shift;
        channel.half = (int32_t)1 << (channel.shift - 1);
    }
    return channel;
}

TG_INLINE int8_t tg_requantize_s8(const tg_requantize_s8_params *p, tg_channel_s8 channel, int32_t acc, const int fast)
{
    if (!fast) {
        const int32_t x = tg_requantize_double(acc, channel.multiplier, channel.shift) + channel.zero_point;
        return (int8_t)tg_clamp(x, p->activation_min, p->activation_max);
    }
#if TG_DSP
    const int32_t x = tg_high_word(acc * 2, channel.multiplier);
    return tg_nearest_int8(((x + (x >> 31) + channel.half) >> channel.shift) + channel.zero_point);
#else
    const int32_t x = tg_high_multiply(acc, channel.multiplier);
    return (int8_t)tg_clamp(((x + (x >> 31) + channel.half) >> channel.shift) + channel.zero_point, -128, 127);
#endif
}

#endif
