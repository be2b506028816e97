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
#define DIVISOR ((TG_UART_CLOCK_HZ + 8u * TG_BAUD) / (16u * TG_BAUD))

void port_init(void)
{
    UART_LINE_CONTROL = LINE_8_BITS | LINE_DIVISOR_ACCESS;
    UART_DIVISOR_LOW = (uint8_t)(DIVISOR & 0xFFu);
    UART_DIVISOR_HIGH = (uint8_t)(DIVISOR >> 8);
    UART_LINE_CONTROL = LINE_8_BITS;
    UART_FIFO_CONTROL = FIFO_ENABLE_AND_CLEAR;
}

void port_putc(char c)
{
    while ((UART_LINE_STATUS & STATUS_CAN_SEND) == 0u) {
    }
    UART_DATA = (uint8_t)c;
}

int port_getc(void)
{
    return (UART_LINE_STATUS & STATUS_RECEIVED) != 0u ? (int)UART_DATA : -1;
}
