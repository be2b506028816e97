"""The files that tools read: raw images as objcopy makes them, and UF2 as its specification says."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given
from hypothesis import strategies as st

from tests.requirement import need, require
from tests.unit.trivial_model import trivial_tree
from tinygen.boards import load_board
from tinygen.build.builder import build_project
from tinygen.build.image import flash_image
from tinygen.errors import TinygenError
from tinygen.flash import choose_tool
from tinygen.flash.program import make_image
from tinygen.flash.uf2 import uf2
from tinygen.project import write_project


def read_uf2(data: bytes, family: int) -> dict[int, bytes]:
    """What a bootloader writes: memory by address. Written from the specification, shares nothing with the writer."""
    assert len(data) % 512 == 0
    blocks = [data[at : at + 512] for at in range(0, len(data), 512)]
    memory = {}
    for number, block in enumerate(blocks):
        words = [int.from_bytes(block[at : at + 4], "little") for at in range(0, 32, 4)]
        assert block[:4] == b"UF2\n"
        assert words[1] == 0x9E5D5157
        assert block[508:] == bytes.fromhex("306fb10a")
        assert words[2] & 0x00002000, "no family"
        assert not words[2] & 0x00000001, "not for the main flash"
        address, size, block_number, count, file_family = words[3:8]
        assert (block_number, count, file_family) == (number, len(blocks), family)
        assert size <= 476
        assert address % size == 0
        assert address not in memory
        memory[address] = block[32 : 32 + size]
        assert not any(block[32 + size : 508])
    return memory


@given(image=st.binary(min_size=1, max_size=1500), page=st.integers(0, 1 << 20))
def test_uf2_is_read_back(image: bytes, page: int) -> None:
    memory = read_uf2(uf2(image, page * 256, "rp2040"), 0xE48BFF56)
    assert sorted(memory) == list(range(page * 256, page * 256 + len(image), 256))
    written = b"".join(memory[address] for address in sorted(memory))
    assert written[: len(image)] == image
    assert set(written[len(image) :]) <= {0xFF}


def test_uf2_family_by_number() -> None:
    assert struct.unpack("<I", uf2(b"x", 0, "0x12345678")[28:32]) == (0x12345678,)
    for family in ("rp1999", "0x", "0x123456789", "-1"):
        with pytest.raises(TinygenError) as caught:
            uf2(b"x", 0, family)
        assert caught.value.code == "TG418"


def build(name: str, folder: Path) -> Path:
    """A board's firmware, linked by zig."""
    require("zig")
    project = write_project(trivial_tree(), load_board(name), folder / "project")
    return build_project(project, folder / "build").elf


@pytest.mark.parametrize("name", ["rpi-pico", "arduino-nano-33-ble", "hifive1-revb"])
def test_a_raw_image_is_what_objcopy_makes(name: str, tmp_path: Path) -> None:
    elf, board = build(name, tmp_path), load_board(name)
    objcopy = board.core.gcc.replace("gcc", "objcopy")
    need("gcc" if board.core.arch == "thumb" else "riscv", shutil.which(objcopy) is not None, objcopy)
    with elf.open("rb") as file:
        empty = [section.name for section in ELFFile(file).iter_sections() if not section["sh_size"]]
    # An empty .data has no load address, only that in RAM: objcopy would fill a gigabyte.
    sections = [word for name in empty if name for word in ("-R", name)]
    subprocess.run([objcopy, "-O", "binary", "--gap-fill", "0xff", *sections, elf, tmp_path / "x.bin"], check=True)
    assert flash_image(elf, board) == (tmp_path / "x.bin").read_bytes()


def test_an_image_with_two_views_of_the_flash(tmp_path: Path) -> None:
    """On the ESP32-C3 constants are linked where loads see the flash; in the image they follow the code."""
    elf, board = build("esp32-c3", tmp_path), load_board("esp32-c3")
    image = flash_image(elf, board)
    assert len(image) < 1 << 16
    assert b"tg hello" in image


def test_the_picos_file(tmp_path: Path) -> None:
    elf, board = build("rpi-pico", tmp_path), load_board("rpi-pico")
    tool, target = choose_tool(board)
    path = make_image(tool, elf, board, target)
    assert path == elf.with_suffix(".uf2")
    memory = read_uf2(path.read_bytes(), 0xE48BFF56)
    image = flash_image(elf, board)
    assert min(memory) == 0x10000000
    assert b"".join(memory[address] for address in sorted(memory))[: len(image)] == image
