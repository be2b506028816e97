/* Counts instructions for Unicorn, a translation block at a time; block_counter.py does the same, slower.
 *
 * A block runs to its end, so the instructions executed before a block is entered are the sum over the blocks entered
 * earlier. A function starts a block (its callers jump to it), and so does the instruction it returns to.
 */
#include <stdint.h>

#define CACHE_BLOCKS 65536u
#define BLOCK_BYTES 4096u

typedef struct uc_struct uc_engine;

struct block_counter {
    int (*reg_read)(uc_engine *uc, int reg, void *value);
    int (*mem_read)(uc_engine *uc, uint64_t address, void *bytes, uint64_t size);
    int (*emu_stop)(uc_engine *uc);
    uint64_t total;
    uint64_t limit;
    uint64_t count; /* of the last complete call of the counted function */
    uint64_t start;
    uint64_t layer_start;
    uint64_t *layers; /* `slots` counts */
    uint32_t function, function_return;
    uint32_t begin, begin_return, end;
    int32_t layer; /* the layer running, or -1 */
    int32_t slots;
    int32_t argument_register, return_register;
    int32_t thumb;
    int32_t exhausted; /* the limit was reached */
    uint32_t addresses[CACHE_BLOCKS];
    uint16_t sizes[CACHE_BLOCKS];
    uint16_t instructions[CACHE_BLOCKS];
};

static uint32_t read_register(struct block_counter *counter, uc_engine *uc, int reg)
{
    uint64_t value = 0;
    (void)counter->reg_read(uc, reg, &value);
    return (uint32_t)value;
}

static uint16_t instructions_of(struct block_counter *counter, uc_engine *uc, uint32_t address, uint32_t size)
{
    const uint32_t slot = (address >> 1) % CACHE_BLOCKS;
    if (counter->addresses[slot] == address && counter->sizes[slot] == size && size != 0u) {
        return counter->instructions[slot];
    }
    uint8_t code[BLOCK_BYTES];
    uint16_t instructions = 0;
    if (size > sizeof code || counter->mem_read(uc, address, code, size) != 0) {
        return 0;
    }
    for (uint32_t i = 0; i + 1u < size; instructions++) {
        const int wide = counter->thumb ? code[i + 1u] >= 0xE8u : (code[i] & 3u) == 3u;
        i += wide ? 4u : 2u;
    }
    counter->addresses[slot] = address;
    counter->sizes[slot] = (uint16_t)size;
    counter->instructions[slot] = instructions;
    return instructions;
}

void on_block(uc_engine *uc, uint64_t address64, uint32_t size, void *user)
{
    struct block_counter *counter = user;
    const uint32_t address = (uint32_t)address64;
    const uint64_t now = counter->total;
    if (address == counter->function_return) {
        counter->count = now - counter->start;
        counter->function_return = 0;
    }
    if (address == counter->begin_return) {
        counter->layer_start = now;
        counter->begin_return = 0;
    }
    if (address == counter->function && counter->function_return == 0u) {
        counter->function_return = read_register(counter, uc, counter->return_register) & ~1u;
        counter->start = now;
    } else if (address == counter->begin) {
        counter->layer = (int32_t)read_register(counter, uc, counter->argument_register);
        counter->begin_return = read_register(counter, uc, counter->return_register) & ~1u;
    } else if (address == counter->end) {
        if (counter->layer >= 0 && counter->layer < counter->slots) {
            counter->layers[counter->layer] += now - counter->layer_start;
        }
        counter->layer = -1;
    }
    counter->total = now + instructions_of(counter, uc, address, size);
    if (counter->total > counter->limit) {
        counter->exhausted = 1;
        (void)counter->emu_stop(uc);
    }
}
