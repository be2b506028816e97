"""One layer of generated C, as text: parameters, row pointers and the call of its kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tinygen.backends.literals import comment, integer, real
from tinygen.ir.call import Constant, Field
from tinygen.ir.rows import Window
from tinygen.ir.tensor import Tensor
from tinygen.schedule.program import Access, Layer, Program

_LISTED_ROWS = 4
"""Up to this many row pointers are written one by one; more are made in a loop."""


@dataclass(frozen=True)
class Places:
    """Byte offsets in the arena: of storages by id, of accumulators and scratch by the layer's position."""

    storages: Mapping[int, int]
    accumulators: Mapping[int, int]
    scratch: Mapping[int, int]


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


def layer_stem(prefix: str, layer: Layer) -> str:
    """The start of a layer's names, `kws_07`: the number is the operator's index in the model file."""
    return f"{prefix}_{layer.op.origin.op_index or 0:02d}"


def layer_symbol(prefix: str, layer: Layer) -> str:
    """The layer's function, `kws_07_conv_2d`."""
    return f"{layer_stem(prefix, layer)}_{layer.op.kind.lower()}"


def layer_text(program: Program, position: int, prefix: str, places: Places) -> LayerText:
    layer = program.layers[position]
    stem = layer_stem(prefix, layer)
    title = f"Layer {layer.op.origin.op_index}: {layer.op.kind}"
    constants = list(_field_constants(stem, layer.call.fields, title))
    for i, access in enumerate(layer.reads):
        tensor = program.graph.tensors[access.tensor]
        if access.storage is None and tensor.data is not None:
            constants.append(NamedConstant(f"{stem}_operand_{i}", Constant("operand", tensor.data), title))
    params = f"{stem}_params"
    return LayerText(
        title=f"{title} '{comment(layer.op.output(program.graph).name)}'",
        comment=tuple(_describe(program, position, places)),
        symbol=layer_symbol(prefix, layer),
        params=params,
        params_type=layer.call.params_type,
        fields="\n".join(_fields(stem, layer.call.fields, 1)),
        looped=layer.rows.steps > 1,
        body=tuple(_body(layer, position, stem, params, places)),
        constants=tuple(constants),
    )


def _describe(program: Program, position: int, places: Places) -> Iterator[str]:
    layer, graph = program.layers[position], program.graph
    for access in layer.reads:
        yield f"input   {_tensor(graph.tensors[access.tensor])}, {_place(access, places)}"
    yield f"output  {_tensor(layer.op.output(graph))}, {_place(layer.write, places)}"
    work = f"{layer.op.macs(graph):,} multiply-adds, " if layer.op.macs(graph) else ""
    memory = [
        f"{size} bytes of {name} at {offsets[position]}"
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
    offset = places.storages[access.storage]
    return f"arena {offset} to {offset + access.rows * access.row_bytes}"


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
        if isinstance(field.value, tuple):
            yield f"{indent}.{field.name} = {{{note}"
            yield from _fields(stem, field.value, depth + 1)
            yield f"{indent}}},"
        else:
            yield f"{indent}.{field.name} = {_value(stem, field.value)},{note}"


def _value(stem: str, value: int | float | Constant) -> str:
    if isinstance(value, Constant):
        return f"{stem}_{value.name}"
    return real(value) if isinstance(value, float) else integer(value)


def _body(layer: Layer, position: int, stem: str, params: str, places: Places) -> Iterator[str]:
    arguments = {
        "y": "y" if layer.rows.steps > 1 else "0",
        "rows": "rows",
        "out": _row("arena", places.storages.get(layer.write.storage or 0, 0), layer.write, layer.rows.steps),
        "acc": f"(void *)(arena + {places.accumulators.get(position)})",
        "scratch": f"arena + {places.scratch.get(position)}",
    }
    if layer.write.storage is None:
        raise ValueError("a layer writes to the arena")
    if "rows" in layer.call.args:
        yield from _row_pointers(layer, stem, places)
    given = ", ".join(arguments[name] for name in layer.call.args)
    yield f"{layer.call.symbol}(&{params}, {given});"


def _row_pointers(layer: Layer, stem: str, places: Places) -> Iterator[str]:
    counts = [access.window.size if access.window else 1 for access in layer.reads]
    pointers: list[str] = []
    for i, access in enumerate(layer.reads):
        constant = access.storage is None
        base = f"(const uint8_t *){stem}_operand_{i}" if constant else "arena"
        offset = 0 if access.storage is None else places.storages[access.storage]
        if access.window is None:
            pointers.append(_sum(base, offset))
        elif access.window.size == 1 and not _leaves(access.window, layer.rows.steps, access.rows):
            pointers.append(_row(base, offset, access, layer.rows.steps))
        elif sum(counts) <= _LISTED_ROWS:
            for k in range(access.window.size):
                pointers.append(
                    _checked_row(_sum(base, offset), access, str(k * access.window.dilation), layer.rows.steps)
                )
        else:
            yield from _looped_pointers(layer, _sum(base, offset), access, sum(counts[:i]), sum(counts))
    if len(pointers) == 1 and sum(counts) == 1:
        yield f"const void *const rows[1] = {{{pointers[0]}}};"
    elif len(pointers) == sum(counts):
        yield f"const void *const rows[{len(pointers)}] = {{"
        for pointer in pointers:
            yield f"    {pointer},"
        yield "};"


def _looped_pointers(layer: Layer, base: str, access: Access, first: int, total: int) -> Iterator[str]:
    if access.window is None or total != access.window.size or first:
        raise ValueError(f"{layer.op.kind}: windows over several inputs are limited to {_LISTED_ROWS} rows in all")
    yield f"const void *rows[{total}];"
    yield f"for (int32_t k = 0; k < {total}; k++) {{"
    step = "k" if access.window.dilation == 1 else f"k * {access.window.dilation}"
    yield f"    rows[k] = {_checked_row(base, access, step, layer.rows.steps)};"
    yield "}"


def _checked_row(base: str, access: Access, step: str, steps: int) -> str:
    """The row a window's tap reads, NULL outside the tensor."""
    if access.window is None:
        raise ValueError("only windows have taps")
    y = _scaled(access.window.stride) if steps > 1 else ""
    first = y if access.window.pad == 0 else f"{y} - {access.window.pad}" if y else f"-{access.window.pad}"
    row = " + ".join(part for part in (first, step if step != "0" else "") if part) or "0"
    return f"tg_row({base}, {row}, {access.rows}, {access.row_bytes})"


def _row(base: str, offset: int, access: Access, steps: int) -> str:
    """The only row a step touches, which is inside the tensor."""
    if access.window is None or steps == 1:
        return _sum(base, offset)
    start = offset - access.window.pad * access.row_bytes
    scaled = _scaled(access.window.stride)
    return f"{_sum(base, start)} + {scaled} * {access.row_bytes}" if scaled else _sum(base, start)


def _scaled(stride: int) -> str:
    return {0: "", 1: "y"}.get(stride, f"y * {stride}")


def _sum(base: str, offset: int) -> str:
    return f"{base} + {offset}" if offset > 0 else base if offset == 0 else f"{base} - {-offset}"


def _leaves(window: Window, steps: int, rows: int) -> bool:
    """A step's window reaches outside the tensor."""
    reach = (window.size - 1) * window.dilation
    return window.first(0) < 0 or window.first(steps - 1) + reach >= rows
