"""`tinygen verify`: comparison with the oracle, and what it says when outputs differ."""

from __future__ import annotations

import numpy as np
import pytest

from tinygen import oracle
from tinygen.samples import random_sample
from tinygen.tflite import read_model
from tinygen.verify import Tally, compare

pytest.importorskip("ai_edge_litert")


def test_on_the_host(run, run_json, digits):
    found = run_json("verify", digits, "--samples", 20)
    assert (found["samples"], found["mismatches"], found["max_abs_diff"]) == (20, 0, 0)
    assert found["elements"] == 200
    assert found["board"] is None
    assert "BUILTIN_REF" in found["oracle"]
    assert "0 of 3 samples differ" in run("verify", digits, "--samples", 3).stdout


def test_on_an_emulated_board(run_json, digits):
    pytest.importorskip("unicorn")
    found = run_json("verify", digits, "--on", "unicorn", "--board", "rpi-pico", "--samples", 1, "--seed", 7)
    assert (found["runner"], found["board"], found["seed"]) == ("unicorn", "rpi-pico", 7)
    assert found["mismatches"] == 0


def test_inputs_from_a_file(run_json, digits, tmp_path):
    graph = read_model(digits)
    inputs = np.stack([random_sample(graph, 1, i)[0] for i in range(4)])
    np.savez(tmp_path / "x.npz", **{graph.tensors[graph.inputs[0]].name: inputs})
    found = run_json("verify", digits, "--input", tmp_path / "x.npz")
    assert (found["samples"], found["mismatches"], found["seed"]) == (4, 0, None)


def test_a_difference_is_an_error_that_says_how_large(run, run_json, digits, monkeypatch):
    right = oracle.Oracle.run
    calls = iter(range(100))

    def wrong(self, inputs):
        (output,) = right(self, inputs)
        output[0, 3] ^= 8 * (next(calls) == 1)
        return (output,)

    monkeypatch.setattr(oracle.Oracle, "run", wrong)
    found = run_json("verify", digits, "--samples", 3, exit_code=1)
    assert (found["mismatches"], found["max_abs_diff"], found["first_mismatch"]) == (1, 8, 1)
    assert found["differing_elements"] == 1
    calls = iter(range(100))
    result = run("verify", digits, "--samples", 3, exit_code=1)
    assert "error[TG504]" in result.stderr
    assert "by 8 at most" in result.stderr


def test_without_the_oracle(run, digits, monkeypatch):
    monkeypatch.setattr(oracle, "available", lambda: False)
    result = run("verify", digits, exit_code=1)
    assert "error[TG404]" in result.stderr
    assert 'pip install "tinygen[verify]"' in result.stderr


def test_unknown_runner(run, digits):
    assert "error[TG506]" in run("verify", digits, "--on", "abacus", exit_code=1).stderr


@pytest.mark.parametrize("arguments", [["--samples", "0"], ["--seed", "-1"], ["--samples", "1", "--input", "x.npy"]])
def test_usage(run, digits, arguments):
    run("verify", digits, *arguments, exit_code=2)


def test_compare_counts_elements():
    ours = np.array([[-128, 127, 3]], np.int8)
    assert compare(ours, np.array([[127, 127, 2]], np.int8)) == (2, 255)
    assert compare(ours, ours.copy()) == (0, 0)


def test_compare_floats():
    nan, inf = np.nan, np.inf
    ours = np.array([1, nan, inf, 0.5], np.float32)
    assert compare(ours, ours.copy()) == (0, 0)
    assert compare(ours, np.array([1, nan, inf, 0.75], np.float32)) == (1, 0.25)
    assert compare(ours, np.array([1, 0, inf, 0.5], np.float32)) == (1, inf)


def test_compare_refuses_other_shapes():
    with pytest.raises(ValueError, match="cannot be compared"):
        compare(np.zeros(3, np.int8), np.zeros(4, np.int8))


def test_tally_over_several_outputs():
    tally, zero, one = Tally(), np.zeros(2, np.int8), np.ones(2, np.int8)
    tally.add((zero, zero), (zero, zero))
    tally.add((zero, zero), (zero, one))
    assert (tally.samples, tally.mismatches, tally.differing, tally.elements) == (2, 1, 2, 8)
    assert tally.first_mismatch == 1


def test_numerics_tflm_has_an_oracle_of_its_own(run_json, digits):
    found = run_json("verify", digits, "--numerics", "tflm", "--samples", 5)
    assert found["mismatches"] == 0
    assert found["oracle"] == "tinygen's numpy reference, double rounding everywhere (numerics tflm)"
