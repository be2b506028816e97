"""Runs the commands of docs/fit.md and puts what they print below them: `python -m docs.transcripts`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from unittest import mock

from click.testing import CliRunner

from tinygen.cli import main as tinygen

PAGE = Path(__file__).with_name("fit.md")
COLUMNS = "100"


def rerun(page: str) -> str:
    """The page with what its commands print now; they run in the checkout's folder, and may fail as `fit` does."""
    return re.sub(r"```console\n\$ tinygen ([^\n]*)\n.*?```\n", lambda block: _transcript(block[1]), page, flags=re.S)


def _transcript(command: str) -> str:
    with mock.patch.dict(os.environ, {"COLUMNS": COLUMNS}):
        result = CliRunner().invoke(tinygen, command.split())
    text = "\n".join(line.rstrip() for line in result.output.strip().splitlines())
    return f"```console\n$ tinygen {command}\n{text}\n```\n"


def main() -> None:
    os.chdir(PAGE.parents[1])
    PAGE.write_text(rerun(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
