"""Any byte stream into the bench firmware, compiled with sanitizers: no bad access, and back in step afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulated.host_bench import answers, build_host_bench, fuzz
from tests.emulated.trivial_model import trivial_tree
from tests.requirement import require
from tinygen.boards import load_board
from tinygen.project import write_project
from tinygen.protocol import crc32, parse_answer

STREAMS = 20_000


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("cc")
    folder = tmp_path_factory.mktemp("bench")
    return build_host_bench(write_project(trivial_tree(), load_board("mps2-an386"), folder))


def test_random_streams_of_both_protocols(bench: Path) -> None:
    """`make test-long` runs a million of them."""
    hello, *name = fuzz(bench, STREAMS)[-3:]
    assert hello.startswith(b"tg hello version=1 model=trivial ")
    assert name == [b"m-name-dut-[mps2-an386]", b"m-ready"]


def test_whole_exchanges_of_both_protocols(bench: Path) -> None:
    x, y = bytes(range(16)), bytes([9, 1, 2, 3])
    lines = b"tg load 0 %08x\n" % crc32(x) + x + b"tg load 1 %08x\n" % crc32(y) + y
    lines += b"tg infer\ntg output 0\ntg layers\ntg memory\n"
    words = {answer.word for answer in map(parse_answer, answers(bench, lines)) if answer is not None}
    assert words >= {"hello", "send", "loaded", "ran", "bytes", "layer", "layers", "memory"}
    commands = b"db load 20%db " + (x + y).hex().encode() + b"%infer 1 0%"
    assert answers(bench, commands)[-4:] == [
        b"m-lap-us-0",
        b"m-infer-done",
        b"m-results-[" + b",".join(b"%d.000" % (2 * a + y[i % 4]) for i, a in enumerate(x)) + b"]",
        b"m-ready",
    ]


@pytest.mark.parametrize(
    ("request_line", "reason"),
    [
        (b"tg", b"unknown"),
        (b"hello", b"unknown"),
        (b"tg  hello", b"unknown"),
        (b"tg hellooo", b"unknown"),
        (b"tg load", b"arguments"),
        (b"tg load 0", b"arguments"),
        (b"tg load 0 0 0", b"arguments"),
        (b"tg load 0 123456789", b"arguments"),
        (b"tg load 2 0", b"index"),
        (b"tg load 4294967296 0", b"arguments"),
        (b"tg infer", b"inputs"),
        (b"tg output 0", b"outputs"),
        (b"tg output 1", b"index"),
        (b"tg output", b"arguments"),
        (b"tg " + b"x" * 78, b"line"),
    ],
)
def test_refusals(bench: Path, request_line: bytes, reason: bytes) -> None:
    assert answers(bench, request_line + b"\r\n")[-1].startswith(b"tg error reason=" + reason + b" sum=")


def test_a_damaged_input_is_not_used(bench: Path) -> None:
    data = bytes(16)
    loads = b"tg load 0 %08x\n" % (crc32(data) ^ 1) + data + b"tg load 1 %08x\n" % crc32(data[:4]) + data[:4]
    assert [line.rpartition(b" sum=")[0] for line in answers(bench, loads + b"tg infer\n")[-3:]] == [
        b"tg send bytes=4",
        b"tg loaded input=1",
        b"tg error reason=inputs",
    ]


@pytest.mark.parametrize(("milliseconds", "said"), [(4000, b"tg send bytes=16"), (7000, b"tg error reason=silence")])
def test_a_load_that_falls_silent_is_given_up(bench: Path, milliseconds: int, said: bytes) -> None:
    load = b"tg load 0 00000000\n" + bytes(15)
    assert answers(bench, load, silent_milliseconds=milliseconds)[-1].rpartition(b" sum=")[0] == said
