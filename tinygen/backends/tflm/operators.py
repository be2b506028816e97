"""The operators of tflite-micro: how its resolver adds each, and the file of its kernel.

Those that need other subgraphs or resource variables are left out, as the reader refuses such models.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Operator:
    """`kind` is the schema's name, `method` completes the resolver's `Add...`, `stem` is that of the kernel's file."""

    kind: str
    method: str
    stem: str


_TABLE = """
    ABS Abs elementwise
    ADD Add add
    ADD_N AddN add_n
    ARG_MAX ArgMax arg_min_max
    ARG_MIN ArgMin arg_min_max
    AVERAGE_POOL_2D AveragePool2D pooling
    BATCH_MATMUL BatchMatMul batch_matmul
    BATCH_TO_SPACE_ND BatchToSpaceNd batch_to_space_nd
    BROADCAST_ARGS BroadcastArgs broadcast_args
    BROADCAST_TO BroadcastTo broadcast_to
    CAST Cast cast
    CEIL Ceil ceil
    CONCATENATION Concatenation concatenation
    CONV_2D Conv2D conv
    COS Cos elementwise
    CUMSUM CumSum cumsum
    DEPTHWISE_CONV_2D DepthwiseConv2D depthwise_conv
    DEPTH_TO_SPACE DepthToSpace depth_to_space
    DEQUANTIZE Dequantize dequantize
    DIV Div div
    DYNAMIC_UPDATE_SLICE DynamicUpdateSlice dynamic_update_slice
    ELU Elu elu
    EMBEDDING_LOOKUP EmbeddingLookup embedding_lookup
    EQUAL Equal comparisons
    EXP Exp exp
    EXPAND_DIMS ExpandDims expand_dims
    FILL Fill fill
    FLOOR Floor floor
    FLOOR_DIV FloorDiv floor_div
    FLOOR_MOD FloorMod floor_mod
    FULLY_CONNECTED FullyConnected fully_connected
    GATHER Gather gather
    GATHER_ND GatherNd gather_nd
    GREATER Greater comparisons
    GREATER_EQUAL GreaterEqual comparisons
    HARD_SWISH HardSwish hard_swish
    L2_NORMALIZATION L2Normalization l2norm
    L2_POOL_2D L2Pool2D l2_pool_2d
    LEAKY_RELU LeakyRelu leaky_relu
    LESS Less comparisons
    LESS_EQUAL LessEqual comparisons
    LOG Log elementwise
    LOGICAL_AND LogicalAnd logical
    LOGICAL_NOT LogicalNot elementwise
    LOGICAL_OR LogicalOr logical
    LOGISTIC Logistic logistic
    LOG_SOFTMAX LogSoftmax log_softmax
    MAXIMUM Maximum maximum_minimum
    MAX_POOL_2D MaxPool2D pooling
    MEAN Mean reduce
    MINIMUM Minimum maximum_minimum
    MIRROR_PAD MirrorPad mirror_pad
    MUL Mul mul
    NEG Neg neg
    NOT_EQUAL NotEqual comparisons
    PACK Pack pack
    PAD Pad pad
    PADV2 PadV2 pad
    PRELU Prelu prelu
    QUANTIZE Quantize quantize
    REDUCE_ALL ReduceAll reduce
    REDUCE_MAX ReduceMax reduce
    REDUCE_MIN ReduceMin reduce
    RELU Relu activations
    RELU6 Relu6 activations
    RESHAPE Reshape reshape
    RESIZE_BILINEAR ResizeBilinear resize_bilinear
    RESIZE_NEAREST_NEIGHBOR ResizeNearestNeighbor resize_nearest_neighbor
    REVERSE_V2 ReverseV2 reverse
    ROUND Round round
    RSQRT Rsqrt elementwise
    SELECT_V2 SelectV2 select
    SHAPE Shape shape
    SIN Sin elementwise
    SLICE Slice slice
    SOFTMAX Softmax softmax
    SPACE_TO_BATCH_ND SpaceToBatchNd space_to_batch_nd
    SPACE_TO_DEPTH SpaceToDepth space_to_depth
    SPLIT Split split
    SPLIT_V SplitV split_v
    SQRT Sqrt elementwise
    SQUARE Square elementwise
    SQUARED_DIFFERENCE SquaredDifference squared_difference
    SQUEEZE Squeeze squeeze
    STRIDED_SLICE StridedSlice strided_slice
    SUB Sub sub
    SUM Sum reduce
    SVDF Svdf svdf
    TANH Tanh tanh
    TRANSPOSE Transpose transpose
    TRANSPOSE_CONV TransposeConv transpose_conv
    UNIDIRECTIONAL_SEQUENCE_LSTM UnidirectionalSequenceLSTM unidirectional_sequence_lstm
    UNPACK Unpack unpack
    ZEROS_LIKE ZerosLike zeros_like
"""

OPERATORS = {row.split()[0]: Operator(*row.split()) for row in _TABLE.strip().splitlines()}
"""By kind."""
