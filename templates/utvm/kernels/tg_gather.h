/* Rows gathered with their padding, as bytes or widened to int16, for functions lowered by TVM. */
#ifndef TG_GATHER_H
#define TG_GATHER_H

#include "tg_common.h"
#if TG_DSP
#include "tg_dsp.h"
#endif

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
