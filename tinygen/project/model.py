"""A project on disk and its manifest, `tinygen.json`: what was generated, from what, for which board."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import cast

from tinygen.boards import Board, load_board_file
from tinygen.errors import Origin, TinygenError, error
from tinygen.project.firmware import answering_define
from tinygen.source_tree import Layer, Library, SourceTree, TensorSpec

MANIFEST = "tinygen.json"
PROJECT = "project"
"""The layout of a project that nobody chose a format for."""

FORMAT = 2
"""Raised when a key changes its meaning or goes away; new keys do not raise it."""


@dataclass(frozen=True)
class Model:
    """One model of a project."""

    prefix: str
    model_name: str
    model_sha256: str
    backend: str
    numerics: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    layers: tuple[Layer, ...]
    arena_bytes: int
    lower_bound: int
    proof: str
    constant_bytes: int
    constants_crc32: int
    state_bytes: int = 0
    """Kept from one inference to the next; where there are some, the code has `<prefix>_reset`."""
    arena_bound: bool = False
    """Whether arena_bytes is a bound that a build measures."""
    tuned_for: str = ""
    """The core, and the compiler with version and level, that a tuning's schedules were counted for."""
    mlperf: str | None = None
    """As what a firmware answers MLPerf Tiny's runner: a benchmark's id or the prefix; None in a library."""

    @property
    def layer_slots(self) -> int:
        """The highest layer index and one."""
        return max((layer.index for layer in self.layers), default=-1) + 1


@dataclass(frozen=True)
class Manifest:
    """The keys of `tinygen.json`, as docs/design/project.md describes them; sizes in bytes, paths in the project."""

    format: int
    tinygen: str
    """The version of tinygen that wrote the project."""
    layout: str
    """The format by its name in `--format`, PROJECT without one."""
    board: str | None
    """None in a library, which has no firmware."""
    models: tuple[Model, ...]
    """At least one."""
    shared_arena: bool
    """Whether all models work in one arena."""
    arena_bytes: int
    """Of all arenas together."""
    stack_bytes: int
    """The reserve in the linker script; 0 in a library."""
    sources: tuple[str, ...]
    """The models' own files for the compiler; the firmware's are a property of the program."""
    files: tuple[str, ...]
    """Everything tinygen wrote, the manifest left out. Other files in the folder are the user's."""
    libraries: tuple[Library, ...] = ()
    """What the models' code calls besides, which the user brings."""

    def json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=True) + "\n"


@dataclass(frozen=True)
class Project:
    """A project folder that was written or read back; the path is absolute, as compilers run inside it."""

    path: Path
    manifest: Manifest
    board: Board
    model: Model
    """Of the manifest's models the one that the bench firmware and the host's program answer for."""

    @property
    def defines(self) -> tuple[str, ...]:
        """Macros that make this model answer; none are needed where it is the only one."""
        return (answering_define(self.model.prefix),) if len(self.manifest.models) > 1 else ()

    def select(self, prefix: str) -> Project:
        """The same project answering for another of its models; TG408 when none has that prefix."""
        for model in self.manifest.models:
            if model.prefix == prefix:
                return replace(self, model=model)
        known = ", ".join(model.prefix for model in self.manifest.models)
        raise error("TG408", f"found '{prefix}', accepted in this project: {known}")


def model_of(tree: SourceTree) -> Model:
    """What the manifest says of a source tree."""
    return Model(
        prefix=tree.prefix,
        model_name=tree.model_name,
        model_sha256=tree.model_sha256,
        backend=tree.backend,
        numerics=tree.numerics,
        inputs=tree.inputs,
        outputs=tree.outputs,
        layers=tree.layers,
        arena_bytes=tree.plan.arena_bytes,
        lower_bound=tree.plan.lower_bound,
        proof=tree.plan.proof,
        constant_bytes=tree.constant_bytes,
        constants_crc32=tree.constants_crc32,
        state_bytes=tree.state_bytes,
        arena_bound=tree.arena_bound,
        tuned_for=tree.tuned_for,
    )


def load_project(path: Path) -> Project:
    """Reads a project back, its first model selected.

    TG405 when the folder holds no project or a damaged one, TG414 when it holds a library.
    """
    manifest = read_manifest(path)
    if manifest.board is None:
        hint = "tinygen generate MODEL --board ID -o DIR makes a project with a firmware"
        raise error("TG414", f"found the format {manifest.layout}", origin=Origin(str(path / MANIFEST)), hints=(hint,))
    board_file = path / "boards" / f"{manifest.board}.toml"
    if not board_file.is_file():
        raise _damaged(path, f"boards/{manifest.board}.toml is missing")
    return Project(path.resolve(), manifest, load_board_file(board_file), manifest.models[0])


def read_manifest(path: Path) -> Manifest:
    """The manifest of the project in a folder; TG405 when there is none or it is damaged."""
    content = _parsed(path)
    if content.get("format") != FORMAT:
        raise _damaged(path, f"found format {content.get('format')!r}, accepted: {FORMAT}")
    try:
        return _Reader(content).manifest()
    except _WrongValueError as problem:
        raise _damaged(path, str(problem)) from problem


def written_files(path: Path) -> tuple[str, ...]:
    """What tinygen wrote into the project in a folder; TG405 as above, but older formats are understood, too."""
    content = _parsed(path)
    if content.get("format") not in range(1, FORMAT + 1):
        raise _damaged(path, f"found format {content.get('format')!r}, accepted: 1 to {FORMAT}")
    try:
        return _Reader(content).paths("files")
    except _WrongValueError as problem:
        raise _damaged(path, str(problem)) from problem


def _parsed(path: Path) -> dict[str, object]:
    file = path / MANIFEST
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        hint = "tinygen generate MODEL --board ID -o DIR makes one"
        raise error("TG405", f"{path} has no {MANIFEST}", hints=(hint,)) from problem
    except (OSError, ValueError, RecursionError) as problem:
        raise _damaged(path, f"it cannot be read: {problem}") from problem
    if not isinstance(content, dict):
        raise _damaged(path, f"found {type(content).__name__}, accepted: an object")
    return content


def _damaged(path: Path, message: str) -> TinygenError:
    hint = "generate the project again with tinygen generate"
    return error("TG405", message, origin=Origin(str(path / MANIFEST)), hints=(hint,))


class _WrongValueError(Exception):
    """A key of the manifest is missing or has another type."""


class _Reader:
    """Takes typed values out of parsed JSON."""

    def __init__(self, content: dict[str, object]) -> None:
        self._content = content

    def manifest(self) -> Manifest:
        models = tuple(item._model() for item in self._items("models"))
        if not models:
            raise _WrongValueError("models: found an empty list, accepted: at least one model")
        return Manifest(
            format=self._integer("format"),
            tinygen=self._text("tinygen"),
            layout=self._text("layout") if "layout" in self._content else PROJECT,
            board=None if self._get("board") is None else _inside("board", self._text("board")),
            models=models,
            shared_arena=self._truth("shared_arena"),
            arena_bytes=self._integer("arena_bytes"),
            stack_bytes=self._integer("stack_bytes"),
            sources=self.paths("sources"),
            files=self.paths("files"),
            # Projects of before there were any have no such key.
            libraries=tuple(item._library() for item in self._items("libraries")) if self._has("libraries") else (),
        )

    def _library(self) -> Library:
        return Library(
            name=self._text("name"),
            variable=self._text("variable"),
            repository=self._text("repository"),
            tag=self._text("tag"),
            versions=self._text("versions"),
            marker=_inside("marker", self._text("marker")),
            includes=self.paths("includes"),
            sources=self.paths("sources"),
            # Projects of before it was checked have no such key.
            needed=self.paths("needed") if self._has("needed") else (),
            defines=self._texts("defines"),
            lean_defines=self._texts("lean_defines"),
            usual=self._text("usual"),
            language=self._text("language"),
        )

    def _model(self) -> Model:
        return Model(
            prefix=self._text("prefix"),
            model_name=self._text("model_name"),
            model_sha256=self._text("model_sha256"),
            backend=self._text("backend"),
            numerics=self._text("numerics"),
            inputs=tuple(item._tensor() for item in self._items("inputs")),
            outputs=tuple(item._tensor() for item in self._items("outputs")),
            layers=tuple(item._layer() for item in self._items("layers")),
            arena_bytes=self._integer("arena_bytes"),
            lower_bound=self._integer("lower_bound"),
            proof=self._text("proof"),
            constant_bytes=self._integer("constant_bytes"),
            constants_crc32=self._integer("constants_crc32"),
            # Projects of before there were any have no such keys.
            state_bytes=self._integer("state_bytes") if self._has("state_bytes") else 0,
            arena_bound=self._has("arena_bound") and self._truth("arena_bound"),
            tuned_for=self._text("tuned_for") if self._has("tuned_for") else "",
            mlperf=None if self._content.get("mlperf") is None else self._text("mlperf"),
        )

    def _tensor(self) -> TensorSpec:
        scale, zero_point = self._content.get("scale"), self._content.get("zero_point")
        if scale is not None and not isinstance(scale, int | float):
            raise _WrongValueError(f"scale: found {scale!r}, accepted: a number or null")
        return TensorSpec(
            name=self._text("name"),
            shape=self._integers("shape"),
            dtype=self._text("dtype"),
            nbytes=self._integer("nbytes"),
            scale=None if scale is None else float(scale),
            zero_point=None if zero_point is None else self._integer("zero_point"),
        )

    def _layer(self) -> Layer:
        return Layer(
            index=self._integer("index"),
            op=self._text("op"),
            name=self._text("name"),
            symbol=self._text("symbol"),
            kernel=self._text("kernel"),
            macs=self._integer("macs"),
            constant_bytes=self._integer("constant_bytes"),
            scratch_bytes=self._integer("scratch_bytes"),
            output_shape=self._integers("output_shape"),
            schedule=self._text("schedule") if self._has("schedule") else "",
        )

    def _get(self, key: str) -> object:
        if key not in self._content:
            raise _WrongValueError(f"{key} is missing")
        return self._content[key]

    def _text(self, key: str) -> str:
        value = self._get(key)
        if not isinstance(value, str):
            raise _WrongValueError(f"{key}: found {value!r}, accepted: a string")
        return value

    def _integer(self, key: str) -> int:
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise _WrongValueError(f"{key}: found {value!r}, accepted: an integer")
        return value

    def _truth(self, key: str) -> bool:
        value = self._get(key)
        if not isinstance(value, bool):
            raise _WrongValueError(f"{key}: found {value!r}, accepted: true or false")
        return value

    def _list(self, key: str, kind: type) -> list[object]:
        value = self._get(key)
        if not isinstance(value, list) or not all(type(item) is kind for item in value):
            raise _WrongValueError(f"{key}: found {value!r}, accepted: a list of {kind.__name__}")
        return value

    def _integers(self, key: str) -> tuple[int, ...]:
        return tuple(cast(list[int], self._list(key, int)))

    def _texts(self, key: str) -> tuple[str, ...]:
        return tuple(cast(list[str], self._list(key, str)))

    def _has(self, key: str) -> bool:
        return key in self._content

    def _items(self, key: str) -> tuple[_Reader, ...]:
        return tuple(_Reader(cast(dict[str, object], item)) for item in self._list(key, dict))

    def paths(self, key: str) -> tuple[str, ...]:
        return tuple(_inside(key, cast(str, item)) for item in self._list(key, str))


def _inside(key: str, path: str) -> str:
    """A path that stays in the project: a manifest may come from anywhere, and its files get replaced and removed."""
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path or "\0" in path or str(pure) != path:
        raise _WrongValueError(f"{key}: found {path!r}, accepted: a path inside the project")
    return path
