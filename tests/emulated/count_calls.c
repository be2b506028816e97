/* A QEMU plugin (interface version 1) that counts the instructions of each call of one function.
 *
 *   -plugin file=libcount_calls.so,function=ADDRESS,back=FIRST-LAST,out=FILE     (hexadecimal; several back= allowed)
 *
 * A call lasts from the function's first instruction to the first block inside one of the back= ranges, where its
 * caller lives. One line with the count is appended to FILE for every call.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* QEMU's plugin interface, as far as it is used. */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { CALLBACK_NO_REGISTERS = 0, INLINE_ADD_U64 = 0 };
typedef struct {
    const char *target_name;
    struct {
        int min;
        int cur;
    } version;
    bool system_emulation;
    union {
        struct {
            int smp_vcpus;
            int max_vcpus;
        } system;
    };
} qemu_info_t;
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*cb)(unsigned, void *), int flags,
                                            void *);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *to, uint64_t value);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

extern int qemu_plugin_version;
int qemu_plugin_version = 1;

#define MAX_RANGES 16

static uint64_t executed, start;
static bool inside;
static uint64_t function;
static uint64_t first[MAX_RANGES], last[MAX_RANGES];
static size_t ranges;
static FILE *out;

static void on_enter(unsigned cpu, void *user)
{
    (void)cpu, (void)user;
    if (!inside) {
        inside = true;
        start = executed;
    }
}

static void on_back(unsigned cpu, void *user)
{
    (void)cpu, (void)user;
    if (inside) {
        inside = false;
        fprintf(out, "%llu\n", (unsigned long long)(executed - start));
        fflush(out);
    }
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);
        if (address == function) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_enter, CALLBACK_NO_REGISTERS, NULL);
        }
        for (size_t k = 0; i == 0 && k < ranges; k++) {
            if (first[k] <= address && address < last[k]) {
                qemu_plugin_register_vcpu_insn_exec_cb(insn, on_back, CALLBACK_NO_REGISTERS, NULL);
            }
        }
        qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &executed, 1);
    }
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                                               char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        char *end = NULL;
        if (strncmp(argv[i], "function=", 9) == 0) {
            function = strtoull(argv[i] + 9, NULL, 16);
        } else if (strncmp(argv[i], "back=", 5) == 0 && ranges < MAX_RANGES) {
            first[ranges] = strtoull(argv[i] + 5, &end, 16);
            last[ranges++] = strtoull(end + 1, NULL, 16);
        } else if (strncmp(argv[i], "out=", 4) == 0) {
            out = fopen(argv[i] + 4, "a");
        }
    }
    if (out == NULL || function == 0 || ranges == 0) {
        fprintf(stderr, "count_calls: needs function=, back= and out=\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    return 0;
}
