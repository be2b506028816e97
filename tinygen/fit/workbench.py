"""Compiles models for many boards and options, everything that is the same for several of them once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tinygen.boards import Board
from tinygen.build.objects import ObjectCache
from tinygen.compile import CompileOptions, compile_graphs, useful_features
from tinygen.fit.bound import ram_bounds
from tinygen.fit.linked import fit_board
from tinygen.fit.verdict import Fit
from tinygen.ir.graph import Graph
from tinygen.source_tree import SourceTree
from tinygen.target import for_board


class Workbench:
    """Compiles each model once for every set of options, and the C code once for every core."""

    def __init__(self, graphs: Sequence[Graph], options: CompileOptions, compiler: str | None, folder: Path) -> None:
        self._graphs, self._compiler, self._folder = graphs, compiler, folder
        self._objects = ObjectCache(folder / "objects")
        self._useful = frozenset[str]().union(*(useful_features(graph, options) for graph in graphs))
        self._known: dict[CompileOptions, tuple[SourceTree, ...]] = {}

    def compiled(self, options: CompileOptions, board: Board) -> tuple[SourceTree, ...]:
        """The models for a board; boards whose kernels are the same share them."""
        base = replace(options, features=self._useful & frozenset(board.features), regions=())
        key = replace(for_board(options, board), features=base.features)
        if not key.regions or key.memories:
            return self._trees(key)
        # Boards with several memories are looked at one by one only where the main one may be too small.
        trees = self._trees(base)
        return trees if ram_bounds(trees, board)[1] <= board.ram_capacity else self._trees(key)

    def _trees(self, key: CompileOptions) -> tuple[SourceTree, ...]:
        if key not in self._known:
            names = [f"model_{i}" if len(self._graphs) > 1 else None for i in range(len(self._graphs))]
            self._known[key] = compile_graphs(self._graphs, key, names)
        return self._known[key]

    def fit(self, options: CompileOptions, board: Board, level: str) -> Fit:
        """The verdict with these options."""
        trees = self.compiled(options, board)
        return fit_board(trees, board, compiler=self._compiler, level=level, objects=self._objects)
