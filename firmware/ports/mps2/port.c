/* Arm's MPS2 and MPS3 FPGA images: the CMSDK APB UART. Polled; checked in QEMU. */
#include "tinygen_port.h"

#define UART_DATA TG_REGISTER(TG_UART_BASE + 0x00u)
#define UART_STATE TG_REGISTER(TG_UART_BASE + 0x04u)
#define UART_CTRL TG_REGISTER(TG_UART_BASE + 0x08u)
#define UART_BAUDDIV TG_REGISTER(TG_UART_BASE + 0x10u)
#define TX_FULL 1u
#define RX_FULL 2u

#ifndef TG_UART_CLOCK_HZ
#define TG_UART_CLOCK_HZ TG_CLOCK_HZ
#endif

void port_init(void)
{
    UART_BAUDDIV = TG_UART_CLOCK_HZ / TG_BAUD;
    UART_CTRL = 3; /* transmit and receive */
}

void port_putc(char c)
{
    while ((UART_STATE & TX_FULL) != 0u) {
    }
    UART_DATA = (unsigned char)c;
}

int port_getc(void)
{
    return (UART_STATE & RX_FULL) != 0u ? (int)(UART_DATA & 0xFFu) : -1;
}
