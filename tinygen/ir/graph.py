"""The graph: tensors by id and operators in execution order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from tinygen.errors import Diagnostic, TinygenError
from tinygen.ir.op import Op
from tinygen.ir.tensor import Tensor

_ELSEWHERE = ("or use --backend tflm, which runs the model as it is",)


@dataclass(frozen=True, eq=False)
class Graph:
    """A model: immutable; passes return a new one. Tensor ids are never reused."""

    name: str
    """The model file's stem."""
    sha256: str
    """Of the model file, hexadecimal."""
    tensors: Mapping[int, Tensor]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    warnings: tuple[Diagnostic, ...] = ()
    """What the reader found unusual but harmless."""
    content: bytes = b""
    """The model file, for backends that hand it on; empty for graphs that were not read from one."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))

    def with_ops(self, ops: tuple[Op, ...], *new: Tensor) -> Graph:
        """The graph with other operators and additional tensors; tensors nothing refers to any more are dropped."""
        tensors = {**self.tensors, **{t.id: t for t in new}}
        used = {i for op in ops for i in (*op.inputs, *op.outputs) if i >= 0} | {*self.inputs, *self.outputs}
        return replace(self, ops=ops, tensors={i: t for i, t in tensors.items() if i in used})

    @property
    def variables(self) -> tuple[Tensor, ...]:
        """The tensors that are kept from one inference to the next, in the order in which operators use them."""
        return tuple(self.tensors[i] for op in self.ops for i in op.kept)

    def fresh_id(self) -> int:
        """An id above every id in use."""
        return max(self.tensors, default=-1) + 1

    def producer(self, tensor: int) -> int | None:
        """The position in `ops` of the operator that makes a tensor, or None for inputs and constants."""
        return next((i for i, op in enumerate(self.ops) if tensor in op.outputs), None)

    def consumers(self, tensor: int) -> tuple[int, ...]:
        """Positions in `ops` of the operators that read a tensor."""
        return tuple(i for i, op in enumerate(self.ops) if tensor in op.inputs)

    def verify(self) -> None:
        """Checks structure and every operator.

        Raises:
            TinygenError: TG107 for a broken structure, TG2xx for what operators do not support; all findings at once.
        """
        if structure := tuple(self._check_structure()):
            raise TinygenError(*structure)
        if found := tuple(d for op in self.ops for d in op.verify(self)):
            raise TinygenError(*found)

    def _check_structure(self) -> Iterator[Diagnostic]:
        constant = {i for i, t in self.tensors.items() if t.data is not None}
        variable = {i for i, t in self.tensors.items() if t.variable}
        defined = {*self.inputs, *constant, *variable}
        for op in self.ops:
            for i in op.inputs:
                if i >= 0 and i not in self.tensors:
                    yield Diagnostic("TG107", f"input tensor {i} does not exist", op.origin)
                elif i >= 0 and i not in defined:
                    message = f"tensor '{self.tensors[i].name}' is read before anything computes it"
                    yield Diagnostic("TG107", message, op.origin)
            for i in op.outputs:
                if i not in self.tensors:
                    yield Diagnostic("TG107", f"output tensor {i} does not exist", op.origin)
                elif i in defined:
                    message = f"tensor '{self.tensors[i].name}' is written twice, or is an input, a constant or a state"
                    yield Diagnostic("TG107", message, op.origin)
                defined.add(i)
            if op.alias and constant.issuperset(op.inputs[:1]):
                constant.update(op.outputs)
                for i in set(op.outputs).intersection(self.outputs, self.tensors):
                    message = f"the graph's output '{self.tensors[i].name}' is a constant"
                    yield Diagnostic("TG107", message, op.origin)
        for i in self.outputs:
            if i not in defined:
                name = self.tensors[i].name if i in self.tensors else str(i)
                yield Diagnostic("TG107", f"the graph's output '{name}' is never computed")
            elif self.tensors[i].data is not None:
                yield Diagnostic("TG107", f"the graph's output '{self.tensors[i].name}' is a constant")
        yield from self._check_variables(variable)
        for i, tensor in self.tensors.items():
            data = tensor.data
            if data is not None and (data.shape != tensor.shape or data.dtype != tensor.dtype.numpy):
                message = f"constant '{tensor.name}' is {tensor.describe()} but holds {data.dtype} {data.shape}"
                yield Diagnostic("TG107", message)
            if i != tensor.id:
                yield Diagnostic("TG107", f"tensor '{tensor.name}' is filed under another id")

    def _check_variables(self, variable: set[int]) -> Iterator[Diagnostic]:
        """A variable tensor is the state of one operator, and nothing else."""
        keepers: dict[int, Op] = {}
        for op in self.ops:
            kept = op.kept
            for position, i in enumerate(op.inputs):
                name = self.tensors[i].name if i in self.tensors else ""
                if i in variable and position not in op.states:
                    message = f"{op.kind} reads the variable tensor '{name}', which it would not keep"
                    yield Diagnostic("TG111", message, replace(op.origin, tensor=name), _ELSEWHERE)
                elif i in kept and position in op.states and i in self.tensors and i not in variable:
                    message = f"{op.kind} keeps state in '{name}', which is no variable tensor"
                    yield Diagnostic("TG111", message, replace(op.origin, tensor=name))
                elif i in variable and keepers.setdefault(i, op) is not op:
                    message = f"two operators keep their state in '{name}', accepted: a variable tensor for each"
                    yield Diagnostic("TG111", message, replace(op.origin, tensor=name), _ELSEWHERE)
            if len(set(kept)) != len(kept):
                yield Diagnostic("TG111", f"{op.kind} keeps two states in the same variable tensor", op.origin)
        for i in sorted(variable):
            name, given = self.tensors[i].name, self.tensors[i].data is not None
            if given or i in self.inputs or i in self.outputs:
                role = "a constant" if given else "an input or an output of the graph"
                yield Diagnostic("TG111", f"the variable tensor '{name}' is {role}, accepted: the state of an operator")
