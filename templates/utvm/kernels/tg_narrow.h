/* From the sums of functions lowered by TVM to int8, in TFLite's rounding; exact on every core. */
#ifndef TG_NARROW_H
#define TG_NARROW_H

#include "tg_common.h"
#if TG_DSP
#include "tg_dsp.h"
#endif

/* Compilers that move a tile's products, or its outputs, past each other run out of registers. */
#define TG_IN_ORDER __asm volatile("")

/* Rounds twice; factors are multiplier * 2^(shift - 31). */
TG_INLINE int8_t tg_narrow_double(int32_t acc, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t lo,
                                  int32_t hi)
{
    return (int8_t)tg_clamp(tg_requantize_double(acc, multiplier, shift) + zero_point, lo, hi);
}

/* Rounds once; factors are multiplier * 2^(shift - 31). */
TG_INLINE int8_t tg_narrow_single(int32_t acc, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t lo,
                                  int32_t hi)
{
    return (int8_t)tg_clamp(tg_requantize_single(acc, multiplier, shift) + zero_point, lo, hi);
}

#if TG_DSP

/* acc + round(a * b / 2^32), ties towards plus infinity. */
TG_INLINE int32_t tg_mac_high_nearest(int32_t a, int32_t b, int32_t acc)
{
    int32_t sum;
    __asm("smmlar %0, %1, %2, %3" : "=r"(sum) : "r"(a), "r"(b), "r"(acc));
    return sum;
}

/* The int8 that is nearest to floor(x / 2). */
TG_INLINE int8_t tg_nearest_int8_of_half(int32_t x)
{
    int32_t nearest;
    __asm("ssat %0, #8, %1, asr #1" : "=r"(nearest) : "r"(x));
    return (int8_t)nearest;
}

#endif

/* Where every shift is to the right by `right` and at most 22 more, and all of int8 is the range, the zero point is
 * added before the shift, together with the half that rounds.
 */
TG_INLINE int32_t tg_narrow_offset(int32_t right, int32_t zero_point)
{
    return (int32_t)((uint32_t)(2 * zero_point + 1) << right);
}

/* Rounds once; factors are multiplier * 2^(-33 - right). */
TG_INLINE int8_t tg_narrow_once(int32_t acc, int32_t multiplier, int32_t right, int32_t zero_point)
{
    const int32_t offset = tg_narrow_offset(right, zero_point);
#if TG_DSP
    const int8_t result = tg_nearest_int8_of_half(tg_mac_high_word(acc, multiplier, offset) >> right);
    TG_IN_ORDER;
    return result;
#else
    const int32_t x = (int32_t)(((int64_t)acc * multiplier) >> 32);
    return (int8_t)tg_clamp((x + offset) >> (right + 1), -128, 127);
#endif
}

/* Rounds twice; factors are multiplier * 2^(-32 - right), and no acc reaches 2^30. */
TG_INLINE int8_t tg_narrow_fast(int32_t acc, int32_t multiplier, int32_t right, int32_t zero_point)
{
    const int32_t offset = tg_narrow_offset(right, zero_point);
#if TG_DSP
    const int32_t x = tg_high_word(acc * 2, multiplier);
    const int8_t result = tg_nearest_int8_of_half((x + (x >> 31) + offset) >> right);
    TG_IN_ORDER;
    return result;
#else
    const int32_t x = tg_high_multiply(acc, multiplier);
    return (int8_t)tg_clamp((x + (x >> 31) + offset) >> (right + 1), -128, 127);
#endif
}

/* The same where the zero point is -128: how negative numbers round makes no difference. */
TG_INLINE int8_t tg_narrow_positive(int32_t acc, int32_t multiplier, int32_t right, int32_t zero_point)
{
    const int32_t offset = tg_narrow_offset(right, zero_point);
#if TG_DSP
    const int8_t result = tg_nearest_int8_of_half(tg_mac_high_nearest(acc * 2, multiplier, offset) >> right);
    TG_IN_ORDER;
    return result;
#else
    return (int8_t)tg_clamp((tg_high_multiply(acc, multiplier) + offset) >> (right + 1), -128, 127);
#endif
}

#endif
