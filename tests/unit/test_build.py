"""Builds: every core with zig and with GNU, sizes that agree with the ELF, and errors that say what is missing."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.requirement import need, require
from tests.unit.trivial_model import trivial_tree
from tinygen.backends.tflm.library import libraries
from tinygen.boards import Board, all_boards, load_board
from tinygen.build import gcc as gcc_module
from tinygen.build import host as host_module
from tinygen.build import zig as zig_module
from tinygen.build.builder import Built, Link, build_project, compile_elf, model_flags
from tinygen.build.compiler import find_compiler
from tinygen.build.elf import read_sections, read_symbols
from tinygen.build.flags import CODE, OPTIMIZATIONS, STRICT_WARNINGS
from tinygen.build.gcc import gcc_compiler
from tinygen.build.host import SHARED_SUFFIX, build_host, find_host_compiler
from tinygen.build.zig import zig_command, zig_compiler
from tinygen.cores import CORES
from tinygen.errors import TinygenError
from tinygen.project import write_project
from tinygen.project.firmware import INCLUDE_FOLDERS, LIBC_FOLDER, PROGRAMS, program_defines, program_sources
from tinygen.source_tree import SourceTree

# One board for each core of the table; the H743 also has a stack memory of its own.
BOARDS = (
    "rpi-pico",
    "mps2-an386",
    "mps2-an500",
    "nucleo-h743zi2",
    "nucleo-u575zi-q",
    "mps3-an547",
    "ek-ra8m1",
    "hifive1-revb",
    "esp32-c3",
)
COMPILERS = ("zig", "gcc")


def need_compiler(board: str, compiler: str) -> None:
    if compiler == "zig":
        need("zig", zig_command() is not None, "zig")
    else:
        core = load_board(board).core
        word = "riscv" if core.arch == "riscv" else "gcc"
        need(word, shutil.which(core.gcc) is not None, core.gcc)


def with_data(tree: SourceTree) -> SourceTree:
    """The tree with variables that have initial values, so that the image holds a copy of .data."""
    source = "#include <stdint.h>\nvolatile int32_t trivial_words[4] = {1, 2, 3, 4};\n" + tree.files["src/trivial.c"]
    source = source.replace("    return 0;", "    return trivial_words[3] - 4;", 1)
    return replace(tree, files={**tree.files, "src/trivial.c": source})


def built(tmp_path: Path, board: str, compiler: str, tree: SourceTree | None = None, **options: object) -> Built:
    project = write_project(tree or trivial_tree(), load_board(board), tmp_path / "project")
    return build_project(project, tmp_path / "out", compiler=compiler, **options)  # type: ignore[arg-type]


def test_every_core_has_a_board_here() -> None:
    covered = {load_board(board).core for board in BOARDS}
    assert covered == {core for core in CORES if core.cpu != "cortex-m3"}


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("board", BOARDS)
def test_every_core_is_built_and_measured(board: str, compiler: str, tmp_path: Path) -> None:
    need_compiler(board, compiler)
    firmware = built(tmp_path, board, compiler, with_data(trivial_tree(arena_bytes=1000)))
    assert firmware.elf.is_file()
    check_layout(firmware)


def check_layout(firmware: Built) -> None:
    """Compares the sizes with a second look at the ELF, section by section as the `size` program does."""
    board, sizes = firmware.board, firmware.sizes
    sections = {s.name: s for s in read_sections(firmware.elf)}
    stored = [s for s in sections.values() if s.load_address is not None]
    variables = [sections[name] for name in (".stack", ".data", ".bss")]
    header = board.boot.header_bytes
    assert {s.name for s in stored} == {".text", ".rodata", ".data"} | ({".boot"} if header else set())
    assert 0 <= sizes.flash_bytes - sum(s.size for s in stored) < 8 * len(stored) + 16
    assert 0 <= sizes.ram_bytes - sum(s.size for s in variables) < 8 * len(variables)
    assert sizes.stack_bytes == sections[".stack"].size == board.stack_bytes
    assert sizes.ram_bytes >= 1000 + 16 + board.stack_bytes
    assert sizes.fits

    assert sections[".text"].load_address == board.code.address + board.boot.application_offset + header
    assert sections[".stack"].address == board.stack.address
    loads_from = board.code.address if board.code.data_address is None else board.code.data_address
    load_address = sections[".data"].load_address
    assert load_address is not None
    assert loads_from <= load_address < loads_from + board.code.size

    symbols = {s.name: s for s in read_symbols(firmware.elf)}
    assert symbols["trivial_invoke"].kind == "func"
    assert symbols["arena"].kind == "object"
    assert symbols["arena"].size == 1000
    assert symbols["trivial_words"].address == sections[".data"].address
    assert symbols["trivial_words"].size == 16
    data = range(sections[".data"].address, sections[".data"].address + sections[".data"].size)
    assert len(data) == sum(s.size for s in symbols.values() if s.kind == "object" and s.address in data)
    if board.core.arch == "thumb":
        assert symbols["tg_vectors"].address == sections[".text"].address


def test_sizes_agree_with_the_size_program(tmp_path: Path) -> None:
    need_compiler("mps2-an386", "gcc")
    size = shutil.which("arm-none-eabi-size")
    need("gcc", size is not None, "arm-none-eabi-size")
    firmware = built(tmp_path, "mps2-an386", "gcc", with_data(trivial_tree()))
    done = subprocess.run([str(size), str(firmware.elf)], capture_output=True, text=True, check=True)
    text, data, bss = (int(word) for word in done.stdout.splitlines()[1].split()[:3])
    assert 0 <= firmware.flash_bytes - (text + data) < 16
    assert 0 <= firmware.ram_bytes - (data + bss) < 16


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_minimal_program_is_smaller_and_profiling_calls_hooks(compiler: str, tmp_path: Path) -> None:
    need_compiler("mps2-an386", compiler)
    bench = built(tmp_path, "mps2-an386", compiler)
    minimal = built(tmp_path, "mps2-an386", compiler, program="minimal")
    profile = built(tmp_path, "mps2-an386", compiler, profile=True)
    assert minimal.flash_bytes < 1000 < bench.flash_bytes
    assert "tg_fault" not in {s.name for s in read_symbols(minimal.elf)}
    assert "trivial_layer_begin" not in {s.name for s in read_symbols(bench.elf)}
    assert "trivial_layer_begin" in {s.name for s in read_symbols(profile.elf)}
    assert len({bench.elf, minimal.elf, profile.elf}) == 3


@pytest.mark.parametrize("compiler", COMPILERS)
def test_builds_agree_wherever_they_happen(compiler: str, tmp_path: Path) -> None:
    need_compiler("mps2-an386", compiler)
    first = built(tmp_path / "a", "mps2-an386", compiler, program="minimal")
    second = built(tmp_path / "b" / "c", "mps2-an386", compiler, program="minimal")
    assert first.elf.read_bytes() == second.elf.read_bytes()


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("optimize", OPTIMIZATIONS)
def test_every_optimisation_level_keeps_the_symbols(optimize: str, compiler: str, tmp_path: Path) -> None:
    need_compiler("mps2-an386", compiler)
    firmware = built(tmp_path, "mps2-an386", compiler, program="minimal", optimize=optimize)
    assert firmware.optimize == optimize
    assert "arena" in {s.name for s in read_symbols(firmware.elf)}


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_firmware_too_large_is_measured_nevertheless(compiler: str, tmp_path: Path) -> None:
    need_compiler("hifive1-revb", compiler)
    tree = trivial_tree(arena_bytes=20_000)
    with pytest.raises(TinygenError) as caught:
        built(tmp_path, "hifive1-revb", compiler, tree, program="minimal")
    assert caught.value.code == "TG301"
    firmware = built(tmp_path, "hifive1-revb", compiler, tree, program="minimal", must_fit=False)
    assert not firmware.sizes.fits
    assert 20_000 + 2048 <= firmware.ram_bytes < 20_000 + 2048 + 64
    assert f"{firmware.ram_bytes:,} bytes of RAM of 16,384" in str(caught.value)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_flash_can_be_too_small_as_well(compiler: str, tmp_path: Path) -> None:
    need_compiler("mps3-an547", compiler)
    firmware = built(tmp_path, "mps3-an547", compiler, trivial_tree(offsets=600_000), program="minimal", must_fit=False)
    assert not firmware.sizes.fits
    assert 600_000 < firmware.flash_bytes < 602_000
    assert firmware.ram_bytes < firmware.sizes.ram_capacity


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_compile_error_is_shown_with_its_command(compiler: str, tmp_path: Path) -> None:
    need_compiler("mps2-an386", compiler)
    tree = trivial_tree()
    broken = replace(tree, files={**tree.files, "src/trivial.c": "int trivial_init(void) { return nothing; }\n"})
    with pytest.raises(TinygenError) as caught:
        built(tmp_path, "mps2-an386", compiler, broken)
    assert caught.value.code == "TG402"
    assert caught.value.diagnostics[0].message.startswith("src/trivial.c:1:")
    assert "nothing" in caught.value.diagnostics[0].message.splitlines()[0]
    assert "-Ifirmware/common" in caught.value.diagnostics[0].hints[0]
    assert not list((tmp_path / "out").glob("*.elf"))


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_missing_function_is_a_compiler_error(compiler: str, tmp_path: Path) -> None:
    need_compiler("mps2-an386", compiler)
    tree = trivial_tree()
    source = tree.files["src/trivial.c"].replace("trivial_init(", "trivial_other(")
    broken = replace(tree, files={**tree.files, "src/trivial.c": source})
    with pytest.raises(TinygenError) as caught:
        built(tmp_path, "mps2-an386", compiler, broken)
    assert caught.value.code == "TG402"
    assert "trivial_init" in str(caught.value)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("board", ["rpi-pico", "mps2-an386", "hifive1-revb"])
def test_small_copies_are_loads(board: str, compiler: str, tmp_path: Path) -> None:
    """The kernels read words with memcpy; a call instead would cost thirty instructions each."""
    need_compiler(board, compiler)
    tree = trivial_tree()
    copy = "    uint32_t w;\n    memcpy(&w, arena, 4);\n    return (int)w;"
    source = tree.files["src/trivial.c"].replace("    return 0;", copy, 1)
    tree = replace(tree, files={**tree.files, "src/trivial.c": source})
    project = write_project(tree, load_board(board), tmp_path / "project")
    found = find_compiler(project.board.core, compiler)
    assembly = tmp_path / "trivial.s"
    command = (*found.command, *CODE, "-O2", "-Iinclude", "-Isrc", "-isystem", "firmware/libc", "-S", "src/trivial.c")
    subprocess.run([*command, "-o", str(assembly)], cwd=project.path, check=True)
    assert "memcpy" not in assembly.read_text()


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("board", {board.port.family: board.id for board in all_boards()}.values())
def test_firmware_has_no_warnings(board: str, compiler: str, tmp_path: Path) -> None:
    need_compiler(board, compiler)
    project = write_project(trivial_tree(), load_board(board), tmp_path)
    found = find_compiler(project.board.core, compiler)
    strict = replace(found, command=(*found.command, *STRICT_WARNINGS))
    for program in PROGRAMS:
        link = Link(
            folder=project.path,
            sources=(*project.manifest.sources, *program_sources(project.board, program, project.manifest.files)),
            includes=INCLUDE_FOLDERS,
            system_includes=(LIBC_FOLDER,),
            defines=(*program_defines(program), *(("TRIVIAL_PROFILE=1",) if program == "bench" else ())),
            linker_script=project.path / "linker.ld",
            elf=tmp_path / f"{program}.elf",
        )
        compile_elf(link, strict)


def test_sources_without_a_project_are_linked(tmp_path: Path) -> None:
    need_compiler("mps2-an386", "zig")
    project = write_project(trivial_tree(), load_board("mps2-an386"), tmp_path / "project")
    link = Link(
        folder=project.path,
        sources=("src/trivial.c", "firmware/common/startup_cortex_m.c", "firmware/common/minimal.c"),
        includes=("include", "src", "firmware/common"),
        system_includes=("firmware/libc",),
        defines=("TG_MINIMAL=1",),
        linker_script=project.path / "linker.ld",
        elf=tmp_path / "x.elf",
    )
    assert compile_elf(link, find_compiler(project.board.core, "zig")).read_bytes()[:4] == b"\x7fELF"
    with pytest.raises(TinygenError) as caught:
        compile_elf(replace(link, sources=("src/none.c",)), find_compiler(project.board.core, "zig"))
    assert caught.value.code == "TG402"


@cache
def board_m4() -> Board:
    return load_board("mps2-an386")


def test_zig_is_preferred_and_gnu_is_next(monkeypatch: pytest.MonkeyPatch) -> None:
    core = board_m4().core
    zig, gnu = zig_compiler(core), gcc_compiler(core)
    need("zig", zig is not None, "zig")
    need("gcc", gnu is not None, core.gcc)
    assert find_compiler(core) == find_compiler(core, "zig") == zig
    assert find_compiler(core, "gcc") == find_compiler(core, "arm-none-eabi-gcc") == gnu
    monkeypatch.setattr(zig_module, "zig_command", lambda: None)
    assert find_compiler(core) == gnu


@pytest.mark.parametrize(
    ("name", "hints"),
    [
        (None, ("tinygen[emulate]", "arm-none-eabi-gcc")),
        ("zig", ("tinygen[emulate]",)),
        ("gcc", ("gcc-arm-none-eabi",)),
    ],
)
def test_no_compiler_says_how_to_get_one(
    name: str | None, hints: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zig_module, "zig_command", lambda: None)
    monkeypatch.setattr(gcc_module.shutil, "which", lambda _: None)
    with pytest.raises(TinygenError) as caught:
        find_compiler(board_m4().core, name)
    assert caught.value.code == "TG401"
    found = caught.value.diagnostics[0].hints
    assert len(found) == len(hints)
    assert all(part in hint for part, hint in zip(hints, found, strict=True))


def test_an_unknown_compiler() -> None:
    with pytest.raises(TinygenError) as caught:
        find_compiler(board_m4().core, "msvc")
    assert caught.value.code == "TG401"
    assert "found compiler 'msvc', accepted: zig, gcc" in str(caught.value)


def test_the_host_builds_a_library(tmp_path: Path) -> None:
    project = write_project(trivial_tree(), board_m4(), tmp_path / "project")
    out = build_host(
        [project.path / "src/trivial.c"],
        tmp_path / f"trivial{SHARED_SUFFIX}",
        includes=[project.path / "include"],
        warnings=STRICT_WARNINGS,
    )
    library = ctypes.CDLL(str(out))
    library.trivial_input.restype = library.trivial_output.restype = ctypes.POINTER(ctypes.c_int8 * 4)
    library.trivial_input(0).contents[:] = [1, 1, 1, 1]
    assert library.trivial_invoke() == 0
    assert list(library.trivial_output(0).contents) == [0, 1, 2, 3]


FAULTS = {
    "heap-use-after-free": """#include <stdlib.h>
int main(void)
{
    int *volatile words = calloc(4, sizeof *words);
    free(words);
    volatile int sink = words[0];
    return (int)(sizeof sink - sizeof(int));
}
""",
    "signed integer overflow": """#include <limits.h>
int main(int argc, char **argv)
{
    (void)argv;
    volatile int sink = INT_MAX - 1 + 2 * argc;
    return (int)(sizeof sink - sizeof(int));
}
""",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_host_sanitizes(fault: str, tmp_path: Path) -> None:
    source = tmp_path / "fault.c"
    source.write_text(FAULTS[fault])
    plain = build_host([source], tmp_path / "plain", shared=False)
    assert subprocess.run([str(plain)], check=False).returncode == 0
    checked = build_host([source], tmp_path / "checked", shared=False, sanitize=True)
    done = subprocess.run([str(checked)], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert fault in done.stderr


def test_a_host_error_is_shown(tmp_path: Path) -> None:
    (tmp_path / "x.c").write_text("int f(void) { return 1.5f + y; }\n")
    with pytest.raises(TinygenError) as caught:
        build_host([tmp_path / "x.c"], tmp_path / "x")
    assert caught.value.code == "TG402"


def test_a_host_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    find = find_host_compiler.__wrapped__
    monkeypatch.setattr(host_module.shutil, "which", lambda _: None)
    if zig_command() is not None:
        assert find().name == "zig"
    with pytest.raises(TinygenError) as caught:
        find(sanitize=True)
    assert caught.value.code == "TG401"
    monkeypatch.setattr(host_module, "zig_command", lambda: None)
    with pytest.raises(TinygenError) as caught:
        find()
    assert "tinygen[emulate]" in caught.value.diagnostics[0].hints[1]


def test_flags_are_those_of_the_compiler_that_the_code_needs() -> None:
    require("zig", "gcc")
    need("g++", shutil.which("arm-none-eabi-g++") is not None, "arm-none-eabi-g++")
    core = load_board("mps2-an386").core
    zig, gnu = (model_flags(core, (), name, "-O3") for name in ("zig", "gcc"))
    assert zig == (*core.zig_flags, *CODE, "-O3", "-Xclang", "-O3")
    assert gnu == (*core.gcc_flags, *CODE, "-O3")
    cxx = model_flags(core, libraries((), optimized=False), None, "-O2")
    assert cxx[: len(core.gcc_flags)] == core.gcc_flags
    assert "-std=c++17" in cxx
    assert not {"-std=c99", "-ffreestanding"} & set(cxx)
