"""The template environment of all backends: undefined names are errors, and templates decide nothing."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tinygen.paths import TEMPLATES


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, values: dict[str, object]) -> str:
    """The text of `templates/<template>`; a template is compiled once in a process."""
    return _environment().get_template(template).render(values)
