"""Objects of a model's sources, compiled once for all boards that share a core."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from tinygen.build.compiler import Compiler, compiler_failed, try_compiler
from tinygen.build.flags import CODE, relocatable_paths

BOARD_HEADER = "include/tinygen_board.h"
"""The one header that differs between boards; a model's sources do not read it."""


class ObjectCache:
    """Objects in a folder, named after everything that went into them: sources, headers, compiler, flags."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def compiled(
        self, project: Path, sources: tuple[str, ...], flags: tuple[str, ...], compiler: Compiler, optimize: str
    ) -> tuple[str, ...]:
        """The objects of `sources`, paths in the folder `project`; TG402 when the compiler fails.

        `flags` are the include folders and macros of the link that the objects are for.
        """
        options = (*compiler.command, *CODE, *compiler.optimize(optimize), *flags)
        digest = hashlib.sha256(repr(options).encode())
        for path in sorted(p for folder in ("src", "include", "firmware/libc") for p in (project / folder).rglob("*")):
            name = path.relative_to(project).as_posix()
            if path.is_file() and name != BOARD_HEADER:
                digest.update(repr((name, path.read_bytes())).encode())
        self._folder.mkdir(parents=True, exist_ok=True)
        return tuple(self._object(project, source, options, digest.hexdigest()) for source in sources)

    def _object(self, project: Path, source: str, options: tuple[str, ...], digest: str) -> str:
        output = self._folder / f"{PurePosixPath(source).stem}-{digest[:32]}.o"
        if not output.exists():
            command = (*options, *relocatable_paths(str(project)), "-c", source, "-o", str(output))
            failure = try_compiler(command, project)
            if failure is not None:
                output.unlink(missing_ok=True)
                raise compiler_failed(command, project, failure)
        return str(output)
