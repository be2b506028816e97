"""Builds an untrained int8 network that uses every operator tinygen supports, for tests that need no other models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import quantize
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

HERE = Path(__file__).resolve().parent
SEED = 32
INPUT_SHAPE = (1, 32, 32, 3)
CALIBRATION_SAMPLES = 64


class Zoo(tf.Module):
    """A small residual classifier with squeeze-and-excitation, channel shuffle and a temporal head.

    Weights are He-initialised and biases small, so that the ranges of all activations are those of a trained network.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self._rng = rng
        self._weights: dict[str, tf.Variable] = {}

    def _weight(self, name: str, shape: tuple[int, ...], fan_in: int) -> tf.Variable:
        if name not in self._weights:
            values = self._rng.normal(0, np.sqrt(2 / fan_in) if fan_in else 0.1, shape)
            self._weights[name] = tf.Variable(values.astype(np.float32), name=name, trainable=False)
        return self._weights[name]

    def _bias(self, name: str, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.bias_add(x, self._weight(name + "_bias", (x.shape[-1],), 0))

    def _conv(self, name: str, x: tf.Tensor, size: tuple[int, int], channels: int, **options: object) -> tf.Tensor:
        shape = (*size, x.shape[-1], channels)
        weight = self._weight(name, shape, size[0] * size[1] * x.shape[-1])
        return self._bias(name, tf.nn.conv2d(x, weight, **({"strides": 1, "padding": "SAME"} | options)))

    def _depthwise(self, name: str, x: tf.Tensor, stride: int, multiplier: int = 1) -> tf.Tensor:
        weight = self._weight(name, (3, 3, x.shape[-1], multiplier), 9)
        return self._bias(name, tf.nn.depthwise_conv2d(x, weight, (1, stride, stride, 1), "SAME"))

    def _dense(self, name: str, x: tf.Tensor, units: int) -> tf.Tensor:
        return self._bias(name, tf.matmul(x, self._weight(name, (x.shape[-1], units), x.shape[-1])))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Maps [1, 32, 32, 3] to [1, 10] probabilities."""
        # Stem as PyTorch exports it: PAD on all sides, then a VALID convolution with stride 2 (SAME pads one side).
        x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
        x = stem = tf.nn.relu6(self._conv("stem", x, (3, 3), 12, strides=2, padding="VALID"))

        # Inverted residual with squeeze-and-excitation: MEAN, two pointwise convolutions, LOGISTIC, broadcast MUL.
        x = tf.nn.relu6(self._depthwise("expand", x, 1, multiplier=2))
        gate = tf.reduce_mean(x, [1, 2], keepdims=True)
        gate = tf.nn.relu(self._conv("squeeze", gate, (1, 1), 6))
        x = x * tf.sigmoid(self._conv("excite", gate, (1, 1), 24))
        x = self._conv("project", x, (1, 1), 12) + stem

        # ResNet's parameter-free shortcut: pool, then PAD the channels. The RELU stays: the ADD has two readers.
        shortcut = tf.pad(tf.nn.max_pool2d(x, 2, 2, "VALID"), [[0, 0], [0, 0], [0, 0], [6, 6]])
        x = tf.nn.relu(self._conv("down", tf.nn.relu(x), (3, 3), 24, strides=2))
        # Scaled so that values pass both ends of the RELU6 below.
        x = 4 * self._conv("dilated", x, (3, 3), 24, dilations=2) + shortcut

        # Two branches side by side, the second QUANTIZEd from LOGISTIC's fixed range; then ShuffleNet's channel shuffle
        # and a RELU6 that no operator before it can absorb.
        left = tf.nn.avg_pool2d(x, 3, 1, "SAME")
        right = tf.sigmoid(self._conv("wide", x, (1, 3), 12))
        x = tf.concat([left, right], -1)
        x = tf.reshape(tf.transpose(tf.reshape(x, [1, 64, 3, 12]), [0, 1, 3, 2]), [1, 8, 8, 36])
        x = self._depthwise("mix", tf.nn.relu6(x), 2)

        # Temporal head: four time steps, each feature scaled, a causal one-dimensional convolution, a mean over time.
        x = tf.squeeze(tf.nn.avg_pool2d(x, (1, 4), (1, 4), "VALID"), [2])
        x = tf.nn.relu(x * self._weight("gain", (36,), 2))
        x = tf.expand_dims(tf.pad(x, [[0, 0], [2, 0], [0, 0]]), 1)
        x = tf.nn.relu(self._conv("temporal", x, (1, 3), 32, padding="VALID"))
        x = tf.reduce_mean(x, [1, 2])
        x = tf.nn.relu6(self._dense("hidden", x, 20))
        # Scaled so that the probabilities differ from each other and from input to input.
        return tf.nn.softmax(4 * self._dense("classes", x, 10))


def restore_squeeze_and_expand_dims(content: bytes) -> bytes:
    """Returns the model with each RESHAPE that only drops or adds a unit axis written as SQUEEZE or EXPAND_DIMS.

    TensorFlow's present converter turns both into RESHAPE where shapes are static; files of other converters have them.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    graph = model.subgraphs[0]
    for op in graph.operators:
        if model.operatorCodes[op.opcodeIndex].builtinCode != schema.BuiltinOperator.RESHAPE:
            continue
        before, after = (list(graph.tensors[i].shape) for i in (op.inputs[0], op.outputs[0]))
        longer, shorter = (before, after) if len(before) > len(after) else (after, before)
        axes = [axis for axis, size in enumerate(longer) if size == 1 and longer[:axis] + longer[axis + 1 :] == shorter]
        if not axes:
            continue
        code = schema.OperatorCodeT()
        code.version = 1
        if longer is before:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.SQUEEZE
            op.builtinOptionsType = schema.BuiltinOptions.SqueezeOptions
            op.builtinOptions = schema.SqueezeOptionsT()
            op.builtinOptions.squeezeDims = axes[-1:]
            op.inputs = op.inputs[:1]
        else:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.EXPAND_DIMS
            op.builtinOptionsType = schema.BuiltinOptions.ExpandDimsOptions
            op.builtinOptions = schema.ExpandDimsOptionsT()
            # The constant that held the new shape holds the axis instead.
            axis_tensor = graph.tensors[op.inputs[1]]
            axis_tensor.shape = [1]
            model.buffers[axis_tensor.buffer].data = list(np.array(axes[-1:], np.int32).tobytes())
        op.opcodeIndex = len(model.operatorCodes)
        model.operatorCodes.append(code)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def calibration(rng: np.random.Generator) -> Iterator[NDArray[np.float32]]:
    """Yields pictures of smooth noise in [-1, 1]: neighbouring pixels agree, as they do in photographs."""
    for _ in range(CALIBRATION_SAMPLES):
        coarse = rng.uniform(-1, 1, (1, 8, 8, 3))
        yield (coarse.repeat(4, axis=1).repeat(4, axis=2) * rng.uniform(0.5, 1)).astype(np.float32)


def main() -> None:
    quantize.make_reproducible(SEED)
    zoo = Zoo(np.random.default_rng(SEED))
    zoo(tf.zeros(INPUT_SHAPE))  # creates the weights, outside the traced function
    samples = list(calibration(np.random.default_rng(SEED + 1)))
    model = quantize.convert(zoo, INPUT_SHAPE, samples, tf.float32)
    quantize.write_and_describe(HERE / "zoo.tflite", restore_squeeze_and_expand_dims(model))


if __name__ == "__main__":
    main()
