/* What functions lowered by TVM call: requantization, rows gathered with their padding, and the DSP's dot product.
 *
 * All of it is exact on every core; where there are no DSP instructions the same is computed in plain C.
 */
#ifndef TG_TVM_H
#define TG_TVM_H

#include "softmax_s8.h"
#include "tg_common.h"
#include "tg_rescale.h"

/* Compilers that move a tile's products, or its outputs, past each other run out of registers. */
#define TG_IN_ORDER __asm volatile("")

/* The constants of a convolution or a fully connected layer. */
typedef struct {
    const int8_t *weights;
    const int32_t *bias; /* the input zero point folded in */
    const int32_t *multiplier;
    const int8_t *shift; /* as the layer's tg_narrow function takes it */
} tg_tvm_filters;

/* The constants of a softmax: exp(-scale * difference) with 31 fractional bits, at the end 0. */
typedef struct {
    const int32_t *exponentials;
} tg_tvm_softmax;

/* A layer all of whose constants are in its function. */
typedef struct {
    int32_t rows; /* of its output */
} tg_tvm_layer;

TG_INLINE int32_t tg_max(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

TG_INLINE int32_t tg_min(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

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

#if TG_DSP

/* The sums of one pixel: acc[channel] += the products of two pairs. */
TG_INLINE void tg_dot_pair(uint32_t a, const uint32_t *w, int32_t *acc, const int channels)
{
    acc[0] = tg_mac_pair(a, w[0], acc[0]);
    if (channels > 1) {
        acc[1] = tg_mac_pair(a, w[1], acc[1]);
    }
    if (channels > 2) {
        acc[2] = tg_mac_pair(a, w[2], acc[2]);
    }
    if (channels > 3) {
        acc[3] = tg_mac_pair(a, w[3], acc[3]);
    }
    TG_IN_ORDER;
}

/* The words of up to four channels' weights. */
TG_INLINE void tg_dot_weights(const int8_t *w, int32_t hop, uint32_t *words, const int channels)
{
    words[0] = tg_load_word(w);
    words[1] = channels > 1 ? tg_load_word(w + hop) : 0;
    words[2] = channels > 2 ? tg_load_word(w + 2 * hop) : 0;
    words[3] = channels > 3 ? tg_load_word(w + 3 * hop) : 0;
}

/* Four int16 from an address that is a multiple of four where it is `aligned`. */
TG_INLINE void tg_load_pairs(const int16_t *a, uint32_t *first, uint32_t *second, const int aligned)
{
#if defined(__GNUC__) && !defined(__clang__)
    if (aligned) { /* GNU compilers do not merge loads between which they put something */
        typedef uint64_t __attribute__((may_alias, aligned(4))) tg_pairs;
        __asm("ldrd %0, %1, %2" : "=r"(*first), "=r"(*second) : "m"(*(const tg_pairs *)(const void *)a));
        return;
    }
#endif
    (void)aligned;
    *first = tg_load_word(a);
    *second = tg_load_word(a + 2);
}

/* Four taps of one pixel that are int16 already. */
TG_INLINE void tg_dot_wide_pixel(const int16_t *a, const uint32_t *even, const uint32_t *odd, int32_t *acc,
                                 const int channels, const int aligned)
{
    uint32_t first, second;
    tg_load_pairs(a, &first, &second, aligned);
    tg_dot_pair(first, even, acc, channels);
    tg_dot_pair(second, odd, acc, channels);
}

/* Four taps of one pixel. */
TG_INLINE void tg_dot_bytes_pixel(const int8_t *a, const uint32_t *even, const uint32_t *odd, int32_t *acc,
                                  const int channels)
{
    const uint32_t word = tg_load_word(a);
    tg_dot_pair(tg_even_bytes(word), even, acc, channels);
    tg_dot_pair(tg_odd_bytes(word), odd, acc, channels);
}

#endif

/* acc[pixel][channel] += four taps of each sum of a tile; pixels are `step` elements apart and filters `hop`.
 *
 * The inputs are int16. Either they or the weights are in the order 0, 2, 1, 3.
 */
TG_INLINE void tg_dot_wide(const int16_t *a, int32_t step, const int8_t *w, int32_t hop, int32_t *acc, const int pixels,
                           const int channels, const int aligned)
{
#if TG_DSP
    uint32_t words[4];
    tg_dot_weights(w, hop, words, channels);
    const uint32_t even[4] = {tg_even_bytes(words[0]), tg_even_bytes(words[1]), tg_even_bytes(words[2]),
                              tg_even_bytes(words[3])};
    const uint32_t odd[4] = {tg_odd_bytes(words[0]), tg_odd_bytes(words[1]), tg_odd_bytes(words[2]),
                             tg_odd_bytes(words[3])};
    tg_dot_wide_pixel(a, even, odd, acc, channels, aligned);
    if (pixels > 1) {
        tg_dot_wide_pixel(a + step, even, odd, acc + channels, channels, aligned);
    }
    if (pixels > 2) {
        tg_dot_wide_pixel(a + 2 * step, even, odd, acc + 2 * channels, channels, aligned);
    }
    if (pixels > 3) {
        tg_dot_wide_pixel(a + 3 * step, even, odd, acc + 3 * channels, channels, aligned);
    }
#else
    (void)aligned;
    for (int32_t x = 0; x < pixels; x++, a += step) {
        for (int32_t c = 0; c < channels; c++, acc++) {
            const int8_t *const f = w + c * hop;
            *acc += a[0] * f[0] + a[1] * f[2] + a[2] * f[1] + a[3] * f[3];
        }
    }
#endif
}

/* The same; the inputs are int8, and the weights in their order. */
TG_INLINE void tg_dot_bytes(const int8_t *a, int32_t step, const int8_t *w, int32_t hop, int32_t *acc, const int pixels,
                            const int channels)
{
#if TG_DSP
    uint32_t words[4];
    tg_dot_weights(w, hop, words, channels);
    const uint32_t even[4] = {tg_even_bytes(words[0]), tg_even_bytes(words[1]), tg_even_bytes(words[2]),
                              tg_even_bytes(words[3])};
    const uint32_t odd[4] = {tg_odd_bytes(words[0]), tg_odd_bytes(words[1]), tg_odd_bytes(words[2]),
                             tg_odd_bytes(words[3])};
    tg_dot_bytes_pixel(a, even, odd, acc, channels);
    if (pixels > 1) {
        tg_dot_bytes_pixel(a + step, even, odd, acc + channels, channels);
    }
    if (pixels > 2) {
        tg_dot_bytes_pixel(a + 2 * step, even, odd, acc + 2 * channels, channels);
    }
    if (pixels > 3) {
        tg_dot_bytes_pixel(a + 3 * step, even, odd, acc + 3 * channels, channels);
    }
#else
    for (int32_t x = 0; x < pixels; x++, a += step) {
        for (int32_t c = 0; c < channels; c++, acc++) {
            *acc = tg_dot_4(tg_load_word(a), tg_load_word(w + c * hop), *acc);
        }
    }
#endif
}

#if TG_DSP

/* Four channels of one pixel's tap. */
TG_INLINE void tg_depthwise_4_pixel(const int8_t *a, uint32_t even, uint32_t odd, int32_t *acc)
{
    const uint32_t word = tg_load_word(a);
    const uint32_t low = tg_even_bytes(word), high = tg_odd_bytes(word);
    acc[0] = tg_mac_low(low, even, acc[0]);
    acc[1] = tg_mac_low(high, odd, acc[1]);
    acc[2] = tg_mac_high(low, even, acc[2]);
    acc[3] = tg_mac_high(high, odd, acc[3]);
    TG_IN_ORDER;
}

#endif

/* acc[pixel][channel] += a tap of four channels, each with a weight of its own; pixels are `step` apart. */
TG_INLINE void tg_depthwise_4(const int8_t *a, int32_t step, const int8_t *w, int32_t *acc, const int pixels)
{
#if TG_DSP
    const uint32_t word = tg_load_word(w);
    const uint32_t even = tg_even_bytes(word), odd = tg_odd_bytes(word);
    tg_depthwise_4_pixel(a, even, odd, acc);
    if (pixels > 1) {
        tg_depthwise_4_pixel(a + step, even, odd, acc + 4);
    }
    if (pixels > 2) {
        tg_depthwise_4_pixel(a + 2 * step, even, odd, acc + 8);
    }
    if (pixels > 3) {
        tg_depthwise_4_pixel(a + 3 * step, even, odd, acc + 12);
    }
#else
    for (int32_t x = 0; x < pixels; x++, a += step, acc += 4) {
        for (int32_t c = 0; c < 4; c++) {
            acc[c] += a[c] * w[c];
        }
    }
#endif
}

#if TG_DSP

/* Two channels of one pixel's tap. */
TG_INLINE void tg_depthwise_2_pixel(const int8_t *a, uint32_t pair, int32_t *acc)
{
    const uint32_t inputs = tg_even_bytes(tg_load_word(a));
    acc[0] = tg_mac_low(inputs, pair, acc[0]);
    acc[1] = tg_mac_high(inputs, pair, acc[1]);
    TG_IN_ORDER;
}

#endif

/* acc[pixel][channel] += a tap of a channel and of the one after the next; a byte more is read than is used. */
TG_INLINE void tg_depthwise_2(const int8_t *a, int32_t step, const int8_t *w, int32_t *acc, const int pixels)
{
#if TG_DSP
    const uint32_t pair = tg_even_bytes(tg_load_word(w));
    tg_depthwise_2_pixel(a, pair, acc);
    if (pixels > 1) {
        tg_depthwise_2_pixel(a + step, pair, acc + 2);
    }
    if (pixels > 2) {
        tg_depthwise_2_pixel(a + 2 * step, pair, acc + 4);
    }
    if (pixels > 3) {
        tg_depthwise_2_pixel(a + 3 * step, pair, acc + 6);
    }
#else
    for (int32_t x = 0; x < pixels; x++, a += step, acc += 2) {
        acc[0] += a[0] * w[0];
        acc[1] += a[2] * w[2];
    }
#endif
}

/* How far a positive sum of exponentials can be shifted to the left as an unsigned number. */
TG_INLINE int32_t tg_softmax_room(int32_t total)
{
    int32_t room = 0;
    for (uint32_t sum = (uint32_t)total; sum < (uint32_t)1 << 31; sum <<= 1) {
        room++;
    }
    return room;
}

/* 1 / total, halved, as a fraction with 31 bits. */
TG_INLINE int32_t tg_softmax_scale(int32_t total)
{
    return tg_softmax_reciprocal((int32_t)(((uint32_t)total << tg_softmax_room(total)) >> 1));
}

/* From the product of that and an exponential to 8 fractional bits; sums have 19. */
TG_INLINE int32_t tg_softmax_shift(int32_t total)
{
    return 12 + 31 - 8 - tg_softmax_room(total);
}

/* memcpy, sixteen bytes at a time where both addresses are multiples of four. */
TG_INLINE void tg_copy(int8_t *to, const int8_t *from, int32_t bytes)
{
#if defined(__GNUC__)
    if ((((uintptr_t)to | (uintptr_t)from) & 3) == 0) {
        for (; bytes >= 16; bytes -= 16, to += 16, from += 16) {
            __builtin_memcpy(__builtin_assume_aligned(to, 4), __builtin_assume_aligned(from, 4), 16);
        }
    }
#endif
    if (bytes > 0) {
        memcpy(to, from, (size_t)bytes);
    }
}

/* memset, sixteen bytes at a time. */
TG_INLINE void tg_fill(int8_t *to, int8_t value, int32_t bytes)
{
    const uint32_t four = (uint8_t)value * 0x01010101u;
    const uint32_t block[4] = {four, four, four, four};
    for (; bytes >= 16; bytes -= 16, to += 16) {
        memcpy(to, block, 16);
    }
    if (bytes > 0) {
        memset(to, value, (size_t)bytes);
    }
}

/* A row between `left` and `right` bytes of padding; all of it is padding where there is no row. */
TG_INLINE void tg_gather_s8(int8_t *to, const void *row, int32_t left, int32_t bytes, int32_t right, int8_t padding)
{
    if (row == NULL) {
        tg_fill(to, padding, left + bytes + right);
        return;
    }
    tg_fill(to, padding, left);
    tg_copy(to + left, row, bytes);
    tg_fill(to + left + bytes, padding, right);
}

/* The same, widened. */
TG_INLINE void tg_gather_s16(int16_t *to, const void *row, int32_t left, int32_t bytes, int32_t right, int8_t padding)
{
    const int8_t *const from = row;
    const int32_t begin = row == NULL ? left + bytes : left, end = row == NULL ? begin : left + bytes;
    int32_t i = 0;
    for (; i < begin; i++) {
        to[i] = padding;
    }
    for (; i < end; i++) {
        to[i] = from[i - left];
    }
    for (; i < left + bytes + right; i++) {
        to[i] = padding;
    }
}

/* The same, every four in the order 0, 2, 1, 3; all sizes are multiples of four. */
TG_INLINE void tg_gather_pairs(int16_t *to, const void *row, int32_t left, int32_t bytes, int32_t right, int8_t padding)
{
    const int8_t *from = row;
    int16_t *const begin = row == NULL ? to + left + bytes : to + left;
    int16_t *const end = to + left + bytes + right;
    for (; to < begin; to++) {
        *to = padding;
    }
    for (; to < end - right; to += 4, from += 4) {
#if TG_DSP
        const uint32_t word = tg_load_word(from);
        const uint32_t even = tg_even_bytes(word), odd = tg_odd_bytes(word);
        memcpy(to, &even, sizeof even);
        memcpy(to + 2, &odd, sizeof odd);
#else
        to[0] = from[0];
        to[1] = from[2];
        to[2] = from[1];
        to[3] = from[3];
#endif
    }
    for (; to < end; to++) {
        *to = padding;
    }
}

#endif
