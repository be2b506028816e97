/* What a port implements and what the common firmware offers around it. */
#ifndef TINYGEN_PORT_H
#define TINYGEN_PORT_H

#include <stdint.h>

#include "tinygen_board.h"

#define TG_REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* Implemented in ports/<family>/port.c. */
void port_init(void);
void port_putc(char c);
int port_getc(void); /* the next byte, or -1 when there is none */

/* cycles.c: the core's cycle counter, widened to 64 bits. Read it at least once per 2^32 cycles. */
void tg_cycles_init(void);
uint64_t tg_cycles(void);
const char *tg_cycles_source(void);

/* stack.c: the start-up code paints the stack, the high-water mark is what has been painted over since. */
uint32_t tg_stack_used(void);
uint32_t tg_stack_size(void);

/* fault.c: the registers an exception pushed, as the start-up code found them. */
void tg_fault(const char *kind, const uint32_t *frame);

int main(void);

#endif
