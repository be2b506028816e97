"""Renode's monitor on a TCP port: commands in, what they print out; it speaks telnet and echoes what it hears."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable

from tinygen.errors import TinygenError, error

_START_SECONDS = 120
"""A cold start takes seconds, and more on a computer that does other things."""

_COMMAND_SECONDS = 60
_RETRY_SECONDS = 0.05
_TELNET = re.compile(rb"\xff(?:[\xfb-\xfe].|\xfa.*?\xff\xf0|[^\xfa-\xfe])", re.DOTALL)
_STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\x00]")
_REFUSED = re.compile(
    r"There was an error|No such|Bad parameters|Could not|Command .* failed|Parameters did not|Errors during|Failed to"
)
_PROMPT = re.compile(r"^\([^)]*\) ")
_DONE = "tinygen: command"


class Monitor:
    """A connection to the monitor.

    Raises:
        TinygenError: TG519 when Renode ends or does not start, TG521 when it refuses a command.
    """

    def __init__(self, port: int, running: Callable[[], bool], ended: Callable[[], TinygenError]) -> None:
        """`ended` is asked for the error when Renode is no longer `running` or hangs up."""
        self._running, self._ended = running, ended
        self._commands = 0
        self._socket = self._connect(port)
        self._heard = b""

    def run(self, command: str) -> str:
        """Executes one command and returns what it printed.

        The end of that is told by a line which another command prints; the monitor's echo of it has quotes.
        """
        self._commands += 1
        done = f"{_DONE} {self._commands}"
        try:
            self._socket.sendall(f'{command}\necho "{done}"\n'.encode())
        except OSError:
            raise self._ended() from None
        until = time.monotonic() + _COMMAND_SECONDS
        while True:
            lines = _STEERING.sub("", _TELNET.sub(b"", self._heard).decode(errors="replace")).split("\n")
            if done in lines[:-1]:
                break
            self._fill(command, until)
        self._heard = b""
        echoes = (command, f'echo "{done}"')
        lines = [_PROMPT.sub("", line) for line in lines[: lines.index(done)]]
        printed = [line for line in lines if line.strip() and line not in echoes]
        refusal = next((i for i, line in enumerate(printed) if _REFUSED.match(line)), None)
        if refusal is not None:
            raise error("TG521", "\n".join((f"Renode refused '{command}'", *printed[refusal:])))
        return "\n".join(printed)

    def close(self) -> None:
        self._socket.close()

    def _connect(self, port: int) -> socket.socket:
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port))
            except ConnectionRefusedError:
                if not self._running():
                    raise self._ended() from None
                if time.monotonic() > until:
                    message = f"Renode has not opened its monitor in {_START_SECONDS} s"
                    raise error("TG519", message) from None
                time.sleep(_RETRY_SECONDS)

    def _fill(self, command: str, until: float) -> None:
        try:
            self._socket.settimeout(max(until - time.monotonic(), 0.001))
            data = self._socket.recv(65536)
        except TimeoutError:
            raise error("TG521", f"Renode has not done '{command}' in {_COMMAND_SECONDS} s") from None
        except OSError:
            data = b""
        if not data:
            raise self._ended()
        self._heard += data
