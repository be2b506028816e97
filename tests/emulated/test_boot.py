"""What boot ROMs read at the start of flash, in the linked firmware."""

from __future__ import annotations

from pathlib import Path

from elftools.elf.elffile import ELFFile

from tests.emulated.trivial_model import trivial_tree
from tests.requirement import require
from tinygen.boards import load_board
from tinygen.build.builder import build_project
from tinygen.project import write_project


def _boot(tmp_path: Path, board: str) -> tuple[int, bytes]:
    require("zig")
    project = write_project(trivial_tree(), load_board(board), tmp_path)
    built = build_project(project, tmp_path / "build", compiler="zig", program="minimal")
    with built.elf.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".boot")
        return section["sh_addr"], section.data()


def test_the_second_stage_of_the_rp2040_has_its_checksum(tmp_path: Path) -> None:
    address, content = _boot(tmp_path, "rpi-pico")
    assert (address, len(content)) == (0x1000_0000, 256)
    crc = 0xFFFF_FFFF
    for byte in content[:252]:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C1_1DB7 if crc >> 31 else 0)) & 0xFFFF_FFFF
    assert content[252:] == crc.to_bytes(4, "little")


def test_the_esp32_c3_boots_from_flash(tmp_path: Path) -> None:
    address, content = _boot(tmp_path, "esp32-c3")
    assert (address, content) == (0x4200_0000, 2 * 0xAEDB_041D.to_bytes(4, "little"))
