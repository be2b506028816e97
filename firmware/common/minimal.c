/* The smallest firmware around its models: of each an input, one inference, its result. `tinygen fit` measures it. */
#include <stdint.h>

#include "tinygen_model.h"

extern volatile uint8_t tg_source, tg_sink;

/* Volatile and visible to other files, so that no part of a model can be computed away. */
volatile uint8_t tg_source, tg_sink;

#define RUN(prefix)                                                                                                    \
    if (prefix##_init() != 0) {                                                                                        \
        return 1;                                                                                                      \
    }                                                                                                                  \
    *(uint8_t *)prefix##_input(0) = tg_source;                                                                         \
    status |= prefix##_invoke();                                                                                       \
    tg_sink = *(const uint8_t *)prefix##_output(0);

int main(void);

int main(void)
{
    int status = 0;
    TG_MODELS(RUN)
    return status;
}
