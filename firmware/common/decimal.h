/* Numbers in decimal, without a C library. */
#ifndef TINYGEN_DECIMAL_H
#define TINYGEN_DECIMAL_H

#include <stdint.h>

/* A quotient of 64 bits by 32, bit by bit: the compiler's own would pull in its run-time library's. */
uint64_t tg_divide(uint64_t dividend, uint32_t divisor);

void tg_write_long_number(uint64_t value);

/* With three decimals, exactly as printf's "%.3f" of the same value: the nearest, ties to even. */
void tg_write_real(float value);

#endif
