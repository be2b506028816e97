"""A project's model on a board or an emulator, for programs and tests: inputs, outputs, layers and memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygen.errors import error
from tinygen.measurement import LayerCount, Measurement
from tinygen.project import Project, load_project
from tinygen.run import Session, find_runner, input_bytes
from tinygen.source_tree import TensorSpec


@dataclass(frozen=True)
class DeviceMemory:
    """Bytes of RAM: the arena as planned, the stack's reserve, and the most of it that was used."""

    arena_bytes: int
    stack_bytes: int
    stack_used_bytes: int


class Device:
    """A model that runs somewhere. Inputs stay loaded until others take their place."""

    def __init__(self, project: Project, session: Session) -> None:
        self.project = project
        """The folder, its manifest, its board, and which model answers."""
        self._session = session
        self._loaded: dict[int, NDArray[Any]] = {}
        self._measured: Measurement | None = None

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Name, shape, type, scale and zero point of each input."""
        return self.project.model.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The same of each output."""
        return self.project.model.outputs

    def load(self, index: int, array: ArrayLike) -> None:
        """Takes an input for the inferences that follow; TG505 unless it is shaped and typed like the model's."""
        if not 0 <= index < len(self.inputs):
            raise error("TG505", f"found input {index}, accepted: 0 to {len(self.inputs) - 1}")
        taken = np.array(array)
        input_bytes(self.inputs[index : index + 1], (taken,))
        self._loaded[index] = taken
        self._measured = None

    def clear(self) -> None:
        """Forgets what was loaded."""
        self._loaded.clear()
        self._measured = None

    def reset(self) -> None:
        """The next inference is the first of a sequence, where the model keeps state from one to the next."""
        self._session.reset()

    def infer(self, inputs: Sequence[ArrayLike] | None = None) -> tuple[NDArray[Any], ...]:
        """The outputs of one inference of the given inputs, or of those that were loaded.

        Raises:
            TinygenError: TG505 when an input is missing or does not match, TG501 when the firmware faults, and the
                other TG5xx of the runner.
        """
        if inputs is not None:
            if len(inputs) != len(self.inputs):
                raise error("TG505", f"found {len(inputs)} input arrays, accepted: {len(self.inputs)}")
            for index, array in enumerate(inputs):
                self.load(index, array)
        return self._session.infer(self._arrays())

    def measure(self, runs: int = 1) -> Measurement:
        """Counts inferences of the inputs that were loaded; TG503 where the runner has nothing to count."""
        self._measured = self._session.measure(self._arrays(), runs)
        return self._measured

    def layers(self) -> tuple[LayerCount, ...]:
        """What each layer counts in an inference of the loaded inputs; errors as `measure`."""
        return self._measurement().layers

    def memory(self) -> DeviceMemory:
        """The arena and the stack after an inference of the loaded inputs; errors as `measure`."""
        used = self._measurement().stack_bytes
        return DeviceMemory(self.project.model.arena_bytes, self.project.manifest.stack_bytes, used)

    def _measurement(self) -> Measurement:
        return self._measured if self._measured is not None else self.measure()

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        missing = [spec.name for index, spec in enumerate(self.inputs) if index not in self._loaded]
        if missing:
            raise error("TG505", f"nothing was loaded into {', '.join(missing)}", hints=("device.load(index, array)",))
        return tuple(self._loaded[index] for index in range(len(self.inputs)))


@contextmanager
def open_device(
    folder: Path, runner: str, *, prefix: str | None = None, compiler: str | None = None
) -> Iterator[Device]:
    """The device of a project's folder on a runner such as `unicorn` or `serial:/dev/ttyACM0`.

    Of several models the one of that `prefix` answers, or the first. Errors are those of load_project, find_runner and
    the runner's `open`.
    """
    project = load_project(folder)
    if prefix is not None:
        project = project.select(prefix)
    chosen = find_runner(runner)
    with (
        TemporaryDirectory(prefix="tinygen-") as build,
        chosen.open(project, Path(build), compiler=compiler) as session,
    ):
        yield Device(project, session)
