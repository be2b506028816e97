"""Two models in one firmware: right outputs in turn, outputs that last only in arenas of their own, and who answers."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.requirement import need, require
from tinygen.boards import load_board
from tinygen.build.builder import Link, build_project, compile_elf
from tinygen.build.compiler import find_compiler
from tinygen.build.flags import STRICT_WARNINGS
from tinygen.build.host import build_host
from tinygen.compile import CompileOptions, compile_models
from tinygen.errors import TinygenError
from tinygen.ir.interpret import interpret
from tinygen.paths import EXAMPLES
from tinygen.project import Project, write_project
from tinygen.project.firmware import INCLUDE_FOLDERS, LIBC_FOLDER, PROGRAMS, program_defines, program_sources
from tinygen.protocol import Answer, BenchClient, parse_answer
from tinygen.run import find_runner
from tinygen.run.emulator.machine import Machine, Program
from tinygen.samples import Sample, random_sample
from tinygen.tflite import read_model

HERE = Path(__file__).parent
BOARD = "mps2-an386"
NAMES = ("digits", "zoo")
SAMPLES = 2
ARENAS = pytest.mark.parametrize("separate", [False, True], ids=["shared", "separate"])


@functools.cache
def samples(name: str) -> tuple[tuple[Sample, Sample], ...]:
    """Inputs of a model with the outputs that belong to them."""
    graph = read_model(EXAMPLES / f"{name}.tflite")
    inputs = [random_sample(graph, seed, 0) for seed in range(SAMPLES)]
    return tuple((sample, tuple(interpret(graph, sample))) for sample in inputs)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("zig", "unicorn")
    return tmp_path_factory.mktemp("several")


@functools.cache
def project(folder: Path, separate: bool) -> Project:
    board = load_board(BOARD)
    options = CompileOptions(features=frozenset(board.features))
    trees = compile_models([EXAMPLES / f"{name}.tflite" for name in NAMES], options, separate_arenas=separate)
    written = write_project(trees, board, folder / ("separate" if separate else "shared"))
    (written.path / "samples").mkdir()
    (written.path / "samples/samples.h").write_text("\n".join(_samples_header()))
    shutil.copy(HERE / "two_models.c", written.path / "samples")
    return written


def _samples_header() -> list[str]:
    lines = ["#include <stdint.h>", f"#define SAMPLES {SAMPLES}u"]
    for name in NAMES:
        for kind, position in (("inputs", 0), ("outputs", 1)):
            rows = [pair[position][0].tobytes() for pair in samples(name)]
            values = ", ".join("{" + ", ".join(map(str, row)) + "}" for row in rows)
            lines.append(f"static const uint8_t {name}_{kind}[SAMPLES][{len(rows[0])}] = {{{values}}};")
    return [*lines, ""]


def _turns_on_the_host(written: Project) -> Answer | None:
    common = written.path / "firmware/common"
    program = build_host(
        [
            *(written.path / source for source in written.manifest.sources),
            written.path / "samples/two_models.c",
            common / "protocol.c",
            HERE / "fuzz_port.c",
        ],
        written.path / "turns",
        includes=[written.path / include for include in (*INCLUDE_FOLDERS, "samples")],
        shared=False,
    )
    done = subprocess.run([program], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return parse_answer(done.stdout)


def _turns_on_unicorn(written: Project) -> Answer | None:
    sources = [s for s in program_sources(written.board, "bench", written.manifest.files) if "bench.c" not in s]
    link = Link(
        folder=written.path,
        sources=(*STRICT_WARNINGS, *written.manifest.sources, *sources, "samples/two_models.c"),
        includes=(*INCLUDE_FOLDERS, "samples"),
        system_includes=(LIBC_FOLDER,),
        defines=(),
        linker_script=written.path / "linker.ld",
        elf=written.path / "turns.elf",
    )
    elf = compile_elf(link, find_compiler(written.board.core, "zig"))
    return parse_answer(_machine(written, elf).read_line())


def _machine(written: Project, elf: Path) -> Machine:
    prefix = written.model.prefix
    names = (f"{prefix}_invoke", f"{prefix}_layer_begin", f"{prefix}_layer_end")
    return Machine(written.board, written.path, Program(elf, *names, written.model.layer_slots))


@ARENAS
@pytest.mark.parametrize("where", [_turns_on_the_host, _turns_on_unicorn], ids=["host", "unicorn"])
def test_models_in_turn(folder: Path, where, separate: bool) -> None:
    """With a shared arena the first model's output is lost to the second: why the header says how long it is valid."""
    if where is _turns_on_the_host:
        require("cc")
    answer = where(project(folder, separate))
    assert answer is not None
    assert answer.word == "turns"
    assert (answer.number("status"), answer.number("wrong")) == (0, 0)
    assert (answer.number("lost") == 0) == separate


@ARENAS
@pytest.mark.parametrize("runner", ["host", "unicorn"])
@pytest.mark.parametrize("name", NAMES)
def test_the_selected_model_answers_with_the_others_running(
    folder: Path, name: str, runner: str, separate: bool
) -> None:
    written = project(folder, separate).select(name)
    with find_runner(runner).open(written, written.path / "build") as session:
        for inputs, outputs in samples(name):
            np.testing.assert_array_equal(session.infer(inputs)[0], outputs[0])


@ARENAS
def test_what_the_others_leave(folder: Path, separate: bool) -> None:
    written = project(folder, separate)
    client = BenchClient(_machine(written, build_project(written, written.path / "build", compiler="zig").elf))
    client.boot()
    (inputs, outputs), *_ = samples("digits")
    client.load(0, inputs[0].tobytes())
    client.infer()
    assert client.output(0) == outputs[0].tobytes()
    assert client.others() == 1
    if separate:
        assert client.output(0) == outputs[0].tobytes()
    else:
        with pytest.raises(TinygenError, match="refused: outputs"):
            client.output(0)
    client.load(0, inputs[0].tobytes())
    client.others()
    if separate:
        client.infer()
    else:
        with pytest.raises(TinygenError, match="refused: inputs"):
            client.infer()


def test_layers_of_the_selected_model_are_counted(folder: Path) -> None:
    written = project(folder, False).select("zoo")
    with find_runner("unicorn").open(written, written.path / "build") as session:
        measurement = session.measure(samples("zoo")[0][0])
    assert 0 < sum(layer.count for layer in measurement.layers) < 2 * measurement.count
    assert [layer.index for layer in measurement.layers] == [layer.index for layer in written.model.layers]


@ARENAS
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("answering", NAMES)
def test_no_warnings(folder: Path, program: str, answering: str, separate: bool) -> None:
    written = project(folder, separate).select(answering)
    profile = (f"{answering.upper()}_PROFILE=1",) if program == "bench" else ()
    link = Link(
        folder=written.path,
        sources=(
            *STRICT_WARNINGS,
            *written.manifest.sources,
            *program_sources(written.board, program, written.manifest.files),
        ),
        includes=INCLUDE_FOLDERS,
        system_includes=(LIBC_FOLDER,),
        defines=(*program_defines(program), *written.defines, *profile),
        linker_script=written.path / "linker.ld",
        elf=written.path / "warnings.elf",
    )
    compile_elf(link, find_compiler(written.board.core, "zig"))


def test_cmake_builds_for_each_model(folder: Path, tmp_path: Path) -> None:
    written = project(folder, False)
    need("cmake", shutil.which("cmake") is not None, "cmake")
    require("gcc")
    configure = ["cmake", "-S", str(written.path), "-B", str(tmp_path)]
    for model in NAMES:
        subprocess.run([*configure, f"-DMODEL={model}"], capture_output=True, check=True)
        subprocess.run(["cmake", "--build", str(tmp_path)], capture_output=True, check=True)
        client = BenchClient(_machine(written.select(model), tmp_path / "digits_zoo.elf"))
        assert client.boot().model == model
    refused = subprocess.run([*configure, "-DMODEL=kws"], capture_output=True, text=True, check=False)
    assert "MODEL is kws, accepted: digits, zoo" in refused.stderr
    assert refused.returncode != 0
