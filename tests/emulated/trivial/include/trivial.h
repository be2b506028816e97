/* A model written by hand with the API of generated code: twice the first input, in rows of four, plus the second.
 * A second input that starts with a fault's number misbehaves instead: see trivial.c. */
#ifndef TRIVIAL_H
#define TRIVIAL_H

#include <stddef.h>
#include <stdint.h>

#define TRIVIAL_INPUT_COUNT 2
#define TRIVIAL_INPUT_0_BYTES 16
#define TRIVIAL_INPUT_1_BYTES 4
#define TRIVIAL_OUTPUT_COUNT 1
#define TRIVIAL_OUTPUT_0_BYTES 16
#define TRIVIAL_ARENA_BYTES 36

int trivial_init(void);
int trivial_invoke(void);
void *trivial_input(size_t index);
const void *trivial_output(size_t index);
#ifdef TRIVIAL_PROFILE
void trivial_layer_begin(int32_t index);
void trivial_layer_end(int32_t index);
#endif

#endif
