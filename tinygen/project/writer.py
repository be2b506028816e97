"""Writes a project: made in memory, written beside the target, then moved there, so that nothing stays half-done."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from tinygen import __version__
from tinygen.boards import Board
from tinygen.build.flags import CODE, DEFAULT_OPTIMIZATION, GNU_LINK, LINK
from tinygen.errors import TinygenError, error
from tinygen.project.firmware import (
    INCLUDE_FOLDERS,
    LIBC_FOLDER,
    PROGRAMS,
    answering_define,
    firmware_files,
    program_defines,
    program_sources,
)
from tinygen.project.linker import linker_script
from tinygen.project.model import FORMAT, MANIFEST, Manifest, Model, Project, model_of, written_files
from tinygen.project.templates import render
from tinygen.source_tree import Models, SourceTree, TensorSpec, arena_bytes, trees_of

_SOURCES = (".c", ".cc", ".cpp", ".S")
_C_TYPES = {
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "int32": "int32_t",
    "int64": "int64_t",
    "float32": "float",
    "bool": "bool",
}


@dataclass(frozen=True)
class _Program:
    name: str
    sources: tuple[str, ...]
    defines: tuple[str, ...]


def write_project(models: Models, board: Board, out: Path, *, stack_bytes: int | None = None) -> Project:
    """Writes the project of a model, or of several, for a board into the folder `out`, made when it does not exist.

    The prefixes of several must differ, which compile_models sees to. `stack_bytes` is the stack's reserve, the board's
    own by default. An older project in `out` is replaced: what tinygen wrote is overwritten or removed, other files
    stay. TG403 when the folder holds something else or cannot be written.
    """
    stack = board.stack_bytes if stack_bytes is None else stack_bytes
    trees = trees_of(models)
    sources = _model_files(trees)
    files = sources | _project_files(trees, board, stack)
    manifest = Manifest(
        format=FORMAT,
        tinygen=__version__,
        board=board.id,
        models=tuple(map(model_of, trees)),
        shared_arena=any(tree.shares_arena for tree in trees),
        arena_bytes=arena_bytes(trees),
        stack_bytes=stack,
        sources=tuple(sorted(path for path in sources if PurePosixPath(path).suffix in _SOURCES)),
        files=tuple(sorted(files)),
    )
    files |= _build_files(manifest, board)
    manifest = replace(manifest, files=tuple(sorted(files)))
    out = out.resolve()
    replaced = _replaced_files(out)
    try:
        _install(out, files | {MANIFEST: manifest.json()}, replaced)
    except OSError as problem:
        raise error("TG403", f"cannot write {out}: {problem}") from problem
    return Project(out, manifest, board, manifest.models[0])


def _model_files(trees: Sequence[SourceTree]) -> dict[str, str]:
    """The files of all models, kernels of several once, and the arena that models share."""
    files: dict[str, str] = {}
    for tree in trees:
        for path, text in tree.files.items():
            if files.setdefault(path, text) != text:
                raise ValueError(f"two models bring different files {path}")
    sharing = [tree for tree in trees if tree.shares_arena]
    if sharing:
        arena = {
            "prefixes": [tree.prefix for tree in sharing],
            "each": [f"{tree.prefix} {tree.plan.arena_bytes}" for tree in sharing],
            "arena_bytes": arena_bytes(sharing),
        }
        files["src/tinygen_arena.c"] = render("tinygen_arena.c.j2", **arena)
        files["src/tinygen_arena.h"] = render("tinygen_arena.h.j2", **arena)
    return files


def _project_files(trees: Sequence[SourceTree], board: Board, stack_bytes: int) -> dict[str, str]:
    """What the compiler reads beside the models, by path."""
    bindings = {f"include/tinygen_model_{tree.prefix}.h": _binding(tree, trees) for tree in trees}
    if len(trees) == 1:
        bindings = {"include/tinygen_model.h": _binding(trees[0], trees)}
    else:
        bindings["include/tinygen_model.h"] = render("tinygen_models.h.j2", prefixes=[tree.prefix for tree in trees])
    return {
        **firmware_files(board),
        **bindings,
        "include/tinygen_board.h": render("tinygen_board.h.j2", board=board),
        "linker.ld": linker_script(board, stack_bytes),
        f"boards/{board.id}.toml": board.file.read_text(encoding="utf-8"),
    }


def _binding(tree: SourceTree, trees: Sequence[SourceTree]) -> str:
    """The header that makes a model of a firmware the one that answers."""
    model = model_of(tree)
    return render(
        "tinygen_model.h.j2",
        prefix=tree.prefix,
        prefixes=[other.prefix for other in trees],
        model_name=_printable(tree.model_name),
        sha256=tree.model_sha256,
        backend=tree.backend,
        arena_bytes=tree.plan.arena_bytes,
        shared_arena=tree.shares_arena,
        inputs=tree.inputs,
        outputs=tree.outputs,
        layer_slots=model.layer_slots,
    )


def _build_files(manifest: Manifest, board: Board) -> dict[str, str]:
    """What CMake, PlatformIO and people read, by path."""
    programs = tuple(
        _Program(name, program_sources(board, name, manifest.files), program_defines(name)) for name in PROGRAMS
    )
    common: dict[str, object] = {
        "board": board,
        "core": board.core,
        "models": [(model, answering_define(model.prefix)) for model in manifest.models],
        "name": "_".join(model.prefix for model in manifest.models),
        "compile_flags": CODE,
        "link_flags": (*LINK, *GNU_LINK),
        "optimize": DEFAULT_OPTIMIZATION,
        "includes": INCLUDE_FOLDERS,
        "libc": LIBC_FOLDER,
    }
    files = {
        "CMakeLists.txt": render("CMakeLists.txt.j2", **common, sources=manifest.sources, programs=programs),
        f"{board.core.gcc}.cmake": render("toolchain.cmake.j2", core=board.core),
        "README.md": render(
            "README.md.j2",
            **common,
            version=manifest.tinygen,
            arena_bytes=manifest.arena_bytes,
            shared_arena=manifest.shared_arena,
            stack_bytes=manifest.stack_bytes,
            uses=[_use(model) for model in manifest.models],
        ),
    }
    if board.platformio is not None:
        sources = (*manifest.sources, *programs[0].sources)
        files["platformio.ini"] = render("platformio.ini.j2", **common, sources=sources)
        files["platformio_flags.py"] = render("platformio_flags.py.j2", **common)
    return files


def _printable(name: str) -> str:
    """A file name inside C comments and Markdown: whatever would end either becomes a question mark."""
    return "".join(c if c.isalnum() or c in " ._-+()[]" else "?" for c in name)


def _use(model: Model) -> dict[str, object]:
    """A model as the README introduces it."""
    return {
        "model": model,
        "name": _printable(model.model_name),
        "input": model.inputs[0],
        "input_type": _c_type(model.inputs[0]),
        "output": model.outputs[0],
        "output_type": _c_type(model.outputs[0]),
    }


def _c_type(tensor: TensorSpec) -> str:
    return _C_TYPES.get(tensor.dtype, "void")


def _replaced_files(out: Path) -> tuple[str, ...]:
    """The files of the project already in `out`, none when the folder is absent or empty; TG403 for anything else."""
    if not out.exists():
        return ()
    if not out.is_dir():
        raise error("TG403", f"{out} is a file, accepted: a new or empty folder, or an older project")
    if not any(out.iterdir()):
        return ()
    hint = "choose another folder with -o DIR"
    if not (out / MANIFEST).exists():
        message = (
            f"{out} is not empty and holds no tinygen project, accepted: a new or empty folder, or an older project"
        )
        raise error("TG403", message, hints=(hint,))
    try:
        return written_files(out)
    except TinygenError as problem:
        message = f"{out} holds a project whose {MANIFEST} is damaged, so it is unknown which files are yours"
        raise error("TG403", message, hints=(hint, "or move your own files out and remove the folder")) from problem


def _install(out: Path, files: dict[str, str], replaced: tuple[str, ...]) -> None:
    """Puts the files into `out`; the manifest goes last, so that a crash leaves a folder the next run can repair."""
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        for path, text in files.items():
            target = staging / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
        if not out.exists():
            staging.chmod(0o777 & ~_umask())
            staging.rename(out)
            return
        for path in (*(p for p in files if p != MANIFEST), MANIFEST):
            target = out / path
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(staging / path, target)
        for path in replaced:
            if path not in files:
                (out / path).unlink(missing_ok=True)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _umask() -> int:
    """The process's file creation mask, which can only be read by setting it; mkdtemp ignores it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
