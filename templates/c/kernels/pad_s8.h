/* Rows, columns and channels of a constant around an int8 activation: one output row at a time. */
#ifndef TG_PAD_S8_H
#define TG_PAD_S8_H

#include "tg_common.h"

typedef struct {
    int32_t columns;      /* pixels of an input row */
    int32_t bytes;        /* of an input pixel */
    int32_t input_pitch;  /* bytes from one input pixel to the next */
    int32_t output_pitch; /* bytes from one output pixel to the next */
    int32_t left;         /* pixels before the first one of a row */
    int32_t right;        /* pixels after the last one of a row */
    int32_t before;       /* bytes before the channels of a pixel */
    int32_t after;        /* bytes after the channels of a pixel */
    int32_t value;
} tg_pad_s8_params;

/* A row above or below the input is NULL. */
static TG_NOINLINE void tg_pad_s8(const tg_pad_s8_params *p, const void *const *rows, void *out)
{
    const int8_t *in = rows[0];
    int8_t *to = out;
    const int32_t pixel = p->before + p->bytes + p->after;
    const int32_t left = p->left * pixel, right = p->right * pixel;
    if (!in || pixel != p->bytes) {
        memset(to, p->value, (size_t)(left + p->columns * pixel + right));
    } else {
        memset(to, p->value, (size_t)left);
        memset(to + left + p->columns * pixel, p->value, (size_t)right);
    }
    if (!in) {
        return;
    }
    to += left;
    if (pixel == p->bytes) {
        memcpy(to, in, (size_t)(p->columns * pixel));
        return;
    }
    for (int32_t x = 0; x < p->columns; x++) {
        memcpy(to + x * pixel + p->before, in + x * p->bytes, (size_t)p->bytes);
    }
}

/* The same where the pixels of a row do not follow each other. */
static TG_NOINLINE void tg_pad_apart_s8(const tg_pad_s8_params *p, const void *const *rows, void *out)
{
    const int8_t *in = rows[0];
    int8_t *to = out;
    const int32_t pixel = p->before + p->bytes + p->after;
    for (int32_t x = 0; x < p->left + p->columns + p->right; x++) {
        memset(to + x * p->output_pitch, p->value, (size_t)pixel);
    }
    to += p->left * p->output_pitch + p->before;
    for (int32_t x = 0; in && x < p->columns; x++) {
        memcpy(to + x * p->output_pitch, in + x * p->input_pitch, (size_t)p->bytes);
    }
}

#endif
