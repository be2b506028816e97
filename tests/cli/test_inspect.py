"""`tinygen inspect`."""

from __future__ import annotations

import hashlib


def test_text(run, digits):
    shown = run("inspect", digits).stdout
    assert "digits" in shown
    assert "CONV_2D" in shown
    assert "multiply-adds" in shown


def test_document(run_json, digits):
    found = run_json("inspect", digits)
    assert found["sha256"] == hashlib.sha256(digits.read_bytes()).hexdigest()
    assert found["inputs"][0]["shape"] == [1, 8, 8, 1]
    assert found["inputs"][0]["dtype"] == "int8"
    assert [o["index"] for o in found["operators"]] == list(range(len(found["operators"])))
    assert found["macs"] == sum(o["macs"] for o in found["operators"]) > 0
    assert 0 < found["constant_bytes"] <= digits.stat().st_size


def test_kernels_of_a_backend(run, run_json, digits):
    def kernels(*arguments):
        return {o["op"]: o["kernel"] for o in run_json("inspect", digits, *arguments)["operators"]}

    assert set(kernels().values()) == {None}
    theirs = kernels("--backend", "cmsis-nn", "--board", "mps2-an386")
    assert theirs["CONV_2D"] == "tg_arm_convolve_wrapper_s8"
    assert theirs["RESHAPE"] is None
    assert kernels("--backend", "c")["CONV_2D"].startswith("tg_conv_2d")
    assert kernels("--backend", "tflm")["RESHAPE"] == "kernels/reshape.cc"
    assert kernels("--backend", "tflm-cmsis-nn")["CONV_2D"] == "kernels/cmsis_nn/conv.cc"
    assert "tg_arm_convolve_wrapper_s8" in run("inspect", digits, "--backend", "cmsis-nn").stdout
    assert "--board needs --backend" in run("inspect", digits, "--board", "mps2-an386", exit_code=2).stderr


def test_dump_ir_writes_the_graph_after_every_pass(run, digits, tmp_path):
    run("inspect", digits, "--dump-ir", tmp_path / "ir")
    files = sorted((tmp_path / "ir").iterdir())
    assert len(files) > 3
    assert all(f.read_text().startswith("graph digits") for f in files)


def test_a_file_that_is_no_model(run, tmp_path):
    (tmp_path / "x.tflite").write_bytes(b"hello, world")
    assert "error[TG101]" in run("inspect", tmp_path / "x.tflite", exit_code=1).stderr


def test_a_damaged_model(run, tmp_path, digits):
    (tmp_path / "x.tflite").write_bytes(digits.read_bytes()[:5000])
    assert "error[TG1" in run("inspect", tmp_path / "x.tflite", exit_code=1).stderr
