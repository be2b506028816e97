"""Lowered PrimFuncs as C: what TVM's own C generator does, but without its runtime and for people to read."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinygen.backends.literals import integer

_BINARY = {
    "Mul": ("*", 13),
    "Div": ("/", 13),
    "FloorDiv": ("/", 13),
    "FloorMod": ("%", 13),
    "Add": ("+", 12),
    "Sub": ("-", 12),
    "LShift": ("<<", 11),
    "RShift": (">>", 11),
    "LT": ("<", 10),
    "LE": ("<=", 10),
    "GT": (">", 10),
    "GE": (">=", 10),
    "EQ": ("==", 9),
    "NE": ("!=", 9),
}
"""Operators with their precedences in C. Floor divisions are only ever of indices, which are not negative."""

_CONDITIONAL, _UNARY, _POSTFIX = 3, 14, 15

_C_TYPES = {"int8": "int8_t", "int16": "int16_t", "int32": "int32_t", "int64": "int64_t"}

_PROMOTED = frozenset({"int8", "int16", "int32"})
"""What C computes with as int32_t."""


@dataclass(frozen=True)
class Parameter:
    """A buffer that a function is given, of `count` elements."""

    name: str
    c_type: str
    written: bool


@dataclass(frozen=True)
class FunctionText:
    """A PrimFunc as C."""

    parameters: tuple[Parameter, ...]
    body: tuple[str, ...]
    """Statements, indented as in a function."""


def function_text(function: Any, names: Mapping[str, str]) -> FunctionText:
    """A lowered PrimFunc as C; `names` renames its loops, which schedules call `ax0` and the like.

    Raises:
        TypeError: a node that no PrimFunc here should contain.
    """
    printer = _Printer(names)
    for parameter in function.params:
        printer.name(parameter)
    body = tuple(printer.statement(function.body, 1))
    parameters = tuple(Parameter(p.name, _C_TYPES[p.dtype], p.name in printer.stored) for p in function.params)
    return FunctionText(parameters, body)


class _Printer:
    """Names given so far, and the buffers that were stored to."""

    def __init__(self, renamed: Mapping[str, str]) -> None:
        self._renamed = renamed
        self._names: dict[Any, str] = {}
        self._scalars: set[str] = set()
        self._bases: dict[str, tuple[str, str]] = {}
        self.stored: set[str] = set()

    def name(self, variable: Any) -> str:
        if variable not in self._names:
            wanted = self._renamed.get(variable.name, variable.name)
            taken = sum(name.rpartition("_")[0] == wanted or name == wanted for name in self._names.values())
            self._names[variable] = f"{wanted}_{taken + 1}" if taken else wanted
        return self._names[variable]

    def statement(self, node: Any, depth: int) -> Iterator[str]:
        indent = "    " * depth
        match type(node).__name__:
            case "SeqStmt":
                statements = list(node.seq)
                while statements:
                    values = _first_values(statements)
                    if values:
                        yield from self._initialized(statements[0].buffer, values, indent)
                        del statements[: 1 + len(values)]
                    else:
                        yield from self.statement(statements.pop(0), depth)
            case "DeclBuffer":  # another view of the same bytes
                self._names[node.buffer] = self.name(node.data.args[0])
            case "AllocBuffer":
                yield f"{indent}{self._declaration(node.buffer)};"
            case "For":
                start, name = int(node.min), self.name(node.loop_var)
                head = f"int32_t {name} = {start}; {name} < {start + int(node.extent)}; {name}++"
                yield f"{indent}for ({head}) {{"
                outer = self._bases
                yield from self._pointers(node, depth + 1)
                yield from self.statement(node.body, depth + 1)
                self._bases = outer
                yield f"{indent}}}"
                del self._names[node.loop_var]
            case "BufferStore":
                target = self._element(node.buffer, node.indices)
                self.stored.add(self.name(node.buffer))
                value = node.value
                added = type(value).__name__ == "Add" and self.expression(value.a) == target
                sign, value = ("+=", value.b) if added else ("=", value)
                yield from wrapped(f"{indent}{target} {sign} {self.expression(value)};")
            case "Evaluate":
                yield f"{indent}{self.expression(node.value)};"
            case kind:
                raise TypeError(f"no C for a {kind}")

    def _initialized(self, buffer: Any, values: Sequence[Any], indent: str) -> Iterator[str]:
        declaration = self._declaration(buffer)
        self.stored.add(self.name(buffer))
        if len(values) == 1:
            text = self.expression(values[0])
        elif all(_split(value) == (None, 0) for value in values):
            text = "{0}"
        else:
            text = f"{{{', '.join(map(self.expression, values))}}}"
        yield from wrapped(f"{indent}{declaration} = {text};")

    def _declaration(self, buffer: Any) -> str:
        name, count = self.name(buffer), int(buffer.shape[0])
        if count == 1:
            self._scalars.add(name)
        return f"{_C_TYPES[buffer.dtype]} {name}{f'[{count}]' if count > 1 else ''}"

    def _pointers(self, loop: Any, depth: int) -> Iterator[str]:
        """Pointers to where the loop's own statements read several neighbours: one address instead of many."""
        found: dict[Any, set[tuple[str, int]]] = {}
        body = loop.body.seq if type(loop.body).__name__ == "SeqStmt" else [loop.body]
        for each in body:
            if type(each).__name__ == "BufferStore":
                for load in _loads(each.value):
                    base, offset = _split(load.indices[0])
                    text = "" if base is None else self.expression(base, 12)
                    found.setdefault(load.source, set()).add((text, offset))
        self._bases = dict(self._bases)
        for buffer, places in found.items():
            bases = {base for base, _ in places}
            if len(bases) == 1 and len(places) > 1 and "" not in bases:
                (base,), name = bases, self.name(buffer)
                pointer = f"{name}_{self.name(loop.loop_var)}"
                self._bases[name] = (base, pointer)
                yield f"{'    ' * depth}const {_C_TYPES[buffer.dtype]} *const {pointer} = {name} + {base};"

    def expression(self, node: Any, outer: int = 0) -> str:
        """The expression's text, in parentheses where an operator of precedence `outer` is around it."""
        text, precedence = self._expression(node)
        return f"({text})" if precedence < outer else text

    def _expression(self, node: Any) -> tuple[str, int]:
        match kind := type(node).__name__:
            case "IntImm":
                return integer(int(node.value)), _UNARY if node.value < 0 else _POSTFIX
            case "Var":
                return self.name(node), _POSTFIX
            case "TensorLoad":
                return self._element(node.source, node.indices), _POSTFIX
            case "Cast":
                return self._cast(node)
            case "Max" | "Min":
                return self._clamp(node), _POSTFIX
            case "Select":
                parts = (self.expression(e, _CONDITIONAL + 1) for e in (node.condition, node.true_value))
                otherwise = self.expression(node.false_value, _CONDITIONAL)
                return f"{' ? '.join(parts)} : {otherwise}", _CONDITIONAL
            case "Call":
                return self._call(node)
            case kind if kind in _BINARY:
                symbol, precedence = _BINARY[kind]
                # GNU compilers want parentheses around sums that are shifted or compared.
                inner = 13 if symbol in ("<<", ">>") else precedence
                return f"{self.expression(node.a, inner)} {symbol} {self.expression(node.b, inner + 1)}", precedence
        raise TypeError(f"no C for a {kind}")

    def _cast(self, node: Any) -> tuple[str, int]:
        target, source = str(node.ty), str(node.value.ty)
        if target == "int32" and source in _PROMOTED:
            return self._expression(node.value)
        return f"({_C_TYPES[target]}){self.expression(node.value, _UNARY)}", _UNARY

    def _clamp(self, node: Any) -> str:
        if type(node).__name__ == "Max" and type(node.a).__name__ == "Min":
            return f"tg_clamp({', '.join(self.expression(e) for e in (node.a.a, node.b, node.a.b))})"
        symbol = "tg_max" if type(node).__name__ == "Max" else "tg_min"
        return f"{symbol}({self.expression(node.a)}, {self.expression(node.b)})"

    def _call(self, node: Any) -> tuple[str, int]:
        if node.op.name == "tirx.address_of":
            load = node.args[0]
            name, index = self._place(load.source, load.indices[0])
            if name in self._scalars:
                return f"&{name}", _UNARY
            return (name, _POSTFIX) if index == "0" else (f"{name} + {index}", 12)
        if node.op.name != "tirx.call_extern":
            raise TypeError(f"no C for a call of {node.op.name}")
        symbol, *arguments = node.args
        return f"{symbol.value}({', '.join(map(self.expression, arguments))})", _POSTFIX

    def _element(self, buffer: Any, indices: Any) -> str:
        (index,) = indices
        name, place = self._place(buffer, index)
        return name if name in self._scalars else f"{name}[{place}]"

    def _place(self, buffer: Any, index: Any) -> tuple[str, str]:
        """A buffer or a pointer into it, and the index from there."""
        name = self.name(buffer)
        base, offset = _split(index)
        if base is not None and (known := self._bases.get(name)) is not None and self.expression(base, 12) == known[0]:
            return known[1], str(offset)
        return name, self.expression(index)


def wrapped(line: str, width: int = 120) -> list[str]:
    """A long line of C as several."""
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(line, width, subsequent_indent=f"{indent}    ", break_long_words=False, break_on_hyphens=False)


def _first_values(statements: Sequence[Any]) -> Sequence[Any]:
    """What stores after an allocation give its elements, when they give each its first value; else nothing."""
    if type(statements[0]).__name__ != "AllocBuffer":
        return ()
    buffer = statements[0].buffer
    count = int(buffer.shape[0])
    stores = statements[1 : 1 + count]
    complete = len(stores) == count and all(
        type(store).__name__ == "BufferStore"
        and store.buffer.same_as(buffer)
        and _split(store.indices[0]) == (None, i)
        and not any(load.source.same_as(buffer) for load in _loads(store.value))
        for i, store in enumerate(stores)
    )
    return [store.value for store in stores] if complete else ()


def _split(index: Any) -> tuple[Any, int]:
    """An index as a sum of what varies, None where nothing does, and a constant."""
    if type(index).__name__ == "IntImm":
        return None, int(index)
    if type(index).__name__ == "Add" and type(index.b).__name__ == "IntImm":
        return index.a, int(index.b)
    return index, 0


def _loads(node: Any) -> Iterator[Any]:
    """All elements that an expression reads or takes the address of."""
    match type(node).__name__:
        case "TensorLoad":
            yield node
        case "Call":
            for argument in node.args:
                yield from _loads(argument)
        case "Cast":
            yield from _loads(node.value)
        case "Select":
            for part in (node.condition, node.true_value, node.false_value):
                yield from _loads(part)
        case kind if kind in _BINARY or kind in ("Max", "Min"):
            yield from _loads(node.a)
            yield from _loads(node.b)
