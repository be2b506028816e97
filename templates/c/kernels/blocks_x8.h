/* The channels of a pixel as a block of pixels, and back: runs of bytes are copied, one output row at a time.
 *
 *   deep   | a b c d |          wide   | a | b |
 *                                      | c | d |
 */
#ifndef TG_BLOCKS_X8_H
#define TG_BLOCKS_X8_H

#include "tg_common.h"

typedef struct {
    int32_t block;        /* rows and columns */
    int32_t columns;      /* blocks side by side */
    int32_t bytes;        /* of a pixel in a block */
    int32_t input_pitch;  /* bytes from one input pixel to the next */
    int32_t output_pitch; /* bytes from one output pixel to the next */
} tg_blocks_x8_params;

/* Row y is one of the rows of its blocks. */
TG_INLINE void tg_depth_to_space_x8(const tg_blocks_x8_params *p, int32_t y, const void *const *rows, void *out)
{
    const uint8_t *in = (const uint8_t *)rows[0] + y % p->block * p->block * p->bytes;
    uint8_t *to = out;
    for (int32_t x = 0; x < p->columns; x++, in += p->input_pitch) {
        for (int32_t k = 0; k < p->block; k++, to += p->output_pitch) {
            memcpy(to, in + k * p->bytes, (size_t)p->bytes);
        }
    }
}

TG_INLINE void tg_space_to_depth_x8(const tg_blocks_x8_params *p, int32_t y, const void *const *rows, void *out)
{
    (void)y;
    for (int32_t i = 0; i < p->block; i++) {
        const uint8_t *in = rows[i];
        uint8_t *to = (uint8_t *)out + i * p->block * p->bytes;
        for (int32_t x = 0; x < p->columns; x++, to += p->output_pitch) {
            for (int32_t k = 0; k < p->block; k++, in += p->input_pitch) {
                memcpy(to + k * p->bytes, in, (size_t)p->bytes);
            }
        }
    }
}

#endif
