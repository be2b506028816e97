"""The `serial` runner: a board on a serial port, found by its USB id or named, by a path or by a URL."""

from __future__ import annotations

import errno
import importlib.util
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygen.boards import Board
from tinygen.build.flags import DEFAULT_OPTIMIZATION
from tinygen.errors import TinygenError, error
from tinygen.project.model import Project
from tinygen.run.on_board.session import BoardSession

_VOUCHED = "#board"
"""Behind a URL: a board is at its end, says the user, for nothing that arrives can."""

_WRITE_SECONDS = 30
_POLL_SECONDS = 0.02
_CHUNK = 4096
_PSEUDO_TERMINALS = ("/dev/pts/", "/dev/ttyp")
_NO_PORTS = "there are none"


@dataclass(frozen=True)
class SerialRunner:
    """Talks to projects' firmware on a serial port; without `port` to the one board that is plugged in."""

    port: str | None = None

    name = "serial"
    summary = "a board on a serial port: --on serial, serial:/dev/ttyACM0, serial:COM3, serial:socket://HOST:PORT"
    missing = "TG404"

    def available(self) -> str | None:
        if importlib.util.find_spec("serial") is None:
            return 'pyserial is not installed, pip install "tinygen[emulate]" brings it'
        return None

    def at(self, target: str) -> SerialRunner:
        """The same for a port of that name."""
        return SerialRunner(target)

    def open(
        self, project: Project, build: Path, *, compiler: str | None = None, optimize: str = DEFAULT_OPTIMIZATION
    ) -> BoardSession:
        """Greets the board; nothing is built, what is flashed is what runs.

        Raises:
            TinygenError: TG404 without pyserial, TG510 without a port, TG511 when several boards are plugged in, TG512
                when the port cannot be opened, TG502, TG513 or TG514 when the right firmware does not answer.
        """
        missing = self.available()
        if missing is not None:
            raise error(self.missing, missing)
        url = find_port(project.board) if self.port is None else self.port
        board = is_board(url)
        url = url.removesuffix(_VOUCHED)

        def connect() -> SerialPort:
            return SerialPort(url, project.board.serial.baud)

        return BoardSession(project, self.name, url, connect, board=board)


class SerialPort:
    """An open port of pyserial's."""

    def __init__(self, url: str, baud: int) -> None:
        import serial

        local: dict[str, object] = {}
        if "://" not in url:
            local = {"write_timeout": _WRITE_SECONDS, **({"exclusive": True} if os.name == "posix" else {})}
        try:
            # The time-out stays as it is: behind rfc2217:// each change of a setting is negotiated.
            self._serial: Any = serial.serial_for_url(url, baudrate=baud, timeout=_POLL_SECONDS, **local)
        except (serial.SerialException, ValueError, OSError) as problem:
            raise _cannot_open(url, problem) from problem
        self._url = url

    def receive(self, seconds: float) -> bytes:
        import serial

        until = time.monotonic() + seconds
        try:
            data = bytes(self._serial.read(1))
            while not data and time.monotonic() < until:
                data = bytes(self._serial.read(1))
            while data and len(data) < _CHUNK and (waiting := self._serial.in_waiting):
                data += self._serial.read(waiting)
            return data
        except (serial.SerialException, OSError, TypeError) as problem:
            raise self._lost(problem) from problem

    def send(self, data: bytes) -> None:
        import serial

        try:
            self._serial.write(data)
        except (serial.SerialException, OSError, TypeError) as problem:
            raise self._lost(problem) from problem

    def close(self) -> None:
        # pyserial forgets a socket whose other end is gone without closing it.
        connection = getattr(self._serial, "_socket", None)
        self._serial.close()
        if connection is not None:
            connection.close()

    def _lost(self, problem: Exception) -> TinygenError:
        hints = ("plug the board in again", "another program on the same port takes bytes away")
        return error("TG517", f"the connection to {self._url} was lost: {problem}", hints=hints)


def find_port(board: Board) -> str:
    """The port of the one board with the description's USB ids; TG510 when there is none, TG511 for several."""
    from serial.tools import list_ports

    ports = sorted(list_ports.comports(), key=lambda port: str(port.device))
    found = [p for p in ports if p.vid is not None and f"{p.vid:04x}:{p.pid:04x}" in board.serial.usb]
    if len(found) == 1:
        return str(found[0].device)
    here = ", ".join(f"{p.device} ({p.description})" for p in ports) or _NO_PORTS
    if found:
        listed = ", ".join(f"{p.device} (serial number {p.serial_number})" for p in found)
        hints = tuple(f"--on serial:{p.device}" for p in found)
        raise error("TG511", f"found {len(found)} ports that may be {board.name}: {listed}", hints=hints)
    if not board.serial.usb:
        message = f"{board.name} has no USB port for {board.serial.name}; an adapter's port must be named"
    else:
        message = f"found no port of {board.name}, which is USB {' or '.join(board.serial.usb)}"
    raise error("TG510", f"{message}; ports: {here}", hints=("--on serial:/dev/ttyACM0 or serial:COM3 names a port",))


def is_board(url: str) -> bool:
    """Whether a port leads to hardware: one of this computer's that is no pseudo-terminal, or if the user says so."""
    if url.endswith(_VOUCHED):
        return True
    return "://" not in url and not os.path.realpath(url).startswith(_PSEUDO_TERMINALS)


def _cannot_open(url: str, problem: Exception) -> TinygenError:
    from serial.tools import list_ports

    number = getattr(problem, "errno", None)
    if number == errno.ENOENT or isinstance(problem, FileNotFoundError):
        here = ", ".join(str(port.device) for port in list_ports.comports()) or _NO_PORTS
        return error("TG510", f"there is no port {url}; ports: {here}", hints=("plug the board in",))
    hints: tuple[str, ...] = ()
    if number == errno.EACCES:
        hints = ("sudo usermod -a -G dialout $USER, then log in again",)
    elif number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in str(problem):
        hints = ("another program has it: close the terminal or IDE that shows this port",)
    elif "refused" in str(problem):
        hints = ("nothing listens there: start the emulator or the serial server first",)
    elif "://" in url:
        hints = ("accepted: a device such as /dev/ttyACM0 or COM3, socket://HOST:PORT, rfc2217://HOST:PORT",)
    return error("TG512", f"{url} cannot be opened: {problem}", hints=hints)


RUNNER = SerialRunner()
