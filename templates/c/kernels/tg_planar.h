/* Planes of pixels for depthwise_conv_2d_planar_s8.h: how they are filled and multiplied, with DSP instructions and
 * without. */
#ifndef TG_PLANAR_H
#define TG_PLANAR_H

#include "tg_common.h"
#include "tg_dsp.h"
#include "tg_scaled.h"

/* How pixels of four channels come into their planes. */
typedef struct {
    int32_t pitch;       /* bytes from one input pixel to the next */
    int32_t plane_bytes; /* from a plane to the next */
    int32_t channel;     /* the first of the four */
    uint32_t zero;       /* four zero points */
    int32_t head;        /* the first word is a zero point and a pixel */
    int32_t words;       /* that end with a pixel */
    int32_t tail;        /* the last word is a pixel and a zero point */
    int32_t back;        /* bytes from behind the last word of a row to the first of the next */
} tg_planar_spread_params;

#if TG_DSP

/* clang-format off */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter" /* assembly uses them */

/* The pixels of four channels in r5 and r6 as a word of each plane. */
#define TG_PLANAR_PUT                                                                                                  \
    "pkhbt r4, r5, r6, lsl #16\n"                                                                                      \
    "pkhtb r5, r6, r5, asr #16\n"                                                                                      \
    "sxtb16 r6, r4\n"                                                                                                  \
    "sxtb16 r4, r4, ror #8\n"                                                                                          \
    "sxtb16 r7, r5\n"                                                                                                  \
    "sxtb16 r5, r5, ror #8\n"                                                                                          \
    "str r6, [r2]\n"                                                                                                   \
    "str r4, [r2, r8]\n"                                                                                               \
    "str r7, [r2, r9]\n"                                                                                               \
    "str r5, [r2, r10]\n"                                                                                              \
    "add r2, r2, #12\n"

/* Four channels of three input rows into their planes; NULL rows are left out.
 *
 *   r0 rows; r1 words left; r2 to; r3 pitch; r4 to r7 pixels; r8 to r10 one to three planes; r11 in; r12 p; lr rows left
 */
static TG_NAKED void tg_planar_spread(const void *const *rows, const tg_planar_spread_params *p, uint32_t *planes)
{
    __asm volatile(
        "push {r4-r11, lr}\n"
        "mov r12, r1\n"
        "ldrd r3, r8, [r12]\n"
        "add r9, r8, r8\n"
        "add r10, r9, r8\n"
        "mov lr, #3\n"
        "0:\n"
        "ldr r11, [r0], #4\n"
        "cmp r11, #0\n"
        "beq 5f\n"
        "ldrd r4, r5, [r12, #8]\n"
        "ldrd r6, r1, [r12, #16]\n"
        "add r11, r11, r4\n"
        "cbz r1, 3f\n"
        "cbz r6, 1f\n"
        "sub r11, r11, r3\n"
        "b 2f\n"
        "1:\n"
        "ldr r5, [r11]\n"
        "2:\n"
        "ldr r6, [r11, r3]\n"
        "add r11, r11, r3, lsl #1\n"
        TG_PLANAR_PUT
        "subs r1, r1, #1\n"
        "bne 1b\n"
        "3:\n"
        "ldrd r1, r4, [r12, #24]\n"
        "cbz r1, 4f\n"
        "ldr r5, [r11]\n"
        "ldr r6, [r12, #12]\n"
        TG_PLANAR_PUT
        "ldr r4, [r12, #28]\n"
        "4:\n"
        "add r2, r2, r4\n"
        "subs lr, lr, #1\n"
        "bne 0b\n"
        "pop {r4-r11, pc}\n"
        "5:\n"
        "add r2, r2, #4\n"
        "subs lr, lr, #1\n"
        "bne 0b\n"
        "pop {r4-r11, pc}\n"
        ::: TG_NAKED_CLOBBERS);
}

/* A row of `count` output channels, two outputs at a time; compilers would spill much of it.
 *
 *   r0 taps; r1 to r3 (w0, w1) of the rows, r4 to r6 (w1, w2); r7, r8 sums; r9, r10 taps; r11 out; r12 multiplier;
 *   lr rounding; sp bias, shift, pitch, end of the taps of pairs of outputs, then r0 to r3 as they were given;
 *   sp + 68 width, pitch, plane_bytes, count
 *
 * `step` is the bytes of taps from a pair of outputs to the next. The last of an odd number is on its own.
 */
#define TG_PLANAR_CHANNELS(step, products, scale)                                                                      \
    "push {r4-r11, lr}\n"                                                                                              \
    "push {r0-r3}\n"                                                                                                   \
    "sub sp, #16\n"                                                                                                    \
    "0:\n"                                                                                                             \
    "ldrd r0, r11, [sp, #16]\n"                                                                                        \
    "ldrd r2, r3, [sp, #24]\n"                                                                                         \
    "ldm r2!, {r4, r5, r6}\n"                                                                                          \
    "ldm r3!, {r8, r9, r12, lr}\n"                                                                                     \
    "strd r2, r3, [sp, #24]\n"                                                                                         \
    "strd r8, r9, [sp]\n"                                                                                              \
    "mov r10, #0xff00ff00\n"                                                                                           \
    "and r1, r10, r4, lsl #8\n"                                                                                        \
    "and r2, r10, r5, lsl #8\n"                                                                                        \
    "and r3, r10, r6, lsl #8\n"                                                                                        \
    "and r4, r4, r10\n"                                                                                                \
    "and r5, r5, r10\n"                                                                                                \
    "and r6, r6, r10\n"                                                                                                \
    "ldrd r8, r9, [sp, #68]\n"                                                                                         \
    "mov r10, #" step "\n"                                                                                             \
    "lsrs r7, r8, #1\n"                                                                                                \
    "mla r10, r7, r10, r0\n"                                                                                           \
    "strd r9, r10, [sp, #8]\n"                                                                                         \
    "beq 2f\n"                                                                                                         \
    "1:\n"                                                                                                             \
    "ldr r7, [sp]\n"                                                                                                   \
    products                                                                                                           \
    scale("r7", "r9")                                                                                                  \
    scale("r8", "r9")                                                                                                  \
    "ldrd r9, r10, [sp, #4]\n"                                                                                         \
    "asr r7, r7, r9\n"                                                                                                 \
    "asr r8, r8, r9\n"                                                                                                 \
    "ssat r7, #8, r7\n"                                                                                                \
    "ssat r8, #8, r8\n"                                                                                                \
    "strb r7, [r11]\n"                                                                                                 \
    "strb r8, [r11, r10]\n"                                                                                            \
    "add r11, r11, r10, lsl #1\n"                                                                                      \
    "ldr r9, [sp, #12]\n"                                                                                              \
    "cmp r0, r9\n"                                                                                                     \
    "bne 1b\n"                                                                                                         \
    "2:\n"                                                                                                             \
    "ldr r8, [sp, #68]\n"                                                                                              \
    "lsls r8, r8, #31\n"                                                                                               \
    "beq 3f\n"                                                                                                         \
    "ldr r7, [sp]\n"                                                                                                   \
    "ldrd r9, r10, [r0]\n"                                                                                             \
    "smlad r7, r9, r1, r7\n"                                                                                           \
    "smlad r7, r10, r2, r7\n"                                                                                          \
    "ldrd r9, r10, [r0, #8]\n"                                                                                         \
    "smlad r7, r9, r3, r7\n"                                                                                           \
    "smlabt r7, r10, r4, r7\n"                                                                                         \
    "ldrd r9, r10, [r0, #16]\n"                                                                                        \
    "smlabt r7, r9, r5, r7\n"                                                                                          \
    "smlabt r7, r10, r6, r7\n"                                                                                         \
    scale("r7", "r9")                                                                                                  \
    "ldr r9, [sp, #4]\n"                                                                                               \
    "asr r7, r7, r9\n"                                                                                                 \
    "ssat r7, #8, r7\n"                                                                                                \
    "strb r7, [r11]\n"                                                                                                 \
    "3:\n"                                                                                                             \
    "ldrd r0, r11, [sp, #16]\n"                                                                                        \
    "ldrd r9, r10, [sp, #76]\n"                                                                                        \
    "add r0, r0, r9\n"                                                                                                 \
    "add r11, r11, #1\n"                                                                                               \
    "strd r0, r11, [sp, #16]\n"                                                                                        \
    "subs r10, r10, #1\n"                                                                                              \
    "str r10, [sp, #80]\n"                                                                                             \
    "bne 0b\n"                                                                                                         \
    "add sp, #32\n"                                                                                                    \
    "pop {r4-r11, pc}\n"

/* Stride 1: r7 is the output in the even column, r8 that in the odd one. */
#define TG_PLANAR_NEXT                                                                                                 \
    "ldrd r9, r10, [r0], #8\n"                                                                                         \
    "smlatb r8, r9, r1, r7\n"                                                                                          \
    "smlad r7, r9, r1, r7\n"                                                                                           \
    "smlatb r8, r10, r2, r8\n"                                                                                         \
    "smlad r7, r10, r2, r7\n"                                                                                          \
    "ldrd r9, r10, [r0], #8\n"                                                                                         \
    "smlatb r8, r9, r3, r8\n"                                                                                          \
    "smlad r7, r9, r3, r7\n"                                                                                           \
    "smlad r8, r10, r4, r8\n"                                                                                          \
    "smlabt r7, r10, r4, r7\n"                                                                                         \
    "ldrd r9, r10, [r0], #-4\n"                                                                                        \
    "smlad r8, r9, r5, r8\n"                                                                                           \
    "smlabt r7, r9, r5, r7\n"                                                                                          \
    "smlad r8, r10, r6, r8\n"                                                                                          \
    "smlabt r7, r10, r6, r7\n"

/* Stride 2: both are in even columns, and share the words between. */
#define TG_PLANAR_SECOND_NEXT                                                                                          \
    "mov r8, r7\n"                                                                                                     \
    "ldrd r9, r10, [r0], #8\n"                                                                                         \
    "smlad r7, r9, r1, r7\n"                                                                                           \
    "smlad r7, r10, r2, r7\n"                                                                                          \
    "ldrd r9, r10, [r0], #8\n"                                                                                         \
    "smlad r7, r9, r3, r7\n"                                                                                           \
    "smlabt r7, r10, r4, r7\n"                                                                                         \
    "smlad r8, r10, r1, r8\n"                                                                                          \
    "ldrd r9, r10, [r0], #8\n"                                                                                         \
    "smlabt r7, r9, r5, r7\n"                                                                                          \
    "smlad r8, r9, r2, r8\n"                                                                                           \
    "smlabt r7, r10, r6, r7\n"                                                                                         \
    "smlad r8, r10, r3, r8\n"                                                                                          \
    "ldrd r9, r10, [r0]\n"                                                                                             \
    "smlabt r8, r9, r4, r8\n"                                                                                          \
    "smlabt r8, r10, r5, r8\n"                                                                                         \
    "ldr r9, [r0, #8]\n"                                                                                               \
    "smlabt r8, r9, r6, r8\n"

#define TG_PLANAR_FUNCTION(name, step, products, scale)                                                                \
    static TG_NAKED void name(const uint32_t *taps, int8_t *out, const int8_t *weights, const int32_t *channels,       \
                              int32_t width, int32_t pitch, int32_t plane_bytes, int32_t count)                        \
    {                                                                                                                  \
        __asm volatile(TG_PLANAR_CHANNELS(step, products, scale) ::: TG_NAKED_CLOBBERS);                               \
    }

TG_PLANAR_FUNCTION(tg_planar_rectified, "12", TG_PLANAR_NEXT, TG_ASM_RECTIFIED)
TG_PLANAR_FUNCTION(tg_planar_linear, "12", TG_PLANAR_NEXT, TG_ASM_LINEAR)
TG_PLANAR_FUNCTION(tg_planar_second_rectified, "24", TG_PLANAR_SECOND_NEXT, TG_ASM_RECTIFIED)
TG_PLANAR_FUNCTION(tg_planar_second_linear, "24", TG_PLANAR_SECOND_NEXT, TG_ASM_LINEAR)

#pragma GCC diagnostic pop
/* clang-format on */

#else

/* Two pixels of four channels into their planes. */
TG_INLINE uint32_t *tg_planar_put(uint32_t *to, int32_t plane, uint32_t left, uint32_t right)
{
    const uint32_t first = tg_join_low(left, right), last = tg_join_high(left, right);
    to[0] = tg_even_bytes(first);
    to[plane] = tg_odd_bytes(first);
    to[2 * plane] = tg_even_bytes(last);
    to[3 * plane] = tg_odd_bytes(last);
    return to + 3;
}

/* Four channels of three input rows into their planes; NULL rows are left out. */
static TG_NOINLINE void tg_planar_spread(const void *const *rows, const tg_planar_spread_params *p, uint32_t *planes)
{
    const int32_t plane = p->plane_bytes / 4;
    for (int32_t ky = 0; ky < 3; ky++) {
        const int8_t *in = rows[ky];
        uint32_t *to = planes + ky;
        if (!in) {
            continue;
        }
        in += p->channel;
        for (int32_t i = 0; i < p->words; i++) {
            uint32_t left = p->zero;
            if (i > 0 || !p->head) {
                left = tg_load_word(in);
                in += p->pitch;
            }
            to = tg_planar_put(to, plane, left, tg_load_word(in));
            in += p->pitch;
        }
        if (p->tail) {
            tg_planar_put(to, plane, tg_load_word(in), p->zero);
        }
    }
}

/* A row of `count` output channels, whose planes are `plane_bytes` apart. */
TG_INLINE void tg_planar_channels(const uint32_t *taps, int8_t *out, const int8_t *weights, const int32_t *channels,
                                  int32_t width, int32_t pitch, int32_t plane_bytes, int32_t count, const int stride,
                                  const int linear)
{
    for (int32_t c = 0; c < count; c++, taps += plane_bytes / 4, weights += 12) {
        const tg_scaled_channel channel = tg_scaled(channels + 4 * c);
        for (int32_t x = 0; x < width; x++) {
            const uint32_t *tap = taps + (stride == 1 ? x / 2 : x) * 3;
            int32_t acc = channel.bias;
            for (int32_t ky = 0; ky < 3; ky++, tap++) {
                const uint32_t word = tg_load_aligned(weights + 4 * ky);
                const uint32_t first = word << 8 & 0xff00ff00, last = word & 0xff00ff00;
                if (stride == 1 && x % 2) {
                    acc = tg_mac_pair(tap[3], last, tg_mac_high_low(tap[0], first, acc));
                } else {
                    acc = tg_mac_low_high(tap[3], last, tg_mac_pair(tap[0], first, acc));
                }
            }
            out[x * pitch + c] = tg_scaled_s8(channel, acc, linear);
        }
    }
}

#define TG_PLANAR_FUNCTION(name, stride, linear)                                                                       \
    static TG_NOINLINE void name(const uint32_t *taps, int8_t *out, const int8_t *weights, const int32_t *channels,    \
                                 int32_t width, int32_t pitch, int32_t plane_bytes, int32_t count)                     \
    {                                                                                                                  \
        tg_planar_channels(taps, out, weights, channels, width, pitch, plane_bytes, count, stride, linear);            \
    }

TG_PLANAR_FUNCTION(tg_planar_rectified, 1, TG_RECTIFIED)
TG_PLANAR_FUNCTION(tg_planar_linear, 1, TG_LINEAR)
TG_PLANAR_FUNCTION(tg_planar_second_rectified, 2, TG_RECTIFIED)
TG_PLANAR_FUNCTION(tg_planar_second_linear, 2, TG_LINEAR)

#endif

#endif
