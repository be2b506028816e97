"""Whether a tuning's schedules were counted for what is built: right they are anywhere, fast only there."""

from __future__ import annotations

from tinygen.boards import Board
from tinygen.errors import Diagnostic


def tuning_findings(tuned_for: str, board: Board, compiler: str) -> tuple[Diagnostic, ...]:
    """A warning, TG434, where core or compiler differ from those of the tuning; none for code without one.

    `compiler` is with version and optimisation level, `tuned_for` as source trees and manifests have it.
    """
    built = f"{board.cpu}, {compiler}"
    if tuned_for in ("", built):
        return ()
    message = f"found schedules that were counted for {tuned_for}, in a build for {built}; others may be faster"
    hints = (f"tinygen tune MODEL --board {board.id} counts for this one, with the same --compiler and -O",)
    return (Diagnostic("TG434", message, hints=hints),)
