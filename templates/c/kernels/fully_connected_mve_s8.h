/* Fully connected, int8, for Helium (MVE): vectors of `depth` values times all filters, four at a time.
 *
 * A vector is read backwards, sixteen values at a time. First come the last 1 to 16, and zeros in place of what lies
 * behind them: so the filters need no padding, whose next one is read along.
 *
 *   weights:  [filter / 4], each [4 filters][tail], then backwards [chunks][4 filters][16 values]; filters that are
 *             missing in the last four are zeros, and zeros follow, so that nothing behind them is read
 *   channels: [filter / 4][bias, shift to the left, multiplier, shift to the right as a negative number][4 filters];
 *             where no shift is to the left there is none
 */
#ifndef TG_FULLY_CONNECTED_MVE_S8_H
#define TG_FULLY_CONNECTED_MVE_S8_H

#include "tg_mve.h"

typedef struct {
    int32_t vectors; /* in a step */
    int32_t depth;   /* values of an input vector */
    int32_t count;   /* filters */
    int32_t chunks;  /* of 16 values, before the tail */
    int32_t tail;    /* values: 1 to 16 */
    int32_t zero_point;
    int32_t activation_min;
    int32_t activation_max;
    const int32_t *channels; /* the input zero point folded into the bias */
    const int8_t *weights;
} tg_fully_connected_mve_s8_params;

#if TG_MVE

/* clang-format off */
/* The sums of four filters are in r0, r2, r4 and r6, as only even registers can accumulate.
 *
 *   r1 values; r3 filters left; r5 weights; r7 out; r8 the tail's values; r9 its length; r10 chunks; r11 channels;
 *   r12 zero point; lr chunks left; q0 values, then outputs; q1, q2 weights, then constants; q4, q5 limits
 */
#define TG_MVE_FULLY_CONNECTED(scale)                                                                                  \
    "push {r3-r11, lr}\n"                                                                                              \
    "vpush {d8-d11}\n"                                                                                                 \
    "mov r7, r2\n"                                                                                                     \
    "ldrd r3, r10, [r0, #8]\n"                                                                                         \
    "ldrd r9, r12, [r0, #16]\n"                                                                                        \
    "ldrd r4, r6, [r0, #24]\n"                                                                                         \
    "ldrd r11, r5, [r0, #32]\n"                                                                                        \
    "vdup.32 q4, r4\n"                                                                                                 \
    "vdup.32 q5, r6\n"                                                                                                 \
    "add r8, r1, r10, lsl #4\n"                                                                                        \
    "0:\n"                                                                                                             \
    "mov r1, r8\n"                                                                                                     \
    "vctp.8 r9\n"                                                                                                      \
    "vpst\n"                                                                                                           \
    "vldrbt.8 q0, [r1], #-16\n"                                                                                        \
    "vldrb.8 q1, [r5]\n"                                                                                               \
    "add r5, r5, r9\n"                                                                                                 \
    "vldrb.8 q2, [r5]\n"                                                                                               \
    "vmladav.s8 r0, q0, q1\n"                                                                                          \
    "add r5, r5, r9\n"                                                                                                 \
    "vldrb.8 q1, [r5]\n"                                                                                               \
    "vmladav.s8 r2, q0, q2\n"                                                                                          \
    "add r5, r5, r9\n"                                                                                                 \
    "vldrb.8 q2, [r5]\n"                                                                                               \
    "vmladav.s8 r4, q0, q1\n"                                                                                          \
    "add r5, r5, r9\n"                                                                                                 \
    "vmladav.s8 r6, q0, q2\n"                                                                                          \
    "wls lr, r10, 2f\n"                                                                                                \
    "1:\n"                                                                                                             \
    "vldrb.8 q0, [r1], #-16\n"                                                                                         \
    "vldrb.8 q1, [r5], #16\n"                                                                                          \
    "vldrb.8 q2, [r5], #16\n"                                                                                          \
    "vmladava.s8 r0, q0, q1\n"                                                                                         \
    "vldrb.8 q1, [r5], #16\n"                                                                                          \
    "vmladava.s8 r2, q0, q2\n"                                                                                         \
    "vldrb.8 q2, [r5], #16\n"                                                                                          \
    "vmladava.s8 r4, q0, q1\n"                                                                                         \
    "vmladava.s8 r6, q0, q2\n"                                                                                         \
    "le lr, 1b\n"                                                                                                      \
    "2:\n"                                                                                                             \
    "vmov q0[2], q0[0], r0, r4\n"                                                                                      \
    "vmov q0[3], q0[1], r2, r6\n"                                                                                      \
    "vldrw.32 q1, [r11], #16\n"                                                                                        \
    "vadd.i32 q0, q0, q1\n"                                                                                            \
    scale                                                                                                              \
    "vadd.i32 q0, q0, r12\n"                                                                                           \
    "vmax.s32 q0, q0, q4\n"                                                                                            \
    "vmin.s32 q0, q0, q5\n"                                                                                            \
    "vctp.32 r3\n"                                                                                                     \
    "vpst\n"                                                                                                           \
    "vstrbt.32 q0, [r7], #4\n"                                                                                         \
    "subs r3, r3, #4\n"                                                                                                \
    "bgt 0b\n"                                                                                                         \
    "vpop {d8-d11}\n"                                                                                                  \
    "pop {r3-r11, pc}\n"

/* A product's upper word is rounded down, so that rounding it half up is all the rounding there is. */
#define TG_MVE_SCALE_ONCE                                                                                              \
    "vldrw.32 q1, [r11], #16\n"                                                                                        \
    "vldrw.32 q2, [r11], #16\n"                                                                                        \
    "vmulh.s32 q0, q0, q1\n"                                                                                           \
    "vrshl.s32 q0, q0, q2\n"

#define TG_MVE_SHIFT_LEFT                                                                                              \
    "vldrw.32 q1, [r11], #16\n"                                                                                        \
    "vshl.s32 q0, q0, q1\n"

/* As tg_mve_requantize. */
#define TG_MVE_SCALE_TWICE                                                                                             \
    "vldrw.32 q1, [r11], #16\n"                                                                                        \
    "vldrw.32 q2, [r11], #16\n"                                                                                        \
    "vqrdmulh.s32 q0, q0, q1\n"                                                                                        \
    "vand q1, q0, q2\n"                                                                                                \
    "vshr.s32 q1, q1, #31\n"                                                                                           \
    "vadd.i32 q0, q0, q1\n"                                                                                            \
    "vrshl.s32 q0, q0, q2\n"

#define TG_MVE_FULLY_CONNECTED_FUNCTION(name, left, twice, scale)                                                      \
    static TG_NAKED void name(const tg_fully_connected_mve_s8_params *p __attribute__((unused)),                       \
                              const int8_t *in __attribute__((unused)),                                                \
                              int8_t *out __attribute__((unused)))                                                     \
    {                                                                                                                  \
        __asm volatile(TG_MVE_FULLY_CONNECTED(scale));                                                                 \
    }

/* clang-format on */

#else

#define TG_MVE_FULLY_CONNECTED_FUNCTION(name, left, twice, scale)                                                      \
    static TG_NOINLINE void name(const tg_fully_connected_mve_s8_params *p, const int8_t *in, int8_t *out)             \
    {                                                                                                                  \
        tg_fully_connected_mve_vector(p, in, out, left, twice);                                                        \
    }

TG_INLINE int8_t tg_fully_connected_mve_output(const tg_fully_connected_mve_s8_params *p, int32_t acc,
                                               const int32_t *channel, const int left, const int twice)
{
    acc += channel[0];
    if (left) {
        channel += 4;
        acc = (int32_t)(acc * ((int64_t)1 << channel[0]));
    }
    const int32_t multiplier = channel[4], right = channel[8];
    const int32_t x = twice ? tg_rounding_shift(tg_high_multiply(acc, multiplier), -right)
                            : tg_requantize_single(acc, multiplier, right - 1);
    return (int8_t)tg_clamp(x + p->zero_point, p->activation_min, p->activation_max);
}

TG_INLINE void tg_fully_connected_mve_vector(const tg_fully_connected_mve_s8_params *p, const int8_t *in, int8_t *out,
                                             const int left, const int twice)
{
    const int32_t *channels = p->channels;
    const int8_t *weights = p->weights;
    for (int32_t c = 0; c < p->count; c += 4, channels += left ? 16 : 12) {
        int32_t sums[4] = {0};
        for (int32_t chunk = p->chunks; chunk >= 0; chunk--) {
            const int32_t values = chunk == p->chunks ? p->tail : 16;
            for (int32_t f = 0; f < 4; f++, weights += values) {
                for (int32_t i = 0; i < values; i++) {
                    sums[f] += in[16 * chunk + i] * weights[i];
                }
            }
        }
        for (int32_t f = 0; f < 4 && c + f < p->count; f++) {
            out[c + f] = tg_fully_connected_mve_output(p, sums[f], channels + f, left, twice);
        }
    }
}

#endif

TG_MVE_FULLY_CONNECTED_FUNCTION(tg_fully_connected_mve_right, 0, 0, TG_MVE_SCALE_ONCE)
TG_MVE_FULLY_CONNECTED_FUNCTION(tg_fully_connected_mve_any, 1, 0, TG_MVE_SHIFT_LEFT TG_MVE_SCALE_ONCE)
TG_MVE_FULLY_CONNECTED_FUNCTION(tg_fully_connected_mve_twice, 1, 1, TG_MVE_SHIFT_LEFT TG_MVE_SCALE_TWICE)

/* One rounding, as LiteRT has it, and no shifts to the left. */
static TG_NOINLINE void tg_fully_connected_mve_right_s8(const tg_fully_connected_mve_s8_params *p,
                                                        const void *const *rows, void *out)
{
    const int8_t *in = rows[0];
    int8_t *to = out;
    for (int32_t v = 0; v < p->vectors; v++, in += p->depth, to += p->count) {
        tg_fully_connected_mve_right(p, in, to);
    }
}

/* One rounding and any shifts. */
static TG_NOINLINE void tg_fully_connected_mve_s8(const tg_fully_connected_mve_s8_params *p, const void *const *rows,
                                                  void *out)
{
    const int8_t *in = rows[0];
    int8_t *to = out;
    for (int32_t v = 0; v < p->vectors; v++, in += p->depth, to += p->count) {
        tg_fully_connected_mve_any(p, in, to);
    }
}

/* Two roundings, as TFLM and CMSIS-NN have it. */
static TG_NOINLINE void tg_fully_connected_mve_double_s8(const tg_fully_connected_mve_s8_params *p,
                                                         const void *const *rows, void *out)
{
    const int8_t *in = rows[0];
    int8_t *to = out;
    for (int32_t v = 0; v < p->vectors; v++, in += p->depth, to += p->count) {
        tg_fully_connected_mve_twice(p, in, to);
    }
}

#endif
