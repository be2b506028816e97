"""Every compiler flag tinygen uses, for zig's clang, GNU and the host's compiler alike."""

from __future__ import annotations

OPTIMIZATIONS: tuple[str, ...] = ("-O2", "-O3", "-Os")
DEFAULT_OPTIMIZATION = "-O2"

STRICT_WARNINGS: tuple[str, ...] = (
    "-std=c99",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wsign-conversion",
    "-Wshadow",
    "-Wundef",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Wcast-align",
    "-Wvla",
    "-Werror",
)
"""Generated code compiles without a word under these."""

CODE: tuple[str, ...] = (
    "-std=c99",
    "-ffreestanding",  # not every GNU compiler has a C library; zig says so by itself
    "-g",  # names for faults and profiles; nothing of it reaches the flash
    "-fomit-frame-pointer",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-ffunction-sections",
    "-fdata-sections",
    "-ffp-contract=off",  # a fused multiply-add rounds once where the reference rounds twice
)
"""Firmware, every compiler. Freestanding, memcpy of four bytes is a call; firmware/libc/string.h makes it a load."""

CXX: tuple[str, ...] = ("-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics")
"""C++ of backends and of libraries: nothing that needs a run-time system."""

LIBRARY_CODE: dict[str, tuple[str, ...]] = {"c": ("-std=gnu11", "-w"), "c++": (*CXX, "-w")}
"""Sources of others, by language: as their authors compile them, warnings are for them."""

LINK: tuple[str, ...] = ("-nostartfiles", "-Wl,--gc-sections")

CXX_LIBRARIES: tuple[str, ...] = (
    *("-Wl,--start-group", "-lstdc++", "-lm", "-lc", "-lnosys", "-lgcc", "-Wl,--end-group"),
)
"""What C++ is linked with where the compiler has a C library for cores without an operating system."""

GNU_LINK: tuple[str, ...] = ("-nostdlib",)
"""The firmware brings its own memory functions; of the compiler's libraries only libgcc is linked."""

HOST: tuple[str, ...] = ("-std=c99", "-g", "-fPIC", "-ffp-contract=off")

SANITIZE: tuple[str, ...] = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
)
"""Address and undefined-behaviour sanitizers, where the first finding ends the program."""


def hosted(flags: tuple[str, ...]) -> tuple[str, ...]:
    """The flags without the language's version and without `-ffreestanding`: for code that uses a C library."""
    return tuple(flag for flag in flags if not flag.startswith("-std=") and flag != "-ffreestanding")


def relocatable_paths(folder: str) -> tuple[str, ...]:
    """Flags that keep `folder` out of debug information and `__FILE__`, so that builds agree wherever they happen."""
    return (f"-ffile-prefix-map={folder}=.",)
