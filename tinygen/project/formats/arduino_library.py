"""Arduino: a library of format 1.5, its headers in src/ where sketches find them, with an example sketch."""

from __future__ import annotations

from tinygen.project.formats import Format

FORMAT = Format(
    name="arduino-library",
    summary="Arduino library with an example sketch",
    library={
        "library.properties": "arduino-library/library.properties.j2",
        "keywords.txt": "arduino-library/keywords.txt.j2",
        "examples/{name}/{name}.ino": "arduino-library/sketch.ino.j2",
        "README.md": "arduino-library/README.md.j2",
    },
    folders={"include": "src", "src": "src"},
)
