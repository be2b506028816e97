/* Runs trivial once on inputs of zeros. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "trivial.h"

static void run_trivial(void)
{
    memset(trivial_input(0), 0, TRIVIAL_INPUT_0_BYTES); /* 1 x 4 int8: your data goes here */
    if (trivial_invoke() != 0) {
        printf("trivial failed\n");
        return;
    }
    const int8_t *output = trivial_output(0); /* 1 x 4 */
    for (size_t i = 0; i < TRIVIAL_OUTPUT_0_BYTES / sizeof *output; i++) {
        printf("trivial output %u: %d\n", (unsigned)i, (int)output[i]);
    }
}

int main(void)
{
    trivial_init();
    run_trivial();
    return 0;
}
