"""ESP-IDF: a component for the component manager, and an example project that depends on it."""

from __future__ import annotations

from tinygen.project.formats import Format

FORMAT = Format(
    name="esp-idf-component",
    summary="ESP-IDF component with an example project",
    library={
        "CMakeLists.txt": "esp-idf-component/CMakeLists.txt.j2",
        "idf_component.yml": "esp-idf-component/idf_component.yml.j2",
        "examples/{name}/CMakeLists.txt": "esp-idf-component/example/CMakeLists.txt.j2",
        "examples/{name}/main/CMakeLists.txt": "esp-idf-component/example/main_CMakeLists.txt.j2",
        "examples/{name}/main/idf_component.yml": "esp-idf-component/example/idf_component.yml.j2",
        "examples/{name}/main/main.c": "esp-idf-component/example/main.c.j2",
        "README.md": "esp-idf-component/README.md.j2",
    },
)
