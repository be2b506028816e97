"""Reads .tflite files into the IR; everything is checked here and trusted after."""

from tinygen.tflite.reader import read_bytes, read_model

__all__ = ["read_bytes", "read_model"]
