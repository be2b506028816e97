"""`fit` is never wrong: verdicts against links for real memories, and the bound against the ELF."""

from __future__ import annotations

import sys

import pytest

from benchmarks import fit_matrix
from benchmarks.figures import COMPILERS
from benchmarks.fit_matrix import Case, cases
from tests.models.test_acceptance import found
from tests.unit.test_build import need_compiler
from tinygen.boards import load_board

BOARDS = ("rpi-pico", "nucleo-h743zi2", "mps3-an547", "hifive1-revb")
SMALL = ("digits", "zoo")
LARGE = ("vww", "mcunet_vww")
"""On boards where some fit and some do not."""


def wrong(found: list[Case]) -> list[str]:
    assert found
    return [line for case in found for line in case.wrong()]


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("model", SMALL)
def test_verdicts_agree_with_links(model: str, board: str, compiler: str) -> None:
    need_compiler(board, compiler)
    assert wrong(list(cases([found(model)], [load_board(board)], [compiler]))) == []


@pytest.mark.parametrize("model", LARGE)
def test_models_that_do_not_fit_everywhere(model: str) -> None:
    need_compiler("hifive1-revb", "zig")
    tried = list(cases([found(model)], [load_board("hifive1-revb"), load_board("stm32f4-discovery")], ["zig"]))
    assert wrong(tried) == []
    assert False in {case.links for case in tried}


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("board", ["rpi-pico", "hifive1-revb"])
def test_to_the_last_bytes(board: str, compiler: str) -> None:
    need_compiler(board, compiler)
    tried = list(cases([found("digits")], [load_board(board)], [compiler], edges=True))
    assert wrong(tried) == []
    assert [case.links for case in tried] == [True, True, False, False, False]


def test_made_up_boards() -> None:
    need_compiler("nucleo-l4r5zi", "zig")
    tried = list(cases([found("digits")], [load_board("nucleo-l4r5zi")], ["zig"], odd=8))
    assert wrong(tried) == []
    assert {case.links for case in tried} == {True, False}
    assert any(case.elf.regions for case in tried)


def test_the_matrix_goes_on_where_it_was_left(tmp_path, monkeypatch, capsys) -> None:
    need_compiler("rpi-pico", "zig")
    record = tmp_path / "record"

    def run(boards: str) -> str:
        chosen = ["--models", "digits", "--boards", boards, "--compilers", "zig", "--record", str(record)]
        monkeypatch.setattr(sys, "argv", ["fit_matrix", *chosen])
        assert fit_matrix.main() == 0
        return capsys.readouterr().out

    assert "1 verdicts, none is wrong" in run("rpi-pico")
    first = record.read_text()
    assert "2 verdicts, none is wrong" in run("rpi-pico,hifive1-revb")
    assert record.read_text().startswith(first)
    assert len(record.read_text().splitlines()) == 2
