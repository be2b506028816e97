/* A row through a table of 256 bytes: any function of one 8-bit element (RELU, LOGISTIC, requantization).
 *
 * The table is indexed by the input's byte taken as unsigned, so int8 inputs have their entries in the order 0, 1, ...,
 * 127, -128, ..., -1. The output may overwrite the input.
 */
#ifndef TG_LUT_S8_H
#define TG_LUT_S8_H

#include "tg_common.h"

typedef struct {
    int32_t runs;        /* of elements that follow each other in a row */
    int32_t count;       /* elements of a run */
    int32_t input_pitch; /* elements from one run to the next */
    int32_t output_pitch;
    const int8_t *table; /* 256 entries */
} tg_lut_s8_params;

TG_INLINE void tg_lut_s8(const tg_lut_s8_params *p, const void *const *rows, void *out)
{
    const uint8_t *in = rows[0];
    int8_t *to = out;
    for (int32_t run = 0; run < p->runs; run++, in += p->input_pitch, to += p->output_pitch) {
        for (int32_t i = 0; i < p->count; i++) {
            to[i] = p->table[in[i]];
        }
    }
}

#endif
