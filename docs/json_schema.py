"""JSON Schemas and tables of keys for the documents of --json, read from their dataclasses and attribute docstrings."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import textwrap
import types
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import pairwise

import click

from tinygen.cli import _output, main

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


_INTRO = """# What --json prints

{banner}
Every command takes `--json` and then prints exactly one JSON document on stdout, with no progress on stderr. The exit
code is the same as without: 0 done, 1 the user's error or a negative answer, 2 usage, 3 `fit` cannot tell, 70 a bug in
tinygen, 130 interrupted. When a command cannot answer, the document has the single key `errors`.

The schema is stable: keys are added, but never removed or renamed, and none changes its type or meaning. All sizes are
in bytes. [schemas](schemas) holds the same as JSON Schema."""


def json_pages(banner: str) -> dict[str, str]:
    """json.md and the schemas by their paths in docs/."""
    found, seen = documents(), set[object]()
    parts = [_INTRO.format(banner=banner)]
    for name, document in found.items():
        title = "When a command cannot answer" if name == "errors" else f"tinygen {name}"
        parts += [f"## {title}", *key_tables(document, seen)]
    schemas = {f"schemas/{n}.json": json.dumps(schema(d, f"tinygen {n}"), indent=2) + "\n" for n, d in found.items()}
    return {"json.md": "\n\n".join(parts) + "\n", **schemas}


def documents() -> dict[str, object]:
    """The document of each command by its name, and that of failures as `errors`."""
    found: dict[str, object] = {}
    for name in main.list_commands(click.Context(main)):
        found[name] = importlib.import_module(f"tinygen.cli.{name}").DOCUMENT
    return {**found, "errors": _output.Failure}


def schema(annotation: object, title: str) -> dict[str, object]:
    """The JSON Schema of a document: all keys required, keys that are not listed allowed, as they may be added."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_schema(annotation)}


def _schema(annotation: object) -> dict[str, object]:
    if annotation in _PLAIN:
        return {"type": _PLAIN[typing.cast(type, annotation)]}
    if is_dataclass(annotation):
        hints, docs = typing.get_type_hints(annotation), attribute_docs(typing.cast(type, annotation))
        properties = {}
        for field in fields(annotation):
            properties[field.name] = _schema(hints[field.name])
            if field.name in docs:
                properties[field.name]["description"] = docs[field.name]
        return {"type": "object", "required": [f.name for f in fields(annotation)], "properties": properties}
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple and arguments[1:] == (...,):
        return {"type": "array", "items": _schema(arguments[0])}
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_schema(a) for a in arguments]}
    raise TypeError(f"{annotation} has no JSON Schema")


def key_tables(annotation: object, seen: set[object]) -> Iterator[str]:
    """A Markdown table of keys for each dataclass of a document that is not in `seen`, the outermost first."""
    if is_dataclass(annotation) and annotation not in seen:
        seen.add(annotation)
        hints, docs = typing.get_type_hints(annotation), attribute_docs(typing.cast(type, annotation))
        name = typing.cast(type, annotation).__name__
        summary = inspect.cleandoc(annotation.__doc__ or "").split("\n\n")[0].replace("\n", " ")
        rows = [f"| `{f.name}` | {_type_text(hints[f.name])} | {docs.get(f.name, '')} |" for f in fields(annotation)]
        yield "\n".join([f"**{name}**: {summary}", "", "| key | type | meaning |", "|---|---|---|", *rows])
        for field in fields(annotation):
            yield from key_tables(hints[field.name], seen)
    for argument in typing.get_args(annotation):
        yield from key_tables(argument, seen)


def _type_text(annotation: object) -> str:
    if annotation in _PLAIN:
        return _PLAIN[typing.cast(type, annotation)]
    if is_dataclass(annotation):
        return typing.cast(type, annotation).__name__
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is tuple:
        return f"list of {_type_text(arguments[0])}"
    return " or ".join(map(_type_text, arguments))


def attribute_docs(cls: type) -> dict[str, str]:
    """The string below each attribute of a class, on one line."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    found = {}
    for attribute, below in pairwise(typing.cast(ast.ClassDef, tree).body):
        match attribute, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = inspect.cleandoc(text).replace("\n", " ")
    return found
