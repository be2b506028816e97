/* A QEMU plugin that counts the instructions of each call of one function, and of the layers inside it.
 *
 *   -plugin file=count_calls.so,function=A,back=A,begin_back=A,end=A-A,table=A,slots=N,out=FILE
 *
 * Addresses are hexadecimal, without the Thumb bit. `function` is the first instruction of the function to count, each
 * `back` an instruction that a call of it returns to. `begin_back` are the instructions that calls of the hook before a
 * layer return to, `end` is the code of the hook behind it. That hook adds the layer's figure to one of `slots` entries
 * of 8 bytes at `table`, which tells which layer it was: this interface shows no registers. back and begin_back may be
 * repeated; the last four are for firmware with hooks. A call appends one line to FILE: its count, then the slots'.
 *
 * A block runs to its end, so what was executed before a block is entered is the sum over the blocks entered earlier.
 * A function begins a block and so does the instruction that it returns to. Blocks are counted by a callback, as that
 * has been the same in every version of the interface.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef PLUGIN_VERSION
#define PLUGIN_VERSION 1
#endif

/* QEMU's plugin interface, as far as it is used: written down here so that none of QEMU's headers is needed. */
typedef uint64_t qemu_plugin_id_t;
struct qemu_info;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { NO_REGISTERS = 0, MEMORY_WRITES = 2 };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*cb)(unsigned, void *), int flags, void *);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, void (*cb)(unsigned, uint32_t, uint64_t, void *),
                                      int flags, int accesses, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

__attribute__((visibility("default"))) int qemu_plugin_version = PLUGIN_VERSION;
__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info,
                                                               int argc, char **argv);

#define MAX_SLOTS 65536u
#define ENTRY_BYTES 8u

enum event { PLAIN, ENTER, BACK, BEGIN_BACK, END };

static uint64_t executed, start, layer_start, layer_count;
static uint64_t layers[MAX_SLOTS];
static bool inside, pending;
static uint64_t function, end_first, end_last, table, slots;
static uint64_t *backs, *begin_backs;
static size_t back_count, begin_back_count;
static FILE *out;

static void report(void)
{
    fprintf(out, "%llu", (unsigned long long)(executed - start));
    for (uint64_t i = 0; i < slots; i++) {
        fprintf(out, " %llu", (unsigned long long)layers[i]);
        layers[i] = 0;
    }
    fputc('\n', out);
    fflush(out);
}

/* On entering a block; the user pointer carries its instructions and what begins there. */
static void on_block(unsigned cpu, void *user)
{
    (void)cpu;
    const uintptr_t packed = (uintptr_t)user;
    switch ((enum event)(packed & 7u)) {
    case ENTER:
        if (!inside) {
            inside = true;
            start = executed;
        }
        break;
    case BACK:
        if (inside) {
            inside = false;
            report();
        }
        break;
    case BEGIN_BACK:
        layer_start = executed;
        break;
    case END:
        layer_count = executed - layer_start;
        pending = true;
        break;
    case PLAIN:
        break;
    }
    executed += packed >> 3;
}

/* The hook behind a layer writes to the layer's entry of the table. */
static void on_write(unsigned cpu, uint32_t info, uint64_t address, void *user)
{
    (void)cpu, (void)info, (void)user;
    if (pending && table <= address && address < table + slots * ENTRY_BYTES) {
        layers[(address - table) / ENTRY_BYTES] += layer_count;
        pending = false;
    }
}

static bool has(const uint64_t *addresses, size_t count, uint64_t address)
{
    for (size_t i = 0; i < count; i++) {
        if (addresses[i] == address) {
            return true;
        }
    }
    return false;
}

static enum event event_at(uint64_t address)
{
    return address == function                             ? ENTER
           : has(backs, back_count, address)               ? BACK
           : has(begin_backs, begin_back_count, address)   ? BEGIN_BACK
           : end_last != end_first && address == end_first ? END
                                                           : PLAIN;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    const uint64_t address = qemu_plugin_tb_vaddr(tb);
    const size_t instructions = qemu_plugin_tb_n_insns(tb);
    const uintptr_t packed = (uintptr_t)instructions << 3 | (uintptr_t)event_at(address);
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, NO_REGISTERS, (void *)packed);
    for (size_t i = 0; i < instructions; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint64_t at = qemu_plugin_insn_vaddr(insn);
        if (end_first <= at && at < end_last) {
            qemu_plugin_register_vcpu_mem_cb(insn, on_write, NO_REGISTERS, MEMORY_WRITES, NULL);
        }
    }
}

/* Standard input is a pipe that tinygen holds: when tinygen ends, however it ends, so does this emulator. */
static void *wait_for_parent(void *unused)
{
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    _exit(0);
    return unused;
}

static bool append(uint64_t **addresses, size_t *count, const char *text)
{
    uint64_t *more = realloc(*addresses, (*count + 1) * sizeof **addresses);
    if (more == NULL) {
        return false;
    }
    more[(*count)++] = strtoull(text, NULL, 16);
    *addresses = more;
    return true;
}

static bool read_argument(char *argument)
{
    char *value = strchr(argument, '=');
    if (value == NULL) {
        return false;
    }
    *value++ = '\0';
    char *rest = NULL;
    if (strcmp(argument, "function") == 0) {
        function = strtoull(value, NULL, 16);
    } else if (strcmp(argument, "back") == 0) {
        return append(&backs, &back_count, value);
    } else if (strcmp(argument, "begin_back") == 0) {
        return append(&begin_backs, &begin_back_count, value);
    } else if (strcmp(argument, "end") == 0) {
        end_first = strtoull(value, &rest, 16);
        end_last = *rest == '-' ? strtoull(rest + 1, NULL, 16) : end_first;
    } else if (strcmp(argument, "table") == 0) {
        table = strtoull(value, NULL, 16);
    } else if (strcmp(argument, "slots") == 0) {
        slots = strtoull(value, NULL, 10);
    } else if (strcmp(argument, "out") == 0) {
        out = fopen(value, "a");
    } else {
        return false;
    }
    return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (!read_argument(argv[i])) {
            fprintf(stderr, "count_calls: argument %s is not usable\n", argv[i]);
            return 1;
        }
    }
    if (out == NULL || back_count == 0 || slots > MAX_SLOTS) {
        fprintf(stderr, "count_calls: needs function=, back= and out=, and at most %u slots\n", MAX_SLOTS);
        return 1;
    }
    pthread_t waiting;
    if (pthread_create(&waiting, NULL, wait_for_parent, NULL) != 0) {
        fprintf(stderr, "count_calls: no thread\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    return 0;
}
