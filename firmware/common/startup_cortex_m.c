/* Reset for every Cortex-M: vector table, stack painting, data and bss, floating-point unit, then main. */
#include "tinygen_port.h"

#define CPACR TG_REGISTER(0xE000ED88u)
#define VTOR TG_REGISTER(0xE000ED08u)
#define SHCSR TG_REGISTER(0xE000ED24u)

extern uint32_t __stack_bottom[], __stack_top[];
extern uint32_t __data_start[], __data_end[], __bss_start[], __bss_end[];
extern const uint32_t __data_load[];

typedef void (*handler)(void);

void Reset_Handler(void);
void Default_Handler(void);
void SysTick_Handler(void);

#ifdef TG_MINIMAL

void Default_Handler(void)
{
    for (;;) {
    }
}

#define HardFault_Handler Default_Handler
#define MemManage_Handler Default_Handler
#define BusFault_Handler Default_Handler
#define UsageFault_Handler Default_Handler
#define NMI_Handler Default_Handler

#else

/* Hands the exception's stack frame to tg_fault. A stack that overflowed cannot hold another call, so start it afresh
 * at the top: nothing returns from here. ARMv6-M has no `ite` and reaches high registers only through mov. */
#define FAULT_HANDLER(name, kind)                                                                                      \
    void name##_Handler(void);                                                                                         \
    __attribute__((naked)) void name##_Handler(void)                                                                   \
    {                                                                                                                  \
        __asm__ volatile("mrs r1, msp\n\t"                                                                             \
                         "ldr r0, =__stack_top\n\t"                                                                    \
                         "msr msp, r0\n\t"                                                                             \
                         "ldr r0, =fault_" #name "\n\t"                                                                \
                         "ldr r2, =tg_fault\n\t"                                                                       \
                         "bx r2\n\t"                                                                                   \
                         ".ltorg");                                                                                    \
    }                                                                                                                  \
    extern const char fault_##name[];                                                                                  \
    __attribute__((used)) const char fault_##name[] = kind

FAULT_HANDLER(NMI, "nmi");
FAULT_HANDLER(HardFault, "hard");
FAULT_HANDLER(MemManage, "memory");
FAULT_HANDLER(BusFault, "bus");
FAULT_HANDLER(UsageFault, "usage");
FAULT_HANDLER(Default, "unexpected");

#endif

__attribute__((weak)) void SysTick_Handler(void)
{
    Default_Handler();
}

extern const handler tg_vectors[16];

__attribute__((used, section(".vectors"))) const handler tg_vectors[16] = {
    (handler)(uintptr_t)__stack_top,
    Reset_Handler,
    NMI_Handler,
    HardFault_Handler,
    MemManage_Handler,
    BusFault_Handler,
    UsageFault_Handler,
    Default_Handler, /* SecureFault on ARMv8-M */
    0,
    0,
    0,
    Default_Handler,
    Default_Handler,
    0,
    Default_Handler,
    SysTick_Handler,
};

/* Runs on the stack it paints, so it must not need one: no calls, no locals that spill before the paint is dry. */
__attribute__((naked, noreturn)) void Reset_Handler(void)
{
    __asm__ volatile("ldr r0, =__stack_top\n\t"
                     "mov sp, r0\n\t"
                     "ldr r1, =__stack_bottom\n\t"
                     "ldr r2, =0xC5C5C5C5\n"
                     "1:\n\t"
                     "str r2, [r1]\n\t"
                     "adds r1, #4\n\t"
                     "cmp r1, r0\n\t"
                     "blo 1b\n\t"
                     "ldr r0, =tg_start\n\t"
                     "bx r0\n\t"
                     ".ltorg");
}

void tg_start(void);

__attribute__((noreturn)) void tg_start(void)
{
    const uint32_t *from = __data_load;
    for (volatile uint32_t *to = __data_start; to < __data_end; to++) {
        *to = *from++;
    }
    for (volatile uint32_t *to = __bss_start; to < __bss_end; to++) {
        *to = 0;
    }
#if !defined(__ARM_ARCH_6M__)
    VTOR = (uint32_t)(uintptr_t)tg_vectors;
    SHCSR |= 7u << 16; /* memory, bus and usage faults by their own names */
#endif
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    CPACR |= 0xFu << 20;
    __asm__ volatile("dsb\n\tisb");
#endif
    (void)main();
    for (;;) {
    }
}
