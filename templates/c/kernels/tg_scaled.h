/* From accumulators times 256 to int8 outputs, in three instructions of a Cortex-M4.
 *
 * Two roundings and the zero point are one addend before the shift, chosen at compile time:
 *
 *   floor((acc * m + 2^30) / 2^31), then floor((that + 2^(s - 1)) / 2^s) + zero point
 *     = floor((floor(256 * acc * m / 2^32) + 2^6 + 2^(6 + s) + zero point * 2^(7 + s)) / 2^(7 + s))
 *
 * A negative first result is rounded with one less, ties being away from zero. Where the zero point is -128 that makes
 * no difference, as what is negative saturates there anyway; such layers are called rectified, the others linear.
 */
#ifndef TG_SCALED_H
#define TG_SCALED_H

#include "tg_dsp.h"

/* The constants of a channel; in flash they are four words in this order. */
typedef struct {
    int32_t bias;  /* times 256, the input zero point folded in */
    int32_t shift; /* to the right */
    int32_t multiplier;
    int32_t rounding; /* the addend, for linear layers too */
} tg_scaled_channel;

enum { TG_RECTIFIED, TG_LINEAR };

TG_INLINE tg_scaled_channel tg_scaled(const int32_t *channels)
{
    const tg_scaled_channel channel = {channels[0], channels[1], channels[2], channels[3]};
    return channel;
}

TG_INLINE int8_t tg_scaled_s8(tg_scaled_channel channel, int32_t acc, const int linear)
{
    const int32_t rounding = linear ? channel.rounding + (acc >> 31) * 128 : channel.rounding;
    return tg_nearest_int8(tg_mac_high_word(acc, channel.multiplier, rounding) >> channel.shift);
}

#if TG_DSP

/* The same in assembly: an accumulator to its output, with multiplier in r12 and rounding in lr; the shift follows. */
#define TG_ASM_RECTIFIED(acc, free) "smmla " acc ", " acc ", r12, lr\n"
#define TG_ASM_LINEAR(acc, free)                                                                                       \
    "asr " free ", " acc ", #31\n"                                                                                     \
    "add " free ", lr, " free ", lsl #7\n"                                                                             \
    "smmla " acc ", " acc ", r12, " free "\n"

#endif

#endif
