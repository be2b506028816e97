/* The bench on a computer: the serial line is standard input and output, and the end of input the end. */
#include <stdio.h>
#include <stdlib.h>

#include "tinygen_port.h"

uint32_t tg_test_data[4], tg_test_bss[4];
volatile int32_t tg_running_layer;

void port_init(void)
{
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
    putchar(c);
}

int port_getc(void)
{
    const int byte = getchar();
    if (byte == EOF) {
        exit(0);
    }
    return byte;
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

uint32_t tg_stack_used(void)
{
    return 0;
}

uint32_t tg_stack_size(void)
{
    return 0;
}
