"""The bench firmware as a sanitized program of this computer, its serial line standard input and output."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tinygen.build.host import build_host
from tinygen.project import Project
from tinygen.project.firmware import INCLUDE_FOLDERS

PORT = Path(__file__).with_name("fuzz_port.c")
_SOURCES = ("bench.c", "decimal.c", "inference.c", "mlperf.c", "protocol.c", "weights.c")


def build_host_bench(project: Project) -> Path:
    """Compiles the profiling build of a project's bench firmware; 4,096 bytes are left for what a host loads.

    The trivial model has no faults there: a sanitizer would find them.
    """
    common = project.path / "firmware" / "common"
    symbols = [f"__{region}_{end}=tg_test_{region}" for region in ("data", "bss") for end in ("start", "end")]
    symbols += ["__spare_start=tg_test_spare", "__spare_end=tg_test_spare_end"]
    return build_host(
        [*(common / name for name in _SOURCES), *(project.path / s for s in project.manifest.sources), PORT],
        project.path / "bench",
        includes=[project.path / include for include in INCLUDE_FOLDERS],
        defines=[f"{project.model.prefix.upper()}_PROFILE=1", "TRIVIAL_TAME=1", *symbols],
        shared=False,
        sanitize=True,
    )


def answers(bench: Path, stream: bytes, silent_milliseconds: int = 0) -> list[bytes]:
    """The lines the firmware answers a stream with, and then silence, empty ones left out; a finding fails."""
    environment = {**os.environ, "TG_SILENT_POLLS": str(silent_milliseconds)}
    done = subprocess.run([bench], input=stream, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return [line for line in done.stdout.split(b"\r\n") if line]


def fuzz(bench: Path, streams: int, seed: int = 0) -> list[bytes]:
    """What the firmware answers after so many made-up streams; a sanitizer's finding fails."""
    environment = {**os.environ, "TG_FUZZ_STREAMS": str(streams), "TG_FUZZ_SEED": str(seed)}
    done = subprocess.run([bench], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return [line for line in done.stdout.split(b"\r\n") if line]
