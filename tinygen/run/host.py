"""The `host` runner: the same C code as a program on this machine, for outputs by the thousand; it counts nothing."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from numpy.typing import NDArray

from tinygen.build.flags import DEFAULT_OPTIMIZATION
from tinygen.build.host import build_host, find_host_compiler
from tinygen.build.libraries import find_libraries
from tinygen.errors import TinygenError, error
from tinygen.measurement import Measurement
from tinygen.project.firmware import INCLUDE_FOLDERS
from tinygen.project.model import Project
from tinygen.run import input_bytes, output_array

_MAIN = "firmware/common/host.c"

_SILENCE_SECONDS = 60
"""A model that takes longer than this on a computer is in a loop that never ends."""

_REPORT_LINES = 12


class HostRunner:
    """Runs projects on this machine."""

    name = "host"
    summary = "the same C code on this machine; compares outputs, counts nothing"
    missing = "TG401"

    def available(self) -> str | None:
        try:
            find_host_compiler()
        except TinygenError as problem:
            return problem.diagnostics[0].message
        return None

    def open(
        self,
        project: Project,
        build: Path,
        *,
        compiler: str | None = None,
        optimize: str = DEFAULT_OPTIMIZATION,
        sanitize: bool = False,
    ) -> HostSession:
        """As every runner; `compiler` selects cross compilers, so it is not used. `sanitize` means ASan and UBSan."""
        program = build_host(
            [project.path / source for source in (*project.manifest.sources, _MAIN)],
            build / f"{project.model.prefix}-host{'-sanitized' if sanitize else ''}",
            includes=[project.path / folder for folder in INCLUDE_FOLDERS],
            libraries=find_libraries(project.manifest.libraries),
            defines=project.defines,
            shared=False,
            optimize=optimize,
            sanitize=sanitize,
        )
        return HostSession(project, program)


class HostSession:
    """A running program; after a fault the next inference starts it anew."""

    def __init__(self, project: Project, executable: Path) -> None:
        self._model = project.model
        self._executable = executable
        self._process: subprocess.Popen[bytes] | None = None
        self._first = False

    def infer(self, inputs: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """The outputs of one inference."""
        data = b"".join(input_bytes(self._model.inputs, inputs))
        if self._model.state_bytes:
            data = bytes([self._first]) + data
            self._first = False
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(data)
            process.stdin.flush()
        except BrokenPipeError:
            self._raise_fault(process)
        status = self._read(process, 1)[0]
        outputs = tuple(output_array(spec, self._read(process, spec.nbytes)) for spec in self._model.outputs)
        if status != 0:
            raise error("TG501", f"the model's invoke function returned {status}, success is 0")
        return outputs

    def reset(self) -> None:
        """The next inference is the first of a sequence."""
        self._first = True

    def measure(self, inputs: Sequence[NDArray[Any]], runs: int = 1) -> Measurement:
        """TG503: a computer's time says nothing about a microcontroller's."""
        hints = ("tinygen bench MODEL --board ID --on unicorn counts instructions",)
        raise error("TG503", "the runner host compares outputs and counts nothing", hints=hints)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> subprocess.Popen[bytes]:
        # Leaks at exit are not faults of the model, and the sanitizer's search for them costs its start-up time.
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
        pipe = subprocess.PIPE
        return subprocess.Popen([self._executable], stdin=pipe, stdout=pipe, stderr=pipe, env=environment)

    def _read(self, process: subprocess.Popen[bytes], count: int) -> bytes:
        """The next `count` bytes, read from the descriptor itself so that waiting for them can end."""
        assert process.stdout is not None
        data = bytearray()
        while len(data) < count:
            ready, _, _ = select.select([process.stdout], [], [], _SILENCE_SECONDS)
            if not ready:
                self.close()
                raise error("TG502", f"the model has not ended an inference in {_SILENCE_SECONDS} s on this machine")
            part = os.read(process.stdout.fileno(), count - len(data))
            if not part:
                self._raise_fault(process)
            data += part
        return bytes(data)

    def _raise_fault(self, process: subprocess.Popen[bytes]) -> NoReturn:
        """The program has ended by itself: its last words are the report of a sanitizer, or there is only a signal."""
        self._process = None
        _, stderr = process.communicate()
        lines = [line for line in stderr.decode(errors="replace").splitlines() if line.strip(" =")]
        code = process.returncode
        ended = signal.strsignal(-code) if code < 0 else f"exit code {code}"
        raise error("TG501", "\n".join((f"the model's program ended: {ended}", *lines[:_REPORT_LINES])))


RUNNER = HostRunner()
