"""A model written by hand, so that projects and builds are tested without a backend."""

from __future__ import annotations

from tinygen.plan.model import Buffer, Plan, Rect
from tinygen.source_tree import Layer, SourceTree, TensorSpec

HEADER = """#ifndef TRIVIAL_H
#define TRIVIAL_H
#include <stddef.h>
#define TRIVIAL_INPUT_0_BYTES 4
#define TRIVIAL_OUTPUT_0_BYTES 4
int trivial_init(void);
int trivial_invoke(void);
void *trivial_input(size_t i);
const void *trivial_output(size_t i);
#endif
"""

SOURCE = """#include "trivial.h"
#include <stdint.h>
#include <string.h>
#include "kernels/negate_s8.h"
#include "trivial_weights.h"

static uint8_t arena[{arena_bytes}];

#ifdef TRIVIAL_PROFILE
void trivial_layer_begin(int32_t index);
void trivial_layer_end(int32_t index);
#endif

int trivial_init(void)
{{
    return 0;
}}

int trivial_invoke(void)
{{
#ifdef TRIVIAL_PROFILE
    trivial_layer_begin(0);
#endif
    for (size_t i = 0; i < 4; i++) {{
        arena[4 + i] = (uint8_t)negate_s8((int8_t)arena[i], trivial_offsets[(4u * arena[i] + i) % {offsets}u]);
    }}
#ifdef TRIVIAL_PROFILE
    trivial_layer_end(0);
#endif
    return 0;
}}

void *trivial_input(size_t i)
{{
    return i == 0 ? arena : NULL;
}}

const void *trivial_output(size_t i)
{{
    return i == 0 ? arena + 4 : NULL;
}}
"""

KERNEL = """#ifndef NEGATE_S8_H
#define NEGATE_S8_H
#include <stdint.h>
static inline int8_t negate_s8(int8_t x, int8_t offset)
{
    return (int8_t)(offset - x);
}
#endif
"""

WEIGHTS = """#ifndef TRIVIAL_WEIGHTS_H
#define TRIVIAL_WEIGHTS_H
#include <stdint.h>
static const int8_t trivial_offsets[{count}] = {{1, 2, 3, 4}};
#endif
"""


def trivial_tree(*, arena_bytes: int = 64, offsets: int = 4) -> SourceTree:
    """The source tree of y = offset - x on four int8; the sizes can be blown up until nothing fits any more."""
    tensor = TensorSpec("in", (1, 4), "int8", 4, 0.5, -1)
    return SourceTree(
        prefix="trivial",
        backend="c",
        model_name="trivial.tflite",
        model_sha256="ab" * 32,
        numerics="reference",
        files={
            "include/trivial.h": HEADER,
            "src/trivial.c": SOURCE.format(arena_bytes=arena_bytes, offsets=offsets),
            "src/trivial_weights.h": WEIGHTS.format(count=offsets),
            "src/kernels/negate_s8.h": KERNEL,
        },
        inputs=(tensor,),
        outputs=(TensorSpec("out", (1, 4), "int8", 4, 0.5, -1),),
        layers=(Layer(0, "NEG", "out", "trivial_layer_0", "negate_s8", 0, offsets, 0, (1, 4)),),
        plan=Plan((Buffer("in", 4, (Rect(0, 1, 0, 4),)),), (0,), arena_bytes, 8, "optimal"),
        constant_bytes=offsets,
        constants_crc32=0x12345678,
    )
