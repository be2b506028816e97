"""Operators of the file to operators of the IR: builtin codes, tensor indices, execution order, options."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import tinygen.ops  # noqa: F401  (fills the registry)
from tinygen.errors import Diagnostic, Origin, TinygenError, error
from tinygen.ir.op import REGISTRY, Op
from tinygen.ir.opaque import opaque
from tinygen.ir.tensor import Quantization, Tensor
from tinygen.tflite.findings import Findings
from tinygen.tflite.flatbuffer import Table
from tinygen.tflite.options import TableOptions, enumerators

# Slots of schema.fbs: the order of declaration in tables OperatorCode and Operator.
_DEPRECATED_CODE, _CUSTOM_CODE, _VERSION, _CODE = range(4)
_OPCODE_INDEX, _INPUTS, _OUTPUTS, _OPTIONS_TYPE, _OPTIONS = range(5)
_INTERMEDIATES = 8

_KINDS = enumerators("BuiltinOperator")
_CUSTOM = "CUSTOM"

ELSEWHERE_HINT = "or use --backend tflm, which has more operators"


@dataclass(frozen=True)
class OpRecord:
    """An operator of the file with its tensor indices checked, its options not read yet."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    intermediates: tuple[int, ...]
    origin: Origin
    table: Table


def operator_kinds(codes: tuple[Table, ...]) -> tuple[str, ...]:
    """The schema's names of the operator codes of a model; custom operators are `CUSTOM name`."""
    return tuple(_kind(code) for code in codes)


def _kind(table: Table) -> str:
    # Codes above 126 did not fit the old field; writers fill both, readers take the larger (schema_utils.cc).
    code = max(table.integer(_DEPRECATED_CODE, "b"), table.integer(_CODE, "i"))
    kind = _KINDS.get(code, f"number {code}")
    return f"{_CUSTOM} {table.string(_CUSTOM_CODE, table.what)}" if kind == _CUSTOM else kind


def read_records(
    operators: tuple[Table, ...], kinds: tuple[str, ...], tensor_count: int, file: str
) -> tuple[OpRecord, ...]:
    """The operators in execution order.

    Raises:
        TinygenError: TG102 for damage, TG104 for an operator code or tensor that does not exist.
    """
    return tuple(_record(table, i, kinds, tensor_count, file) for i, table in enumerate(operators))


def _record(table: Table, index: int, kinds: tuple[str, ...], tensor_count: int, file: str) -> OpRecord:
    code = table.integer(_OPCODE_INDEX, "I")
    if code >= len(kinds):
        message = f"operator code {code} of {len(kinds)} does not exist"
        raise error("TG104", message, origin=Origin(file, index, "of unknown kind"))
    origin = Origin(file, index, kinds[code])
    inputs = table.integers(_INPUTS, "i", f"inputs of {table.what}") or ()
    outputs = table.integers(_OUTPUTS, "i", f"outputs of {table.what}") or ()
    intermediates = table.integers(_INTERMEDIATES, "i", f"intermediates of {table.what}") or ()
    for role, lowest, indices in (("input", -1, inputs), ("output", 0, outputs), ("intermediate", 0, intermediates)):
        for i in indices:
            if not lowest <= i < tensor_count:
                raise error("TG104", f"{role} tensor {i} of {tensor_count} does not exist", origin=origin)
    return OpRecord(kinds[code], inputs, outputs, intermediates, origin, table)


def check_order(
    records: tuple[OpRecord, ...],
    available: frozenset[int],
    outputs: tuple[int, ...],
    tensors: Mapping[int, Tensor],
    origin: Origin,
) -> tuple[Diagnostic, ...]:
    """TG107 findings: read before written (so also every cycle), written twice, outputs never computed.

    Args:
        available: graph inputs and constants.
        outputs: the graph's outputs.
        tensors: those that could be read; of the others it is not known whether they are constant.
        origin: the file.
    """
    findings = Findings()
    produced = {i for record in records for i in record.outputs}
    defined = set(available)

    def add(where: Origin, tensor: int, reason: str) -> None:
        if tensor in tensors:
            findings.add("TG107", reason, f"tensor {tensor} {reason}", replace(where, tensor=tensors[tensor].name))

    for record in records:
        for i in record.inputs:
            if i >= 0 and i not in defined:
                late = i in produced
                add(record.origin, i, "is read before it is computed" if late else "is read but never computed")
        for i in record.outputs:
            if i in defined:
                given = i in available
                add(record.origin, i, "is written, but is an input or a constant" if given else "is written twice")
            defined.add(i)
    for i in outputs:
        if i not in defined:
            add(origin, i, "is an output of the graph but never computed")
    return findings.diagnostics()


def opaque_ops(records: tuple[OpRecord, ...], variables: frozenset[int]) -> tuple[Op, ...]:
    """All operators by name only, without the state they keep in `variables`."""
    return tuple(
        opaque(record.kind)(
            inputs=tuple(-1 if i in variables else i for i in record.inputs),
            outputs=record.outputs,
            origin=record.origin,
        )
        for record in records
    )


def parse_ops(
    records: tuple[OpRecord, ...], quantization: Callable[[int, Origin], Quantization | None]
) -> tuple[tuple[Op, ...], tuple[Diagnostic, ...]]:
    """The operators tinygen has, and diagnostics for those it does not have or whose options it does not accept.

    `quantization` reads that of a tensor, for those that exist only inside an operator.
    """
    ops: list[Op] = []
    damaged: list[Diagnostic] = []
    for record in records:
        if (operator := REGISTRY.get(record.kind)) is None:
            continue
        table = record.table
        try:
            union = table.table(_OPTIONS, f"options of {table.what}")
            inside = tuple(quantization(i, record.origin) for i in record.intermediates)
            options = TableOptions(record.kind, table.integer(_OPTIONS_TYPE, "B"), union, record.origin, inside)
            ops.append(operator.parse(record.inputs, record.outputs, record.origin, options))
        except TinygenError as found:
            damaged += found.diagnostics
    return tuple(ops), (*damaged, *_unknown(records))


def _unknown(records: tuple[OpRecord, ...]) -> Iterator[Diagnostic]:
    """One diagnostic for each kind of operator without an implementation, the accepted ones named once."""
    by_kind: dict[str, list[OpRecord]] = {}
    for record in records:
        if record.kind not in REGISTRY:
            by_kind.setdefault(record.kind, []).append(record)
    accepted = f"accepted: {', '.join(sorted(REGISTRY))}"
    for position, (kind, found) in enumerate(by_kind.items()):
        indices = ", ".join(f"#{r.origin.op_index}" for r in found[:8]) + (", ..." if len(found) > 8 else "")
        where = f" ({len(found)} times: {indices})" if len(found) > 1 else ""
        hints = (accepted, ELSEWHERE_HINT) if position == len(by_kind) - 1 else ()
        custom = kind.startswith(_CUSTOM)
        message = f"operator {kind} is not supported{where}"
        yield Diagnostic("TG105" if custom else "TG201", message, found[0].origin, hints)
