"""`tinygen inspect`: what is in a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from tinygen.cli import _options as options
from tinygen.cli._output import Diagnosis, Output, diagnosis
from tinygen.compile import CompileOptions, compile_model
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.tensor import Tensor
from tinygen.report.memory_map import short_name
from tinygen.tflite import read_model


@dataclass(frozen=True)
class TensorItem:
    """An input, an output or a state of the model."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None
    """real = scale * (quantized - zero_point); null when not quantized."""
    zero_point: int | None


@dataclass(frozen=True)
class OperatorItem:
    """One operator of the model file."""

    index: int
    op: str
    name: str
    """Its first output's name."""
    output_shape: tuple[int, ...]
    macs: int
    """Multiply-adds of one inference."""
    constant_bytes: int
    """Weights, biases and other constants it reads, as they are in the file."""


@dataclass(frozen=True)
class InspectDocument:
    """`tinygen inspect`."""

    model: str
    sha256: str
    inputs: tuple[TensorItem, ...]
    outputs: tuple[TensorItem, ...]
    states: tuple[TensorItem, ...]
    """What operators keep from one inference to the next."""
    operators: tuple[OperatorItem, ...]
    macs: int
    constant_bytes: int
    warnings: tuple[Diagnosis, ...]


DOCUMENT = InspectDocument


@click.command("inspect")
@options.model
@options.dump_ir
@options.common
def command(output: Output, model: Path, dump_ir: Path | None) -> None:
    """Show a model's inputs, outputs and operators."""
    with output.status("reading the model"):
        graph = read_model(model)
        if dump_ir is not None:
            compile_model(model, CompileOptions(), dump_ir=dump_ir)
    document = _document(graph)

    def show() -> None:
        output.diagnostics(graph.warnings, severity="warning")
        output.line(f"{graph.name}  (SHA-256 {graph.sha256})")
        states = tuple(tensor.id for tensor in graph.variables)
        for role, ends in (("input", graph.inputs), ("output", graph.outputs), ("state", states)):
            for i in ends:
                output.line(f"{role:<7} {_describe(graph.tensors[i])}")
        output.line()
        rows = [
            (
                str(o.index),
                o.op,
                short_name(o.name),
                "x".join(map(str, o.output_shape)),
                f"{o.macs:,}",
                f"{o.constant_bytes:,}",
            )
            for o in document.operators
        ]
        total = ("", "", "total", "", f"{document.macs:,}", f"{document.constant_bytes:,}")
        header = ("#", "operator", "output", "shape", "multiply-adds", "constant bytes")
        output.table(header, [*rows, total], right=("#", "multiply-adds", "constant bytes"))
        if dump_ir is not None:
            output.line(f"graph after every pass: {dump_ir}")

    output.result(document, show)


def _document(graph: Graph) -> InspectDocument:
    constants = {i for op in graph.ops for i in op.inputs if i >= 0 and graph.tensors[i].data is not None}
    return InspectDocument(
        model=graph.name,
        sha256=graph.sha256,
        inputs=tuple(_tensor(graph.tensors[i]) for i in graph.inputs),
        outputs=tuple(_tensor(graph.tensors[i]) for i in graph.outputs),
        states=tuple(map(_tensor, graph.variables)),
        operators=tuple(_operator(graph, op, n) for n, op in enumerate(graph.ops)),
        macs=sum(op.macs(graph) for op in graph.ops),
        constant_bytes=sum(graph.tensors[i].nbytes for i in constants),
        warnings=tuple(diagnosis(w) for w in graph.warnings),
    )


def _tensor(tensor: Tensor) -> TensorItem:
    quant = tensor.quant
    scale, zero_point = (quant.scale, quant.zero_point) if quant is not None and quant.axis is None else (None, None)
    return TensorItem(tensor.name, tensor.shape, tensor.dtype.value, scale, zero_point)


def _operator(graph: Graph, op: Op, position: int) -> OperatorItem:
    first = graph.tensors[op.outputs[0]]
    read = {i for i in op.inputs if i >= 0}
    constant_bytes = sum(graph.tensors[i].nbytes for i in read if graph.tensors[i].data is not None)
    index = op.origin.op_index if op.origin.op_index is not None else position
    return OperatorItem(index, op.kind, first.name, first.shape, op.macs(graph), constant_bytes)


def _describe(tensor: Tensor) -> str:
    item = _tensor(tensor)
    quant = "" if item.scale is None else f"  real = {item.scale:.9g} * (q - {item.zero_point})"
    return f"{tensor.describe()} '{tensor.name}'{quant}"
