"""What a board is: its core, its memories, its serial port, and what runs and programs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tinygen.cores import Core, find_core
from tinygen.registers import Clock, Trigger

STACK_ALIGNMENT = 16
"""Of the stack's end in linker scripts, on any core."""
ARRAY_ALIGNMENT = 8
"""Of the sections that hold arenas."""
NULL_BYTES = 8
"""Left free at address 0."""


@dataclass(frozen=True)
class Memory:
    """A memory region: `size` bytes from `address`; `use` says what firmware places there by default."""

    name: str
    kind: str
    address: int
    size: int
    use: tuple[str, ...]
    data_address: int | None
    """Where loads see the region when that differs from `address`, where instructions are fetched."""
    tightly_coupled: bool
    """The core reaches it without a bus in between, as fast as it computes."""
    source: str

    @property
    def end(self) -> int:
        return self.address + self.size

    @property
    def null_bytes(self) -> int:
        """Bytes at the start where no array can be, as a pointer to it would be null."""
        return NULL_BYTES if self.address == 0 else 0


@dataclass(frozen=True)
class Serial:
    """The UART that reaches the user's computer; `kind` is one of SERIAL_KINDS, `address` its first register."""

    kind: str
    name: str
    address: int
    baud: int
    tx: str
    rx: str
    usb: tuple[str, ...]
    """How the board's USB-serial bridge calls itself, `vendor:product` in hexadecimal; empty where it has none."""
    source: str


@dataclass(frozen=True)
class Port:
    """Which `firmware/ports/<family>` runs here, and the integers it needs to know about this board as C macros."""

    family: str
    defines: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Boot:
    """How the boot ROM finds the firmware.

    `application_offset` bytes at the start of the code region belong to a bootloader; the firmware's image starts after
    them with `header_bytes` bytes of section `.boot`, which the port provides.
    """

    application_offset: int
    header_bytes: int
    source: str


@dataclass(frozen=True)
class Flash:
    """The tool that programs the board, and the board's or chip's name for it and for others that can."""

    tool: str
    targets: tuple[tuple[str, str], ...]

    def target(self, tool: str) -> str | None:
        """The name for a tool; None when it does not know the board."""
        return dict(self.targets).get(tool)


@dataclass(frozen=True)
class Emulators:
    """The board's names in emulators; None where the emulator has no model of it."""

    qemu: str | None
    qemu_serial: int
    """Which of the machine's serial lines is the board's; others come before it."""
    renode: str | None
    renode_uart: str | None
    renode_dwt: bool
    """Whether Renode's platform has the cycle counter of a Cortex-M; most lack it and are given one."""


@dataclass(frozen=True)
class PlatformIO:
    """The board's names in PlatformIO."""

    platform: str
    board: str


@dataclass(frozen=True)
class Board:
    """One board; every number is in bytes or Hz and carries the document it was taken from."""

    id: str
    name: str
    vendor: str
    url: str
    mcu: str
    cpu: str
    features: tuple[str, ...]
    clock_hz: int
    clock_source: str
    stack_bytes: int
    memories: tuple[Memory, ...]
    boot: Boot
    serial: Serial
    port: Port
    clock: Clock | None
    """How the firmware raises the clock; None where it stays as after reset."""
    trigger: Trigger | None
    flash: Flash | None
    emulators: Emulators
    platformio: PlatformIO | None
    verified: tuple[str, ...]
    """The runners that have run tinygen's firmware for this board."""
    file: Path = field(compare=False)
    """Where the description was read from."""

    @property
    def core(self) -> Core:
        core = find_core(self.cpu, self.features)
        assert core is not None, "the loader accepts only cores of the table"
        return core

    @property
    def code(self) -> Memory:
        """The region that holds code and constants."""
        return next(m for m in self.memories if "code" in m.use)

    @property
    def data(self) -> tuple[Memory, ...]:
        """The adjacent regions, in ascending order, that hold variables and the arena as one range."""
        return tuple(m for m in self.memories if "data" in m.use)

    @property
    def arena(self) -> tuple[Memory, ...]:
        """The memories besides `data` that a model's buffers may be in, the tightly coupled first."""
        return tuple(sorted((m for m in self.memories if "arena" in m.use), key=lambda m: not m.tightly_coupled))

    @property
    def stack(self) -> Memory:
        """The region at whose start the stack is; the first of `data`, or one of its own."""
        return next(m for m in self.memories if "stack" in m.use)

    @property
    def main_name(self) -> str:
        """What people call `data`: `dtcm + sram1` where memories follow each other."""
        return " + ".join(m.name for m in self.data)

    @property
    def main_room(self) -> int:
        """Bytes of `data` beside the stack, for variables and arenas."""
        return sum(m.size for m in self.data) - (self._stack_reserve if self.stack in self.data else 0)

    def room(self, memory: Memory) -> int:
        """Bytes that one of `arena` has for arenas, beside the stack."""
        start = memory.address + max(self._stack_reserve if memory == self.stack else 0, memory.null_bytes)
        return max(0, memory.end - -(-start // ARRAY_ALIGNMENT) * ARRAY_ALIGNMENT)

    @property
    def _stack_reserve(self) -> int:
        return -(-self.stack_bytes // STACK_ALIGNMENT) * STACK_ALIGNMENT

    @property
    def flash_capacity(self) -> int:
        """Bytes for the firmware's image: the code region without the bootloader."""
        return self.code.size - self.boot.application_offset

    @property
    def ram_capacity(self) -> int:
        """Bytes for variables, arena and stack; a stack region of its own is counted with the stack's reserve only."""
        data = sum(m.size for m in self.data)
        return data if self.stack in self.data else data + min(self.stack_bytes, self.stack.size)


def serial_way(board: Board) -> str:
    """How a computer reaches the board's UART."""
    if board.serial.usb:
        return "its USB connector"
    return "an emulator" if board.flash is None else "a USB-serial adapter"
