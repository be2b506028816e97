"""tinygen compiles quantized TensorFlow Lite models into plain C firmware for microcontrollers."""

__version__ = "0.1.0"
