/* The given indices along a dimension; elements of any size are runs of bytes. */
#ifndef TG_GATHER_X8_H
#define TG_GATHER_X8_H

#include "tg_common.h"

typedef struct {
    int32_t outer;       /* repetitions */
    int32_t outer_bytes; /* of the input, from one to the next */
    int32_t count;       /* indices */
    int32_t run;         /* bytes of an index */
    const int32_t *indices;
} tg_gather_x8_params;

TG_INLINE void tg_gather_x8(const tg_gather_x8_params *p, const void *const *rows, void *out)
{
    const uint8_t *in = rows[0];
    uint8_t *to = out;
    for (int32_t i = 0; i < p->outer; i++, in += p->outer_bytes) {
        for (int32_t k = 0; k < p->count; k++, to += p->run) {
            memcpy(to, in + p->indices[k] * p->run, (size_t)p->run);
        }
    }
}

#endif
