/* Helium (MVE) as the kernels use it: dot products of sixteen int8 at a time, and requantization of four int32.
 *
 * Without Helium the same intrinsics are plain C: kernels made for a Cortex-M55 also run, slowly, on any other core.
 */
#ifndef TG_MVE_H
#define TG_MVE_H

#include "tg_common.h"
#include "tg_requantize.h"

#if defined(__ARM_FEATURE_MVE) && !defined(TG_MVE_PLAIN)
#include <arm_mve.h>
#define TG_MVE 1
#else
#include "tg_mve_plain.h"
#define TG_MVE 0
#endif

TG_INLINE void tg_mve_copy(int8_t *to, const int8_t *from, int32_t bytes)
{
    for (; bytes >= 16; bytes -= 16, to += 16, from += 16) {
        vstrbq_s8(to, vldrbq_s8(from));
    }
    if (bytes > 0) {
        const mve_pred16_t lanes = vctp8q((uint32_t)bytes);
        vstrbq_p_s8(to, vldrbq_z_s8(from, lanes), lanes);
    }
}

TG_INLINE void tg_mve_fill(int8_t *to, int8_t value, int32_t bytes)
{
    for (; bytes > 0; bytes -= 16, to += 16) {
        vstrbq_p_s8(to, vdupq_n_s8(value), vctp8q((uint32_t)bytes));
    }
}

/* The dot product of 16 * chunks int8. */
TG_INLINE int32_t tg_mve_dot(const int8_t *a, const int8_t *w, int32_t chunks)
{
    int32_t acc = 0;
    for (; chunks > 0; chunks--, a += 16, w += 16) {
        acc = vmladavaq_s8(acc, vldrbq_s8(a), vldrbq_s8(w));
    }
    return acc;
}

/* Accumulators that are computed and then requantized together. */
#define TG_MVE_BLOCK 16

/* Dot products of one or two vectors with groups of four filters of 16 * chunks + tail taps, 1 to 16 of them the tail.
 * a and b point to their last taps, which zeros follow up to 16. */
typedef struct {
    const int8_t *a;
    const int8_t *b;
    int32_t chunks;
    int32_t tail;
    const int8_t *weights; /* [groups], each [4 filters][tail], then backwards [chunks][4 filters][16 taps] */
    int32_t *sums;         /* [groups][vectors][4 filters] */
    int32_t *end;          /* of the sums */
} tg_mve_dots;

#if TG_MVE

/* Accumulators have to be in even registers, and all eight there are hold one: no compiler can be asked for that. */
#define TG_MVE_2X4(MULTIPLY, NEXT)                                                                                     \
    "vldrb.8 q0, [r1], #-16\n\t"                                                                                       \
    "vldrb.8 q2, [r5]" NEXT "vldrb.8 q1, [r3], #-16\n\t" MULTIPLY " r0, q0, q2\n\t"                                    \
    "vldrb.8 q3, [r5]" NEXT MULTIPLY " r8, q1, q2\n\t" MULTIPLY " r2, q0, q3\n\t"                                      \
    "vldrb.8 q2, [r5]" NEXT MULTIPLY " r10, q1, q3\n\t" MULTIPLY " r4, q0, q2\n\t"                                     \
    "vldrb.8 q3, [r5]" NEXT MULTIPLY " r12, q1, q2\n\t" MULTIPLY " r6, q0, q3\n\t" MULTIPLY " r14, q1, q3\n\t"

#define TG_MVE_1X4(MULTIPLY, NEXT)                                                                                     \
    "vldrb.8 q0, [r1], #-16\n\t"                                                                                       \
    "vldrb.8 q2, [r5]" NEXT "vldrb.8 q3, [r5]" NEXT MULTIPLY " r0, q0, q2\n\t"                                         \
    "vldrb.8 q2, [r5]" NEXT MULTIPLY " r2, q0, q3\n\t"                                                                 \
    "vldrb.8 q3, [r5]" NEXT MULTIPLY " r4, q0, q2\n\t" MULTIPLY " r6, q0, q3\n\t"

/* r11 is the argument; a group is the tail, then r7 chunks. */
#define TG_MVE_GROUPS(STEP, STORE)                                                                                     \
    "push {r4-r11, lr}\n\t"                                                                                            \
    "mov r11, r0\n\t"                                                                                                  \
    "ldr r5, [r11, #16]\n"                                                                                             \
    "1:\n\t"                                                                                                           \
    "ldrd r1, r3, [r11]\n\t"                                                                                           \
    "ldrd r7, r9, [r11, #8]\n\t" STEP("vmladav.s8", "\n\tadd r5, r5, r9\n\t") /* */                                    \
        "b 3f\n"                                                                                                       \
        "2:\n\t" STEP("vmladava.s8", ", #16\n\t") /* */                                                                \
        "3:\n\t"                                                                                                       \
        "subs r7, r7, #1\n\t"                                                                                          \
        "bpl 2b\n\t"                                                                                                   \
        "ldrd r1, r3, [r11, #20]\n\t" STORE "str r1, [r11, #20]\n\t"                                                   \
        "cmp r1, r3\n\t"                                                                                               \
        "bne 1b\n\t"                                                                                                   \
        "str r5, [r11, #16]\n\t"                                                                                       \
        "pop {r4-r11, pc}"

/* Two vectors; leaves `weights` at what follows, `sums` at their end. */
static TG_NAKED void tg_mve_dots_2x4(tg_mve_dots *dots __attribute__((unused)))
{
    __asm(TG_MVE_GROUPS(TG_MVE_2X4, "strd r0, r2, [r1], #8\n\t"
                                    "strd r4, r6, [r1], #8\n\t"
                                    "strd r8, r10, [r1], #8\n\t"
                                    "strd r12, r14, [r1], #8\n\t"));
}

/* The vector a alone. */
static TG_NAKED void tg_mve_dots_1x4(tg_mve_dots *dots __attribute__((unused)))
{
    __asm(TG_MVE_GROUPS(TG_MVE_1X4, "strd r0, r2, [r1], #8\n\t"
                                    "strd r4, r6, [r1], #8\n\t"));
}

#else

TG_INLINE void tg_mve_dots_nx4(tg_mve_dots *dots, const int vectors)
{
    for (; dots->sums != dots->end; dots->sums += 4 * vectors) {
        memset(dots->sums, 0, (size_t)vectors * 4 * sizeof *dots->sums);
        for (int32_t chunk = 0; chunk <= dots->chunks; chunk++) {
            for (int32_t f = 0; f < 4; f++, dots->weights += chunk ? 16 : dots->tail) {
                for (int32_t v = 0; v < vectors; v++) {
                    const int8x16_t taps = vldrbq_s8((v ? dots->b : dots->a) - 16 * chunk);
                    int32_t *const sum = dots->sums + 4 * v + f;
                    *sum = vmladavaq_s8(*sum, taps, vldrbq_s8(dots->weights));
                }
            }
        }
    }
}

static TG_NOINLINE void tg_mve_dots_2x4(tg_mve_dots *dots)
{
    tg_mve_dots_nx4(dots, 2);
}

static TG_NOINLINE void tg_mve_dots_1x4(tg_mve_dots *dots)
{
    tg_mve_dots_nx4(dots, 1);
}

#endif

/* TFLite's two roundings of acc * multiplier * 2^(shift - 31): VQRDMULH is the first. The second is half away from
 * zero, where VRSHL rounds half up: negative values get one less before it. That makes no difference to values that
 * an activation clamps at zero; `simple` is for those, when no shift is to the left. */
TG_INLINE int32x4_t tg_mve_requantize(int32x4_t acc, int32x4_t multiplier, int32x4_t shift, const int simple)
{
    if (simple) {
        return vrshlq_s32(vqrdmulhq_s32(acc, multiplier), shift);
    }
    const int32x4_t zero = vdupq_n_s32(0);
    const int32x4_t right = vminq_s32(shift, zero);
    const int32x4_t x = vqrdmulhq_s32(vshlq_s32(acc, vmaxq_s32(shift, zero)), multiplier);
    return vrshlq_s32(vaddq_s32(x, vshrq_n_s32(vandq_s32(x, right), 31)), right);
}

/* Outputs of `count` channels from c on, of one or two pixels, from the sums that tg_mve_dots leaves; the second
 * pixel's outputs are `next` bytes on. */
TG_INLINE void tg_mve_requantize_s8(const tg_requantize_s8_params *p, int32_t c, int32_t count, const int32_t *sums,
                                    int8_t *out, int32_t next, const int pixels, const int simple)
{
    const int32x4_t low = vdupq_n_s32(p->activation_min), high = vdupq_n_s32(p->activation_max);
    const int32_t zero_point = p->zero_point;
    const int32_t *bias = p->bias + c, *multipliers = p->multiplier + c;
    const int8_t *shifts = p->shift + c;
    for (; count >= 4; count -= 4, bias += 4, multipliers += 4, shifts += 4, sums += 4 * pixels, out += 4) {
        const int32x4_t start = vldrwq_s32(bias), multiplier = vldrwq_s32(multipliers), shift = vldrbq_s32(shifts);
        int32x4_t x = tg_mve_requantize(vaddq_s32(vldrwq_s32(sums), start), multiplier, shift, simple);
        vstrbq_s32(out, vminq_s32(vmaxq_s32(vaddq_n_s32(x, zero_point), low), high));
        if (pixels > 1) {
            x = tg_mve_requantize(vaddq_s32(vldrwq_s32(sums + 4), start), multiplier, shift, simple);
            vstrbq_s32(out + next, vminq_s32(vmaxq_s32(vaddq_n_s32(x, zero_point), low), high));
        }
    }
}

#endif
