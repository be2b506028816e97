/* Cortex-M DSP instructions with the types the kernels use, and what they do in portable C where there are none.
 *
 * Sums wrap around as the instructions' do.
 */
#ifndef TG_DSP_H
#define TG_DSP_H

#include "tg_common.h"

#if TG_DSP

#include <arm_acle.h>

/* For functions that are assembly and nothing else, about which the compiler may assume nothing. */
#if defined(__clang__)
#define TG_NAKED __attribute__((naked, noinline, unused))
#else
#define TG_NAKED __attribute__((naked, noipa, unused))
#endif
#define TG_NAKED_CLOBBERS "r0", "r1", "r2", "r3", "r12", "lr", "cc", "memory"

/* Bytes 0 and 2 of a word as two int16. */
TG_INLINE uint32_t tg_even_bytes(uint32_t word)
{
    uint32_t pair;
    __asm("sxtb16 %0, %1" : "=r"(pair) : "r"(word));
    return pair;
}

/* Bytes 1 and 3 of a word as two int16; the compilers do not merge the rotation on their own. */
TG_INLINE uint32_t tg_odd_bytes(uint32_t word)
{
    uint32_t pair;
    __asm("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
    return pair;
}

/* acc + a.lo * b.lo + a.hi * b.hi */
TG_INLINE int32_t tg_mac_pair(uint32_t a, uint32_t b, int32_t acc)
{
    return __smlad((int16x2_t)a, (int16x2_t)b, acc);
}

/* acc + a.lo * b.lo, and the same of other halves. */
TG_INLINE int32_t tg_mac_low(uint32_t a, uint32_t b, int32_t acc)
{
    return __smlabb((int32_t)a, (int32_t)b, acc);
}

TG_INLINE int32_t tg_mac_high(uint32_t a, uint32_t b, int32_t acc)
{
    return __smlatt((int32_t)a, (int32_t)b, acc);
}

TG_INLINE int32_t tg_mac_low_high(uint32_t a, uint32_t b, int32_t acc)
{
    return __smlabt((int32_t)a, (int32_t)b, acc);
}

TG_INLINE int32_t tg_mac_high_low(uint32_t a, uint32_t b, int32_t acc)
{
    return __smlatb((int32_t)a, (int32_t)b, acc);
}

/* The lower halves of two words, and the upper halves. */
TG_INLINE uint32_t tg_join_low(uint32_t low, uint32_t high)
{
    uint32_t pair;
    __asm("pkhbt %0, %1, %2, lsl #16" : "=r"(pair) : "r"(low), "r"(high));
    return pair;
}

TG_INLINE uint32_t tg_join_high(uint32_t low, uint32_t high)
{
    uint32_t pair;
    __asm("pkhtb %0, %1, %2, asr #16" : "=r"(pair) : "r"(high), "r"(low));
    return pair;
}

/* round(a * b / 2^32), ties towards plus infinity. */
TG_INLINE int32_t tg_high_word(int32_t a, int32_t b)
{
    int32_t high;
    __asm("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
    return high;
}

/* acc + floor(a * b / 2^32) */
TG_INLINE int32_t tg_mac_high_word(int32_t a, int32_t b, int32_t acc)
{
    int32_t sum;
    __asm("smmla %0, %1, %2, %3" : "=r"(sum) : "r"(a), "r"(b), "r"(acc));
    return sum;
}

/* The nearest int8; gcc's own __ssat does not pass -Wsign-conversion. */
TG_INLINE int8_t tg_nearest_int8(int32_t x)
{
    int32_t nearest;
    __asm("ssat %0, #8, %1" : "=r"(nearest) : "r"(x));
    return (int8_t)nearest;
}

#else

TG_INLINE int32_t tg_low_half(uint32_t pair)
{
    return (int16_t)pair;
}

TG_INLINE int32_t tg_high_half(uint32_t pair)
{
    return (int16_t)(pair >> 16);
}

TG_INLINE uint32_t tg_join_low(uint32_t low, uint32_t high)
{
    return (low & 0xffff) | high << 16;
}

TG_INLINE uint32_t tg_join_high(uint32_t low, uint32_t high)
{
    return low >> 16 | (high & 0xffff0000);
}

TG_INLINE uint32_t tg_even_bytes(uint32_t word)
{
    return tg_join_low((uint32_t)(int8_t)word, (uint32_t)(int8_t)(word >> 16));
}

TG_INLINE uint32_t tg_odd_bytes(uint32_t word)
{
    return tg_even_bytes(word >> 8);
}

TG_INLINE int32_t tg_wrapping_sum(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

TG_INLINE int32_t tg_mac_low(uint32_t a, uint32_t b, int32_t acc)
{
    return tg_wrapping_sum(acc, tg_low_half(a) * tg_low_half(b));
}

TG_INLINE int32_t tg_mac_high(uint32_t a, uint32_t b, int32_t acc)
{
    return tg_wrapping_sum(acc, tg_high_half(a) * tg_high_half(b));
}

TG_INLINE int32_t tg_mac_low_high(uint32_t a, uint32_t b, int32_t acc)
{
    return tg_wrapping_sum(acc, tg_low_half(a) * tg_high_half(b));
}

TG_INLINE int32_t tg_mac_high_low(uint32_t a, uint32_t b, int32_t acc)
{
    return tg_mac_low_high(b, a, acc);
}

TG_INLINE int32_t tg_mac_pair(uint32_t a, uint32_t b, int32_t acc)
{
    return tg_mac_high(a, b, tg_mac_low(a, b, acc));
}

TG_INLINE int32_t tg_mac_high_word(int32_t a, int32_t b, int32_t acc)
{
    return tg_wrapping_sum(acc, (int32_t)(((int64_t)a * b) >> 32));
}

TG_INLINE int8_t tg_nearest_int8(int32_t x)
{
    return (int8_t)tg_clamp(x, -128, 127);
}

#endif

#endif
