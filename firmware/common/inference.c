/* The model that answers: its tensors, whether its inputs are written, one inference, and elements as real numbers. */
#include "inference.h"

#include <string.h>

const struct tg_tensor tg_inputs[TG_MODEL_INPUT_COUNT] = TG_MODEL_INPUTS;
const struct tg_tensor tg_outputs[TG_MODEL_OUTPUT_COUNT] = TG_MODEL_OUTPUTS;
enum tg_weights tg_weights;
bool tg_loaded[TG_MODEL_INPUT_COUNT];
bool tg_has_outputs;
uint32_t tg_inferences;

bool tg_all_loaded(void)
{
    for (uint32_t i = 0; i < TG_MODEL_INPUT_COUNT; i++) {
        if (!tg_loaded[i]) {
            return false;
        }
    }
    return true;
}

void tg_forget_inputs(void)
{
    for (uint32_t i = 0; i < TG_MODEL_INPUT_COUNT; i++) {
        tg_loaded[i] = false;
    }
}

void tg_reset(void)
{
#if TG_MODEL_STATE_BYTES > 0
    tg_model_reset();
#endif
}

int tg_infer(uint64_t *count)
{
    tg_forget_inputs();
    const uint64_t start = tg_cycles();
    const int status = tg_model_invoke();
    *count = tg_cycles() - start;
    tg_has_outputs = status == 0;
    tg_inferences++;
    return status;
}

uint32_t tg_element_size(enum tg_type type)
{
    switch (type) {
    case TG_INT16:
        return 2;
    case TG_INT32:
    case TG_FLOAT32:
        return 4;
    case TG_INT64:
        return 8;
    default:
        return 1;
    }
}

float tg_real_element(const struct tg_tensor *tensor, const uint8_t *elements, uint32_t index)
{
    const uint8_t *at = elements + index * tg_element_size(tensor->type);
    int64_t element;
    float real;
    int32_t word;
    int16_t half;
    switch (tensor->type) {
    case TG_FLOAT32:
        memcpy(&real, at, sizeof real);
        return real;
    case TG_INT64:
        memcpy(&element, at, sizeof element);
        return (float)element;
    case TG_INT32:
        memcpy(&word, at, sizeof word);
        return (float)word;
    case TG_INT16:
        memcpy(&half, at, sizeof half);
        return (float)(half - tensor->zero_point) * tensor->scale;
    case TG_INT8:
        return (float)((int8_t)*at - tensor->zero_point) * tensor->scale;
    default:
        return (float)((int32_t)*at - tensor->zero_point) * tensor->scale;
    }
}

void tg_quantize_element(const struct tg_tensor *tensor, uint8_t *elements, uint32_t index, float value)
{
    int32_t least = -128, most = 127;
    if (tensor->type == TG_UINT8) {
        least = 0;
        most = 255;
    } else if (tensor->type == TG_INT16) {
        least = -32768;
        most = 32767;
    }
    float steps = value / tensor->scale;
    if (!(steps > -65536.0f)) {
        steps = steps <= -65536.0f ? -65536.0f : 0.0f; /* the second for what is no number */
    } else if (steps > 65536.0f) {
        steps = 65536.0f;
    }
    int32_t element = (int32_t)steps;
    const float rest = steps - (float)element;
    element += rest >= 0.5f ? 1 : rest <= -0.5f ? -1 : 0;
    element += tensor->zero_point;
    element = element < least ? least : element > most ? most : element;
    if (tensor->type == TG_INT16) {
        const int16_t half = (int16_t)element;
        memcpy(elements + index * 2u, &half, sizeof half);
    } else {
        elements[index] = (uint8_t)element;
    }
}
