/* The smallest firmware around a model: an input, one inference, its result. `tinygen fit` measures it. */
#include <stdint.h>

#include "tinygen_model.h"

int main(void);

int main(void)
{
    static volatile uint8_t source, sink;
    if (tg_model_init() != 0) {
        return 1;
    }
    *(uint8_t *)tg_model_input(0) = source;
    const int status = tg_model_invoke();
    sink = *(const uint8_t *)tg_model_output(0);
    return status;
}
