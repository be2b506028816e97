"""The oracle: LiteRT with its reference kernels (BUILTIN_REF), whose outputs generated code must equal bit for bit.

LiteRT's default kernels (XNNPACK) round differently and are no oracle.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tflite

from tinygen.errors import Origin, error
from tinygen.ir.tensor import Array

INSTALL = 'pip install "tinygen[verify]"'
_QUANTIZED_DIMENSION_SLOT = 16
"""The vtable offset of `quantized_dimension` in the schema's table QuantizationParameters."""


def available() -> bool:
    """Whether LiteRT is installed."""
    return importlib.util.find_spec("ai_edge_litert") is not None


class Oracle:
    """A model loaded into LiteRT; it must have been accepted by `read_model`, as LiteRT trusts what it is given."""

    def __init__(self, path: Path) -> None:
        """Loads the model file.

        Raises:
            TinygenError: TG404 without LiteRT, TG105 when LiteRT refuses the model.
        """
        if not available():
            raise error("TG404", "comparing with LiteRT needs the package ai-edge-litert", hints=(INSTALL,))
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        model = bytearray(path.read_bytes())
        clear_harmless_dimensions(model)
        try:
            self._interpreter = Interpreter(
                model_content=bytes(model), experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
            )
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as problem:
            raise error("TG105", f"LiteRT refuses the model: {problem}", origin=Origin(path.name)) from problem
        self._inputs = tuple(int(d["index"]) for d in self._interpreter.get_input_details())
        self._outputs = tuple(int(d["index"]) for d in self._interpreter.get_output_details())
        self.name = f"LiteRT {importlib.metadata.version('ai-edge-litert')} BUILTIN_REF"

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """The outputs of one inference, in the model's order; state from earlier calls is cleared first."""
        self._interpreter.reset_all_variables()
        for index, array in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(index, array)
        self._interpreter.invoke()
        return tuple(np.array(self._interpreter.get_tensor(index)) for index in self._outputs)


def clear_harmless_dimensions(model: bytearray) -> None:
    """Sets `quantized_dimension` to 0 in place where it is out of range and only one can be meant.

    LiteRT refuses such files, which some converters wrote; tinygen warns and goes on.
    """
    graph = tflite.Model.GetRootAs(model, 0).Subgraphs(0)
    for i in range(graph.TensorsLength()):
        tensor = graph.Tensors(i)
        quant = tensor.Quantization()
        if quant is None or 0 <= quant.QuantizedDimension() < max(tensor.ShapeLength(), 1):
            continue
        if quant.ScaleLength() > 1 and tensor.ShapeLength() > 1:
            continue
        at = quant._tab.Pos + quant._tab.Offset(_QUANTIZED_DIMENSION_SLOT)
        model[at : at + 4] = bytes(4)
