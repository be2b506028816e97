"""A plugin for pytest: tests with a `device` run on the board or emulator that `--tinygen-on` names.

Nothing else of tinygen is imported until a test asks for the device, so that other tests pay nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tinygen.device import Device

_OPTIONS = {
    "on": ("RUNNER", "Where tests with a `device` run: unicorn, qemu, serial:/dev/ttyACM0 ...; without it they skip."),
    "project": ("DIR", "The project of tinygen whose model is the `device`."),
    "model": ("PREFIX", "Which of the project's models; the first by default."),
    "compiler": ("zig|gcc", "What builds its firmware; by default zig where it is installed."),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Each option is also a setting: `tinygen_project` in pytest's section of pyproject.toml."""
    group = parser.getgroup("tinygen", "tests on boards and emulators")
    for name, (metavar, text) in _OPTIONS.items():
        group.addoption(f"--tinygen-{name}", metavar=metavar, help=text)
        parser.addini(f"tinygen_{name}", f"As --tinygen-{name}.", default="")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Says where tests run, when they do."""
    runner = _option(config, "on")
    return None if runner is None else f"tinygen: {_option(config, 'project')} on {runner}"


@pytest.fixture(scope="session")
def tinygen_device(request: pytest.FixtureRequest) -> Iterator[Device]:
    """The device of all tests: its firmware is built and started once."""
    config = request.config
    runner, project = _option(config, "on"), _option(config, "project")
    if runner is None:
        pytest.skip("runs on a device: pytest --tinygen-on RUNNER --tinygen-project DIR")
    if project is None:
        raise pytest.UsageError("--tinygen-on needs --tinygen-project DIR, a folder that tinygen generate wrote")
    from tinygen.device import open_device
    from tinygen.errors import TinygenError

    folder = config.rootpath / project if config.getoption("--tinygen-project") is None else Path(project)
    opened = open_device(folder, runner, prefix=_option(config, "model"), compiler=_option(config, "compiler"))
    with ExitStack() as stack:
        try:
            device = stack.enter_context(opened)
        except TinygenError as problem:
            pytest.fail(str(problem), pytrace=False)
        yield device


@pytest.fixture
def device(tinygen_device: Device) -> Device:
    """The model on the board or emulator, with nothing loaded and no state: tinygen.device.Device."""
    tinygen_device.clear()
    tinygen_device.reset()
    return tinygen_device


def _option(config: pytest.Config, name: str) -> Any:
    """What the command line says, else the settings, else None."""
    return config.getoption(f"--tinygen-{name}") or config.getini(f"tinygen_{name}") or None
