"""Small C libraries that count inside an emulator, compiled once for this machine and kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from tinygen.build.zig import zig_command


def compiled(source: Path, *defines: str, needs_host: bool = False) -> Path | None:
    """The shared library of one C file with these macros; None where it cannot be made.

    `needs_host` says that its functions come from the program that loads it, not from a library.
    """
    text = source.read_bytes() + " ".join((*defines, sysconfig.get_platform())).encode()
    library = cache_folder() / f"{source.stem}-{hashlib.sha256(text).hexdigest()[:16]}.so"
    if library.exists():
        return library
    compiler, zig = shutil.which("cc"), zig_command()
    if compiler is None and zig is None:
        return None
    command = [compiler] if compiler is not None else [*(zig or ()), "cc"]
    if needs_host:
        command.append("-Wl,-undefined,dynamic_lookup" if sys.platform == "darwin" else "-Wl,-z,undefs")
    try:
        library.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=library.parent) as folder:
            built = Path(folder) / library.name
            command += ["-O2", "-fPIC", "-shared", *(f"-D{macro}" for macro in defines), "-o", str(built), str(source)]
            subprocess.run(command, capture_output=True, check=True)
            built.replace(library)
    except (OSError, subprocess.CalledProcessError):
        return None
    return library


def cache_folder() -> Path:
    """Where tinygen keeps what it compiled for this machine: XDG_CACHE_HOME/tinygen, ~/.cache/tinygen without it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tinygen"
