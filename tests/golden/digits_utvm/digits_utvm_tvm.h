/* The operators of digits_utvm.c: integer PrimFuncs, scheduled and lowered by Apache TVM 0.27.0.post1. They need no runtime.
 *
 * A function computes one row of its layer's output. Acc is a tile of sums that the compiler keeps in registers.
 */
#ifndef DIGITS_UTVM_TVM_H
#define DIGITS_UTVM_TVM_H

#include "tg_tvm.h"

/* Of layer 0.
 *   8 pixels of 16 channels, each 3 x 3 products; tiles of 2x2, 4 taps, dot.
 */
static TG_NOINLINE void digits_utvm_00_tvm_tiles(const int8_t *restrict rows, const int8_t *restrict weights, const int32_t *restrict
    bias, const int32_t *restrict multiplier, const int8_t *restrict shift, int8_t *restrict out)
{
    for (int32_t x = 0; x < 4; x++) {
        for (int32_t c = 0; c < 8; c++) {
            const int32_t *const bias_c = bias + c * 2;
            const int32_t *const multiplier_c = multiplier + c * 2;
            const int8_t *const shift_c = shift + c * 2;
            int32_t acc[4] = {bias_c[0], bias_c[1], bias_c[0], bias_c[1]};
            for (int32_t ky = 0; ky < 3; ky++) {
                tg_dot_bytes(rows + ky * 10 + x * 2, 1, weights + c * 24 + ky * 4, 12, acc, 2, 2);
            }
            out[x * 32 + c * 2] = tg_narrow_positive(acc[0], multiplier_c[0], shift_c[0], -128);
            out[x * 32 + c * 2 + 16] = tg_narrow_positive(acc[2], multiplier_c[0], shift_c[0], -128);
            out[x * 32 + c * 2 + 1] = tg_narrow_positive(acc[1], multiplier_c[1], shift_c[1], -128);
            out[x * 32 + c * 2 + 17] = tg_narrow_positive(acc[3], multiplier_c[1], shift_c[1], -128);
        }
    }
}

static TG_NOINLINE void digits_utvm_00_tvm(const tg_tvm_filters *p, const void *const *rows, void *out, void *scratch)
{
    int8_t *const patch = scratch;
    for (int32_t k = 0; k < 3; k++) {
        tg_gather_s8(patch + k * 10, rows[k], 1, 8, 1, -128);
    }
    digits_utvm_00_tvm_tiles(patch, p->weights, p->bias, p->multiplier, p->shift, out);
}

/* Of layer 1.
 *   8 pixels of 16 channels, each 3 x 3 taps; tiles of 2x2, 3 taps, dot.
 */
static TG_NOINLINE void digits_utvm_01_tvm_tiles(const int8_t *restrict rows, const int8_t *restrict weights, const int32_t *restrict
    bias, const int32_t *restrict multiplier, const int8_t *restrict shift, int8_t *restrict out)
{
    for (int32_t c = 0; c < 4; c++) {
        for (int32_t x = 0; x < 4; x++) {
            const int32_t *const bias_x = bias + c * 4;
            const int32_t *const multiplier_x = multiplier + c * 4;
            const int8_t *const shift_x = shift + c * 4;
            int32_t acc[4] = {bias_x[0], bias_x[2], bias_x[0], bias_x[2]};
            for (int32_t ky = 0; ky < 3; ky++) {
                tg_depthwise_2(rows + ky * 160 + x * 32 + c * 4, 16, weights + ky * 48 + c * 4, acc, 2);
                tg_depthwise_2(rows + ky * 160 + x * 32 + c * 4 + 16, 16, weights + ky * 48 + c * 4 + 16, acc, 2);
                tg_depthwise_2(rows + ky * 160 + x * 32 + c * 4 + 32, 16, weights + ky * 48 + c * 4 + 32, acc, 2);
            }
            out[x * 32 + c * 4] = tg_narrow_positive(acc[0], multiplier_x[0], shift_x[0], -128);
            out[x * 32 + c * 4 + 16] = tg_narrow_positive(acc[2], multiplier_x[0], shift_x[0], -128);
            out[x * 32 + c * 4 + 2] = tg_narrow_positive(acc[1], multiplier_x[2], shift_x[2], -128);
            out[x * 32 + c * 4 + 18] = tg_narrow_positive(acc[3], multiplier_x[2], shift_x[2], -128);
        }
        for (int32_t x = 0; x < 4; x++) {
            const int32_t *const bias_x = bias + c * 4;
            const int32_t *const multiplier_x = multiplier + c * 4;
            const int8_t *const shift_x = shift + c * 4;
            int32_t acc_2[4] = {bias_x[1], bias_x[3], bias_x[1], bias_x[3]};
            for (int32_t ky = 0; ky < 3; ky++) {
                tg_depthwise_2(rows + ky * 160 + x * 32 + c * 4 + 1, 16, weights + ky * 48 + c * 4 + 1, acc_2, 2);
                tg_depthwise_2(rows + ky * 160 + x * 32 + c * 4 + 17, 16, weights + ky * 48 + c * 4 + 17, acc_2, 2);
                tg_depthwise_2(rows + ky * 160 + x * 32 + c * 4 + 33, 16, weights + ky * 48 + c * 4 + 33, acc_2, 2);
            }
            out[x * 32 + c * 4 + 1] = tg_narrow_positive(acc_2[0], multiplier_x[1], shift_x[1], -128);
            out[x * 32 + c * 4 + 17] = tg_narrow_positive(acc_2[2], multiplier_x[1], shift_x[1], -128);
            out[x * 32 + c * 4 + 3] = tg_narrow_positive(acc_2[1], multiplier_x[3], shift_x[3], -128);
            out[x * 32 + c * 4 + 19] = tg_narrow_positive(acc_2[3], multiplier_x[3], shift_x[3], -128);
        }
    }
}

static TG_NOINLINE void digits_utvm_01_tvm(const tg_tvm_filters *p, const void *const *rows, void *out, void *scratch)
{
    int8_t *const patch = scratch;
    for (int32_t k = 0; k < 3; k++) {
        tg_gather_s8(patch + k * 160, rows[k], 16, 128, 16, -128);
    }
    digits_utvm_01_tvm_tiles(patch, p->weights, p->bias, p->multiplier, p->shift, out);
}

/* Of layer 2.
 *   8 pixels of 16 channels, each 1 x 16 products; tiles of 3x2, 8 taps, wide dot.
 */
static TG_NOINLINE void digits_utvm_02_tvm_tiles(const int16_t *restrict rows, const int8_t *restrict weights, const int32_t *restrict
    bias, const int32_t *restrict multiplier, const int8_t *restrict shift, int8_t *restrict out)
{
    for (int32_t x = 0; x < 2; x++) {
        for (int32_t c = 0; c < 8; c++) {
            const int32_t *const bias_c = bias + c * 2;
            const int32_t *const multiplier_c = multiplier + c * 2;
            const int8_t *const shift_c = shift + c * 2;
            int32_t acc[6] = {bias_c[0], bias_c[1], bias_c[0], bias_c[1], bias_c[0], bias_c[1]};
            for (int32_t k = 0; k < 2; k++) {
                tg_dot_wide(rows + x * 48 + k * 8, 16, weights + c * 32 + k * 8, 16, acc, 3, 2, 1);
                tg_dot_wide(rows + x * 48 + k * 8 + 4, 16, weights + c * 32 + k * 8 + 4, 16, acc, 3, 2, 1);
            }
            out[x * 48 + c * 2] = tg_narrow_fast(acc[0], multiplier_c[0], shift_c[0], 10);
            out[x * 48 + c * 2 + 16] = tg_narrow_fast(acc[2], multiplier_c[0], shift_c[0], 10);
            out[x * 48 + c * 2 + 32] = tg_narrow_fast(acc[4], multiplier_c[0], shift_c[0], 10);
            out[x * 48 + c * 2 + 1] = tg_narrow_fast(acc[1], multiplier_c[1], shift_c[1], 10);
            out[x * 48 + c * 2 + 17] = tg_narrow_fast(acc[3], multiplier_c[1], shift_c[1], 10);
            out[x * 48 + c * 2 + 33] = tg_narrow_fast(acc[5], multiplier_c[1], shift_c[1], 10);
        }
    }
}

static TG_NOINLINE void digits_utvm_02_tvm_rest(const int16_t *restrict rows, const int8_t *restrict weights, const int32_t *restrict
    bias, const int32_t *restrict multiplier, const int8_t *restrict shift, int8_t *restrict out)
{
    for (int32_t c = 0; c < 8; c++) {
        const int32_t *const bias_c = bias + c * 2;
        const int32_t *const multiplier_c = multiplier + c * 2;
        const int8_t *const shift_c = shift + c * 2;
        int32_t acc[4] = {bias_c[0], bias_c[1], bias_c[0], bias_c[1]};
        for (int32_t k = 0; k < 2; k++) {
            tg_dot_wide(rows + k * 8, 16, weights + c * 32 + k * 8, 16, acc, 2, 2, 1);
            tg_dot_wide(rows + k * 8 + 4, 16, weights + c * 32 + k * 8 + 4, 16, acc, 2, 2, 1);
        }
        out[c * 2] = tg_narrow_fast(acc[0], multiplier_c[0], shift_c[0], 10);
        out[c * 2 + 16] = tg_narrow_fast(acc[2], multiplier_c[0], shift_c[0], 10);
        out[c * 2 + 1] = tg_narrow_fast(acc[1], multiplier_c[1], shift_c[1], 10);
        out[c * 2 + 17] = tg_narrow_fast(acc[3], multiplier_c[1], shift_c[1], 10);
    }
}

static TG_NOINLINE void digits_utvm_02_tvm(const tg_tvm_filters *p, const void *const *rows, void *out, void *scratch)
{
    int16_t *const patch = scratch;
    tg_gather_pairs(patch, rows[0], 0, 128, 0, -128);
    digits_utvm_02_tvm_tiles(patch, p->weights, p->bias, p->multiplier, p->shift, out);
    digits_utvm_02_tvm_rest(patch + 96, p->weights, p->bias, p->multiplier, p->shift, (int8_t *)out + 96);
}

/* Of layer 3.
 *   Sums of 128 elements.
 */
static TG_NOINLINE void digits_utvm_03_tvm_sum(const int8_t *a, const int8_t *b, int8_t *out)
{
    for (int32_t i = 0; i < 32; i++) {
        const int8_t *const a_i = a + i * 4;
        const int8_t *const b_i = b + i * 4;
        int32_t both[4] = {tg_rescale(a_i[0] * 1048576 - 10485760, 1073741824, 0) + tg_rescale(b_i[0] * 1048576 +
            134217728, 1988112653, 3), tg_rescale(a_i[1] * 1048576 - 10485760, 1073741824, 0) + tg_rescale(b_i[1] *
            1048576 + 134217728, 1988112653, 3), tg_rescale(a_i[2] * 1048576 - 10485760, 1073741824, 0) +
            tg_rescale(b_i[2] * 1048576 + 134217728, 1988112653, 3), tg_rescale(a_i[3] * 1048576 - 10485760, 1073741824,
            0) + tg_rescale(b_i[3] * 1048576 + 134217728, 1988112653, 3)};
        out[i * 4] = tg_saturate(tg_rescale(both[0], 1167501136, 17) - 128, -128, 127);
        out[i * 4 + 1] = tg_saturate(tg_rescale(both[1], 1167501136, 17) - 128, -128, 127);
        out[i * 4 + 2] = tg_saturate(tg_rescale(both[2], 1167501136, 17) - 128, -128, 127);
        out[i * 4 + 3] = tg_saturate(tg_rescale(both[3], 1167501136, 17) - 128, -128, 127);
    }
}

static TG_NOINLINE void digits_utvm_03_tvm(const tg_tvm_layer *p, const void *const *rows, void *out)
{
    (void)p;
    digits_utvm_03_tvm_sum(rows[0], rows[1], out);
}

/* Of layer 4.
 *   The largest of windows of 2 x 2, 4 pixels of 16 channels.
 */
static TG_NOINLINE void digits_utvm_04_tvm_pool(const int8_t *rows, int8_t *out)
{
    for (int32_t x = 0; x < 4; x++) {
        for (int32_t c = 0; c < 16; c++) {
            int32_t most = (-2147483647 - 1);
            for (int32_t ky = 0; ky < 2; ky++) {
                for (int32_t kx = 0; kx < 2; kx++) {
                    most = tg_max(most, rows[ky * 128 + x * 32 + kx * 16 + c]);
                }
            }
            out[x * 16 + c] = (int8_t)tg_clamp(most, -128, 127);
        }
    }
}

static TG_NOINLINE void digits_utvm_04_tvm(const tg_tvm_layer *p, const void *const *rows, void *out, void *scratch)
{
    (void)p;
    int8_t *const patch = scratch;
    for (int32_t k = 0; k < 2; k++) {
        tg_gather_s8(patch + k * 128, rows[k], 0, 128, 0, -128);
    }
    digits_utvm_04_tvm_pool(patch, out);
}

/* Of layer 5.
 *   4 pixels of 16 channels, each 3 x 3 taps; tiles of 2x4, 3 taps, dot.
 */
static TG_NOINLINE void digits_utvm_05_tvm_tiles(const int8_t *restrict rows, const int8_t *restrict weights, const int32_t *restrict
    bias, const int32_t *restrict multiplier, const int8_t *restrict shift, int8_t *restrict out)
{
    for (int32_t c = 0; c < 4; c++) {
        for (int32_t x = 0; x < 2; x++) {
            const int32_t *const bias_x = bias + c * 4;
            const int32_t *const multiplier_x = multiplier + c * 4;
            const int8_t *const shift_x = shift + c * 4;
            int32_t acc[8] = {bias_x[0], bias_x[1], bias_x[2], bias_x[3], bias_x[0], bias_x[1], bias_x[2], bias_x[3]};
            for (int32_t ky = 0; ky < 3; ky++) {
                tg_depthwise_4(rows + ky * 96 + x * 32 + c * 4, 16, weights + ky * 48 + c * 4, acc, 2);
                tg_depthwise_4(rows + ky * 96 + x * 32 + c * 4 + 16, 16, weights + ky * 48 + c * 4 + 16, acc, 2);
                tg_depthwise_4(rows + ky * 96 + x * 32 + c * 4 + 32, 16, weights + ky * 48 + c * 4 + 32, acc, 2);
            }
            out[x * 32 + c * 4] = tg_narrow_positive(acc[0], multiplier_x[0], shift_x[0], -128);
            out[x * 32 + c * 4 + 16] = tg_narrow_positive(acc[4], multiplier_x[0], shift_x[0], -128);
            out[x * 32 + c * 4 + 1] = tg_narrow_positive(acc[1], multiplier_x[1], shift_x[1], -128);
            out[x * 32 + c * 4 + 17] = tg_narrow_positive(acc[5], multiplier_x[1], shift_x[1], -128);
            out[x * 32 + c * 4 + 2] = tg_narrow_positive(acc[2], multiplier_x[2], shift_x[2], -128);
            out[x * 32 + c * 4 + 18] = tg_narrow_positive(acc[6], multiplier_x[2], shift_x[2], -128);
            out[x * 32 + c * 4 + 3] = tg_narrow_positive(acc[3], multiplier_x[3], shift_x[3], -128);
            out[x * 32 + c * 4 + 19] = tg_narrow_positive(acc[7], multiplier_x[3], shift_x[3], -128);
        }
    }
}

static TG_NOINLINE void digits_utvm_05_tvm(const tg_tvm_filters *p, const void *const *rows, void *out, void *scratch)
{
    int8_t *const patch = scratch;
    for (int32_t k = 0; k < 3; k++) {
        tg_gather_s8(patch + k * 96, rows[k], 16, 64, 16, -128);
    }
    digits_utvm_05_tvm_tiles(patch, p->weights, p->bias, p->multiplier, p->shift, out);
}

/* Of layer 6.
 *   4 pixels of 32 channels, each 1 x 16 products; tiles of 2x2, 4 taps, dot.
 */
static TG_NOINLINE void digits_utvm_06_tvm_tiles(const int8_t *restrict rows, const int8_t *restrict weights, const int32_t *restrict
    bias, const int32_t *restrict multiplier, const int8_t *restrict shift, int8_t *restrict out)
{
    for (int32_t x = 0; x < 2; x++) {
        for (int32_t c = 0; c < 16; c++) {
            const int32_t *const bias_c = bias + c * 2;
            const int32_t *const multiplier_c = multiplier + c * 2;
            const int8_t *const shift_c = shift + c * 2;
            int32_t acc[4] = {bias_c[0], bias_c[1], bias_c[0], bias_c[1]};
            for (int32_t k = 0; k < 4; k++) {
                tg_dot_bytes(rows + x * 32 + k * 4, 16, weights + c * 32 + k * 4, 16, acc, 2, 2);
            }
            out[x * 64 + c * 2] = tg_narrow_positive(acc[0], multiplier_c[0], shift_c[0], -128);
            out[x * 64 + c * 2 + 32] = tg_narrow_positive(acc[2], multiplier_c[0], shift_c[0], -128);
            out[x * 64 + c * 2 + 1] = tg_narrow_positive(acc[1], multiplier_c[1], shift_c[1], -128);
            out[x * 64 + c * 2 + 33] = tg_narrow_positive(acc[3], multiplier_c[1], shift_c[1], -128);
        }
    }
}

static TG_NOINLINE void digits_utvm_06_tvm(const tg_tvm_filters *p, const void *const *rows, void *out)
{
    digits_utvm_06_tvm_tiles(rows[0], p->weights, p->bias, p->multiplier, p->shift, out);
}

/* Of layer 7.
 *   Means of windows of 2 x 2, 2 pixels of 32 channels.
 */
static TG_NOINLINE void digits_utvm_07_tvm_pool(const int8_t *rows, int8_t *out)
{
    for (int32_t x = 0; x < 2; x++) {
        for (int32_t c = 0; c < 32; c++) {
            int32_t total = 0;
            for (int32_t ky = 0; ky < 2; ky++) {
                for (int32_t kx = 0; kx < 2; kx++) {
                    total += rows[ky * 128 + x * 64 + kx * 32 + c];
                }
            }
            out[x * 32 + c] = (int8_t)tg_clamp((total + (total < 0 ? -2 : 2)) / 4, -128, 127);
        }
    }
}

static TG_NOINLINE void digits_utvm_07_tvm(const tg_tvm_layer *p, const void *const *rows, void *out, void *scratch)
{
    (void)p;
    int8_t *const patch = scratch;
    for (int32_t k = 0; k < 2; k++) {
        tg_gather_s8(patch + k * 128, rows[k], 0, 128, 0, -128);
    }
    digits_utvm_07_tvm_pool(patch, out);
}

/* Of layer 9.
 *   1 pixels of 10 channels, each 1 x 128 products; tiles of 1x2, 4 taps, dot.
 */
static TG_NOINLINE void digits_utvm_09_tvm_tiles(const int8_t *restrict rows, const int8_t *restrict weights, const int32_t *restrict
    bias, const int32_t *restrict multiplier, const int8_t *restrict shift, int8_t *restrict out)
{
    for (int32_t c = 0; c < 5; c++) {
        const int32_t *const bias_c = bias + c * 2;
        const int32_t *const multiplier_c = multiplier + c * 2;
        const int8_t *const shift_c = shift + c * 2;
        int32_t acc[2] = {bias_c[0], bias_c[1]};
        for (int32_t k = 0; k < 32; k++) {
            tg_dot_bytes(rows + k * 4, 128, weights + c * 256 + k * 4, 128, acc, 1, 2);
        }
        out[c * 2] = tg_narrow_once(acc[0], multiplier_c[0], shift_c[0], 11);
        out[c * 2 + 1] = tg_narrow_once(acc[1], multiplier_c[1], shift_c[1], 11);
    }
}

static TG_NOINLINE void digits_utvm_09_tvm(const tg_tvm_filters *p, const void *const *rows, void *out)
{
    digits_utvm_09_tvm_tiles(rows[0], p->weights, p->bias, p->multiplier, p->shift, out);
}

/* Of layer 10.
 *   1 vectors of 10 likelihoods.
 */
static TG_NOINLINE void digits_utvm_10_tvm_softmax(const int8_t *row, const int32_t *exponentials, int8_t *out)
{
    int32_t most;
    int32_t total;
    int32_t scale;
    int32_t exponent;
    most = (-2147483647 - 1);
    for (int32_t i = 0; i < 10; i++) {
        most = tg_max(most, row[i]);
    }
    total = 0;
    for (int32_t i = 0; i < 10; i++) {
        total += ((exponentials[tg_min(most - row[i], 125)] >> 11) + 1) >> 1;
    }
    exponent = tg_softmax_shift(total);
    scale = tg_softmax_scale(total);
    for (int32_t i = 0; i < 10; i++) {
        out[i] = (int8_t)tg_min(tg_rounding_shift(tg_high_multiply(scale, exponentials[tg_min(most - row[i], 125)]),
            exponent) - 128, 127);
    }
}

static TG_NOINLINE void digits_utvm_10_tvm(const tg_tvm_softmax *p, const void *const *rows, void *out)
{
    digits_utvm_10_tvm_softmax(rows[0], p->exponentials, out);
}

#endif
