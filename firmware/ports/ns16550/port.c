/* A 16550-compatible UART with registers of one byte, polled, as QEMU's RISC-V machine has it; checked in QEMU. */
#include "tinygen_port.h"

#define UART_BYTE(offset) (*(volatile uint8_t *)(uintptr_t)(TG_UART_BASE + (offset)))
#define UART_DATA UART_BYTE(0)
#define UART_DIVISOR_LOW UART_BYTE(0)  /* with LINE_DIVISOR_ACCESS */
#define UART_DIVISOR_HIGH UART_BYTE(1) /* with LINE_DIVISOR_ACCESS */
#define UART_FIFO_CONTROL UART_BYTE(2)
#define UART_LINE_CONTROL UART_BYTE(3)
#define UART_LINE_STATUS UART_BYTE(5)
#define LINE_8_BITS 0x03u
#define LINE_DIVISOR_ACCESS 0x80u
#define FIFO_ENABLE_AND_CLEAR 0x07u
#define STATUS_RECEIVED 0x01u
#define STATUS_CAN_SEND 0x20u

void port_init(void)
{
    UART_FIFO_CONTROL = FIFO_ENABLE_AND_CLEAR;
}

void port_set_baud(uint32_t uart_hz)
{
    const uint32_t divisor = (uart_hz + 8u * TG_BAUD) / (16u * TG_BAUD);
    UART_LINE_CONTROL = LINE_8_BITS | LINE_DIVISOR_ACCESS;
    UART_DIVISOR_LOW = (uint8_t)(divisor & 0xFFu);
    UART_DIVISOR_HIGH = (uint8_t)(divisor >> 8);
    UART_LINE_CONTROL = LINE_8_BITS;
}

void port_putc(char c)
{
    TG_WAIT_WHILE((UART_LINE_STATUS & STATUS_CAN_SEND) == 0u, TG_SEND_PATIENCE);
    UART_DATA = (uint8_t)c;
}

int port_getc(void)
{
    return (UART_LINE_STATUS & STATUS_RECEIVED) != 0u ? (int)UART_DATA : -1;
}
