/* Depthwise 2-D convolution, int8, three taps high and up to three wide, stride 1 or 2, for cores with DSP
 * instructions: one output row at a time, four input channels after another.
 *
 * The input rows of four channels are spread out in scratch memory as planes of int16, with the zero point to the left
 * and right, so that the multiply loops know no borders. A word of a plane is two pixels, the first in an even column
 * counted from the padding. The zero point's share is already in the bias. Of each row of a window three weights make
 * two pairs, widened to int16 times 256 as tg_scaled.h wants the sums:
 *
 *   words of pixels           x0 x1 | x2 x3
 *   output in an even column  x0 w0 + x1 w1 | x2 w2           (w0, w1), then the upper half of (w1, w2)
 *   output in an odd column   x1 w0 | x2 w1 + x3 w2           the lower half of (w0, w1), then (w1, w2)
 *
 *   weights: [output channel][3 rows][w0, w1, w1, w2]
 *   scratch: [4 channels][line][3 rows] words
 */
#ifndef TG_DEPTHWISE_CONV_2D_PLANAR_S8_H
#define TG_DEPTHWISE_CONV_2D_PLANAR_S8_H

#include "tg_planar.h"

typedef struct {
    int32_t input_width;    /* pixels of an input row */
    int32_t input_channels; /* four at least */
    int32_t input_pitch;    /* bytes from one input pixel to the next */
    int32_t output_width;   /* pixels of an output row */
    int32_t output_pitch;   /* bytes from one output pixel to the next */
    int32_t multiplier;     /* output channels of an input channel */
    int32_t stride;         /* in pixels: 1 or 2 */
    int32_t pad_left;       /* in pixels */
    int32_t line;           /* words of a plane for each row of the window */
    int32_t input_zero_point;
    const int32_t *channels; /* as in tg_scaled.h */
    const int8_t *weights;
} tg_depthwise_conv_2d_planar_s8_params;

/* The zero point where no pixels go: left and right of them, and in rows outside the input. */
TG_INLINE void tg_planar_pad(const tg_depthwise_conv_2d_planar_s8_params *p, const void *const *rows, int32_t pixels,
                             uint32_t *planes)
{
    const uint32_t zero = ((uint32_t)p->input_zero_point & 0xffff) * 0x10001;
    const int32_t line = p->line, plane = 3 * line;
    const int32_t first = p->pad_left / 2, end = (p->pad_left + pixels + 1) / 2;
    for (int32_t ky = 0; ky < 3; ky++) {
        uint32_t *to = planes + ky;
        for (int32_t i = 0; i < line; i++, to += 3) {
            if (i == first && rows[ky]) {
                i = end;
                to = planes + ky + 3 * end;
                if (i >= line) {
                    break;
                }
            }
            to[0] = zero;
            to[plane] = zero;
            to[2 * plane] = zero;
            to[3 * plane] = zero;
        }
    }
}

/* A row of `count` output channels from `c` on.
 *
 * Each function is called by its name: through a pointer, the stack that a firmware needs could not be bounded.
 */
TG_INLINE void tg_planar_apply(const tg_depthwise_conv_2d_planar_s8_params *p, const uint32_t *taps, int8_t *out,
                               int32_t c, int32_t plane_bytes, int32_t count, const int linear)
{
    const int8_t *weights = p->weights + 12 * c;
    const int32_t *channels = p->channels + 4 * c;
    const int32_t width = p->output_width, pitch = p->output_pitch;
    out += c;
    if (p->stride == 1) {
        if (linear) {
            tg_planar_linear(taps, out, weights, channels, width, pitch, plane_bytes, count);
        } else {
            tg_planar_rectified(taps, out, weights, channels, width, pitch, plane_bytes, count);
        }
    } else if (linear) {
        tg_planar_second_linear(taps, out, weights, channels, width, pitch, plane_bytes, count);
    } else {
        tg_planar_second_rectified(taps, out, weights, channels, width, pitch, plane_bytes, count);
    }
}

/* Planes of four channels at a time. */
TG_INLINE void tg_planar_row(const tg_depthwise_conv_2d_planar_s8_params *p, const void *const *rows, int8_t *out,
                             uint32_t *planes, const int linear)
{
    const int32_t plane_bytes = 12 * p->line, head = p->pad_left % 2;
    const int32_t room = 2 * p->line - p->pad_left, pixels = p->input_width < room ? p->input_width : room;
    const int32_t words = (pixels + head) / 2, tail = (pixels + head) % 2;
    const uint32_t zero = (uint32_t)(uint8_t)p->input_zero_point * 0x01010101;
    tg_planar_spread_params spread = {p->input_pitch, plane_bytes, 0, zero, head, words, tail, 4 - 12 * (words + tail)};
    tg_planar_pad(p, rows, pixels, planes);
    for (int32_t input = 0; input < p->input_channels; input += 4) {
        /* The last four may have been computed in part. */
        spread.channel = input + 4 <= p->input_channels ? input : p->input_channels - 4;
        tg_planar_spread(rows, &spread, planes + p->pad_left / 2 * 3);
        int32_t c = spread.channel * p->multiplier;
        if (p->multiplier == 1) {
            tg_planar_apply(p, planes, out, c, plane_bytes, 4, linear);
            continue;
        }
        for (int32_t k = 0; k < 4; k++, c += p->multiplier) {
            tg_planar_apply(p, planes + k * plane_bytes / 4, out, c, 0, p->multiplier, linear);
        }
    }
}

static TG_NOINLINE void tg_depthwise_conv_2d_planar_rectified_s8(const tg_depthwise_conv_2d_planar_s8_params *p,
                                                                 const void *const *rows, void *out, void *scratch)
{
    tg_planar_row(p, rows, out, scratch, TG_RECTIFIED);
}

static TG_NOINLINE void tg_depthwise_conv_2d_planar_linear_s8(const tg_depthwise_conv_2d_planar_s8_params *p,
                                                              const void *const *rows, void *out, void *scratch)
{
    tg_planar_row(p, rows, out, scratch, TG_LINEAR);
}

#endif
