/* From int32 sums on standard input to int8 on standard output: narrow KIND MULTIPLIER SHIFT ZERO_POINT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tg_narrow.h"

int main(int count, char **words)
{
    if (count != 5) {
        return 2;
    }
    const int32_t multiplier = (int32_t)atol(words[2]), shift = (int32_t)atol(words[3]), zero = (int32_t)atol(words[4]);
    int32_t acc;
    while (fread(&acc, sizeof acc, 1, stdin) == 1) {
        int8_t out = 0;
        if (strcmp(words[1], "positive") == 0) {
            out = tg_narrow_positive(acc, multiplier, shift, zero);
        } else if (strcmp(words[1], "fast") == 0) {
            out = tg_narrow_fast(acc, multiplier, shift, zero);
        } else if (strcmp(words[1], "once") == 0) {
            out = tg_narrow_once(acc, multiplier, shift, zero);
        } else if (strcmp(words[1], "double") == 0) {
            out = tg_narrow_double(acc, multiplier, shift, zero, -128, 127);
        } else {
            out = tg_narrow_single(acc, multiplier, shift, zero, -128, 127);
        }
        putchar((unsigned char)out);
    }
    return 0;
}
