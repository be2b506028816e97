/* What every row kernel shares: clamping, TFLite's two roundings, and unaligned words.
 *
 * A quantized multiplier stands for multiplier * 2^(shift - 31), with multiplier in [2^30, 2^31) and a positive shift
 * to the left.
 */
#ifndef TG_COMMON_H
#define TG_COMMON_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define TG_INLINE static inline __attribute__((always_inline))
/* For functions that layers share: one copy each, and no warning where no layer needs it. */
#if defined(__clang__)
#define TG_NOINLINE __attribute__((noinline, unused))
#else
/* A clone for one layer's constants would only fill the registers with them. */
#define TG_NOINLINE __attribute__((noinline, noclone, unused))
#endif
/* For constants and buffers that are read as words. */
#define TG_ALIGNED __attribute__((aligned(4)))
#else
#define TG_INLINE static inline
#define TG_NOINLINE inline
#define TG_ALIGNED
#endif

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_SIMD32)
#define TG_DSP 1
#else
#define TG_DSP 0
#endif

TG_INLINE int32_t tg_clamp(int32_t x, int32_t lo, int32_t hi)
{
    x = x < lo ? lo : x;
    return x > hi ? hi : x;
}

/* round(a * b / 2^31), ties towards plus infinity; a * b must not be 2^62. */
TG_INLINE int32_t tg_high_multiply(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* round(x / 2^exponent), ties away from zero; 0 <= exponent <= 31. */
TG_INLINE int32_t tg_rounding_shift(int32_t x, int32_t exponent)
{
    const int64_t half = ((int64_t)1 << exponent) >> 1;
    return (int32_t)(((int64_t)x + half + (exponent > 0 ? x >> 31 : 0)) >> exponent);
}

/* x * multiplier * 2^(shift - 31), rounded after the multiplication and again after the right shift. */
TG_INLINE int32_t tg_requantize_double(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0;
    return tg_rounding_shift(tg_high_multiply((int32_t)((int64_t)x * ((int64_t)1 << left)), multiplier), left - shift);
}

/* x * multiplier * 2^(shift - 31), rounded once, ties towards plus infinity; shift <= 30. */
TG_INLINE int32_t tg_requantize_single(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t total = 31 - shift;
    return (int32_t)(((int64_t)x * multiplier + ((int64_t)1 << (total - 1))) >> total);
}

/* Row y of a tensor, NULL outside it. */
TG_INLINE const void *tg_row(const uint8_t *tensor, int32_t y, int32_t height, int32_t row_bytes)
{
    return y < 0 || y >= height ? NULL : tensor + y * row_bytes;
}

/* Four int8 as a word, from any address. */
TG_INLINE uint32_t tg_load_word(const void *p)
{
    uint32_t word;
#if defined(__GNUC__)
    __builtin_memcpy(&word, p, sizeof word); /* stays a load in freestanding builds too */
#else
    memcpy(&word, p, sizeof word);
#endif
    return word;
}

/* Four int8 as a word, from an address that is a multiple of four. */
TG_INLINE uint32_t tg_load_aligned(const void *p)
{
#if defined(__GNUC__)
    p = __builtin_assume_aligned(p, 4);
#endif
    return tg_load_word(p);
}

/* acc + the dot product of four int8 with four int8. */
TG_INLINE int32_t tg_dot_4(uint32_t a, uint32_t b, int32_t acc)
{
    acc += (int8_t)a * (int8_t)b;
    acc += (int8_t)(a >> 8) * (int8_t)(b >> 8);
    acc += (int8_t)(a >> 16) * (int8_t)(b >> 16);
    return acc + (int8_t)(a >> 24) * (int8_t)(b >> 24);
}

#endif
