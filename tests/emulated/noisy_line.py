"""A TCP line to a firmware in QEMU that damages bytes on purpose, the same ones for the same seed and stream."""

from __future__ import annotations

import random
import selectors
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tinygen.boards import Board
from tinygen.run.qemu_system.process import machine_arguments
from tinygen.run.qemu_system.program import find_qemu


class Target:
    """QEMU with a firmware, on a port of this computer; `restart` is a reset that its users see as a new boot."""

    def __init__(self, board: Board, elf: Path) -> None:
        self._board, self._elf = board, elf
        self.port = 0
        self._changing = threading.Lock()
        self._process = self._start()

    @property
    def url(self) -> str:
        return f"socket://127.0.0.1:{self.port}"

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def restart(self) -> None:
        with self._changing:
            self.kill()
            self._process = self._start()

    def connect(self) -> socket.socket:
        """A connection of one's own."""
        with self._changing:
            return socket.create_connection(("127.0.0.1", self.port))

    def _start(self) -> subprocess.Popen[bytes]:
        """QEMU gets a socket that listens already, so that nobody has to wait until it does."""
        with socket.create_server(("127.0.0.1", self.port)) as server:
            self.port = int(server.getsockname()[1])
            line = f"socket,fd={server.fileno()},server=on,wait=on,nodelay=on"
            command = [find_qemu(self._board.core), *machine_arguments(self._board, self._elf, line)]
            command += ["-icount", "shift=0,sleep=off"]
            quiet = subprocess.DEVNULL
            return subprocess.Popen(command, stdout=quiet, stderr=quiet, pass_fds=(server.fileno(),))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


class Noise:
    """Damages one byte in `every`, on average: it is lost, or changed, or another one comes before it."""

    def __init__(self, seed: int, every: int) -> None:
        self._random, self._every = random.Random(seed), every
        self.damaged = 0

    def __call__(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            kind = self._random.randrange(3 * self._every)
            self.damaged += kind < 3
            if kind == 1:
                out.append(byte ^ 1 << self._random.randrange(8))
            elif kind == 2:
                out += bytes((self._random.randrange(256), byte))
            elif kind != 0:
                out.append(byte)
        return bytes(out)


def clean(data: bytes) -> bytes:
    """No noise."""
    return data


class NoisyLine:
    """A line in front of a target. It outlives the target: when that is restarted, the line leads to the new one."""

    def __init__(self, target: Target, to_board: Callable[[bytes], bytes], to_host: Callable[[bytes], bytes]) -> None:
        self._target, self._to_board, self._to_host = target, to_board, to_host
        self._server = socket.create_server(("127.0.0.1", 0))
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"socket://127.0.0.1:{self._server.getsockname()[1]}"

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            for wanted in (self._server, self._stopped):
                selector.register(wanted, selectors.EVENT_READ)
            if any(key.fileobj is self._stopped for key, _ in selector.select()):
                return
        host, _ = self._server.accept()
        host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        board = self._target.connect()
        with host, selectors.DefaultSelector() as selector:
            for end in (host, board, self._stopped):
                selector.register(end, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._stopped in ready:
                    board.close()
                    return
                if host in ready:
                    data = host.recv(65536)
                    if not data:
                        board.close()
                        return
                    board.sendall(self._to_board(data))
                if board in ready:
                    data = _received(board)
                    if data:
                        host.sendall(self._to_host(data))
                    else:
                        selector.unregister(board)
                        board.close()
                        board = self._target.connect()
                        selector.register(board, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.close()
        self._thread.join()
        self._stopped.close()
        self._server.close()


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""
