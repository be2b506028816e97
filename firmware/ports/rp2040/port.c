/* Raspberry Pi RP2040: PL011 UART. `unverified` on silicon. */
#include "tinygen_port.h"

#define RESETS_RESET_CLEAR TG_REGISTER(0x4000F000u)
#define RESETS_DONE TG_REGISTER(0x4000C008u)
#define RESET_IO_BANK0 (1u << 5)
#define RESET_PADS_BANK0 (1u << 8)
#define RESET_UART0 (1u << 22)
#define RESET_USED (RESET_IO_BANK0 | RESET_PADS_BANK0 | RESET_UART0)
#define PIN_FUNCTION(pin) TG_REGISTER(0x40014004u + 8u * (pin))
#define UART_DATA TG_REGISTER(TG_UART_BASE + 0x00u)
#define UART_FLAGS TG_REGISTER(TG_UART_BASE + 0x18u)
#define UART_INTEGER_DIVISOR TG_REGISTER(TG_UART_BASE + 0x24u)
#define UART_FRACTION_DIVISOR TG_REGISTER(TG_UART_BASE + 0x28u)
#define UART_LINE_CONTROL TG_REGISTER(TG_UART_BASE + 0x2Cu)
#define UART_CONTROL TG_REGISTER(TG_UART_BASE + 0x30u)
#define RX_EMPTY (1u << 4)
#define TX_FULL (1u << 5)

void port_init(void)
{
    RESETS_RESET_CLEAR = RESET_USED;
    TG_WAIT_WHILE((RESETS_DONE & RESET_USED) != RESET_USED, TG_CLOCK_PATIENCE);
    PIN_FUNCTION(TG_TX_PIN) = 2;
    PIN_FUNCTION(TG_RX_PIN) = 2;
    UART_CONTROL = 0x301; /* enable, transmit, receive */
}

void port_set_baud(uint32_t uart_hz)
{
    const uint32_t divisor_64ths = (4u * uart_hz + TG_BAUD / 2u) / TG_BAUD; /* clock / (16 baud), in 64ths */
    UART_INTEGER_DIVISOR = divisor_64ths / 64u;
    UART_FRACTION_DIVISOR = divisor_64ths % 64u;
    UART_LINE_CONTROL = 0x70; /* 8 bits, FIFOs; writing it takes the divisors over */
}

void port_putc(char c)
{
    TG_WAIT_WHILE((UART_FLAGS & TX_FULL) != 0u, TG_SEND_PATIENCE);
    UART_DATA = (unsigned char)c;
}

int port_getc(void)
{
    return (UART_FLAGS & RX_EMPTY) == 0u ? (int)(UART_DATA & 0xFFu) : -1;
}
