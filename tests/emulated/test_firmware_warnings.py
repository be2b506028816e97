"""The firmware compiles without a word under the strict warnings, for every board, with zig and with GNU compilers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulated.trivial_model import trivial_tree
from tests.requirement import require
from tinygen.boards import all_boards, load_board
from tinygen.build.builder import Link, compile_elf
from tinygen.build.compiler import find_compiler
from tinygen.build.flags import STRICT_WARNINGS
from tinygen.project import write_project
from tinygen.project.firmware import INCLUDE_FOLDERS, LIBC_FOLDER, PROGRAMS, program_defines, program_sources


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
@pytest.mark.parametrize("board_id", [board.id for board in all_boards()])
def test_no_warnings(tmp_path: Path, board_id: str, compiler: str) -> None:
    board = load_board(board_id)
    require("zig" if compiler == "zig" else "gcc" if board.core.arch == "thumb" else "riscv")
    chosen = find_compiler(board.core, compiler)
    project = write_project(trivial_tree(), board, tmp_path)
    for program in PROGRAMS:
        sources = (*project.manifest.sources, *program_sources(board, program, project.manifest.files))
        profile = ("TRIVIAL_PROFILE=1",) if program == "bench" else ()
        link = Link(
            folder=project.path,
            sources=(*STRICT_WARNINGS, *sources),
            includes=INCLUDE_FOLDERS,
            system_includes=(LIBC_FOLDER,),
            defines=(*program_defines(program), *profile),
            linker_script=project.path / "linker.ld",
            elf=tmp_path / f"{program}.elf",
        )
        compile_elf(link, chosen)
