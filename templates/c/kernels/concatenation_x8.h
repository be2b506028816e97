/* Concatenation as runs of bytes taken from the inputs in turn: a pixel's channels, or a whole row or tensor. */
#ifndef TG_CONCATENATION_X8_H
#define TG_CONCATENATION_X8_H

#include "tg_common.h"

typedef struct {
    int32_t repeats;      /* how often every input is taken from */
    int32_t output_pitch; /* bytes of the output from one time to the next */
    int32_t inputs;
    const int32_t *runs;    /* bytes of each input's run */
    const int32_t *pitches; /* bytes of each input from one run to the next */
} tg_concatenation_x8_params;

TG_INLINE void tg_concatenation_x8(const tg_concatenation_x8_params *p, const void *const *rows, void *out)
{
    for (int32_t i = 0; i < p->repeats; i++) {
        uint8_t *to = (uint8_t *)out + i * p->output_pitch;
        for (int32_t k = 0; k < p->inputs; k++) {
            const int32_t run = p->runs[k];
            memcpy(to, (const uint8_t *)rows[k] + i * p->pitches[k], (size_t)run);
            to += run;
        }
    }
}

#endif
