"""The one text form of a graph, used by --dump-ir, golden tests and bug reports."""

from __future__ import annotations

import hashlib
from dataclasses import fields

from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.tensor import Quantization, Tensor

_COMMON = {"inputs", "outputs", "origin"}


def to_text(graph: Graph) -> str:
    """The graph as text: tensors with types and quantization, constants by digest, operators in execution order."""
    lines = [f"graph {graph.name} sha256={graph.sha256[:16]}"]
    lines += [f"  input %{i}: {_type(graph.tensors[i])}" for i in graph.inputs]
    lines += [
        f"  const %{i}: {_type(t)} = {_digest(t)}" for i, t in sorted(graph.tensors.items()) if t.data is not None
    ]
    lines += [f"  state %{t.id}: {_type(t)}" for t in graph.variables]
    lines += [f"  {_op(graph, op)}" for op in graph.ops]
    lines += [f"  output %{i}" for i in graph.outputs]
    return "\n".join(lines) + "\n"


def _op(graph: Graph, op: Op) -> str:
    outputs = ", ".join(f"%{i}: {_type(graph.tensors[i])}" for i in op.outputs)
    inputs = ", ".join(f"%{i}" if i >= 0 else "none" for i in op.inputs)
    options = " ".join(f"{f.name}={_value(getattr(op, f.name))}" for f in fields(op) if f.name not in _COMMON)
    text = f"{outputs} = {op.kind}({inputs})"
    return f"{text} {{{options}}}" if options else text


def _value(value: object) -> str:
    return "x".join(map(_value, value)) if isinstance(value, tuple) else str(getattr(value, "value", value))


def _type(tensor: Tensor) -> str:
    text = f"{tensor.dtype.value}[{'x'.join(map(str, tensor.shape))}]"
    return f"{text} {_quantization(tensor.quant)}" if tensor.quant is not None else text


def _quantization(quant: Quantization) -> str:
    if len(quant.scales) == 1:
        return f"q({quant.scale:.9g}, {quant.zero_point})"
    return f"q(axis={quant.axis}, {len(quant.scales)} scales from {quant.scales[0]:.9g})"


def _digest(tensor: Tensor) -> str:
    if tensor.data is None:
        raise ValueError("only constants have a digest")
    if tensor.elements <= 8:
        return str(tensor.data.tolist()).replace(" ", "")
    return hashlib.sha256(tensor.data.tobytes()).hexdigest()[:16]
