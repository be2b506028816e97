/* 2-D convolution, int8, for cores with DSP instructions: one output row, four pixels times two filters at a time.
 *
 * The taps of the pixels are gathered into a panel in scratch memory. Gathering is where the borders are handled: taps
 * outside the input read the input's zero point, whose share is already in the bias. Weights stay int8, and yet each
 * word of four is widened once only: as two signed halves w0 + 256 * w1 and w2 + 256 * w3 it meets
 *
 *   (a1, a3)                                          (w0 + 256 w1) a1 + (w2 + 256 w3) a3
 *   (256 a0 + 127 - a1, 256 a2 + 127 - a3)            w0 (256 a0 + 127 - a1) + w2 (256 a2 + 127 - a3), of its low bytes
 *
 * which is 256 times the dot product, as tg_scaled.h wants it, and 127 (w0 + w2), which is in the bias. The second
 * pair is the bytes of a word swapped in its halves, where 127 - a is a with all bits but the sign inverted.
 *
 *   panel:   [depth / 4][(a1, a3), (a0, a1, a2, a3 combined)][pixels] words
 *   weights: [filter pair][depth / 4][2 filters][two halves]
 */
#ifndef TG_CONV_2D_PAIRS_S8_H
#define TG_CONV_2D_PAIRS_S8_H

#include "tg_common.h"
#include "tg_dsp.h"
#include "tg_scaled.h"

typedef struct {
    const int8_t *weights;
    const int32_t *channels; /* as in tg_scaled.h */
    int32_t groups;          /* of four taps of a pixel */
    int32_t count;           /* filters, an even number */
    int32_t output_pitch;    /* bytes from one output pixel to the next */
    int32_t input_width;     /* pixels of an input row */
    int32_t input_pitch;     /* bytes from one input pixel to the next */
    int32_t output_width;    /* pixels of an output row */
    int32_t kernel_height;   /* row pointers the kernel is given */
    int32_t runs_per_row;    /* 1, or the kernel's width */
    int32_t run_bytes;       /* contiguous taps of a run, filled up to a multiple of four */
    int32_t stride;          /* in pixels */
    int32_t dilation;        /* in pixels */
    int32_t pad_left;        /* in pixels */
    int32_t panel_pixels;    /* 2 or 4 */
    int32_t input_zero_point;
} tg_conv_2d_pairs_s8_params;

#if TG_DSP

/* clang-format off */
/* Four taps of pixels in r12 and lr times weights in r10 and r11. */
#define TG_PAIRS_MULTIPLY_2(a0, b0, a1, b1)                                                                            \
    "smlad " a0 ", r12, r10, " a0 "\n"                                                                                 \
    "smlad " b0 ", r12, r11, " b0 "\n"                                                                                 \
    "smlad " a1 ", lr, r10, " a1 "\n"                                                                                  \
    "smlad " b1 ", lr, r11, " b1 "\n"

#define TG_PAIRS_LOW_BYTES                                                                                             \
    "sxtb16 r10, r10\n"                                                                                                \
    "sxtb16 r11, r11\n"

#define TG_PAIRS_STEP_4                                                                                                \
    "ldrd r10, r11, [r8], #8\n"                                                                                        \
    "ldrd r12, lr, [r9], #8\n" TG_PAIRS_MULTIPLY_2("r0", "r4", "r1", "r5")                                             \
    "ldrd r12, lr, [r9], #8\n" TG_PAIRS_MULTIPLY_2("r2", "r6", "r3", "r7")                                             \
    TG_PAIRS_LOW_BYTES                                                                                                 \
    "ldrd r12, lr, [r9], #8\n" TG_PAIRS_MULTIPLY_2("r0", "r4", "r1", "r5")                                             \
    "ldrd r12, lr, [r9], #8\n" TG_PAIRS_MULTIPLY_2("r2", "r6", "r3", "r7")

#define TG_PAIRS_STEP_2                                                                                                \
    "ldrd r10, r11, [r8], #8\n"                                                                                        \
    "ldrd r12, lr, [r9], #8\n" TG_PAIRS_MULTIPLY_2("r0", "r4", "r1", "r5")                                             \
    TG_PAIRS_LOW_BYTES                                                                                                 \
    "ldrd r12, lr, [r9], #8\n" TG_PAIRS_MULTIPLY_2("r0", "r4", "r1", "r5")

#define TG_PAIRS_STEP_1                                                                                                \
    "ldrd r10, r11, [r8], #8\n"                                                                                        \
    "ldrd r12, lr, [r9], #8\n"                                                                                         \
    "smlad r0, r12, r10, r0\n"                                                                                         \
    "smlad r4, r12, r11, r4\n"                                                                                         \
    TG_PAIRS_LOW_BYTES                                                                                                 \
    "smlad r0, lr, r10, r0\n"                                                                                          \
    "smlad r4, lr, r11, r4\n"

/* Sums to outputs, with the shift in r10. */
#define TG_PAIRS_SCALE(scale, acc) scale(acc, "r11") "asr " acc ", " acc ", r10\nssat " acc ", #8, " acc "\n"

/* All filters over a panel; compilers would spill much of it.
 *
 *   r0 to r3, r4 to r7 sums of a filter's pixels; r8 weights; r9 panel; r10, r11 weights; r12, lr taps;
 *   sp end of the panel, panel, out, channels, filters left, an odd number of groups, output pitch
 *
 * `copies` spread the biases in r0 and r4, `first` and `second` are the sums of the two filters as outputs, and `store`
 * writes them to r12 with the pitch in r10.
 */
#define TG_PAIRS(bytes, copies, step, first, second, store)                                                            \
    "push {r4-r11, lr}\n"                                                                                              \
    "sub sp, #28\n"                                                                                                    \
    "ldrd r8, r9, [r2]\n"                                                                                              \
    "ldrd r4, r5, [r2, #8]\n"                                                                                          \
    "ldr r6, [r2, #16]\n"                                                                                              \
    "mov r7, #" bytes "\n"                                                                                             \
    "mla r3, r4, r7, r0\n"                                                                                             \
    "and r4, r4, #1\n"                                                                                                 \
    "strd r3, r0, [sp]\n"                                                                                              \
    "strd r1, r9, [sp, #8]\n"                                                                                          \
    "strd r5, r4, [sp, #16]\n"                                                                                         \
    "str r6, [sp, #24]\n"                                                                                              \
    "0:\n"                                                                                                             \
    "ldr r9, [sp, #12]\n"                                                                                              \
    "ldr r12, [sp, #20]\n"                                                                                             \
    "ldr r0, [r9]\n"                                                                                                   \
    "ldr r4, [r9, #16]\n"                                                                                              \
    "ldr r9, [sp, #4]\n"                                                                                               \
    copies                                                                                                             \
    "cmp r12, #0\n"                                                                                                    \
    "bne 2f\n"                                                                                                         \
    "1:\n"                                                                                                             \
    step                                                                                                               \
    "2:\n"                                                                                                             \
    step                                                                                                               \
    "ldr r12, [sp]\n"                                                                                                  \
    "cmp r9, r12\n"                                                                                                    \
    "bne 1b\n"                                                                                                         \
    "ldr r9, [sp, #12]\n"                                                                                              \
    "ldr r10, [r9, #4]\n"                                                                                              \
    "ldrd r12, lr, [r9, #8]\n"                                                                                         \
    first                                                                                                              \
    "ldr r10, [r9, #20]\n"                                                                                             \
    "ldrd r12, lr, [r9, #24]\n"                                                                                        \
    second                                                                                                             \
    "add r9, r9, #32\n"                                                                                                \
    "ldr r12, [sp, #8]\n"                                                                                              \
    "ldr r10, [sp, #24]\n"                                                                                             \
    store                                                                                                              \
    "add r12, r12, #2\n"                                                                                               \
    "strd r12, r9, [sp, #8]\n"                                                                                         \
    "ldr r12, [sp, #16]\n"                                                                                             \
    "subs r12, r12, #2\n"                                                                                              \
    "str r12, [sp, #16]\n"                                                                                             \
    "bne 0b\n"                                                                                                         \
    "add sp, #28\n"                                                                                                    \
    "pop {r4-r11, pc}\n"

#define TG_PAIRS_4(scale)                                                                                              \
    TG_PAIRS("32",                                                                                                     \
        "mov r1, r0\nmov r2, r0\nmov r3, r0\nmov r5, r4\nmov r6, r4\nmov r7, r4\n",                                    \
        TG_PAIRS_STEP_4,                                                                                               \
        TG_PAIRS_SCALE(scale, "r0") TG_PAIRS_SCALE(scale, "r1") TG_PAIRS_SCALE(scale, "r2") TG_PAIRS_SCALE(scale, "r3"), \
        TG_PAIRS_SCALE(scale, "r4") TG_PAIRS_SCALE(scale, "r5") TG_PAIRS_SCALE(scale, "r6") TG_PAIRS_SCALE(scale, "r7"), \
        "bfi r0, r4, #8, #8\n"                                                                                         \
        "bfi r1, r5, #8, #8\n"                                                                                         \
        "bfi r2, r6, #8, #8\n"                                                                                         \
        "bfi r3, r7, #8, #8\n"                                                                                         \
        "add r11, r10, r10, lsl #1\n"                                                                                  \
        "strh r0, [r12]\n"                                                                                             \
        "strh r1, [r12, r10]\n"                                                                                        \
        "strh r2, [r12, r10, lsl #1]\n"                                                                                \
        "strh r3, [r12, r11]\n")

#define TG_PAIRS_2(scale)                                                                                              \
    TG_PAIRS("16",                                                                                                     \
        "mov r1, r0\nmov r5, r4\n",                                                                                    \
        TG_PAIRS_STEP_2,                                                                                               \
        TG_PAIRS_SCALE(scale, "r0") TG_PAIRS_SCALE(scale, "r1"),                                                       \
        TG_PAIRS_SCALE(scale, "r4") TG_PAIRS_SCALE(scale, "r5"),                                                       \
        "bfi r0, r4, #8, #8\n"                                                                                         \
        "bfi r1, r5, #8, #8\n"                                                                                         \
        "strh r0, [r12]\n"                                                                                             \
        "strh r1, [r12, r10]\n")

#define TG_PAIRS_1(scale)                                                                                              \
    TG_PAIRS("8", "", TG_PAIRS_STEP_1, TG_PAIRS_SCALE(scale, "r0"), TG_PAIRS_SCALE(scale, "r4"),                       \
        "bfi r0, r4, #8, #8\n"                                                                                         \
        "strh r0, [r12]\n")

#define TG_PAIRS_FUNCTION(name, pixels, linear, scale)                                                                 \
    static TG_NAKED void name(const uint32_t *panel __attribute__((unused)),                                           \
                              int8_t *out __attribute__((unused)),                                                     \
                              const tg_conv_2d_pairs_s8_params *p __attribute__((unused)))                             \
    {                                                                                                                  \
        __asm volatile(TG_PAIRS_##pixels(scale) ::: TG_NAKED_CLOBBERS);                                                \
    }

/* clang-format on */

#else

TG_INLINE void tg_conv_2d_pairs_multiply(const uint32_t *panel, int8_t *out, const tg_conv_2d_pairs_s8_params *p,
                                         const int32_t pixels, const int linear)
{
    for (int32_t c = 0; c < p->count; c++) {
        const tg_scaled_channel channel = tg_scaled(p->channels + 4 * c);
        const int8_t *weights = p->weights + c / 2 * p->groups * 8 + c % 2 * 4;
        for (int32_t x = 0; x < pixels; x++) {
            int32_t acc = channel.bias;
            for (int32_t i = 0; i < p->groups; i++) {
                const uint32_t *const taps = panel + 2 * i * pixels + x;
                const uint32_t halves = tg_load_aligned(weights + 8 * i);
                acc = tg_mac_pair(taps[pixels], tg_even_bytes(halves), tg_mac_pair(taps[0], halves, acc));
            }
            out[x * p->output_pitch + c] = tg_scaled_s8(channel, acc, linear);
        }
    }
}

#define TG_PAIRS_FUNCTION(name, pixels, linear, scale)                                                                 \
    static TG_NOINLINE void name(const uint32_t *panel, int8_t *out, const tg_conv_2d_pairs_s8_params *p)              \
    {                                                                                                                  \
        tg_conv_2d_pairs_multiply(panel, out, p, pixels, linear);                                                      \
    }

#endif

TG_PAIRS_FUNCTION(tg_conv_2d_pairs_rectified_4, 4, TG_RECTIFIED, TG_ASM_RECTIFIED)
TG_PAIRS_FUNCTION(tg_conv_2d_pairs_rectified_2, 2, TG_RECTIFIED, TG_ASM_RECTIFIED)
TG_PAIRS_FUNCTION(tg_conv_2d_pairs_rectified_1, 1, TG_RECTIFIED, TG_ASM_RECTIFIED)
TG_PAIRS_FUNCTION(tg_conv_2d_pairs_linear_4, 4, TG_LINEAR, TG_ASM_LINEAR)
TG_PAIRS_FUNCTION(tg_conv_2d_pairs_linear_2, 2, TG_LINEAR, TG_ASM_LINEAR)
TG_PAIRS_FUNCTION(tg_conv_2d_pairs_linear_1, 1, TG_LINEAR, TG_ASM_LINEAR)

TG_INLINE uint32_t *tg_conv_2d_pairs_put(uint32_t *panel, int32_t pixels, uint32_t taps)
{
    panel[0] = tg_odd_bytes(taps);
    panel[pixels] = ((taps & 0x00ff00ff) << 8 | (taps >> 8 & 0x00ff00ff)) ^ 0x007f007f;
    return panel + 2 * pixels;
}

/* A run that lies outside the input, in part or whole: the bytes in [0, row_bytes) of the row are real. */
static TG_NOINLINE uint32_t *tg_conv_2d_pairs_border(const tg_conv_2d_pairs_s8_params *p, uint32_t *panel,
                                                     int32_t pixels, const int8_t *row, int32_t offset)
{
    const int32_t row_bytes = row ? p->input_width * p->input_pitch : 0;
    for (int32_t i = 0; i < p->run_bytes; i += 4) {
        uint32_t taps = 0;
        for (int32_t k = 0; k < 4; k++) {
            const int32_t at = offset + i + k;
            const int32_t tap = at >= 0 && at < row_bytes ? row[at] : p->input_zero_point;
            taps |= (uint32_t)(uint8_t)tap << (8 * k);
        }
        panel = tg_conv_2d_pairs_put(panel, pixels, taps);
    }
    return panel;
}

/* Gathers the taps of output pixel x; `pixels` is the number of pixels side by side in the panel. */
static TG_NOINLINE void tg_conv_2d_pairs_gather(const tg_conv_2d_pairs_s8_params *p, const void *const *rows, int32_t x,
                                                uint32_t *panel, int32_t pixels)
{
    const int32_t row_bytes = p->input_width * p->input_pitch;
    for (int32_t ky = 0; ky < p->kernel_height; ky++) {
        const int8_t *row = rows[ky];
        int32_t offset = (x * p->stride - p->pad_left) * p->input_pitch;
        for (int32_t run = 0; run < p->runs_per_row; run++, offset += p->dilation * p->input_pitch) {
            if (!row || offset < 0 || offset + p->run_bytes > row_bytes) {
                panel = tg_conv_2d_pairs_border(p, panel, pixels, row, offset);
                continue;
            }
            const int8_t *taps = row + offset;
            int32_t left = p->run_bytes;
            for (; left >= 4; left -= 4, taps += 4) {
                panel = tg_conv_2d_pairs_put(panel, pixels, tg_load_word(taps));
            }
            if (left > 0) {
                uint32_t tail = 0;
                memcpy(&tail, taps, (size_t)left);
                panel = tg_conv_2d_pairs_put(panel, pixels, tail);
            }
        }
    }
}

/* Each function is called by its name: through a pointer, the stack that a firmware needs could not be bounded. */
TG_INLINE void tg_conv_2d_pairs_row(const tg_conv_2d_pairs_s8_params *p, const void *const *rows, int8_t *out,
                                    uint32_t *panel, const int linear)
{
    for (int32_t x = 0, pixels; x < p->output_width; x += pixels, out += pixels * p->output_pitch) {
        const int32_t left = p->output_width - x;
        pixels = left >= 4 && p->panel_pixels == 4 ? 4 : left >= 2 ? 2 : 1;
        for (int32_t i = 0; i < pixels; i++) {
            tg_conv_2d_pairs_gather(p, rows, x + i, panel + i, pixels);
        }
        if (pixels == 4) {
            if (linear) {
                tg_conv_2d_pairs_linear_4(panel, out, p);
            } else {
                tg_conv_2d_pairs_rectified_4(panel, out, p);
            }
        } else if (pixels == 2) {
            if (linear) {
                tg_conv_2d_pairs_linear_2(panel, out, p);
            } else {
                tg_conv_2d_pairs_rectified_2(panel, out, p);
            }
        } else if (linear) {
            tg_conv_2d_pairs_linear_1(panel, out, p);
        } else {
            tg_conv_2d_pairs_rectified_1(panel, out, p);
        }
    }
}

/* Outputs below the zero point differ. */
static TG_NOINLINE void tg_conv_2d_pairs_linear_s8(const tg_conv_2d_pairs_s8_params *p, const void *const *rows,
                                                   void *out, void *scratch)
{
    tg_conv_2d_pairs_row(p, rows, out, scratch, TG_LINEAR);
}

/* They do not. */
static TG_NOINLINE void tg_conv_2d_pairs_rectified_s8(const tg_conv_2d_pairs_s8_params *p, const void *const *rows,
                                                      void *out, void *scratch)
{
    tg_conv_2d_pairs_row(p, rows, out, scratch, TG_RECTIFIED);
}

#endif
