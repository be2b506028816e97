"""What the generated code needs of CMSIS-NN: which versions, and which of its files for which function."""

from __future__ import annotations

from collections.abc import Iterable

from tinygen.source_tree import Library

VERSIONS = (
    "4.1.0 to 7.0.0 and newer; on cores with MVE, or with a scale for each channel of dense layers, 7.0.0 and newer"
)

CONVOLUTION = (
    "Source/ConvolutionFunctions/arm_convolve*_s8*.c",
    "Source/ConvolutionFunctions/arm_nn_mat_mul*_s8*.c",
    "Source/NNSupportFunctions/arm_nn_mat_mul*_s8*.c",
    "Source/NNSupportFunctions/arm_*_with_offset.c",
)
DEPTHWISE = (
    # On cores with MVE its wrapper also calls the functions of convolutions.
    *CONVOLUTION,
    "Source/ConvolutionFunctions/arm_depthwise_conv*_s8*.c",
    "Source/ConvolutionFunctions/arm_nn_depthwise_conv*_s8*.c",
    "Source/NNSupportFunctions/arm_nn_depthwise_conv*_s8*.c",
    "Source/TransposeFunctions/arm_transpose_s8.c",
)
FULLY_CONNECTED = (
    "Source/FullyConnectedFunctions/arm_fully_connected*_s8.c",
    "Source/FullyConnectedFunctions/arm_vector_sum_s8.c",
    "Source/NNSupportFunctions/arm_nn_vec_mat_mult_t*_s8.c",
)
AVERAGE_POOL = ("Source/PoolingFunctions/arm_avgpool*_s8.c",)
MAX_POOL = ("Source/PoolingFunctions/arm_max_pool_s8.c",)
SOFTMAX = (
    "Source/SoftmaxFunctions/arm_softmax_s8.c",
    "Source/SoftmaxFunctions/arm_nn_softmax_common_s8.c",
    "Source/NNSupportFunctions/arm_nntables.c",
)
ADD = ("Source/BasicMathFunctions/arm_elementwise_add_s8.c",)
MUL = ("Source/BasicMathFunctions/arm_elementwise_mul_s8.c",)


def cmsis_nn(sources: Iterable[str], functions: Iterable[str] = ()) -> Library:
    """The library with these of its files, in a version that has these functions, each in a file of its name."""
    return Library(
        name="CMSIS-NN",
        variable="CMSIS_NN_DIR",
        repository="https://github.com/ARM-software/CMSIS-NN.git",
        tag="v7.0.0",
        versions=VERSIONS,
        marker="Include/arm_nnfunctions.h",
        includes=("Include",),
        sources=tuple(sorted(set(sources))),
        needed=tuple(sorted({f"Source/*/{function}.c" for function in functions})),
    )
