/* The second stage of the RP2040's boot: 252 bytes and their checksum, which the ROM copies to RAM and runs. It makes
 * the flash readable in place with the plainest command, serial read 03h, and starts the firmware. `unverified`.
 */
    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .section .boot, "ax"
    ldr r3, =0x18000000     /* the flash controller, SSI */
    movs r1, #0
    str r1, [r3, #0x08]     /* SSIENR: off while it is set up */
    movs r1, #4
    str r1, [r3, #0x14]     /* BAUDR: a fourth of the system clock */
    ldr r1, =0x001F0300
    str r1, [r3, #0x00]     /* CTRLR0: frames of 32 bits, read after command and address */
    movs r1, #0
    str r1, [r3, #0x04]     /* CTRLR1: one frame for each access */
    ldr r0, =0x180000F4
    ldr r1, =0x03000218
    str r1, [r0]            /* SPI_CTRLR0: command 03h of 8 bits, address of 24 bits */
    movs r1, #1
    str r1, [r3, #0x08]
    ldr r0, =0x10000100     /* the vector table, behind these 256 bytes */
    ldr r1, =0xE000ED08
    str r0, [r1]            /* VTOR */
    ldmia r0, {r0, r1}
    msr msp, r0
    bx r1
    .balign 4
    .ltorg
    .org 252
    .word 0x2F86ACB0        /* CRC-32 of the bytes before: polynomial 0x04C11DB7, start 0xFFFFFFFF, not reflected */
