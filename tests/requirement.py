"""Skipping a test for want of a tool, unless TINYGEN_REQUIRE says that it is there: then its absence is a failure."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest

_PROGRAMS = {
    "cc": ("cc",),
    "gcc": ("arm-none-eabi-gcc",),
    "riscv": ("riscv64-unknown-elf-gcc",),
    "qemu": ("qemu-system-arm", "qemu-system-riscv32"),
}
_MODULES = {
    "zig": ("ziglang",),
    "unicorn": ("unicorn", "elftools"),
    "litert": ("ai_edge_litert",),
    "tvm": ("tvm",),
    "dask": ("distributed",),
}


def need(name: str, present: bool, what: str) -> None:
    """Ends the test when `what` is absent; `name` is its word in TINYGEN_REQUIRE."""
    if present:
        return
    if name in os.environ.get("TINYGEN_REQUIRE", "").split():
        pytest.fail(f"{what} is not installed, and TINYGEN_REQUIRE says {name}")
    pytest.skip(f"{what} is not installed")


def library(name: str) -> None:
    """Ends the test unless the environment variable, such as `CMSIS_NN_DIR`, names a folder of a library."""
    need(name, bool(os.environ.get(name)), f"the library that {name} should name")


def require(*names: str) -> None:
    """Ends the test unless everything that these words of TINYGEN_REQUIRE stand for is here."""
    for name in names:
        for program in _PROGRAMS.get(name, ()):
            need(name, shutil.which(program) is not None, program)
        for module in _MODULES.get(name, ()):
            need(name, importlib.util.find_spec(module) is not None, f"the package of {module}")
        assert name in _PROGRAMS or name in _MODULES, f"{name} is not a word of TINYGEN_REQUIRE"
