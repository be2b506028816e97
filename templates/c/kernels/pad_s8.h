/* Rows, columns and channels of a constant around an int8 activation: one output row at a time. */
#ifndef TG_PAD_S8_H
#define TG_PAD_S8_H

#include "tg_common.h"

typedef struct {
    int32_t columns; /* pixels of an input row */
    int32_t bytes;   /* of an input pixel */
    int32_t left;    /* bytes before the first pixel of a row */
    int32_t right;   /* bytes after the last pixel of a row */
    int32_t before;  /* bytes before the channels of a pixel */
    int32_t after;   /* bytes after the channels of a pixel */
    int32_t value;
} tg_pad_s8_params;

/* A row above or below the input is NULL. */
static TG_NOINLINE void tg_pad_s8(const tg_pad_s8_params *p, const void *const *rows, void *out)
{
    const int8_t *in = rows[0];
    int8_t *to = out;
    const int32_t pixel = p->before + p->bytes + p->after;
    if (!in || pixel != p->bytes) {
        memset(to, p->value, (size_t)(p->left + p->columns * pixel + p->right));
    } else {
        memset(to, p->value, (size_t)p->left);
        memset(to + p->left + p->columns * pixel, p->value, (size_t)p->right);
    }
    if (!in) {
        return;
    }
    to += p->left;
    if (pixel == p->bytes) {
        memcpy(to, in, (size_t)(p->columns * pixel));
        return;
    }
    for (int32_t x = 0; x < p->columns; x++) {
        memcpy(to + x * pixel + p->before, in + x * p->bytes, (size_t)p->bytes);
    }
}

#endif
