"""What every backend returns: files of C text, with the memory plan, the layers and the tensors a caller sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tinygen.plan.model import Plan


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of the model as firmware and runners see it; scale, zero point: None when not quantized."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    nbytes: int
    scale: float | None
    zero_point: int | None


@dataclass(frozen=True)
class Layer:
    """One layer of the generated code. `index` is the operator's index in the model file, `name` its output's name."""

    index: int
    op: str
    name: str
    symbol: str
    """The static C function, also the name in profiles."""
    kernel: str
    macs: int
    constant_bytes: int
    scratch_bytes: int
    output_shape: tuple[int, ...]
    schedule: str = ""
    """The schedule of backend utvm's kernel as tuning files have it; empty for kernels without a choice."""


@dataclass(frozen=True)
class Library:
    """Sources of others that generated code calls. The user brings them; they are compiled as they are."""

    name: str
    """As people call it: `CMSIS-NN`."""
    variable: str
    """The environment variable, and the variable of CMake, that names its folder: `CMSIS_NN_DIR`."""
    repository: str
    """Where git finds it."""
    tag: str
    """The version that CMake fetches when the variable is not set."""
    versions: str
    """The versions that generated code works with, for people."""
    marker: str
    """A file that is in its folder and tells it from others."""
    includes: tuple[str, ...] = (".",)
    """Include folders in it."""
    sources: tuple[str, ...] = ()
    """Patterns of its files to compile, in all models of a firmware the same file once; a `*` stays in one folder."""
    needed: tuple[str, ...] = ()
    """Patterns of files that a version has to have whose functions the code calls."""
    defines: tuple[str, ...] = ()
    """Macros, `NAME` or `NAME=VALUE`, for its own sources and the model's."""
    lean_defines: tuple[str, ...] = ()
    """Macros of builds without hooks around layers, as they leave out what the hooks need."""
    usual: str = ""
    """Where it is when its own variable is not set: a folder in another library's, `TFLM_DIR/third_party/x`."""
    language: str = "c"
    """`c`, or `c++` for C++17 that needs the compiler's C and C++ libraries."""


@dataclass(frozen=True, eq=False)
class SourceTree:
    """The model as C sources. `files` maps paths such as `include/kws.h` and `src/kws.c` to their text."""

    prefix: str
    backend: str
    model_name: str
    model_sha256: str
    numerics: str
    files: Mapping[str, str]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    layers: tuple[Layer, ...]
    plan: Plan
    constant_bytes: int
    """Bytes of all constant arrays (weights, biases, tables)."""
    constants_crc32: int
    """CRC-32 over all constant arrays in the order of the weights file."""
    steps: tuple[int, ...] = ()
    """For each step of the plan's schedule the position in `layers` of the layer it computes."""
    schedule_exact: bool = False
    """All orders of the layers and all cuts were gone through for the schedule."""
    excess_percent: float = 0.0
    """Estimated instructions above what the objective chose, where only a dearer schedule could be spread over the
    memories."""
    state_bytes: int = 0
    """Bytes that are kept from one inference to the next; where there are some, the code has `<prefix>_reset`."""
    outside_bytes: int = 0
    """Bytes of the inputs, outputs and states that are outside the arena."""
    walks_constants: bool = False
    """Whether the code has `<prefix>_constants`, with which a firmware checks its flash against constants_crc32."""
    shares_arena: bool = False
    """Whether the code works in an arena that the project defines for several models, instead of one of its own."""
    arena_bound: bool = False
    """Whether the arena is a bound, as only a library knows what it keeps there; `tinygen.arena` measures it."""
    tuned_for: str = ""
    """What a tuning's schedules were counted for: core, compiler with version and level; empty without one."""
    library_arena_bytes: int | None = None
    """What the arena would be if the library placed the tensors by itself; None where it never does."""
    libraries: tuple[Library, ...] = ()
    """What the code calls besides what is in `files`."""


def libraries_of(trees: Sequence[SourceTree]) -> tuple[Library, ...]:
    """The libraries of a firmware, each once with what any of the models needs of it.

    Raises:
        ValueError: two backends describe a library differently.
    """
    found: dict[str, Library] = {}
    for library in (library for tree in trees for library in tree.libraries):
        known = found.get(library.name, library)
        sources = tuple(sorted({*known.sources, *library.sources}))
        needed = tuple(sorted({*known.needed, *library.needed}))
        if replace(known, sources=(), needed=()) != replace(library, sources=(), needed=()):
            raise ValueError(f"two models describe {library.name} differently")
        found[library.name] = replace(known, sources=sources, needed=needed)
    return tuple(found.values())


Models = SourceTree | Sequence[SourceTree]
"""What one firmware is made of: a model, or several."""


def trees_of(models: Models) -> tuple[SourceTree, ...]:
    """The models of a firmware, be it one or several."""
    return (models,) if isinstance(models, SourceTree) else tuple(models)


def searched(exact: bool) -> str:
    """What a schedule is the best of, in words; `exact` as `schedule_exact`."""
    return f"{'all' if exact else 'some'} orders and cuts of the layers"


MAIN = ""
"""Stands for the memory of the firmware's variables, which has no name where it holds all of an arena."""


def memory_bytes(trees: Sequence[SourceTree]) -> dict[str, int]:
    """Bytes of all arenas of one firmware in each memory: the models that share one need their largest part once."""
    found: dict[str, int] = {MAIN: 0}
    for tree in trees:
        for name, size in _parts(tree.plan).items():
            before = found.get(name, 0)
            found[name] = max(before, size) if tree.shares_arena else before + size
    return found


def _parts(plan: Plan) -> dict[str, int]:
    if not plan.areas:
        return {MAIN: plan.arena_bytes}
    return {MAIN if area.main else area.region: area.bytes for area in plan.areas}


def arena_bytes(trees: Sequence[SourceTree]) -> int:
    """Bytes of all arenas of one firmware, in all memories."""
    return sum(memory_bytes(trees).values())
