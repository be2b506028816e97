"""The bench protocol's client: lines in and out, damage noticed, and traps decoded."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygen.errors import TinygenError
from tinygen.paths import FIRMWARE
from tinygen.protocol import LINE_CHARACTERS, Answer, BenchClient, crc32, fault_text, parse_answer

HELLO = (
    b"tg hello version=1 model=kws sha256=0123456789abcdef backend=c board=rpi-pico arena=16000 layers=13 profile=1"
    b" counter=systick clock=12000000 inputs=490,4 outputs=12\r\n"
)
KEYS = st.text("abcdefghijklmnopqrstuvwxyz_0123456789", min_size=1).filter(lambda key: key != "sum")
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126))


class Script:
    """A firmware that answers from a script."""

    def __init__(self, *said: bytes) -> None:
        self.heard = b""
        self._said = b"".join(said)

    def write(self, data: bytes) -> None:
        self.heard += data

    def read(self, count: int) -> bytes:
        data, self._said = self._said[:count], self._said[count:]
        return data

    def read_line(self) -> bytes:
        return self.read(self._said.index(b"\n") + 1)


def _with_sum(line: bytes) -> bytes:
    """The line as the firmware ends it."""
    return line.rstrip() + f" sum={zlib.crc32(line.rstrip()):08x}\r\n".encode()


@settings(derandomize=True, deadline=None)
@given(KEYS, st.lists(st.tuples(KEYS, VALUES)))
def test_a_line_reads_back(word: str, fields: list[tuple[str, str]]) -> None:
    line = f"tg {word}{''.join(f' {key}={value}' for key, value in fields)}\r\n".encode()
    assert parse_answer(line) == Answer(word, tuple(fields))
    assert parse_answer(_with_sum(line)) == Answer(word, tuple(fields), checked=True)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.binary() | st.binary().map(lambda tail: b"tg " + tail) | st.binary().map(lambda tail: b"tg ran " + tail))
def test_any_bytes_are_a_line_or_are_not(line: bytes) -> None:
    answer = parse_answer(line)
    assert answer is None or answer.word


@pytest.mark.parametrize(
    "line", [b"", b"m-ready\r\n", b"tg\r\n", b"tgx hello\r\n", b"tg ran status\r\n", b"tg ran =1\r\n"]
)
def test_lines_of_someone_else(line: bytes) -> None:
    assert parse_answer(line) is None


def test_hello() -> None:
    hello = BenchClient(Script(b"m-init-done\r\n", b"\xff\r\n", HELLO)).boot()
    assert (hello.model, hello.board, hello.arena_bytes, hello.layer_slots) == ("kws", "rpi-pico", 16000, 13)
    assert (hello.profile, hello.counter, hello.clock_hz) == (True, "systick", 12_000_000)
    assert (hello.input_bytes, hello.output_bytes) == ((490, 4), (12,))


def test_an_inference() -> None:
    script = Script(
        b"tg send bytes=3\r\n",
        b"tg loaded input=0\r\n",
        b"tg ran status=0 count=0x0000000100000002\r\n",
        b"tg bytes output=0 bytes=4 crc=0x%08x\r\n" % zlib.crc32(b"a\nbc"),
        b"a\nbc\r\n",
        b"tg layer index=0 count=0x0000000000000010\r\n",
        b"tg layer index=1 count=0x0000000000000000\r\n",
        b"tg layers slots=2\r\n",
        b"tg memory arena=1 data=2 bss=3 stack=4096 stack_used=80\r\n",
        b"tg reset state=72\r\n",
    )
    client = BenchClient(script)
    client.load(0, b"xyz")
    assert client.infer() == 0x1_0000_0002
    assert client.output(0) == b"a\nbc"
    assert client.layers() == (16, 0)
    assert client.memory().stack_used == 80
    client.reset()
    loads = b"tg load 0 %08x\nxyz" % zlib.crc32(b"xyz")
    assert script.heard == loads + b"tg infer\ntg output 0\ntg layers\ntg memory\ntg reset\n"


@pytest.mark.parametrize(
    ("call", "said", "code", "message"),
    [
        (BenchClient.boot, HELLO.replace(b"version=1", b"version=2"), "TG502", "version 2 .* accepted: 1"),
        (BenchClient.boot, HELLO.replace(b" arena=16000", b""), "TG502", "no arena="),
        (BenchClient.boot, HELLO.replace(b"=490,4", b"=490,"), "TG502", "inputs=490,, not numbers"),
        (BenchClient.infer, b"tg ran status=0 count=many\r\n", "TG502", "count=many, not a number"),
        (BenchClient.infer, b"tg error reason=inputs\r\n", "TG502", "refused: inputs"),
        (BenchClient.infer, b"tg ran status=3 count=0x0\r\n", "TG501", "returned 3"),
        (BenchClient.infer, HELLO, "TG516", "the board was reset"),
        (BenchClient.infer, b"\r\ntg fault kind=bus sp=0x20000000\r\n", "TG501", "bus fault"),
        (lambda c: c.load(0, b"xyz"), b"tg send bytes=4\r\n", "TG505", "input 0 has 4 bytes in the firmware, found 3"),
        (lambda c: c.output(0), b"tg bytes output=0 bytes=1 crc=0x0\r\na\r\n", "TG515", "output 0 arrived damaged"),
    ],
)
def test_what_goes_wrong(call: Callable[[BenchClient], object], said: bytes, code: str, message: str) -> None:
    with pytest.raises(TinygenError, match=message) as caught:
        call(BenchClient(Script(said)))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            b"tg fault kind=bus why=precise-bus-error pc=0x000001f0 lr=0x00000153 cfsr=0x00008200 address=0xa0000000",
            "bus fault in f(0x1f0): precise bus error at 0xa0000000, called from f(0x153)",
        ),
        (b"tg fault kind=hard sp=0x1ffffff8", "hard fault"),
        (
            b"tg fault kind=usage why=undefined-instruction,division-by-zero cfsr=0x02010000 layer=12",
            "usage fault: undefined instruction, division by zero, in layer #12",
        ),
        (
            b"tg fault kind=trap why=store-access-fault pc=0x20010280 address=0x7ffffffc cause=0x07 lr=0x200101e0",
            "trap fault in f(0x20010280): store access fault at 0x7ffffffc, called from f(0x200101e0)",
        ),
        (
            b"tg fault kind=trap pc=0x20010280 address=0x0 cause=0x00000018 lr=0x0 sp=0x0",
            "trap fault in f(0x20010280): cause 24 at 0x00000000, called from f(0x0)",
        ),
    ],
)
def test_traps_are_decoded(line: bytes, text: str) -> None:
    answer = parse_answer(line)
    assert answer is not None
    assert fault_text(answer, lambda address: f"f({address:#x})") == text


def test_the_firmware_takes_lines_as_long() -> None:
    header = (FIRMWARE / "common" / "protocol.h").read_text()
    assert f"#define TG_LINE_BYTES {LINE_CHARACTERS + 1} " in header


def test_checksum() -> None:
    assert crc32(b"123456789") == 0xCBF43926  # the check value of CRC-32


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 100), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    """It may hide that the line is ours; it never leaves a line that is believed."""
    line = bytearray(_with_sum(b"tg ran status=0 count=0x0000000000756fd0\r\n"))
    line[place % (len(line) - 2)] ^= change
    answer = parse_answer(bytes(line))
    assert answer is None or not answer.checked


def test_the_strict_client_believes_only_checked_lines() -> None:
    line = b"tg ran status=0 count=0x10\r\n"
    assert BenchClient(Script(line)).infer() == 16
    assert BenchClient(Script(_with_sum(line)), strict=True).infer() == 16
    with pytest.raises(TinygenError, match="arrived damaged") as caught:
        BenchClient(Script(line), strict=True).infer()
    assert caught.value.code == "TG515"


def test_answers_about_something_else() -> None:
    with pytest.raises(TinygenError, match="found output=1 in an answer, expected 0") as caught:
        BenchClient(Script(b"tg bytes output=1 bytes=1 crc=0x0\r\n")).output(0)
    assert caught.value.code == "TG515"


def test_a_board_that_has_forgotten() -> None:
    with pytest.raises(TinygenError, match="the board was reset") as caught:
        BenchClient(Script(_with_sum(b"tg error reason=outputs\r\n")), strict=True).output(0)
    assert caught.value.code == "TG516"
