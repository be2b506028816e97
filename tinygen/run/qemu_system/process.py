"""One QEMU process with the bench firmware in it: its serial line as a byte stream, its counts from the plugin."""

from __future__ import annotations

import re
import socket
import subprocess
import tempfile
import weakref
from pathlib import Path

from tinygen.boards import Board
from tinygen.build.elf import read_symbols
from tinygen.errors import TinygenError, error
from tinygen.run.emulator.calls import Calls, find_calls
from tinygen.run.emulator.fault import Names
from tinygen.run.emulator.machine import Program
from tinygen.run.emulator.socket_line import SocketLine, SocketTarget
from tinygen.run.qemu_system.control import Control
from tinygen.run.qemu_system.program import counting_plugin, find_qemu, machine_name

_LAST_WORDS = 4000
_LOCKUP = re.compile(r"qemu: fatal: Lockup: (?P<why>[^\n]*).*R15=(?P<pc>[0-9a-f]+)", re.DOTALL)


class QemuMachine(SocketTarget):
    """A board in QEMU that has been reset; a byte stream for the bench protocol.

    Raises:
        TinygenError: TG411 without QEMU; later TG502 when the firmware is silent, TG519 when QEMU ends.
    """

    def __init__(self, board: Board, program: Program) -> None:
        qemu = find_qemu(board.core)
        self._symbols = read_symbols(program.elf)
        self.names = Names(self._symbols)
        self._folder = tempfile.TemporaryDirectory(prefix="tinygen-qemu-")
        counts = Path(self._folder.name) / "counts"
        ours, theirs = _connection()
        asking, answering = _connection()
        command = [qemu, *machine_arguments(board, program.elf, f"socket,fd={theirs.fileno()}")]
        command += ["-chardev", f"socket,fd={answering.fileno()},id=control", "-mon", "chardev=control,mode=control"]
        lacking: TinygenError | None = None
        try:
            plugin = counting_plugin(qemu)
        except TinygenError as problem:
            lacking = problem
        else:
            calls = find_calls(program.elf, program.function, program.begin, program.end)
            watch = _plugin_arguments(calls, program.slots, counts)
            command += ["-plugin", ",".join((f"file={_escaped(plugin)}", *watch))]
        self.counter = PluginCounts(counts, lacking)
        self._messages = Path(self._folder.name) / "messages"
        with theirs, answering, self._messages.open("wb") as messages:
            # The plugin ends QEMU when standard input does, so that none is left behind by a killed tinygen.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=messages,
                stderr=messages,
                pass_fds=(theirs.fileno(), answering.fileno()),
            )
        self._control = Control(asking)
        self._reap = weakref.finalize(self, _end, self._process, ours, self._control, self._folder)
        self._line = SocketLine(ours, self._ended)

    def word(self, name: str) -> int:
        """The value of a variable of 32 bits; TG519 when QEMU does not tell."""
        return self._control.word(next(symbol.address for symbol in self._symbols if symbol.name == name))

    def close(self) -> None:
        """Ends QEMU, if it has not ended by itself."""
        self._reap()

    def _ended(self) -> TinygenError:
        """QEMU has hung up: its last words say why. A Cortex-M that locks up is the firmware's fault, not QEMU's."""
        self._process.wait()
        said = self._messages.read_bytes()[-_LAST_WORDS:].decode(errors="replace")
        lockup = _LOCKUP.search(said)
        if lockup is not None:
            where = self.names.name(int(lockup["pc"], 16))
            return error("TG501", f"the core locked up, a fault within a fault, in {where}: {lockup['why']}")
        lines = [line for line in said.splitlines() if line and "warning:" not in line]
        return error("TG519", "\n".join((f"QEMU ended with exit code {self._process.returncode}", *lines)))


class PluginCounts:
    """What the plugin wrote: a line for each inference, its count and then its layers'."""

    layer = None
    """Known only when the layer has ended."""

    def __init__(self, file: Path, lacking: TinygenError | None) -> None:
        """`lacking` is why there is no plugin, and then the answer to whoever asks for counts."""
        self._file, self._lacking = file, lacking
        self._read = 0

    @property
    def count(self) -> int:
        return self._last()[0]

    @property
    def layers(self) -> tuple[int, ...]:
        return self._last()[1:]

    def clear(self) -> None:
        self._read = len(self._lines())

    def _last(self) -> tuple[int, ...]:
        if self._lacking is not None:
            raise self._lacking
        lines = self._lines()[self._read :]
        if not lines:
            raise error("TG520", "QEMU's plugin saw no inference", hints=("tinygen doctor shows what is here",))
        return tuple(map(int, lines[-1].split()))

    def _lines(self) -> list[str]:
        return self._file.read_text(encoding="ascii").splitlines() if self._file.exists() else []


def machine_arguments(board: Board, elf: Path, line: str) -> tuple[str, ...]:
    """QEMU's arguments for a board, its firmware and its serial line; `line` is a character device without its id."""
    # A plain character device is polled only until the UART first refuses a byte, before it is enabled; a multiplexed
    # one keeps the bytes. Its escape character is set to what no byte can be.
    unused = ("-serial", "null") * board.emulators.qemu_serial
    return (
        *("-M", machine_name(board), "-kernel", str(elf)),
        *("-display", "none", "-monitor", "none", "-nodefaults", "-nic", "none"),
        *("-chardev", f"{line},id=line,mux=on", "-echr", "256", *unused, "-serial", "chardev:line"),
    )


def _plugin_arguments(calls: Calls, slots: int, counts: Path) -> list[str]:
    watch = [f"out={_escaped(counts)}", f"function={calls.function:x}"]
    watch += [f"back={address:x}" for address in calls.returns]
    if calls.hooks is not None:
        watch += [f"begin_back={address:x}" for address in calls.hooks.begin_returns]
        watch += [f"end={calls.hooks.end:x}-{calls.hooks.end_stop:x}", f"table={calls.hooks.table:x}", f"slots={slots}"]
    return watch


def _connection() -> tuple[socket.socket, socket.socket]:
    """Two ends of a connection. By TCP: some UARTs drop what a Unix socket, full after 300 single bytes, refuses."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        while True:
            theirs, peer = server.accept()
            if peer == ours.getsockname():
                for end in (ours, theirs):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return ours, theirs
            theirs.close()


def _escaped(path: Path) -> str:
    """A path among comma-separated options."""
    return str(path).replace(",", ",,")


def _end(
    process: subprocess.Popen[bytes],
    line: socket.socket,
    control: Control,
    folder: tempfile.TemporaryDirectory[str],
) -> None:
    process.kill()
    process.communicate()
    line.close()
    control.close()
    folder.cleanup()
