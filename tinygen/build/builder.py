"""Builds a project's firmware with zig or a GNU compiler and reads its sizes from the ELF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from tinygen.boards import Board
from tinygen.build.compiler import Compiler, compiler_failed, find_compiler, find_cxx_compiler, try_compiler
from tinygen.build.elf import Sizes, read_sizes
from tinygen.build.flags import CODE, CXX, CXX_LIBRARIES, DEFAULT_OPTIMIZATION, LINK, hosted, relocatable_paths
from tinygen.build.libraries import Found, find_libraries, library_defines, library_objects
from tinygen.build.objects import ObjectCache
from tinygen.cores import Core
from tinygen.errors import TinygenError, error
from tinygen.paths import FIRMWARE
from tinygen.project.firmware import INCLUDE_FOLDERS, LIBC_FOLDER, program_defines, program_sources
from tinygen.project.linker import linker_script
from tinygen.project.model import Project, load_project
from tinygen.source_tree import Library

_OVERFLOW = "overflowed by"
"""What both linkers say when a region of the linker script is too small."""


@dataclass(frozen=True)
class Link:
    """What goes into an ELF: sources and include folders relative to `folder`, where the compiler runs."""

    folder: Path
    sources: tuple[str, ...]
    includes: tuple[str, ...]
    system_includes: tuple[str, ...]
    defines: tuple[str, ...]
    linker_script: Path
    elf: Path
    cxx: bool = False
    """Whether some of it is C++, and needs a C library."""


@dataclass(frozen=True)
class Built:
    """A linked firmware: how it was made and how large it is."""

    elf: Path
    board: Board
    program: str
    profile: bool
    compiler: str
    """The compiler with its version."""
    optimize: str
    sizes: Sizes

    @property
    def flash_bytes(self) -> int:
        return self.sizes.flash_bytes

    @property
    def ram_bytes(self) -> int:
        return self.sizes.ram_bytes


def build_project(
    project: Project | Path,
    out: Path,
    *,
    compiler: str | None = None,
    optimize: str = DEFAULT_OPTIMIZATION,
    program: str = "bench",
    profile: bool = False,
    defines: Sequence[str] = (),
    must_fit: bool = True,
    objects: ObjectCache | None = None,
) -> Built:
    """Builds a program (`bench` or `minimal`) of a project into the folder `out`.

    `compiler` is as in find_compiler, `optimize` one of OPTIMIZATIONS, `defines` are macros `NAME` or `NAME=VALUE`.
    Of several models the project's selected one answers. With `profile` it calls its layer hooks. A firmware too large
    for the board is TG301, or with `must_fit=False` linked as if the memories were larger, to be measured and not run.
    The model's objects are taken from and left in `objects`, for the next board with this core. TG401 without
    a compiler, TG402 when it fails, TG405 when `project` is a folder without a project, TG421, TG422 and TG424 without
    the libraries that the code calls or a C++ compiler for them.
    """
    if isinstance(project, Path):
        project = load_project(project)
    board = project.board
    needed = project.manifest.libraries
    cxx = _has_cxx(needed)
    chosen = find_cxx_compiler(board.core, compiler) if cxx else find_compiler(board.core, compiler)
    prefix = project.model.prefix
    out = out.resolve()
    elf = out / elf_name(project, chosen.name, optimize, program=program, profile=profile)
    name = elf.stem
    model_sources = project.manifest.sources
    profiling = (f"{prefix.upper()}_PROFILE=1",) if profile else ()
    libraries = find_libraries(needed)
    theirs = library_defines(libraries, profile=profile)
    macros = (*program_defines(program), *project.defines, *profiling, *theirs, *defines)
    folders = tuple(folder for found in libraries for folder in found.includes)
    system = (*folders, LIBC_FOLDER)
    library = _library_objects(libraries, chosen, optimize, profile)
    out.mkdir(parents=True, exist_ok=True)
    if cxx:
        flags = preprocessor_flags(INCLUDE_FOLDERS, folders, macros)
        model_sources = _cxx_objects(
            project.path, model_sources, out / name, (*chosen.optimize(optimize), *flags), chosen
        )
    elif objects is not None:
        flags = preprocessor_flags(INCLUDE_FOLDERS, system, macros)
        model_sources = objects.compiled(project.path, model_sources, flags, chosen, optimize)
    sources = (*model_sources, *program_sources(board, program, project.manifest.files), *library)
    link = Link(project.path, sources, INCLUDE_FOLDERS, system, macros, project.path / "linker.ld", elf, cxx)
    elf.unlink(missing_ok=True)
    command = link_command(link, chosen, optimize)
    failure = try_compiler(command, project.path)
    if failure is not None and _OVERFLOW in failure:
        script = out / f"{name}-unlimited.ld"
        script.write_text(linker_script(board, project.manifest.stack_bytes, unlimited=True), encoding="utf-8")
        command = link_command(replace(link, linker_script=script), chosen, optimize)
        failure = try_compiler(command, project.path)
    if failure is not None:
        raise compiler_failed(command, project.path, failure)
    sizes = read_sizes(elf, board)
    if must_fit and not sizes.fits:
        elf.unlink()
        raise _too_large(board, sizes)
    return Built(elf, board, program, profile, chosen.version, optimize, sizes)


def model_flags(core: Core, libraries: Sequence[Library], compiler: str | None, optimize: str) -> tuple[str, ...]:
    """The flags with which build_project compiles a model's code that needs these libraries, the core's first.

    Raises:
        TinygenError: TG401 or TG424 without a compiler.
    """
    if _has_cxx(libraries):
        return (*core.gcc_flags, *hosted(CODE), *CXX, *find_cxx_compiler(core, compiler).optimize(optimize))
    chosen = find_compiler(core, compiler)
    return (*(core.zig_flags if chosen.name == "zig" else core.gcc_flags), *CODE, *chosen.optimize(optimize))


def _has_cxx(libraries: Sequence[Library]) -> bool:
    """Whether some of a firmware is C++, which takes another compiler for all of it."""
    return any(library.language == "c++" for library in libraries)


def _library_objects(libraries: Sequence[Found], compiler: Compiler, optimize: str, profile: bool) -> tuple[str, ...]:
    """The libraries' objects; they get the firmware's memory functions, as the model does, or those of a C library."""
    if not libraries:
        return ()
    if _has_cxx([found.library for found in libraries]):
        flags = (*hosted(CODE), *compiler.optimize(optimize))
        commands = {"c": (*compiler.command, *flags), "c++": (*compiler.cxx, *flags)}
        return library_objects(libraries, commands, (), compiler.version, profile=profile)
    flags = (*(flag for flag in CODE if not flag.startswith("-std=")), *compiler.optimize(optimize))
    libc = FIRMWARE / "libc"
    stamp = repr((compiler.version, [path.read_bytes() for path in sorted(libc.iterdir())]))
    commands = {"c": (*compiler.command, *flags)}
    return library_objects(libraries, commands, ("-isystem", str(libc)), stamp, profile=profile)


def _cxx_objects(
    project: Path, sources: Sequence[str], out: Path, flags: Sequence[str], compiler: Compiler
) -> tuple[str, ...]:
    """The sources with those in C++ compiled to objects, as one command cannot compile two languages."""
    found = []
    for source in sources:
        if PurePosixPath(source).suffix == ".c":
            found.append(source)
            continue
        output = f"{out}-{PurePosixPath(source).stem}.o"
        paths = relocatable_paths(str(project))
        command = (*compiler.cxx, *hosted(CODE), *CXX, *flags, *paths, "-c", source, "-o", output)
        failure = try_compiler(command, project)
        if failure is not None:
            raise compiler_failed(command, project, failure)
        found.append(output)
    return tuple(found)


def elf_name(project: Project, compiler: str, optimize: str, *, program: str = "bench", profile: bool = False) -> str:
    """What build_project calls the ELF; `compiler` is the name of a Compiler."""
    words = (project.model.prefix, program, *(("profile",) if profile else ()), compiler, optimize.lstrip("-"))
    return f"{'-'.join(words)}.elf"


def link_command(link: Link, compiler: Compiler, optimize: str) -> tuple[str, ...]:
    """The one command that compiles and links: zig and GNU alike take all sources at once."""
    return (
        *compiler.command,
        *CODE,
        *compiler.optimize(optimize),
        *preprocessor_flags(link.includes, link.system_includes, link.defines),
        *relocatable_paths(str(link.folder)),
        *LINK,
        *compiler.link,
        f"-T{link.linker_script}",
        *link.sources,
        *(CXX_LIBRARIES if link.cxx else compiler.libraries),
        "-o",
        str(link.elf),
    )


def preprocessor_flags(
    includes: Sequence[str], system_includes: Sequence[str], defines: Sequence[str]
) -> tuple[str, ...]:
    """Where headers are, and macros."""
    return (
        *(f"-I{folder}" for folder in includes),
        *(flag for folder in system_includes for flag in ("-isystem", folder)),
        *(f"-D{macro}" for macro in defines),
    )


def compile_elf(link: Link, compiler: Compiler, optimize: str = DEFAULT_OPTIMIZATION) -> Path:
    """Compiles and links any sources for a core, for callers without a project; TG402 when the compiler fails."""
    command = link_command(link, compiler, optimize)
    failure = try_compiler(command, link.folder)
    if failure is not None:
        raise compiler_failed(command, link.folder, failure)
    return link.elf


def _too_large(board: Board, sizes: Sizes) -> TinygenError:
    ram = sizes.ram_capacity + sizes.missing_ram_bytes
    needs = (("flash", sizes.flash_bytes, sizes.flash_capacity), ("RAM", ram, sizes.ram_capacity))
    text = " and ".join(f"{need:,} bytes of {kind} of {there:,}" for kind, need, there in needs if need > there)
    hint = "tinygen fit MODEL --all shows the boards it fits"
    return error("TG301", f"the firmware needs {text} on {board.name}", hints=(hint,))
