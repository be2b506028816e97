"""The hand-written model of `trivial/` as a source tree, and what it computes."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinygen.plan.model import Plan
from tinygen.source_tree import Layer, SourceTree, TensorSpec

_FOLDER = Path(__file__).with_name("trivial")


class Fault(IntEnum):
    """A second input that starts with one of these misbehaves; the numbers of trivial.c."""

    WRITE_FLASH = 101
    STACK = 102
    CALL_NULL = 103
    LOOP = 104
    RUN_RAM = 105
    READ = 106
    STATUS = 107
    TRAP = 108


def trivial_tree() -> SourceTree:
    """Two layers with a gap between their indices, and no weights worth the name."""
    files = {path.relative_to(_FOLDER).as_posix(): path.read_text() for path in sorted(_FOLDER.rglob("*.[ch]"))}
    return SourceTree(
        prefix="trivial",
        backend="c",
        model_name="trivial",
        model_sha256="0123456789abcdef" * 4,
        numerics="litert",
        files=files,
        inputs=(_spec("x", (1, 4, 4)), _spec("y", (4,))),
        outputs=(_spec("z", (1, 4, 4)),),
        layers=(_layer(0, "MUL", "doubled", "trivial_double"), _layer(2, "ADD", "z", "trivial_add")),
        plan=Plan((), (), arena_bytes=36, lower_bound=36, proof="optimal"),
        constant_bytes=4,
        constants_crc32=0,
    )


def trivial_inputs(first: int = 1) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Inputs; `first` starts the second one and may be a Fault."""
    return np.arange(16, dtype=np.int8).reshape(1, 4, 4), np.array([first, 2, 3, 4], np.int8)


def trivial_output(x: NDArray[np.int8], y: NDArray[np.int8]) -> NDArray[np.int8]:
    """What the model computes."""
    return 2 * x + y


def _spec(name: str, shape: tuple[int, ...]) -> TensorSpec:
    return TensorSpec(name, shape, "int8", int(np.prod(shape)), scale=None, zero_point=None)


def _layer(index: int, op: str, name: str, symbol: str) -> Layer:
    return Layer(index, op, name, symbol, "by hand", 16, 0, 0, (1, 4, 4))
