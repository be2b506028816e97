"""One Renode process with the bench firmware in it: its serial line as a byte stream, its counts from hooks."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import weakref
from pathlib import Path

from tinygen.boards import Board
from tinygen.build.elf import read_symbols
from tinygen.errors import TinygenError, error
from tinygen.project.renode import renode_script
from tinygen.run.emulator.calls import Calls, find_calls
from tinygen.run.emulator.fault import Names
from tinygen.run.emulator.machine import Program
from tinygen.run.emulator.socket_line import SocketLine, SocketTarget
from tinygen.run.renode_system.monitor import Monitor
from tinygen.run.renode_system.program import find_renode

_ARGUMENT_REGISTERS = {"thumb": 0, "riscv": 10}
"""Where a function finds its first argument, in Renode's numbers of registers."""

_LAST_WORDS = 2000


class RenodeMachine(SocketTarget):
    """A board in Renode that has been reset; a byte stream for the bench protocol.

    Raises:
        TinygenError: TG412 without a Renode that can be this board, TG519 when it ends, TG521 when it refuses a
            command; later TG502 when the firmware is silent.
    """

    def __init__(self, board: Board, program: Program) -> None:
        renode = find_renode(board)
        self.names = Names(read_symbols(program.elf))
        self._folder = tempfile.TemporaryDirectory(prefix="tinygen-renode-")
        folder = Path(self._folder.name)
        self._messages = folder / "messages"
        self.counter = HookCounts(folder / "counts", program.slots)
        monitor_port, line_port = _free_port(), _free_port()
        command = [renode, "--plain", "--disable-xwt", "-P", str(monitor_port)]
        with self._messages.open("wb") as messages:
            # `renode` is a script that starts the program: a session of its own lets both be ended.
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages, start_new_session=True
            )
        with contextlib.ExitStack() as resources:
            resources.callback(weakref.finalize(self, _end, self._process, self._folder))
            self._monitor = resources.enter_context(
                contextlib.closing(Monitor(monitor_port, self._running, self._ended))
            )
            self._set_up(board, program, folder, line_port)
            connection = resources.enter_context(socket.create_connection(("127.0.0.1", line_port)))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._line = SocketLine(connection, self._ended)
            self._monitor.run("start")
            self._resources = resources.pop_all()

    def executed(self) -> int:
        """Instructions since reset, of the whole firmware."""
        return int(self._monitor.run("cpu ExecutedInstructions"), 0)

    def close(self) -> None:
        """Ends Renode, if it has not ended by itself."""
        self._resources.close()

    def _set_up(self, board: Board, program: Program, folder: Path, port: int) -> None:
        script = folder / f"{board.id}.resc"
        script.write_text(renode_script(board), encoding="utf-8")
        self._monitor.run(f"$bin={_path(program.elf)}")
        self._monitor.run(f"$port={port}")
        self._monitor.run(f"include {_path(script)}")
        calls = find_calls(program.elf, program.function, program.begin, program.end)
        for command in hook_commands(calls, board.core.arch, folder / "counts"):
            self._monitor.run(command)

    def _running(self) -> bool:
        return self._process.poll() is None

    def _ended(self) -> TinygenError:
        """Renode has hung up: its last words say why."""
        try:
            code: int | None = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            code = None
        said = self._messages.read_bytes()[-_LAST_WORDS:].decode(errors="replace").strip()
        ended = "Renode hung up" if code is None else f"Renode ended with exit code {code}"
        return error("TG519", "\n".join((ended, *([said] if said else []))))


class HookCounts:
    """What the hooks wrote, a line each: `enter`, `back`, `begin` and `end SLOT`, with the instructions so far."""

    layer = None
    """Known only when the layer has ended."""

    def __init__(self, file: Path, slots: int) -> None:
        self._file, self._slots = file, slots
        self._read = 0

    @property
    def count(self) -> int:
        return self._last()[0]

    @property
    def layers(self) -> tuple[int, ...]:
        return self._last()[1]

    def clear(self) -> None:
        self._read = len(self._lines())

    def _last(self) -> tuple[int, tuple[int, ...]]:
        """The last inference and its layers."""
        found: tuple[int, tuple[int, ...]] | None = None
        start = layer_start = 0
        layers = [0] * self._slots
        for line in self._lines()[self._read :]:
            word, *numbers = line.split()
            *slot, now = map(int, numbers)
            if word == "enter":
                start, layers = now, [0] * self._slots
            elif word == "begin":
                layer_start = now
            elif word == "end":
                layers[slot[0]] += now - layer_start
            elif word == "back":
                found = now - start, tuple(layers)
        if found is None:
            raise error("TG520", "Renode's hooks saw no inference", hints=("tinygen doctor shows what is here",))
        return found

    def _lines(self) -> list[str]:
        return self._file.read_text(encoding="ascii").splitlines() if self._file.exists() else []


def hook_commands(calls: Calls, arch: str, counts: Path) -> tuple[str, ...]:
    """The monitor's commands that append to `counts` where an inference and its layers begin and end.

    A hook runs before the instruction at its address, when ExecutedInstructions has all before it and none after.
    """
    slot = f"self.GetRegister({_ARGUMENT_REGISTERS[arch]}).RawValue"
    events: list[tuple[int, tuple[str, ...]]] = [(calls.function, ("'enter'",))]
    events += [(address, ("'back'",)) for address in calls.returns]
    if calls.hooks is not None:
        events += [(address, ("'begin'",)) for address in calls.hooks.begin_returns]
        events.append((calls.hooks.end, ("'end'", slot)))
    return tuple(f'cpu AddHook {address:#010x} "{_hook(counts, words)}"' for address, words in events)


def _hook(counts: Path, words: tuple[str, ...]) -> str:
    """Python of both kinds in one line, without the quotes that the monitor takes for its own."""
    values = ", ".join((*words, "self.ExecutedInstructions"))
    form = " ".join("{}" for _ in range(len(words) + 1))
    return f"f = open('{counts.as_posix()}', 'a'); f.write('{form}'.format({values}) + chr(10)); f.close()"


def _path(path: Path) -> str:
    """A path as the monitor reads it."""
    return "@" + path.as_posix().replace(" ", "\\ ")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _end(process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    folder.cleanup()
