"""The serial lines between a host and the bench firmware: their grammar, and a client that speaks it over any stream.

A request is one line of at most 80 characters, words separated by one space. Answers are lines `tg WORD key=value ...`.
Lines that start otherwise belong to someone else and are passed over. The firmware's side is firmware/common/bench.c.

    request               answer
    hello                 tg hello version= model= sha256= backend= board= arena= layers= profile= counter= clock=
                                   [clock_fallback=REGISTER] weights=intact|damaged|unchecked
                                   inputs=BYTES,BYTES outputs=BYTES   (also said at boot)
    load INDEX CRC32      tg send bytes=N, then the host sends N bytes, then tg loaded input=INDEX
    infer                 tg ran status= count=     an inference may consume its inputs: each needs its own loads
    output INDEX          tg bytes output= bytes=N crc=, then N bytes and a line end
    layers                tg layer index= count=, one for each slot, then tg layers slots=   (profiling builds)
    others                tg others models= status= one inference of each other model of the firmware
    reset                 tg reset state=BYTES      what is kept from one inference to the next is forgotten
    memory                tg memory arena= data= bss= stack= stack_used=
    anything else         tg error reason=unknown

Each answer ends with `sum=`, the CRC-32 of what is before it in its line, 8 hexadecimal digits.
An empty line is ignored. A failed request is answered by `tg error reason=`, a trap by `tg fault kind= why= pc= ...`.
`clock` is the core's clock in Hz, after reset where `clock_fallback` names the register that was waited for in vain.
Where the weights in flash are damaged, `tg error reason=weights` follows the line at boot and answers `infer`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tinygen.errors import TinygenError, error

VERSION = 1
LINE_CHARACTERS = 80

_SUM, _DAMAGED = "sum", "damaged"
_FORGOTTEN = ("inputs", "outputs")


class ByteStream(Protocol):
    """A connection to the firmware. Reads raise TG502 when nothing comes."""

    def write(self, data: bytes) -> None: ...

    def read(self, count: int) -> bytes: ...

    def read_line(self) -> bytes: ...


@dataclass(frozen=True)
class Answer:
    """One line of the firmware: its word and its fields in order."""

    word: str
    fields: tuple[tuple[str, str], ...]
    checked: bool = False
    """Whether the line ended with its own checksum, and it was right."""

    def text(self, key: str) -> str:
        """The field of that name; TG502 when the line lacks it."""
        for name, value in self.fields:
            if name == key:
                return value
        raise error("TG502", f"the firmware's line 'tg {self.word}' has no {key}=")

    def has(self, key: str) -> bool:
        """Whether the line has the field."""
        return any(name == key for name, _ in self.fields)

    def number(self, key: str) -> int:
        """A decimal or 0x-prefixed field; TG502 when it is no number."""
        text = self.text(key)
        try:
            return int(text, 16) if text.startswith("0x") else int(text, 10)
        except ValueError:
            raise error("TG502", f"the firmware's line 'tg {self.word}' has {key}={text}, not a number") from None

    def numbers(self, key: str) -> tuple[int, ...]:
        """A field of decimal numbers separated by commas; TG502 when it is not."""
        text = self.text(key)
        try:
            return tuple(int(part, 10) for part in text.split(","))
        except ValueError:
            raise error("TG502", f"the firmware's line 'tg {self.word}' has {key}={text}, not numbers") from None


@dataclass(frozen=True)
class Hello:
    """What the firmware says about itself; sizes in bytes, `sha256` the first 16 hex digits of the model file's."""

    model: str
    sha256: str
    backend: str
    board: str
    arena_bytes: int
    layer_slots: int
    profile: bool
    counter: str
    clock_hz: int
    clock_fallback: str | None
    """The register that full speed was waiting for in vain; None when the clock is what the board's file says."""
    weights: str
    """`intact`, `damaged` (the flash does not hold what was generated) or `unchecked`."""
    input_bytes: tuple[int, ...]
    output_bytes: tuple[int, ...]


@dataclass(frozen=True)
class Memory:
    """The firmware's memory in bytes: `stack` is reserved, `stack_used` the high-water mark since reset."""

    arena: int
    data: int
    bss: int
    stack: int
    stack_used: int


def parse_answer(line: bytes) -> Answer | None:
    """The firmware's line, or None for a line of someone else (no `tg` in front, not ASCII, a word without `=`)."""
    try:
        text = line.decode("ascii").strip()
    except UnicodeDecodeError:
        return None
    words = text.split(" ")
    if len(words) < 2 or words[0] != "tg" or not words[1]:
        return None
    fields = []
    for word in words[2:]:
        key, separator, value = word.partition("=")
        if not separator or not key:
            return None
        fields.append((key, value))
    if fields and fields[-1][0] == _SUM:
        said, _, claimed = text.rpartition(f" {_SUM}=")
        right = claimed == f"{crc32(said.encode('ascii')):08x}"
        return Answer(words[1], tuple(fields[:-1]), checked=True) if right else Answer(_DAMAGED, ())
    return Answer(words[1], tuple(fields))


def crc32(data: bytes) -> int:
    """CRC-32 as the firmware computes it (the one of zlib)."""
    return zlib.crc32(data)


def fault_text(answer: Answer, name_address: Callable[[int], str] = hex) -> str:
    """A trap's line for people: what kind, where and why; `name_address` turns a code address into a name."""
    text = f"{answer.text('kind')} fault"
    if answer.has("pc"):
        text += f" in {name_address(answer.number('pc'))}"
    if answer.has("why"):
        causes = answer.text("why").replace("-", " ").split(",")
        text += ": " + ", ".join(causes)
    elif answer.has("cause"):
        text += f": cause {answer.number('cause')}"
    if answer.has("address"):
        text += f" at {answer.number('address'):#010x}"
    if answer.has("lr"):
        text += f", called from {name_address(answer.number('lr'))}"
    if answer.has("layer"):
        text += f", in layer #{answer.number('layer')}"
    return text


class BenchClient:
    """Drives the bench firmware over a byte stream. Raises TG501 when it traps, TG502 when it answers otherwise."""

    def __init__(self, stream: ByteStream, name_address: Callable[[int], str] = hex, *, strict: bool = False) -> None:
        """`strict` is for a line that damages bytes, and a firmware whose greeting was checked.

        It believes only lines with a checksum, takes an input of another size for another input, and a firmware that
        does not know what it has acknowledged for one that was reset.
        """
        self._stream = stream
        self._strict = strict
        self._name_address = name_address

    def boot(self) -> Hello:
        """Reads what a firmware says after reset."""
        return _hello(self._expect("hello"))

    def hello(self) -> Hello:
        """Asks for it again; an empty line first ends whatever a broken connection left half-said."""
        self._stream.write(b"\n")
        self._request("hello")
        return _hello(self._expect("hello"))

    def load(self, index: int, data: bytes) -> None:
        """Writes an input's bytes into the model's memory."""
        self._request(f"load {index} {crc32(data):08x}")
        wanted = self._expect("send").number("bytes")
        if wanted != len(data) and self._strict:
            raise error("TG515", f"asked for input {index}, the firmware wants {wanted} bytes of another")
        if wanted != len(data):
            self._stream.write(bytes(wanted))  # leaves the firmware waiting for nothing
            raise error("TG505", f"input {index} has {wanted} bytes in the firmware, found {len(data)}")
        self._stream.write(data)
        self._same("input", index, self._expect("loaded"))

    def infer(self) -> int:
        """Runs the model once and returns the board's own count; TG501 when invoke reports a failure."""
        self._request("infer")
        ran = self._expect("ran")
        status = ran.number("status")
        if status != 0:
            raise error("TG501", f"the model's invoke function returned {status}, success is 0")
        return ran.number("count")

    def output(self, index: int) -> bytes:
        """An output's bytes; TG515 when their checksum is wrong."""
        self._request(f"output {index}")
        answer = self._expect("bytes")
        self._same("output", index, answer)
        data = self._stream.read(answer.number("bytes"))
        self._stream.read_line()
        if crc32(data) != answer.number("crc"):
            raise error("TG515", f"output {index} arrived damaged: its CRC-32 is {crc32(data):08x}")
        return data

    def layers(self) -> tuple[int, ...]:
        """The board's own count of each layer slot in the last inference of a profiling build."""
        self._request("layers")
        counts: list[int] = []
        answer = self._expect("layer", "layers")
        while answer.word == "layer":
            self._same("index", len(counts), answer)
            counts.append(answer.number("count"))
            answer = self._expect("layer", "layers")
        self._same("slots", len(counts), answer)
        return tuple(counts)

    def others(self) -> int:
        """Runs each other model of the firmware once and returns their number; TG501 when one reports a failure."""
        self._request("others")
        answer = self._expect("others")
        status = answer.number("status")
        if status != 0:
            raise error("TG501", f"another model's invoke function returned {status}, success is 0")
        return answer.number("models")

    def reset(self) -> None:
        """Makes the next inference the first of a sequence."""
        self._request("reset")
        self._expect("reset")

    def memory(self) -> Memory:
        """The memory figures, with the stack's high-water mark."""
        self._request("memory")
        answer = self._expect("memory")
        return Memory(
            arena=answer.number("arena"),
            data=answer.number("data"),
            bss=answer.number("bss"),
            stack=answer.number("stack"),
            stack_used=answer.number("stack_used"),
        )

    def _request(self, text: str) -> None:
        line = f"tg {text}"
        assert len(line) <= LINE_CHARACTERS
        self._stream.write(f"{line}\n".encode("ascii"))

    def _expect(self, *words: str) -> Answer:
        while True:
            answer = parse_answer(self._stream.read_line())
            if answer is None:
                continue
            if answer.word == _DAMAGED or (self._strict and not answer.checked):
                raise error("TG515", "a line arrived damaged")
            if answer.word in words:
                return answer
            raise self._unexpected(answer, words)

    def _same(self, what: str, asked: int, answer: Answer) -> None:
        if answer.number(what) != asked:
            raise error("TG515", f"found {what}={answer.number(what)} in an answer, expected {asked}")

    def _unexpected(self, answer: Answer, words: tuple[str, ...]) -> TinygenError:
        if answer.word == "fault":
            return error("TG501", fault_text(answer, self._name_address))
        if answer.word == "error" and answer.text("reason") == "weights":
            hint = "flash the firmware again; if that does not help, the flash memory is worn out"
            return error("TG508", "the CRC-32 of the weights differs from the generated ones'", hints=(hint,))
        if answer.word == "hello" or (self._strict and answer.word == "error" and answer.text("reason") in _FORGOTTEN):
            return error("TG516", "the board was reset: it has forgotten what it was told")
        if answer.word == "error":
            return error("TG502", f"the firmware refused: {answer.text('reason')}")
        return error("TG502", f"found the firmware's line 'tg {answer.word}', expected 'tg {words[0]}'")


def _hello(answer: Answer) -> Hello:
    version = answer.number("version")
    if version != VERSION:
        raise error("TG502", f"the firmware speaks version {version} of the bench protocol, accepted: {VERSION}")
    return Hello(
        model=answer.text("model"),
        sha256=answer.text("sha256"),
        backend=answer.text("backend"),
        board=answer.text("board"),
        arena_bytes=answer.number("arena"),
        layer_slots=answer.number("layers"),
        profile=answer.number("profile") == 1,
        counter=answer.text("counter"),
        clock_hz=answer.number("clock"),
        clock_fallback=answer.text("clock_fallback") if answer.has("clock_fallback") else None,
        weights=answer.text("weights") if answer.has("weights") else "unchecked",
        input_bytes=answer.numbers("inputs"),
        output_bytes=answer.numbers("outputs"),
    )
