/* What functions lowered by TVM call, besides tg_gather.h and tg_narrow.h: the DSP's dot product, and softmax.
 *
 * All of it is exact on every core; where there are no DSP instructions the same is computed in plain C.
 */
#ifndef TG_TVM_H
#define TG_TVM_H

#include "softmax_s8.h"
#include "tg_gather.h"
#include "tg_narrow.h"
#include "tg_rescale.h"

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

#endif
