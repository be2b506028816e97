"""Trains the digit classifier of the demo, quantizes it to int8 and measures both on images neither has seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import quantize
import tensorflow as tf
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent
SEED = 8
HELD_OUT = 360
INPUT_SHAPE = (1, 8, 8, 1)


def build_model() -> tf.keras.Model:
    """Returns the untrained network: [N, 8, 8, 1] grey values in [0, 1] to [N, 10] probabilities."""
    layers = tf.keras.layers
    image = layers.Input(INPUT_SHAPE[1:])
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(image)
    x = block = layers.ReLU()(layers.BatchNormalization()(x))
    # A residual block of depthwise and pointwise convolutions, at full resolution.
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2D(16, 1, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(layers.Add()([x, block]))
    x = layers.MaxPooling2D(2)(x)
    # A separable convolution at half resolution.
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2D(32, 1, use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.AveragePooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.2)(x)
    return tf.keras.Model(image, layers.Dense(10, activation="softmax")(x))


def train(model: tf.keras.Model, images: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
    """Trains in place with Adam and a cosine-decayed learning rate."""
    epochs, batch = 60, 32
    schedule = tf.keras.optimizers.schedules.CosineDecay(3e-3, epochs * -(-len(images) // batch))
    model.compile(tf.keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy")
    model.fit(images, labels, batch, epochs, verbose=0)


def to_int8(model: bytes, images: NDArray[np.float32]) -> NDArray[np.int8]:
    """Returns float images [N, 8, 8, 1] as the model's own int8 inputs [N, 1, 8, 8, 1]."""
    scale, zero_point = tf.lite.Interpreter(model_content=model).get_input_details()[0]["quantization"]
    levels = np.clip(np.round(images / np.float32(scale)) + zero_point, -128, 127)
    return levels.astype(np.int8).reshape(-1, *INPUT_SHAPE)


def classify_int8(model: bytes, inputs: NDArray[np.int8]) -> NDArray[np.int64]:
    """Returns the class of every input [N, 1, 8, 8, 1] as the reference kernels compute it."""
    reference = tf.lite.experimental.OpResolverType.BUILTIN_REF
    interpreter = tf.lite.Interpreter(model_content=model, experimental_op_resolver_type=reference)
    interpreter.allocate_tensors()
    classes = []
    for sample in inputs:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sample)
        interpreter.invoke()
        classes.append(np.argmax(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])))
    return np.array(classes)


def main() -> None:
    quantize.make_reproducible(SEED)
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[..., np.newaxis]
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, digits.target, test_size=HELD_OUT, random_state=SEED, stratify=digits.target
    )
    network = build_model()
    train(network, train_images, train_labels)

    def calibration() -> Iterator[NDArray[np.float32]]:
        return (image[np.newaxis] for image in train_images)

    model = quantize.convert(lambda x: network(x, training=False), INPUT_SHAPE, calibration(), tf.int8)
    inputs = to_int8(model, test_images)
    float_correct = int(np.sum(np.argmax(network.predict(test_images, verbose=0), axis=1) == test_labels))
    int8_correct = int(np.sum(classify_int8(model, inputs) == test_labels))

    names = quantize.write_and_describe(HERE / "digits.tflite", model)
    np.savez_compressed(HERE / "digits_test.npz", inputs=inputs, labels=test_labels.astype(np.uint8))
    facts = {
        "model": "digits.tflite",
        "sha256": hashlib.sha256(model).hexdigest(),
        "tensorflow": tf.__version__,
        "operators": names,
        "train_samples": len(train_images),
        "samples": HELD_OUT,
        "float_correct": float_correct,
        "float_accuracy": round(float_correct / HELD_OUT, 4),
        "int8_correct": int8_correct,
        "int8_accuracy": round(int8_correct / HELD_OUT, 4),
    }
    (HERE / "digits.json").write_text(json.dumps(facts, indent=2) + "\n")
    print(f"held-out accuracy, float32: {float_correct / HELD_OUT:.2%} ({float_correct} of {HELD_OUT})")
    print(f"held-out accuracy, int8:    {int8_correct / HELD_OUT:.2%} ({int8_correct} of {HELD_OUT})")


if __name__ == "__main__":
    main()
