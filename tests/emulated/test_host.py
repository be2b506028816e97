"""The host runner: outputs, and what is said of a program that dies."""

from __future__ import annotations

import numpy as np
import pytest

from tests.emulated.trivial_model import Fault, trivial_inputs, trivial_output, trivial_tree
from tests.requirement import require
from tinygen.boards import load_board
from tinygen.errors import TinygenError
from tinygen.project import Project, write_project
from tinygen.run import find_runner, runners
from tinygen.run.host import RUNNER


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    require("cc")
    return write_project(trivial_tree(), load_board("mps2-an386"), tmp_path_factory.mktemp("host"))


@pytest.mark.parametrize("sanitize", [False, True])
def test_outputs(project: Project, sanitize: bool) -> None:
    inputs = trivial_inputs()
    with RUNNER.open(project, project.path / "build", sanitize=sanitize) as session:
        for _ in range(3):
            np.testing.assert_array_equal(session.infer(inputs)[0], trivial_output(*inputs))


def test_a_crash_is_reported_and_survived(project: Project) -> None:
    with RUNNER.open(project, project.path / "build") as session:
        with pytest.raises(TinygenError, match="the model's program ended: Segmentation fault") as caught:
            session.infer(trivial_inputs(Fault.CALL_NULL))
        assert caught.value.code == "TG501"
        np.testing.assert_array_equal(session.infer(trivial_inputs())[0], trivial_output(*trivial_inputs()))
        with pytest.raises(TinygenError, match="invoke function returned 3"):
            session.infer(trivial_inputs(Fault.STATUS))


def test_a_sanitizer_report_names_the_function(project: Project) -> None:
    with RUNNER.open(project, project.path / "build", sanitize=True) as session:
        with pytest.raises(TinygenError, match=r"(?s)AddressSanitizer.*misbehave") as caught:
            session.infer(trivial_inputs(Fault.WRITE_FLASH))
        assert caught.value.code == "TG501"


def test_it_counts_nothing(project: Project) -> None:
    with RUNNER.open(project, project.path / "build") as session, pytest.raises(TinygenError) as caught:
        session.measure(trivial_inputs())
    assert caught.value.code == "TG503"


def test_runners_are_found_by_file() -> None:
    assert {"host", "unicorn"} <= set(runners())
    with pytest.raises(TinygenError, match="found 'simulator', accepted: host, ") as caught:
        find_runner("simulator")
    assert caught.value.code == "TG506"
