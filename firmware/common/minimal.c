/* The smallest firmware around a model: an input, one inference, its result. `tinygen fit` measures it. */
#include <stdint.h>

#include "tinygen_model.h"

extern volatile uint8_t tg_source, tg_sink;

/* Volatile and visible to other files, so that no part of the model can be computed away. */
volatile uint8_t tg_source, tg_sink;

int main(void);

int main(void)
{
    if (tg_model_init() != 0) {
        return 1;
    }
    *(uint8_t *)tg_model_input(0) = tg_source;
    const int status = tg_model_invoke();
    tg_sink = *(const uint8_t *)tg_model_output(0);
    return status;
}
