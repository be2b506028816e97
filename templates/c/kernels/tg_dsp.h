/* Cortex-M DSP instructions with the types the kernels use. Included only where TG_DSP is 1. */
#ifndef TG_DSP_H
#define TG_DSP_H

#include <arm_acle.h>
#include <stdint.h>

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

/* acc + a.lo * b.lo, and the same of the upper halves. */
TG_INLINE int32_t tg_mac_low(uint32_t a, uint32_t b, int32_t acc)
{
    return __smlabb((int32_t)a, (int32_t)b, acc);
}

TG_INLINE int32_t tg_mac_high(uint32_t a, uint32_t b, int32_t acc)
{
    return __smlatt((int32_t)a, (int32_t)b, acc);
}

/* round(a * b / 2^32), ties towards plus infinity. */
TG_INLINE int32_t tg_high_word(int32_t a, int32_t b)
{
    int32_t high;
    __asm("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
    return high;
}

/* The nearest int8; gcc's own __ssat does not pass -Wsign-conversion. */
TG_INLINE int8_t tg_nearest_int8(int32_t x)
{
    int32_t nearest;
    __asm("ssat %0, #8, %1" : "=r"(nearest) : "r"(x));
    return (int8_t)nearest;
}

#endif
