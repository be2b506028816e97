"""Any byte stream into the bench firmware, compiled with sanitizers: no bad access, and back in step afterwards."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from tests.emulated.trivial_model import trivial_tree
from tests.requirement import require
from tinygen.boards import load_board
from tinygen.build.host import build_host
from tinygen.project import write_project
from tinygen.project.firmware import INCLUDE_FOLDERS
from tinygen.protocol import crc32, parse_answer

STREAMS = 4000
WORDS = (
    b"tg", b"load", b"infer", b"output", b"layers", b"memory", b"hello", b"0", b"1", b"2", b"4294967295", b"4294967296",
    b"-1", b"00000000", b"ffffffff", b"deadbeef0", b"", b"x" * 90, b"%", b"m-ready", b"\xff\xfe",
)  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("cc")
    folder = tmp_path_factory.mktemp("bench")
    project = write_project(trivial_tree(), load_board("mps2-an386"), folder)
    common = folder / "firmware" / "common"
    names = ("bench.c", "protocol.c", "weights.c")
    sources = [*(common / name for name in names), *(folder / s for s in project.manifest.sources)]
    ends = [f"__{region}_{end}=tg_test_{region}" for region in ("data", "bss") for end in ("start", "end")]
    return build_host(
        [*sources, Path(__file__).with_name("fuzz_port.c")],
        folder / "bench",
        includes=[folder / include for include in INCLUDE_FOLDERS],
        defines=["TRIVIAL_PROFILE=1", *ends],
        shared=False,
        sanitize=True,
    )


def test_random_streams(bench: Path) -> None:
    generator = random.Random(20)
    stream = b"".join(_stream(generator) for _ in range(STREAMS))
    lines = _answers(bench, stream + b"\n" * 17 + b"tg hello\n")
    assert lines[-1].startswith(b"tg hello version=1 model=trivial ")
    words = {answer.word for answer in map(parse_answer, lines) if answer is not None}
    assert words >= {"hello", "send", "loaded", "error", "ran", "bytes", "layer", "layers", "memory"}


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
    assert _answers(bench, request_line + b"\r\n")[-1].startswith(b"tg error reason=" + reason + b" sum=")


def test_a_damaged_input_is_not_used(bench: Path) -> None:
    data = bytes(16)
    loads = b"tg load 0 %08x\n" % (crc32(data) ^ 1) + data + b"tg load 1 %08x\n" % crc32(data[:4]) + data[:4]
    assert [line.rpartition(b" sum=")[0] for line in _answers(bench, loads + b"tg infer\n")[-3:]] == [
        b"tg send bytes=4",
        b"tg loaded input=1",
        b"tg error reason=inputs",
    ]


def _stream(generator: random.Random) -> bytes:
    kind = generator.randrange(4)
    if kind == 0:
        return generator.randbytes(generator.randrange(40))
    if kind == 1:
        return b" ".join(generator.choices(WORDS, k=generator.randrange(1, 6))) + b"\n"
    x, y = generator.randbytes(16), bytes([generator.randrange(100), 1, 2, 3])
    whole = b"\n" * 17 + b"tg load 0 %08x\n" % crc32(x) + x + b"tg load 1 %08x\n" % crc32(y) + y
    whole += b"tg infer\ntg output 0\ntg layers\ntg memory\n"
    if kind == 2:
        position = generator.randrange(len(whole))
        return whole[:position] + generator.randbytes(generator.randrange(3)) + whole[position + 1 :]
    return whole


def _answers(bench: Path, stream: bytes) -> list[bytes]:
    done = subprocess.run([bench], input=stream, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return [line for line in done.stdout.split(b"\r\n") if line]
