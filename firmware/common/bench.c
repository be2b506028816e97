/* The bench firmware: answers requests on the serial line by loading inputs, running the model and showing figures.
 *
 *   host                          board
 *   tg load 0 1c291ca3      -->
 *                           <--   tg send bytes=490
 *   490 bytes               -->   straight into the model's input
 *                           <--   tg loaded input=0
 *   tg infer                -->
 *                           <--   tg ran status=0 count=0x0000000000756fd0
 *   tg output 0             -->
 *                           <--   tg bytes output=0 bytes=12 crc=0x3a8f0c11, 12 bytes, line end
 *
 * An inference may consume its inputs (their memory is reused while they are read), so each needs its own load.
 */
#include "inference.h"
#include "mlperf.h"
#include "protocol.h"

extern uint32_t __data_start[], __data_end[], __bss_start[], __bss_end[];

#define SILENCE_SECONDS 5u
#define POLLS_BETWEEN_LOOKS 256u

#ifdef TG_MODEL_PROFILE
static uint64_t layer_counts[TG_MODEL_LAYER_SLOTS];
static uint64_t layer_start;

void tg_model_layer_begin(int32_t index)
{
    tg_running_layer = index;
    layer_start = tg_cycles();
}

void tg_model_layer_end(int32_t index)
{
    layer_counts[index] += tg_cycles() - layer_start;
    tg_running_layer = -1;
}
#endif

static void fail(const char *reason)
{
    tg_write("tg error");
    tg_field_text("reason", reason);
    tg_end();
}

static void write_sizes(const char *key, const struct tg_tensor *tensors, uint32_t count)
{
    tg_field_number(key, tensors[0].bytes);
    for (uint32_t i = 1; i < count; i++) {
        tg_write(",");
        tg_write_number(tensors[i].bytes);
    }
}

static void hello(void)
{
    tg_write("tg hello");
    tg_field_number("version", 1);
    tg_field_text("model", TG_MODEL_NAME);
    tg_field_text("sha256", TG_MODEL_SHA256);
    tg_field_text("backend", TG_MODEL_BACKEND);
    tg_field_text("board", TG_BOARD_ID);
    tg_field_number("arena", TG_MODEL_ARENA_BYTES);
    tg_field_number("layers", TG_MODEL_LAYER_SLOTS);
#ifdef TG_MODEL_PROFILE
    tg_field_number("profile", 1);
#else
    tg_field_number("profile", 0);
#endif
    tg_field_text("counter", tg_cycles_source());
    tg_field_number("clock", tg_clock_hz());
    if (tg_clock_missing() != NULL) {
        tg_field_text("clock_fallback", tg_clock_missing());
    }
    tg_field_text("weights", (const char *const[]){"unchecked", "intact", "damaged"}[tg_weights]);
    write_sizes("inputs", tg_inputs, TG_MODEL_INPUT_COUNT);
    write_sizes("outputs", tg_outputs, TG_MODEL_OUTPUT_COUNT);
    tg_end();
}

/* Reads bytes as they come; false when the line falls silent before the last. */
static bool receive(uint8_t *to, uint32_t count)
{
    const uint64_t patience = (uint64_t)SILENCE_SECONDS * tg_clock_hz();
    uint64_t heard = tg_ticks();
    uint32_t polls = 0;
    for (uint32_t i = 0; i < count;) {
        const int byte = port_getc();
        if (byte >= 0) {
            to[i++] = (uint8_t)byte;
            polls = 0;
        } else if (++polls % POLLS_BETWEEN_LOOKS == 1u) {
            const uint64_t now = tg_ticks();
            if (polls == 1u) {
                heard = now;
            } else if (now - heard > patience) {
                return false;
            }
        }
    }
    return true;
}

static void load(const char *arguments)
{
    uint32_t index, crc;
    if (!tg_take_number(&arguments, 10, &index) || !tg_take_number(&arguments, 16, &crc) || *arguments != '\0') {
        fail("arguments");
        return;
    }
    if (index >= TG_MODEL_INPUT_COUNT) {
        fail("index");
        return;
    }
    uint8_t *to = tg_model_input(index);
    const uint32_t count = tg_inputs[index].bytes;
    tg_loaded[index] = false;
    tg_has_outputs = false;
    tg_write("tg send");
    tg_field_number("bytes", count);
    tg_end();
    if (!receive(to, count)) {
        fail("silence");
        return;
    }
    if (tg_crc32(0, to, count) != crc) {
        fail("crc");
        return;
    }
    tg_loaded[index] = true;
    tg_write("tg loaded");
    tg_field_number("input", index);
    tg_end();
}

static void infer(void)
{
    if (tg_weights == TG_WEIGHTS_DAMAGED) {
        fail("weights");
        return;
    }
    if (!tg_all_loaded()) {
        fail("inputs");
        return;
    }
#ifdef TG_MODEL_PROFILE
    for (uint32_t i = 0; i < TG_MODEL_LAYER_SLOTS; i++) {
        layer_counts[i] = 0;
    }
#endif
    uint64_t count;
    tg_trigger(true);
    const int status = tg_infer(&count);
    tg_trigger(false);
    tg_write("tg ran");
    tg_field_number("status", (uint32_t)status);
    tg_field_long("count", count);
    tg_end();
}

static void output(const char *arguments)
{
    uint32_t index;
    if (!tg_take_number(&arguments, 10, &index) || *arguments != '\0') {
        fail("arguments");
        return;
    }
    if (index >= TG_MODEL_OUTPUT_COUNT) {
        fail("index");
        return;
    }
    if (!tg_has_outputs) {
        fail("outputs");
        return;
    }
    const uint8_t *from = tg_model_output(index);
    tg_write("tg bytes");
    tg_field_number("output", index);
    tg_field_number("bytes", tg_outputs[index].bytes);
    tg_field_hex("crc", tg_crc32(0, from, tg_outputs[index].bytes));
    tg_end();
    tg_write_bytes(from, tg_outputs[index].bytes);
    tg_end();
}

static void layers(void)
{
#ifdef TG_MODEL_PROFILE
    for (uint32_t i = 0; i < TG_MODEL_LAYER_SLOTS; i++) {
        tg_write("tg layer");
        tg_field_number("index", i);
        tg_field_long("count", layer_counts[i]);
        tg_end();
    }
    tg_write("tg layers");
    tg_field_number("slots", TG_MODEL_LAYER_SLOTS);
    tg_end();
#else
    fail("profile");
#endif
}

#define INIT(prefix) status |= prefix##_init();
#define RUN(prefix)                                                                                                    \
    status |= prefix##_invoke();                                                                                       \
    models++;

/* What an application does between two inferences of this model: one of each other, of whatever its inputs hold. */
static void others(void)
{
    uint32_t models = 0;
    int status = 0;
    TG_OTHER_MODELS(RUN)
#if TG_SHARED_ARENA
    tg_has_outputs = false;
    tg_forget_inputs();
#endif
    tg_write("tg others");
    tg_field_number("models", models);
    tg_field_number("status", (uint32_t)status);
    tg_end();
}

static void reset(void)
{
    tg_reset();
    tg_write("tg reset");
    tg_field_number("state", TG_MODEL_STATE_BYTES);
    tg_end();
}

static void memory(void)
{
    tg_write("tg memory");
    tg_field_number("arena", TG_MODEL_ARENA_BYTES);
    tg_field_number("data", (uint32_t)((uintptr_t)__data_end - (uintptr_t)__data_start));
    tg_field_number("bss", (uint32_t)((uintptr_t)__bss_end - (uintptr_t)__bss_start));
    tg_field_number("stack", tg_stack_size());
    tg_field_number("stack_used", tg_stack_used());
    tg_end();
}

static void answer(const char *request)
{
    if (*request == '\0') {
        return; /* an empty line brings both sides back in step */
    }
    if (!tg_take_word(&request, "tg")) {
        fail("unknown");
    } else if (tg_take_word(&request, "load")) {
        load(request);
    } else if (tg_take_word(&request, "infer")) {
        infer();
    } else if (tg_take_word(&request, "output")) {
        output(request);
    } else if (tg_take_word(&request, "layers")) {
        layers();
    } else if (tg_take_word(&request, "others")) {
        others();
    } else if (tg_take_word(&request, "reset")) {
        reset();
    } else if (tg_take_word(&request, "memory")) {
        memory();
    } else if (tg_take_word(&request, "hello")) {
        hello();
    } else {
        fail("unknown");
    }
}

int main(void)
{
    static struct tg_line line;
    tg_clock_init();
    tg_caches_init();
    port_init();
    port_set_baud(tg_uart_clock_hz());
    tg_trigger_init();
    tg_cycles_init();
    tg_weights = tg_check_weights();
    int status = 0;
    TG_MODELS(INIT)
    tg_end();
    if (status != 0) {
        fail("init");
    }
    hello();
    if (tg_weights == TG_WEIGHTS_DAMAGED) {
        fail("weights");
    }
    tg_mlperf_init();
    for (;;) {
        const int byte = port_getc();
        if (byte < 0) {
            continue;
        }
        switch (tg_line_add(&line, byte)) {
        case TG_LINE_READY:
            answer(line.text);
            break;
        case TG_LINE_OVERLONG:
            fail("line");
            break;
        case TG_COMMAND_READY:
            tg_mlperf_answer(line.text);
            break;
        case TG_COMMAND_OVERLONG:
            tg_mlperf_overlong();
            break;
        case TG_LINE_OPEN:
            break;
        }
    }
}
