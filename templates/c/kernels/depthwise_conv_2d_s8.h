/* Depthwise 2-D convolution, int8: one output row at a time, one channel after the other.
 *
 * The input rows of a channel are spread out in scratch memory as int16, `kernel_height` lines of `line` elements with
 * the zero point to the left and right, so that the multiply loops know no borders. The zero point's share is already
 * in the bias. Output channel c reads input channel c / multiplier.
 *
 *   weights: [channel][kernel height][kernel width]
 */
#ifndef TG_DEPTHWISE_CONV_2D_S8_H
#define TG_DEPTHWISE_CONV_2D_S8_H

#include "tg_common.h"
#include "tg_requantize.h"

typedef struct {
    int32_t input_width;    /* pixels of an input row */
    int32_t input_channels; /* bytes of an input pixel */
    int32_t input_pitch;    /* bytes from one input pixel to the next */
    int32_t output_width;   /* pixels of an output row */
    int32_t output_pitch;   /* bytes from one output pixel to the next */
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
    const int32_t pitch = p->input_pitch;
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
        for (; x >= 4; x -= 4, to += 4, in += 4 * pitch) {
            to[0] = in[0];
            to[1] = in[pitch];
            to[2] = in[2 * pitch];
            to[3] = in[3 * pitch];
        }
        for (; x > 0; x--, to++, in += pitch) {
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
    const int32_t pitch = p->output_pitch;
    const int8_t *weights = p->weights;
    int32_t c = 0;
    tg_depthwise_clear(p, lines);
    for (int32_t input = 0; input < p->input_channels; input++) {
        tg_depthwise_gather(p, rows, input, lines);
        for (int32_t m = 0; m < p->multiplier; m++, c++) {
            const tg_channel_s8 channel = tg_channel(&p->requantize, c, fast);
            const int32_t bias = p->requantize.bias[c];
            for (int32_t x = 0; x < p->output_width; x++) {
                const int32_t acc = tg_depthwise_dot(p, lines + x * p->stride, weights, bias);
                out[x * pitch + c] = tg_requantize_s8(&p->requantize, channel, acc, fast);
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

#endif
