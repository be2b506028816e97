/* What functions lowered by TVM call: requantization, rows gathered with their padding, and the DSP's dot product.
 *
 * All of it is exact on every core; where there are no DSP instructions the same is computed in plain C.
 */
#ifndef TG_TVM_H
#define TG_TVM_H

#include "softmax_s8.h"
#include "tg_requantize.h"
#include "tg_rescale.h"

/* The constants of a convolution or a fully connected layer. */
typedef struct {
    const int8_t *weights;
    const int32_t *bias;       /* the input zero point folded in */
    const int32_t *multiplier; /* real factor = multiplier * 2^(shift - 31) */
    const int8_t *shift;       /* positive: to the left */
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

/* Rounds twice; any multiplier. */
TG_INLINE int8_t tg_narrow_double(int32_t acc, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t lo,
                                  int32_t hi)
{
    return (int8_t)tg_clamp(tg_requantize_double(acc, multiplier, shift) + zero_point, lo, hi);
}

/* Rounds once. */
TG_INLINE int8_t tg_narrow_single(int32_t acc, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t lo,
                                  int32_t hi)
{
    return (int8_t)tg_clamp(tg_requantize_single(acc, multiplier, shift) + zero_point, lo, hi);
}

/* Rounds twice where tg_requantize.h calls the layer fast; then all of int8 is the range. */
TG_INLINE int8_t tg_narrow_fast(int32_t acc, int32_t multiplier, int32_t shift, int32_t zero_point)
{
    const tg_channel_s8 channel = {multiplier, -shift, (int32_t)1 << (-shift - 1), zero_point};
    return tg_requantize_s8(NULL, channel, acc, 1);
}

/* acc + the dot product of four int16 with four int8, which are in the order 0, 2, 1, 3. */
TG_INLINE int32_t tg_dot_packed_4(const int16_t *a, const int8_t *w, int32_t acc)
{
#if TG_DSP
    const uint32_t weights = tg_load_word(w);
    acc = tg_mac_pair(tg_load_word(a), tg_even_bytes(weights), acc);
    return tg_mac_pair(tg_load_word(a + 2), tg_odd_bytes(weights), acc);
#else
    return acc + a[0] * w[0] + a[1] * w[2] + a[2] * w[1] + a[3] * w[3];
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

/* A row between `left` and `right` bytes of padding; all of it is padding where there is no row. */
TG_INLINE void tg_gather_s8(int8_t *to, const void *row, int32_t left, int32_t bytes, int32_t right, int8_t padding)
{
    if (row == NULL) {
        memset(to, padding, (size_t)(left + bytes + right));
        return;
    }
    memset(to, padding, (size_t)left);
    memcpy(to + left, row, (size_t)bytes);
    memset(to + left + bytes, padding, (size_t)right);
}

/* The same, widened. */
TG_INLINE void tg_gather_s16(int16_t *to, const void *row, int32_t left, int32_t bytes, int32_t right, int8_t padding)
{
    const int8_t *from = row;
    const int32_t end = row == NULL ? 0 : bytes;
    int32_t i = 0;
    for (; i < left; i++) {
        *to++ = padding;
    }
#if TG_DSP
    for (i = 0; i + 4 <= end; i += 4, to += 4) {
        const uint32_t word = tg_load_word(from + i);
        const uint32_t even = tg_even_bytes(word), odd = tg_odd_bytes(word);
        to[0] = (int16_t)even;
        to[1] = (int16_t)odd;
        to[2] = (int16_t)(even >> 16);
        to[3] = (int16_t)(odd >> 16);
    }
#else
    i = 0;
#endif
    for (; i < end; i++) {
        *to++ = from[i];
    }
    for (; i < bytes + right; i++) {
        *to++ = padding;
    }
}

#endif
