/* TFLite's double rounding for values that are known to be small, as those of element-wise operators are. */
#ifndef TG_RESCALE_H
#define TG_RESCALE_H

#include "tg_common.h"
#if TG_DSP
#include "tg_dsp.h"
#endif

/* x * multiplier * 2^(-31 - right), rounded after the multiplication and again after the shift; |x| <= 2^30 - 1,
 * 0 <= right <= 31. */
TG_INLINE int32_t tg_rescale(int32_t x, int32_t multiplier, int32_t right)
{
#if TG_DSP
    const int32_t y = tg_high_word(x * 2, multiplier);
#else
    const int32_t y = tg_high_multiply(x, multiplier);
#endif
    if (right == 0) {
        return y;
    }
    /* Adding the sign before rounding half up makes it half away from zero. */
    return (y + (y >> 31) + (int32_t)((uint32_t)1 << (right - 1))) >> right;
}

/* tg_clamp for int8 outputs: one instruction where the range is all of int8, which is known when layers are compiled.
 */
TG_INLINE int8_t tg_saturate(int32_t x, int32_t lo, int32_t hi)
{
#if TG_DSP
    if (lo == -128 && hi == 127) {
        return tg_nearest_int8(x);
    }
#endif
    return (int8_t)tg_clamp(x, lo, hi);
}

#endif
