"""Collects what an operator's verify finds, in the same words for every operator."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from tinygen.errors import Diagnostic
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.tensor import DType, Quantization, Tensor
from tinygen.ops.activation import CLAMPS, Activation

QUANTIZE_HINT = "convert the model with full integer quantization (int8 activations and weights)"
FLOAT_HINT = "or use --backend tflm, which also runs float models"


class Check:
    """The findings about one operator. Nothing here raises, whatever the tensors are.

    Methods that return a tensor return None, after reporting why, when the tensor cannot be looked at any further.
    """

    def __init__(self, op: Op, graph: Graph) -> None:
        self._op = op
        self._graph = graph
        self.found: list[Diagnostic] = []

    @property
    def clean(self) -> bool:
        """Nothing was found so far."""
        return not self.found

    def report(self, code: str, message: str, tensor: Tensor | None = None, *hints: str) -> None:
        origin = self._op.origin
        if tensor is not None:
            origin = replace(origin, tensor=tensor.name)
        self.found.append(Diagnostic(code, message, origin, hints))

    def arity(self, least: int, most: int | None = None, *, outputs: int | None = 1) -> bool:
        """The operator has `least` to `most` inputs (just `least` by default) and one output, any with None."""
        most = least if most is None else most
        count, found = len(self._op.inputs), len(self._op.outputs)
        accepted = str(least) if least == most else f"{least} to {most}"
        if not least <= count <= most:
            self.report("TG203", f"operator must have {accepted} inputs, found {count}")
            return False
        if found != outputs if outputs is not None else found < 1:
            self.report("TG203", f"operator must have {outputs or 'at least 1'} output, found {found}")
            return False
        return True

    def input(self, position: int, role: str = "input") -> Tensor | None:
        """A required input; None when it is absent."""
        ids = self._op.inputs
        tensor = self._graph.tensors.get(ids[position]) if position < len(ids) else None
        if tensor is None:
            self.report("TG203", f"{role} is required, found none")
        return tensor

    def optional(self, position: int) -> Tensor | None:
        """An optional input, or None."""
        ids = self._op.inputs
        return self._graph.tensors.get(ids[position]) if position < len(ids) else None

    def output(self) -> Tensor | None:
        tensor = self._graph.tensors.get(self._op.outputs[0]) if self._op.outputs else None
        if tensor is None:
            self.report("TG203", "output is required, found none")
        return tensor

    def dtype(self, tensor: Tensor, role: str, *accepted: DType) -> bool:
        if tensor.dtype in accepted:
            return True
        names = " or ".join(d.value for d in accepted)
        hints = (QUANTIZE_HINT, FLOAT_HINT) if DType.INT8 in accepted else ()
        self.report("TG202", f"{role} must be {names}, found {tensor.describe()}", tensor, *hints)
        return False

    def rank(self, tensor: Tensor, role: str, *accepted: int) -> bool:
        if len(tensor.shape) in accepted:
            return True
        ranks = " or ".join(map(str, accepted))
        self.report("TG203", f"{role} must have {ranks} dimensions, found {tensor.describe()}", tensor)
        return False

    def batch(self, tensor: Tensor, role: str) -> bool:
        if tensor.shape and tensor.shape[0] == 1:
            return True
        hint = "convert the model with batch size 1"
        self.report("TG203", f"{role} must have batch size 1, found {tensor.describe()}", tensor, hint)
        return False

    def shape(self, tensor: Tensor, role: str, expected: tuple[int, ...]) -> bool:
        if tensor.shape == expected:
            return True
        wanted = "x".join(map(str, expected))
        self.report("TG203", f"{role} must have shape [{wanted}], found {tensor.describe()}", tensor)
        return False

    def constant(self, tensor: Tensor, role: str) -> bool:
        if tensor.data is not None:
            return True
        self.report("TG204", f"{role} must be constant, found a tensor that is computed", tensor)
        return False

    def per_tensor(self, tensor: Tensor, role: str) -> Quantization | None:
        """Quantization with one positive scale and one zero point that the type can hold."""
        quant = tensor.quant
        if quant is None:
            self.report("TG205", f"{role} must be quantized, found no quantization parameters", tensor, QUANTIZE_HINT)
            return None
        if len(quant.scales) != 1 or len(quant.zero_points) != 1:
            message = f"{role} must be quantized per tensor, found {len(quant.scales)} scales"
            self.report("TG205", message, tensor, QUANTIZE_HINT)
            return None
        if not self._positive(tensor, role, quant):
            return None
        if not _holds(tensor.dtype, quant.zero_point):
            message = f"zero point of the {role} must be within {tensor.dtype.value}, found {quant.zero_point}"
            self.report("TG205", message, tensor)
            return None
        return quant

    def same_quantization(self, source: Tensor, output: Tensor) -> None:
        """Input and output have the same scale, up to LiteRT's tolerance, and the same zero point."""
        a, b = source.quant, output.quant
        if a is not None and b is not None and (abs(a.scale - b.scale) > 1e-6 or a.zero_point != b.zero_point):
            found = f"found {a.scale:g}, {a.zero_point} and {b.scale:g}, {b.zero_point}"
            self.report("TG205", f"input and output must have the same scale and zero point, {found}", output)

    def symmetric(self, tensor: Tensor, role: str, axis: int) -> Quantization | None:
        """Quantization per tensor or per channel along `axis` with all zero points 0, as weights have."""
        quant = tensor.quant
        if quant is None:
            self.report("TG205", f"{role} must be quantized, found no quantization parameters", tensor, QUANTIZE_HINT)
            return None
        if not self._positive(tensor, role, quant):
            return None
        if any(quant.zero_points):
            other = next(z for z in quant.zero_points if z)
            self.report("TG205", f"zero points of the {role} must be 0, found {other}", tensor, QUANTIZE_HINT)
            return None
        channels = tensor.shape[axis] if axis < len(tensor.shape) else 0
        if len(quant.scales) == 1 or (len(quant.scales) == channels and quant.axis == axis):
            return quant
        message = (
            f"{role} must have one scale or {channels} along dimension {axis}, "
            f"found {len(quant.scales)} along dimension {quant.axis}"
        )
        self.report("TG205", message, tensor)
        return None

    def activation(self, position: int, role: str = "input", *ranks: int) -> Tensor | None:
        """An input that is int8 and quantized per tensor."""
        tensor = self.input(position, role)
        return self._activation(tensor, role, ranks) if tensor is not None else None

    def output_activation(self, *ranks: int) -> Tensor | None:
        """The output when it is int8 and quantized per tensor."""
        tensor = self.output()
        return self._activation(tensor, "output", ranks) if tensor is not None else None

    def weights(self, position: int, rank: int, axis: int) -> Tensor | None:
        """Constant int8 weights, symmetric, per tensor or per channel along `axis`."""
        tensor = self.input(position, "weights")
        if tensor is None:
            return None
        fine = self.dtype(tensor, "weights", DType.INT8)
        fine &= self.rank(tensor, "weights", rank)
        fine &= self.constant(tensor, "weights")
        return tensor if fine and self.symmetric(tensor, "weights", axis) is not None else None

    def bias(self, position: int, channels: int) -> None:
        """An optional constant int32 bias with a value for each output channel; its scale is implied by the others."""
        tensor = self.optional(position)
        if tensor is None:
            return
        self.dtype(tensor, "bias", DType.INT32)
        self.constant(tensor, "bias")
        if tensor.elements != channels:
            self.report("TG203", f"bias must have {channels} values, found {tensor.describe()}", tensor)

    def clamp(self, activation: Activation) -> None:
        """The fused activation is one that becomes a clamp."""
        if activation not in CLAMPS:
            accepted = ", ".join(sorted(a.name for a in CLAMPS))
            self.report("TG204", f"fused activation must be one of {accepted}, found {activation.name}")

    def positive(self, name: str, values: Collection[int]) -> bool:
        """All values of an option are at least 1."""
        if all(v >= 1 for v in values):
            return True
        self.report("TG204", f"{name} must be at least 1, found {'x'.join(map(str, values))}")
        return False

    def _activation(self, tensor: Tensor, role: str, ranks: tuple[int, ...]) -> Tensor | None:
        fine = self.dtype(tensor, role, DType.INT8)
        if ranks:
            fine &= self.rank(tensor, role, *ranks)
        return tensor if fine and self.per_tensor(tensor, role) is not None else None

    def _positive(self, tensor: Tensor, role: str, quant: Quantization) -> bool:
        if quant.scales and all(s > 0 and math.isfinite(s) for s in quant.scales):
            return True
        self.report("TG205", f"scales of the {role} must be positive and finite", tensor)
        return False


def _holds(dtype: DType, value: int) -> bool:
    if dtype in (DType.FLOAT32, DType.BOOL):
        return value == 0
    info = np.iinfo(dtype.value)
    return int(info.min) <= value <= int(info.max)
