"""CMake: the firmware with a toolchain file for each compiler, or a library target and an example for a computer."""

from __future__ import annotations

from tinygen.project.formats import Format

FORMAT = Format(
    name="cmake",
    summary="CMake: firmware for a board, or a static library",
    firmware={
        "CMakeLists.txt": "CMakeLists.txt.j2",
        "{gcc}.cmake": "toolchain.cmake.j2",
        "zig.cmake": "zig.cmake.j2",
        "README.md": "README.md.j2",
    },
    library={
        "CMakeLists.txt": "cmake/CMakeLists.txt.j2",
        "example/main.c": "library/main.c.j2",
        "README.md": "cmake/README.md.j2",
    },
)
