"""Libraries that the user brings: finding their folders, and compiling what firmware needs of them once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tinygen.build.compiler import compiler_failed, try_compiler
from tinygen.build.flags import LIBRARY_CODE, relocatable_paths
from tinygen.errors import error
from tinygen.paths import cache_folder
from tinygen.source_tree import Library

_HEADERS = (".h", ".hpp", ".inc")


@dataclass(frozen=True)
class Found:
    """A library in a folder of this machine."""

    library: Library
    folder: Path

    @property
    def includes(self) -> tuple[str, ...]:
        """Its include folders, absolute."""
        return tuple(str(self.folder / path) for path in self.library.includes)

    def sources(self) -> Iterator[Path]:
        """The files to compile; a pattern that an older or newer version has nothing for adds none."""
        found = (sorted(self.folder.glob(pattern)) for pattern in self.library.sources)
        yield from dict.fromkeys(chain.from_iterable(found))

    def digest(self) -> str:
        """Of all headers by name, size and time: what an object of the library may depend on besides its source."""
        digest = hashlib.sha256(str(self.folder).encode())
        for root, folders, files in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(name for name in files if name.endswith(_HEADERS)):
                state = os.stat(os.path.join(root, name))
                digest.update(repr((root, name, state.st_size, state.st_mtime_ns)).encode())
        return digest.hexdigest()


def find_libraries(libraries: Sequence[Library], environment: Mapping[str, str] | None = None) -> tuple[Found, ...]:
    """Where the libraries are, from the environment.

    Raises:
        TinygenError: TG421 for variables that are not set, TG422 for folders that do not hold the library, or a version
            without what the code calls.
    """
    variables = os.environ if environment is None else environment
    found = []
    for library in libraries:
        named = variables.get(library.variable) or _usual(library, variables)
        get = f"git clone --depth 1 --branch {library.tag} {library.repository}"
        if not named:
            message = f"the model's code calls {library.name}, and {library.variable} does not say where that is"
            hints = (
                f"get it: {get}",
                f"then: export {library.variable}=FOLDER",
                f"usable versions: {library.versions}",
            )
            raise error("TG421", message, hints=hints)
        folder = Path(named).resolve()
        if not (folder / library.marker).is_file():
            message = (
                f"{library.variable} is {named}, which has no {library.marker}, accepted: a folder of {library.name}"
            )
            raise error("TG422", message, hints=(f"get it: {get}",))
        missing = [pattern for pattern in library.needed if not any(folder.glob(pattern))]
        if missing:
            message = f"{library.variable} is {named}, a {library.name} without {', '.join(missing)}: it is too old"
            raise error("TG422", message, hints=(f"usable versions: {library.versions}", f"get it: {get}"))
        found.append(Found(library, folder))
    return tuple(found)


def library_defines(found: Sequence[Found], *, profile: bool) -> tuple[str, ...]:
    """The macros of libraries, for themselves and for what includes their headers."""
    lean = () if profile else tuple(macro for each in found for macro in each.library.lean_defines)
    return (*(macro for each in found for macro in each.library.defines), *lean)


def _usual(library: Library, variables: Mapping[str, str]) -> str | None:
    """The library's folder inside another one's, where that is known and has it."""
    variable, _, inside = library.usual.partition("/")
    folder = Path(variables.get(variable, ""), inside)
    return str(folder) if variables.get(variable) and (folder / library.marker).is_file() else None


def library_objects(
    found: Sequence[Found],
    commands: Mapping[str, Sequence[str]],
    preprocessor: Sequence[str],
    stamp: str,
    *,
    profile: bool,
) -> tuple[str, ...]:
    """Objects of the libraries' sources, from the cache where they are there.

    Args:
        commands: for each language of the libraries the compiler with the flags of the core and of optimisation.
        preprocessor: include folders and macros that all of them get.
        stamp: of what else the objects depend on, such as the headers in `preprocessor`.
        profile: whether the layers call hooks.

    Raises:
        TinygenError: TG402 when a compiler fails.
    """
    includes = [f"-I{folder}" for each in found for folder in each.includes]
    defines = [f"-D{macro}" for macro in library_defines(found, profile=profile)]
    state = repr((stamp, [each.digest() for each in found]))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = []
        for each in found:
            language = each.library.language
            command = (*commands[language], *LIBRARY_CODE[language], *includes, *defines, *preprocessor)
            waiting += [pool.submit(_object, each, source, command, state) for source in each.sources()]
        return tuple(future.result() for future in waiting)


def _object(found: Found, source: Path, command: Sequence[str], state: str) -> str:
    digest = hashlib.sha256(repr((tuple(command), state, source.read_bytes())).encode()).hexdigest()
    output = cache_folder() / "libraries" / f"{source.stem}-{digest[:32]}.o"
    if not output.exists():
        output.parent.mkdir(parents=True, exist_ok=True)
        # Another build may make the same object at the same time: each writes its own, the last one stays.
        own = output.with_suffix(f".{os.getpid()}.o")
        full = (*command, *relocatable_paths(str(found.folder)), "-c", str(source), "-o", str(own))
        failure = try_compiler(full, found.folder)
        if failure is not None:
            own.unlink(missing_ok=True)
            raise compiler_failed(full, found.folder, failure)
        own.replace(output)
    return str(output)
