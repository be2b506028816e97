"""UARTs for an emulator that has none, made from the register descriptions in firmware/ports/<family>/port.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tinygen.boards import Board
from tinygen.errors import Origin, error


@dataclass(frozen=True)
class PeripheralMemory:
    """A range of peripheral registers the port touches, for which plain memory is good enough."""

    address: int
    size: int


@dataclass(frozen=True)
class Preset:
    """A register that must read as this word, because the port waits for it."""

    address: int
    value: int


@dataclass(frozen=True)
class Status:
    """A status register: its word when nothing has been received, and when something has."""

    offset: int
    idle: int
    ready: int


@dataclass(frozen=True)
class RegisterUart:
    """A UART with data registers. `receive_empty` is what the receive register reads as when there is nothing."""

    transmit: int
    receive: int
    receive_empty: int
    status: tuple[Status, ...]


@dataclass(frozen=True)
class DmaUart:
    """A UART whose tasks move bytes between the line and memory; every field is a register's offset."""

    transmit_start: int
    transmit_address: int
    transmit_count: int
    transmit_end: int
    receive_start: int
    receive_address: int
    receive_count: int
    receive_end: int


@dataclass(frozen=True)
class PortModel:
    """What stands in for a port's peripherals."""

    memory: tuple[PeripheralMemory, ...]
    presets: tuple[Preset, ...]
    uart: RegisterUart | DmaUart


def load_port_model(board: Board, project: Path) -> PortModel:
    """The stand-in for the port in a project's folder; TG503 when it describes none for the board's UART."""
    path = project / "firmware" / "ports" / board.port.family / "port.toml"
    origin = Origin(str(path))
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        hint = "describe the port's UART in this file, as the other folders of firmware/ports do"
        raise error(
            "TG503", f"cannot read the port's description: {problem}", origin=origin, hints=(hint,)
        ) from problem
    uarts = content.get("uart", {})
    if board.serial.kind not in uarts:
        known = ", ".join(uarts) or "none"
        raise error("TG503", f"found no UART '{board.serial.kind}', described: {known}", origin=origin)
    try:
        return PortModel(
            memory=tuple(PeripheralMemory(**region) for region in content.get("memory", ())),
            presets=tuple(Preset(**preset) for preset in content.get("preset", ())),
            uart=_uart(uarts[board.serial.kind]),
        )
    except (KeyError, TypeError) as problem:
        raise error("TG503", f"the port's description is not valid: {problem}", origin=origin) from problem


def _uart(registers: dict[str, Any]) -> RegisterUart | DmaUart:
    if "transmit_start" in registers:
        return DmaUart(**registers)
    return RegisterUart(
        transmit=registers["transmit"],
        receive=registers["receive"],
        receive_empty=registers.get("receive_empty", 0),
        status=tuple(Status(**status) for status in registers["status"]),
    )


class MemoryBus(Protocol):
    """The memory a UART with DMA reads and writes."""

    def mem_read(self, address: int, size: int) -> bytearray: ...

    def mem_write(self, address: int, data: bytes) -> None: ...


class UartDevice:
    """The firmware's end of the line. `on_idle` is called when the firmware waits for a byte and there is none.

    Sending polls the same status register as receiving, once for each byte sent: waiting is polling it twice in a row.
    """

    def __init__(self, model: RegisterUart | DmaUart, bus: MemoryBus, on_idle: Callable[[], None]) -> None:
        self._model, self._bus, self._on_idle = model, bus, on_idle
        self._registers: dict[int, int] = {}
        self._received = bytearray()
        self._next = 0
        self._receiving = False
        self._polls = 0
        self.transmitted = bytearray()

    def receive(self, data: bytes) -> None:
        """Bytes for the firmware to read."""
        self._polls = 0
        del self._received[: self._next]
        self._next = 0
        self._received += data

    @property
    def _waiting(self) -> bool:
        return self._next == len(self._received)

    def _poll(self) -> None:
        self._polls += 1
        if self._polls >= 2:
            self._on_idle()

    def read(self, offset: int) -> int:
        """What the register at `offset` reads as."""
        model = self._model
        if isinstance(model, DmaUart):
            return self._read_dma(model, offset)
        for status in model.status:
            if offset == status.offset:
                if self._waiting:
                    self._poll()
                    return status.idle
                return status.ready
        if offset == model.receive:
            if self._waiting:
                self._poll()
                return model.receive_empty
            self._next += 1
            return self._received[self._next - 1]
        if offset == model.transmit:
            return 0
        return self._registers.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        """The firmware writes a register."""
        model = self._model
        self._polls = 0
        if isinstance(model, DmaUart):
            self._write_dma(model, offset, value)
        elif offset == model.transmit:
            self.transmitted.append(value & 0xFF)
        else:
            self._registers[offset] = value

    def _read_dma(self, model: DmaUart, offset: int) -> int:
        if offset == model.receive_end and self._receiving and not self._registers.get(offset):
            if self._waiting:
                self._poll()
                return 0
            count = self._registers.get(model.receive_count, 0)
            data = bytes(self._received[self._next : self._next + count])
            self._next += len(data)
            self._bus.mem_write(self._registers.get(model.receive_address, 0), data)
            self._registers[offset] = 1
            self._receiving = False
        return self._registers.get(offset, 0)

    def _write_dma(self, model: DmaUart, offset: int, value: int) -> None:
        self._registers[offset] = value
        if offset == model.transmit_start:
            count = self._registers.get(model.transmit_count, 0)
            self.transmitted += self._bus.mem_read(self._registers.get(model.transmit_address, 0), count)
            self._registers[model.transmit_end] = 1
        elif offset == model.receive_start:
            self._receiving = True


def page_of(address: int) -> tuple[int, int]:
    """The 4 KiB page an address is in, and the address's offset in it."""
    return address & ~0xFFF, address & 0xFFF


def split_around(regions: tuple[PeripheralMemory, ...], page: int) -> list[tuple[int, int]]:
    """The regions as (address, size), merged, without the 4 KiB at `page`, which the UART's registers take."""
    pieces: list[tuple[int, int]] = []
    for region in regions:
        if region.address <= page < region.address + region.size:
            pieces.append((region.address, page - region.address))
            pieces.append((page + 0x1000, region.address + region.size - page - 0x1000))
        else:
            pieces.append((region.address, region.size))
    return [piece for piece in pieces if piece[1] > 0]


def registers_of(device: UartDevice, base_offset: int) -> tuple[Callable[..., int], Callable[..., None]]:
    """Unicorn's callbacks for the page of a UART whose first register is `base_offset` bytes into it."""

    def read(_uc: Any, offset: int, _size: int, _user: object) -> int:
        return device.read(offset - base_offset)

    def write(_uc: Any, offset: int, _size: int, value: int, _user: object) -> None:
        device.write(offset - base_offset, value)

    return read, write
