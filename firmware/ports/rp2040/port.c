/* Raspberry Pi RP2040: PL011 UART on the 12 MHz crystal. `unverified` on silicon. */
#include "tinygen_port.h"

#define RESETS_RESET_CLEAR TG_REGISTER(0x4000F000u)
#define RESETS_DONE TG_REGISTER(0x4000C008u)
#define RESET_IO_BANK0 (1u << 5)
#define RESET_PADS_BANK0 (1u << 8)
#define RESET_UART0 (1u << 22)
#define RESET_USED (RESET_IO_BANK0 | RESET_PADS_BANK0 | RESET_UART0)
#define XOSC_CTRL TG_REGISTER(0x40024000u)
#define XOSC_STATUS TG_REGISTER(0x40024004u)
#define XOSC_STARTUP TG_REGISTER(0x4002400Cu)
#define CLOCKS_REF_CTRL TG_REGISTER(0x40008030u)
#define CLOCKS_REF_SELECTED TG_REGISTER(0x40008038u)
#define CLOCKS_PERI_CTRL TG_REGISTER(0x40008048u)
#define PIN_FUNCTION(pin) TG_REGISTER(0x40014004u + 8u * (pin))
#define UART_DATA TG_REGISTER(TG_UART_BASE + 0x00u)
#define UART_FLAGS TG_REGISTER(TG_UART_BASE + 0x18u)
#define UART_INTEGER_DIVISOR TG_REGISTER(TG_UART_BASE + 0x24u)
#define UART_FRACTION_DIVISOR TG_REGISTER(TG_UART_BASE + 0x28u)
#define UART_LINE_CONTROL TG_REGISTER(TG_UART_BASE + 0x2Cu)
#define UART_CONTROL TG_REGISTER(TG_UART_BASE + 0x30u)
#define RX_EMPTY (1u << 4)
#define TX_FULL (1u << 5)
#define DIVISOR_64THS ((4u * TG_CLOCK_HZ + TG_BAUD / 2u) / TG_BAUD) /* clock / (16 baud), in 64ths */

void port_init(void)
{
    XOSC_STARTUP = 47;     /* 1 ms in units of 256 crystal periods */
    XOSC_CTRL = 0xFABAA0u; /* enable, 1 to 15 MHz */
    while ((XOSC_STATUS & 0x80000000u) == 0u) {
    }
    CLOCKS_REF_CTRL = 2; /* the crystal; the system clock follows the reference clock after reset */
    while ((CLOCKS_REF_SELECTED & 4u) == 0u) {
    }
    CLOCKS_PERI_CTRL = 1u << 11;
    RESETS_RESET_CLEAR = RESET_USED;
    while ((RESETS_DONE & RESET_USED) != RESET_USED) {
    }
    PIN_FUNCTION(TG_TX_PIN) = 2;
    PIN_FUNCTION(TG_RX_PIN) = 2;
    UART_INTEGER_DIVISOR = DIVISOR_64THS / 64u;
    UART_FRACTION_DIVISOR = DIVISOR_64THS % 64u;
    UART_LINE_CONTROL = 0x70; /* 8 bits, FIFOs */
    UART_CONTROL = 0x301;     /* enable, transmit, receive */
}

void port_putc(char c)
{
    while ((UART_FLAGS & TX_FULL) != 0u) {
    }
    UART_DATA = (unsigned char)c;
}

int port_getc(void)
{
    return (UART_FLAGS & RX_EMPTY) == 0u ? (int)(UART_DATA & 0xFFu) : -1;
}
