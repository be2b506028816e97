"""Puts generated files into a folder: written beside it, then moved there, so that nothing stays half-done."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tinygen.errors import TinygenError, error
from tinygen.project.model import MANIFEST, written_files

MARK = "/* Written by tinygen, which replaces this file when it generates into this folder again. */\n"
"""The first line of files that no manifest lists."""

_MARKED = (".c", ".cc", ".cpp", ".h")
_ACCEPTED = "accepted: a new or empty folder, or an older project"


def install(out: Path, files: Mapping[str, str]) -> None:
    """Replaces what tinygen wrote into `out` by `files`, text by path; everything else in it stays.

    TG403 when the folder is not tinygen's, when a file of the user's is where one would go, or when it cannot be
    written; nothing has been changed then.
    """
    replaced = _replaced_files(out)
    _refuse_collisions(out, files, replaced)
    try:
        _install(out, files, replaced)
    except OSError as problem:
        raise error("TG403", f"cannot write {out}: {problem}") from problem


def _replaced_files(out: Path) -> tuple[str, ...]:
    """What tinygen wrote into `out`, nothing when it is absent or empty; TG403 when the folder is someone else's."""
    if not out.exists():
        return ()
    if not out.is_dir():
        raise error("TG403", f"{out} is a file, {_ACCEPTED}")
    if not any(out.iterdir()):
        return ()
    hint = "choose another folder with -o DIR"
    if not (out / MANIFEST).exists():
        marked = tuple(path.relative_to(out).as_posix() for path in sorted(out.rglob("*")) if _is_marked(path))
        if not marked:
            raise error("TG403", f"{out} is not empty and holds no tinygen project, {_ACCEPTED}", hints=(hint,))
        return marked
    try:
        return (*written_files(out), MANIFEST)
    except TinygenError as problem:
        message = f"{out} holds a project whose {MANIFEST} is damaged, so it is unknown which files are yours"
        raise error("TG403", message, hints=(hint, "or move your own files out and remove the folder")) from problem


def _is_marked(path: Path) -> bool:
    if path.suffix not in _MARKED or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MARK)) == MARK.encode()


def _refuse_collisions(out: Path, files: Mapping[str, str], replaced: tuple[str, ...]) -> None:
    """TG403 when a file that tinygen did not write would be lost; one with the very same text is no loss.

    The latter is what an interrupted run leaves, as the manifest goes last.
    """
    ours = set(replaced)
    lost = [path for path, text in files.items() if path not in ours and _differs(out / path, text)]
    if lost:
        more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
        message = f"{out} has files of yours where generated ones belong: {', '.join(lost[:5])}{more}"
        raise error("TG403", message, hints=("move or remove them, or choose another folder with -o DIR",))


def _differs(path: Path, text: str) -> bool:
    return os.path.lexists(path) and (not path.is_file() or path.read_bytes() != text.encode())


def _install(out: Path, files: Mapping[str, str], replaced: tuple[str, ...]) -> None:
    """The manifest goes last, so that a crash leaves a folder the next run can repair."""
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
        for path in sorted(files, key=lambda path: path == MANIFEST):
            target = out / path
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(staging / path, target)
        for path in replaced:
            if path not in files:
                (out / path).unlink(missing_ok=True)
                _remove_empty_folders(out, (out / path).parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _remove_empty_folders(out: Path, folder: Path) -> None:
    while folder != out and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _umask() -> int:
    """The process's file creation mask, which can only be read by setting it; mkdtemp ignores it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
