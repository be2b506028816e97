/* The text protocol of MLPerf Tiny's runner: name, profile, timestamp, db, infer, results.
 *
 * What the host loads is kept in the memory behind the firmware's variables, so that every inference of `infer N`
 * begins with the same input, although an inference may consume it. Writing the input again is not part of the time.
 */
#include "mlperf.h"

#include <string.h>

#include "decimal.h"
#include "inference.h"
#include "protocol.h"
#include "tinygen_port.h"

#define DEFAULT_WARMUPS 10u
#define MOST_INFERENCES 1000000u /* of one command: noise must not keep the board busy for days */
#define PRINTED_PER_LINE 8u
#define PULSE_POLLS 1000u

extern uint8_t __spare_start[], __spare_end[];

static uint32_t expected, received; /* bytes of the buffer, which starts at __spare_start */
static uint32_t answered;           /* tg_inferences after the last inference of what is in the buffer, or 0 */

static void error_line(const char *text)
{
    tg_write("e-[");
    tg_write(text);
    tg_write("]\r\n");
}

static void number_line(const char *before, uint32_t number, const char *after)
{
    tg_write(before);
    tg_write_number(number);
    tg_write(after);
}

static uint32_t capacity(void)
{
    return (uint32_t)((uintptr_t)__spare_end - (uintptr_t)__spare_start);
}

/* Bytes the host sends for an input. */
static uint32_t sent_bytes(const struct tg_tensor *input)
{
#if TG_MLPERF_INPUT == TG_MLPERF_FLOAT32
    return input->bytes / tg_element_size(input->type) * 4u;
#else
    return input->bytes;
#endif
}

static uint32_t all_sent_bytes(void)
{
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < TG_MODEL_INPUT_COUNT; i++) {
        bytes += sent_bytes(&tg_inputs[i]);
    }
    return bytes;
}

/* Writes the model's inputs from the buffer. */
static void load_inputs(void)
{
    const uint8_t *from = __spare_start;
    tg_has_outputs = false;
    for (uint32_t i = 0; i < TG_MODEL_INPUT_COUNT; i++) {
        uint8_t *to = tg_model_input(i);
#if TG_MLPERF_INPUT == TG_MLPERF_FLOAT32
        for (uint32_t k = 0; k < sent_bytes(&tg_inputs[i]) / 4u; k++) {
            float value;
            memcpy(&value, from + 4u * k, sizeof value);
            tg_quantize_element(&tg_inputs[i], to, k, value);
        }
#elif TG_MLPERF_INPUT == TG_MLPERF_UINT8
        for (uint32_t k = 0; k < tg_inputs[i].bytes; k++) {
            to[k] = from[k] ^ 0x80u;
        }
#else
        memcpy(to, from, tg_inputs[i].bytes);
#endif
        from += sent_bytes(&tg_inputs[i]);
    }
}

static void db_load(const char *arguments)
{
    uint32_t count;
    expected = received = answered = 0;
    if (!tg_take_number(&arguments, 10, &count) || *arguments != '\0') {
        error_line("Command 'db load' requires the number of bytes");
    } else if (count == 0u) {
        error_line("Command 'db load' must be >0 bytes");
    } else if (count > capacity()) {
        number_line("e-[The buffer has ", capacity(), " bytes]\r\n");
    } else {
        expected = count;
        number_line("m-[Expecting ", count, " bytes]\r\n");
    }
}

static void db_print(void)
{
    for (uint32_t i = 0; i < received; i++) {
        tg_write(i % PRINTED_PER_LINE == 0u ? "m-buffer-" : "-");
        tg_write_hex_byte(__spare_start[i]);
        if (i % PRINTED_PER_LINE == PRINTED_PER_LINE - 1u || i == received - 1u) {
            tg_end();
        }
    }
}

static uint32_t hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return (uint32_t)c - '0';
    }
    if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
        return ((uint32_t)c & 15u) + 9u;
    }
    return UINT32_MAX;
}

static void db_bytes(const char *digits)
{
    const size_t count = strlen(digits);
    if (received == expected) {
        error_line(expected == 0u ? "Command 'db' requires 'db load' first" : "All bytes are there already");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (hex_digit(digits[i]) > 15u) {
            error_line("Invalid hex digit");
            return;
        }
    }
    if (count % 2u != 0u) {
        error_line("Odd number of hex digits");
        return;
    }
    for (size_t i = 0; i < count && received < expected; i += 2) {
        __spare_start[received++] = (uint8_t)(hex_digit(digits[i]) << 4 | hex_digit(digits[i + 1]));
    }
    if (received == expected) {
        tg_write("m-load-done\r\n");
    }
}

static void db(const char *arguments)
{
    if (*arguments == '\0') {
        error_line("Command 'db' requires a subcommand");
    } else if (tg_take_word(&arguments, "load")) {
        db_load(arguments);
    } else if (tg_take_word(&arguments, "print")) {
        db_print();
    } else {
        db_bytes(arguments);
    }
}

static void timestamp(uint64_t ticks)
{
    tg_trigger(true);
    TG_WAIT_WHILE(true, PULSE_POLLS);
    tg_trigger(false);
    tg_write("m-lap-us-");
    tg_write_long_number(tg_microseconds(ticks));
    tg_end();
}

static void results(void)
{
    if (!tg_has_outputs || (TG_MLPERF_RESULT == TG_MLPERF_ERROR && answered != tg_inferences)) {
        error_line("There are no results");
        return;
    }
    tg_write("m-results-[");
#if TG_MLPERF_RESULT == TG_MLPERF_ERROR
    const uint32_t count = tg_outputs[0].bytes / tg_element_size(tg_outputs[0].type);
    float sum = 0;
    for (uint32_t k = 0; k < count; k++) {
        float sent;
        memcpy(&sent, __spare_start + 4u * k, sizeof sent);
        const float difference = tg_real_element(&tg_outputs[0], tg_model_output(0), k) - sent;
        sum += difference * difference;
    }
    tg_write_real(sum / (float)count);
#else
    for (uint32_t i = 0; i < TG_MODEL_OUTPUT_COUNT; i++) {
        const uint32_t count = tg_outputs[i].bytes / tg_element_size(tg_outputs[i].type);
        for (uint32_t k = 0; k < count; k++) {
            if (i + k != 0u) {
                port_putc(',');
            }
            tg_write_real(tg_real_element(&tg_outputs[i], tg_model_output(i), k));
        }
    }
#endif
    tg_write("]\r\n");
}

/* Runs the model, each time on the buffer's input; *ticks is the time of the inferences alone. */
static bool run(uint32_t times, uint64_t *ticks)
{
    *ticks = 0;
    for (; times != 0u; times--) {
        uint64_t count;
        load_inputs();
        tg_reset(); /* every inference of a benchmark is the same */
        const uint64_t start = tg_ticks();
        const int status = tg_infer(&count);
        *ticks += tg_ticks() - start;
        if (status != 0) {
            number_line("e-[The inference failed with ", (uint32_t)status, "]\r\n");
            return false;
        }
        answered = tg_inferences;
    }
    return true;
}

static void infer(const char *arguments)
{
    uint32_t times = 1, warmups = DEFAULT_WARMUPS;
    uint64_t ticks;
    if (*arguments != '\0' && (!tg_take_number(&arguments, 10, &times) || times == 0u || times > MOST_INFERENCES)) {
        error_line("Inference iterations must be >0 and at most 1000000");
        return;
    }
    if (*arguments != '\0' &&
        (!tg_take_number(&arguments, 10, &warmups) || warmups > MOST_INFERENCES || *arguments != '\0')) {
        error_line("Inference warmup must be >=0 and at most 1000000");
        return;
    }
    if (tg_weights == TG_WEIGHTS_DAMAGED) {
        error_line("The weights are damaged");
        return;
    }
    if (received != all_sent_bytes() || received != expected) {
        number_line("e-[Input has ", received, " bytes, expected ");
        number_line("", all_sent_bytes(), "]\r\n");
        return;
    }
    number_line("m-warmup-start-", warmups, "\r\n");
    if (!run(warmups, &ticks)) {
        return;
    }
    tg_write("m-warmup-done\r\n");
    number_line("m-infer-start-", times, "\r\n");
    tg_ticks_count_wraps(true);
    const uint64_t start = tg_ticks();
    timestamp(start);
    const bool done = run(times, &ticks);
    if (done) {
        timestamp(start + ticks);
    }
    tg_ticks_count_wraps(false);
    if (done) {
        tg_write("m-infer-done\r\n");
        results();
    }
}

static void help(void)
{
    tg_write("name         the board\r\n"
             "profile      the firmware and the model\r\n"
             "timestamp    a pulse of the trigger pin, and the time in microseconds\r\n"
             "db load N    expect the N bytes of an input\r\n"
             "db HH...     those bytes in hex\r\n"
             "db print     show them\r\n"
             "infer N [W]  N inferences of that input after W to warm up (10)\r\n"
             "results      what the last inference gave\r\n"
             "Lines that begin with tg, and end with a line feed, are tinygen's own protocol.\r\n");
}

static void ready(void)
{
    tg_write("m-ready\r\n");
}

void tg_mlperf_init(void)
{
    tg_write("m-init-done\r\n");
    ready();
}

void tg_mlperf_overlong(void)
{
    error_line("The command is too long");
    ready();
}

void tg_mlperf_answer(const char *command)
{
    while (*command == ' ') {
        command++;
    }
    if (tg_take_word(&command, "name")) {
        tg_write("m-name-dut-[" TG_BOARD_ID "]\r\n");
    } else if (tg_take_word(&command, "profile")) {
        tg_write("m-profile-[tinygen " TG_MODEL_BACKEND "]\r\nm-model-[" TG_MLPERF_ID "]\r\n");
    } else if (tg_take_word(&command, "timestamp")) {
        timestamp(tg_ticks());
    } else if (tg_take_word(&command, "help")) {
        help();
    } else if (tg_take_word(&command, "db")) {
        db(command);
    } else if (tg_take_word(&command, "infer")) {
        infer(command);
    } else if (tg_take_word(&command, "results")) {
        results();
    } else if (*command != '\0') {
        tg_write("e-[Unknown command: ");
        for (; *command > ' ' && *command <= '~'; command++) {
            port_putc(*command);
        }
        tg_write("]\r\n");
    }
    ready();
}
