"""The `unicorn` runner: the bench firmware on an emulated board, instructions counted exactly, faults with names."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from tinygen.build.builder import Built, build_project
from tinygen.build.flags import DEFAULT_OPTIMIZATION
from tinygen.errors import TinygenError, error
from tinygen.measurement import LayerCount, Measurement
from tinygen.project.model import Project
from tinygen.protocol import BenchClient
from tinygen.run import input_bytes, output_array
from tinygen.run.emulator.machine import Machine, Program

_BUDGET = 100_000_000
_BUDGET_PER_MAC = 200
"""An inference that needs more instructions than both together is a loop that never ends."""


class UnicornRunner:
    """Runs projects on Unicorn."""

    name = "unicorn"
    summary = "emulated core with the board's memory map; instructions are exact, there are no cycles"

    def available(self) -> str | None:
        for module, package in (("unicorn", "unicorn"), ("elftools", "pyelftools")):
            if importlib.util.find_spec(module) is None:
                return f'{package} is not installed, pip install "tinygen[emulate]" brings it'
        return None

    def open(
        self,
        project: Project,
        build: Path,
        *,
        compiler: str | None = None,
        optimize: str = DEFAULT_OPTIMIZATION,
        native_counter: bool | None = None,
    ) -> UnicornSession:
        """As every runner; `native_counter` picks the counter in C or in Python instead of what there is."""
        missing = self.available()
        if missing is not None:
            raise error("TG404", missing)

        def built(profile: bool) -> Built:
            return build_project(project, build, compiler=compiler, optimize=optimize, profile=profile)

        return UnicornSession(project, built, native_counter)


class UnicornSession:
    """One board, reset once; after a fault the next inference resets it."""

    def __init__(self, project: Project, build: Callable[[bool], Built], native_counter: bool | None) -> None:
        self._project, self._build, self._native = project, build, native_counter
        self._built = build(False)
        self._profile: Built | None = None
        self._machine: Machine | None = None
        self._client: BenchClient | None = None
        self._start()

    def infer(self, inputs: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """The outputs of one inference on the firmware without hooks."""
        data = input_bytes(self._project.model.inputs, inputs)
        machine, client = self._start()
        try:
            return self._outputs(self._infer(machine, client, data))
        except TinygenError as problem:
            self._machine = self._client = None
            raise self._with_layer(problem, data) from problem

    def measure(self, inputs: Sequence[NDArray[Any]], runs: int = 1) -> Measurement:
        """Whole inferences from the firmware without hooks, layers from one inference of the profiling build."""
        counts = []
        for _ in range(runs):
            outputs = self.infer(inputs)
            counts.append(self.instructions)
        stack_bytes = self._start()[1].memory().stack_used
        profile = self._boot_profile()
        self._infer(profile, _boot(profile), input_bytes(self._project.model.inputs, inputs))
        layers = profile.counter.layers
        return Measurement(
            runner=UnicornRunner.name,
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
        self._machine = self._client = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> tuple[Machine, BenchClient]:
        if self._machine is None or self._client is None:
            self._machine = self._boot_elf(self._built)
            self._client = _boot(self._machine)
        return self._machine, self._client

    def _boot_profile(self) -> Machine:
        if self._profile is None:
            self._profile = self._build(True)
        return self._boot_elf(self._profile)

    def _boot_elf(self, built: Built) -> Machine:
        prefix = self._project.model.prefix
        program = Program(
            elf=built.elf,
            function=f"{prefix}_invoke",
            begin=f"{prefix}_layer_begin",
            end=f"{prefix}_layer_end",
            slots=self._project.model.layer_slots,
        )
        return Machine(self._project.board, self._project.path, program, native=self._native)

    def _infer(self, machine: Machine, client: BenchClient, data: Sequence[bytes]) -> tuple[bytes, ...]:
        models = self._project.manifest.models
        machine.budget = _BUDGET + _BUDGET_PER_MAC * sum(layer.macs for model in models for layer in model.layers)
        if len(models) > 1:
            client.others()
        for index, content in enumerate(data):
            client.load(index, content)
        machine.counter.clear()
        client.infer()
        return tuple(client.output(index) for index in range(len(self._project.model.outputs)))

    def _outputs(self, data: Sequence[bytes]) -> tuple[NDArray[Any], ...]:
        return tuple(output_array(s, d) for s, d in zip(self._project.model.outputs, data, strict=True))

    def _with_layer(self, problem: TinygenError, data: Sequence[bytes]) -> TinygenError:
        """The error with the layer that was running, learnt by running the same inputs in the profiling build."""
        machine = self._boot_profile()
        try:
            self._infer(machine, _boot(machine), data)
        except TinygenError:
            layer = next((x for x in self._project.model.layers if x.index == machine.counter.layer), None)
            if layer is not None:
                where = f"{problem.diagnostics[0].message}, in layer #{layer.index} {layer.op} '{layer.name}'"
                return error(problem.code, where, origin=problem.diagnostics[0].origin)
        return problem


def _boot(machine: Machine) -> BenchClient:
    client = BenchClient(machine, machine.names.name)
    client.boot()
    return client


RUNNER = UnicornRunner()
