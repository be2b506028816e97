"""What generated code needs of tflite-micro and of the three libraries whose headers it includes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tinygen.backends.cmsis_nn.library import cmsis_nn
from tinygen.backends.tflm.operators import Operator
from tinygen.source_tree import Library

_MICRO = "tensorflow/lite/micro"
_DOWNLOADS = f"{_MICRO}/tools/make/downloads"

_CORE = (
    *(f"{_MICRO}/{name}.cc" for name in ("flatbuffer_utils", "memory_helpers", "system_setup")),
    *(
        f"{_MICRO}/micro_{name}.cc"
        for name in (
            "allocation_info",
            "allocator",
            "context",
            "interpreter",
            "interpreter_context",
            "interpreter_graph",
            "log",
            "op_resolver",
            "resource_variable",
            "utils",
        )
    ),
    *(
        f"{_MICRO}/arena_allocator/{name}_arena_buffer_allocator.cc"
        for name in ("single", "persistent", "non_persistent")
    ),
    *(f"{_MICRO}/memory_planner/{name}_memory_planner.cc" for name in ("greedy", "linear")),
    f"{_MICRO}/tflite_bridge/*_bridge.cc",
    f"{_MICRO}/tflite_bridge/micro_error_reporter.cc",
    f"{_MICRO}/kernels/kernel_util.cc",
    f"{_MICRO}/kernels/micro_tensor_utils.cc",
    "tensorflow/lite/core/c/common.cc",
    "tensorflow/lite/core/api/*.cc",
    "tensorflow/lite/kernels/kernel_util.cc",
    "tensorflow/lite/kernels/internal/*.cc",
    "tensorflow/lite/kernels/internal/reference/*.cc",
    "tensorflow/compiler/mlir/lite/core/api/*.cc",
    "tensorflow/compiler/mlir/lite/schema/*.cc",
)
"""Whatever the operators; the linker leaves out what is not used."""

_EXTRA = {
    "depthwise_conv": ("conv_common",),
    "unidirectional_sequence_lstm": ("lstm_eval", "lstm_eval_common", "fully_connected_common"),
}
"""Files of a kernel besides those that bear its name."""

_OPTIMIZED = (
    "add",
    "batch_matmul",
    "conv",
    "depthwise_conv",
    "fully_connected",
    "maximum_minimum",
    "mul",
    "pad",
    "pooling",
    "softmax",
    "svdf",
    "transpose",
    "transpose_conv",
)
"""The kernels that tflite-micro has a version of which calls CMSIS-NN and computes the same.

That of unidirectional_sequence_lstm does not: it begins every inference from cleared state.
"""

_CMSIS_NN_SOURCES = tuple(
    f"Source/{folder}Functions/arm_*{kind}*.c"
    for folder in (
        "Activation",
        "BasicMath",
        "Convolution",
        "FullyConnected",
        "NNSupport",
        "Pad",
        "Pooling",
        "SVD",
        "Softmax",
        "Transpose",
    )
    for kind in ("_s4", "_s8", "_s16", "tables", "_q7", "_q15")
)

TFLM = Library(
    name="tflite-micro",
    variable="TFLM_DIR",
    repository="https://github.com/tensorflow/tflite-micro.git",
    tag="90b983c2b3f1480642e040bbd2ddb37b998f3424",
    versions="of 2025 and newer; the project has no releases",
    marker=f"{_MICRO}/micro_mutable_op_resolver.h",
    language="c++",
    defines=("NDEBUG", "TF_LITE_STATIC_MEMORY", "TF_LITE_DISABLE_X86_NEON"),
    lean_defines=("TF_LITE_STRIP_ERROR_STRINGS",),
)

FLATBUFFERS = Library(
    name="FlatBuffers",
    variable="FLATBUFFERS_DIR",
    usual=f"TFLM_DIR/{_DOWNLOADS}/flatbuffers",
    repository="https://github.com/google/flatbuffers.git",
    tag="v25.9.23",
    versions="25.9.23, which tflite-micro's schema_generated.h was made with",
    marker="include/flatbuffers/flatbuffers.h",
    includes=("include",),
    defines=("FLATBUFFERS_LOCALE_INDEPENDENT=0",),
    language="c++",
)

GEMMLOWP = Library(
    name="gemmlowp",
    variable="GEMMLOWP_DIR",
    usual=f"TFLM_DIR/{_DOWNLOADS}/gemmlowp",
    repository="https://github.com/google/gemmlowp.git",
    tag="719139ce755a0f31cbf1c37f7f98adcc7fc9f425",
    versions="719139ce and newer",
    marker="fixedpoint/fixedpoint.h",
    language="c++",
)

RUY = Library(
    name="ruy",
    variable="RUY_DIR",
    usual=f"TFLM_DIR/{_DOWNLOADS}/ruy",
    repository="https://github.com/google/ruy.git",
    tag="d37128311b445e758136b8602d1bbd2a755e115d",
    versions="d3712831 and newer",
    marker="ruy/profiler/instrumentation.h",
    language="c++",
)


def kernel_file(stem: str, *, optimized: bool) -> str:
    """Where in tflite-micro's folder the kernels of this stem are."""
    return f"kernels/{'cmsis_nn/' if optimized and stem in _OPTIMIZED else ''}{stem}.cc"


def libraries(operators: Iterable[Operator], *, optimized: bool) -> tuple[Library, ...]:
    """The libraries of a model with these operators; with `optimized` kernels that call CMSIS-NN where there are."""
    kernels = []
    for stem in {operator.stem for operator in operators}:
        kernels.append(f"{_MICRO}/{kernel_file(stem, optimized=optimized)}")
        kernels += [f"{_MICRO}/kernels/{name}.cc" for name in (f"{stem}_common", *_EXTRA.get(stem, ()))]
    tflm = replace(TFLM, sources=tuple(sorted({*_CORE, *kernels})))
    if not optimized:
        return tflm, FLATBUFFERS, GEMMLOWP, RUY
    # For speed, as its own Makefile does by default: sums of weights are kept instead of computed in each inference.
    calling = replace(tflm, defines=(*tflm.defines, "CMSIS_NN", "KERNELS_OPTIMIZED_FOR_SPEED"))
    # tflite-micro includes its headers as Include/arm_nnfunctions.h.
    return calling, FLATBUFFERS, GEMMLOWP, RUY, replace(cmsis_nn(_CMSIS_NN_SOURCES), includes=("Include", "."))
