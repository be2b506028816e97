/* STM32 families: USART and LPUART, polled. `unverified` on silicon. */
#include "tinygen_port.h"

/* TG_UART_KIND: 1 has SR and DR (F4), 2 has ISR, RDR and TDR (F7, H7, L4, U5), 3 is an LPUART with registers as 2. */
#if TG_UART_KIND == 1
#define UART_STATUS TG_REGISTER(TG_UART_BASE + 0x00u)
#define UART_RECEIVE TG_REGISTER(TG_UART_BASE + 0x04u)
#define UART_TRANSMIT TG_REGISTER(TG_UART_BASE + 0x04u)
#define UART_BRR TG_REGISTER(TG_UART_BASE + 0x08u)
#define UART_CR1 TG_REGISTER(TG_UART_BASE + 0x0Cu)
#define CR1_ENABLE (1u << 13)
#else
#define UART_STATUS TG_REGISTER(TG_UART_BASE + 0x1Cu)
#define UART_RECEIVE TG_REGISTER(TG_UART_BASE + 0x24u)
#define UART_TRANSMIT TG_REGISTER(TG_UART_BASE + 0x28u)
#define UART_BRR TG_REGISTER(TG_UART_BASE + 0x0Cu)
#define UART_CR1 TG_REGISTER(TG_UART_BASE + 0x00u)
#define UART_ICR TG_REGISTER(TG_UART_BASE + 0x20u)
#define CR1_ENABLE 1u
#endif
#define STATUS_OVERRUN (1u << 3)
#define STATUS_RECEIVED (1u << 5)
#define STATUS_CAN_SEND (1u << 7)
#define CR1_RECEIVER (1u << 2)
#define CR1_TRANSMITTER (1u << 3)

#define GPIO_MODER(gpio) TG_REGISTER((gpio) + 0x00u)
#define GPIO_AFR(gpio, pin) TG_REGISTER((gpio) + ((pin) < 8u ? 0x20u : 0x24u))

static void use_alternate_function(uint32_t gpio, uint32_t pin)
{
    const uint32_t nibble = 4u * (pin & 7u);
    GPIO_AFR(gpio, pin) = (GPIO_AFR(gpio, pin) & ~(0xFu << nibble)) | ((uint32_t)TG_PIN_AF << nibble);
    GPIO_MODER(gpio) = (GPIO_MODER(gpio) & ~(3u << (2u * pin))) | (2u << (2u * pin));
}

static void set_and_settle(uint32_t address, uint32_t bit)
{
    TG_REGISTER(address) |= 1u << bit;
    (void)TG_REGISTER(address); /* a peripheral is ready two bus cycles after its clock is enabled: read it back */
}

void port_init(void)
{
#ifdef TG_PWR_IOSV
    set_and_settle(TG_RCC_PWR_ENR, TG_RCC_PWR_BIT);
    set_and_settle(TG_PWR_IOSV, TG_PWR_IOSV_BIT);
#endif
    set_and_settle(TG_RCC_GPIO_ENR, TG_TX_GPIO_BIT);
    set_and_settle(TG_RCC_GPIO_ENR, TG_RX_GPIO_BIT);
    set_and_settle(TG_RCC_UART_ENR, TG_RCC_UART_BIT);
    use_alternate_function(TG_TX_GPIO, TG_TX_PIN);
    use_alternate_function(TG_RX_GPIO, TG_RX_PIN);
}

/* The divisor may be written only while the UART is off. */
void port_set_baud(uint32_t uart_hz)
{
    UART_CR1 = 0;
#if TG_UART_KIND == 3
    UART_BRR = uart_hz / TG_BAUD * 256u + (uart_hz % TG_BAUD * 256u + TG_BAUD / 2u) / TG_BAUD;
#else
    UART_BRR = (uart_hz + TG_BAUD / 2u) / TG_BAUD;
#endif
    UART_CR1 = CR1_ENABLE | CR1_RECEIVER | CR1_TRANSMITTER;
}

void port_putc(char c)
{
    TG_WAIT_WHILE((UART_STATUS & STATUS_CAN_SEND) == 0u, TG_SEND_PATIENCE);
    UART_TRANSMIT = (unsigned char)c;
}

int port_getc(void)
{
    const uint32_t status = UART_STATUS;
#if TG_UART_KIND != 1
    if ((status & STATUS_OVERRUN) != 0u) {
        UART_ICR = STATUS_OVERRUN; /* else nothing is received again; a checksum notices the lost byte */
    }
#endif
    return (status & STATUS_RECEIVED) != 0u ? (int)(UART_RECEIVE & 0xFFu) : -1;
}
