"""One layer of generated C, as text: parameters, row pointers and the call of its kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinygen.backends.addresses import Places, layer_stem, output_row, row_pointers
from tinygen.backends.literals import comment, integer, real
from tinygen.backends.states import state_array
from tinygen.ir.call import Call, Constant, Field
from tinygen.ir.tensor import Tensor
from tinygen.schedule.program import Access, Layer, Program

_NAME_LENGTH = 80
_LINE_LENGTH = 100


@dataclass(frozen=True, eq=False)
class NamedConstant:
    """A constant array under its C name."""

    name: str
    constant: Constant
    comment: str


@dataclass(frozen=True, eq=False)
class LayerText:
    """What templates/c/model.c.j2 prints for a layer."""

    title: str
    comment: tuple[str, ...]
    symbol: str
    params: str
    params_type: str
    fields: str
    looped: bool
    body: tuple[str, ...]
    constants: tuple[NamedConstant, ...]
    too_little: str
    """Whether the library wants more scratch than was planned; empty where that cannot be."""


def layer_symbol(prefix: str, layer: Layer) -> str:
    """The layer's function, `kws_07_conv_2d`."""
    return f"{layer_stem(prefix, layer)}_{layer.op.kind.lower()}"


def layer_text(program: Program, position: int, prefix: str, places: Places) -> LayerText:
    layer = program.layers[position]
    stem = layer_stem(prefix, layer)
    part = f", part {layer.op.origin.part}" if layer.op.origin.part is not None else ""
    title = f"Layer {layer.op.origin.op_index}{part}: {layer.op.kind}"
    constants = list(_field_constants(stem, layer.call.fields, title))
    for i, access in enumerate(layer.reads):
        tensor = program.graph.tensors[access.tensor]
        if access.storage is None and tensor.data is not None:
            constants.append(NamedConstant(f"{stem}_operand_{i}", Constant("operand", tensor.data), title))
    params = f"{stem}_params"
    return LayerText(
        title=f"{title} '{_short(layer.op.output(program.graph).name)}'",
        comment=tuple(_describe(program, position, prefix, places)),
        symbol=layer_symbol(prefix, layer),
        params=params,
        params_type=layer.call.params_type,
        fields="\n".join(_fields(stem, layer.call.fields, 1)),
        looped=layer.rows.steps > 1,
        body=tuple(_body(program, position, prefix, params, places)),
        constants=tuple(constants),
        too_little=_too_little(layer.call, params),
    )


def _too_little(call: Call, params: str) -> str:
    return f"{call.scratch_needed}(&{params}) > {call.scratch_bytes}" if call.scratch_needed else ""


def _short(name: str) -> str:
    """A tensor's name for a comment; converters join the names of all they fused."""
    return comment(name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 3]}...")


def _describe(program: Program, position: int, prefix: str, places: Places) -> Iterator[str]:
    layer, graph = program.layers[position], program.graph
    for access in layer.reads:
        yield f"input   {_tensor(graph.tensors[access.tensor])}, {_place(access, places)}"
    over = ", over its input" if layer.in_place else ""
    yield f"output  {_tensor(layer.op.output(graph))}, {_place(layer.write, places)}{over}"
    for i in layer.op.kept:
        yield f"state   {_tensor(graph.tensors[i])}, {state_array(graph, prefix, i)}"
    work = f"{layer.op.macs(graph):,} multiply-adds, " if layer.op.macs(graph) else ""
    memory = [
        f"{size} bytes of {name} at {places.named(offsets[position])}"
        for name, size, offsets in (
            ("accumulators", layer.call.accumulator_bytes, places.accumulators),
            ("scratch", layer.call.scratch_bytes, places.scratch),
        )
        if size
    ]
    yield f"{work}{' and '.join(memory) or 'no scratch'}"


def _tensor(tensor: Tensor) -> str:
    text = tensor.describe()
    if tensor.quant is not None and len(tensor.quant.scales) == 1:
        text += f", scale {tensor.quant.scale:.6g}, zero point {tensor.quant.zero_point}"
    return text


def _place(access: Access, places: Places) -> str:
    if access.storage is None:
        return "constant"
    (base, offset), slots = places.start(access.storage), places.slots[access.storage]
    if access.storage in places.outside:
        return base
    apart = f", pixels {access.pixel_pitch} apart" if access.span != access.row_bytes else ""
    if not places.is_ring(access.storage):
        start = offset + access.first
        if access.rows > 1 and access.pitch != access.row_bytes:
            apart = f", rows {access.pitch} apart{apart}"
        return f"{base} {start} to {start + (access.rows - 1) * access.pitch + access.span}{apart}"
    row_bytes = places.row_bytes[access.storage]
    ring = f"ring of {slots} row{'s' if slots > 1 else ''}, {base} {offset} to {offset + slots * row_bytes}"
    if before := access.first % row_bytes:
        ring = f"from byte {before} of rows in a {ring}"
    landing = places.landings.get(access.storage)
    return (f"{ring}, the newest lands at {places.named(landing)}" if landing is not None else ring) + apart


def _field_constants(stem: str, fields: tuple[Field, ...], title: str) -> Iterator[NamedConstant]:
    for field in fields:
        if isinstance(field.value, Constant):
            text = f"{title}, {field.value.comment or field.value.name}"
            yield NamedConstant(f"{stem}_{field.value.name}", field.value, text)
        elif isinstance(field.value, tuple):
            yield from _field_constants(stem, field.value, title)


def _fields(stem: str, fields: tuple[Field, ...], depth: int) -> Iterator[str]:
    indent = "    " * depth
    for field in fields:
        note = f" /* {field.comment} */" if field.comment else ""
        if isinstance(field.value, tuple) and (line := _in_a_line(stem, field)) and len(indent + line) <= _LINE_LENGTH:
            yield f"{indent}{line}{note}"
        elif isinstance(field.value, tuple):
            yield f"{indent}.{field.name} = {{{note}"
            yield from _fields(stem, field.value, depth + 1)
            yield f"{indent}}},"
        else:
            yield f"{indent}.{field.name} = {_value(stem, field.value)},{note}"


def _in_a_line(stem: str, field: Field) -> str:
    """A nested struct without comments in one line, empty where it has some, or structs of its own."""
    members = field.value if isinstance(field.value, tuple) else ()
    if any(member.comment or isinstance(member.value, tuple | Constant) for member in members):
        return ""
    each = (f".{m.name} = {_value(stem, m.value)}" for m in members if not isinstance(m.value, tuple))
    return f".{field.name} = {{{', '.join(each)}}},"


def _value(stem: str, value: int | float | Constant) -> str:
    if isinstance(value, Constant):
        return f"{stem}_{value.name}"
    return real(value) if isinstance(value, float) else integer(value)


def _body(program: Program, position: int, prefix: str, params: str, places: Places) -> Iterator[str]:
    layer = program.layers[position]
    arguments = {
        "y": "y" if layer.rows.steps > 1 else "0",
        "rows": "rows",
        "out": output_row(program, position, prefix, places),
        "acc": f"(void *)({places.pointer(places.accumulators.get(position, 0))})",
        "scratch": places.pointer(places.scratch[position]) if position in places.scratch else "NULL",
        "states": ", ".join(state_array(program.graph, prefix, i) for i in layer.op.kept),
    }
    if "rows" in layer.call.args:
        yield from row_pointers(program, position, prefix, places)
    given = ", ".join(arguments[name] for name in layer.call.args)
    yield f"{layer.call.symbol}(&{params}, {given});"
