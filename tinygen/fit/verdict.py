"""The verdict whether models fit a board: sizes, what is there, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinygen.boards import Board, all_boards
from tinygen.build.elf import Sizes
from tinygen.plan.live import largest_at_peak
from tinygen.plan.model import Plan
from tinygen.source_tree import MAIN, SourceTree, arena_bytes, memory_bytes


@dataclass(frozen=True)
class BufferSize:
    """One of the arena's buffers."""

    name: str
    kind: str
    """`input`, `output`, `activation`, `scratch`, `accumulator` or `state`."""
    bytes: int


@dataclass(frozen=True)
class RegionUse:
    """The part of the arena that is in a memory of its own."""

    name: str
    bytes: int
    available_bytes: int


@dataclass(frozen=True)
class MemoryUse:
    """What the firmware takes of one memory."""

    name: str
    """Those of memories that follow each other, joined by ` + `."""
    bytes: int
    """From the memory's start to the last byte in use."""
    available_bytes: int
    arena_bytes: int
    """The part of it that arenas take."""


@dataclass(frozen=True)
class FitModel:
    """One model's part of a firmware."""

    model: str
    arena_bytes: int
    lower_bound_bytes: int
    """What no memory plan of this schedule can go below."""
    proof: str
    """`optimal`, or the gap in bytes between the plan and the best bound known."""
    schedule_exact: bool
    """All orders of the layers and all cuts were gone through for the schedule; false where the search was bounded."""
    excess_percent: float
    """Estimated instructions above what the objective chose, as only this schedule could be spread over the memories;
    0 where it is the objective's."""
    constant_bytes: int
    """Weights, biases and tables."""


@dataclass(frozen=True)
class Fit:
    """The verdict for one board."""

    model: str
    """The model's name; those of several, separated by commas."""
    board: str
    fits: bool | None
    """null when it cannot be told: no compiler and the bound exceeds the board while arena and constants do not, or no
    bound of the stack."""
    basis: str
    """`elf`: sizes of the linked firmware; `bound`: sizes it cannot exceed."""
    compiler: str | None
    """Name and version; null with basis `bound`."""
    arena_bytes: int
    """Of all arenas together: models that share one need the largest of theirs once."""
    lower_bound_bytes: int
    """What no memory plan of this schedule can go below."""
    proof: str
    """`optimal`, or the gap in bytes between the plan and the best bound known."""
    state_bytes: int
    """What all models keep from one inference to the next outside the arenas, part of ram_bytes."""
    constant_bytes: int
    """Weights, biases and tables of all models, part of flash_bytes."""
    stack_bytes: int
    """The stack's reserve, part of ram_bytes; never less than stack_bound_bytes where the model fits."""
    stack_bound_bytes: int | None
    """The most stack that any run can use, interrupts apart; null without a compiler, or where it cannot be proved."""
    ram_bytes: int
    ram_available_bytes: int
    regions: tuple[RegionUse, ...]
    """Memories besides the main one with a part of the arena, counted in the two above; none for one memory."""
    memories: tuple[MemoryUse, ...]
    """Every memory in use, the main one with the variables first."""
    flash_bytes: int
    flash_available_bytes: int
    largest_buffers: tuple[BufferSize, ...]
    """The three largest buffers alive when the most bytes are alive."""
    remedy: str | None
    """The options that cost least with which it fits this board, in place of those given: `--optimize ram`, `-O s` or
    both; null when it fits or none are known to help."""
    missing_ram_bytes: int
    """0 when RAM suffices."""
    missing_flash_bytes: int
    """0 when flash suffices."""
    external_memory: str | None
    """Memory of the board that firmware does not use by itself and that has what is missing; null when it fits."""
    keep_inputs_bytes: int | None
    """What --keep-inputs adds to the arena; null when it was not asked for."""
    nearest: str | None
    """A board that has the memory needed; null when the model fits or no board has it."""
    models: tuple[FitModel, ...]
    """The models one by one; `model` and the sizes above are of all of them."""


def verdict(
    trees: tuple[SourceTree, ...],
    board: Board,
    fits: bool | None,
    compiler: str | None,
    sizes: Sizes,
    stack_bound: int | None,
) -> Fit:
    """The verdict with everything around it; `compiler` is None where the sizes are bounds."""
    arena, lower_bound, proof = _arena(trees)
    return Fit(
        model=", ".join(tree.model_name for tree in trees),
        board=board.id,
        fits=fits,
        basis="bound" if compiler is None else "elf",
        compiler=compiler,
        arena_bytes=arena,
        lower_bound_bytes=lower_bound,
        proof=proof,
        # A library keeps it in its arena, which is a bound.
        state_bytes=sum(tree.state_bytes for tree in trees if not tree.arena_bound),
        constant_bytes=sum(tree.constant_bytes for tree in trees),
        stack_bytes=sizes.stack_bytes,
        stack_bound_bytes=stack_bound,
        ram_bytes=sizes.ram_bytes,
        ram_available_bytes=sizes.ram_capacity,
        regions=tuple(RegionUse(r.name, r.bytes, r.capacity) for r in sizes.regions),
        memories=memory_uses(trees, sizes),
        flash_bytes=sizes.flash_bytes,
        flash_available_bytes=sizes.flash_capacity,
        largest_buffers=_largest_buffers(trees),
        remedy=None,
        missing_ram_bytes=sizes.missing_ram_bytes,
        missing_flash_bytes=max(0, sizes.flash_bytes - sizes.flash_capacity),
        external_memory=None if fits else _external(board, sizes.ram_bytes, sizes.flash_bytes),
        keep_inputs_bytes=None,
        nearest=None if fits else _nearest(sizes.ram_bytes, sizes.flash_bytes),
        models=tuple(
            FitModel(
                model=t.model_name,
                arena_bytes=t.plan.arena_bytes,
                lower_bound_bytes=t.plan.lower_bound,
                proof=t.plan.proof,
                schedule_exact=t.schedule_exact,
                excess_percent=t.excess_percent,
                constant_bytes=t.constant_bytes,
            )
            for t in trees
        ),
    )


def memory_uses(trees: Sequence[SourceTree], sizes: Sizes) -> tuple[MemoryUse, ...]:
    """The firmware's memories with the arenas' part in each."""
    arenas = memory_bytes(trees)
    names = (MAIN, *(memory.name for memory in sizes.memories[1:]))
    pairs = zip(names, sizes.memories, strict=True)
    return tuple(MemoryUse(m.name, m.bytes, m.capacity, arenas.get(name, 0)) for name, m in pairs)


def _arena(trees: tuple[SourceTree, ...]) -> tuple[int, int, str]:
    """Bytes of all arenas, what no plans can go below, and how near the best bound known they are."""
    total = max if trees[0].shares_arena else sum
    arena = arena_bytes(trees)
    best = total([tree.plan.arena_bytes - _gap(tree.plan) for tree in trees])
    return arena, total([t.plan.lower_bound for t in trees]), "optimal" if arena == best else f"gap {arena - best}"


def _gap(plan: Plan) -> int:
    return 0 if plan.proof == "optimal" else int(plan.proof.removeprefix("gap "))


def _largest_buffers(trees: tuple[SourceTree, ...]) -> tuple[BufferSize, ...]:
    """The three largest buffers at the peak; of models that share an arena, the one with the largest has the peak."""
    if trees[0].shares_arena:
        trees = (max(trees, key=lambda tree: tree.plan.arena_bytes),)
    found = sorted((b for tree in trees for b in largest_at_peak(tree.plan, 3)), key=lambda b: (-b.size, b.name))
    return tuple(BufferSize(b.name, b.kind, b.size) for b in found[:3])


def _external(board: Board, ram: int, flash: int) -> str | None:
    """The smallest memory outside the chip that nothing is put into and that would hold the arena or the image."""
    spare = [m for m in board.memories if not m.use]
    larger = [m for m in spare if m.kind == "external_ram" and m.size >= ram > board.ram_capacity]
    larger += [m for m in spare if m.kind == "external_flash" and m.size >= flash > board.flash_capacity]
    smallest = min(larger, key=lambda m: m.size, default=None)
    return None if smallest is None else smallest.name


def _nearest(ram: int, flash: int) -> str | None:
    """The board with the least memory that has this much."""
    large_enough = [b for b in all_boards() if b.ram_capacity >= ram and b.flash_capacity >= flash]
    smallest = min(large_enough, key=lambda b: (b.ram_capacity, b.flash_capacity, b.id), default=None)
    return None if smallest is None else smallest.id
