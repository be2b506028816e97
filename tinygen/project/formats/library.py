"""The model alone: C files in one folder, found by each other without an include path, and nothing else."""

from __future__ import annotations

from tinygen.project.formats import Format

FORMAT = Format(
    name="library",
    summary="only the model: .c and .h",
    library={},
    folders={"include": ".", "src": "."},
    manifest=False,
)
