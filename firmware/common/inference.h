/* The model that answers, as both protocols of the bench firmware use it: its tensors, its weights, one inference. */
#ifndef TINYGEN_INFERENCE_H
#define TINYGEN_INFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "tinygen_model.h"
#include "tinygen_port.h"

enum tg_type {
    TG_BOOL,
    TG_UINT8,
    TG_INT8,
    TG_INT16,
    TG_INT32,
    TG_INT64,
    TG_FLOAT32,
};

struct tg_tensor {
    uint32_t bytes;
    enum tg_type type;
    int32_t zero_point; /* a quantized element stands for (element - zero_point) * scale; 0 and 1 when it is none */
    float scale;
};

extern const struct tg_tensor tg_inputs[TG_MODEL_INPUT_COUNT];
extern const struct tg_tensor tg_outputs[TG_MODEL_OUTPUT_COUNT];

/* Checked by main at start. */
extern enum tg_weights tg_weights;

/* Which inputs have been written since the last inference, and whether the outputs are those of an inference. */
extern bool tg_loaded[TG_MODEL_INPUT_COUNT];
extern bool tg_has_outputs;
extern uint32_t tg_inferences; /* since start */

bool tg_all_loaded(void);
void tg_forget_inputs(void);

/* The next inference is the first of a sequence, if the model keeps anything from one to the next. */
void tg_reset(void);

/* One inference, with the trigger pin as the caller leaves it; *count is what the cycle counter advanced. */
int tg_infer(uint64_t *count);

uint32_t tg_element_size(enum tg_type type);

/* What an element stands for; integers that are not quantized stand for themselves. */
float tg_real_element(const struct tg_tensor *tensor, const uint8_t *elements, uint32_t index);

/* The nearest element, halves away from zero; what is no number becomes the zero point. */
void tg_quantize_element(const struct tg_tensor *tensor, uint8_t *elements, uint32_t index, float value);

#endif
