"""Row functions: lowered PrimFuncs, and around them the C that gathers input rows and calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tinygen.backends.utvm.decision import DOT_TAPS, Decision
from tinygen.backends.utvm.printer import FunctionText, wrapped
from tinygen.ir.call import Field
from tinygen.ir.graph import Graph
from tinygen.ops.window import WindowOp

NAME = "@"
"""Stands for the function's name in its text: layers whose functions are alike share one."""


@dataclass(frozen=True, eq=False)
class RowFunction:
    """A row kernel as C, and what its Call needs."""

    comment: tuple[str, ...]
    text: str
    fields: tuple[Field, ...]
    params: str
    args: tuple[str, ...]
    instructions: int
    scratch_bytes: int = 0
    accumulator_bytes: int = 0
    in_place: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Lowering:
    """The ways to a row function: with each of the candidates for its schedule, or the only one there is."""

    function: Callable[[Decision], RowFunction]
    key: str = ""
    """The shape that tuning is for; layers with the same key are tuned once."""
    defaults: tuple[Decision, ...] = (Decision(1, 1, 1),)
    """Without tuning, the first whose instructions the core has."""
    candidates: tuple[Decision, ...] = ()

    def default(self, features: frozenset[str]) -> Decision:
        """The schedule without tuning on a core with these features."""
        return next(d for d in self.defaults if d.requires <= features)


@dataclass(frozen=True)
class Gather:
    """How the input rows of a window become one array, padding included; sizes in bytes of an int8 row."""

    rows: int
    left: int
    used: int
    right: int
    padding: int
    wide: bool
    """Widened to int16."""
    paired: bool = False
    """Every four of them in the order in which the DSP's instructions widen."""
    beyond: int = 0
    """Elements that may be read after the last row; their products are with zeros."""

    @property
    def line(self) -> int:
        """Elements of a gathered row."""
        return self.left + self.used + self.right

    @property
    def scratch_bytes(self) -> int:
        return (self.rows * self.line + self.beyond) * (2 if self.wide else 1)

    def lines(self) -> Iterator[str]:
        """Statements that define `patch`."""
        c_type = "int16_t" if self.wide else "int8_t"
        name = "tg_gather_pairs" if self.paired else "tg_gather_s16" if self.wide else "tg_gather_s8"
        yield f"{c_type} *const patch = scratch;"
        sizes = f"{self.left}, {self.used}, {self.right}, {self.padding}"
        if self.rows == 1:
            yield f"{name}(patch, rows[0], {sizes});"
        else:
            yield f"for (int32_t k = 0; k < {self.rows}; k++) {{"
            yield f"    {name}(patch + k * {self.line}, rows[k], {sizes});"
            yield "}"


def prim_function(name: str, function: FunctionText, *, restrict: bool = True) -> str:
    """A PrimFunc's definition; with `restrict` none of its buffers overlap.

    Inlined, GCC keeps the caller's pointers in registers through the loop over the taps, and spills its sums.
    """
    qualifier = "restrict " if restrict else ""
    parameters = ", ".join(
        f"{'' if p.written else 'const '}{p.c_type} *{qualifier}{p.name}" for p in function.parameters
    )
    return "\n".join((*wrapped(f"static TG_NOINLINE void {name}({parameters})"), "{", *function.body, "}"))


def row_function(params: str, args: Sequence[str], body: Sequence[str]) -> str:
    """The function that the layer calls."""
    types = {"y": "int32_t y", "rows": "const void *const *rows", "out": "void *out", "acc": "int32_t *acc"}
    types["scratch"] = "void *scratch"
    parameters = ", ".join((f"const {params} *p", *(types[a] for a in args)))
    return "\n".join((f"static TG_NOINLINE void {NAME}({parameters})", "{", *(f"    {line}" for line in body), "}"))


def gathered(op: WindowOp, graph: Graph, padding: int, *, wide: bool = False, beyond: int = 0) -> Gather:
    """The rows of a window operator's window as far as the windows of an output row reach."""
    (_, _, width, channels), columns = op.input(graph, 0).shape, op.output(graph).shape[2]
    height, _ = op.window_size(graph)
    reach = (columns - 1) * op.strides[1] + op.extent(graph)[1]
    left = min(op.padding[2], reach)
    used = min(width, reach - left)
    sizes = (left * channels, used * channels, (reach - left - used) * channels)
    pixel = op.strides[1] * channels, op.dilations[1] * channels
    paired = wide and all(size % DOT_TAPS == 0 for size in (*sizes, *pixel))
    return Gather(height, *sizes, padding, wide, paired, beyond)
