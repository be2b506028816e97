"""The runner `serial` from end to end, through QEMU's UART on a socket: counts, noise, resets, wrong firmware."""

from __future__ import annotations

import dataclasses
import functools
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import run, run_json  # noqa: F401 - fixtures
from tests.emulated.noisy_line import Noise, NoisyLine, Target, clean
from tests.emulated.trivial_model import Fault, trivial_inputs, trivial_output, trivial_tree
from tests.requirement import require
from tinygen.boards import load_board
from tinygen.build.builder import Built, build_project
from tinygen.errors import TinygenError
from tinygen.project import Project, write_project
from tinygen.run import find_runner
from tinygen.run.on_board import link as link_module
from tinygen.run.on_board import session as session_module
from tinygen.run.on_board.session import BoardSession
from tinygen.run.serial import SerialRunner

COUNTS, STANDS_STILL = "hifive1-revb", "mps2-an386"
"""With -icount QEMU's mcycle counts; its DWT never does."""

INPUTS = trivial_inputs()
OUTPUT = trivial_output(*INPUTS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("zig", "qemu")
    return tmp_path_factory.mktemp("projects")


@functools.cache
def project(folder: Path, board: str) -> Project:
    return write_project(trivial_tree(), load_board(board), folder / board)


@functools.cache
def built(folder: Path, board: str, profile: bool = False) -> Built:
    written = project(folder, board)
    return build_project(written, written.path / "build", compiler="zig", profile=profile)


@pytest.fixture
def counting(folder: Path) -> Iterator[Target]:
    """A target whose counter counts, with a profiling build."""
    firmware = built(folder, COUNTS, profile=True)
    with Target(firmware.board, firmware.elf) as target:
        yield target


@pytest.fixture
def still(folder: Path) -> Iterator[Target]:
    """A target whose counter stands still, with the build without hooks."""
    firmware = built(folder, STANDS_STILL)
    with Target(firmware.board, firmware.elf) as target:
        yield target


def opened(written: Project, url: str) -> BoardSession:
    runner = find_runner(f"serial:{url}")
    assert isinstance(runner, SerialRunner)
    return runner.open(written, written.path / "unused")


def test_a_hundred_inferences_and_their_layers(folder: Path, counting: Target, run_json) -> None:  # noqa: F811
    """Over a socket nothing is called measured, and the hooks of the profiling build are told."""
    arguments = (project(folder, COUNTS).path, "--on", f"serial:{counting.url}", "--runs", 100)
    found = run_json("run", *arguments)
    figures = found["figures"]
    assert (figures["kind"], figures["counter"], figures["inferences"]) == ("estimated", "cycles", 100)
    assert 0 < figures["p50"] <= figures["p90"] <= figures["p99"] <= figures["max"]
    assert figures["hooks"]
    assert figures["seconds"] is None
    assert [(x["index"], x["op"]) for x in figures["layers"]] == [(0, "MUL"), (2, "ADD")]
    assert all(0 < layer["count"] < figures["p50"] for layer in figures["layers"])
    zeros = [np.zeros_like(array) for array in INPUTS]
    assert found["samples"][0]["outputs"][0]["data"] == trivial_output(*zeros).ravel().tolist()


def test_the_text_of_run(folder: Path, counting: Target, run) -> None:  # noqa: F811
    arguments = (project(folder, COUNTS).path, "--on", f"serial:{counting.url}", "--runs", 3)
    text = run("run", *arguments).output
    assert "3 inferences: p50 " in text
    assert "cycles (estimated, with the hooks of a profiling build)" in text
    assert "#2" in text


def test_a_counter_that_stands_still_counts_nothing(folder: Path, still: Target) -> None:
    with opened(project(folder, STANDS_STILL), still.url) as session:
        np.testing.assert_array_equal(session.infer(INPUTS)[0], OUTPUT)
        with pytest.raises(TinygenError, match="dwt, which stands still") as caught:
            session.measure(INPUTS)
    assert caught.value.code == "TG518"


def test_noise(folder: Path, counting: Target) -> None:
    """Lost, changed and inserted bytes in both directions: never a wrong output, never a wrong count."""
    with opened(project(folder, COUNTS), counting.url) as session:
        right = session.measure(INPUTS)
    noises = Noise(1, every=300), Noise(2, every=300)
    with (
        NoisyLine(counting, *noises) as noisy,
        opened(project(folder, COUNTS), noisy.url) as session,
    ):
        for _ in range(4):
            found = session.measure(INPUTS, runs=2)
            np.testing.assert_array_equal(found.outputs[0], OUTPUT)
            assert found.runs == right.runs * 2
            assert found.layers == right.layers
    assert all(noise.damaged > 3 for noise in noises)


def test_more_noise_than_asking_again_cures(folder: Path, still: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "_ANSWER_SECONDS", 0.2)
    noise = Noise(3, every=25)
    quiet = True

    def to_host(data: bytes) -> bytes:
        return data if quiet else noise(data)

    with NoisyLine(still, clean, to_host) as noisy, opened(project(folder, STANDS_STILL), noisy.url) as session:
        session.infer(INPUTS)
        quiet = False
        with pytest.raises(TinygenError, match="was asked 10 times") as caught:
            session.infer(INPUTS)
    assert caught.value.code == "TG515"


def test_a_target_that_is_killed_and_comes_back(folder: Path, still: Target) -> None:
    with opened(project(folder, STANDS_STILL), still.url) as session:
        session.infer(INPUTS)
        still.kill()
        with pytest.raises(TinygenError, match=r"the connection to .* was lost") as caught:
            session.infer(INPUTS)
        assert caught.value.code == "TG517"
        with pytest.raises(TinygenError, match="cannot be opened") as caught:
            session.infer(INPUTS)
        assert caught.value.code == "TG512"
        still.restart()
        np.testing.assert_array_equal(session.infer(INPUTS)[0], OUTPUT)


def test_a_reset_in_the_middle(folder: Path, still: Target) -> None:
    with NoisyLine(still, clean, clean) as line, opened(project(folder, STANDS_STILL), line.url) as session:
        session.infer(INPUTS)
        still.restart()
        with pytest.raises(TinygenError, match="the board was reset") as caught:
            session.infer(INPUTS)
    assert caught.value.code == "TG516"


def test_a_fault_is_not_noise(folder: Path, still: Target) -> None:
    with opened(project(folder, STANDS_STILL), still.url) as session, pytest.raises(TinygenError) as caught:
        session.infer(trivial_inputs(Fault.READ))
    assert caught.value.code == "TG501"


def test_another_model_is_on_the_board(folder: Path, still: Target) -> None:
    tree = dataclasses.replace(trivial_tree(), model_name="other", model_sha256="f" * 64)
    other = write_project(tree, load_board(STANDS_STILL), folder / "other")
    with pytest.raises(TinygenError, match=f"found trivial 0123456789abcdef, accepted other {'f' * 16}") as caught:
        opened(other, still.url)
    assert caught.value.code == "TG514"


def test_another_board_answers(folder: Path, still: Target) -> None:
    with pytest.raises(TinygenError, match=f"board: found {STANDS_STILL}, accepted {COUNTS}") as caught:
        opened(project(folder, COUNTS), still.url)
    assert caught.value.code == "TG514"


class Impostor:
    """Something else on the line: answers every byte with `says`."""

    def __init__(self, says: bytes) -> None:
        self._says = says
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self.url = f"socket://127.0.0.1:{self._server.getsockname()[1]}"

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            while connection.recv(4096):
                connection.sendall(self._says)

    def __enter__(self) -> Impostor:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._server.close()


@pytest.mark.parametrize(
    ("says", "code", "text"),
    [
        (b"", "TG502", "nothing answers"),
        (b"ets Jul 29 2019 12:21:46\r\n", "TG513", "ets Jul 29 2019"),
        (b"tg hello version=1 model=trivial\r\n", "TG513", "not the bench firmware"),
        (bytes(range(128, 256)), "TG513", "not the bench firmware"),
    ],
    ids=["silence", "a bootloader", "lines without a checksum", "another baud rate"],
)
def test_what_is_not_the_firmware(
    folder: Path, monkeypatch: pytest.MonkeyPatch, says: bytes, code: str, text: str
) -> None:
    monkeypatch.setattr(session_module, "_GREETING_SECONDS", 0.05)
    monkeypatch.setattr(link_module, "_QUIET_SECONDS", 0.01)
    with Impostor(says) as impostor, pytest.raises(TinygenError, match=text) as caught:
        opened(project(folder, STANDS_STILL), impostor.url)
    assert caught.value.code == code
