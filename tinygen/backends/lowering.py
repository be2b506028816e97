"""From a graph and the kernels on offer to a source tree: schedule, plan, proof and text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tinygen.backends.emission import emit
from tinygen.backends.options import CompileOptions
from tinygen.ir.graph import Graph
from tinygen.plan.validate import validate
from tinygen.schedule.candidates import Offers
from tinygen.schedule.choose import choose
from tinygen.schedule.program import Program
from tinygen.schedule.replay import replay
from tinygen.schedule.spread import over_regions
from tinygen.schedule.storages import Rules
from tinygen.source_tree import Library, SourceTree


def lower(
    graph: Graph,
    offers: Offers,
    options: CompileOptions,
    prefix: str,
    kernels: Sequence[Path],
    libraries: tuple[Library, ...] = (),
    status: str = "",
    generated: Callable[[Program], Mapping[str, str]] = lambda program: {},
) -> SourceTree:
    """The graph as C that calls the best of the kernels on offer, whose headers are in the folders `kernels`.

    `libraries` and `status` are as for `emit`, and so is what `generated` makes for the program that was chosen.

    Raises:
        TinygenError: TG304, TG305, TG307 and TG308 for an arena that cannot be had.
    """
    chosen = choose(
        graph,
        offers,
        options.optimize,
        ram_budget=options.ram_budget,
        keep_inputs=options.keep_inputs,
        rules=Rules(options.io_outside, options.pins),
    )
    if options.regions:
        chosen = over_regions(chosen, options.regions, wanted=bool(options.memories), ram_budget=options.ram_budget)
    validate(chosen.plan)
    replay(chosen.program, chosen.schedule, chosen.demand, chosen.plan, keep_inputs=options.keep_inputs)
    tree = emit(
        chosen.program,
        chosen.schedule,
        chosen.demand,
        chosen.plan,
        prefix=prefix,
        backend=options.backend,
        numerics=options.rounding.value,
        options=str(options),
        keep_inputs=options.keep_inputs,
        shared_arena=options.shared_arena,
        kernels=kernels,
        libraries=libraries,
        status=status,
        generated=generated(chosen.program),
    )
    return replace(tree, excess_percent=round(100 * chosen.excess, 2))
