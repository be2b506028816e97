/* Arm's MPS2 and MPS3 FPGA images: the CMSDK APB UART. Polled; checked in QEMU. */
#include "tinygen_port.h"

#define UART_DATA TG_REGISTER(TG_UART_BASE + 0x00u)
#define UART_STATE TG_REGISTER(TG_UART_BASE + 0x04u)
#define UART_CTRL TG_REGISTER(TG_UART_BASE + 0x08u)
#define UART_BAUDDIV TG_REGISTER(TG_UART_BASE + 0x10u)
#define TX_FULL 1u
#define RX_FULL 2u

void port_init(void)
{
    UART_CTRL = 3; /* transmit and receive */
}

void port_set_baud(uint32_t uart_hz)
{
    UART_BAUDDIV = uart_hz / TG_BAUD;
}

void port_putc(char c)
{
    TG_WAIT_WHILE((UART_STATE & TX_FULL) != 0u, TG_SEND_PATIENCE);
    UART_DATA = (unsigned char)c;
}

int port_getc(void)
{
    return (UART_STATE & RX_FULL) != 0u ? (int)(UART_DATA & 0xFFu) : -1;
}
