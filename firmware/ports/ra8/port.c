/* Renesas RA8: the SCI of type B, polled, on PCLKA. `unverified` on silicon. */
#include "tinygen_port.h"

/* The user's manual's chapters on register write protection, module stop, I/O ports and SCI. */
#define PRCR (*(volatile uint16_t *)0x4001E3FAu)
#define PRCR_UNLOCK_POWER 0xA502u
#define PRCR_LOCK 0xA500u
#define MSTPCRB TG_REGISTER(0x40203004u)
#define PWPRS (*(volatile uint8_t *)0x40400D14u)
#define PWPRS_WRITABLE 0x00u
#define PWPRS_PFS_WRITABLE 0x40u
#define PWPRS_LOCK 0x80u
#define PFS_PERIPHERAL ((uint32_t)TG_PIN_PSEL << 24 | 1u << 16)

#define SCI_RDR TG_REGISTER(TG_UART_BASE + 0x00u)
#define SCI_TDR TG_REGISTER(TG_UART_BASE + 0x04u)
#define SCI_CCR0 TG_REGISTER(TG_UART_BASE + 0x08u)
#define SCI_CCR1 TG_REGISTER(TG_UART_BASE + 0x0Cu)
#define SCI_CCR2 TG_REGISTER(TG_UART_BASE + 0x10u)
#define SCI_CCR3 TG_REGISTER(TG_UART_BASE + 0x14u)
#define SCI_CCR4 TG_REGISTER(TG_UART_BASE + 0x18u)
#define SCI_CSR TG_REGISTER(TG_UART_BASE + 0x48u)
#define SCI_CFCLR TG_REGISTER(TG_UART_BASE + 0x68u)
#define CCR0_RECEIVE_AND_TRANSMIT 0x11u
#define CCR1_TX_HIGH 0x30u          /* SPB2DT, SPB2IO: the line is high while the transmitter is off */
#define CCR2_RESET 0x04u            /* base clock pulses as after reset */
#define CCR2_EIGHT_PULSES 0x30u     /* BGDM and ABCS: a bit is eight cycles of the divided clock */
#define CCR2_MODULATION (1u << 16)  /* BRME: MDDR of 256 clocks are used */
#define CCR3_ASYNCHRONOUS_8 0x1280u /* eight bits, least significant first, clocked by PCLKA */
#define CSR_OVERRUN (1u << 24)
#define CSR_ERRORS (CSR_OVERRUN | 1u << 27 | 1u << 28)
#define CSR_CAN_SEND (1u << 29)
#define CSR_RECEIVED (1u << 31)

#define EIGHT_BITS_TIMES (8u * TG_BAUD)

void port_init(void)
{
    PRCR = PRCR_UNLOCK_POWER;
    MSTPCRB &= ~(1u << TG_MSTPCRB_BIT);
    (void)MSTPCRB; /* the module runs once the register has been read back */
    PRCR = PRCR_LOCK;
    PWPRS = PWPRS_WRITABLE;
    PWPRS = PWPRS_PFS_WRITABLE;
    TG_REGISTER(TG_TX_PFS) = PFS_PERIPHERAL;
    TG_REGISTER(TG_RX_PFS) = PFS_PERIPHERAL;
    PWPRS = PWPRS_WRITABLE;
    PWPRS = PWPRS_LOCK;
    SCI_CCR0 = 0;
    SCI_CCR3 = CCR3_ASYNCHRONOUS_8;
    SCI_CCR2 = CCR2_RESET;
    SCI_CCR1 = CCR1_TX_HIGH;
    SCI_CCR4 = 0;
    SCI_CFCLR = CSR_ERRORS | CSR_RECEIVED;
}

/* The divider is rounded down, and the modulation takes away what is too fast. */
void port_set_baud(uint32_t uart_hz)
{
    const uint32_t divider = uart_hz / EIGHT_BITS_TIMES;
    const uint32_t too_fast = uart_hz - EIGHT_BITS_TIMES * divider; /* the remainder, below EIGHT_BITS_TIMES */
    const uint32_t duty = 256u - (too_fast * 256u + uart_hz / 2u) / uart_hz;
    const uint32_t modulation = duty < 256u ? CCR2_MODULATION | duty << 24 : 0xFFu << 24;
    SCI_CCR0 = 0;
    SCI_CCR2 = modulation | (divider - 1u) << 8 | CCR2_EIGHT_PULSES | CCR2_RESET;
    SCI_CCR0 = CCR0_RECEIVE_AND_TRANSMIT;
}

void port_putc(char c)
{
    TG_WAIT_WHILE((SCI_CSR & CSR_CAN_SEND) == 0u, TG_SEND_PATIENCE);
    SCI_TDR = (unsigned char)c;
}

int port_getc(void)
{
    const uint32_t status = SCI_CSR;
    if ((status & CSR_ERRORS) != 0u) {
        SCI_CFCLR = CSR_ERRORS; /* else nothing is received again; a checksum notices the lost byte */
    }
    return (status & CSR_RECEIVED) != 0u ? (int)(SCI_RDR & 0xFFu) : -1;
}
