"""`tinygen inspect`: what is in a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from tinygen.boards import load_board
from tinygen.cli import _options as options
from tinygen.cli._output import Diagnosis, Output, diagnosis
from tinygen.compile import CompileOptions, compile_model, read_for
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.tensor import Tensor
from tinygen.report.memory_map import short_name
from tinygen.source_tree import Layer
from tinygen.target import for_board


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
    kernel: str | None
    """With --backend the function that computes it there, as in `bench`; null without, and where a pass removed it or
    nothing is left to compute."""
    schedule: str | None
    """With --backend utvm the tile and the products of its kernel; null elsewhere, and where nothing was to choose."""


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
@click.option("--backend", metavar="NAME", help="Also show which function computes each operator there.")
@options.board(required=False)
@click.option("--tuning", type=options.FILE, metavar="FILE", help="Of `tinygen tune`, for --backend utvm.")
@options.common
def command(
    output: Output, model: Path, dump_ir: Path | None, backend: str | None, board: str | None, tuning: Path | None
) -> None:
    """Show a model's inputs, outputs and operators.

    With --backend also each operator's kernel, on a core without extensions or on the board's.
    """
    if board is not None and backend is None:
        raise click.UsageError("--board needs --backend.")
    if tuning is not None and backend != "utvm":
        raise click.UsageError("--tuning is for --backend utvm.")
    chosen = CompileOptions() if backend is None else CompileOptions(backend=backend, tuning=tuning)
    with output.status("reading the model"):
        graph = read_for(model, chosen)
        if board is not None:
            chosen = for_board(chosen, load_board(board))
        tree = None
        if backend is not None or dump_ir is not None:
            tree = compile_model(model, chosen, dump_ir=dump_ir)
    layers = {} if tree is None or backend is None else {layer.index: layer for layer in tree.layers}
    document = _document(graph, layers)
    named = () if backend is None else ("kernel", "schedule") if backend == "utvm" else ("kernel",)

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
                *(o.kernel or "", o.schedule or "")[: len(named)],
            )
            for o in document.operators
        ]
        total = ("", "", "total", "", f"{document.macs:,}", f"{document.constant_bytes:,}", *("" for _ in named))
        header = ("#", "operator", "output", "shape", "multiply-adds", "constant bytes", *named)
        output.table(header, [*rows, total], right=("#", "multiply-adds", "constant bytes"))
        if dump_ir is not None:
            output.line(f"graph after every pass: {dump_ir}")

    output.result(document, show)


def _document(graph: Graph, layers: Mapping[int, Layer]) -> InspectDocument:
    constants = {i for op in graph.ops for i in op.inputs if i >= 0 and graph.tensors[i].data is not None}
    return InspectDocument(
        model=graph.name,
        sha256=graph.sha256,
        inputs=tuple(_tensor(graph.tensors[i]) for i in graph.inputs),
        outputs=tuple(_tensor(graph.tensors[i]) for i in graph.outputs),
        states=tuple(map(_tensor, graph.variables)),
        operators=tuple(_operator(graph, op, n, layers) for n, op in enumerate(graph.ops)),
        macs=sum(op.macs(graph) for op in graph.ops),
        constant_bytes=sum(graph.tensors[i].nbytes for i in constants),
        warnings=tuple(diagnosis(w) for w in graph.warnings),
    )


def _tensor(tensor: Tensor) -> TensorItem:
    quant = tensor.quant
    scale, zero_point = (quant.scale, quant.zero_point) if quant is not None and quant.axis is None else (None, None)
    return TensorItem(tensor.name, tensor.shape, tensor.dtype.value, scale, zero_point)


def _operator(graph: Graph, op: Op, position: int, layers: Mapping[int, Layer]) -> OperatorItem:
    first = graph.tensors[op.outputs[0]]
    read = {i for i in op.inputs if i >= 0}
    constant_bytes = sum(graph.tensors[i].nbytes for i in read if graph.tensors[i].data is not None)
    index = op.origin.op_index if op.origin.op_index is not None else position
    macs, layer = op.macs(graph), layers.get(index)
    kernel, schedule = (None, None) if layer is None else (layer.kernel, layer.schedule or None)
    return OperatorItem(index, op.kind, first.name, first.shape, macs, constant_bytes, kernel, schedule)


def _describe(tensor: Tensor) -> str:
    item = _tensor(tensor)
    quant = "" if item.scale is None else f"  real = {item.scale:.9g} * (q - {item.zero_point})"
    return f"{tensor.describe()} '{tensor.name}'{quant}"
