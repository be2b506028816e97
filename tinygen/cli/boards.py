"""`tinygen boards`: the boards tinygen knows."""

from __future__ import annotations

from dataclasses import dataclass

import click

from tinygen.boards import Board, all_boards, serial_way
from tinygen.cli import _options as options
from tinygen.cli._output import Output


@dataclass(frozen=True)
class BoardItem:
    """One board."""

    id: str
    name: str
    vendor: str
    mcu: str
    cpu: str
    features: tuple[str, ...]
    """Core features: `dsp`, `mve`, `fpu-sp`, `fpu-dp`."""
    clock_hz: int
    flash_bytes: int
    """Flash for firmware, without what a bootloader keeps."""
    ram_bytes: int
    """RAM for variables, arena and stack."""
    serial: str
    """The UART the firmware answers on."""
    serial_tx: str
    """Where it sends."""
    serial_rx: str
    """Where it receives."""
    serial_way: str
    """How a computer reaches it: the board's USB connector, an adapter on the pins, an emulator."""
    trigger_pin: str | None
    """High while the model runs; null where the board's file names none."""
    verified: tuple[str, ...]
    """Runners that have run tinygen's firmware for this board."""


@dataclass(frozen=True)
class BoardsDocument:
    """`tinygen boards`."""

    boards: tuple[BoardItem, ...]


DOCUMENT = BoardsDocument


@click.command("boards")
@options.common
def command(output: Output) -> None:
    """List the boards tinygen knows, with their memory."""
    items = tuple(_item(board) for board in all_boards())

    def show() -> None:
        header = ("board", "name", "core", "clock", "flash", "RAM", "serial line", "verified on")
        rows = [
            (
                b.id,
                b.name,
                b.cpu,
                _mhz(b.clock_hz),
                _kib(b.flash_bytes),
                _kib(b.ram_bytes),
                _serial(b),
                ", ".join(b.verified),
            )
            for b in items
        ]
        output.table(header, rows, right=("clock", "flash", "RAM"))

    output.result(BoardsDocument(items), show)


def _item(board: Board) -> BoardItem:
    return BoardItem(
        id=board.id,
        name=board.name,
        vendor=board.vendor,
        mcu=board.mcu,
        cpu=board.cpu,
        features=board.features,
        clock_hz=board.clock_hz,
        flash_bytes=board.flash_capacity,
        ram_bytes=board.ram_capacity,
        serial=board.serial.name,
        serial_tx=board.serial.tx,
        serial_rx=board.serial.rx,
        serial_way=serial_way(board),
        trigger_pin=None if board.trigger is None else board.trigger.pin,
        verified=board.verified,
    )


def _serial(item: BoardItem) -> str:
    if item.serial_way == "a USB-serial adapter":
        return f"adapter on {item.serial_tx} and {item.serial_rx}"
    return "USB" if item.serial_way == "its USB connector" else "emulated"


def _mhz(hertz: int) -> str:
    return f"{hertz / 1e6:g} MHz"


def _kib(size: int) -> str:
    return f"{size / 1024:,g} KiB"
