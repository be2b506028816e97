/* Two models called in turn, as an application would: every output is compared at once, and the first model's once more
 * after the second one has run. */
#include <string.h>

#include "digits.h"
#include "protocol.h"
#include "samples.h"
#include "tinygen_port.h"
#include "zoo.h"

static uint32_t differing(const void *found, const uint8_t *right, size_t count)
{
    const uint8_t *bytes = found;
    uint32_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += bytes[i] != right[i];
    }
    return sum;
}

int main(void)
{
    uint32_t wrong = 0, lost = 0;
    port_init();
    int status = digits_init() | zoo_init();
    for (size_t i = 0; i < SAMPLES; i++) {
        memcpy(digits_input(0), digits_inputs[i], DIGITS_INPUT_0_BYTES);
        status |= digits_invoke();
        wrong += differing(digits_output(0), digits_outputs[i], DIGITS_OUTPUT_0_BYTES);
        memcpy(zoo_input(0), zoo_inputs[i], ZOO_INPUT_0_BYTES);
        status |= zoo_invoke();
        wrong += differing(zoo_output(0), zoo_outputs[i], ZOO_OUTPUT_0_BYTES);
        lost += differing(digits_output(0), digits_outputs[i], DIGITS_OUTPUT_0_BYTES);
    }
    tg_write("tg turns");
    tg_field_number("status", (uint32_t)status);
    tg_field_number("wrong", wrong);
    tg_field_number("lost", lost);
    tg_end();
    for (;;) {
        (void)port_getc();
    }
}
