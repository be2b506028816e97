"""Any noise on a serial line: an inference is right or an error, and it ends; on Unicorn, with a clock of its own."""

from __future__ import annotations

import functools
import random
from pathlib import Path

import numpy as np
import pytest

from tests.emulated.noisy_line import Noise
from tests.emulated.trivial_model import trivial_inputs, trivial_output, trivial_tree
from tests.requirement import require
from tinygen.boards import load_board
from tinygen.build.builder import build_project
from tinygen.errors import TinygenError
from tinygen.project import Project, write_project
from tinygen.run.emulator.machine import Machine, Program
from tinygen.run.on_board import link, session
from tinygen.run.on_board.session import BoardSession

SEEDS = 100
INFERENCES = 3
ALLOWED = ("TG502", "TG513", "TG515", "TG516")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("zig", "unicorn")
    return tmp_path_factory.mktemp("noise")


@functools.cache
def project(folder: Path) -> tuple[Project, Program]:
    written = write_project(trivial_tree(), load_board("mps2-an386"), folder / "project")
    built = build_project(written, written.path / "build", compiler="zig")
    return written, Program.of(built.elf, "trivial", 3)


class Line:
    """A port to an emulated board, with noise both ways and a clock that only waiting moves."""

    def __init__(self, folder: Path, seed: int) -> None:
        written, program = project(folder)
        self._machine = Machine(written.board, written.path, program)
        every = random.Random(seed).choice((40, 150, 600, 3000))
        self._to_board, self._to_host = Noise(seed, every), Noise(seed + 1, every)
        self._pending = b""
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def send(self, data: bytes) -> None:
        self._machine.write(self._to_board(data))
        self._machine._run()
        self._collect()

    def receive(self, seconds: float) -> bytes:
        self._collect()
        data, self._pending = self._pending, b""
        self.now += 0.001 if data else seconds
        return data

    def close(self) -> None:
        """The line outlives its sessions."""

    def _collect(self) -> None:
        sent = self._machine._uart.transmitted
        if sent:
            self._pending += self._to_host(self._machine._take(self._machine._taken + len(sent)))


@pytest.mark.parametrize("first", range(0, SEEDS, 20))
def test_right_or_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    inputs = trivial_inputs()
    right = 0
    for seed in range(first, first + 20):
        line = Line(folder, 2 * seed)
        for module in (link, session):
            monkeypatch.setattr(module.time, "monotonic", line.monotonic)
        try:
            opened = BoardSession(project(folder)[0], "serial", "the line", lambda port=line: port, board=False)
            for _ in range(INFERENCES):
                np.testing.assert_array_equal(opened.infer(inputs)[0], trivial_output(*inputs))
                right += 1
        except TinygenError as problem:
            assert problem.code in ALLOWED, problem  # noqa: PT017
        monkeypatch.undo()
        assert line.now < 600
    assert right > 20 * INFERENCES / 4
