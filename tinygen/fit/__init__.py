"""Whether models fit a board: measured on the linked firmware, or bounded where nothing can be linked."""

from tinygen.fit.bound import bounded
from tinygen.fit.linked import can_link, fit_board, is_installed, measure_sizes
from tinygen.fit.models import fit_models
from tinygen.fit.verdict import Fit, MemoryUse, memory_uses

__all__ = [
    "Fit",
    "MemoryUse",
    "bounded",
    "can_link",
    "fit_board",
    "fit_models",
    "is_installed",
    "measure_sizes",
    "memory_uses",
]
