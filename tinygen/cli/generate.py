"""`tinygen generate`: a firmware project for a board and a model, or several."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click

from tinygen.boards import load_board
from tinygen.ci import continuous_integration
from tinygen.cli import _options as options
from tinygen.cli._output import Output
from tinygen.compile import CompileOptions, compile_models
from tinygen.project import Manifest, write_library, write_project
from tinygen.project.formats import formats
from tinygen.project.mlperf import BENCHMARKS, NONE
from tinygen.report.planned import TOLD_PERCENT, ArenaPart, arena_parts, excess_line
from tinygen.source_tree import SourceTree, arena_bytes, searched
from tinygen.target import for_board


@dataclass(frozen=True)
class GeneratedModel:
    """One model of a project."""

    model: str
    sha256: str
    prefix: str
    """Of the model's generated C names."""
    arena_bytes: int
    lower_bound_bytes: int
    """What no memory plan of this schedule can go below."""
    proof: str
    schedule_exact: bool
    """All orders of the layers and all cuts were gone through for the schedule; false where the search was bounded."""
    excess_percent: float
    """Estimated instructions above what the objective chose, as only this schedule could be spread over the memories;
    0 where it is the objective's."""
    library_arena_bytes: int | None
    """The arena with the plan that the backend's library makes by itself; null where it never does."""
    state_bytes: int
    """Kept from one inference to the next; tflite-micro keeps it in its arena, other backends beside it."""
    constant_bytes: int
    layers: int
    mlperf: str | None
    """As what the firmware answers MLPerf Tiny's runner: a benchmark's id or the prefix; null in a library."""


@dataclass(frozen=True)
class GenerateDocument:
    """`tinygen generate`. `model` to `layers` are the first model's; `models` has all of them."""

    project: str
    """The folder that was written."""
    format: str
    """Of --format, `project` without it."""
    model: str
    sha256: str
    board: str | None
    """Null in a library that is for no board."""
    backend: str
    prefix: str
    """Of every generated C name."""
    arena_bytes: int
    lower_bound_bytes: int
    """What no memory plan of this schedule can go below."""
    proof: str
    constant_bytes: int
    layers: int
    files: tuple[str, ...]
    """Paths in the project."""
    models: tuple[GeneratedModel, ...]
    shared_arena: bool
    """Whether all models work in one arena, as large as the largest of theirs."""
    total_arena_bytes: int
    """Of all arenas together."""
    arena_parts: tuple[ArenaPart, ...]
    """The memories that total_arena_bytes are in, the main one first; none in a library."""
    keep_inputs_bytes: int | None
    """What --keep-inputs adds to total_arena_bytes; null when it was not asked for."""


DOCUMENT = GenerateDocument


@click.command("generate")
@options.models
@options.board(required=False)
@click.option(
    "--format",
    "layout",
    type=click.Choice(tuple(formats())),
    help="Without it, a firmware with the files of every build system that knows the board.",
)
@click.option("-o", "--out", type=options.FILE, required=True, metavar="DIR", help="The project's folder.")
@click.option(
    "--prefix",
    "prefixes",
    multiple=True,
    metavar="NAME",
    help="Of every generated C name; by default made from the model file's name. Once for each model.",
)
@click.option(
    "--mlperf",
    "mlperf",
    multiple=True,
    type=click.Choice([*(b.id for b in BENCHMARKS), NONE]),
    help="The benchmark as which a firmware answers MLPerf Tiny's runner; by default what the input and output look "
    "like. Once for each model.",
)
@options.separate_arenas
@click.option("--ci", is_flag=True, help="Golden files, Renode's tests and a GitHub workflow (docs/ci.md).")
@click.option(
    "--max-instructions",
    type=click.IntRange(min=1),
    metavar="N",
    help="Of an inference in CI; by default what an emulator counts here, and 5% more.",
)
@options.compiling
@options.dump_ir
@options.common
def command(
    output: Output,
    models: tuple[Path, ...],
    board: str | None,
    layout: str | None,
    out: Path,
    prefixes: tuple[str, ...],
    mlperf: tuple[str, ...],
    separate_arenas: bool,
    ci: bool,
    max_instructions: int | None,
    dump_ir: Path | None,
    chosen: CompileOptions,
) -> None:
    """Write a firmware project for a model and a board, or a library.

    C sources, start-up code, linker script, CMake and PlatformIO files: it builds without tinygen. Several models go
    into one firmware and share the memory for intermediate results.

    \b
    --format      with --board                   without
    (none)        firmware, CMake and PlatformIO -
    cmake         firmware                       static library with an example
    platformio    firmware                       library with an example
    others        a library either way: arduino-library, zephyr-module, esp-idf-component,
                  and library, which is only .c and .h; --board chooses what its core does best
    """
    format = None if layout is None else formats()[layout]
    if board is None and (format is None or format.library is None):
        raise click.UsageError("Missing option '--board': a firmware is for a board. Libraries are made with --format.")
    if prefixes and len(prefixes) != len(models):
        raise click.UsageError(f"--prefix is given {len(prefixes)} times for {len(models)} models.")
    if mlperf and len(mlperf) != len(models):
        raise click.UsageError(f"--mlperf is given {len(mlperf)} times for {len(models)} models.")
    target = None if board is None else load_board(board)
    is_firmware = target is not None and (format is None or format.firmware is not None)
    if mlperf and not is_firmware:
        raise click.UsageError("--mlperf is about the firmware for a board, and a library has none.")
    if ci and not (is_firmware and layout in (None, "cmake")):
        raise click.UsageError("--ci builds and tests a firmware for a board with CMake: no other --format has both.")
    if max_instructions is not None and not ci:
        raise click.UsageError("--max-instructions is the budget of --ci.")
    with output.status("compiling the model"):
        firmware = target is not None and (format is None or format.firmware is not None)
        wanted = chosen if target is None else for_board(chosen, target)
        if not firmware:
            wanted = replace(wanted, memories=(), regions=())
        trees = compile_models(models, wanted, prefixes=prefixes, separate_arenas=separate_arenas, dump_ir=dump_ir)
        least = trees
        if chosen.keep_inputs:
            consuming = replace(wanted, keep_inputs=False)
            least = compile_models(models, consuming, prefixes=prefixes, separate_arenas=separate_arenas)
    if target is not None and is_firmware:
        checks = None
        if ci:
            with output.status("counting an inference"):
                checks = continuous_integration(models, trees, target, instructions=max_instructions)
        manifest = write_project(trees, target, out, format=format, mlperf=mlperf, ci=checks).manifest
    else:
        assert format is not None
        manifest = write_library(trees, out, format)
    each = tuple(_model(tree, model.mlperf) for tree, model in zip(trees, manifest.models, strict=True))
    first = each[0]
    document = GenerateDocument(
        project=str(out),
        format=manifest.layout,
        model=first.model,
        sha256=first.sha256,
        board=None if target is None else target.id,
        backend=trees[0].backend,
        prefix=first.prefix,
        arena_bytes=first.arena_bytes,
        lower_bound_bytes=first.lower_bound_bytes,
        proof=first.proof,
        constant_bytes=first.constant_bytes,
        layers=first.layers,
        files=manifest.files,
        models=each,
        shared_arena=manifest.shared_arena,
        total_arena_bytes=manifest.arena_bytes,
        arena_parts=arena_parts(trees, target) if target is not None and is_firmware else (),
        keep_inputs_bytes=manifest.arena_bytes - arena_bytes(least) if chosen.keep_inputs else None,
    )

    def show() -> None:
        what = (
            f"for {target.name}" if target is not None and manifest.board is not None else f"format {manifest.layout}"
        )
        output.line(f"{out}: {', '.join(m.model for m in each)}, {what}, {len(document.files)} files")
        for item in each:
            if len(each) > 1:
                output.line(f"{item.model}, prefix {item.prefix}")
            own = item.library_arena_bytes
            beside = "" if own is None else f", {own:,} with tflite-micro's own plan"
            output.line(f"arena      {item.arena_bytes:>11,} bytes ({item.proof}){beside}")
            output.line(f"searched   {searched(item.schedule_exact)}")
            if item.excess_percent > TOLD_PERCENT:
                output.line(excess_line(item.excess_percent))
            if item.state_bytes:
                output.line(f"state      {item.state_bytes:>11,} bytes, kept from one inference to the next")
            output.line(f"constants  {item.constant_bytes:>11,} bytes in {item.layers} layers")
            if item.mlperf not in (None, item.prefix):
                output.line(f"answers MLPerf Tiny's runner as {item.mlperf}")
        if document.shared_arena:
            output.line(f"the models share one arena of {document.total_arena_bytes:,} bytes")
        if len(document.arena_parts) > 1:
            rows = [(p.memory, f"{p.bytes:,}", f"{p.available_bytes:,}") for p in document.arena_parts]
            output.table(("memory", "arena", "of"), rows, right=("arena", "of"))
        if document.keep_inputs_bytes is not None:
            output.line(f"keeping the inputs costs {document.keep_inputs_bytes:,} bytes of arena")
        output.line(f"next: {_next(out, manifest)}")

    output.result(document, show)


def _next(out: Path, manifest: Manifest) -> str:
    if manifest.board is not None:
        return f"tinygen build {out}"
    if "README.md" in manifest.files:
        return f"see {out / 'README.md'}"
    headers = " and ".join(f"{model.prefix}.h" for model in manifest.models)
    return f"compile {' and '.join(manifest.sources)}, include {headers}"


def _model(tree: SourceTree, mlperf: str | None) -> GeneratedModel:
    return GeneratedModel(
        model=tree.model_name,
        sha256=tree.model_sha256,
        prefix=tree.prefix,
        arena_bytes=tree.plan.arena_bytes,
        lower_bound_bytes=tree.plan.lower_bound,
        proof=tree.plan.proof,
        schedule_exact=tree.schedule_exact,
        excess_percent=tree.excess_percent,
        library_arena_bytes=tree.library_arena_bytes,
        state_bytes=tree.state_bytes,
        constant_bytes=tree.constant_bytes,
        layers=len(tree.layers),
        mlperf=mlperf,
    )
