"""What went wrong, where, and what to do: origins, diagnostics and the table of error codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CODES: dict[str, str] = {
    "TG101": "not a TensorFlow Lite model",
    "TG102": "the model file is damaged",
    "TG103": "tensor size does not agree with its shape",
    "TG104": "index out of range",
    "TG105": "model feature not supported",
    "TG106": "tensor or model too large",
    "TG107": "inconsistent graph",
    "TG108": "quantization parameters are not usable",
    "TG109": "the model is unusual but usable",
    "TG110": "cannot read the model file",
    "TG111": "state is used in a way that is not supported",
    "TG201": "operator not supported",
    "TG202": "operator does not support this data type",
    "TG203": "operator does not support these shapes",
    "TG204": "operator does not support these options",
    "TG205": "operator does not support this quantization",
    "TG301": "the model does not fit the board",
    "TG302": "unknown board",
    "TG303": "board description is not valid",
    "TG304": "the memory plan is not valid",
    "TG305": "no memory plan within the capacity",
    "TG306": "allocation file is not valid",
    "TG307": "tensor cannot be pinned",
    "TG308": "the arena cannot be spread over these memories",
    "TG309": "not a memory for the arena",
    "TG316": "not the model of this MLPerf Tiny benchmark",
    "TG401": "no compiler found",
    "TG402": "the compiler failed",
    "TG403": "output folder cannot be used",
    "TG404": "required package is not installed",
    "TG405": "not a tinygen project",
    "TG406": "name is not usable as a C identifier",
    "TG407": "unknown backend",
    "TG408": "the project has no such model",
    "TG411": "QEMU is missing or too old",
    "TG412": "Renode is missing or too old",
    "TG413": "the format has no firmware for the board",
    "TG414": "a library has no firmware",
    "TG415": "the format does not bring the libraries that the code calls",
    "TG416": "the board has no tool that programs it",
    "TG417": "the tool that programs the board is not installed",
    "TG418": "the tool does not know the board",
    "TG419": "the instruction budget is not known",
    "TG420": "the backend does not follow these numerics",
    "TG421": "sources of a library are needed",
    "TG422": "the library is not usable",
    "TG423": "the backend does not support this",
    "TG424": "no C++ compiler found",
    "TG425": "the arena cannot be measured",
    "TG430": "tuning file is not usable",
    "TG431": "tuning is for another target",
    "TG432": "no scheduler of a cluster",
    "TG433": "no schedule of a layer is usable",
    "TG434": "schedules were counted for another target",
    "TG501": "the firmware faulted",
    "TG502": "the firmware did not answer",
    "TG503": "the runner does not support this board",
    "TG504": "outputs differ from the oracle",
    "TG505": "input data does not match the model",
    "TG506": "unknown runner",
    "TG507": "the oracle failed",
    "TG508": "the weights on the board are damaged",
    "TG510": "no serial port found",
    "TG511": "several boards found",
    "TG512": "the serial port cannot be opened",
    "TG513": "not the bench firmware",
    "TG514": "another model or build is on the board",
    "TG515": "the serial line is too noisy",
    "TG516": "the board was reset",
    "TG517": "the connection was lost",
    "TG518": "the firmware's counter stands still",
    "TG519": "the emulator ended",
    "TG520": "the emulator cannot count",
    "TG521": "Renode refused a command",
    "TG525": "the board was not programmed",
    "TG526": "no board to program was found",
    "TG530": "the power analyser's recording cannot be used",
    "TG531": "there is nothing to compare with",
}
"""Every code and its title. 1xx model file and IR, 2xx operator, 3xx memory and board, 4xx toolchain, 5xx run."""


@dataclass(frozen=True)
class Origin:
    """Where in the user's model something comes from, in the names a model viewer shows."""

    file: str
    op_index: int | None = None
    op_kind: str | None = None
    tensor: str | None = None
    part: int | None = None
    """Which of the operators that this one was divided into."""

    def __str__(self) -> str:
        parts = [self.file]
        if self.op_index is not None:
            parts.append(f"op #{self.op_index} {self.op_kind}")
        text = ": ".join(parts)
        return f"{text}, tensor '{self.tensor}'" if self.tensor is not None else text


@dataclass(frozen=True)
class Diagnostic:
    """One finding: its code, what was found and what is accepted, where, and what to do about it."""

    code: str
    message: str
    origin: Origin | None = None
    hints: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"{self.code} is not in the table of error codes")

    def text(self, severity: str = "error") -> str:
        lines = [f"{severity}[{self.code}]: {self.message}"]
        if self.origin is not None:
            lines.append(f"  --> {self.origin}")
        lines += [f"  hint: {hint}" for hint in self.hints]
        return "\n".join(lines)


class TinygenError(Exception):
    """A user's error: one or more diagnostics, all that were found at once."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        if not diagnostics:
            raise ValueError("a TinygenError needs at least one diagnostic")
        self.diagnostics = diagnostics
        super().__init__("\n".join(d.text() for d in diagnostics))

    def __reduce__(self) -> tuple[type[TinygenError], tuple[Diagnostic, ...]]:
        """Errors come back from the processes of `tinygen tune`."""
        return type(self), self.diagnostics

    @property
    def code(self) -> str:
        """The first diagnostic's code."""
        return self.diagnostics[0].code


def error(code: str, message: str, *, origin: Origin | None = None, hints: Iterable[str] = ()) -> TinygenError:
    """A TinygenError with a single diagnostic, to be raised."""
    return TinygenError(Diagnostic(code, message, origin, tuple(hints)))
