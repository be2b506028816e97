"""Runners: from a project to outputs and measurements. One file each; a file with a `RUNNER` is a runner."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tinygen.build.flags import DEFAULT_OPTIMIZATION
from tinygen.errors import error
from tinygen.measurement import Measurement
from tinygen.project.model import Project
from tinygen.source_tree import TensorSpec


class Session(Protocol):
    """A model ready to run. Inputs are arrays of the shapes and types in the project's manifest, in its order."""

    def infer(self, inputs: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """The outputs of one inference; TG501 when the firmware faults, TG502 when it never ends, TG505 for inputs.

        A model that keeps state goes on from the inference before.
        """

    def reset(self) -> None:
        """The next inference is the first of a sequence, as after start; errors as `infer`."""

    def measure(self, inputs: Sequence[NDArray[Any]], runs: int = 1) -> Measurement:
        """Counts `runs` inferences of the same inputs; TG503 where the runner has nothing to count.

        Each is the first of a sequence: counts would not be those of the same work otherwise.
        """

    def close(self) -> None:
        """Ends what the session started."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Runner(Protocol):
    """Something that runs projects."""

    name: str
    summary: str
    missing: str
    """The code of the error when it cannot be used."""

    def available(self) -> str | None:
        """None when the runner can be used, else what is missing and how to get it."""

    def open(
        self, project: Project, build: Path, *, compiler: str | None = None, optimize: str = DEFAULT_OPTIMIZATION
    ) -> Session:
        """Builds the project into the folder `build` and starts it.

        The code in `missing` when the runner is not available, TG503 when it cannot be this board, TG401 and TG402 of
        the compiler.
        """


@runtime_checkable
class PlacedRunner(Runner, Protocol):
    """A runner that can be told where: `--on NAME:TARGET`."""

    def at(self, target: str) -> Runner:
        """The runner for that target."""


@functools.cache
def runners() -> Mapping[str, Runner]:
    """Every runner by name."""
    found: dict[str, Runner] = {}
    for module in pkgutil.iter_modules(__path__):
        runner = getattr(importlib.import_module(f"{__name__}.{module.name}"), "RUNNER", None)
        if runner is not None:
            found[runner.name] = runner
    return MappingProxyType(dict(sorted(found.items())))


def find_runner(name: str) -> Runner:
    """The runner of that name, or `NAME:TARGET` for one that can be told where.

    Raises:
        TinygenError: TG506 when there is none, or it takes no target; the runner's `missing` when it lacks something.
    """
    word, colon, target = name.partition(":")
    runner = runners().get(word)
    if runner is None:
        raise error("TG506", f"found '{name}', accepted: {', '.join(runners())}")
    if colon:
        if not isinstance(runner, PlacedRunner) or not target:
            placed = ", ".join(f"{r.name}:TARGET" for r in runners().values() if isinstance(r, PlacedRunner))
            raise error("TG506", f"found '{name}', accepted with something behind the colon: {placed}")
        runner = runner.at(target)
    missing = runner.available()
    if missing is not None:
        hints = ("tinygen doctor shows what is here",)
        raise error(runner.missing, f"the runner {name} cannot be used: {missing}", hints=hints)
    return runner


def input_bytes(specs: Sequence[TensorSpec], inputs: Sequence[NDArray[Any]]) -> tuple[bytes, ...]:
    """Input arrays as the firmware's bytes; TG505 unless they are as many as, and shaped and typed like, `specs`."""
    if len(inputs) != len(specs):
        raise error("TG505", f"found {len(inputs)} input arrays, accepted: {len(specs)}")
    for spec, array in zip(specs, inputs, strict=True):
        if array.shape != spec.shape or array.dtype != np.dtype(spec.dtype):
            found = f"found {array.dtype} {list(array.shape)}"
            raise error("TG505", f"input '{spec.name}': {found}, accepted: {spec.dtype} {list(spec.shape)}")
    return tuple(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes() for array in inputs)


def output_array(spec: TensorSpec, data: bytes) -> NDArray[Any]:
    """An output's bytes as an array of its own."""
    return np.frombuffer(data, dtype=np.dtype(spec.dtype).newbyteorder("<")).reshape(spec.shape).astype(spec.dtype)
