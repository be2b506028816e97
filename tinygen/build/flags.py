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

LIBRARY_CODE: dict[str, tuple[str, ...]] = {
    "c": ("-std=gnu11", "-w"),
    "c++": ("-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-w"),
}
"""Sources of others, by language: as their authors compile them, warnings are for them."""

LINK: tuple[str, ...] = ("-nostartfiles", "-Wl,--gc-sections")

GNU_LINK: tuple[str, ...] = ("-nostdlib",)
"""The firmware brings its own memory functions; of the compiler's libraries only libgcc is linked."""

HOST: tuple[str, ...] = ("-std=c99", "-g", "-fPIC", "-ffp-contract=off")

SANITIZE: tuple[str, ...] = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
)
"""Address and undefined-behaviour sanitizers, where the first finding ends the program."""


def relocatable_paths(folder: str) -> tuple[str, ...]:
    """Flags that keep `folder` out of debug information and `__FILE__`, so that builds agree wherever they happen."""
    return (f"-ffile-prefix-map={folder}=.",)
