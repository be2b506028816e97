/* What a port implements and what the common firmware offers around it. */
#ifndef TINYGEN_PORT_H
#define TINYGEN_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "tinygen_board.h"

#define TG_REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* Waits for hardware, but not forever: what never answers must not stop the firmware from saying so. */
#define TG_WAIT_WHILE(condition, patience)                                                                             \
    for (uint32_t polls_left = (patience); polls_left != 0u && (condition); polls_left--) {                            \
    }
#define TG_CLOCK_PATIENCE 200000u /* polls; oscillators start within milliseconds */
#define TG_SEND_PATIENCE (1u << 24)

/* Implemented in ports/<family>/port.c. */
void port_init(void);                 /* pins and the UART, whose clock is set before */
void port_set_baud(uint32_t uart_hz); /* TG_BAUD from this clock of the UART */
void port_putc(char c);
int port_getc(void); /* the next byte, or -1 when there is none */

/* clock.c: full speed where the board's description knows the way, else the clock after reset. */
void tg_clock_init(void);
uint32_t tg_clock_hz(void);
uint32_t tg_uart_clock_hz(void);
const char *tg_clock_missing(void); /* the register that was waited for in vain, or NULL */

/* caches.c: the core's own caches, on. */
void tg_caches_init(void);

/* trigger.c: the board's trigger pin, high while the model runs. */
void tg_trigger_init(void);
void tg_trigger(bool running);

/* cycles.c: the core's cycle counter, widened to 64 bits. Read it at least once per 2^32 cycles. */
void tg_cycles_init(void);
uint64_t tg_cycles(void);
const char *tg_cycles_source(void);

/* Time, for timeouts and for hosts that ask in microseconds: the cycle counter, or a timer where that one stands still.
 * Call tg_ticks at least twice a second, or have the timer's wraps counted by its interrupt. */
uint64_t tg_ticks(void);
void tg_ticks_count_wraps(bool on);
uint64_t tg_microseconds(uint64_t ticks);

/* weights.c: the models' constants in flash, against their CRC-32 when they were generated. */
enum tg_weights { TG_WEIGHTS_UNCHECKED, TG_WEIGHTS_INTACT, TG_WEIGHTS_DAMAGED };
enum tg_weights tg_check_weights(void);

/* stack.c: the start-up code paints the stack, the high-water mark is what has been painted over since. */
uint32_t tg_stack_used(void);
uint32_t tg_stack_size(void);

/* fault.c: the registers an exception pushed, as the start-up code found them. */
void tg_fault(const char *kind, const uint32_t *frame);
extern volatile int32_t tg_running_layer; /* of a profiling build, or -1 */

int main(void);

#endif
