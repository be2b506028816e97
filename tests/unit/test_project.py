"""Projects: what is written, that it is always the same, that it is read back, and that nobody's files are lost."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.requirement import need
from tests.unit.trivial_model import trivial_tree
from tinygen.boards import Board, all_boards, load_board
from tinygen.errors import TinygenError
from tinygen.project import Manifest, load_project, write_project
from tinygen.project.linker import linker_regions, linker_script
from tinygen.project.model import Model
from tinygen.source_tree import TensorSpec

BOARDS = all_boards()


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_project_has_everything_it_is_built_from(tmp_path: Path) -> None:
    tree = trivial_tree()
    project = write_project(tree, load_board("stm32f746g-disco"), tmp_path / "out")
    files = contents(tmp_path / "out")
    assert set(files) == {*project.manifest.files, "tinygen.json"}
    for path, text in tree.files.items():
        assert files[path].decode() == text
    for path in (
        "CMakeLists.txt",
        "README.md",
        "arm-none-eabi-gcc.cmake",
        "boards/stm32f746g-disco.toml",
        "firmware/common/bench.c",
        "firmware/common/minimal.c",
        "firmware/common/startup_cortex_m.c",
        "firmware/libc/string.h",
        "firmware/ports/stm32/port.c",
        "include/tinygen_board.h",
        "include/tinygen_model.h",
        "linker.ld",
        "platformio.ini",
    ):
        assert path in files
    assert "firmware/common/startup_riscv.S" not in files
    assert project.manifest.sources == ("src/trivial.c",)


def test_the_board_and_the_model_are_macros(tmp_path: Path) -> None:
    write_project(trivial_tree(), load_board("mps3-an547"), tmp_path)
    board = (tmp_path / "include/tinygen_board.h").read_text()
    assert '#define TG_BOARD_ID "mps3-an547"' in board
    assert "#define TG_UART_BASE 0x59303000u" in board
    assert "#define TG_BAUD 115200u" in board
    assert "#define TG_CLOCK_HZ 32000000u" in board
    model = (tmp_path / "include/tinygen_model.h").read_text()
    assert '#define TG_MODEL_SHA256 "abababababababab"\n' in model
    assert "#define TG_MODEL_INPUT_BYTES {4u}" in model
    assert "#define tg_model_layer_begin trivial_layer_begin" in model


def test_several_tensors_make_several_initialisers(tmp_path: Path) -> None:
    tree = trivial_tree()
    second = TensorSpec("second", (3,), "float32", 12, None, None)
    write_project(replace(tree, outputs=(*tree.outputs, second)), load_board("mps2-an386"), tmp_path)
    model = (tmp_path / "include/tinygen_model.h").read_text()
    assert "#define TG_MODEL_OUTPUT_COUNT 2\n#define TG_MODEL_OUTPUT_BYTES {4u, 12u}\n" in model


def test_models_that_bring_different_kernels_are_a_bug(tmp_path: Path) -> None:
    tree = trivial_tree()
    other = replace(tree, prefix="other", files={"src/kernels/negate_s8.h": "something else"})
    with pytest.raises(ValueError, match=r"two models bring different files src/kernels/negate_s8\.h"):
        write_project((tree, other), load_board("mps2-an386"), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_name_cannot_end_a_comment(tmp_path: Path) -> None:
    write_project(replace(trivial_tree(), model_name="a*/ #error `x`\n"), load_board("mps2-an386"), tmp_path)
    assert "/* a?? ?error ?x?? under" in (tmp_path / "include/tinygen_model.h").read_text()
    assert "`a?? ?error ?x??`" in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.id)
def test_projects_are_the_same_wherever_they_are_written(board: Board, tmp_path: Path) -> None:
    write_project(trivial_tree(), board, tmp_path / "a")
    write_project(trivial_tree(), board, tmp_path / "b" / "c")
    files = contents(tmp_path / "a")
    assert files == contents(tmp_path / "b" / "c")
    text = b"\n".join(files.values()).decode()
    assert str(tmp_path) not in text
    assert not re.search(r"\b20[2-9][0-9]-[01][0-9]-[0-3][0-9]\b", text)


@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.id)
def test_a_project_is_read_back(board: Board, tmp_path: Path) -> None:
    written = write_project(trivial_tree(), board, tmp_path)
    read = load_project(tmp_path)
    assert read == written
    assert read.board == board
    assert read.model.layers == trivial_tree().layers
    assert read.model.inputs == trivial_tree().inputs
    assert read.manifest.stack_bytes == board.stack_bytes


def test_the_manifest_has_stable_keys(tmp_path: Path) -> None:
    write_project(trivial_tree(), load_board("mps2-an386"), tmp_path)
    content = json.loads((tmp_path / "tinygen.json").read_text())
    assert list(content) == list(Manifest.__dataclass_fields__)
    (model,) = content["models"]
    assert list(model) == list(Model.__dataclass_fields__)
    assert list(model["layers"][0]) == [
        "index",
        "op",
        "name",
        "symbol",
        "kernel",
        "macs",
        "constant_bytes",
        "scratch_bytes",
        "output_shape",
        "schedule",
    ]
    assert model["constants_crc32"] == 0x12345678


def test_an_older_project_is_replaced_and_other_files_stay(tmp_path: Path) -> None:
    write_project(trivial_tree(), load_board("stm32f746g-disco"), tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "src/mine.c").write_text("mine")
    (tmp_path / "src/trivial.c").write_text("changed")
    write_project(trivial_tree(), load_board("hifive1-revb"), tmp_path)
    files = contents(tmp_path)
    assert (files.pop("notes.txt"), files.pop("src/mine.c")) == (b"mine", b"mine")
    write_project(trivial_tree(), load_board("hifive1-revb"), tmp_path / "new")
    assert files == contents(tmp_path / "new")


def test_a_project_of_the_first_format_is_replaced(tmp_path: Path) -> None:
    write_project(trivial_tree(), load_board("mps2-an386"), tmp_path)
    (tmp_path / "src/old.c").write_text("")
    manifest = tmp_path / "tinygen.json"
    files = json.loads(manifest.read_text())["files"]
    manifest.write_text(json.dumps({"format": 1, "files": [*files, "src/old.c"]}))
    with pytest.raises(TinygenError, match="found format 1, accepted: 2"):
        load_project(tmp_path)
    write_project(trivial_tree(), load_board("mps2-an386"), tmp_path)
    assert not (tmp_path / "src/old.c").exists()
    assert load_project(tmp_path).manifest.files == tuple(files)


def test_nothing_is_left_beside_the_project(tmp_path: Path) -> None:
    write_project(trivial_tree(), load_board("mps2-an386"), tmp_path / "p")
    write_project(trivial_tree(), load_board("mps2-an386"), tmp_path / "p")
    assert [p.name for p in tmp_path.iterdir()] == ["p"]


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(TinygenError) as caught:
        write_project(trivial_tree(), load_board("mps2-an386"), tmp_path)
    assert caught.value.code == "TG403"
    assert contents(tmp_path) == {"thesis.tex": b"years of work"}


def test_a_file_or_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "project"):
        with pytest.raises(TinygenError) as caught:
            write_project(trivial_tree(), load_board("mps2-an386"), out)
        assert caught.value.code == "TG403"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_damaged_manifest_protects_the_folder(tmp_path: Path) -> None:
    write_project(trivial_tree(), load_board("mps2-an386"), tmp_path)
    (tmp_path / "tinygen.json").write_text("{")
    with pytest.raises(TinygenError) as caught:
        write_project(trivial_tree(), load_board("mps2-an386"), tmp_path)
    assert caught.value.code == "TG403"


def test_a_folder_without_a_project(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(TinygenError) as caught:
            load_project(folder)
        assert caught.value.code == "TG405"
        assert "tinygen generate" in caught.value.diagnostics[0].hints[0]


def _model(tensor: dict[str, object]) -> dict[str, object]:
    """A model whose input is this."""
    return {**dict.fromkeys(("prefix", "model_name", "model_sha256", "backend", "numerics"), "x"), "inputs": [tensor]}


DAMAGES: dict[str, tuple[str, object, str]] = {
    "another format": ("format", 99, "found format 99, accepted: 2"),
    "a boolean for a number": ("arena_bytes", True, "arena_bytes: found True"),
    "a number for a string": ("tinygen", 3, "tinygen: found 3"),
    "a number for a boolean": ("shared_arena", 1, "shared_arena: found 1"),
    "a string for a list": ("models", "kws", "models: found 'kws'"),
    "no model": ("models", [], "models: found an empty list"),
    "a model without a name": ("models", [{"prefix": "kws"}], "model_name is missing"),
    "a list of another type": ("files", [1], "files: found [1]"),
    "a tensor without a name": ("models", [_model({})], "name is missing"),
    "a scale that is a string": ("models", [_model({"scale": "big"})], "scale: found 'big'"),
    "a file outside": ("files", ["../thesis.tex"], "a path inside the project"),
    "an absolute path": ("sources", ["/etc/passwd"], "a path inside the project"),
    "a board that is a path": ("board", "../x", "a path inside the project"),
    "a board that is not there": ("board", "toy", "boards/toy.toml is missing"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_project_says_where(damage: str, tmp_path: Path) -> None:
    key, value, expected = DAMAGES[damage]
    write_project(trivial_tree(), load_board("mps2-an386"), tmp_path)
    manifest = tmp_path / "tinygen.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {key: value}))
    with pytest.raises(TinygenError) as caught:
        load_project(tmp_path)
    assert caught.value.code == "TG405"
    assert expected in str(caught.value)
    assert str(manifest) in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "null", '"x"', "{}", "[" * 100_000], ids=lambda t: t[:4])
def test_a_manifest_that_is_something_else(text: str, tmp_path: Path) -> None:
    (tmp_path / "tinygen.json").write_text(text)
    with pytest.raises(TinygenError) as caught:
        load_project(tmp_path)
    assert caught.value.code == "TG405"


def test_a_port_that_does_not_exist(tmp_path: Path) -> None:
    board = load_board("mps2-an386")
    with pytest.raises(TinygenError) as caught:
        write_project(trivial_tree(), replace(board, port=replace(board.port, family="avr")), tmp_path)
    assert caught.value.code == "TG303"
    assert "found 'avr', accepted: " in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_the_linker_script_has_the_boards_memories() -> None:
    script = linker_script(load_board("stm32f746g-disco"), 4096)
    assert "CODE (rx) : ORIGIN = 0x08000000, LENGTH = 0x100000\n" in script
    assert "DATA (rw) : ORIGIN = 0x20000000, LENGTH = 0x50000\n" in script
    assert "__stack_size = 4096;" in script
    assert script.index("__stack_top = .") < script.index("__data_start = .") < script.index("__bss_start = .")
    assert "STACK (rw)" not in script
    assert ".boot" not in script


def test_the_linker_script_skips_what_a_bootloader_owns() -> None:
    nano = linker_script(load_board("arduino-nano-33-ble"), 2048)
    assert "CODE (rx) : ORIGIN = 0x00010000, LENGTH = 0xf0000\n" in nano
    pico = linker_script(load_board("rpi-pico"), 2048)
    assert "KEEP(*(.boot))" in pico
    assert ".text ORIGIN(CODE) + 256 :" in pico


def test_the_linker_script_has_a_stack_region_of_its_own() -> None:
    script = linker_script(load_board("nucleo-h743zi2"), 4096)
    assert "STACK (rw) : ORIGIN = 0x20000000, LENGTH = 0x20000\n" in script
    assert "DATA (rw) : ORIGIN = 0x24000000, LENGTH = 0x80000\n" in script
    assert 'ASSERT(__stack_bottom == ORIGIN(STACK), "' in script


def test_the_linker_script_puts_constants_where_loads_see_them() -> None:
    script = linker_script(load_board("esp32-c3"), 4096)
    assert "RODATA (r) : ORIGIN = 0x3c000000, LENGTH = 0x400000\n" in script
    assert "} > DATA AT > RODATA\n" in script
    assert "__global_pointer$" in script


@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.id)
def test_an_unlimited_linker_script_has_no_overlaps(board: Board) -> None:
    script = linker_script(board, 1024, unlimited=True)
    found = re.findall(r"ORIGIN = (0x[0-9a-f]+), LENGTH = (0x[0-9a-f]+)", script)
    spans = sorted((int(origin, 16), int(origin, 16) + int(length, 16)) for origin, length in found)
    starts = {r.name: r.start for r in linker_regions(board)}
    assert {starts[name] for name in ("CODE", "DATA")} <= {start for start, _ in spans}
    assert [end for _, end in spans] == [*(start for start, _ in spans[1:]), 1 << 32]


@pytest.mark.parametrize("board", [b for b in BOARDS if b.platformio], ids=lambda b: b.id)
def test_platformio_builds_the_same_files(board: Board, tmp_path: Path) -> None:
    project = write_project(trivial_tree(), board, tmp_path)
    config = configparser.ConfigParser()
    config.read(tmp_path / "platformio.ini")
    section = config[f"env:{board.id}"]
    listed = re.findall(r"\+<(.*)>", section["build_src_filter"])
    assert "src/trivial.c" in listed
    assert "firmware/common/bench.c" in listed
    assert "firmware/common/minimal.c" not in listed
    assert set(listed) <= set(project.manifest.files)
    assert section["board_build.ldscript"] == "linker.ld"
    compile((tmp_path / "platformio_flags.py").read_text(), "platformio_flags.py", "exec")


@pytest.mark.parametrize(("board", "word"), [("mps2-an386", "gcc"), ("hifive1-revb", "riscv")])
@pytest.mark.parametrize("program", ["bench", "minimal"])
def test_a_project_builds_without_tinygen(board: str, word: str, program: str, tmp_path: Path) -> None:
    gcc = load_board(board).core.gcc
    need("cmake", shutil.which("cmake") is not None, "cmake")
    need(word, shutil.which(gcc) is not None, gcc)
    write_project(trivial_tree(), load_board(board), tmp_path / "project")
    for command in (
        ["cmake", "-S", "project", "-B", "build", f"-DPROGRAM={program}", "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON"],
        ["cmake", "--build", "build"],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "build/trivial.elf").read_bytes().startswith(b"\x7fELF")
