/* Espressif ESP32-C3: UART0 as the boot ROM leaves it, watchdogs off. `unverified` on silicon. */
#include "tinygen_port.h"

#define UART_FIFO TG_REGISTER(TG_UART_BASE + 0x00u)
#define UART_STATUS TG_REGISTER(TG_UART_BASE + 0x1Cu)
#define RECEIVED(status) ((status)&0x3FFu)
#define SENDING(status) (((status) >> 16) & 0x3FFu)
#define FIFO_BYTES 128u
#define RTC_WDT_CONFIG TG_REGISTER(0x60008090u)
#define RTC_WDT_PROTECT TG_REGISTER(0x600080A8u)
#define RTC_SWD_CONFIG TG_REGISTER(0x600080ACu)
#define RTC_SWD_PROTECT TG_REGISTER(0x600080B0u)
#define TIMG0_WDT_CONFIG TG_REGISTER(0x6001F048u)
#define TIMG0_WDT_PROTECT TG_REGISTER(0x6001F064u)
#define WDT_KEY 0x50D83AA1u
#define SWD_KEY 0x8F1D312Au
#define SWD_AUTO_FEED (1u << 31)

void port_init(void)
{
    RTC_WDT_PROTECT = WDT_KEY;
    RTC_WDT_CONFIG = 0;
    RTC_WDT_PROTECT = 0;
    RTC_SWD_PROTECT = SWD_KEY;
    RTC_SWD_CONFIG |= SWD_AUTO_FEED;
    RTC_SWD_PROTECT = 0;
    TIMG0_WDT_PROTECT = WDT_KEY;
    TIMG0_WDT_CONFIG = 0;
    TIMG0_WDT_PROTECT = 0;
}

/* The ROM has set UART0 to 115200 baud from the crystal, whatever the core's clock. */
void port_set_baud(uint32_t uart_hz)
{
    (void)uart_hz;
}

void port_putc(char c)
{
    TG_WAIT_WHILE(SENDING(UART_STATUS) >= FIFO_BYTES - 2u, TG_SEND_PATIENCE);
    UART_FIFO = (unsigned char)c;
}

int port_getc(void)
{
    return RECEIVED(UART_STATUS) != 0u ? (int)(UART_FIFO & 0xFFu) : -1;
}
