"""A serial line on which bytes get lost and changed: every read ends, and what broke off is noticed early."""

from __future__ import annotations

import time
from typing import Protocol

from tinygen.errors import TinygenError, error
from tinygen.protocol import LINE_CHARACTERS

_BROKEN_OFF_SECONDS = 0.5
"""So long after its last byte a line without an end has lost it: a firmware sends a line in one go."""

_QUIET_SECONDS = 0.1
_ANSWER_SECONDS = 0.1
_NEVER_SILENT_SECONDS = 10
_LONGEST_LINE = 1024
_FILLING = 1024


class Port(Protocol):
    """An open port; whatever it raises is a TinygenError."""

    def receive(self, seconds: float) -> bytes:
        """What has come, at once when something has, or nothing after so long; TG517 when the connection is lost."""

    def send(self, data: bytes) -> None:
        """Sends all of it; TG517 when the connection is lost."""

    def close(self) -> None:
        """Gives the port back."""


class Link:
    """A byte stream with a deadline, set by `allow` and begun anew by each request.

    Raises:
        TinygenError: TG502 when nothing has come by the deadline, TG515 when a line broke off, TG517 of the port.
    """

    def __init__(self, port: Port) -> None:
        self._port = port
        self._buffer = bytearray()
        self._allowed = self._until = 0.0
        self._last = b""

    @property
    def heard(self) -> str:
        """The latest bytes received, for a message."""
        return self._last.decode("ascii", errors="backslashreplace").strip()

    def allow(self, seconds: float) -> None:
        """How long what is asked next may take."""
        self._allowed = seconds
        self._until = time.monotonic() + seconds

    def write(self, data: bytes) -> None:
        """Sends a request or its data. An empty line before a request ends what may be left of another, one behind it
        ends it if its own end got lost; only behind `load` the next byte is data already.
        """
        if data.startswith(b"tg ") and data.endswith(b"\n") and len(data) <= LINE_CHARACTERS + 1:
            data = b"\n" + data + (b"" if data.startswith(b"tg load ") else b"\n")
        self._port.send(data)
        self._until = time.monotonic() + self._allowed

    def read(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._fill()
        return self._take(count)

    def read_line(self) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > _LONGEST_LINE:
                self._buffer.clear()
                raise error("TG515", "a line without an end arrived")
            self._fill(broken_off=bool(self._buffer))
        return self._take(self._buffer.index(b"\n") + 1)

    def recover(self, longest_load: int) -> None:
        """Brings both sides back in step; TG513 when it never gets silent, TG517 of the port.

        A firmware that waits for a request answers a greeting. One that waits for the rest of a load, of up to
        `longest_load` bytes, takes it as such: it gets line ends until it complains.
        """
        self._buffer.clear()
        self._port.send(b"\ntg hello\n\n")
        for _ in range(0, longest_load, _FILLING):
            if self._port.receive(_ANSWER_SECONDS):
                break
            self._port.send(b"\n" * _FILLING)
        until = time.monotonic() + _NEVER_SILENT_SECONDS
        while self._port.receive(_QUIET_SECONDS):
            if time.monotonic() > until:
                raise error("TG513", f"what answers never stops sending: '{self.heard}'")

    def close(self) -> None:
        self._port.close()

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _fill(self, *, broken_off: bool = False) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise self._silent()
        data = self._port.receive(min(left, _BROKEN_OFF_SECONDS) if broken_off else left)
        if not data:
            raise error("TG515", "a line broke off") if broken_off else self._silent()
        self._last = (self._last + data)[-LINE_CHARACTERS:]
        self._buffer += data

    def _silent(self) -> TinygenError:
        return error("TG502", f"the firmware has not answered in {self._allowed:.1f} s")
