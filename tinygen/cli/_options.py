"""Arguments and options that several commands share, so that they mean the same everywhere."""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import click

from tinygen.backends import backends
from tinygen.build.flags import DEFAULT_OPTIMIZATION, OPTIMIZATIONS
from tinygen.cli._output import Output
from tinygen.compile import CompileOptions
from tinygen.ir.op import Numerics
from tinygen.schedule.choose import Objective

P = ParamSpec("P")
R = TypeVar("R")

FILE = click.Path(path_type=Path)
"""A path; whether it can be used is for the code that uses it to say, as a TinygenError."""

model = click.argument("model", type=FILE)
models = click.argument("models", type=FILE, nargs=-1, required=True, metavar="MODEL...")
separate_arenas = click.option(
    "--separate-arenas", is_flag=True, help="Of several models each gets memory of its own, so that outputs last."
)
project = click.argument("project", type=FILE, metavar="DIR")
dump_ir = click.option("--dump-ir", type=FILE, metavar="DIR", help="Write the graph as text there after every pass.")
compiler = click.option("--compiler", metavar="zig|gcc", help="By default zig where it is installed, else gcc.")
level = click.option(
    "-O",
    "level",
    type=click.Choice([level.removeprefix("-O") for level in OPTIMIZATIONS]),
    callback=lambda ctx, option, value: f"-O{value}",
    default=DEFAULT_OPTIMIZATION.removeprefix("-O"),
    show_default=True,
    help="The compiler's optimisation level.",
)
runner = click.option("--on", "runner", required=True, metavar="RUNNER", help="Where to run; see `tinygen doctor`.")
seed = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the random inputs.")


def board(*, required: bool) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """The option that names a board."""
    text = "A board of `tinygen boards`, or a board file that ends in .toml."
    return click.option("--board", required=required, metavar="ID", help=text)


def common(function: Callable[Concatenate[Output, P], R]) -> Callable[P, R]:
    """What every command has: the Output as first parameter, --json and --debug.

    Both flags are read from the command line before it is parsed, so that they also hold for errors in it.
    """
    json = click.option("--json", is_flag=True, expose_value=False, help="Print one JSON document (docs/json.md).")
    debug = click.option("--debug", is_flag=True, expose_value=False, help="Print the traceback of an internal error.")
    return json(debug(click.pass_obj(function)))


def compiling(function: Callable[..., R]) -> Callable[..., R]:
    """The options that choose what code is generated; the command gets them as `chosen`, CompileOptions."""

    @functools.wraps(function)
    def with_options(
        *arguments: object,
        backend: str,
        numerics: str | None,
        optimize: str,
        ram_budget: int | None,
        keep_inputs: bool,
        io_outside: bool,
        pin: tuple[tuple[str, int], ...],
        regions: tuple[str, ...] | None,
        tuning: Path | None,
        **others: object,
    ) -> R:
        if tuning is not None and "utvm" not in listed(backend):
            raise click.UsageError("--tuning is for --backend utvm.")
        chosen = CompileOptions(
            backend=backend,
            numerics=None if numerics is None else Numerics(numerics),
            optimize=Objective(optimize),
            ram_budget=ram_budget,
            keep_inputs=keep_inputs,
            io_outside=io_outside,
            pins=pin,
            memories=regions,
            tuning=tuning,
        )
        return function(*arguments, chosen=chosen, **others)

    budget = "The fastest schedule whose arena is at most this large."
    over = "Memories of the board for the arena, the fastest first; auto takes a second only where it must."
    rounding = click.Choice([value.value for value in Numerics])
    for option in reversed(
        (
            _choice("--optimize", Objective, "balanced", "RAM against instructions."),
            click.option("--ram-budget", type=click.IntRange(min=1), metavar="BYTES", help=budget),
            click.option("--keep-inputs", is_flag=True, help="An inference leaves its inputs as they were."),
            click.option("--io-outside", is_flag=True, help="Inputs and outputs get arrays outside the arena."),
            click.option(
                "--pin",
                type=(str, click.IntRange(min=0)),
                multiple=True,
                metavar="TENSOR OFFSET",
                help="Put a tensor at this offset of the arena; may be repeated.",
            ),
            click.option("--tuning", type=FILE, metavar="FILE", help="Of `tinygen tune`, for backend utvm."),
            click.option(
                "--regions",
                default="auto",
                show_default=True,
                metavar="auto|single|NAME,...",
                callback=_memories,
                help=over,
            ),
            click.option("--numerics", type=rounding, help="Whose rounding; by default what the backend follows."),
            click.option("--backend", default="c", show_default=True, metavar="NAME", help=f"{', '.join(backends())}."),
        )
    ):
        with_options = option(with_options)
    return with_options


def listed(value: str) -> tuple[str, ...]:
    """The names of a list with commas, each once; BadParameter where one is empty."""
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
    if not all(names):
        raise click.BadParameter(f"found '{value}', accepted: names with commas between them.")
    return names


def names(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    """`listed`, as an option's callback."""
    return listed(value)


def _memories(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...] | None:
    names = listed(value)
    return None if names == ("auto",) else () if names == ("single",) else names


def _choice(name: str, values: type[Enum], default: str, text: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
    choice = click.Choice([value.value for value in values])
    return click.option(name, type=choice, default=default, show_default=True, help=text)
