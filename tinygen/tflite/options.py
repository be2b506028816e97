"""The options table of an operator, read through the generated accessors of the tflite package but bounds-checked.

The generated classes know every field's slot and default; they read through a `_tab` object, which here is one that
checks each access. Option tables hold scalars and vectors of scalars only, so no unchecked table is ever reached.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tflite

from tinygen.errors import Origin, error
from tinygen.ir.tensor import Array, Quantization
from tinygen.tflite.flatbuffer import Table

_SHARED = {
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "L2_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "L2_NORMALIZATION": "L2NormOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "MEAN": "ReducerOptions",
    "SUM": "ReducerOptions",
    "REDUCE_ALL": "ReducerOptions",
    "REDUCE_ANY": "ReducerOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_MIN": "ReducerOptions",
    "REDUCE_PROD": "ReducerOptions",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "SequenceRNNOptions",
}
"""Operators whose options table is not named after them."""

_ENUMS = {
    "Combiner": "CombinerType",
    "FusedActivationFunction": "ActivationFunctionType",
    "InDataType": "TensorType",
    "KernelType": "LSTMKernelType",
    "Mode": "MirrorPadMode",
    "OutDataType": "TensorType",
    "OutputType": "TensorType",
    "Padding": "Padding",
    "QuantizedBiasType": "TensorType",
    "WeightsFormat": "FullyConnectedOptionsWeightsFormat",
}
"""Fields that hold an enumerator, and of which enumeration."""


def enumerators(name: str) -> dict[int, str]:
    """The schema's enumeration of that name: value to name."""
    return {value: key for key, value in vars(getattr(tflite, name)).items() if isinstance(value, int)}


_OPTION_TYPES = enumerators("BuiltinOptions")
_BY_LOWER = {name.lower(): name for name in _OPTION_TYPES.values()}


def options_type(kind: str) -> str | None:
    """The schema's options table of an operator, None for operators that have none."""
    return _SHARED.get(kind) or _BY_LOWER.get(kind.replace("_", "").lower() + "options")


class TableOptions:
    """Implements tinygen.ir.op.Options on a table of the file; an absent table has every field's default.

    Raises:
        TinygenError: TG102 when the table is of another operator's type, or a field is damaged.
        AttributeError: when asked for a field the operator does not have, which is an error in tinygen.
    """

    def __init__(
        self,
        kind: str,
        union_type: int,
        table: Table | None,
        origin: Origin,
        intermediates: tuple[Quantization | None, ...] = (),
    ) -> None:
        self._origin = origin
        self.intermediates = intermediates
        expected = options_type(kind)
        found = _OPTION_TYPES.get(union_type, f"type {union_type}")
        if expected is not None and found not in (expected, "NONE"):
            raise error("TG102", f"options are {found}, but {kind} takes {expected}", origin=origin)
        self._fields: Any = None
        if expected is not None:
            self._fields = getattr(tflite, expected)()
            self._fields._tab = _CheckedTable(table if found == expected else None)

    def integer(self, name: str) -> int:
        return int(self._get(name))

    def real(self, name: str) -> float:
        return float(self._get(name))

    def boolean(self, name: str) -> bool:
        return bool(self._get(name))

    def integers(self, name: str) -> tuple[int, ...]:
        if self._get(name, "IsNone"):
            return ()
        return tuple(self._get(name, "AsNumpy").tolist())

    def enum(self, name: str) -> str:
        value, names = self.integer(name), enumerators(_ENUMS[_accessor(name)])
        if value not in names:
            accepted = ", ".join(names.values())
            message = f"option {name} is {value}, which is none of {accepted}"
            raise error("TG102", message, origin=self._origin)
        return names[value]

    def _get(self, name: str, variant: str = "") -> Any:
        return getattr(self._fields, _accessor(name) + variant)()


def _accessor(name: str) -> str:
    """The generated classes' spelling of a field of the schema: `StrideH` for `stride_h` (and for itself)."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


class _CheckedTable:
    """What generated accessors expect of flatbuffers.table.Table, with every access checked."""

    def __init__(self, table: Table | None) -> None:
        self._table = table
        self.Pos = 0 if table is None else table.position

    def Offset(self, vtable_offset: int) -> int:  # noqa: N802
        """Offset of a field in the table, 0 where absent."""
        if self._table is None:
            return 0
        at = self._table.field((vtable_offset - 4) // 2, 1)
        return 0 if at is None else at - self.Pos

    def Get(self, flags: Any, at: int) -> Any:  # noqa: N802
        """The scalar at a position of the file."""
        assert self._table is not None, "an absent table has no fields to get"
        if at + flags.bytewidth > self.Pos + self._table.size:
            raise self._table.file.damaged(self._table.what, f"a field at byte {at} leaves the table")
        return flags.py_type(flags.packer_type.unpack_from(self._table.file.data, at)[0])

    def GetVectorAsNumpy(self, flags: Any, offset: int) -> Array:  # noqa: N802
        """The vector a field at an offset of the table refers to."""
        assert self._table is not None, "an absent table has no fields to get"
        at = self.Pos + offset
        target = at + self._table.file.scalar("I", at, self._table.what)
        vector = self._table.file.vector(target, flags.bytewidth, self._table.what)
        self._table.file.spend(vector.length * flags.bytewidth, self._table.what)
        return vector.array(np.dtype(flags.packer_type.format))
