"""Every way a command can end, and what is printed where."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tinygen import __version__
from tinygen.cli import _output, inspect, main
from tinygen.compile import CompileOptions
from tinygen.errors import Diagnostic, Origin, TinygenError


def test_help_names_every_command(run):
    commands = {p.stem for p in Path(inspect.__file__).parent.glob("[a-z]*.py")}
    shown = run("--help").stdout
    assert {"boards", "build", "doctor", "fit", "generate", "inspect"} <= commands
    for name in commands:
        assert f"\n  {name} " in shown
        assert "--json" in run(name, "--help").stdout


def test_version(run):
    assert __version__ in run("--version").stdout


@pytest.mark.parametrize("arguments", [["nonsense"], ["inspect"], ["boards", "--nonsense"], ["boards", "extra"]])
def test_wrong_command_line_is_usage(run, arguments):
    result = run(*arguments, exit_code=2)
    assert result.stdout == ""
    assert "Usage:" in result.stderr


def test_wrong_command_line_as_json(run_json):
    (item,) = run_json("inspect", exit_code=2, document="errors")["errors"]
    assert item["code"] == "usage"
    assert "MODEL" in item["message"]


def test_user_errors_are_diagnostics_on_stderr(run, tmp_path):
    result = run("inspect", tmp_path / "absent.tflite", exit_code=1)
    assert result.stdout == ""
    assert result.stderr.startswith("error[TG110]: ")
    assert "\n  --> absent.tflite\n" in result.stderr


def test_user_errors_as_json(run_json, tmp_path):
    (item,) = run_json("inspect", tmp_path, exit_code=1, document="errors")["errors"]
    assert item["code"] == "TG110"
    assert item["origin"]["file"] == tmp_path.name


def test_all_diagnostics_are_shown(run_json, digits, monkeypatch):
    found = [Diagnostic("TG201", f"no {n}", Origin("m", n, "CUSTOM", "t"), ("a", "b")) for n in range(3)]

    def fail(path: Path, chosen: CompileOptions) -> None:
        raise TinygenError(*found)

    monkeypatch.setattr(inspect, "read_for", fail)
    items = run_json("inspect", digits, exit_code=1, document="errors")["errors"]
    assert [item["message"] for item in items] == ["no 0", "no 1", "no 2"]
    assert items[2]["origin"] == {"file": "m", "op_index": 2, "op_kind": "CUSTOM", "tensor": "t"}
    assert items[0]["hints"] == ["a", "b"]


def _break(monkeypatch, failure: BaseException) -> None:
    def fail(path: Path, chosen: CompileOptions) -> None:
        raise failure

    monkeypatch.setattr(inspect, "read_for", fail)


def test_bugs_are_short_and_say_how_to_report(run, digits, monkeypatch):
    monkeypatch.delenv("TINYGEN_DEBUG", raising=False)
    _break(monkeypatch, RuntimeError("the impossible"))
    result = run("inspect", digits, exit_code=70)
    assert result.stdout == ""
    assert "internal error: RuntimeError: the impossible" in result.stderr
    assert "--debug" in result.stderr
    assert __version__ in result.stderr


@pytest.mark.parametrize(("arguments", "variable"), [(["--debug"], ""), ([], "1")])
def test_bugs_have_a_traceback_on_request(digits, monkeypatch, arguments, variable):
    monkeypatch.setenv("TINYGEN_DEBUG", variable)
    _break(monkeypatch, RuntimeError("the impossible"))
    result = CliRunner().invoke(main, ["inspect", str(digits), *arguments])
    assert result.exit_code == 70
    assert "Traceback" in result.stderr


def test_bugs_as_json(run_json, digits, monkeypatch):
    monkeypatch.delenv("TINYGEN_DEBUG", raising=False)
    _break(monkeypatch, RuntimeError("the impossible"))
    (item,) = run_json("inspect", digits, exit_code=70, document="errors")["errors"]
    assert item["code"] == "internal"


def test_a_full_disk_is_no_bug(run, digits, monkeypatch):
    _break(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    assert "error: [Errno 28] No space left on device" in run("inspect", digits, exit_code=1).stderr


def test_other_system_errors_are_bugs(run, digits, monkeypatch):
    monkeypatch.delenv("TINYGEN_DEBUG", raising=False)
    _break(monkeypatch, OSError(errno.EBADF, "Bad file descriptor"))
    assert "internal error: OSError" in run("inspect", digits, exit_code=70).stderr


def test_interruption(run, digits, monkeypatch):
    _break(monkeypatch, KeyboardInterrupt())
    assert "interrupted" in run("inspect", digits, exit_code=130).stderr


def test_names_from_a_model_cannot_drive_the_terminal():
    assert _output.printable("a\x1b[31mb\x07\u202ec\n") == "a\\x1b[31mb\\x07\\u202ec\n"


def test_piped_tables_are_plain_and_whole(run):
    lines = run("boards").stdout.splitlines()
    assert all(line == line.rstrip() for line in lines)
    assert lines[0].startswith("board ")
    assert "\x1b" not in "".join(lines)
    column = lines[0].index("core")
    assert all(line[column - 1] == " " for line in lines)


def test_a_document_is_one_line_of_json_per_key(run):
    text = run("boards", "--json").stdout
    assert text == json.dumps(json.loads(text), indent=2) + "\n"
