"""`tinygen plan`: allocation files in and out."""

from __future__ import annotations

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
