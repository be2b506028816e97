/* The caches of a Cortex-M7, M55 or M85, where the core has them, and what else is off after reset there. */
#include "tinygen_port.h"

#if defined(__ARM_ARCH) && !defined(__ARM_ARCH_6M__)

/* ARMv7-M and ARMv8-M Architecture Reference Manuals, cache identification and maintenance registers. */
#define CCR TG_REGISTER(0xE000ED14u)
#define CLIDR TG_REGISTER(0xE000ED78u)
#define CCSIDR TG_REGISTER(0xE000ED80u)
#define CSSELR TG_REGISTER(0xE000ED84u)
#define ICIALLU TG_REGISTER(0xE000EF50u)
#define DCISW TG_REGISTER(0xE000EF60u)
#define CLIDR_INSTRUCTION 1u
#define CLIDR_DATA 2u
#define CLIDR_UNIFIED 4u
#define CCR_DATA_CACHE (1u << 16)
#define CCR_INSTRUCTION_CACHE (1u << 17)
#define CCR_BRANCH_PREDICTION (1u << 18)
#define CCR_LOW_OVERHEAD_LOOPS (1u << 19)

static void synchronize(void)
{
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

/* After reset a line may hold anything: all are invalidated by set and way before the cache is used. */
static void invalidate_data_cache(void)
{
    CSSELR = 0;
    synchronize();
    const uint32_t geometry = CCSIDR;
    const uint32_t set_shift = (geometry & 7u) + 4u;
    const uint32_t sets = (geometry >> 13 & 0x7FFFu) + 1u;
    const uint32_t ways = (geometry >> 3 & 0x3FFu) + 1u;
    uint32_t way_shift = 32;
    while (way_shift != 0u && ways > 1u << (32u - way_shift)) {
        way_shift--;
    }
    for (uint32_t set = 0; set < sets; set++) {
        for (uint32_t way = 0; way < ways; way++) {
            DCISW = (way_shift < 32u ? way << way_shift : 0u) | set << set_shift;
        }
    }
    synchronize();
}

void tg_caches_init(void)
{
    const uint32_t level_1 = CLIDR & 7u;
    if ((level_1 & CLIDR_INSTRUCTION) != 0u && (CCR & CCR_INSTRUCTION_CACHE) == 0u) {
        synchronize();
        ICIALLU = 0;
        synchronize();
        CCR |= CCR_INSTRUCTION_CACHE;
        synchronize();
    }
    if ((level_1 & (CLIDR_DATA | CLIDR_UNIFIED)) != 0u && (CCR & CCR_DATA_CACHE) == 0u) {
        invalidate_data_cache();
        CCR |= CCR_DATA_CACHE;
        synchronize();
    }
#if defined(__ARM_FEATURE_MVE)
    CCR |= CCR_BRANCH_PREDICTION | CCR_LOW_OVERHEAD_LOOPS;
    synchronize();
#endif
}

#else

void tg_caches_init(void)
{
}

#endif
