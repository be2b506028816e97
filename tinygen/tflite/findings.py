"""Collects what the reader finds, so that all of it is reported at once and the same finding only once."""

from __future__ import annotations

from dataclasses import replace

from tinygen.errors import Diagnostic, Origin


class Findings:
    """Diagnostics in the order found; those of the same kind become one that says how many there are."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], Diagnostic] = {}
        self._count: dict[tuple[str, str], int] = {}

    def add(self, code: str, kind: str, message: str, origin: Origin, hints: tuple[str, ...] = ()) -> None:
        """Adds one; `kind` is what makes two of them the same finding."""
        key = (code, kind)
        self._first.setdefault(key, Diagnostic(code, message, origin, hints))
        self._count[key] = self._count.get(key, 0) + 1

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything found; empty when all is well."""
        return tuple(self._counted(d, self._count[key]) for key, d in self._first.items())

    def _counted(self, diagnostic: Diagnostic, count: int) -> Diagnostic:
        if count == 1:
            return diagnostic
        return replace(diagnostic, message=f"{diagnostic.message} ({count} of these, the first is shown)")
