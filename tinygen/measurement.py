"""What a run showed: who ran it, on what, how it was counted, every run and every layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["measured", "emulated", "estimated"]
Counter = Literal["instructions", "cycles"]

_NOTES: dict[Kind, str] = {
    "measured": "measured on the board",
    "emulated": "emulated, not measured on a board",
    "estimated": "estimated, not measured on a board",
}


@dataclass(frozen=True)
class LayerCount:
    """One layer's share. `index` is the operator's index in the model file, `count` in the measurement's counter."""

    index: int
    op: str
    name: str
    count: int


@dataclass(frozen=True, eq=False)
class Measurement:
    """Counts of whole inferences and of layers, with the outputs of the last run.

    `measured` is said of silicon only. `emulated` instructions are exact, cycles on an emulator are `estimated`; both
    say so wherever they are shown, and ValueError is raised for a kind and counter that contradict each other.
    """

    runner: str
    board: str
    kind: Kind
    counter: Counter
    compiler: str
    runs: tuple[int, ...]
    """One count for each inference, inputs loaded before and not counted."""
    layers: tuple[LayerCount, ...]
    """From the profiling build, in execution order; a call and the two hooks' arguments are included in a layer."""
    outputs: tuple[NDArray[Any], ...]
    stack_bytes: int
    """High-water mark of the firmware's stack."""
    clock_hz: int | None
    """The core's clock during the run; None on an emulator, which has none."""
    hooks: bool = False
    """Whether the runs, too, are of the profiling build: its hooks add to them."""

    def __post_init__(self) -> None:
        if not self.runs:
            raise ValueError("a measurement has at least one run")
        if self.kind == "emulated" and self.counter != "instructions":
            raise ValueError("an emulator counts instructions; cycles on it are estimated")
        if self.kind == "estimated" and self.counter != "cycles":
            raise ValueError("instructions are counted, not estimated")
        if (self.kind == "measured") != (self.clock_hz is not None):
            raise ValueError("a clock belongs to a measurement on a board, and only to one")

    @property
    def count(self) -> int:
        """The headline: the median run, the higher one of two middle runs."""
        return percentile(self.runs, 50)

    @property
    def seconds(self) -> float | None:
        """Time of the headline run on a board; None for anything not measured on one."""
        if self.kind != "measured" or self.clock_hz is None or self.counter != "cycles":
            return None
        return self.count / self.clock_hz

    def headline(self) -> str:
        """The count with what it is, such as `7,696,400 instructions (emulated, not measured on a board)`."""
        hooks = ", with the hooks of a profiling build" if self.hooks else ""
        return f"{self.count:,} {self.counter} ({_NOTES[self.kind]}{hooks})"


def percentile(runs: Sequence[int], share: int) -> int:
    """The least run that more than `share` percent of all runs do not exceed, for shares below 100."""
    return sorted(runs)[share * len(runs) // 100]


def to_json(measurement: Measurement) -> dict[str, object]:
    """A measurement as JSON values; the count stands under its counter's name, so nobody takes it for another."""
    m = measurement
    return {
        "runner": m.runner,
        "board": m.board,
        "kind": m.kind,
        "counter": m.counter,
        "compiler": m.compiler,
        m.counter: m.count,
        "runs": list(m.runs),
        "layers": [{"index": x.index, "op": x.op, "name": x.name, m.counter: x.count} for x in m.layers],
        "outputs": [{"dtype": str(o.dtype), "shape": list(o.shape), "data": o.ravel().tolist()} for o in m.outputs],
        "stack_bytes": m.stack_bytes,
        "clock_hz": m.clock_hz,
        "hooks": m.hooks,
    }


def from_json(value: dict[str, Any]) -> Measurement:
    """The measurement `to_json` wrote; KeyError or ValueError when it is none."""
    counter: Counter = "instructions" if value["counter"] == "instructions" else "cycles"
    return Measurement(
        runner=value["runner"],
        board=value["board"],
        kind=value["kind"],
        counter=counter,
        compiler=value["compiler"],
        runs=tuple(value["runs"]),
        layers=tuple(LayerCount(x["index"], x["op"], x["name"], x[counter]) for x in value["layers"]),
        outputs=tuple(np.array(o["data"], dtype=o["dtype"]).reshape(o["shape"]) for o in value["outputs"]),
        stack_bytes=value["stack_bytes"],
        clock_hz=value["clock_hz"],
        hooks=value["hooks"],
    )
