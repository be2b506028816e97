"""Builds the untrained person detector of docs/fit.md: 96x96x1, three convolutions, pooling, two scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import quantize
import tensorflow as tf

HERE = Path(__file__).resolve().parent
SEED = 96
INPUT_SHAPE = (1, 96, 96, 1)
CHANNELS = (8, 16, 32)
CALIBRATION_SAMPLES = 32


class PersonDetector(tf.Module):
    """Three convolutions 3x3, the first two with stride 2, then global pooling and a dense layer."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        sizes = [(3, 3, before, after) for before, after in zip((1, *CHANNELS), CHANNELS, strict=False)]
        self._kernels = [self._weight(rng, size) for size in (*sizes, (CHANNELS[-1], 2))]

    @staticmethod
    def _weight(rng: np.random.Generator, shape: tuple[int, ...]) -> tf.Variable:
        scale = np.sqrt(2 / np.prod(shape[:-1]))
        return tf.Variable(rng.normal(0, scale, shape).astype(np.float32), trainable=False)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Maps [1, 96, 96, 1] to [1, 2] scores."""
        for stride, kernel in zip((2, 2, 1), self._kernels, strict=False):
            bias = tf.zeros(kernel.shape[-1])
            x = tf.nn.relu6(tf.nn.bias_add(tf.nn.conv2d(x, kernel, stride, "SAME"), bias))
        return tf.matmul(tf.reduce_mean(x, [1, 2]), self._kernels[-1])


def main() -> None:
    quantize.make_reproducible(SEED)
    rng = np.random.default_rng(SEED)
    samples = [rng.uniform(-1, 1, INPUT_SHAPE).astype(np.float32) for _ in range(CALIBRATION_SAMPLES)]
    model = quantize.convert(PersonDetector(rng), INPUT_SHAPE, samples, tf.int8)
    quantize.write_and_describe(HERE / "person.tflite", model)


if __name__ == "__main__":
    main()
