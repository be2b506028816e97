/* Numbers in decimal: 64-bit integers, and floats with three decimals, exact and without a C library. */
#include "decimal.h"

#include <string.h>

#include "protocol.h"
#include "tinygen_port.h"

#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
#define LARGEST_DIGITS 39 /* of FLT_MAX */

uint64_t tg_divide(uint64_t dividend, uint32_t divisor)
{
    uint64_t quotient = 0;
    uint64_t rest = 0;
    for (uint32_t bit = 64; bit-- > 0u;) {
        rest = rest << 1 | (dividend >> bit & 1u);
        quotient <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= 1u;
        }
    }
    return quotient;
}

void tg_write_long_number(uint64_t value)
{
    char digits[21];
    char *first = digits + sizeof digits - 1;
    *first = '\0';
    do {
        const uint64_t tenth = tg_divide(value, 10);
        *--first = (char)('0' + (uint32_t)(value - tenth * 10u));
        value = tenth;
    } while (value != 0u);
    tg_write(first);
}

/* mantissa * 2^doublings, too large for an integer: its decimal digits, doubled so many times. */
static void write_doubled(uint32_t mantissa, uint32_t doublings)
{
    uint8_t digits[LARGEST_DIGITS + 1] = {0}; /* the least significant first */
    for (uint32_t i = 0; mantissa != 0u; i++) {
        digits[i] = (uint8_t)(mantissa % 10u);
        mantissa /= 10u;
    }
    for (; doublings != 0u; doublings--) {
        uint32_t carry = 0;
        for (uint32_t i = 0; i < sizeof digits; i++) {
            carry += 2u * digits[i];
            digits[i] = (uint8_t)(carry % 10u);
            carry /= 10u;
        }
    }
    uint32_t count = sizeof digits;
    while (digits[count - 1u] == 0u) {
        count--;
    }
    while (count != 0u) {
        port_putc((char)('0' + digits[--count]));
    }
}

void tg_write_real(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (bits >> 31 != 0u) {
        port_putc('-');
    }
    const uint32_t biased = bits >> MANTISSA_BITS & 0xFFu;
    uint32_t mantissa = bits & 0x7FFFFFu;
    if (biased == 0xFFu) {
        tg_write(mantissa != 0u ? "nan" : "inf");
        return;
    }
    mantissa |= biased != 0u ? 1u << MANTISSA_BITS : 0u;
    const int32_t exponent = (int32_t)(biased != 0u ? biased : 1u) - EXPONENT_BIAS - MANTISSA_BITS;
    if (exponent > 0) {
        write_doubled(mantissa, (uint32_t)exponent);
        tg_write(".000");
        return;
    }
    /* 34 bits, of which the lower -exponent are the fraction of a thousandth. */
    const uint64_t scaled = (uint64_t)mantissa * 1000u;
    const uint32_t shift = (uint32_t)-exponent;
    uint64_t thousandths = 0;
    if (shift < 64u) {
        const uint64_t half = shift != 0u ? 1ull << (shift - 1u) : 0u;
        const uint64_t rest = scaled - (scaled >> shift << shift);
        thousandths = scaled >> shift;
        if (shift != 0u && (rest > half || (rest == half && (thousandths & 1u) != 0u))) {
            thousandths++;
        }
    }
    const uint64_t whole = tg_divide(thousandths, 1000);
    const uint32_t decimals = (uint32_t)(thousandths - whole * 1000u);
    tg_write_long_number(whole);
    port_putc('.');
    port_putc((char)('0' + decimals / 100u));
    port_putc((char)('0' + decimals / 10u % 10u));
    port_putc((char)('0' + decimals % 10u));
}
