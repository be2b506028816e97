"""Which port a board is on, what cannot be opened and why, and what is never taken for hardware."""

from __future__ import annotations

import dataclasses
import errno
import os
import pty
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
import serial
from serial.tools import list_ports

from tinygen.boards import Board, all_boards, load_board
from tinygen.errors import TinygenError
from tinygen.run import find_runner
from tinygen.run.serial import SerialPort, SerialRunner, find_port, is_board

STLINK = SimpleNamespace(
    device="/dev/ttyACM0", description="STM32 STLink", vid=0x0483, pid=0x374B, serial_number="066A"
)
ANOTHER = SimpleNamespace(
    device="/dev/ttyACM1", description="STM32 STLink", vid=0x0483, pid=0x374B, serial_number="066B"
)
ADAPTER = SimpleNamespace(device="/dev/ttyUSB0", description="CP2102", vid=0x10C4, pid=0xEA60, serial_number=None)
BUILT_IN = SimpleNamespace(device="/dev/ttyS0", description="ttyS0", vid=None, pid=None, serial_number=None)


@pytest.fixture
def board() -> Board:
    found = load_board("stm32f746g-disco")
    assert "0483:374b" in found.serial.usb
    return found


def _plug_in(monkeypatch: pytest.MonkeyPatch, *ports: SimpleNamespace) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: list(ports))


def test_the_one_board_is_found(monkeypatch: pytest.MonkeyPatch, board: Board) -> None:
    _plug_in(monkeypatch, BUILT_IN, ADAPTER, STLINK)
    assert find_port(board) == "/dev/ttyACM0"


def test_several_boards(monkeypatch: pytest.MonkeyPatch, board: Board) -> None:
    _plug_in(monkeypatch, STLINK, ANOTHER)
    with pytest.raises(TinygenError, match=r"found 2 ports .*066A.*066B") as caught:
        find_port(board)
    assert caught.value.code == "TG511"
    assert caught.value.diagnostics[0].hints == ("--on serial:/dev/ttyACM0", "--on serial:/dev/ttyACM1")


@pytest.mark.parametrize(("ports", "text"), [((), "ports: there are none"), ((BUILT_IN, ADAPTER), "ttyUSB0 .CP2102")])
def test_no_board(monkeypatch: pytest.MonkeyPatch, board: Board, ports: tuple[SimpleNamespace, ...], text: str) -> None:
    _plug_in(monkeypatch, *ports)
    with pytest.raises(TinygenError, match=text) as caught:
        find_port(board)
    assert caught.value.code == "TG510"


def test_a_board_without_a_bridge_needs_a_named_port(monkeypatch: pytest.MonkeyPatch, board: Board) -> None:
    _plug_in(monkeypatch, ADAPTER)
    bare = dataclasses.replace(board, serial=dataclasses.replace(board.serial, usb=()))
    with pytest.raises(TinygenError, match="an adapter's port must be named") as caught:
        find_port(bare)
    assert caught.value.code == "TG510"


def test_a_port_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _plug_in(monkeypatch, STLINK)
    with pytest.raises(TinygenError, match=r"there is no port .*ttyACM9; ports: /dev/ttyACM0") as caught:
        SerialPort(str(tmp_path / "ttyACM9"), 115200)
    assert caught.value.code == "TG510"


@pytest.mark.parametrize(
    ("number", "hint"), [(errno.EACCES, "usermod -a -G dialout"), (errno.EBUSY, "another program has it")]
)
def test_a_port_that_may_not_be_opened(monkeypatch: pytest.MonkeyPatch, number: int, hint: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise serial.SerialException(number, os.strerror(number))

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(TinygenError, match=hint) as caught:
        SerialPort("/dev/ttyACM0", 115200)
    assert caught.value.code == "TG512"


def test_a_port_that_somebody_else_has() -> None:
    """A pseudo-terminal is as exclusive as a serial port."""
    ours, theirs = pty.openpty()
    name = os.ttyname(theirs)
    first = SerialPort(name, 115200)
    try:
        with pytest.raises(TinygenError, match="another program has it") as caught:
            SerialPort(name, 115200)
        assert caught.value.code == "TG512"
        os.write(ours, b"tg")
        assert first.receive(10) in (b"t", b"tg")
        assert first.receive(0.01) in (b"", b"g")
    finally:
        first.close()
        os.close(ours)
        os.close(theirs)


def test_a_port_that_goes_away() -> None:
    ours, theirs = pty.openpty()
    port = SerialPort(os.ttyname(theirs), 115200)
    os.close(theirs)
    os.close(ours)
    with pytest.raises(TinygenError, match="was lost") as caught:
        port.receive(10)
    assert caught.value.code == "TG517"
    port.close()


@pytest.mark.parametrize("url", ["rfc2217://lab:4000", "socket://lab:4000"])
def test_urls_get_no_option_that_their_protocol_lacks(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """rfc2217:// refuses a time-out for writing, and is only opened with what it can negotiate."""
    found: dict[str, object] = {}
    monkeypatch.setattr(serial, "serial_for_url", lambda url, **options: found.update(options))
    SerialPort(url, 9600)
    assert set(found) == {"baudrate", "timeout"}


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TinygenError, match="start the emulator or the serial server first") as caught:
        SerialPort(f"socket://127.0.0.1:{port}", 115200)
    assert caught.value.code == "TG512"


def test_an_unknown_kind_of_url() -> None:
    with pytest.raises(TinygenError, match="accepted: a device such as") as caught:
        SerialPort("carrier-pigeon://home", 115200)
    assert caught.value.code == "TG512"


def test_what_is_hardware(tmp_path: Path) -> None:
    """A number is called measured only where no emulator can be, or where the user says that none is."""
    ours, theirs = pty.openpty()
    link = tmp_path / "ttyACM0"
    link.symlink_to(os.ttyname(theirs))
    assert not is_board(os.ttyname(theirs))
    assert not is_board(str(link))
    os.close(ours)
    os.close(theirs)
    assert not is_board("socket://localhost:5555")
    assert not is_board("rfc2217://lab:4000")
    assert is_board("rfc2217://lab:4000#board")
    assert is_board("/dev/ttyACM0")
    assert is_board("COM3")


def test_runners_with_a_target() -> None:
    assert find_runner("serial:socket://localhost:5555") == SerialRunner("socket://localhost:5555")
    assert find_runner("serial") == SerialRunner()
    for name in ("serial:", "host:here", "no-such:thing"):
        with pytest.raises(TinygenError) as caught:
            find_runner(name)
        assert caught.value.code == "TG506"


def test_usb_ids_of_boards() -> None:
    """Boards whose USB connector is a UART bridge name it; the others say that an adapter is needed."""
    for board in all_boards():
        adapter = "adapter" in board.serial.source
        emulated = board.flash is None
        assert bool(board.serial.usb) != (adapter or emulated), board.id
