"""The oracles, whose outputs generated code must equal bit for bit, one for each numerics.

For `litert` it is LiteRT with its reference kernels (BUILTIN_REF); its default kernels (XNNPACK) round differently and
are no oracle. For `tflm` it is tinygen's numpy references, which round twice everywhere, as tflite-micro and CMSIS-NN
do.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import multiprocessing
import signal
import weakref
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

import numpy as np
import tflite

from tinygen.errors import Origin, error
from tinygen.ir.graph import Graph
from tinygen.ir.interpret import interpret, reset_states
from tinygen.ir.op import Numerics
from tinygen.ir.opaque import Opaque
from tinygen.ir.tensor import Array

INSTALL = 'pip install "tinygen[verify]"'
_QUANTIZED_DIMENSION_SLOT = 16
"""The vtable offset of `quantized_dimension` in the schema's table QuantizationParameters."""


def available() -> bool:
    """Whether LiteRT is installed."""
    return importlib.util.find_spec("ai_edge_litert") is not None


class Expected(Protocol):
    """What tells the outputs that are right."""

    name: str

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """The outputs of one inference, in the model's order; TG507 when it cannot be computed.

        It goes on from the state that the last one left.
        """

    def reset(self) -> None:
        """The next inference is the first."""


def find_oracle(path: Path, graph: Graph, numerics: Numerics) -> Expected:
    """The oracle of a model file, which is read already; raises what Oracle does.

    For operators that tinygen has no reference of it is LiteRT.
    """
    known = not any(isinstance(op, Opaque) for op in graph.ops)
    return Reference(graph, numerics) if numerics is Numerics.TFLM and known else Oracle(path)


class Reference:
    """The numpy references of the operators."""

    def __init__(self, graph: Graph, numerics: Numerics) -> None:
        self._graph, self._numerics = graph, numerics
        rounding = "double rounding everywhere" if numerics is Numerics.TFLM else "LiteRT's rounding"
        self.name = f"tinygen's numpy reference, {rounding} (numerics {numerics.value})"
        self._states = reset_states(graph)

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """The outputs of one inference, in the model's order."""
        return interpret(self._graph, inputs, self._numerics, self._states)

    def reset(self) -> None:
        """The next inference is the first."""
        self._states = reset_states(self._graph)


class Oracle:
    """A model loaded into LiteRT, in a process of its own: LiteRT ends its process at some models.

    The model must have been accepted by `read_model`, as LiteRT trusts what it is given.
    """

    def __init__(self, path: Path) -> None:
        """Loads the model file.

        Raises:
            TinygenError: TG404 without LiteRT, TG105 when LiteRT refuses the model, TG507 when it does not survive it.
        """
        if not available():
            raise error("TG404", "comparing with LiteRT needs the package ai-edge-litert", hints=(INSTALL,))
        self.name = f"LiteRT {importlib.metadata.version('ai-edge-litert')} BUILTIN_REF"
        self._origin = Origin(path.name)
        model = bytearray(path.read_bytes())
        clear_harmless_dimensions(model)
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, bytes(model)), daemon=True)
        self._process.start()
        theirs.close()
        # The other process ends when nothing more can come.
        weakref.finalize(self, self._connection.close)
        problem = self._receive()
        if isinstance(problem, str):
            raise error("TG105", f"LiteRT refuses the model: {problem}", origin=self._origin)

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """The outputs of one inference, in the model's order.

        Raises:
            TinygenError: TG507 when LiteRT does not survive the inference.
        """
        # A process that is gone refuses the inputs; _receive says so.
        with contextlib.suppress(ConnectionError):
            self._connection.send(tuple(inputs))
        outputs = self._receive()
        if not isinstance(outputs, tuple):
            raise error("TG507", f"LiteRT cannot compute the model: {outputs}", origin=self._origin)
        return outputs

    def reset(self) -> None:
        """The next inference is the first: variable tensors are what they are when LiteRT has loaded the model."""
        with contextlib.suppress(ConnectionError):
            self._connection.send(None)

    def _receive(self) -> object:
        try:
            return self._connection.recv()
        except (EOFError, ConnectionError) as end:
            self._process.join()
            message = f"LiteRT's process ended with status {self._process.exitcode} at this model"
            hints = ("the model may hold scales that LiteRT's reference kernels cannot use",)
            raise error("TG507", message, origin=self._origin, hints=hints) from end


def _serve(connection: Connection, model: bytes) -> None:
    """Answers every tuple of inputs with the tuple of outputs; first None, or why LiteRT refuses the model.

    None in place of inputs resets the state, without an answer.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for tinygen, whose end is the end of the connection
    try:
        interpreter = Interpreter(
            model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
        )
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as problem:
        connection.send(str(problem))
        return
    connection.send(None)
    inputs = [int(d["index"]) for d in interpreter.get_input_details()]
    outputs = [int(d["index"]) for d in interpreter.get_output_details()]
    while True:
        try:
            arrays = connection.recv()
        except EOFError:
            return
        if arrays is None:
            interpreter.reset_all_variables()
            continue
        for index, array in zip(inputs, arrays, strict=True):
            interpreter.set_tensor(index, array)
        try:
            interpreter.invoke()
        except RuntimeError as problem:
            connection.send(str(problem))
            continue
        connection.send(tuple(np.array(interpreter.get_tensor(index)) for index in outputs))


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
