"""From the bytes of a .tflite file to a verified graph; every way this can fail is a TinygenError."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

from tinygen.errors import Diagnostic, Origin, TinygenError, error
from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.tensor import Tensor
from tinygen.tflite.findings import Findings
from tinygen.tflite.flatbuffer import Flatbuffer, Table
from tinygen.tflite.operators import OpRecord, check_order, opaque_ops, operator_kinds, parse_ops, read_records
from tinygen.tflite.shapes import without_shapes
from tinygen.tflite.tensors import TensorReader

MAX_FILE_BYTES = 1 << 28
"""Far above the flash of any microcontroller."""

MAX_CONSTANT_READS = 1 << 27
"""Bytes of constants that all operators together may read; unrolled recurrent layers share weights, if not so much."""

_IDENTIFIER = b"TFL3"
_SCHEMA_VERSION = 3

# Slots of schema.fbs: the order of declaration in tables Model and SubGraph.
_VERSION, _OPERATOR_CODES, _SUBGRAPHS, _DESCRIPTION, _BUFFERS = range(5)
_TENSORS, _INPUTS, _OUTPUTS, _OPERATORS = range(4)

_OTHER_FORMATS = {b"\x89HDF": "an HDF5 file (Keras)", b"PK\x03\x04": "a zip archive (Keras, PyTorch)"}


def read_model(path: str | Path, *, opaque: bool = False) -> Graph:
    """The graph of a model file; `opaque` is as for `read_bytes`.

    Raises:
        TinygenError: TG110 when the file cannot be read, else as `read_bytes`.
    """
    path = Path(path)
    origin = Origin(path.name)
    try:
        if not path.is_file():
            found = "is a folder or a device" if path.exists() else "does not exist"
            raise error("TG110", f"{path} {found}; accepted: a .tflite file", origin=origin)
        if (size := path.stat().st_size) > MAX_FILE_BYTES:
            message = f"the file has {size} bytes; at most {MAX_FILE_BYTES} are accepted"
            raise error("TG106", message, origin=origin)
        data = path.read_bytes()
    except OSError as problem:
        raise error("TG110", f"cannot read {path}: {problem}", origin=origin) from problem
    return read_bytes(data, path.name, opaque=opaque)


def read_bytes(data: bytes, name: str, *, opaque: bool = False) -> Graph:
    """The graph of a model in memory; it has passed `Graph.verify`.

    Args:
        data: the file's bytes; constants are read-only views of them.
        name: the file's name, for messages; the graph is called by its stem.
        opaque: operators that tinygen does not support are taken by name, for backends that hand the file on.

    Raises:
        TinygenError: TG1xx for what is wrong with the file, TG2xx for operators that are not supported, all of them.
    """
    origin = Origin(name)
    if len(data) > MAX_FILE_BYTES:
        message = f"the model has {len(data)} bytes; at most {MAX_FILE_BYTES} are accepted"
        raise error("TG106", message, origin=origin)
    _check_identifier(data, origin)
    model = Flatbuffer(data, origin).root("the model")
    if (version := model.integer(_VERSION, "I")) != _SCHEMA_VERSION:
        raise error("TG105", f"schema version {version}; accepted: {_SCHEMA_VERSION}", origin=origin)
    subgraphs = model.tables(_SUBGRAPHS, "subgraph")
    if len(subgraphs) != 1:
        message = f"{len(subgraphs)} subgraphs; accepted: one (no control flow, no second signature)"
        raise error("TG105", message, origin=origin)
    digest = hashlib.sha256(data).hexdigest()
    return _read_subgraph(model, subgraphs[0], Graph(Path(name).stem, digest, {}, (), (), (), (), data), origin, opaque)


def _check_identifier(data: bytes, origin: Origin) -> None:
    if len(data) >= 8 and data[4:8] == _IDENTIFIER:
        return
    found = next((text for magic, text in _OTHER_FORMATS.items() if data.startswith(magic)), "something else")
    if not data:
        found = "an empty file"
    raise error(
        "TG101",
        f"{found} was found where a file with the identifier TFL3 is accepted",
        origin=origin,
        hints=("convert the model with tf.lite.TFLiteConverter, with full integer quantization",),
    )


def _read_subgraph(model: Table, subgraph: Table, empty: Graph, origin: Origin, opaque: bool) -> Graph:
    tables = subgraph.tables(_TENSORS, "tensor")
    inputs = _ends(subgraph, _INPUTS, "input", len(tables), origin)
    outputs = _ends(subgraph, _OUTPUTS, "output", len(tables), origin)
    kinds = operator_kinds(model.tables(_OPERATOR_CODES, "operator code"))
    records = read_records(subgraph.tables(_OPERATORS, "operator"), kinds, len(tables), origin.file)
    if not outputs:
        raise error("TG107", "the graph has no outputs", origin=origin)

    findings, warnings = Findings(), Findings()
    reader = TensorReader(tables, model.tables(_BUFFERS, "buffer"), findings, warnings)
    tensors = _read_tensors(reader, inputs, outputs, records, origin)
    for role, ends in (("input", inputs), ("output", outputs)):
        for i in ends:
            if i in tensors and tensors[i].data is not None:
                where = replace(origin, tensor=tensors[i].name)
                raise error("TG107", f"the graph's {role} {i} is a constant", origin=where)
            if i in tensors and tensors[i].variable:
                where = replace(origin, tensor=tensors[i].name)
                message = f"the graph's {role} {i} is a variable tensor; accepted: the state of an operator"
                raise error("TG111", message, origin=where)

    if not opaque:
        records = without_shapes(records, tensors, outputs)
    state = frozenset(i for i, tensor in tensors.items() if tensor.variable)
    available = frozenset({*inputs, *state, *(i for i, tensor in tensors.items() if tensor.data is not None)})
    order = check_order(records, available, outputs, tensors, origin)
    _check_sharing(records, tensors, max(MAX_CONSTANT_READS, 4 * len(model.file.data)), origin)
    ops, unsupported = parse_ops(records, reader.quantization)
    graph = replace(empty, tensors=tensors, inputs=inputs, outputs=outputs, warnings=warnings.diagnostics())
    graph = replace(graph, ops=tuple(op.resolve(graph) for op in ops))
    if opaque:
        graph, unsupported = replace(graph, ops=_known_or_opaque(graph, records, state)), ()
    problems = (*order, *findings.diagnostics(), *unsupported)
    if problems:
        raise TinygenError(*sorted((*problems, *_verify(graph)), key=_model_before_operators))
    graph.verify()
    return graph


def _known_or_opaque(graph: Graph, records: tuple[OpRecord, ...], state: frozenset[int]) -> tuple[Op, ...]:
    """The operators, by name only where tinygen does not support them, or the way they use state."""
    uses = Counter(i for record in records for i in record.inputs if i in state)
    known = (op for op in graph.ops if all(i in op.kept and uses[i] == 1 for i in state.intersection(op.inputs)))
    supported = {op.origin.op_index: op for op in known if not any(op.verify(graph))}
    return tuple(supported.get(op.origin.op_index, op) for op in opaque_ops(records, state))


def _ends(subgraph: Table, slot: int, role: str, count: int, origin: Origin) -> tuple[int, ...]:
    """The graph's inputs or outputs, each once and existing."""
    indices = subgraph.integers(slot, "i", f"{role}s of the graph") or ()
    for i in indices:
        if not 0 <= i < count:
            raise error("TG104", f"the graph's {role} {i} of {count} tensors does not exist", origin=origin)
    if len(set(indices)) != len(indices):
        raise error("TG107", f"the graph has the same {role} twice: {list(indices[:16])}", origin=origin)
    return indices


def _read_tensors(
    reader: TensorReader,
    inputs: tuple[int, ...],
    outputs: tuple[int, ...],
    records: tuple[OpRecord, ...],
    origin: Origin,
) -> dict[int, Tensor]:
    """The used tensors that can be read, each reported at the first operator that has it."""
    first = dict.fromkeys((*inputs, *outputs), origin)
    for record in records:
        for i in (*record.inputs, *record.outputs):
            if i >= 0 and first.get(i, origin).op_index is None:
                first[i] = record.origin
    tensors = ((i, reader.read(i, where)) for i, where in sorted(first.items()))
    return {i: tensor for i, tensor in tensors if tensor is not None}


def _check_sharing(records: tuple[OpRecord, ...], tensors: dict[int, Tensor], limit: int, origin: Origin) -> None:
    """Operators look through their constants, so many operators on one large constant would cost a lot of time."""
    sizes = {i: tensor.nbytes for i, tensor in tensors.items() if tensor.data is not None}
    total = sum(sizes.get(i, 0) for record in records for i in record.inputs)
    if total > limit:
        raise error("TG106", f"operators read {total} bytes of constants; at most {limit} are accepted", origin=origin)


def _verify(graph: Graph) -> tuple[Diagnostic, ...]:
    """What the operators say whose tensors could all be read, although the graph is not complete."""
    readable = (op for op in graph.ops if all(i < 0 or i in graph.tensors for i in (*op.inputs, *op.outputs)))
    return tuple(d for op in readable for d in op.verify(graph))


def _model_before_operators(diagnostic: Diagnostic) -> str:
    return diagnostic.code[:3]
