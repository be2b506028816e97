"""Commands as the tests of the command line run them."""

from tests.cli.conftest import run, run_json

__all__ = ["run", "run_json"]
