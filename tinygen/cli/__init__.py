"""The command line: one file per command, found by its name; files that begin with an underscore are shared."""

from __future__ import annotations

import errno
import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

from tinygen import __version__
from tinygen.cli._output import EXIT, Output, usage_document
from tinygen.errors import TinygenError

FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says when a disk is full: nobody's bug."""


class Commands(click.Group):
    """Finds each command in the module of its name and turns every way a command can end into an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"{__name__}.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def main(self, args: Sequence[str] | None = None, *_: object, **__: object) -> NoReturn:
        """Runs a command line and exits: 0 ok, 1 user's error, 2 usage, 3 fit unknown, 70 bug, 130 interrupted."""
        arguments = list(sys.argv[1:] if args is None else args)
        output = Output.to_standard_streams(json="--json" in arguments)
        try:
            code = super().main(arguments, prog_name="tinygen", standalone_mode=False, obj=output)
            sys.stdout.flush()
        except TinygenError as failure:
            output.failure(failure)
            sys.exit(EXIT.ERROR)
        except click.UsageError as failure:
            if output.json:
                output.document(usage_document(failure))
            else:
                failure.show()
            sys.exit(EXIT.USAGE)
        except click.Abort:
            output.note("interrupted")
            sys.exit(EXIT.INTERRUPTED)
        except OSError as failure:
            if failure.errno not in FULL:
                _bug(output, failure, arguments)
            output.note(f"error: {failure}")
            sys.exit(EXIT.ERROR)
        except Exception as failure:
            _bug(output, failure, arguments)
        sys.exit(code or EXIT.OK)


def _bug(output: Output, failure: Exception, arguments: Sequence[str]) -> NoReturn:
    if "--debug" in arguments or os.environ.get("TINYGEN_DEBUG"):
        traceback.print_exc()
    output.bug(failure)
    sys.exit(EXIT.BUG)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tinygen")
def main() -> None:
    """Compile a quantized TensorFlow Lite model into plain C firmware, prove that it fits a board, and measure it.

    Every command takes --json (documented in docs/json.md) and --help.
    """
