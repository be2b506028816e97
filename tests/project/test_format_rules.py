"""What each ecosystem's own checkers ask of a library's text files, with parsers that are not ours."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import kconfiglib
import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.project.layouts import MODELS, written
from tests.unit.trivial_model import trivial_tree
from tinygen.project import write_library
from tinygen.project.formats import formats
from tinygen.project.values import library_name

SEMANTIC_VERSION = r"\d+\.\d+\.\d+"

# https://docs.arduino.cc/arduino-cli/library-specification/ and the rules of arduino-lint.
ARDUINO_REQUIRED = {"name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url"}
ARDUINO_OPTIONAL = {"architectures", "depends", "dot_a_linkage", "includes", "precompiled", "ldflags"}
ARDUINO_CATEGORIES = {
    "Display", "Communication", "Signal Input/Output", "Sensors", "Device Control", "Timing", "Data Storage",
    "Data Processing", "Other",
}  # fmt: skip
ARDUINO_KEYWORDS = {"KEYWORD1", "KEYWORD2", "KEYWORD3", "LITERAL1", "LITERAL2"}


def strict(properties: Mapping[str, object], *required: str) -> dict[str, object]:
    """The schema of an object with these keys and no others."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1}
# https://docs.platformio.org/en/latest/manifests/library-json/
LIBRARY_JSON = strict(
    {
        "name": {"type": "string", "pattern": "^[^:;/,@<>]{1,100}$"},
        "version": {"type": "string", "pattern": f"^{SEMANTIC_VERSION}$"},
        "description": TEXT,
        "keywords": TEXTS,
        "frameworks": {"const": "*"},
        "platforms": {"const": "*"},
        "headers": TEXTS,
        "examples": {"type": "array", "items": strict({"name": TEXT, "base": TEXT, "files": TEXTS}, "name", "files")},
        "build": strict({"srcDir": TEXT, "includeDir": TEXT, "flags": TEXTS}, "srcDir", "includeDir"),
    },
    "name",
    "version",
)
# https://docs.zephyrproject.org/latest/develop/modules.html
MODULE_YML = strict(
    {
        "name": TEXT,
        "build": strict({"cmake": TEXT, "kconfig": TEXT}, "cmake", "kconfig"),
        "samples": TEXTS,
    },
    "name",
    "build",
)
# https://docs.zephyrproject.org/latest/develop/test/twister.html
_SCENARIO = {
    "tags": TEXT,
    "min_ram": {"type": "integer"},
    "min_flash": {"type": "integer"},
    "harness": {"enum": ["console"]},
    "harness_config": strict(
        {"type": {"enum": ["one_line", "multi_line"]}, "ordered": {"type": "boolean"}, "regex": TEXTS}, "type", "regex"
    ),
    "integration_platforms": TEXTS,
}
SAMPLE_YAML = strict(
    {
        "sample": strict({"name": TEXT, "description": TEXT}, "name"),
        "common": strict(_SCENARIO),
        "tests": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": r"^[a-z0-9_]+(\.[a-z0-9_]+)+$"},
            "additionalProperties": strict(_SCENARIO),
        },
    },
    "sample",
    "tests",
)
# https://docs.espressif.com/projects/idf-component-manager/en/latest/reference/manifest_file.html
COMPONENT_YML = strict(
    {
        "version": {"type": "string", "pattern": f"^{SEMANTIC_VERSION}$"},
        "description": TEXT,
        "dependencies": strict({"idf": TEXT}, "idf"),
        "examples": {"type": "array", "items": strict({"path": TEXT}, "path")},
    },
    "version",
)


@pytest.mark.parametrize("models", MODELS)
def test_arduino(models: str, tmp_path: Path) -> None:
    manifest = written(formats()["arduino-library"], models, tmp_path)
    lines = (tmp_path / "library.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    assert len(properties) == len(lines)
    assert ARDUINO_REQUIRED <= set(properties) <= ARDUINO_REQUIRED | ARDUINO_OPTIONAL
    assert all(value == value.strip() != "" for value in properties.values())
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}", properties["name"])
    assert re.fullmatch(SEMANTIC_VERSION, properties["version"])
    assert properties["category"] in ARDUINO_CATEGORIES
    assert properties["url"].startswith("https://")
    assert properties["sentence"] not in properties["paragraph"]
    assert properties["includes"].split(",") == [f"{model.prefix}.h" for model in manifest.models]
    assert all((tmp_path / "src" / header).is_file() for header in properties["includes"].split(","))
    # With a src folder, sources elsewhere are not compiled; sketches are in examples/NAME/NAME.ino.
    assert not [path for path in manifest.files if path.endswith((".c", ".h")) and not path.startswith("src/")]
    sketches = [Path(path) for path in manifest.files if path.endswith(".ino")]
    assert sketches
    assert all(path.parts[0] == "examples" and path.parent.name == path.stem for path in sketches)
    assert "README.md" in manifest.files


@pytest.mark.parametrize("models", MODELS)
def test_arduino_keywords(models: str, tmp_path: Path) -> None:
    manifest = written(formats()["arduino-library"], models, tmp_path)
    lines = (tmp_path / "keywords.txt").read_text().splitlines()
    keywords = [line.split("\t") for line in lines if line and not line.startswith("#")]
    assert all(len(fields) == 2 and fields[1] in ARDUINO_KEYWORDS for fields in keywords)
    headers = "".join((tmp_path / "src" / f"{model.prefix}.h").read_text() for model in manifest.models)
    known = [word for word, _ in keywords]
    assert len(set(known)) == len(known)
    if models == "two":  # the trivial model's header has no counts
        assert not [word for word in known if not re.search(rf"\b{word}\b", headers)]


@pytest.mark.parametrize("models", MODELS)
def test_platformio(models: str, tmp_path: Path) -> None:
    manifest = written(formats()["platformio"], models, tmp_path)
    content = json.loads((tmp_path / "library.json").read_text())
    Draft202012Validator(LIBRARY_JSON).validate(content)
    assert all((tmp_path / content["build"]["includeDir"] / header).is_file() for header in content["headers"])
    assert all(source.startswith(f"{content['build']['srcDir']}/") for source in manifest.sources)
    for example in content["examples"]:
        assert all((tmp_path / example["base"] / file).is_file() for file in example["files"])


@pytest.mark.parametrize("models", MODELS)
def test_zephyr(models: str, tmp_path: Path) -> None:
    manifest = written(formats()["zephyr-module"], models, tmp_path)
    module = yaml.safe_load((tmp_path / "zephyr" / "module.yml").read_text())
    Draft202012Validator(MODULE_YML).validate(module)
    assert (tmp_path / module["build"]["cmake"] / "CMakeLists.txt").is_file()
    kconfig = kconfiglib.Kconfig(str(tmp_path / module["build"]["kconfig"]))
    assert kconfig.warnings == []
    (option,) = kconfig.unique_defined_syms
    assert (option.type, option.nodes[0].help is None) == (kconfiglib.BOOL, False)
    (sample,) = (tmp_path / folder for folder in module["samples"])
    (sample,) = sample.iterdir()
    content = yaml.safe_load((sample / "sample.yaml").read_text())
    Draft202012Validator(SAMPLE_YAML).validate(content)
    assert content["common"]["min_ram"] * 1024 > manifest.arena_bytes
    assert content["common"]["min_flash"] * 1024 > sum(model.constant_bytes for model in manifest.models)
    assert f"CONFIG_{option.name}=y" in (sample / "prj.conf").read_text().splitlines()
    assert f"if(CONFIG_{option.name})" in (tmp_path / "zephyr" / "CMakeLists.txt").read_text()


@pytest.mark.parametrize("models", MODELS)
def test_esp_idf(models: str, tmp_path: Path) -> None:
    written(formats()["esp-idf-component"], models, tmp_path)
    component = yaml.safe_load((tmp_path / "idf_component.yml").read_text())
    Draft202012Validator(COMPONENT_YML).validate(component)
    for example in component["examples"]:
        main = tmp_path / example["path"] / "main"
        ((name, where),) = yaml.safe_load((main / "idf_component.yml").read_text())["dependencies"].items()
        assert re.fullmatch("[a-z0-9_]+", name)
        assert (main / where["path"]).resolve() == tmp_path.resolve()


@pytest.mark.parametrize("prefix", ["on", "null", "_1e5", "arduino_kws"])
def test_names_that_other_languages_read_otherwise(prefix: str, tmp_path: Path) -> None:
    """YAML has words of its own, and an Arduino library's name begins with a letter or digit, but not with Arduino."""
    for name in ("zephyr-module", "esp-idf-component", "arduino-library"):
        write_library(replace(trivial_tree(), prefix=prefix), tmp_path / name, formats()[name])
    name = library_name([prefix])
    assert yaml.safe_load((tmp_path / "zephyr-module/zephyr/module.yml").read_text())["name"] == name
    dependencies = tmp_path / f"esp-idf-component/examples/{name}/main/idf_component.yml"
    assert list(yaml.safe_load(dependencies.read_text())["dependencies"]) == [name]
    assert f"name={name}\n" in (tmp_path / "arduino-library/library.properties").read_text()
    assert re.match(r"(?!arduino)[a-z0-9]", name)


def test_a_model_name_with_quotes(tmp_path: Path) -> None:
    tree = replace(trivial_tree(), model_name='a "b": {c}\n')
    for name in ("zephyr-module", "esp-idf-component", "platformio"):
        write_library(tree, tmp_path / name, formats()[name])
    description = yaml.safe_load((tmp_path / "esp-idf-component/idf_component.yml").read_text())["description"]
    assert description.startswith("a ?b?? ?c?? as C by tinygen")
    assert json.loads((tmp_path / "platformio/library.json").read_text())["description"] == description
    assert kconfiglib.Kconfig(str(tmp_path / "zephyr-module/zephyr/Kconfig")).warnings == []


def test_names_are_not_too_long() -> None:
    long = ["m" * 40, "n" * 40]
    assert len(library_name(long)) == 63
    assert library_name(long) != library_name([*long, "o"])
    assert library_name(["Kws"]) == "kws"
