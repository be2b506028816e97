/* Nordic nRF52840: UARTE with EasyDMA, one byte per transfer. `unverified` on silicon. */
#include "tinygen_port.h"

#define TASKS_STARTRX TG_REGISTER(TG_UART_BASE + 0x000u)
#define TASKS_STARTTX TG_REGISTER(TG_UART_BASE + 0x008u)
#define EVENTS_ENDRX TG_REGISTER(TG_UART_BASE + 0x110u)
#define EVENTS_ENDTX TG_REGISTER(TG_UART_BASE + 0x120u)
#define ENABLE TG_REGISTER(TG_UART_BASE + 0x500u)
#define PSEL_TXD TG_REGISTER(TG_UART_BASE + 0x50Cu)
#define PSEL_RXD TG_REGISTER(TG_UART_BASE + 0x514u)
#define BAUDRATE TG_REGISTER(TG_UART_BASE + 0x524u)
#define RXD_PTR TG_REGISTER(TG_UART_BASE + 0x534u)
#define RXD_MAXCNT TG_REGISTER(TG_UART_BASE + 0x538u)
#define TXD_PTR TG_REGISTER(TG_UART_BASE + 0x544u)
#define TXD_MAXCNT TG_REGISTER(TG_UART_BASE + 0x548u)
#define GPIO_OUTSET(pin) TG_REGISTER(((pin) < 32u ? 0x50000000u : 0x50000300u) + 0x508u)
#define GPIO_DIRSET(pin) TG_REGISTER(((pin) < 32u ? 0x50000000u : 0x50000300u) + 0x518u)
#define GPIO_CNF(pin) TG_REGISTER(((pin) < 32u ? 0x50000000u : 0x50000300u) + 0x700u + 4u * ((pin) % 32u))

/* DMA reaches RAM only, so what is sent goes through here. */
static volatile unsigned char received, sent;

void port_init(void)
{
    GPIO_OUTSET(TG_TX_PIN) = 1u << (TG_TX_PIN & 31u);
    GPIO_DIRSET(TG_TX_PIN) = 1u << (TG_TX_PIN & 31u);
    GPIO_CNF(TG_RX_PIN) = 0; /* input, connected */
    PSEL_TXD = TG_TX_PIN;
    PSEL_RXD = TG_RX_PIN;
    ENABLE = 8;
    RXD_PTR = (uint32_t)(uintptr_t)&received;
    RXD_MAXCNT = 1;
    TXD_PTR = (uint32_t)(uintptr_t)&sent;
    TXD_MAXCNT = 1;
    EVENTS_ENDRX = 0;
    TASKS_STARTRX = 1;
}

/* UARTE runs on the 16 MHz clock, whatever the core's. */
void port_set_baud(uint32_t uart_hz)
{
    (void)uart_hz;
    BAUDRATE = (uint32_t)(((uint64_t)TG_BAUD << 32) / 16000000u + 0x800u) & 0xFFFFF000u;
}

void port_putc(char c)
{
    sent = (unsigned char)c;
    EVENTS_ENDTX = 0;
    TASKS_STARTTX = 1;
    TG_WAIT_WHILE(EVENTS_ENDTX == 0u, TG_SEND_PATIENCE);
}

int port_getc(void)
{
    if (EVENTS_ENDRX == 0u) {
        return -1;
    }
    const int byte = received;
    EVENTS_ENDRX = 0;
    TASKS_STARTRX = 1; /* the receiver's FIFO holds what arrives meanwhile */
    return byte;
}
