/* Depthwise 2-D convolution, int8, windows of up to 4x4, stride 1 or 2, for Helium (MVE): one output row at a time,
 * eight or sixteen channels after another.
 *
 * The input rows of a window are interleaved in scratch memory, with the zero point where the window leaves the input,
 * so that the multiply loops know no borders. The zero point's share is already in the bias. Then a word is a channel
 * of a pixel in four rows, and four words that are a column apart are all taps of an output: a gather and a
 * multiplication each. Four outputs of one channel are requantized together and scattered to their pixels.
 *
 *   scratch:  [column][8 or 16 channels][4 rows]; a column is written as sixteen channels, and the next over it
 *   weights:  [channel][4 columns][4 rows], missing ones zero
 *   channels: [channel][bias, multiplier, shift to the right as a negative number], and in the general form
 *             [..., shift to the left, 1 where the shift to the right is not 0]
 */
#ifndef TG_DEPTHWISE_CONV_2D_MVE_S8_H
#define TG_DEPTHWISE_CONV_2D_MVE_S8_H

#include "tg_mve.h"

typedef struct {
    int32_t input_width;   /* pixels of an input row */
    int32_t input_pitch;   /* bytes from one input pixel to the next */
    int32_t output_width;  /* pixels of an output row */
    int32_t output_pitch;  /* bytes from one output pixel to the next */
    int32_t count;         /* channels */
    int32_t kernel_height; /* row pointers the kernel is given, four at most */
    int32_t kernel_width;  /* four at most */
    int32_t stride;        /* in pixels: 1 or 2 */
    int32_t dilation;      /* in pixels */
    int32_t pad_left;      /* in pixels */
    int32_t group;         /* channels after another: 8 or 16 */
    int32_t span;          /* output pixels that scratch memory has the columns of; a multiple of four */
    int32_t input_zero_point;
    int32_t zero_point; /* of the output */
    int32_t activation_min;
    int32_t activation_max;
    const int8_t *weights;
    const int32_t *channels;
} tg_depthwise_conv_2d_mve_s8_params;

/* Four rows on their way into scratch memory. */
typedef struct {
    const int8_t *rows[4];
    int32_t pitches[4]; /* bytes to the next pixel; 0 repeats one */
    int32_t column;     /* bytes */
} tg_mve_rows;

/* Outputs of a group of channels. */
typedef struct {
    const int8_t *columns;
    int8_t *out;
    const int8_t *weights;
    const int32_t *channels;
    int32_t pixels; /* left */
    int32_t count;  /* channels */
    int32_t step;   /* bytes of columns that four outputs go on by */
    int32_t output_pitch;
    int32_t dilation; /* in bytes of columns */
    int32_t last;     /* column of the window */
    int32_t zero_point;
    int32_t activation_min;
    int32_t activation_max;
} tg_mve_planes;

#if TG_MVE

/* clang-format off */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter" /* assembly uses them */

/* Columns of up to sixteen channels, at least one.
 *
 *   r3 to; r4 to r7 rows; r8 to r11 pitches; r12 bytes of a column; lr columns left
 */
static TG_NAKED void tg_mve_interleave(const tg_mve_rows *rows, int32_t columns, int32_t channels, int8_t *to)
{
    __asm volatile(
        "push {r4-r11, lr}\n"
        "vctp.8 r2\n"
        "dls lr, r1\n"
        "ldr r12, [r0, #32]\n"
        "ldm r0, {r4-r11}\n"
        "1:\n"
        "vpstttt\n"
        "vldrbt.8 q0, [r4]\n"
        "vldrbt.8 q1, [r5]\n"
        "vldrbt.8 q2, [r6]\n"
        "vldrbt.8 q3, [r7]\n"
        "vst40.8 {q0, q1, q2, q3}, [r3]\n"
        "vst41.8 {q0, q1, q2, q3}, [r3]\n"
        "vst42.8 {q0, q1, q2, q3}, [r3]\n"
        "vst43.8 {q0, q1, q2, q3}, [r3]\n"
        "add r3, r3, r12\n"
        "add r4, r4, r8\n"
        "add r5, r5, r9\n"
        "add r6, r6, r10\n"
        "add r7, r7, r11\n"
        "le lr, 1b\n"
        "pop {r4-r11, pc}\n");
}

/* The sums of four outputs are in r0, r2, r4 and r6, as only even registers can accumulate.
 *
 *   r1 weights; r3, r5, r7 and up a channel's constants; r10 out; r11 zero point; r12 channels; lr channels left;
 *   q0 weights; q1, q2 taps, then outputs; q3 places of a window's columns; q4 places of outputs; q5, q6 limits;
 *   q7 addresses of a window's columns
 */
#define TG_MVE_PLANES(second, third, fourth, constants, scale)                                                         \
    "push {r0, r4-r11, lr}\n"                                                                                          \
    "vpush {d8-d15}\n"                                                                                                 \
    "ldrd r11, r5, [r0, #40]\n"                                                                                        \
    "ldr r6, [r0, #48]\n"                                                                                              \
    "vdup.32 q5, r5\n"                                                                                                 \
    "vdup.32 q6, r6\n"                                                                                                 \
    "movs r2, #0\n"                                                                                                    \
    "vidup.u32 q3, r2, #1\n"                                                                                           \
    "ldrd r4, r5, [r0, #28]\n"                                                                                         \
    "ldr r6, [r0, #36]\n"                                                                                              \
    "vmul.i32 q4, q3, r4\n"                                                                                            \
    "vdup.32 q7, r6\n"                                                                                                 \
    "vmin.u32 q3, q3, q7\n"                                                                                            \
    "vmul.i32 q3, q3, r5\n"                                                                                            \
    "0:\n"                                                                                                             \
    "ldrd r4, r10, [r0]\n"                                                                                             \
    "ldrd r5, r3, [r0, #16]\n"                                                                                         \
    "ldrd r6, r7, [r0, #24]\n"                                                                                         \
    "vctp.32 r5\n"                                                                                                     \
    "subs r5, r5, #4\n"                                                                                                \
    "str r5, [r0, #16]\n"                                                                                              \
    "add r6, r6, r4\n"                                                                                                 \
    "add r7, r10, r7, lsl #2\n"                                                                                        \
    "strd r6, r7, [r0]\n"                                                                                              \
    "subs r4, r4, #4\n"                                                                                                \
    "vadd.i32 q7, q3, r4\n"                                                                                            \
    "ldrd r1, r12, [r0, #8]\n"                                                                                         \
    "dls lr, r3\n"                                                                                                     \
    "1:\n"                                                                                                             \
    "vldrw.32 q0, [r1], #16\n"                                                                                         \
    "vldrw.32 q1, [q7, #4]!\n"                                                                                         \
    "vldrw.32 q2, [q7, #" second "]\n"                                                                                 \
    "vmladav.s8 r0, q0, q1\n"                                                                                          \
    "vldrw.32 q1, [q7, #" third "]\n"                                                                                  \
    "vmladav.s8 r2, q0, q2\n"                                                                                          \
    "vldrw.32 q2, [q7, #" fourth "]\n"                                                                                 \
    "vmladav.s8 r4, q0, q1\n"                                                                                          \
    "ldm r12!, {" constants "}\n"                                                                                      \
    "vmladav.s8 r6, q0, q2\n"                                                                                          \
    "vmov q1[2], q1[0], r0, r4\n"                                                                                      \
    "vmov q1[3], q1[1], r2, r6\n"                                                                                      \
    "vadd.i32 q1, q1, r3\n"                                                                                            \
    scale                                                                                                              \
    "vadd.i32 q1, q1, r11\n"                                                                                           \
    "vmax.s32 q1, q1, q5\n"                                                                                            \
    "vmin.s32 q1, q1, q6\n"                                                                                            \
    "vpst\n"                                                                                                           \
    "vstrbt.32 q1, [r10, q4]\n"                                                                                        \
    "adds r10, r10, #1\n"                                                                                              \
    "le lr, 1b\n"                                                                                                      \
    "ldr r0, [sp, #64]\n"                                                                                              \
    "ldr r5, [r0, #16]\n"                                                                                              \
    "cmp r5, #0\n"                                                                                                     \
    "bgt 0b\n"                                                                                                         \
    "vpop {d8-d15}\n"                                                                                                  \
    "pop {r0, r4-r11, pc}\n"

/* As tg_mve_requantize. */
#define TG_MVE_SCALE_SIMPLE                                                                                            \
    "vqrdmulh.s32 q1, q1, r5\n"                                                                                        \
    "vrshl.s32 q1, r7\n"

#define TG_MVE_SCALE                                                                                                   \
    "vshl.s32 q1, r8\n"                                                                                                \
    "vqrdmulh.s32 q1, q1, r5\n"                                                                                        \
    "vshr.s32 q0, q1, #31\n"                                                                                           \
    "vmla.s32 q1, q0, r9\n"                                                                                            \
    "vrshl.s32 q1, r7\n"

#define TG_MVE_PLANES_FUNCTION(name, second, third, fourth, constants, scale)                                          \
    static TG_NAKED void name(tg_mve_planes *planes)                                                                   \
    {                                                                                                                  \
        __asm volatile(TG_MVE_PLANES(second, third, fourth, constants, scale));                                        \
    }

/* By the bytes of columns from an output to the next. */
TG_MVE_PLANES_FUNCTION(tg_mve_planes_32, "32", "64", "96", "r3, r5, r7, r8, r9", TG_MVE_SCALE)
TG_MVE_PLANES_FUNCTION(tg_mve_planes_64, "64", "128", "192", "r3, r5, r7, r8, r9", TG_MVE_SCALE)
TG_MVE_PLANES_FUNCTION(tg_mve_planes_128, "128", "256", "384", "r3, r5, r7, r8, r9", TG_MVE_SCALE)
TG_MVE_PLANES_FUNCTION(tg_mve_planes_simple_32, "32", "64", "96", "r3, r5, r7", TG_MVE_SCALE_SIMPLE)
TG_MVE_PLANES_FUNCTION(tg_mve_planes_simple_64, "64", "128", "192", "r3, r5, r7", TG_MVE_SCALE_SIMPLE)
TG_MVE_PLANES_FUNCTION(tg_mve_planes_simple_128, "128", "256", "384", "r3, r5, r7", TG_MVE_SCALE_SIMPLE)

#pragma GCC diagnostic pop
/* clang-format on */

#else

static TG_NOINLINE void tg_mve_interleave(const tg_mve_rows *rows, int32_t columns, int32_t channels, int8_t *to)
{
    for (int32_t x = 0; x < columns; x++, to += rows->column) {
        for (int32_t c = 0; c < channels; c++) {
            for (int32_t y = 0; y < 4; y++) {
                to[4 * c + y] = rows->rows[y][x * rows->pitches[y] + c];
            }
        }
    }
}

TG_INLINE int8_t tg_mve_plane_output(const tg_mve_planes *p, int32_t acc, const int32_t *channel, const int simple)
{
    const int32_t left = simple ? 0 : channel[3];
    int32_t x = tg_high_multiply((int32_t)(acc * ((int64_t)1 << left)), channel[1]);
    if (!simple && channel[4]) {
        x += x >> 31;
    }
    x = (int32_t)((x + (((int64_t)1 << -channel[2]) >> 1)) >> -channel[2]);
    return (int8_t)tg_clamp(x + p->zero_point, p->activation_min, p->activation_max);
}

TG_INLINE void tg_mve_planes_any(tg_mve_planes *p, const int32_t pixel_bytes, const int simple)
{
    for (; p->pixels > 0; p->pixels--, p->columns += pixel_bytes, p->out += p->output_pitch) {
        const int8_t *weights = p->weights;
        const int32_t *channel = p->channels;
        for (int32_t c = 0; c < p->count; c++, weights += 16, channel += simple ? 3 : 5) {
            int32_t acc = channel[0];
            for (int32_t i = 0; i < 16; i++) {
                const int32_t column = i / 4 < p->last ? i / 4 : p->last;
                acc += weights[i] * p->columns[column * p->dilation + 4 * c + i % 4];
            }
            p->out[c] = tg_mve_plane_output(p, acc, channel, simple);
        }
    }
}

#define TG_MVE_PLANES_FUNCTION(name, pixel_bytes, simple)                                                              \
    static TG_NOINLINE void name(tg_mve_planes *planes)                                                                \
    {                                                                                                                  \
        tg_mve_planes_any(planes, pixel_bytes, simple);                                                                \
    }

TG_MVE_PLANES_FUNCTION(tg_mve_planes_32, 32, 0)
TG_MVE_PLANES_FUNCTION(tg_mve_planes_64, 64, 0)
TG_MVE_PLANES_FUNCTION(tg_mve_planes_128, 128, 0)
TG_MVE_PLANES_FUNCTION(tg_mve_planes_simple_32, 32, 1)
TG_MVE_PLANES_FUNCTION(tg_mve_planes_simple_64, 64, 1)
TG_MVE_PLANES_FUNCTION(tg_mve_planes_simple_128, 128, 1)

#endif

/* Writes columns of the zero point and returns where they end; sizes are multiples of 16 bytes. */
TG_INLINE int8_t *tg_depthwise_conv_2d_mve_outside(int8_t *to, int8x16_t zero_points, int32_t bytes)
{
    for (; bytes > 0; bytes -= 16, to += 16) {
        vstrbq_s8(to, zero_points);
    }
    return to;
}

/* Columns [first, end) of the input's rows, whose 0 is the first pixel, from channel c on. */
TG_INLINE void tg_depthwise_conv_2d_mve_columns(const tg_depthwise_conv_2d_mve_s8_params *p, const void *const *rows,
                                                int32_t first, int32_t end, int32_t c, int32_t channels, int8_t *to)
{
    int8_t outside[16];
    const int32_t column = 4 * p->group;
    const int32_t from = first > 0 ? first : 0, until = end < p->input_width ? end : p->input_width;
    const int8x16_t zero_points = vdupq_n_s8((int8_t)p->input_zero_point);
    if (from >= until) {
        tg_depthwise_conv_2d_mve_outside(to, zero_points, (end - first) * column);
        return;
    }
    vstrbq_s8(outside, zero_points);
    tg_mve_rows inside = {.column = column};
    for (int32_t y = 0; y < 4; y++) {
        const int8_t *const row = y < p->kernel_height ? rows[y] : NULL;
        inside.rows[y] = row ? row + from * p->input_pitch + c : outside;
        inside.pitches[y] = row ? p->input_pitch : 0;
    }
    to = tg_depthwise_conv_2d_mve_outside(to, zero_points, (from - first) * column);
    tg_mve_interleave(&inside, until - from, channels, to);
    tg_depthwise_conv_2d_mve_outside(to + (until - from) * column, zero_points, (end - until) * column);
}

/* Each function is called by its name: through a pointer, the stack that a firmware needs could not be bounded. */
TG_INLINE void tg_depthwise_conv_2d_mve_multiply(tg_mve_planes *planes, int32_t pixel_bytes, const int simple)
{
    if (pixel_bytes == 32) {
        if (simple) {
            tg_mve_planes_simple_32(planes);
        } else {
            tg_mve_planes_32(planes);
        }
    } else if (pixel_bytes == 64) {
        if (simple) {
            tg_mve_planes_simple_64(planes);
        } else {
            tg_mve_planes_64(planes);
        }
    } else if (simple) {
        tg_mve_planes_simple_128(planes);
    } else {
        tg_mve_planes_128(planes);
    }
}

TG_INLINE void tg_depthwise_conv_2d_mve_row(const tg_depthwise_conv_2d_mve_s8_params *p, const void *const *rows,
                                            int8_t *out, int8_t *columns, const int simple)
{
    const int32_t window = (p->kernel_width - 1) * p->dilation + 1, pixel_bytes = 4 * p->group * p->stride;
    tg_mve_planes planes = {
        .step = 4 * pixel_bytes,
        .output_pitch = p->output_pitch,
        .dilation = 4 * p->group * p->dilation,
        .last = p->kernel_width - 1,
        .zero_point = p->zero_point,
        .activation_min = p->activation_min,
        .activation_max = p->activation_max,
    };
    for (int32_t x = 0; x < p->output_width; x += p->span) {
        const int32_t left = p->output_width - x, pixels = left < p->span ? left : p->span;
        const int32_t first = x * p->stride - p->pad_left, end = first + (pixels - 1) * p->stride + window;
        planes.weights = p->weights;
        planes.channels = p->channels;
        for (int32_t c = 0; c < p->count; c += p->group) {
            planes.columns = columns;
            planes.out = out + x * p->output_pitch + c;
            planes.pixels = pixels;
            planes.count = p->count - c < p->group ? p->count - c : p->group;
            tg_depthwise_conv_2d_mve_columns(p, rows, first, end, c, planes.count, columns);
            tg_depthwise_conv_2d_mve_multiply(&planes, pixel_bytes, simple);
            planes.weights += 16 * p->group;
            planes.channels += (simple ? 3 : 5) * p->group;
        }
    }
}

/* Any requantization and any activation range. */
static TG_NOINLINE void tg_depthwise_conv_2d_mve_s8(const tg_depthwise_conv_2d_mve_s8_params *p,
                                                    const void *const *rows, void *out, void *scratch)
{
    tg_depthwise_conv_2d_mve_row(p, rows, out, scratch, 0);
}

/* Shifts to the right, and an activation that cuts off below the output's zero point. */
static TG_NOINLINE void tg_depthwise_conv_2d_mve_relu_s8(const tg_depthwise_conv_2d_mve_s8_params *p,
                                                         const void *const *rows, void *out, void *scratch)
{
    tg_depthwise_conv_2d_mve_row(p, rows, out, scratch, 1);
}

#endif
