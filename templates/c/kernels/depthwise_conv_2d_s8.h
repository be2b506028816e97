/* Depthwise 2-D convolution, int8: one output row at a time, one channel after the other.
 *
 * The input rows of a channel are spread out in scratch memory as int16, `kernel_height` lines of `line` elements with
 * the zero point to the left and right, so that the multiply loops know no borders. The zero point's share is already
 * in the bias. Output channel c reads input channel c / multiplier.
 *
 *   weights: [channel][kernel height][taps], for three taps in the order 0 2 1 and a zero, see tg_depthwise_3x3
 */
#ifndef TG_DEPTHWISE_CONV_2D_S8_H
#define TG_DEPTHWISE_CONV_2D_S8_H

#include "tg_common.h"
#include "tg_requantize.h"

typedef struct {
    int32_t input_width;    /* pixels of an input row */
    int32_t input_channels; /* bytes of an input pixel */
    int32_t output_width;   /* pixels of an output row */
    int32_t multiplier;     /* output channels of an input channel */
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;   /* in pixels */
    int32_t dilation; /* in pixels */
    int32_t pad_left; /* in pixels */
    int32_t line;     /* elements of a line in scratch */
    int32_t input_zero_point;
    tg_requantize_s8_params requantize;
    const int8_t *weights;
} tg_depthwise_conv_2d_s8_params;

/* Fills all lines with the zero point; afterwards only pixels inside the input are written. */
TG_INLINE void tg_depthwise_clear(const tg_depthwise_conv_2d_s8_params *p, int16_t *lines)
{
    for (int32_t i = 0; i < p->kernel_height * p->line; i++) {
        lines[i] = (int16_t)p->input_zero_point;
    }
}

/* Spreads one channel of the input rows out into the lines. */
TG_INLINE void tg_depthwise_gather(const tg_depthwise_conv_2d_s8_params *p, const void *const *rows, int32_t channel,
                                   int16_t *lines)
{
    const int32_t channels = p->input_channels;
    const int32_t room = p->line - p->pad_left;
    const int32_t width = p->input_width < room ? p->input_width : room;
    for (int32_t ky = 0; ky < p->kernel_height; ky++, lines += p->line) {
        const int8_t *in = rows[ky];
        if (!in) {
            continue;
        }
        in += channel;
        int16_t *to = lines + p->pad_left;
        int32_t x = width;
        for (; x >= 4; x -= 4, to += 4, in += 4 * channels) {
            to[0] = in[0];
            to[1] = in[channels];
            to[2] = in[2 * channels];
            to[3] = in[3 * channels];
        }
        for (; x > 0; x--, to++, in += channels) {
            to[0] = in[0];
        }
    }
}

/* One output: any window. */
TG_INLINE int32_t tg_depthwise_dot(const tg_depthwise_conv_2d_s8_params *p, const int16_t *taps, const int8_t *weights,
                                   int32_t acc)
{
    for (int32_t ky = 0; ky < p->kernel_height; ky++, taps += p->line) {
        for (int32_t kx = 0; kx < p->kernel_width; kx++) {
            acc += taps[kx * p->dilation] * *weights++;
        }
    }
    return acc;
}

TG_INLINE void tg_depthwise_row(const tg_depthwise_conv_2d_s8_params *p, const void *const *rows, int8_t *out,
                                int16_t *lines, const int fast)
{
    const int32_t channels = p->requantize.channels;
    const int8_t *weights = p->weights;
    int32_t c = 0;
    tg_depthwise_clear(p, lines);
    for (int32_t input = 0; input < p->input_channels; input++) {
        tg_depthwise_gather(p, rows, input, lines);
        for (int32_t m = 0; m < p->multiplier; m++, c++) {
            const tg_channel_s8 channel = tg_channel(&p->requantize, c);
            const int32_t bias = p->requantize.bias[c];
            for (int32_t x = 0; x < p->output_width; x++) {
                const int32_t acc = tg_depthwise_dot(p, lines + x * p->stride, weights, bias);
                out[x * channels + c] = tg_requantize_s8(&p->requantize, channel, acc, fast);
            }
            weights += p->kernel_height * p->kernel_width;
        }
    }
}

/* Any requantization and any activation range. */
static TG_NOINLINE void tg_depthwise_conv_2d_s8(const tg_depthwise_conv_2d_s8_params *p, const void *const *rows,
                                                void *out, void *scratch)
{
    tg_depthwise_row(p, rows, out, scratch, 0);
}

/* The common case tg_requantize.h describes. */
static TG_NOINLINE void tg_depthwise_conv_2d_fast_s8(const tg_depthwise_conv_2d_s8_params *p, const void *const *rows,
                                                     void *out, void *scratch)
{
    tg_depthwise_row(p, rows, out, scratch, 1);
}

/* One line of a 3x3 window: bytes of `word` are taps 0, 2, 1 and zero. */
typedef struct {
#if TG_DSP
    uint32_t w01; /* taps 0 and 1 */
    uint32_t w12; /* taps 1 and 2 */
#else
    int32_t w0, w1, w2;
#endif
} tg_depthwise_taps;

TG_INLINE tg_depthwise_taps tg_depthwise_load_taps(const int8_t *weights)
{
    tg_depthwise_taps taps;
#if TG_DSP
    const uint32_t word = tg_load_aligned(weights);
    taps.w01 = tg_even_bytes(word);
    taps.w12 = (taps.w01 >> 16) | (tg_odd_bytes(word) << 16);
#else
    taps.w0 = weights[0];
    taps.w1 = weights[2];
    taps.w2 = weights[1];
#endif
    return taps;
}

/* Two neighbouring outputs, `stride` 1 or 2 apart. */
TG_INLINE void tg_depthwise_two(const int16_t *line, tg_depthwise_taps w, const int32_t stride, int32_t *a, int32_t *b)
{
#if TG_DSP
    const uint32_t x01 = tg_load_aligned(line), x23 = tg_load_aligned(line + 2);
    *a = __smlabt((int32_t)x23, (int32_t)w.w12, tg_mac_pair(x01, w.w01, *a));
    if (stride == 1) {
        *b = tg_mac_pair(x23, w.w12, __smlatb((int32_t)x01, (int32_t)w.w01, *b));
    } else {
        *b = __smlabt(line[4], (int32_t)w.w12, tg_mac_pair(x23, w.w01, *b));
    }
#else
    const int16_t *next = line + stride;
    *a += line[0] * w.w0 + line[1] * w.w1 + line[2] * w.w2;
    *b += next[0] * w.w0 + next[1] * w.w1 + next[2] * w.w2;
#endif
}

/* 3x3, stride 1 or 2, fast requantization; lines are even and long enough for a pair of outputs at the end. */
TG_INLINE void tg_depthwise_3x3_row(const tg_depthwise_conv_2d_s8_params *p, const void *const *rows, int8_t *out,
                                    int16_t *lines, const int32_t stride)
{
    const int32_t channels = p->input_channels;
    const int32_t line = p->line;
    const int8_t *weights = p->weights;
    tg_depthwise_clear(p, lines);
    for (int32_t c = 0; c < channels; c++, weights += 12) {
        tg_depthwise_gather(p, rows, c, lines);
        const tg_depthwise_taps top = tg_depthwise_load_taps(weights);
        const tg_depthwise_taps middle = tg_depthwise_load_taps(weights + 4);
        const tg_depthwise_taps bottom = tg_depthwise_load_taps(weights + 8);
        const tg_channel_s8 channel = tg_channel(&p->requantize, c);
        const int32_t bias = p->requantize.bias[c];
        const int16_t *at = lines;
        int8_t *to = out + c;
        for (int32_t x = p->output_width; x > 0; x -= 2, at += 2 * stride, to += 2 * channels) {
            int32_t a = bias, b = bias;
            tg_depthwise_two(at, top, stride, &a, &b);
            tg_depthwise_two(at + line, middle, stride, &a, &b);
            tg_depthwise_two(at + 2 * line, bottom, stride, &a, &b);
            to[0] = tg_requantize_s8(&p->requantize, channel, a, 1);
            if (x > 1) {
                to[channels] = tg_requantize_s8(&p->requantize, channel, b, 1);
            }
        }
    }
}

static TG_NOINLINE void tg_depthwise_3x3_s8(const tg_depthwise_conv_2d_s8_params *p, const void *const *rows, void *out,
                                            void *scratch)
{
    if (p->stride == 1) {
        tg_depthwise_3x3_row(p, rows, out, scratch, 1);
    } else {
        tg_depthwise_3x3_row(p, rows, out, scratch, 2);
    }
}

#endif
