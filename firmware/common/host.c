/* The model as a program for a computer: all inputs' bytes on standard input, a status byte and all outputs' bytes on
 * standard output, inference after inference until the input ends. The other models of the firmware run before each.
 * Where the model keeps state, a byte comes before the inputs: 0 goes on from the last inference, else it is reset. */
#include <stdint.h>
#include <stdio.h>

#include "tinygen_model.h"

static const uint32_t input_bytes[TG_MODEL_INPUT_COUNT] = TG_MODEL_INPUT_BYTES;
static const uint32_t output_bytes[TG_MODEL_OUTPUT_COUNT] = TG_MODEL_OUTPUT_BYTES;

#ifdef TG_MODEL_PROFILE
void tg_model_layer_begin(int32_t index)
{
    (void)index;
}

void tg_model_layer_end(int32_t index)
{
    (void)index;
}
#endif

#define INIT(prefix)                                                                                                   \
    if (prefix##_init() != 0) {                                                                                        \
        fputs(#prefix "_init failed\n", stderr);                                                                       \
        return 1;                                                                                                      \
    }

#define RUN(prefix)                                                                                                    \
    if (prefix##_invoke() != 0) {                                                                                      \
        fputs(#prefix "_invoke failed\n", stderr);                                                                     \
        return 1;                                                                                                      \
    }

int main(void)
{
    TG_MODELS(INIT)
    for (;;) {
        TG_OTHER_MODELS(RUN)
#if TG_MODEL_STATE_BYTES > 0
        const int first = getchar();
        if (first > 0) {
            tg_model_reset();
        }
#endif
        for (uint32_t i = 0; i < TG_MODEL_INPUT_COUNT; i++) {
            if (fread(tg_model_input(i), 1, input_bytes[i], stdin) != input_bytes[i]) {
                return 0;
            }
        }
        const unsigned char status = (unsigned char)tg_model_invoke();
        (void)fwrite(&status, 1, 1, stdout);
        for (uint32_t i = 0; i < TG_MODEL_OUTPUT_COUNT; i++) {
            (void)fwrite(tg_model_output(i), 1, output_bytes[i], stdout);
        }
        if (fflush(stdout) != 0) {
            return 0;
        }
    }
}
