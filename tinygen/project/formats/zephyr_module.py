"""Zephyr: a module with a Kconfig option for the models, and a sample application."""

from __future__ import annotations

from tinygen.project.formats import Format

FORMAT = Format(
    name="zephyr-module",
    summary="Zephyr module with a sample",
    library={
        "zephyr/module.yml": "zephyr-module/module.yml.j2",
        "zephyr/CMakeLists.txt": "zephyr-module/CMakeLists.txt.j2",
        "zephyr/Kconfig": "zephyr-module/Kconfig.j2",
        "samples/{name}/CMakeLists.txt": "zephyr-module/sample/CMakeLists.txt.j2",
        "samples/{name}/prj.conf": "zephyr-module/sample/prj.conf.j2",
        "samples/{name}/sample.yaml": "zephyr-module/sample/sample.yaml.j2",
        "samples/{name}/src/main.c": "zephyr-module/sample/main.c.j2",
        "README.md": "zephyr-module/README.md.j2",
    },
)
