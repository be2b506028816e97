/* SiFive FE310: its UART on the 16 MHz crystal. `unverified` on silicon; checked in QEMU. */
#include "tinygen_port.h"

#define UART_TRANSMIT TG_REGISTER(TG_UART_BASE + 0x00u)
#define UART_RECEIVE TG_REGISTER(TG_UART_BASE + 0x04u)
#define UART_TXCTRL TG_REGISTER(TG_UART_BASE + 0x08u)
#define UART_RXCTRL TG_REGISTER(TG_UART_BASE + 0x0Cu)
#define UART_DIV TG_REGISTER(TG_UART_BASE + 0x18u)
#define FULL_OR_EMPTY 0x80000000u
#define PRCI_HFXOSCCFG TG_REGISTER(0x10008004u)
#define PRCI_PLLCFG TG_REGISTER(0x10008008u)
#define XOSC_ENABLE (1u << 30)
#define XOSC_READY (1u << 31)
#define PLL_SELECT (1u << 16)
#define PLL_FROM_XOSC (1u << 17)
#define PLL_BYPASS (1u << 18)
#define GPIO_IOF_ENABLE TG_REGISTER(0x10012038u)
#define GPIO_IOF_SELECT TG_REGISTER(0x1001203Cu)
#define UART0_PINS (3u << 16)

void port_init(void)
{
    PRCI_HFXOSCCFG |= XOSC_ENABLE;
    while ((PRCI_HFXOSCCFG & XOSC_READY) == 0u) {
    }
    PRCI_PLLCFG = PLL_FROM_XOSC | PLL_BYPASS;              /* the crystal through the PLL's bypass, ... */
    PRCI_PLLCFG = PLL_FROM_XOSC | PLL_BYPASS | PLL_SELECT; /* ... then to the core */
    GPIO_IOF_SELECT &= ~UART0_PINS;
    GPIO_IOF_ENABLE |= UART0_PINS;
    UART_DIV = (TG_CLOCK_HZ + TG_BAUD / 2u) / TG_BAUD - 1u;
    UART_TXCTRL = 1;
    UART_RXCTRL = 1;
}

void port_putc(char c)
{
    while ((UART_TRANSMIT & FULL_OR_EMPTY) != 0u) {
    }
    UART_TRANSMIT = (unsigned char)c;
}

int port_getc(void)
{
    const uint32_t word = UART_RECEIVE;
    return (word & FULL_OR_EMPTY) == 0u ? (int)(word & 0xFFu) : -1;
}
