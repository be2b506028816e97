/* Reset for RV32: traps, stack painting, data and bss, then main. */
    .option arch, +zicsr
    .section .init, "ax"
    .globl _start
    .type _start, @function
_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la t0, tg_trap
    csrw mtvec, t0
    la sp, __stack_top

    la t0, __stack_bottom
    li t1, 0xC5C5C5C5
1:  sw t1, 0(t0)
    addi t0, t0, 4
    bltu t0, sp, 1b

    la t0, __data_load
    la t1, __data_start
    la t2, __data_end
2:  bgeu t1, t2, 3f
    lw t3, 0(t0)
    sw t3, 0(t1)
    addi t0, t0, 4
    addi t1, t1, 4
    j 2b

3:  la t1, __bss_start
    la t2, __bss_end
4:  bgeu t1, t2, 5f
    sw zero, 0(t1)
    addi t1, t1, 4
    j 4b

5:  call main
6:  j 6b

    .size _start, . - _start

/* Nothing returns from a trap: report it on a fresh stack. The frame is mepc, mtval, mcause, ra, sp. */
    .section .text.tg_trap, "ax"
    .balign 4
    .globl tg_trap
    .type tg_trap, @function
tg_trap:
#ifndef TG_MINIMAL
    mv t0, sp
    la sp, __stack_top
    addi sp, sp, -32
    sw ra, 12(sp)
    sw t0, 16(sp)
    csrr t0, mepc
    sw t0, 0(sp)
    csrr t0, mtval
    sw t0, 4(sp)
    csrr t0, mcause
    sw t0, 8(sp)
    la a0, tg_trap_name
    mv a1, sp
    call tg_fault
#endif
7:  j 7b
    .size tg_trap, . - tg_trap

#ifndef TG_MINIMAL
    .section .rodata.tg_trap_name, "a"
tg_trap_name:
    .string "trap"
#endif
