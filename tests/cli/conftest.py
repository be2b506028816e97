"""Running commands as users do, with small models of our own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from docs.json_schema import documents, schema
from tinygen.cli import main
from tinygen.paths import EXAMPLES

Run = Callable[..., Result]
RunJson = Callable[..., Any]


@pytest.fixture
def digits() -> Path:
    """The digit classifier."""
    return EXAMPLES / "digits.tflite"


@pytest.fixture
def run() -> Run:
    """Runs a command line and expects an exit code; whatever happens, no traceback is shown."""

    def invoke(*arguments: object, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(main, [str(a) for a in arguments])
        assert result.exit_code == exit_code, result.output
        assert "Traceback" not in result.output
        return result

    return invoke


@pytest.fixture
def run_json(run: Run) -> RunJson:
    """Runs a command line with --json; stdout must be one document that its schema accepts, stderr empty."""

    def invoke(command: str, *arguments: object, exit_code: int = 0, document: str | None = None) -> Any:
        result = run(command, *arguments, "--json", exit_code=exit_code)
        assert result.stderr == ""
        value = json.loads(result.stdout)
        name = document if document is not None else command
        Draft202012Validator(schema(documents()[name], name)).validate(value)
        return value

    return invoke
