"""What a user can choose about the generated code, whichever backend makes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinygen.ir.op import Numerics
from tinygen.plan.regions import Region
from tinygen.schedule.choose import Objective


@dataclass(frozen=True)
class CompileOptions:
    """The choices; they are also in the banner of the generated files."""

    prefix: str | None = None
    """Of every generated name; by default the model file's stem made a C identifier."""
    backend: str = "c"
    numerics: Numerics | None = None
    """By default what the backend follows; `backends.settled` fills it in."""
    optimize: Objective = Objective.BALANCED
    ram_budget: int | None = None
    """Bytes of arena at most; then the fastest schedule within them is taken."""
    keep_inputs: bool = False
    io_outside: bool = False
    """Inputs and outputs have arrays of their own, outside the arena."""
    pins: tuple[tuple[str, int], ...] = ()
    """Offsets in the arena of tensors by name."""
    features: frozenset[str] = frozenset()
    """Core features that kernels may require, such as `dsp`; results never depend on them."""
    memories: tuple[str, ...] | None = None
    """The board's memories that the arena is spread over, the fastest first; none at all for one memory in any case, by
    default several where one is too small."""
    regions: tuple[Region, ...] = ()
    """What the board has for that; `target.for_board` fills it in."""
    shared_arena: bool = False
    """Work in the arena that a project of several models defines, see docs/design/several-models.md."""

    tuning: Path | None = None
    """A file of `tinygen tune` with the schedules of backend utvm's layers."""

    @property
    def rounding(self) -> Numerics:
        """The numerics of settled options."""
        if self.numerics is None:
            raise ValueError("the backend has not settled the numerics yet")
        return self.numerics

    def __str__(self) -> str:
        kept = ", inputs kept" if self.keep_inputs else ""
        kept += ", inputs and outputs outside the arena" if self.io_outside else ""
        kept += "".join(f", {name} at {offset}" for name, offset in self.pins)
        budget = f", at most {self.ram_budget} bytes of arena" if self.ram_budget is not None else ""
        goal = f"optimized for {self.optimize.value}"
        tuned = f", tuned by {self.tuning.name}" if self.tuning is not None and self.backend == "utvm" else ""
        kept += f", arena over {' and '.join(self.memories)}" if self.memories else ""
        shared = ", arena shared" if self.shared_arena else ""
        return f"backend {self.backend}, numerics {self.rounding.value}, {goal}{budget}{kept}{tuned}{shared}"
