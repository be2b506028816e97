"""The serial line of an emulator that runs beside us: a socket whose every read ends, with bytes or with an error."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from tinygen.errors import TinygenError, error

_CHUNK = 65536
_GRACE_SECONDS = 30
_SLOWEST_PER_SECOND = 5_000_000
"""Instructions any of these emulators runs in a second, on a machine that has other things to do."""


class SocketLine:
    """The firmware's bytes. `ended` is asked for the error when the emulator hangs up."""

    def __init__(self, connection: socket.socket, ended: Callable[[], TinygenError]) -> None:
        self._socket, self._ended = connection, ended
        self._buffer = bytearray()
        self._until = 0.0
        self.allow(0)

    def allow(self, instructions: int) -> None:
        """From now, what is read must have come by the time that so many instructions take at the slowest."""
        self._allowed = _GRACE_SECONDS + instructions / _SLOWEST_PER_SECOND
        self._until = time.monotonic() + self._allowed

    def write(self, data: bytes) -> None:
        """Sends bytes, and begins to wait anew; TG519 when the emulator has ended."""
        self._until = time.monotonic() + self._allowed
        try:
            self._socket.settimeout(self._allowed)
            self._socket.sendall(data)
        except TimeoutError:
            raise self._silent() from None
        except OSError:
            raise self._ended() from None

    def read(self, count: int) -> bytes:
        """The next `count` bytes; TG502 at the deadline, TG519 when the emulator has ended."""
        while len(self._buffer) < count:
            self._fill()
        return self._take(count)

    def read_line(self) -> bytes:
        """The next line with its end; errors as `read`."""
        while b"\n" not in self._buffer:
            self._fill()
        return self._take(self._buffer.index(b"\n") + 1)

    def close(self) -> None:
        self._socket.close()

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _fill(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise self._silent()
        try:
            self._socket.settimeout(left)
            data = self._socket.recv(_CHUNK)
        except TimeoutError:
            raise self._silent() from None
        except OSError:
            data = b""
        if not data:
            raise self._ended()
        self._buffer += data

    def _silent(self) -> TinygenError:
        said = f", after {bytes(self._buffer[-80:])!r}" if self._buffer else ""
        return error("TG502", f"the firmware has not answered in {self._allowed:.0f} s{said}")


class SocketTarget:
    """The serial side of an emulator that runs beside us; `_line` is its connection."""

    names_layers = False
    _line: SocketLine
    _budget = 0

    @property
    def budget(self) -> int:
        """Instructions an answer may take; as time, at the pace of a slow computer."""
        return self._budget

    @budget.setter
    def budget(self, instructions: int) -> None:
        self._budget = instructions
        self._line.allow(instructions)

    def write(self, data: bytes) -> None:
        """Sends bytes; errors as SocketLine."""
        self._line.write(data)

    def read(self, count: int) -> bytes:
        """The next `count` bytes; errors as SocketLine."""
        return self._line.read(count)

    def read_line(self) -> bytes:
        """The next line with its end; errors as SocketLine."""
        return self._line.read_line()
