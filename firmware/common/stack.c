/* Measures how deep the stack has been: paint it, run, and look for the lowest word that changed. */
#include "tinygen_port.h"

#define PAINT 0xC5C5C5C5u

extern uint32_t __stack_bottom[];
extern uint32_t __stack_top[];

uint32_t tg_stack_size(void)
{
    return (uint32_t)((uintptr_t)__stack_top - (uintptr_t)__stack_bottom);
}

uint32_t tg_stack_used(void)
{
    const volatile uint32_t *word = __stack_bottom;
    while (word < __stack_top && *word == PAINT) {
        word++;
    }
    return (uint32_t)((uintptr_t)__stack_top - (uintptr_t)word);
}
