"""A session with a board: who it is comes first, then inferences, each asked again when the line was noisy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from numpy.typing import NDArray

from tinygen.errors import TinygenError, error
from tinygen.measurement import LayerCount, Measurement
from tinygen.project.model import Project
from tinygen.protocol import BenchClient, Hello
from tinygen.run import input_bytes, output_array
from tinygen.run.on_board.link import Link, Port

R = TypeVar("R")

_ATTEMPTS = 10
_GREETINGS = 10
_GREETING_SECONDS = 1.0
"""A board that was reset by opening its port may stay in its bootloader for seconds."""

_ANSWER_SECONDS = 2.0
_BITS_PER_BYTE = 10
_BUDGET = 100_000_000
_BUDGET_PER_MAC = 200
"""As on an emulator: cycles after which an inference is a loop that never ends."""

_SLOWEST_HZ = 10_000_000
"""A board that says it is faster may be an emulator that is not."""

_NOISE = ("TG502", "TG515")
"""What asking again may cure."""


@dataclass(frozen=True)
class _Connection:
    """An open line to a firmware that has been greeted."""

    link: Link
    client: BenchClient
    hello: Hello


class BoardSession:
    """A board that has said who it is. After an error the next inference greets it again."""

    def __init__(self, project: Project, runner: str, where: str, connect: Callable[[], Port], *, board: bool) -> None:
        self._project, self._runner, self._where = project, runner, where
        self._connect, self._is_board = connect, board
        self._connection: _Connection | None = None
        self._seconds: float | None = None
        self._start()

    def infer(self, inputs: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """The outputs of one inference.

        Raises:
            TinygenError: TG501 when the firmware faults, TG505 for inputs, TG513 and TG514 when another firmware
                answers now, TG515 when asking ten times was not enough, TG516 when the board was reset meanwhile, TG517
                when the connection is lost.
        """
        return self._infer(inputs)[0]

    def reset(self) -> None:
        """The next inference is the first of a sequence; errors as `infer`."""
        if self._project.model.state_bytes:
            self._guarded(lambda c: c.client.reset())

    def measure(self, inputs: Sequence[NDArray[Any]], runs: int = 1) -> Measurement:
        """Counts `runs` inferences; layers are those of the last, where a profiling build is on the board.

        Raises:
            TinygenError: as `infer`; TG518 when the firmware's counter does not count.
        """
        counts = []
        for _ in range(runs):
            outputs, count = self._infer(inputs, first=True)
            counts.append(count)
        hello = self._start().hello
        layers = self._guarded(lambda c: c.client.layers()) if hello.profile else ()
        memory = self._guarded(lambda c: c.client.memory())
        if not all(counts):
            message = (
                f"the firmware counts with {hello.counter}, which stands still on {self._where}: nothing was counted"
            )
            hints = ("emulators have no cycles; --on unicorn, --on qemu or --on renode count instructions",)
            raise error("TG518", message, hints=hints)
        known = self._project.model.layers if layers else ()
        return Measurement(
            runner=self._runner,
            board=self._project.board.id,
            kind="measured" if self._is_board else "estimated",
            counter="cycles",
            compiler=_build(hello),
            runs=tuple(counts),
            layers=tuple(LayerCount(x.index, x.op, x.name, layers[x.index]) for x in known),
            outputs=outputs,
            stack_bytes=memory.stack_used,
            clock_hz=hello.clock_hz if self._is_board else None,
            hooks=hello.profile,
        )

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> _Connection:
        """The greeting, exchanged once for each connection; TG502, TG513 or TG514 when it is not the right one."""
        if self._connection is None:
            link = Link(self._connect())
            try:
                client = BenchClient(link, strict=True)
                hello = self._greet(link, client)
                self._check(hello)
            except BaseException:
                link.close()
                raise
            self._connection = _Connection(link, client, hello)
        return self._connection

    def _greet(self, link: Link, client: BenchClient) -> Hello:
        """Asks until an answer comes, then once more: the first may be what the firmware says by itself at boot."""
        hello: Hello | None = None
        problem: TinygenError | None = None
        for attempt in range(_GREETINGS):
            link.allow(_GREETING_SECONDS)
            try:
                found = client.hello()
            except TinygenError as failure:
                if failure.code not in (*_NOISE, "TG516"):
                    raise
                problem = failure
                link.recover(max(self._input_sizes) if attempt == 0 else 0)
                continue
            if hello is not None:
                link.recover(0)
                return found
            hello = found
        assert problem is not None
        if not link.heard:
            hints = (
                "is the firmware flashed and the board powered? tinygen build makes it",
                f"the line is expected at {self._project.board.serial.baud} baud on {self._project.board.serial.tx}",
            )
            raise error("TG502", f"nothing answers on {self._where}", hints=hints)
        message = f"what answers on {self._where} is not the bench firmware: '{link.heard}'"
        raise error("TG513", message, hints=("tinygen build DIR makes it; flash that",)) from problem

    @property
    def _input_sizes(self) -> tuple[int, ...]:
        return tuple(spec.nbytes for spec in self._project.model.inputs)

    def _check(self, hello: Hello) -> None:
        """TG514 unless the firmware is this project's: its model, its backend, its plan."""
        model = self._project.model
        facts: tuple[tuple[str, object, object], ...] = (
            ("model", f"{hello.model} {hello.sha256}", f"{model.model_name} {model.model_sha256[:16]}"),
            ("board", hello.board, self._project.board.id),
            ("backend", hello.backend, model.backend),
            ("arena", hello.arena_bytes, model.arena_bytes),
            ("layer slots", hello.layer_slots, model.layer_slots),
            ("input bytes", hello.input_bytes, self._input_sizes),
            ("output bytes", hello.output_bytes, tuple(spec.nbytes for spec in model.outputs)),
        )
        wrong = [f"{name}: found {found}, accepted {right}" for name, found, right in facts if found != right]
        if wrong:
            message = "\n".join((f"the firmware on {self._where} is not this project's", *wrong))
            raise error("TG514", message, hints=("build this project and flash it, or name the one that is flashed",))

    def _infer(self, inputs: Sequence[NDArray[Any]], *, first: bool = False) -> tuple[tuple[NDArray[Any], ...], int]:
        """Outputs and count; `first` makes it the first inference of a sequence, which can be asked for again."""
        data = input_bytes(self._project.model.inputs, inputs)
        count = self._guarded(partial(self._run, data, first))
        sizes = (spec.nbytes for spec in self._project.model.outputs)
        read = [self._guarded(partial(self._output, index, size)) for index, size in enumerate(sizes)]
        return tuple(output_array(s, d) for s, d in zip(self._project.model.outputs, read, strict=True)), count

    def _run(self, data: Sequence[bytes], first: bool, connection: _Connection) -> int:
        """Loads and infers, as one: after a failure nobody knows whether the inputs still are what they were."""
        link, client = connection.link, connection.client
        models = self._project.manifest.models
        budget = _BUDGET + _BUDGET_PER_MAC * sum(layer.macs for model in models for layer in model.layers)
        longest = _ANSWER_SECONDS + budget / min(connection.hello.clock_hz, _SLOWEST_HZ)
        if len(models) > 1:
            link.allow(longest)
            client.others()
        keeps = self._project.model.state_bytes > 0
        if keeps and first:
            link.allow(_ANSWER_SECONDS)
            client.reset()
        for index, content in enumerate(data):
            link.allow(_ANSWER_SECONDS + self._transfer(len(content)))
            client.load(index, content)
        link.allow(longest if self._seconds is None else _ANSWER_SECONDS + 5 * self._seconds)
        began = time.monotonic()
        try:
            count = client.infer()
        except TinygenError as problem:
            if keeps and not first and problem.code in _NOISE:
                message = f"the answer to an inference was lost on {self._where}, and with it whether the state went on"
                raise error("TG517", message, hints=("start the sequence again",)) from problem
            raise
        self._seconds = max(self._seconds or 0.0, time.monotonic() - began)
        return count

    def _output(self, index: int, size: int, connection: _Connection) -> bytes:
        connection.link.allow(_ANSWER_SECONDS + self._transfer(size))
        return connection.client.output(index)

    def _transfer(self, count: int) -> float:
        """Seconds that so many bytes take on the line, and as many again."""
        return 2 * count * _BITS_PER_BYTE / self._project.board.serial.baud

    def _guarded(self, ask: Callable[[_Connection], R]) -> R:
        """Asks again after noise, in step again; an error closes the connection, so that the next use greets anew."""
        try:
            return self._repeated(ask)
        except BaseException:
            self.close()
            raise

    def _repeated(self, ask: Callable[[_Connection], R]) -> R:
        connection = self._start()
        last = ""
        for _ in range(_ATTEMPTS):
            try:
                connection.link.allow(_ANSWER_SECONDS)
                return ask(connection)
            except TinygenError as problem:
                if problem.code not in _NOISE:
                    raise
                last = problem.diagnostics[0].message
                connection.link.recover(max(self._input_sizes))
        message = f"{self._where} was asked {_ATTEMPTS} times and never answered right, the last time: {last}"
        raise error("TG515", message, hints=("check cable, ground and baud rate",))


def _build(hello: Hello) -> str:
    """What is known of the build that runs, and what makes its figures other ones than the firmware's at its best."""
    hooks = ", with the hooks of a profiling build" if hello.profile else ""
    slow = f", at the clock after reset as {hello.clock_fallback} never got ready" if hello.clock_fallback else ""
    return f"as flashed{hooks}{slow}"
