"""Writes a firmware project for a board, or a library of models alone, in the formats people ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from tinygen import __version__
from tinygen.boards import Board
from tinygen.errors import Origin, error
from tinygen.project.ci import Ci, ci_files
from tinygen.project.firmware import firmware_files
from tinygen.project.formats import Format, Templates, firmware_formats
from tinygen.project.install import MARK, install
from tinygen.project.linker import linker_script
from tinygen.project.mlperf import MlperfAnswer, mlperf_answers
from tinygen.project.model import FORMAT, MANIFEST, PROJECT, Manifest, Project, model_of
from tinygen.project.templates import render
from tinygen.project.values import firmware_values, library_values, printable
from tinygen.source_tree import Models, SourceTree, arena_bytes, libraries_of, memory_bytes, trees_of

_SOURCES = (".c", ".cc", ".cpp", ".S")


def write_project(
    models: Models,
    board: Board,
    out: Path,
    *,
    stack_bytes: int | None = None,
    format: Format | None = None,
    mlperf: Sequence[str] = (),
    ci: Ci | None = None,
) -> Project:
    """Writes the project of a model, or of several, for a board into the folder `out`, made when it does not exist.

    The prefixes of several must differ, which compile_models sees to. `stack_bytes` is the stack's reserve, the board's
    own by default; `mlperf` is as in mlperf_answers; with `ci` the project tests itself on GitHub, built with CMake.
    Without `format` it has the files of every build system that knows the board. An older project in `out` is replaced:
    what tinygen wrote is overwritten or removed, other files stay. TG403 when the folder holds something else or cannot
    be written, TG413 when the format has no firmware for the board.
    """
    trees = trees_of(models)
    cxx = any(library.language == "c++" for library in libraries_of(trees))
    if format is not None:
        _check_board(format, board, cxx)
    stack = board.stack_bytes if stack_bytes is None else stack_bytes
    sources = _model_files(trees)
    answers = mlperf_answers(trees, mlperf)
    files = sources | _firmware_files(trees, answers, board, stack)
    manifest = _manifest(trees, PROJECT if format is None else format.name, sources, files)
    manifest = replace(
        manifest,
        board=board.id,
        stack_bytes=stack,
        models=tuple(replace(m, mlperf=answer.id) for m, answer in zip(manifest.models, answers, strict=True)),
    )
    chosen = firmware_formats(board, cxx=cxx) if format is None else (format,)
    values = firmware_values(manifest, board, chosen, ci=ci is not None)
    for each in chosen:
        files |= _rendered(each.firmware or {}, values)
    if ci is not None:
        files |= ci_files(manifest, board, ci)
    manifest = replace(manifest, files=tuple(sorted(files)))
    out = out.resolve()
    install(out, files | {MANIFEST: manifest.json()})
    return Project(out, manifest, board, manifest.models[0])


def write_library(models: Models, out: Path, format: Format) -> Manifest:
    """Writes a model, or several, without a firmware into the folder `out`; as write_project, TG403.

    The manifest is written into the folder only where the format has one. TG415 when the code calls libraries.
    """
    if format.library is None:
        raise ValueError(f"{format.name} has no library")
    trees = trees_of(models)
    needed = {library.name: library for tree in trees for library in tree.libraries}
    if needed:
        found = f"{format.name}: the code calls {', '.join(sorted(needed))}"
        raise error("TG415", found, hints=("--backend c needs no library", "a firmware project brings it: --board ID"))
    sources = {_placed(path, format.folders): text for path, text in _model_files(trees).items()}
    manifest = _manifest(trees, format.name, sources, sources)
    files = sources | _rendered(format.library, library_values(manifest, format))
    manifest = replace(manifest, files=tuple(sorted(files)))
    if format.manifest:
        files[MANIFEST] = manifest.json()
    else:
        files = {path: MARK + text for path, text in files.items()}
    install(out.resolve(), files)
    return manifest


def _check_board(format: Format, board: Board, cxx: bool) -> None:
    """TG413 unless the format has a firmware for the board, and with `cxx` one that can have C++ in it."""
    reason = "it has libraries only" if format.firmware is None else format.unknown(board)
    if reason is None and cxx and not format.cxx:
        reason = "its firmware is C, and the model's code is C++"
    if reason is not None:
        possible = ", ".join(f.name for f in firmware_formats(board, cxx=cxx))
        hints = [f"formats with a firmware for this board: {possible}"]
        if format.library is not None:
            hints.append("without a board (no --board) it is a library")
        raise error("TG413", f"{format.name}: {reason}", origin=Origin(str(board.file)), hints=hints)


def _manifest(
    trees: Sequence[SourceTree], layout: str, sources: Mapping[str, str], files: Mapping[str, str]
) -> Manifest:
    return Manifest(
        format=FORMAT,
        tinygen=__version__,
        layout=layout,
        board=None,
        models=tuple(map(model_of, trees)),
        shared_arena=any(tree.shares_arena for tree in trees),
        arena_bytes=arena_bytes(trees),
        stack_bytes=0,
        sources=tuple(sorted(path for path in sources if PurePosixPath(path).suffix in _SOURCES)),
        files=tuple(sorted(files)),
        libraries=libraries_of(trees),
    )


def _model_files(trees: Sequence[SourceTree]) -> dict[str, str]:
    """The files of all models, kernels of several once, and the arena that models share."""
    files: dict[str, str] = {}
    for tree in trees:
        for path, text in tree.files.items():
            if files.setdefault(path, text) != text:
                raise ValueError(f"two models bring different files {path}")
    sharing = [tree for tree in trees if tree.shares_arena]
    if sharing:
        prefixes, arenas = [tree.prefix for tree in sharing], [*_shared_arenas(sharing)]
        files["src/tinygen_arena.c"] = render("tinygen_arena.c.j2", arenas=arenas)
        files["src/tinygen_arena.h"] = render("tinygen_arena.h.j2", prefixes=prefixes, arenas=arenas)
    return files


def _shared_arenas(sharing: Sequence[SourceTree]) -> Iterator[dict[str, object]]:
    """The arrays of the arena that models share, one for each memory that it is in."""
    each = [(tree.prefix, memory_bytes((tree,))) for tree in sharing]
    for region, size in memory_bytes(sharing).items():
        if size:
            name = f"_{region}" if region else ""
            yield {
                "region": region,
                "name": f"tinygen_memory{name}",
                "macro": f"TINYGEN_ARENA{name.upper()}",
                "bytes": size,
                "each": [f"{prefix} {sizes[region]}" for prefix, sizes in each if sizes.get(region)],
            }


def _placed(path: str, folders: Mapping[str, str]) -> str:
    """Where a library has a file of the models."""
    top, _, rest = path.partition("/")
    return (PurePosixPath(folders[top]) / rest).as_posix()


def _firmware_files(
    trees: Sequence[SourceTree], answers: Sequence[MlperfAnswer], board: Board, stack_bytes: int
) -> dict[str, str]:
    """What the compiler reads beside the models, by path."""
    bindings = {
        f"include/tinygen_model_{tree.prefix}.h": _binding(tree, trees, answer)
        for tree, answer in zip(trees, answers, strict=True)
    }
    if len(trees) == 1:
        bindings = {"include/tinygen_model.h": _binding(trees[0], trees, answers[0])}
    else:
        bindings["include/tinygen_model.h"] = render("tinygen_models.h.j2", prefixes=[tree.prefix for tree in trees])
    return {
        **firmware_files(board),
        **bindings,
        "include/tinygen_board.h": render("tinygen_board.h.j2", board=board),
        "linker.ld": linker_script(board, stack_bytes),
        f"boards/{board.id}.toml": board.file.read_text(encoding="utf-8"),
    }


def _binding(tree: SourceTree, trees: Sequence[SourceTree], answer: MlperfAnswer) -> str:
    """The header that makes a model of a firmware the one that answers."""
    model = model_of(tree)
    return render(
        "tinygen_model.h.j2",
        prefix=tree.prefix,
        prefixes=[other.prefix for other in trees],
        checked=[other.prefix for other in trees if other.walks_constants],
        model_name=printable(tree.model_name),
        sha256=tree.model_sha256,
        backend=tree.backend,
        arena_bytes=tree.plan.arena_bytes,
        state_bytes=tree.state_bytes,
        shared_arena=tree.shares_arena,
        inputs=tree.inputs,
        outputs=tree.outputs,
        scales={scale: _float32(scale) for scale in (1.0, *(t.scale for t in (*tree.inputs, *tree.outputs)))},
        mlperf=answer,
        layer_slots=model.layer_slots,
    )


def _float32(value: float | None) -> str:
    """A C literal of nine digits, which are enough for every float32 to be read back as it was."""
    text = f"{1.0 if value is None else value:.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def _rendered(templates: Templates, values: Mapping[str, object]) -> dict[str, str]:
    """A format's files by path."""
    return {path.format_map(values): render(template, **values) for path, template in templates.items()}
