"""The backend tflm with the kernels of tflite-micro that call CMSIS-NN."""

from __future__ import annotations

from tinygen.backends.tflm import Tflm

BACKEND = Tflm("tflm-cmsis-nn", "as tflm, with CMSIS-NN's kernels; builds need CMSIS_NN_DIR as well", True)
