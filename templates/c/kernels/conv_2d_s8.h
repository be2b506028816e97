/* 2-D convolution, int8: one output row at a time.
 *
 * The taps of up to three output pixels are gathered into a panel in scratch memory, and the panel is multiplied with
 * all filters, two at a time. Gathering is where the borders are handled, so the multiply loops know none: taps outside
 * the input read the input's zero point, whose share is already in the bias. A filter is `runs` runs of `run_bytes`
 * taps (a kernel row, or a pixel where pixels or taps lie apart), each padded with zero weights to a multiple of four.
 *
 *   weights: [filter pair][depth / 4][2 filters][4 taps], depth = runs * padded run
 */
#ifndef TG_CONV_2D_S8_H
#define TG_CONV_2D_S8_H

#include "tg_common.h"
#include "tg_requantize.h"

typedef struct {
    int32_t input_width;   /* pixels of an input row */
    int32_t input_pitch;   /* bytes from one input pixel to the next */
    int32_t output_width;  /* pixels of an output row */
    int32_t output_pitch;  /* bytes from one output pixel to the next */
    int32_t kernel_height; /* row pointers the kernel is given */
    int32_t runs_per_row;  /* 1, or the kernel's width */
    int32_t run_bytes;     /* contiguous taps of a run */
    int32_t stride;        /* in pixels */
    int32_t dilation;      /* in pixels */
    int32_t pad_left;      /* in pixels */
    int32_t depth;         /* taps of a pixel in the panel, a multiple of four */
    int32_t panel_pixels;  /* pixels side by side in the panel: 1, 2 or 3 */
    int32_t input_zero_point;
    tg_requantize_s8_params requantize;
    const int8_t *weights;
} tg_conv_2d_s8_params;

#if TG_DSP

/* Panel: words of two int16 taps, [depth / 4][taps 0 and 2, taps 1 and 3][pixels]. */
TG_INLINE void tg_conv_2d_put(uint32_t *panel, int32_t pixels, uint32_t taps)
{
    panel[0] = tg_even_bytes(taps);
    panel[pixels] = tg_odd_bytes(taps);
}

#else

/* Panel: words of four int8 taps, [depth / 4][pixels]. */
TG_INLINE void tg_conv_2d_put(uint32_t *panel, int32_t pixels, uint32_t taps)
{
    (void)pixels;
    panel[0] = taps;
}

#endif

/* Words of the panel for four taps of one pixel. */
#define TG_CONV_2D_WORDS (1 + TG_DSP)

/* Copies a run of taps into the panel; the last word is filled up with zeros, which meet zero weights. */
TG_INLINE uint32_t *tg_conv_2d_put_run(uint32_t *panel, int32_t pixels, const int8_t *run, int32_t bytes)
{
    for (; bytes >= 4; bytes -= 4, run += 4) {
        tg_conv_2d_put(panel, pixels, tg_load_word(run));
        panel += TG_CONV_2D_WORDS * pixels;
    }
    if (bytes > 0) {
        uint32_t tail = 0;
        memcpy(&tail, run, (size_t)bytes);
        tg_conv_2d_put(panel, pixels, tail);
        panel += TG_CONV_2D_WORDS * pixels;
    }
    return panel;
}

/* A run that lies outside the input, in part or whole: the bytes in [first, end) of the row are real. */
static TG_NOINLINE uint32_t *tg_conv_2d_put_border(const tg_conv_2d_s8_params *p, uint32_t *panel, int32_t pixels,
                                                   const int8_t *row, int32_t offset)
{
    const int32_t row_bytes = row ? p->input_width * p->input_pitch : 0;
    for (int32_t i = 0; i < p->run_bytes; i += 4) {
        int8_t taps[4];
        for (int32_t k = 0; k < 4; k++) {
            const int32_t at = offset + i + k;
            taps[k] = at >= 0 && at < row_bytes ? row[at] : (int8_t)p->input_zero_point;
        }
        tg_conv_2d_put(panel, pixels, tg_load_word(taps));
        panel += TG_CONV_2D_WORDS * pixels;
    }
    return panel;
}

/* Gathers the taps of output pixel x; `pixels` is the number of pixels side by side in the panel. */
static TG_NOINLINE void tg_conv_2d_gather(const tg_conv_2d_s8_params *p, const void *const *rows, int32_t x,
                                          uint32_t *panel, int32_t pixels)
{
    const int32_t row_bytes = p->input_width * p->input_pitch;
    for (int32_t ky = 0; ky < p->kernel_height; ky++) {
        const int8_t *row = rows[ky];
        int32_t offset = (x * p->stride - p->pad_left) * p->input_pitch;
        for (int32_t run = 0; run < p->runs_per_row; run++) {
            if (row && offset >= 0 && offset + p->run_bytes <= row_bytes) {
                panel = tg_conv_2d_put_run(panel, pixels, row + offset, p->run_bytes);
            } else {
                panel = tg_conv_2d_put_border(p, panel, pixels, row, offset);
            }
            offset += p->dilation * p->input_pitch;
        }
    }
}

/* All filters over a panel of one, two or three pixels, two filters at a time. Unless pixels of the output lie
 * `apart`, their pitch is the number of channels, which takes no register of its own. */
TG_INLINE void tg_conv_2d_multiply(const tg_conv_2d_s8_params *p, const uint32_t *panel, int8_t *out,
                                   const int32_t pixels, const int fast, const int apart)
{
    const int32_t channels = p->requantize.channels;
    const int32_t pitch = apart ? p->output_pitch : channels;
    const int8_t *weights = p->weights;
    for (int32_t c = 0; c < channels; c += 2, out += 2) {
        const int32_t second = c + 1 < channels ? c + 1 : c;
        int32_t a0 = p->requantize.bias[c], a1 = a0, a2 = a0;
        int32_t b0 = p->requantize.bias[second], b1 = b0, b2 = b0;
        const uint32_t *taps = panel;
        const uint32_t *const end = panel + p->depth / 4 * TG_CONV_2D_WORDS * pixels;
        do {
            const uint32_t wa = tg_load_aligned(weights), wb = tg_load_aligned(weights + 4);
#if TG_DSP
            uint32_t va = tg_even_bytes(wa), vb = tg_even_bytes(wb);
            a0 = tg_mac_pair(taps[0], va, a0);
            b0 = tg_mac_pair(taps[0], vb, b0);
            if (pixels > 1) {
                a1 = tg_mac_pair(taps[1], va, a1);
                b1 = tg_mac_pair(taps[1], vb, b1);
            }
            if (pixels > 2) {
                a2 = tg_mac_pair(taps[2], va, a2);
                b2 = tg_mac_pair(taps[2], vb, b2);
            }
            va = tg_odd_bytes(wa);
            vb = tg_odd_bytes(wb);
            a0 = tg_mac_pair(taps[pixels], va, a0);
            b0 = tg_mac_pair(taps[pixels], vb, b0);
            if (pixels > 1) {
                a1 = tg_mac_pair(taps[pixels + 1], va, a1);
                b1 = tg_mac_pair(taps[pixels + 1], vb, b1);
            }
            if (pixels > 2) {
                a2 = tg_mac_pair(taps[pixels + 2], va, a2);
                b2 = tg_mac_pair(taps[pixels + 2], vb, b2);
            }
#else
            a0 = tg_dot_4(taps[0], wa, a0);
            b0 = tg_dot_4(taps[0], wb, b0);
            if (pixels > 1) {
                a1 = tg_dot_4(taps[1], wa, a1);
                b1 = tg_dot_4(taps[1], wb, b1);
            }
            if (pixels > 2) {
                a2 = tg_dot_4(taps[2], wa, a2);
                b2 = tg_dot_4(taps[2], wb, b2);
            }
#endif
            taps += TG_CONV_2D_WORDS * pixels;
            weights += 8;
        } while (taps != end);

        const tg_channel_s8 first = tg_channel(&p->requantize, c, fast);
        out[0] = tg_requantize_s8(&p->requantize, first, a0, fast);
        if (pixels > 1) {
            out[pitch] = tg_requantize_s8(&p->requantize, first, a1, fast);
        }
        if (pixels > 2) {
            out[2 * pitch] = tg_requantize_s8(&p->requantize, first, a2, fast);
        }
        if (second == c) {
            break;
        }
        const tg_channel_s8 next = tg_channel(&p->requantize, second, fast);
        out[1] = tg_requantize_s8(&p->requantize, next, b0, fast);
        if (pixels > 1) {
            out[pitch + 1] = tg_requantize_s8(&p->requantize, next, b1, fast);
        }
        if (pixels > 2) {
            out[2 * pitch + 1] = tg_requantize_s8(&p->requantize, next, b2, fast);
        }
    }
}

/* Functions of their own for each width of the panel: compilers then keep the accumulators in registers. */
static TG_NOINLINE void tg_conv_2d_three(const tg_conv_2d_s8_params *p, const uint32_t *panel, int8_t *out)
{
    tg_conv_2d_multiply(p, panel, out, 3, 1, 0);
}

static TG_NOINLINE void tg_conv_2d_two(const tg_conv_2d_s8_params *p, const uint32_t *panel, int8_t *out)
{
    tg_conv_2d_multiply(p, panel, out, 2, 1, 0);
}

static TG_NOINLINE void tg_conv_2d_one(const tg_conv_2d_s8_params *p, const uint32_t *panel, int8_t *out)
{
    tg_conv_2d_multiply(p, panel, out, 1, 1, 0);
}

/* Gathers the pixels from x on that fit the panel; returns how many. */
static TG_NOINLINE int32_t tg_conv_2d_fill(const tg_conv_2d_s8_params *p, const void *const *rows, int32_t x,
                                           uint32_t *panel)
{
    const int32_t left = p->output_width - x;
    /* Four pixels are two and two, not three and one: a lone pixel costs most. */
    const int32_t most = left == 4 && p->panel_pixels == 3 ? 2 : p->panel_pixels;
    const int32_t pixels = left < most ? left : most;
    for (int32_t i = 0; i < pixels; i++) {
        tg_conv_2d_gather(p, rows, x + i, panel + i, pixels);
    }
    return pixels;
}

/* Any requantization and any activation range. */
static TG_NOINLINE void tg_conv_2d_s8(const tg_conv_2d_s8_params *p, const void *const *rows, void *out, void *scratch)
{
    int8_t *to = out;
    for (int32_t x = 0, pixels; x < p->output_width; x += pixels, to += pixels * p->requantize.channels) {
        pixels = tg_conv_2d_fill(p, rows, x, scratch);
        if (pixels == 3) {
            tg_conv_2d_multiply(p, scratch, to, 3, 0, 0);
        } else if (pixels == 2) {
            tg_conv_2d_multiply(p, scratch, to, 2, 0, 0);
        } else {
            tg_conv_2d_multiply(p, scratch, to, 1, 0, 0);
        }
    }
}

/* The common case tg_requantize.h describes. */
static TG_NOINLINE void tg_conv_2d_fast_s8(const tg_conv_2d_s8_params *p, const void *const *rows, void *out,
                                           void *scratch)
{
    int8_t *to = out;
    for (int32_t x = 0, pixels; x < p->output_width; x += pixels, to += pixels * p->requantize.channels) {
        pixels = tg_conv_2d_fill(p, rows, x, scratch);
        if (pixels == 3) {
            tg_conv_2d_three(p, scratch, to);
        } else if (pixels == 2) {
            tg_conv_2d_two(p, scratch, to);
        } else {
            tg_conv_2d_one(p, scratch, to);
        }
    }
}

#endif
