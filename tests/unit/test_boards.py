"""Board descriptions: the shipped ones load and make sense, and every kind of mistake is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinygen.boards import all_boards, load_board, load_board_file
from tinygen.errors import TinygenError
from tinygen.paths import FIRMWARE
from tinygen.registers import MOST_STEPS, Step

SHIPPED = (
    "arduino-nano-33-ble",
    "ek-ra8m1",
    "esp32-c3",
    "hifive1-revb",
    "mps2-an386",
    "mps2-an500",
    "mps3-an547",
    "nrf52840dk",
    "nucleo-h743zi2",
    "nucleo-h753zi",
    "nucleo-l4r5zi",
    "nucleo-u575zi-q",
    "qemu-riscv32-virt",
    "rpi-pico",
    "stm32f4-discovery",
    "stm32f746g-disco",
)

VALID = """\
id = "toy"
name = "Toy"
vendor = "Toys"
url = "https://example.org/toy"
mcu = "T1"
stack = "1 KiB"
verified = []

[core]
cpu = "cortex-m4"
features = ["dsp", "fpu-sp"]
clock_hz = 48_000_000
source = "TD1, features"

[[memory]]
name = "flash"
kind = "flash"
address = 0x0800_0000
size = "64 KiB"
use = ["code"]
source = "TD1, memory map"

[[memory]]
name = "sram2"
kind = "ram"
address = 0x2000_2000
size = "8 KiB"
use = ["data"]
source = "TD1, memory map"

[[memory]]
name = "sram1"
kind = "ram"
address = 0x2000_0000
size = "8 KiB"
use = ["data", "stack"]
source = "TD1, memory map"

[serial]
kind = "stm32_isr_tdr"
name = "USART1"
address = 0x4001_3800
baud = 115_200
tx = "PA9"
rx = "PA10"
source = "TD1, memory map"

[port]
family = "stm32"
defines = { TG_CLOCK_HZ = 4_000_000 }

[clock]
hz = 48_000_000
source = "TD1, clocks"
steps = [
    { register = "CR", address = 0x4000_0000, mask = 0x1, write = 0x1 },
    { delay_us = 10 },
    { register = "SR", address = 0x4000_0004, bits = 16, mask = 0x2, wait = 0x2 },
]

[trigger]
pin = "P1"
source = "TD1, pins"
setup = [{ register = "DIR", address = 0x5000_0000, write = 0x1 }]
high = { register = "SET", address = 0x5000_0004, write = 0x1 }
low = { register = "CLR", address = 0x5000_0008, write = 0x1 }

[emulators]
"""


def toy(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    text = VALID
    for old, new in changes:
        assert text.count(old) >= 1, f"{old!r} is not in the valid description"
        text = text.replace(old, new, 1)
    path = tmp_path / "toy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_boards_load_and_have_ports() -> None:
    boards = all_boards()
    assert set(SHIPPED) <= {b.id for b in boards}
    for board in boards:
        assert (FIRMWARE / "ports" / board.port.family / "port.c").is_file()
        assert "TG_CLOCK_HZ" in dict(board.port.defines)
        assert board == load_board(board.id)
        assert board.core.cpu == board.cpu


def test_every_mcu_family_of_the_issue_is_there() -> None:
    assert {b.cpu for b in all_boards()} >= {
        "cortex-m0plus",
        "cortex-m4",
        "cortex-m7",
        "cortex-m33",
        "cortex-m55",
        "cortex-m85",
        "rv32imac",
        "rv32imc",
    }


def test_capacities_follow_from_the_memories() -> None:
    discovery = load_board("stm32f746g-disco")
    assert (discovery.flash_capacity, discovery.ram_capacity) == (1 << 20, 320 << 10)
    nano = load_board("arduino-nano-33-ble")
    assert nano.flash_capacity == (1 << 20) - 0x10000
    hifive = load_board("hifive1-revb")
    assert hifive.code.address + hifive.boot.application_offset == 0x20010000
    assert hifive.ram_capacity == 16 << 10
    nucleo = load_board("nucleo-h743zi2")
    assert nucleo.stack.name == "dtcm"
    assert nucleo.ram_capacity == (512 << 10) + nucleo.stack_bytes
    assert load_board("esp32-c3").code.data_address == 0x3C000000


def test_a_board_file_is_read_and_its_memories_are_sorted(tmp_path: Path) -> None:
    board = load_board(str(toy(tmp_path)))
    assert [m.name for m in board.memories] == ["flash", "sram1", "sram2"]
    assert board.ram_capacity == 16 << 10
    assert (board.flash, board.platformio) == (None, None)
    assert (board.emulators.qemu, board.emulators.renode) == (None, None)
    assert board.port.defines == (("TG_CLOCK_HZ", 4_000_000),)


def test_steps_are_read(tmp_path: Path) -> None:
    board = load_board(str(toy(tmp_path)))
    assert board.clock is not None
    assert board.trigger is not None
    assert (board.clock.hz, board.clock.uart_hz) == (48_000_000, 48_000_000)
    assert board.clock.steps == (
        Step("WRITE", "CR", 0x4000_0000, 32, 1, 1),
        Step("DELAY", "DELAY", 0, 32, 0, 10),
        Step("WAIT", "SR", 0x4000_0004, 16, 2, 2),
    )
    assert (board.trigger.pin, board.trigger.low) == ("P1", Step("WRITE", "CLR", 0x5000_0008, 32, 0xFFFF_FFFF, 1))


def test_the_firmware_takes_as_many_steps() -> None:
    header = (FIRMWARE / "common" / "registers.h").read_text()
    assert f"#define TG_STEPS_MAX {MOST_STEPS}\n" in header


def test_an_unknown_board_gets_near_names() -> None:
    with pytest.raises(TinygenError) as caught:
        load_board("stm32f746-disco")
    assert caught.value.code == "TG302"
    assert "stm32f746g-disco" in caught.value.diagnostics[0].hints[0]


def test_a_board_name_is_not_a_path() -> None:
    with pytest.raises(TinygenError) as caught:
        load_board("../boards/mps2-an386")
    assert caught.value.code == "TG302"


def test_an_unreadable_board_file(tmp_path: Path) -> None:
    with pytest.raises(TinygenError) as caught:
        load_board_file(tmp_path / "none.toml")
    assert caught.value.code == "TG302"
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(TinygenError) as caught:
        load_board_file(tmp_path / "binary.toml")
    assert caught.value.code == "TG302"


MISTAKES: dict[str, tuple[tuple[str, str], tuple[str, ...]]] = {
    "not TOML": (("[core]", "[core"), ("not TOML",)),
    "unknown key": (('vendor = "Toys"', 'vendor = "Toys"\ncolour = "red"'), ("colour", "unknown key", "vendor")),
    "unknown key in a memory": (('name = "sram1"', 'name = "sram1"\nspeed = 1'), ("memory[2].speed", "unknown key")),
    "unknown table": (("[emulators]", "[emulators]\n[debugger]"), ("debugger", "unknown key")),
    "missing key": (('mcu = "T1"\n', ""), ("mcu", "missing", "a string")),
    "missing source": (('source = "TD1, features"\n', ""), ("core.source", "missing")),
    "missing table": (("[emulators]\n", ""), ("emulators", "missing", "[emulators]")),
    "empty string": (('name = "Toy"', 'name = " "'), ("name", "not empty")),
    "a number for a string": (('mcu = "T1"', "mcu = 1"), ("mcu", "found 1", "a string")),
    "a string for a number": (("clock_hz = 48_000_000", 'clock_hz = "48 MHz"'), ("core.clock_hz", "48 MHz", "in Hz")),
    "MHz for Hz": (("clock_hz = 48_000_000", "clock_hz = 48"), ("core.clock_hz", "found 48", "in Hz from 1000000")),
    "a float": (("clock_hz = 48_000_000", "clock_hz = 48e6"), ("core.clock_hz", "an integer")),
    "a boolean for a number": (("baud = 115_200", "baud = true"), ("serial.baud", "found True")),
    "bytes for a size": (('size = "64 KiB"', "size = 65536"), ("memory[0].size", "found 65536", '"256 KiB"')),
    "ambiguous unit": (('size = "64 KiB"', 'size = "64 KB"'), ("memory[0].size", "64 KB", "B, KiB, MiB or GiB")),
    "no unit": (('size = "64 KiB"', 'size = "65536"'), ("memory[0].size",)),
    "a size of nothing": (('size = "64 KiB"', 'size = "0 KiB"'), ("memory[0].size",)),
    "negative address": (("address = 0x0800_0000", "address = -4"), ("memory[0].address", "found -4")),
    "outside 32 bits": (("address = 0x2000_2000", "address = 0xFFFF_F000"), ("memory[1].address", "32 bits")),
    "address beyond 32 bits": (("address = 0x2000_2000", "address = 0x1_0000_0000"), ("memory[1].address",)),
    "unknown kind": (('kind = "flash"', 'kind = "rom"'), ("memory[0].kind", "rom", "external_flash")),
    "unknown use": (('use = ["code"]', 'use = ["text"]'), ("memory[0].use", "text", "code, data, stack")),
    "use twice": (('use = ["data", "stack"]', 'use = ["data", "data"]'), ("memory[2].use", "each once")),
    "data in flash": (('use = ["code"]', 'use = ["code", "data"]'), ("memory[0].use", "RAM only")),
    "overlap": (("address = 0x2000_2000", "address = 0x2000_1FFC"), ("sram1", "sram2", "do not overlap")),
    "overlap of an alias": (
        ('use = ["code"]', 'data_address = 0x2000_3000\nuse = ["code"]'),
        ("flash (data_address)", "do not overlap"),
    ),
    "same name twice": (('name = "sram2"', 'name = "sram1"'), ("sram1", "each once")),
    "name of a memory": (('name = "sram2"', 'name = "SRAM 2"'), ("memory[1].name", "lower-case")),
    "no code": (('use = ["code"]\n', ""), ('found 0 regions with use = ["code"]', "exactly one")),
    "no stack": (('use = ["data", "stack"]', 'use = ["data"]'), ('found 0 regions with use = ["stack"]',)),
    "stack not lowest": (
        (
            'use = ["data"]\nsource = "TD1, memory map"\n\n[[memory]]\nname = "sram1"',
            'use = ["data", "stack"]\nsource = "TD1, memory map"\n\n[[memory]]\nname = "sram1"',
        ),
        ('found 2 regions with use = ["stack"]',),
    ),
    "a gap in data": (("address = 0x2000_2000", "address = 0x2000_4000"), ("sram1", "sram2", "without a gap")),
    "unknown cpu": (('cpu = "cortex-m4"', 'cpu = "cortex-m5"'), ("core.cpu", "cortex-m5", "cortex-m4, cortex-m7")),
    "unknown feature": (('["dsp", "fpu-sp"]', '["dsp", "vfp"]'), ("core.features", "vfp", "fpu-sp")),
    "a feature the core lacks": (('["dsp", "fpu-sp"]', '["dsp", "mve"]'), ("core.features", "cortex-m4", "fpu-sp")),
    "unknown serial kind": (('kind = "stm32_isr_tdr"', 'kind = "uart"'), ("serial.kind", "uart", "pl011")),
    "unknown runner": (("verified = []", 'verified = ["paper"]'), ("verified", "paper", "unicorn")),
    "a macro of another name": (("TG_CLOCK_HZ = 4", "CLOCK = 4"), ("port.defines.CLOCK", "TG_")),
    "a macro that is no integer": (("TG_CLOCK_HZ = 4_000_000", 'TG_CLOCK_HZ = "x"'), ("port.defines.TG_CLOCK_HZ",)),
    "renode without its UART": (("[emulators]", '[emulators]\nrenode = "x.repl"'), ("emulators.renode_uart",)),
    "unknown flash tool": (
        ("[emulators]", '[flash]\ntool = "dd"\ntarget = "x"\n[emulators]'),
        ("flash.tool", "openocd"),
    ),
    "stack larger than its memory": (('stack = "1 KiB"', 'stack = "8 KiB"'), ("stack", "sram1")),
    "application outside the flash": (
        ("[emulators]", '[boot]\napplication_offset = 0x1_0000\nheader_bytes = 0\nsource = "TD1"\n[emulators]'),
        ("boot", "flash"),
    ),
    "a clock above the core's": (
        ('hz = 48_000_000\nsource = "TD1, clocks"', 'hz = 49_000_000\nsource = "x"'),
        ("clock.hz",),
    ),
    "a clock without steps": (("steps = [", "step = ["), ("clock.steps", "missing")),
    "a step that waits and writes": (
        ("mask = 0x1, write = 0x1", "write = 1, wait = 1"),
        ("clock.steps[0].write", "one of them"),
    ),
    "a step that does nothing": (
        ("mask = 0x1, write = 0x1", "mask = 1"),
        ("clock.steps[0].write", "found 0 of write and wait"),
    ),
    "bits outside the mask": (
        ("mask = 0x1, write = 0x1", "mask = 1, write = 2"),
        ("clock.steps[0].write", "0x2", "mask 0x1"),
    ),
    "a register of no width": (("bits = 16", "bits = 12"), ("clock.steps[2].address", "12 bits", "8, 16 or 32")),
    "a register across a word": (
        ("address = 0x4000_0004, bits", "address = 0x4000_0005, bits"),
        ("clock.steps[2].address", "aligned"),
    ),
    "a value wider than the register": (("mask = 0x2, wait = 0x2", "wait = 0x1_0000"), ("clock.steps[2].wait",)),
    "a register's name": (
        ('register = "SR"', 'register = "status"'),
        ("clock.steps[2].register", "status", "upper-case"),
    ),
    "an endless delay": (("delay_us = 10", "delay_us = 1_000_000"), ("clock.steps[1].delay_us", "microseconds")),
    "a delay with a register": (
        ("delay_us = 10", 'delay_us = 10, register = "X"'),
        ("clock.steps[1].register", "unknown key"),
    ),
    "a trigger that waits": (
        ("address = 0x5000_0004, write", "address = 0x5000_0004, wait"),
        ("trigger.high", "writes"),
    ),
    "a trigger without a pin": (('pin = "P1"\n', ""), ("trigger.pin", "missing")),
    "id of another file": (('id = "toy"', 'id = "tay"'), ("id", "tay", "toy")),
    "id with capitals": (('id = "toy"', 'id = "Toy"'), ("id", "lower-case")),
    "memory as one table": (("[emulators]", "[emulators.qemu]"), ("emulators.qemu", "a string")),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_the_file_the_key_and_what_is_accepted(mistake: str, tmp_path: Path) -> None:
    change, expected = MISTAKES[mistake]
    path = toy(tmp_path, change)
    with pytest.raises(TinygenError) as caught:
        load_board_file(path)
    assert caught.value.code == "TG303"
    assert str(path) in str(caught.value)
    for part in expected:
        assert part in caught.value.diagnostics[0].message


def test_the_stack_is_in_the_first_data_region_or_its_own(tmp_path: Path) -> None:
    moved = (
        ('use = ["data"]', 'use = ["data", "stack"]'),
        (
            'use = ["data", "stack"]\nsource = "TD1, memory map"\n\n[ser',
            'use = ["data"]\nsource = "TD1, memory map"\n\n[ser',
        ),
    )
    with pytest.raises(TinygenError) as caught:
        load_board_file(toy(tmp_path, *moved))
    assert "the first data region or its own" in str(caught.value)
