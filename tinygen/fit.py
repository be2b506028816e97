"""Whether models fit a board: measured on the linked firmware, or bounded where nothing can be linked."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tinygen.boards import Board, all_boards
from tinygen.build.builder import Built, build_project
from tinygen.build.compiler import find_compiler
from tinygen.build.elf import RegionSize, Sizes
from tinygen.build.flags import DEFAULT_OPTIMIZATION
from tinygen.build.objects import ObjectCache
from tinygen.build.stack import stack_bound
from tinygen.compile import CompileOptions, compile_graph, read_for, useful_features
from tinygen.errors import TinygenError
from tinygen.ir.graph import Graph
from tinygen.plan.live import largest_at_peak
from tinygen.plan.model import Plan
from tinygen.plan.regions import AREA_ALIGNMENT
from tinygen.project import Project, write_project
from tinygen.schedule.choose import Objective
from tinygen.schedule.spread import VARIABLE_BYTES, VARIABLE_BYTES_PER_LAYER
from tinygen.source_tree import Models, SourceTree, arena_bytes, trees_of
from tinygen.target import for_board


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


CODE_BYTES = 16 * 1024
"""More than start-up, the minimal main and compiler support need on any core."""
CODE_BYTES_PER_LAYER = 8 * 1024
"""More than a layer's kernel comes to on any core, specialised and unrolled, with its parameters and its alignment."""
SMALLEST = "-Os"
"""The compiler's level for the least flash."""


def fit_models(
    paths: Sequence[Path],
    boards: Sequence[Board],
    options: CompileOptions,
    *,
    separate_arenas: bool = False,
    compiler: str | None = None,
    level: str = DEFAULT_OPTIMIZATION,
    done: Callable[[int], None] = lambda count: None,
) -> tuple[Fit, ...]:
    """The verdict on one model, or several in one firmware, for each board; `done` is told how many are there.

    What several models are called does not matter here, so their files' names may be the same.

    Raises:
        TinygenError: TG1xx and TG2xx for the model, TG401 when the `compiler` asked for is not installed, TG402.
    """
    graphs = [read_for(path, options) for path in paths]
    options = replace(options, shared_arena=len(graphs) > 1 and not separate_arenas)
    verdicts: list[Fit] = []
    with TemporaryDirectory(prefix="tinygen-") as folder:
        bench = _Bench(graphs, options, compiler, Path(folder))
        for board in boards:
            verdict = bench.fit(options, board, level)
            if options.keep_inputs:
                consumed = bench.compiled(replace(options, keep_inputs=False), board)
                verdict = replace(verdict, keep_inputs_bytes=verdict.arena_bytes - arena_bytes(consumed))
            if verdict.fits is False:
                remedy = _remedy(bench, options, board, level, verdict)
                separate = " --separate-arenas" if separate_arenas and remedy is not None else ""
                verdict = replace(verdict, remedy=None if remedy is None else remedy + separate)
            verdicts.append(verdict)
            done(len(verdicts))
    return tuple(verdicts)


class _Bench:
    """Compiles each model once for every set of options, and the C code once for every core."""

    def __init__(self, graphs: Sequence[Graph], options: CompileOptions, compiler: str | None, folder: Path) -> None:
        self._graphs, self._compiler, self._folder = graphs, compiler, folder
        self._objects = ObjectCache(folder / "objects")
        self._useful = frozenset[str]().union(*(useful_features(graph, options) for graph in graphs))
        self._known: dict[CompileOptions, tuple[SourceTree, ...]] = {}

    def compiled(self, options: CompileOptions, board: Board) -> tuple[SourceTree, ...]:
        """The models for a board; boards whose kernels are the same share them."""
        base = replace(options, features=self._useful & frozenset(board.features), regions=())
        key = replace(for_board(options, board, models=len(self._graphs)), features=base.features)
        if not key.regions or key.memories:
            return self._trees(key)
        # Boards with several memories are looked at one by one only where the main one may be too small.
        trees = self._trees(base)
        return trees if ram_bounds(trees, board)[1] <= board.ram_capacity else self._trees(key)

    def _trees(self, key: CompileOptions) -> tuple[SourceTree, ...]:
        if key not in self._known:
            names = [f"model_{i}" if len(self._graphs) > 1 else None for i in range(len(self._graphs))]
            pairs = zip(self._graphs, names, strict=True)
            self._known[key] = tuple(compile_graph(graph, replace(key, prefix=name)) for graph, name in pairs)
        return self._known[key]

    def fit(self, options: CompileOptions, board: Board, level: str) -> Fit:
        """The verdict with these options."""
        trees = self.compiled(options, board)
        return fit_board(trees, board, compiler=self._compiler, level=level, objects=self._objects)


def _remedy(bench: _Bench, options: CompileOptions, board: Board, level: str, verdict: Fit) -> str | None:
    """The first of these options with which the model fits: less RAM, less flash, both."""
    least = replace(options, optimize=Objective.RAM, ram_budget=None, keep_inputs=False)
    small = verdict.basis == "elf" and level != SMALLEST
    smaller = arena_bytes(bench.compiled(least, board)) < verdict.arena_bytes
    ram, flash = verdict.missing_ram_bytes > 0, verdict.missing_flash_bytes > 0
    same = " --keep-inputs" if options.keep_inputs else ""
    tried = (
        (ram and not flash and smaller, least, level, "--optimize ram"),
        (flash and small, options, SMALLEST, f"-O s --optimize {options.optimize.value}{same}"),
        (flash and small and smaller, least, SMALLEST, "-O s --optimize ram"),
    )
    for helps, chosen, tried_level, text in tried:
        if helps and bench.fit(chosen, board, tried_level).fits:
            return text
    return None


def fit_board(
    models: Models,
    board: Board,
    *,
    compiler: str | None = None,
    level: str = DEFAULT_OPTIMIZATION,
    objects: ObjectCache | None = None,
) -> Fit:
    """The verdict for one board; without an installed compiler or ELF reader, and none asked for, from the bound.

    The model's compiled code is taken from and left in `objects`.
    """
    if compiler is not None or can_link(board):
        return _measured(trees_of(models), board, compiler, level, objects)
    return bounded(models, board)


def can_link(board: Board) -> bool:
    """Whether firmware for the board can be linked and its sizes read here."""
    readers = ("elftools", "capstone")
    return is_installed(board) and all(importlib.util.find_spec(reader) is not None for reader in readers)


def is_installed(board: Board, compiler: str | None = None) -> bool:
    """Whether there is a compiler (a certain one, or any) for the board."""
    try:
        find_compiler(board.core, compiler)
    except TinygenError as failure:
        if failure.code != "TG401":
            raise
        return False
    return True


def _measured(
    trees: tuple[SourceTree, ...], board: Board, compiler: str | None, level: str, objects: ObjectCache | None
) -> Fit:
    with TemporaryDirectory(prefix="tinygen-") as folder:
        project = write_project(trees, board, Path(folder) / "project")
        built = build_project(
            project,
            Path(folder) / "build",
            compiler=compiler,
            optimize=level,
            program="minimal",
            must_fit=False,
            objects=objects,
        )
        stack = stack_bound(built.elf).bytes
    sizes = built.sizes
    fits: bool | None = sizes.fits and (stack is None or stack <= sizes.stack_bytes)
    if fits and stack is None:
        fits = None
    return _fit(trees, board, fits, built.compiler, sizes, stack)


def measure_sizes(
    project: Project,
    build: Path,
    *,
    compiler: str | None = None,
    optimize: str = DEFAULT_OPTIMIZATION,
    must_fit: bool = True,
) -> Built:
    """The minimal firmware of a project, whose sizes are the models': one inference of each and nothing else."""
    return build_project(project, build, compiler=compiler, optimize=optimize, program="minimal", must_fit=must_fit)


def bounded(models: Models, board: Board) -> Fit:
    """The verdict without a compiler: sizes the linked firmware cannot exceed, and unknown where that is too much.

    It is a no only where what is certain, the arena with the stack or the constants, exceeds the board by itself.
    """
    trees = trees_of(models)
    layers = sum(len(tree.layers) for tree in trees)
    constants = sum(tree.constant_bytes for tree in trees)
    certain_ram, ram = ram_bounds(trees, board)
    flash = constants + CODE_BYTES + CODE_BYTES_PER_LAYER * layers + board.boot.header_bytes
    fits: bool | None = None
    if certain_ram > board.ram_capacity or constants > board.flash_capacity:
        fits = False
    elif ram <= board.ram_capacity and flash <= board.flash_capacity:
        fits = True
    regions = _areas(trees, board)
    sizes = Sizes(
        flash_bytes=flash,
        ram_bytes=ram + sum(r.bytes for r in regions),
        stack_bytes=board.stack_bytes,
        flash_capacity=board.flash_capacity,
        ram_capacity=board.ram_capacity + sum(r.capacity for r in regions),
        regions=regions,
    )
    return _fit(trees, board, fits, None, sizes, None)


def ram_bounds(trees: Sequence[SourceTree], board: Board) -> tuple[int, int]:
    """Bytes that the models certainly need of the board's main memory, and bytes that they cannot exceed."""
    layers = sum(len(tree.layers) for tree in trees)
    elsewhere = sum(area.bytes for tree in trees for area in tree.plan.areas if not area.main)
    padding = AREA_ALIGNMENT * sum(len(tree.plan.areas) for tree in trees)
    outside = sum(tree.outside_bytes for tree in trees)
    certain = arena_bytes(trees) - elsewhere - padding + outside + board.stack_bytes
    return certain, certain + padding + VARIABLE_BYTES + VARIABLE_BYTES_PER_LAYER * layers


def _areas(trees: Sequence[SourceTree], board: Board) -> tuple[RegionSize, ...]:
    """The parts of an arena outside the main memory; their planner has kept within the capacities."""
    there = {m.name: m.size - (board.stack_bytes if m == board.stack else 0) for m in board.arena}
    areas = (area for tree in trees for area in tree.plan.areas if not area.main)
    return tuple(RegionSize(area.region, area.bytes, there[area.region]) for area in areas)


def _fit(
    trees: tuple[SourceTree, ...],
    board: Board,
    fits: bool | None,
    compiler: str | None,
    sizes: Sizes,
    stack_bound: int | None,
) -> Fit:
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
        constant_bytes=sum(tree.constant_bytes for tree in trees),
        stack_bytes=sizes.stack_bytes,
        stack_bound_bytes=stack_bound,
        ram_bytes=sizes.ram_bytes,
        ram_available_bytes=sizes.ram_capacity,
        regions=tuple(RegionUse(r.name, r.bytes, r.capacity) for r in sizes.regions),
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
                t.model_name, t.plan.arena_bytes, t.plan.lower_bound, t.plan.proof, t.schedule_exact, t.constant_bytes
            )
            for t in trees
        ),
    )


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
