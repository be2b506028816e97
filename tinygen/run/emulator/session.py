"""A session on an emulated board, whichever emulator it is: the same requests, the same care of faults and counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from numpy.typing import NDArray

from tinygen.build.builder import Built
from tinygen.errors import TinygenError, error
from tinygen.measurement import LayerCount, Measurement
from tinygen.project.model import Project
from tinygen.protocol import BenchClient, ByteStream
from tinygen.run import input_bytes, output_array
from tinygen.run.emulator.fault import Names

_BUDGET = 100_000_000
_FAULT = "TG501"
_BUDGET_PER_MAC = 200
"""An inference that needs more instructions than both together is a loop that never ends."""


class Counts(Protocol):
    """What an emulator counted. A layer's count excludes the begin and end hooks themselves."""

    @property
    def count(self) -> int:
        """Instructions of the last complete inference; TG520 where the emulator could not count."""

    @property
    def layers(self) -> tuple[int, ...]:
        """Instructions of each layer slot in it."""

    @property
    def layer(self) -> int | None:
        """The layer running now, if the emulator knows."""

    def clear(self) -> None:
        """Forgets the counts."""


class Target(ByteStream, Protocol):
    """A board that has been reset, with its serial line; `budget` are the instructions an answer may take."""

    @property
    def counter(self) -> Counts: ...

    @property
    def names(self) -> Names: ...

    budget: int
    names_layers: bool
    """Whether the counter knows which layer runs."""

    def close(self) -> None:
        """Ends the emulator."""


class EmulatedSession:
    """One board, reset once; after a fault the next inference resets it."""

    def __init__(
        self, runner: str, project: Project, build: Callable[[bool], Built], boot: Callable[[Built], Target]
    ) -> None:
        self._runner, self._project, self._build, self._boot = runner, project, build, boot
        self._built = build(False)
        self._profile: Built | None = None
        self._target: Target | None = None
        self._client: BenchClient | None = None
        self._start()

    def infer(self, inputs: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """The outputs of one inference on the firmware without hooks."""
        data = input_bytes(self._project.model.inputs, inputs)
        target, client = self._start()
        try:
            return self._outputs(self._infer(target, client, data))
        except TinygenError as problem:
            self.close()
            traced = target.names_layers or problem.code == _FAULT
            raise (self._with_layer(problem, data) if traced else problem) from problem

    def reset(self) -> None:
        """The next inference is the first of a sequence."""
        if self._project.model.state_bytes:
            self._start()[1].reset()

    def measure(self, inputs: Sequence[NDArray[Any]], runs: int = 1) -> Measurement:
        """Whole inferences from the firmware without hooks, layers from one inference of the profiling build."""
        counts = []
        for _ in range(runs):
            self.reset()
            outputs = self.infer(inputs)
            counts.append(self.instructions)
        stack_bytes = self._start()[1].memory().stack_used
        layers = self._count_layers(input_bytes(self._project.model.inputs, inputs))
        return Measurement(
            runner=self._runner,
            board=self._project.board.id,
            kind="emulated",
            counter="instructions",
            compiler=f"{self._built.compiler} {self._built.optimize}",
            runs=tuple(counts),
            layers=tuple(LayerCount(x.index, x.op, x.name, layers[x.index]) for x in self._project.model.layers),
            outputs=outputs,
            stack_bytes=stack_bytes,
            clock_hz=None,
        )

    @property
    def instructions(self) -> int:
        """Of the last inference."""
        return self._start()[0].counter.count

    def close(self) -> None:
        target, self._target, self._client = self._target, None, None
        if target is not None:
            target.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> tuple[Target, BenchClient]:
        if self._target is None or self._client is None:
            self._target = self._boot(self._built)
            try:
                self._client = _greet(self._target)
            except BaseException:
                self.close()
                raise
        return self._target, self._client

    def _boot_profile(self) -> Target:
        if self._profile is None:
            self._profile = self._build(True)
        return self._boot(self._profile)

    def _count_layers(self, data: Sequence[bytes]) -> tuple[int, ...]:
        target = self._boot_profile()
        try:
            self._infer(target, _greet(target), data)
            return target.counter.layers
        finally:
            target.close()

    def _infer(self, target: Target, client: BenchClient, data: Sequence[bytes]) -> tuple[bytes, ...]:
        models = self._project.manifest.models
        target.budget = _BUDGET + _BUDGET_PER_MAC * sum(layer.macs for model in models for layer in model.layers)
        if len(models) > 1:
            client.others()
        for index, content in enumerate(data):
            client.load(index, content)
        target.counter.clear()
        client.infer()
        return tuple(client.output(index) for index in range(len(self._project.model.outputs)))

    def _outputs(self, data: Sequence[bytes]) -> tuple[NDArray[Any], ...]:
        return tuple(output_array(s, d) for s, d in zip(self._project.model.outputs, data, strict=True))

    def _with_layer(self, problem: TinygenError, data: Sequence[bytes]) -> TinygenError:
        """The error with the layer that was running, learnt by running the same inputs in the profiling build."""
        target = self._boot_profile()
        try:
            self._infer(target, _greet(target), data)
        except TinygenError as again:
            if not target.names_layers:
                return again  # the firmware says it, in a profiling build
            layer = next((x for x in self._project.model.layers if x.index == target.counter.layer), None)
            if layer is not None:
                where = f"{problem.diagnostics[0].message}, in layer #{layer.index} {layer.op} '{layer.name}'"
                return error(problem.code, where, origin=problem.diagnostics[0].origin)
        finally:
            target.close()
        return problem


def _greet(target: Target) -> BenchClient:
    client = BenchClient(target, target.names.name)
    client.boot()
    return client
