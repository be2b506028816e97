"""The templates of `templates/project`, strict about names they do not know."""

from __future__ import annotations

import jinja2

from tinygen.paths import TEMPLATES

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES / "project"),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,
)


def render(template: str, **values: object) -> str:
    """The text of a template."""
    return _ENVIRONMENT.get_template(template).render(**values)
