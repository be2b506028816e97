"""The passes in their order, each verified; with a folder, the graph's text after each of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tinygen.errors import TinygenError, error
from tinygen.ir.graph import Graph
from tinygen.ir.text import to_text
from tinygen.passes.alias_reshapes import alias_reshapes
from tinygen.passes.divide_outputs import divide_outputs
from tinygen.passes.fold_constants import fold_constants
from tinygen.passes.fold_pads import fold_pads
from tinygen.passes.fold_quantize_pairs import fold_quantize_pairs
from tinygen.passes.fuse_activations import fuse_activations
from tinygen.passes.remove_dead_ops import remove_dead_ops
from tinygen.passes.remove_identities import remove_identities

Pass = Callable[[Graph], Graph]

PIPELINE: tuple[Pass, ...] = (
    divide_outputs,
    fold_constants,
    fold_quantize_pairs,
    alias_reshapes,
    remove_identities,
    # Before the passes that look for tensors with a single reader: a dead reader is none.
    remove_dead_ops,
    # Before pads are folded: an activation fused into max pooling decides whether its pad can be.
    fuse_activations,
    fold_pads,
)
"""No pass changes an output, whichever numerics are asked for."""


def run(graph: Graph, dump: Path | None = None) -> Graph:
    """The graph after all passes.

    Args:
        graph: a verified graph.
        dump: a folder, made if need be, for `00_read.txt`, `01_<pass>.txt` ...

    Raises:
        TinygenError: TG403 when the folder cannot be written to.
        AssertionError: a pass broke the graph, which is an error in tinygen.
    """
    _dump(graph, dump, 0, "read")
    for number, transform in enumerate(PIPELINE, 1):
        name = transform.__name__
        graph = transform(graph)
        _dump(graph, dump, number, name)
        try:
            graph.verify()
        except TinygenError as problem:
            raise AssertionError(f"pass {name} broke the graph: {problem}") from problem
    return graph


def _dump(graph: Graph, folder: Path | None, number: int, name: str) -> None:
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:02}_{name}.txt").write_text(to_text(graph), encoding="utf-8")
    except OSError as problem:
        raise error("TG403", f"cannot write the graph to {folder}: {problem}") from problem
