"""QEMU's control connection (QMP): what a running board has in its memory."""

from __future__ import annotations

import json
import re
import socket
from typing import Any, cast

from tinygen.errors import error

_ANSWER_SECONDS = 60
_WORD = re.compile(r":\s*0x(?P<word>[0-9a-f]{8})")


class Control:
    """The connection to one QEMU; TG519 when QEMU refuses something or has ended."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.settimeout(_ANSWER_SECONDS)
        self._lines = connection.makefile("r", encoding="utf-8")
        self._greeted = False

    def word(self, address: int) -> int:
        """The 32 bits at an address, as the core sees it."""
        said = self._ask("human-monitor-command", **{"command-line": f"x /1wx {address:#x}"})
        found = _WORD.search(said)
        if found is None:
            raise error("TG519", f"QEMU cannot read {address:#010x}: {said.strip()}")
        return int(found["word"], 16)

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def _ask(self, command: str, **arguments: str) -> str:
        if not self._greeted:
            self._answer("QMP")
            self._greeted = True
            self._ask("qmp_capabilities")
        request = {"execute": command, **({"arguments": arguments} if arguments else {})}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as problem:
            raise error("TG519", f"QEMU cannot be asked: {problem}") from problem
        return str(self._answer("return"))

    def _answer(self, key: str) -> object:
        """What the next line with that key says; events in between are of no interest."""
        while True:
            try:
                line = self._lines.readline()
            except OSError as problem:
                raise error("TG519", f"QEMU does not answer: {problem}") from problem
            if not line:
                raise error("TG519", "QEMU has ended instead of answering")
            content = cast(dict[str, Any], json.loads(line))
            if "error" in content:
                raise error("TG519", f"QEMU refuses: {content['error'].get('desc')}")
            if key in content:
                return content[key]
