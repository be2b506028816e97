/* Depthwise 2-D convolution, int8, for channels in multiples of four: two output pixels times four channels at a time.
 *
 * Where the taps of the two pixels lie is worked out once for all channels, as byte offsets from the scratch memory;
 * taps outside the input point at a pixel of zero points there. So the multiply loop knows neither borders nor strides.
 * The zero point's share is already in the bias.
 *
 *   weights: [channels / 4][kernel height * kernel width][4 channels]
 *   scratch: a pixel of zero points, then the offsets [kernel height * kernel width][2 pixels]
 */
#ifndef TG_DEPTHWISE_CONV_2D_X4_S8_H
#define TG_DEPTHWISE_CONV_2D_X4_S8_H

#include "tg_common.h"
#include "tg_requantize.h"

typedef struct {
    int32_t input_width;  /* pixels of an input row */
    int32_t input_pitch;  /* bytes from one input pixel to the next */
    int32_t output_width; /* pixels of an output row */
    int32_t output_pitch; /* bytes from one output pixel to the next */
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;   /* in pixels */
    int32_t dilation; /* in pixels */
    int32_t pad_left; /* in pixels */
    int32_t input_zero_point;
    tg_requantize_s8_params requantize;
    const int8_t *weights;
} tg_depthwise_conv_2d_x4_s8_params;

/* The offsets of the taps of output pixel x. Pixels that do not lie `apart` have the channels as their pitch. */
TG_INLINE void tg_depthwise_x4_taps(const tg_depthwise_conv_2d_x4_s8_params *p, const void *const *rows,
                                    const int8_t *base, int32_t x, int32_t *offsets, const int apart)
{
    const int32_t pitch = apart ? p->input_pitch : p->requantize.channels;
    const int32_t left = x * p->stride - p->pad_left;
    for (int32_t ky = 0; ky < p->kernel_height; ky++) {
        const int8_t *row = rows[ky];
        int32_t at = left;
        for (int32_t kx = 0; kx < p->kernel_width; kx++, at += p->dilation, offsets += 2) {
            const int inside = row && at >= 0 && at < p->input_width;
            *offsets = inside ? (int32_t)(row + at * pitch - base) : 0;
        }
    }
}

/* acc[0..3] += four channels of a tap times their weights. */
TG_INLINE void tg_depthwise_x4_tap(uint32_t tap, uint32_t even, uint32_t odd, int32_t *acc)
{
#if TG_DSP
    const uint32_t a = tg_even_bytes(tap), b = tg_odd_bytes(tap);
    acc[0] = tg_mac_low(a, even, acc[0]);
    acc[1] = tg_mac_low(b, odd, acc[1]);
    acc[2] = tg_mac_high(a, even, acc[2]);
    acc[3] = tg_mac_high(b, odd, acc[3]);
#else
    (void)odd;
    acc[0] += (int8_t)tap * (int8_t)even;
    acc[1] += (int8_t)(tap >> 8) * (int8_t)(even >> 8);
    acc[2] += (int8_t)(tap >> 16) * (int8_t)(even >> 16);
    acc[3] += (int8_t)(tap >> 24) * (int8_t)(even >> 24);
#endif
}

/* Four channels of both pixels; the second is `next` bytes on, or written first and then overwritten when 0. */
TG_INLINE void tg_depthwise_x4_store(const tg_depthwise_conv_2d_x4_s8_params *p, int32_t c, const int32_t *a,
                                     const int32_t *b, int8_t *restrict out, int32_t next, const int fast)
{
    for (int32_t i = 0; i < 4; i++) {
        const tg_channel_s8 channel = tg_channel(&p->requantize, c + i, fast);
        out[next + i] = tg_requantize_s8(&p->requantize, channel, b[i], fast);
        out[i] = tg_requantize_s8(&p->requantize, channel, a[i], fast);
    }
}

TG_INLINE void tg_depthwise_x4_row(const tg_depthwise_conv_2d_x4_s8_params *p, const void *const *rows, int8_t *out,
                                   int8_t *base, const int fast, const int apart)
{
    const int32_t channels = p->requantize.channels;
    const int32_t pitch = apart ? p->output_pitch : channels;
    const int32_t taps = p->kernel_height * p->kernel_width;
    int32_t *const offsets = (int32_t *)(void *)(base + channels);
    memset(base, p->input_zero_point, (size_t)channels);
    for (int32_t x = 0; x < p->output_width; x += 2, out += 2 * pitch) {
        const int pair = x + 1 < p->output_width;
        const int8_t *weights = p->weights;
        tg_depthwise_x4_taps(p, rows, base, x, offsets, apart);
        tg_depthwise_x4_taps(p, rows, base, x + pair, offsets + 1, apart);
        for (int32_t c = 0; c < channels; c += 4) {
            int32_t a[4] = {p->requantize.bias[c], p->requantize.bias[c + 1], p->requantize.bias[c + 2],
                            p->requantize.bias[c + 3]};
            int32_t b[4] = {a[0], a[1], a[2], a[3]};
            const int32_t *tap = offsets;
            const int8_t *const end = weights + 4 * taps;
            do {
                const uint32_t w = tg_load_aligned(weights);
#if TG_DSP
                const uint32_t even = tg_even_bytes(w), odd = tg_odd_bytes(w);
#else
                const uint32_t even = w, odd = 0;
#endif
                tg_depthwise_x4_tap(tg_load_word(base + tap[0] + c), even, odd, a);
                tg_depthwise_x4_tap(tg_load_word(base + tap[1] + c), even, odd, b);
                tap += 2;
                weights += 4;
            } while (weights != end);
            tg_depthwise_x4_store(p, c, a, b, out + c, pair ? pitch : 0, fast);
        }
    }
}

/* Any requantization and any activation range. */
static TG_NOINLINE void tg_depthwise_conv_2d_x4_s8(const tg_depthwise_conv_2d_x4_s8_params *p, const void *const *rows,
                                                   void *out, void *scratch)
{
    tg_depthwise_x4_row(p, rows, out, scratch, 0, 0);
}

/* The common case tg_requantize.h describes. */
static TG_NOINLINE void tg_depthwise_conv_2d_x4_fast_s8(const tg_depthwise_conv_2d_x4_s8_params *p,
                                                        const void *const *rows, void *out, void *scratch)
{
    tg_depthwise_x4_row(p, rows, out, scratch, 1, 0);
}

/* Both for pixels that lie apart. */
static TG_NOINLINE void tg_depthwise_conv_2d_x4_apart_s8(const tg_depthwise_conv_2d_x4_s8_params *p,
                                                         const void *const *rows, void *out, void *scratch)
{
    tg_depthwise_x4_row(p, rows, out, scratch, 0, 1);
}

static TG_NOINLINE void tg_depthwise_conv_2d_x4_apart_fast_s8(const tg_depthwise_conv_2d_x4_s8_params *p,
                                                              const void *const *rows, void *out, void *scratch)
{
    tg_depthwise_x4_row(p, rows, out, scratch, 1, 1);
}

#endif
