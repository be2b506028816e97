"""Compiles schedules of many graphs into one sanitized host program, and checks what each inference gives.

The models are profiling builds: their hooks write down which layer's piece ran when.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.ops.harness import SANITIZED, STRICT
from tests.passes.graphs import random_inputs
from tinygen.backends.c import KERNELS
from tinygen.backends.emission import emit
from tinygen.ir.graph import Graph
from tinygen.ir.interpret import interpret
from tinygen.ir.op import Numerics
from tinygen.ir.tensor import Array
from tinygen.ir.text import to_text
from tinygen.plan.model import Plan
from tinygen.schedule.buffers import Demand
from tinygen.schedule.program import Program
from tinygen.schedule.replay import replay
from tinygen.schedule.steps import Schedule
from tinygen.source_tree import SourceTree


@dataclass(frozen=True, eq=False)
class Scheduled:
    """A graph with the schedule and the plan that its C is made of."""

    graph: Graph
    what: str
    program: Program
    schedule: Schedule
    demand: Demand
    plan: Plan
    keep_inputs: bool

    def tree(self, prefix: str) -> SourceTree:
        return emit(
            self.program,
            self.schedule,
            self.demand,
            self.plan,
            prefix=prefix,
            backend="c",
            numerics="litert",
            options=self.what,
            keep_inputs=self.keep_inputs,
            shared_arena=False,
            kernels=(KERNELS,),
        )

    def replay(self) -> None:
        """Raises TinygenError unless all that is read is there."""
        replay(self.program, self.schedule, self.demand, self.plan, keep_inputs=self.keep_inputs)

    def indices(self) -> list[int]:
        """The operator indices of the pieces an inference runs, in order."""
        found: list[int] = []
        for segment in self.schedule.segments:
            steps = segment.steps if segment.interleaved else segment.steps[:1]
            found += [self.program.layers[step.layer].op.origin.op_index or 0 for step in steps]
        return found

    def __repr__(self) -> str:
        cuts = [segment.end for segment in self.schedule.segments]
        return f"{self.what}, cuts {cuts}, keep_inputs={self.keep_inputs}\n{to_text(self.graph)}"


def check(cases: Sequence[Scheduled]) -> None:
    """Asserts that the C of each case computes what the interpreter does, also the second time, in the planned order.

    Inputs are loaded before each inference; where they are kept, a last inference runs without that.
    """
    trees = [case.tree(f"m{i}") for i, case in enumerate(cases)]
    samples = [_samples(case.graph) for case in cases]
    stream = b"".join(array.tobytes() for rounds in samples for sample in rounds for array in sample)
    with tempfile.TemporaryDirectory() as folder:
        program = _build(cases, trees, Path(folder))
        run = subprocess.run([program], input=stream, capture_output=True, check=False)
    assert run.returncode == 0, f"{run.returncode}: {run.stderr.decode()}"
    reader = _Reader(run.stdout)
    for case, tree, rounds in zip(cases, trees, samples, strict=True):
        for number, sample in enumerate([*rounds, *rounds[-1:] * case.keep_inputs], 1):
            expected = interpret(case.graph, sample, Numerics.LITERT)
            for spec, wanted in zip(tree.outputs, expected, strict=True):
                found = reader.array(spec.nbytes, spec.dtype).reshape(spec.shape)
                assert np.array_equal(found, wanted), f"'{spec.name}' differs in inference {number}: {case!r}"
        count = int(reader.array(4, "int32")[0])
        assert reader.array(4 * count, "int32").tolist() == case.indices(), f"layers run in another order: {case!r}"
    assert reader.at == len(run.stdout)


def _samples(graph: Graph) -> list[list[Array]]:
    """Two samples, and the first once more."""
    first, second = (random_inputs(graph, seed) for seed in (0, 1))
    return [first, second, first]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def array(self, size: int, dtype: str) -> np.ndarray:
        self.at += size
        return np.frombuffer(self.data[self.at - size : self.at], dtype)


def _build(cases: Sequence[Scheduled], trees: Sequence[SourceTree], folder: Path) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no host C compiler (cc)")
    for tree in trees:
        for name, text in tree.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    main = folder / "main.c"
    main.write_text("\n".join(_main(cases, trees)))
    program = folder / "program"
    command = [compiler, *STRICT, *SANITIZED, f"-I{folder / 'include'}", f"-I{folder / 'src'}", str(main)]
    done = subprocess.run([*command, "-o", str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def _main(cases: Sequence[Scheduled], trees: Sequence[SourceTree]) -> Iterator[str]:
    yield "#include <stdio.h>\n#include <stdint.h>\nstatic int32_t order[1 << 16], ran;"
    for tree in trees:
        name = tree.prefix
        yield f'#define {name.upper()}_PROFILE\n#include "src/{name}.c"\n#undef arena\n#undef LAYER\n#undef RUN'
        yield f"void {name}_layer_begin(int32_t index) {{ order[ran] = index; }}"
        yield f"void {name}_layer_end(int32_t index) {{ if (order[ran++] != index) {{ ran = -1; }} }}"
    yield "int main(void)\n{"
    for case, tree in zip(cases, trees, strict=True):
        name = tree.prefix
        yield f"    if ({name}_init() != 0) return 1;"
        yield f"    for (int i = 0; i < {4 if case.keep_inputs else 3}; i++) {{"
        for i, spec in enumerate(tree.inputs):
            size = spec.nbytes
            yield f"        if (i < 3 && fread({name}_input({i}), 1, {size}, stdin) != {size}) return 2;"
        yield f"        ran = 0;\n        if ({name}_invoke() != 0) return 3;"
        yield from (f"        fwrite({name}_output({i}), 1, {s.nbytes}, stdout);" for i, s in enumerate(tree.outputs))
        yield "    }\n    fwrite(&ran, 4, 1, stdout);\n    fwrite(order, 4, (size_t)ran, stdout);"
    yield "    return 0;\n}\n"
