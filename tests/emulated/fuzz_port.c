/* The bench on a computer: the serial line is standard input and output, and the end of input the end. With
 * TG_FUZZ_STREAMS in the environment the input is made up instead: so many streams of a little sense each, answers
 * dropped, and then one request of each protocol that must be answered. With TG_SILENT_POLLS the end of input is a line
 * that falls silent, for so many polls of a millisecond each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"
#include "tinygen_model.h"
#include "tinygen_port.h"

#define SPARE_BYTES 4096
#define STREAM_BYTES 4096

uint32_t tg_test_data[4], tg_test_bss[4];
volatile int32_t tg_running_layer;

extern uint8_t tg_test_spare[SPARE_BYTES];
uint8_t tg_test_spare[SPARE_BYTES];
__asm__(".globl tg_test_spare_end\n\t.set tg_test_spare_end, tg_test_spare + 4096");

static const uint32_t input_bytes[TG_MODEL_INPUT_COUNT] = TG_MODEL_INPUT_BYTES;
static unsigned char stream[STREAM_BYTES];
static size_t length, next;
static uint64_t silent_polls, silence;
static uint64_t streams, seed = 88172645463325252u;
static int fuzzing, last_words;

/* xorshift64, G. Marsaglia 2003. */
static uint32_t random_below(uint32_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 32) % limit);
}

static void add(const void *bytes, size_t count)
{
    const size_t free_bytes = sizeof stream - length;
    memcpy(stream + length, bytes, count < free_bytes ? count : free_bytes);
    length += count < free_bytes ? count : free_bytes;
}

static void add_text(const char *text)
{
    add(text, strlen(text));
}

static void add_random(uint32_t count)
{
    for (; count != 0u; count--) {
        const unsigned char byte = (unsigned char)random_below(256);
        add(&byte, 1);
    }
}

static void add_words(void)
{
    static const char *const words[] = {
        "tg",
        "load",
        "infer",
        "output",
        "layers",
        "memory",
        "hello",
        "others",
        "0",
        "1",
        "2",
        "4294967295",
        "4294967296",
        "-1",
        "00000000",
        "deadbeef0",
        "",
        "%",
        "m-ready",
        "name",
        "profile",
        "timestamp",
        "help",
        "db",
        "db load",
        "print",
        "results",
        "db load 16",
        "0123456789abcdefABCDEF",
        "xyz",
        "db 00",
        "infer 1 0",
        "99999999999999999999999999",
        "\r\n",
        "this line is longer than any line may be, and so it is thrown away up to the end that it has somewhere",
    };
    static const char *const ends[] = {"\n", "%", "%\r\n", "\r\n", " ", "", "\n\n", "%%"};
    for (uint32_t count = 1u + random_below(6); count != 0u; count--) {
        add_text(words[random_below(sizeof words / sizeof words[0])]);
        add_text(count == 1u ? ends[random_below(sizeof ends / sizeof ends[0])] : " ");
    }
}

/* Inputs and an inference by tinygen's lines. */
static void add_lines(void)
{
    char text[64];
    for (uint32_t i = 0; i < TG_MODEL_INPUT_COUNT; i++) {
        unsigned char *data = stream;
        snprintf(text, sizeof text, "\ntg load %u ", (unsigned)i);
        add_text(text);
        const size_t place = length;
        add_text("00000000\n");
        data = stream + length;
        for (uint32_t k = 0; k < input_bytes[i]; k++) {
            const unsigned char byte = (unsigned char)random_below(256);
            add(&byte, 1);
        }
        snprintf(text, sizeof text, "%08x", (unsigned)tg_crc32(0, data, input_bytes[i]));
        memcpy(stream + place, text, 8);
    }
    add_text("tg infer\ntg output 0\ntg layers\ntg memory\n");
}

/* The same by the commands of MLPerf Tiny. */
static void add_commands(void)
{
    char text[64];
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < TG_MODEL_INPUT_COUNT; i++) {
        bytes += input_bytes[i];
    }
    snprintf(text, sizeof text, "\ndb load %u%%", (unsigned)bytes);
    add_text(text);
    for (uint32_t k = 0; k < bytes;) {
        add_text("db ");
        for (uint32_t in_line = 0; in_line < 31u && k < bytes; in_line++, k++) {
            snprintf(text, sizeof text, random_below(2) != 0u ? "%02x" : "%02X", (unsigned)random_below(256));
            add_text(text);
        }
        add_text("%");
    }
    add_text("infer 2 1%results%db print%");
}

static void make_stream(void)
{
    length = next = 0;
    switch (random_below(5)) {
    case 0:
        add_random(random_below(40));
        break;
    case 1:
        add_lines();
        break;
    case 2:
        add_commands();
        break;
    default:
        add_words();
        break;
    }
    if (random_below(2) != 0u && length != 0u) { /* lost, damaged and inserted bytes */
        const size_t place = random_below((uint32_t)length);
        const unsigned char byte = (unsigned char)random_below(256);
        if (random_below(2) != 0u) {
            memmove(stream + place, stream + place + 1, length - place - 1);
            length--;
        } else {
            stream[place] = byte;
        }
    }
}

/* Whatever a load is waiting for, and then what must be answered. */
static void make_last_words(void)
{
    length = next = 0;
    memset(stream, '\n', 1024);
    length = 1024;
    add_text("tg hello\nname%");
    last_words = 1;
}

void port_init(void)
{
    const char *wanted = getenv("TG_FUZZ_STREAMS");
    fuzzing = wanted != NULL;
    streams = fuzzing ? strtoull(wanted, NULL, 10) : 0u;
    wanted = getenv("TG_SILENT_POLLS");
    silent_polls = wanted != NULL ? strtoull(wanted, NULL, 10) : 0u;
    wanted = getenv("TG_FUZZ_SEED");
    seed += wanted != NULL ? strtoull(wanted, NULL, 10) : 0u;
}

void port_set_baud(uint32_t uart_hz)
{
    (void)uart_hz;
}

void tg_clock_init(void)
{
}

uint32_t tg_clock_hz(void)
{
    return 1000000u;
}

uint32_t tg_uart_clock_hz(void)
{
    return 1000000u;
}

const char *tg_clock_missing(void)
{
    return NULL;
}

void tg_caches_init(void)
{
}

void tg_trigger_init(void)
{
}

void tg_trigger(bool running)
{
    (void)running;
}

void port_putc(char c)
{
    if (!fuzzing || last_words) {
        putchar(c);
    }
}

int port_getc(void)
{
    if (!fuzzing) {
        const int byte = getchar();
        if (byte == EOF && silence++ == silent_polls) {
            exit(0);
        }
        return byte == EOF ? -1 : byte;
    }
    while (next == length) {
        if (last_words) {
            exit(0);
        }
        if (streams-- != 0u) {
            make_stream();
        } else {
            make_last_words();
        }
    }
    return stream[next++];
}

void tg_cycles_init(void)
{
}

uint64_t tg_cycles(void)
{
    return 0;
}

const char *tg_cycles_source(void)
{
    return "none";
}

uint64_t tg_ticks(void)
{
    return silence * 1000u;
}

void tg_ticks_count_wraps(bool on)
{
    (void)on;
}

uint64_t tg_microseconds(uint64_t ticks)
{
    return ticks;
}

uint32_t tg_stack_used(void)
{
    return 0;
}

uint32_t tg_stack_size(void)
{
    return 0;
}
