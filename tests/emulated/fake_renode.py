#!/usr/bin/env python3
"""Stands in for the `renode` executable: the part of its monitor that is used, with the board on Unicorn.

It is written from Renode's own behaviour: telnet negotiation and echo on the monitor's port, prompts with the machine's
name, errors as Renode words them, hooks in Python that see the CPU as `self`, the UART on a socket of its own.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

from tinygen.boards import all_boards
from tinygen.run.emulator.block_counter import count_instructions
from tinygen.run.emulator.machine import Machine, Program

GREETING = bytes((255, 253, 0, 255, 253, 31, 255, 251, 1, 255, 251, 3, 255, 252, 34))


class RefusedError(Exception):
    """A command that the monitor refuses."""


class Cpu:
    """What hooks see as `self`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.ExecutedInstructions = 0

    def GetRegister(self, number: int) -> SimpleNamespace:  # noqa: N802 - Renode's name
        name = f"R{number}" if self._machine._thumb else f"X{number}"
        return SimpleNamespace(RawValue=self._machine._register(name))


class Renode:
    """One emulation."""

    def __init__(self) -> None:
        self.name = "monitor"
        self.variables: dict[str, str] = {}
        self.platform = self.uart = self.macro = ""
        self.hooks: dict[int, list[str]] = {}
        self.started = threading.Event()
        self.cpu: Cpu | None = None

    def execute(self, text: str) -> str:
        """What a command prints."""
        text = re.sub(r"\$(\w+)(?!\w*=)", lambda m: self.variables[m[1]], text)
        if assigned := re.fullmatch(r"\$(\w+)=(\S.*)", text):
            self.variables[assigned[1]] = assigned[2]
        elif text.startswith("echo "):
            return text[6:-1] + "\n"
        elif text.startswith("include @"):
            self._include(Path(_path(text[8:])).read_text())
        elif text == "cpu ExecutedInstructions":
            assert self.cpu is not None
            return f"0x{self.cpu.ExecutedInstructions:016X}\n"
        elif hook := re.fullmatch(r'cpu AddHook (0x[0-9a-f]+) "(.*)"', text):
            self.hooks.setdefault(int(hook[1], 16), []).append(hook[2])
        elif text == "start":
            self.started.set()
        else:
            raise RefusedError(f"No such command or device: {text.split()[0]}")
        return ""

    def _include(self, script: str) -> None:
        script = re.sub(r"(?m)^[#:].*$", "", script)
        reset = re.search(r'macro reset\n"""(.*?)"""\nrunMacro \$reset', script, re.DOTALL)
        assert reset is not None
        for line in filter(None, script[: reset.start()].splitlines()):
            self._script_line(line)
        for line in filter(str.strip, reset[1].splitlines()):
            self._script_line(line.strip())
        assert not script[reset.end() :].strip()

    def _script_line(self, line: str) -> None:
        if created := re.fullmatch(r'mach create "(.*)"', line):
            self.name = created[1]
        elif loaded := re.fullmatch(r"machine LoadPlatformDescription @(\S+\.repl)", line):
            if loaded[1] not in {board.emulators.renode for board in all_boards()}:
                raise RefusedError(
                    f"There was an error executing command 'machine': \nCould not find file '{loaded[1]}'"
                )
            self.platform = loaded[1]
        elif served := re.fullmatch(r'emulation CreateServerSocketTerminal \$port "line" false', line):
            assert served
            self.line = socket.create_server(("127.0.0.1", int(self.variables["port"])))
        elif connected := re.fullmatch(r"connector Connect (sysbus\.\w+) line", line):
            self.uart = connected[1]
        elif line == "sysbus LoadELF $bin":
            self.elf = Path(_path(self.variables["bin"]))
            threading.Thread(target=self._serve, daemon=True).start()
        else:
            known = (
                "using sysbus",
                r"cpu PerformanceInMips \d+",
                r'machine LoadPlatformDescriptionFromString "dwt: Miscellaneous\.DWT @ sysbus 0xE0001000 .*"',
                r'cpu (VectorTableOffset|PC) `sysbus GetSymbolAddress "\w+"`',
            )
            assert any(re.fullmatch(pattern, line) for pattern in known), line

    def _serve(self) -> None:
        """The UART's socket, and the core behind it, from `start` on."""
        board = next(
            b for b in all_boards() if (b.emulators.renode, b.emulators.renode_uart) == (self.platform, self.uart)
        )
        connection, _ = self.line.accept()
        self.started.wait()
        project = Path(os.environ["FAKE_RENODE_PROJECT"])
        machine = _Hooked(board, project, Program.of(self.elf, os.environ["FAKE_RENODE_PREFIX"], 3), self)
        while True:
            connection.sendall(machine._take(machine._taken + len(machine._uart.transmitted)))
            data = connection.recv(4096)
            if not data:
                return
            machine.write(data)
            machine._run()


class _Hooked(Machine):
    """The board, with Renode's hooks in front of its blocks."""

    def __init__(self, board, project, program, renode: Renode) -> None:
        self._renode = renode
        super().__init__(board, project, program, native=False)

    def _load(self, elf: Path) -> int:
        from unicorn import UC_HOOK_BLOCK

        self._renode.cpu = Cpu(self)
        self._uc.hook_add(UC_HOOK_BLOCK, self._on_block)
        return super()._load(elf)

    def _on_block(self, uc, address: int, size: int, _user: object) -> None:
        for code in self._renode.hooks.get(address, ()):
            exec(code, {"self": self._renode.cpu})
        self._renode.cpu.ExecutedInstructions += count_instructions(
            bytes(uc.mem_read(address, size)), thumb=self._thumb
        )


def _path(token: str) -> str:
    return token.removeprefix("@").replace("\\ ", " ")


def main() -> None:
    if "--version" in sys.argv:
        print(
            os.environ.get(
                "FAKE_RENODE_VERSION", "Renode v1.16.1\n  build: 9f2e1a7b4-202602160412\n  runtime: .NET 8.0"
            )
        )
        return
    if "FAKE_RENODE_ENDS" in os.environ:
        sys.exit("Unhandled exception: there is no .NET here")
    assert {"--plain", "--disable-xwt"} <= set(sys.argv)
    with socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("-P") + 1]))) as server:
        monitor, _ = server.accept()
    renode = Renode()
    stream = monitor.makefile("rwb", buffering=0)
    stream.write(GREETING + b"\r\nRenode, version 1.16.1\r\n\r\n(monitor) ")
    for line in stream:
        text = line.decode().rstrip("\r\n")
        stream.write(text.encode() + b"\r\n")  # a terminal echoes
        if text == os.environ.get("FAKE_RENODE_DIES_AT"):
            os._exit(3)
        try:
            printed = renode.execute(text)
        except RefusedError as problem:
            printed = f"{problem}\n"
        stream.write((printed.replace("\n", "\r\n") + f"({renode.name}) ").encode())


if __name__ == "__main__":
    main()
