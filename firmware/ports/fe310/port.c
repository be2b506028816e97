/* SiFive FE310: its UART. `unverified` on silicon; checked in QEMU. */
#include "tinygen_port.h"

#define UART_TRANSMIT TG_REGISTER(TG_UART_BASE + 0x00u)
#define UART_RECEIVE TG_REGISTER(TG_UART_BASE + 0x04u)
#define UART_TXCTRL TG_REGISTER(TG_UART_BASE + 0x08u)
#define UART_RXCTRL TG_REGISTER(TG_UART_BASE + 0x0Cu)
#define UART_DIV TG_REGISTER(TG_UART_BASE + 0x18u)
#define FULL_OR_EMPTY 0x80000000u
#define GPIO_IOF_ENABLE TG_REGISTER(0x10012038u)
#define GPIO_IOF_SELECT TG_REGISTER(0x1001203Cu)
#define UART0_PINS (3u << 16)

void port_init(void)
{
    GPIO_IOF_SELECT &= ~UART0_PINS;
    GPIO_IOF_ENABLE |= UART0_PINS;
    UART_TXCTRL = 1;
    UART_RXCTRL = 1;
}

void port_set_baud(uint32_t uart_hz)
{
    UART_DIV = (uart_hz + TG_BAUD / 2u) / TG_BAUD - 1u;
}

void port_putc(char c)
{
    TG_WAIT_WHILE((UART_TRANSMIT & FULL_OR_EMPTY) != 0u, TG_SEND_PATIENCE);
    UART_TRANSMIT = (unsigned char)c;
}

int port_getc(void)
{
    const uint32_t word = UART_RECEIVE;
    return (word & FULL_OR_EMPTY) == 0u ? (int)(word & 0xFFu) : -1;
}
