"""The base of all operators and the registry the reader looks them up in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, TypeVar

from tinygen.errors import Diagnostic, Origin
from tinygen.ir.call import Kernel
from tinygen.ir.rows import WHOLE, Inlay, Rows
from tinygen.ir.tensor import Array, Quantization, Tensor

if TYPE_CHECKING:
    from tinygen.ir.graph import Graph


class Numerics(Enum):
    """Whose rounding to reproduce: LiteRT's reference kernels, or TFLM and CMSIS-NN where they differ."""

    LITERT = "litert"
    TFLM = "tflm"


class Options(Protocol):
    """The options table of an operator in the model file, already checked; names are those of the schema."""

    def integer(self, name: str) -> int: ...
    def real(self, name: str) -> float: ...
    def boolean(self, name: str) -> bool: ...
    def integers(self, name: str) -> tuple[int, ...]: ...
    def enum(self, name: str) -> str:
        """The schema's name of an enumerator: `SAME`, `RELU6`."""

    @property
    def intermediates(self) -> tuple[Quantization | None, ...]:
        """The quantizations of the tensors that exist only inside the operator."""


@dataclass(frozen=True, kw_only=True)
class Op:
    """An operator: tensor ids in and out, and where it came from. Subclasses add its options.

    An absent optional input is the id -1.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    origin: Origin
    kind: ClassVar[str]
    """The operator's name in the TensorFlow Lite schema."""
    alias: ClassVar[bool] = False
    """The output is input 0 under another shape: the two share their bytes, and there is nothing to compute."""
    states: ClassVar[tuple[int, ...]] = ()
    """Positions of the inputs that are state: variable tensors that the operator reads and then writes."""
    shape_inputs: ClassVar[tuple[int, ...]] = ()
    """Positions of the inputs that only say what the output's shape is; they may be absent."""

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        """The operator from its checked options table. Operators with options override this."""
        del options
        return cls(inputs=inputs, outputs=outputs, origin=origin)

    def resolve(self, graph: Graph) -> Self:
        """The operator with what `parse` could not know without shapes, such as SAME padding as numbers.

        The reader calls it once, when all tensors are known and before anything is verified: it must not raise.
        """
        del graph
        return self

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        """Everything tinygen does not support or that contradicts itself, as TG2xx diagnostics; none when all is well.

        Must not raise whatever tensors it is given: number of inputs, ranks, types and quantizations are unchecked.
        """
        raise NotImplementedError

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        """The outputs in numpy, then the new states, bit-exact.

        `inputs` follows `self.inputs`, constants and states included, None where absent.
        """
        raise NotImplementedError

    def rows(self, graph: Graph) -> Rows:
        """The row model; by default a single step that reads and writes everything."""
        activations = [
            i for i, t in enumerate(self.inputs) if t >= 0 and graph.tensors[t].data is None and i not in self.states
        ]
        return Rows(steps=1, inputs=tuple((i, WHOLE) for i in activations), writes_row=False)

    def inlays(self, graph: Graph) -> tuple[Inlay, ...]:
        """The output as part of an input, or all inputs as parts of the output; empty when it is more than that.

        With the tensors laid out in this way there is nothing to compute.
        """
        del graph
        return ()

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """The ways to compute this operator; at least one portable one."""
        raise NotImplementedError

    def parts(self, graph: Graph) -> tuple[Op, ...]:
        """Operators of one output each that compute the same; the operator itself unless it has several outputs."""
        del graph
        return (self,)

    def macs(self, graph: Graph) -> int:
        """Multiply-adds of one inference; zero for operators that are not counted in them."""
        del graph
        return 0

    def input(self, graph: Graph, position: int) -> Tensor:
        return graph.tensors[self.inputs[position]]

    def output(self, graph: Graph, position: int = 0) -> Tensor:
        return graph.tensors[self.outputs[position]]

    @property
    def kept(self) -> tuple[int, ...]:
        """The tensors of its state."""
        return tuple(self.inputs[i] for i in self.states if i < len(self.inputs) and self.inputs[i] >= 0)


REGISTRY: dict[str, type[Op]] = {}
"""Operator classes by the schema's builtin name; filled by importing tinygen.ops."""

OpType = TypeVar("OpType", bound=type[Op])


def register(*kinds: str) -> Callable[[OpType], OpType]:
    """Class decorator: makes an Op known to the reader under the schema's builtin names."""

    def add(cls: OpType) -> OpType:
        for kind in kinds:
            if kind in REGISTRY:
                raise ValueError(f"{kind} is registered twice")
            REGISTRY[kind] = cls
        return cls

    return add
