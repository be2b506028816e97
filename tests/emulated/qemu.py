"""Runs a board's bench ELF in QEMU, as a byte stream for the bench protocol, and counts calls with a plugin."""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tinygen.boards import Board
from tinygen.build.elf import Symbol, read_symbols
from tinygen.errors import error

_PLUGIN_SOURCE = Path(__file__).with_name("count_calls.c")
_SILENCE_SECONDS = 60
_CALLERS = ("main", "answer", "infer")
"""The functions of bench.c that may hold the call of invoke, after whatever inlining."""


def build_plugin(folder: Path) -> Path:
    """The counting plugin as a shared library; it needs no header of QEMU's."""
    library = folder / "libcount_calls.so"
    command = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(library), str(_PLUGIN_SOURCE)]
    subprocess.run(command, check=True)
    return library


class Qemu:
    """A QEMU process: its first serial line is the byte stream, `counts` are the calls counted so far."""

    def __init__(self, board: Board, elf: Path, function: str, plugin: Path) -> None:
        assert board.emulators.qemu is not None
        self._counts = elf.with_suffix(".counts")
        self._counts.unlink(missing_ok=True)
        functions = {s.name: s for s in read_symbols(elf) if s.kind == "func"}
        callers = [functions[name] for name in _CALLERS if name in functions]
        watch = f"file={plugin},function={functions[function].address:x},out={self._counts}"
        watch += "".join(f",back={_range(caller)}" for caller in callers)
        system = "arm" if board.core.arch == "thumb" else "riscv32"
        command = [f"qemu-system-{system}", "-M", board.emulators.qemu, "-kernel", str(elf), "-plugin", watch]
        # A plain character device is polled only until the UART first refuses a byte, before it is enabled; a
        # multiplexed one keeps the bytes. Its escape character is set to what no byte can be.
        command += ["-display", "none", "-monitor", "none", "-nodefaults", "-nic", "none"]
        command += ["-chardev", "stdio,id=line,mux=on,signal=off", "-serial", "chardev:line", "-echr", "256"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT)
        self._buffer = bytearray()

    @property
    def counts(self) -> tuple[int, ...]:
        return tuple(int(line) for line in self._counts.read_text().split())

    def write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def read(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._fill()
        return self._take(count)

    def read_line(self) -> bytes:
        while b"\n" not in self._buffer:
            self._fill()
        return self._take(self._buffer.index(b"\n") + 1)

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _fill(self) -> None:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _SILENCE_SECONDS)
        data = os.read(self._process.stdout.fileno(), 65536) if ready else b""
        if not data:
            raise error("TG502", f"QEMU is silent after {bytes(self._buffer[-200:])!r}")
        self._buffer += data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


def _range(symbol: Symbol) -> str:
    return f"{symbol.address:x}-{symbol.address + symbol.size:x}"
