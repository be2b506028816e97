"""Leaves out operators that only compute shapes: shapes are static here, and the tensors have them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from tinygen.ir.op import REGISTRY
from tinygen.ir.tensor import Tensor
from tinygen.tflite.operators import OpRecord


def without_shapes(
    records: tuple[OpRecord, ...], tensors: Mapping[int, Tensor], outputs: Collection[int]
) -> tuple[OpRecord, ...]:
    """The operators without those that nothing but the shape argument of another depends on.

    Models that were converted with a dynamic batch compute such arguments from the shape of a tensor:

        x ──▶ SHAPE ──▶ STRIDED_SLICE ──▶ PACK ──▶ RESHAPE's second input

    Computed arguments that only repeat the output's shape become absent; constant ones stay and are checked.
    """
    freed = tuple(_without_computed_shape(record, tensors) for record in records)
    only_shapes = _alive(records, outputs) - _alive(freed, outputs)
    return tuple(record for record in freed if record.origin.op_index not in only_shapes)


def _without_computed_shape(record: OpRecord, tensors: Mapping[int, Tensor]) -> OpRecord:
    operator = REGISTRY.get(record.kind)
    positions = operator.shape_inputs if operator is not None else ()
    computed = {at for at in positions if at < len(record.inputs) and not _constant(record.inputs[at], tensors)}
    inputs = tuple(-1 if at in computed else i for at, i in enumerate(record.inputs))
    return replace(record, inputs=inputs)


def _constant(tensor: int, tensors: Mapping[int, Tensor]) -> bool:
    return tensor not in tensors or tensors[tensor].data is not None


def _alive(records: Iterable[OpRecord], outputs: Collection[int]) -> set[int | None]:
    """The indices of the operators that an output depends on."""
    wanted, found = set(outputs), set()
    for record in reversed(tuple(records)):
        if wanted.intersection(record.outputs):
            wanted.update(record.inputs)
            found.add(record.origin.op_index)
    return found
