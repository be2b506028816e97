"""The UART stand-ins: polling twice is waiting, DMA moves bytes, and a port's description is checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tinygen.boards import load_board
from tinygen.errors import TinygenError
from tinygen.paths import FIRMWARE
from tinygen.run.emulator.uart import PeripheralMemory, UartDevice, load_port_model, split_around


class Memory:
    """A few bytes at address 0."""

    def __init__(self) -> None:
        self.content = bytearray(8)

    def mem_read(self, address: int, size: int) -> bytearray:
        return self.content[address : address + size]

    def mem_write(self, address: int, data: bytes) -> None:
        self.content[address : address + len(data)] = data


def _device(board_id: str) -> tuple[UartDevice, Memory, list[str]]:
    memory, idle = Memory(), list[str]()
    model = load_port_model(load_board(board_id), FIRMWARE.parent)
    return UartDevice(model.uart, memory, lambda: idle.append("idle")), memory, idle


def test_sending_polls_the_status_and_is_not_waiting() -> None:
    device, _, idle = _device("stm32f4-discovery")
    for byte in b"abc":
        assert device.read(0x00) & 0x80
        device.write(0x04, byte)
    assert (bytes(device.transmitted), idle) == (b"abc", [])
    assert [device.read(0x00) & 0x20, device.read(0x00) & 0x20] == [0, 0]
    assert idle == ["idle"]
    device.receive(b"xy")
    assert [device.read(0x00) & 0x20, device.read(0x04), device.read(0x04)] == [0x20, ord("x"), ord("y")]
    assert device.read(0x00) & 0x20 == 0


def test_one_register_is_status_and_data() -> None:
    device, _, idle = _device("hifive1-revb")
    assert [device.read(0x04), device.read(0x04)] == [0x8000_0000] * 2
    assert idle == ["idle"]
    device.receive(b"x")
    assert [device.read(0x04), device.read(0x04)] == [ord("x"), 0x8000_0000]


def test_dma() -> None:
    device, memory, idle = _device("arduino-nano-33-ble")
    for offset, value in ((0x544, 2), (0x548, 3), (0x534, 6), (0x538, 1)):
        device.write(offset, value)
    memory.content[2:5] = b"abc"
    device.write(0x008, 1)
    assert bytes(device.transmitted) == b"abc"
    assert device.read(0x120) == 1
    device.write(0x000, 1)
    assert [device.read(0x110), device.read(0x110)] == [0, 0]
    assert idle == ["idle"]
    device.receive(b"x")
    assert device.read(0x110) == 1
    assert memory.content[6:7] == b"x"


def test_memory_around_the_uart() -> None:
    regions = (PeripheralMemory(0x1000, 0x4000), PeripheralMemory(0x8000, 0x1000))
    assert split_around(regions, 0x3000) == [(0x1000, 0x2000), (0x4000, 0x1000), (0x8000, 0x1000)]
    assert split_around(regions, 0x1000) == [(0x2000, 0x3000), (0x8000, 0x1000)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot read the port's description"),
        ("[uart", "cannot read the port's description"),
        ("[uart.pl011]\ntransmit = 0", "found no UART 'cmsdk', described: pl011"),
        ("[uart.cmsdk]\ntransmit = 0", "not valid: 'receive'"),
        ("preset = [{addres = 0}]\n[uart.cmsdk]\ntransmit = 0\nreceive = 0\nstatus = []", "not valid: .*addres"),
    ],
)
def test_descriptions_that_do_not_do(tmp_path: Path, text: str | None, message: str) -> None:
    board = load_board("mps2-an386")
    folder = tmp_path / "firmware" / "ports" / "other"
    folder.mkdir(parents=True)
    if text is not None:
        (folder / "port.toml").write_text(text)
    with pytest.raises(TinygenError, match=message) as caught:
        load_port_model(replace(board, port=replace(board.port, family="other")), tmp_path)
    assert caught.value.code == "TG503"
