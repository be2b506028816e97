"""`tinygen plan`: models drawn, allocation files in and out."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tinygen.boards import load_board
from tinygen.cli import plan
from tinygen.compile import CompileOptions, compile_model
from tinygen.source_tree import SourceTree

SVG = "{http://www.w3.org/2000/svg}"
FOUR = "id,lower,upper,size\na,0,3,4\nb,3,9,4\nc,0,9,4\nd,9,21,4\n"


def test_plans_a_file(run, run_json, tmp_path):
    (tmp_path / "in.csv").write_text(FOUR)
    found = run_json("plan", tmp_path / "in.csv", "--capacity", 12, "-o", tmp_path / "out.csv")
    assert (found["buffers"], found["arena_bytes"], found["proof"]) == (4, 8, "optimal")
    header, *rows = (tmp_path / "out.csv").read_text().split()
    assert header == "id,lower,upper,size,offset"
    assert [int(row.split(",")[4]) for row in rows] == found["offsets"]
    assert "4 buffers in 8 bytes (optimal)" in run("plan", tmp_path / "in.csv").stdout


def test_capacity_that_is_too_small(run, tmp_path):
    (tmp_path / "in.csv").write_text(FOUR)
    result = run("plan", tmp_path / "in.csv", "--capacity", 7, "-o", tmp_path / "out.csv", exit_code=1)
    assert "error[TG305]" in result.stderr
    assert not (tmp_path / "out.csv").exists()


def test_files_that_are_none(run, tmp_path):
    (tmp_path / "in.csv").write_text("id,lower,upper\n")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    for name in ("in.csv", "bytes.csv", "absent.csv", "."):
        assert "error[TG306]" in run("plan", tmp_path / name, exit_code=1).stderr


def test_output_that_cannot_be_written(run, tmp_path):
    (tmp_path / "in.csv").write_text(FOUR)
    assert "error[TG403]" in run("plan", tmp_path / "in.csv", "-o", tmp_path, exit_code=1).stderr


def test_capacity_is_a_positive_number(run, tmp_path):
    run("plan", tmp_path / "in.csv", "--capacity", 0, exit_code=2)


def test_shows_a_model(run, run_json, digits):
    text = run("plan", digits).stdout
    head, second, searched, _, peak, *rest = text.splitlines()
    assert searched.startswith("searched: all" if run_json("plan", digits)["schedule_exact"] else "searched: some")
    arena, most = (int(re.search(r"(?:arena|peak) ([\d,]+)", line)[1].replace(",", "")) for line in (head, peak))
    layered = int(re.search(r"layer by layer ([\d,]+)", second)[1].replace(",", ""))
    assert 0 < most <= arena < layered
    assert rest[0].startswith(f"{arena:>9,} |")
    assert any(re.match(r" +0 \+-+$", line) for line in rest)
    assert any("layers  |" in line and "interleaved" in line for line in rest)
    assert re.search(r"^A  input +input +64 ", text, re.M)


def test_a_models_buffers_as_a_document(run_json, digits):
    found = run_json("plan", digits, "--optimize", "ram")
    assert found["layered_bytes"] > found["arena_bytes"] >= found["lower_bound_bytes"]
    assert len(found["placed"]) == len(found["offsets"]) == found["buffers"]
    assert [b["offset"] for b in found["placed"]] == found["offsets"]
    assert max(b["offset"] + b["bytes"] for b in found["placed"]) <= found["arena_bytes"]
    assert {b["kind"] for b in found["placed"]} >= {"input", "output", "activation"}


def test_a_board_means_its_kernels(run, digits, monkeypatch):
    features = []

    def compile_and_note(model: Path, options: CompileOptions) -> SourceTree:
        features.append(options.features)
        return compile_model(model, options)

    monkeypatch.setattr(plan, "compile_model", compile_and_note)
    for board in ((), ("--board", "mps2-an386")):
        run("plan", digits, *board)
    assert features == [frozenset(), frozenset(load_board("mps2-an386").features)]


def test_draws_a_model_beside_layer_by_layer(run, digits, tmp_path):
    assert "memory map: " in run("plan", digits, "--svg", tmp_path / "map.svg").stdout
    spans = ElementTree.parse(tmp_path / "map.svg").getroot().iter(f"{SVG}tspan")
    heads = [span.text.partition(":")[0] for span in spans if span.get("class") == "head"]
    assert heads == ["layer by layer", "as scheduled", "digits"]


def test_draws_an_allocation_file(run, tmp_path):
    (tmp_path / "in.csv").write_text(FOUR)
    run("plan", tmp_path / "in.csv", "--svg", tmp_path / "map.svg")
    paths = ElementTree.parse(tmp_path / "map.svg").getroot().iter(f"{SVG}path")
    assert sum(path.get("class") == "buffer" for path in paths) == 4
    assert "error[TG403]" in run("plan", tmp_path / "in.csv", "--svg", tmp_path, exit_code=1).stderr


@pytest.mark.parametrize("option", [("--capacity", 9), ("-o", "x.csv")])
def test_options_of_allocation_files_are_not_for_models(run, digits, option):
    assert "is for allocation files" in run("plan", digits, *option, exit_code=2).stderr


@pytest.mark.parametrize(
    "option", [("--optimize", "ram"), ("--keep-inputs",), ("--io-outside",), ("--board", "rpi-pico")]
)
def test_options_of_models_are_not_for_allocation_files(run, tmp_path, option):
    (tmp_path / "in.csv").write_text(FOUR)
    assert "is for models" in run("plan", tmp_path / "in.csv", *option, exit_code=2).stderr


def test_inputs_and_outputs_outside_are_not_in_the_map(run_json, digits, run):
    kinds = {b["kind"] for b in run_json("plan", digits, "--io-outside")["placed"]}
    assert not kinds & {"input", "output"}
    assert "layers  |" in run("plan", digits, "--io-outside").stdout


def test_a_library_that_plans_by_itself_is_compared(run, run_json, digits):
    found = run_json("plan", digits, "--backend", "tflm", "--optimize", "ram")
    assert found["arena_bytes"] < found["layered_bytes"] <= found["library_arena_bytes"]
    assert "tflite-micro's own plan" in run("plan", digits, "--backend", "tflm").stdout
    assert run_json("plan", digits)["library_arena_bytes"] is None
