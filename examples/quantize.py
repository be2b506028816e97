"""Makes a Keras model a fully quantized .tflite, the way a user of the TFLite converter would, and reads it back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

# oneDNN picks its summation order by CPU. TensorFlow reads this once, so import this module before tensorflow.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
import tflite
from numpy.typing import NDArray


def make_reproducible(seed: int) -> None:
    """Fixes every random seed and the order of every sum TensorFlow computes in parallel."""
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def convert(
    forward: Callable[[tf.Tensor], tf.Tensor],
    input_shape: tuple[int, ...],
    calibration: Iterable[NDArray[np.float32]],
    io_dtype: tf.DType,
) -> bytes:
    """Returns the int8 .tflite of `forward`; its input and output are of `io_dtype`, int8 or float32.

    `calibration` yields inputs of `input_shape`; the ranges of all activations are taken from them. Fails when an
    operator has no int8 form, rather than leaving a float one behind.
    """
    # A batch fixed to 1 keeps shape arithmetic (SHAPE, STRIDED_SLICE, PACK) out of the file.
    function = tf.function(forward).get_concrete_function(tf.TensorSpec(input_shape, tf.float32, name="input"))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], forward)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample] for sample in calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = io_dtype
    converter.inference_output_type = io_dtype
    return bytes(converter.convert())


def operators(model: bytes) -> list[str]:
    """Returns the operators of the first subgraph in execution order, as schema.fbs names them."""
    root = tflite.Model.GetRootAsModel(model, 0)
    graph = root.Subgraphs(0)
    codes = [root.OperatorCodes(graph.Operators(i).OpcodeIndex()) for i in range(graph.OperatorsLength())]
    return [tflite.opcode2name(max(code.BuiltinCode(), code.DeprecatedBuiltinCode())) for code in codes]


def write_and_describe(path: Path, model: bytes) -> list[str]:
    """Writes the model, prints its size and how often each operator occurs, and returns the sorted operator names."""
    path.write_bytes(model)
    names = operators(model)
    print(f"{path.name}: {len(model):,} bytes, {len(names)} operators")
    for name in sorted(set(names)):
        print(f"  {names.count(name):2} {name}")
    return sorted(set(names))
