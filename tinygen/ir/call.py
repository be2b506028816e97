"""Calls: which C function computes a step of a layer, with which constants, as data for one layer template.

Every row kernel has the same shape:

    typedef struct { ... } tg_<op>_<dtype>_params;
    static inline void tg_<op>_<dtype>(const tg_<op>_<dtype>_params *p, ARGS);

where ARGS are those the Call names, in this order: `int32_t y` (the step), `const void *const *rows` (pointers to the
input rows; NULL where a window leaves the tensor), `void *out` (the output row), `int32_t *acc`, `void *scratch`, and
for `states` a pointer to each state of the operator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from tinygen.ir.rows import Rows
from tinygen.ir.tensor import Array

ARGUMENTS = ("y", "rows", "out", "acc", "scratch", "states")
"""The arguments a row kernel can take after its parameters, in their order."""


@dataclass(frozen=True, eq=False)
class Constant:
    """An array that the generated code keeps in flash. `name` is its role: `weights`, `bias`, `multipliers`..."""

    name: str
    data: Array
    comment: str = ""


@dataclass(frozen=True)
class Field:
    """One member of a kernel's parameter struct, with the comment printed beside it; a tuple is a nested struct."""

    name: str
    value: int | float | Constant | tuple[Field, ...]
    comment: str = ""


@dataclass(frozen=True)
class Call:
    """A row kernel of templates/c/kernels/<header> and its parameters."""

    symbol: str
    header: str
    fields: tuple[Field, ...]
    args: tuple[str, ...] = ("rows", "out")
    scratch_bytes: int = 0
    accumulator_bytes: int = 0
    params: str = ""
    """The parameter struct's type, where it is not <symbol>_params."""
    scratch_needed: str = ""
    """A function of the parameters that knows what scratch is really needed, where a library of others does."""

    @property
    def params_type(self) -> str:
        return self.params or f"{self.symbol}_params"


@dataclass(frozen=True)
class Pitches:
    """Bytes from one pixel of a row to the next, of those inputs and of the output whose pixels lie apart.

    A pixel is what a tensor's last index runs over. Pixels lie apart where they are some channels of larger ones.
    """

    inputs: tuple[tuple[int, int], ...] = ()
    """With positions in op.inputs."""
    output: int | None = None

    def of_input(self, position: int, together: int) -> int:
        """The bytes between pixels of an input; `together` are those of a pixel, for when none lies between them."""
        return dict(self.inputs).get(position, together)

    def of_output(self, together: int) -> int:
        return together if self.output is None else self.output


TOGETHER = Pitches()
"""The pixels of each row follow each other, whatever operand it is of."""


@dataclass(frozen=True)
class Kernel:
    """One way to compute an operator on a core: its costs, and how to make the Call.

    `requires` are core features (`dsp`, `mve`) without which the kernel is not offered. `instructions` is an estimate
    for one inference, `flash_bytes` the size of its constants; the compiler picks by these for its objective.
    """

    name: str
    instructions: int
    flash_bytes: int
    scratch_bytes: int
    call: Callable[[], Call]
    requires: frozenset[str] = frozenset()
    in_place: tuple[int, ...] = ()
    """Positions in op.inputs over whose row y the kernel may write its output row y, when the two are of one size.

    The kernel must not read a byte of that row any more once it has written it, and no pointer to it is `restrict`.
    """
    rows: Rows | None = None
    """Its row model where it is not the operator's."""
    apart: Callable[[Pitches], Kernel] | None = None
    """The kernel for pixels that lie apart, with its costs; None where it can only follow pixels without gaps."""
    spread: int = 0
    """Instructions by which builds of it may differ: compilers use what all layers of a program have in common."""

    @cached_property
    def made(self) -> Call:
        """The Call, made once however many programs are compared."""
        return self.call()
