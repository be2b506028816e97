"""The cheapest options with which models fit a board that they did not fit."""

from __future__ import annotations

from dataclasses import replace

from tinygen.boards import Board
from tinygen.compile import CompileOptions
from tinygen.fit.verdict import Fit
from tinygen.fit.workbench import Workbench
from tinygen.schedule.choose import Objective
from tinygen.source_tree import arena_bytes

SMALLEST = "-Os"
"""The compiler's level for the least flash."""


def find_remedy(workbench: Workbench, options: CompileOptions, board: Board, level: str, verdict: Fit) -> str | None:
    """The first of these options with which the model fits: less RAM, less flash, both."""
    least = replace(options, optimize=Objective.RAM, ram_budget=None, keep_inputs=False)
    small = verdict.basis == "elf" and level != SMALLEST
    smaller = arena_bytes(workbench.compiled(least, board)) < verdict.arena_bytes
    ram, flash = verdict.missing_ram_bytes > 0, verdict.missing_flash_bytes > 0
    same = " --keep-inputs" if options.keep_inputs else ""
    tried = (
        (ram and not flash and smaller, least, level, "--optimize ram"),
        (flash and small, options, SMALLEST, f"-O s --optimize {options.optimize.value}{same}"),
        (flash and small and smaller, least, SMALLEST, "-O s --optimize ram"),
    )
    for helps, chosen, tried_level, text in tried:
        if helps and workbench.fit(chosen, board, tried_level).fits:
            return text
    return None
