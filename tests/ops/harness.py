"""Compares three implementations of a model on the same inputs: LiteRT BUILTIN_REF, the numpy reference, compiled C."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.ops.oracle import litert_outputs
from tests.requirement import require
from tinygen.compile import CompileOptions, compile_graph
from tinygen.ir.graph import Graph
from tinygen.ir.interpret import interpret, reset_states
from tinygen.ir.op import Numerics
from tinygen.ir.text import to_text
from tinygen.source_tree import SourceTree
from tinygen.tflite import read_bytes

Sample = Sequence[np.ndarray]
"""An array for each input of a model."""

STRICT = (
    *("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wundef"),
    *("-Wstrict-prototypes", "-Wmissing-prototypes", "-Wcast-align", "-Wvla", "-Werror"),
)
SANITIZED = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


class Case:
    """A model and samples to run it on. `oracle` is the model to give LiteRT where it refuses an equivalent form.

    State is kept from sample to sample, but forgotten before those in `resets`.

    Not a dataclass, so that a failing test does not print the model's bytes.
    """

    def __init__(
        self,
        model: bytes,
        samples: Sequence[Sample],
        oracle: bytes | None = None,
        resets: Collection[int] = (),
    ) -> None:
        self.model = model
        self.samples = samples
        self.resets = resets
        self.oracle = model if oracle is None else oracle

    def __repr__(self) -> str:
        return f"Case({len(self.model)} bytes, {len(self.samples)} samples)"


def check(
    *cases: Case,
    numerics: Sequence[Numerics] = (Numerics.LITERT,),
    options: CompileOptions = CompileOptions(),  # noqa: B008
) -> None:
    """Asserts exact equality of all outputs.

    The reference must equal LiteRT under Numerics.LITERT, and the compiled C, under ASan and UBSan, the reference under
    each of `numerics`, generated with `options`. All cases become one C program, as starting a compiler costs more than
    a kernel: tests of many small models should pass several at a time.
    """
    graphs = [read_bytes(case.model, f"m{i}.tflite") for i, case in enumerate(cases)]
    for case, graph in zip(cases, graphs, strict=True):
        expected = litert_outputs(case.oracle, case.samples, case.resets)
        for found, outputs in zip(references(graph, case), expected, strict=True):
            _assert_equal(found, outputs, "reference and LiteRT BUILTIN_REF", graph)
    for each in numerics:
        for case, graph, results in zip(cases, graphs, run_c(graphs, cases, each, options), strict=True):
            for found, outputs in zip(results, references(graph, case, each), strict=True):
                _assert_equal(found, outputs, f"C and reference ({each.value})", graph)


def references(graph: Graph, case: Case, numerics: Numerics = Numerics.LITERT) -> Iterator[tuple[np.ndarray, ...]]:
    """What the numpy references make of each sample."""
    states = reset_states(graph)
    for number, sample in enumerate(case.samples):
        if number in case.resets:
            states = reset_states(graph)
        yield interpret(graph, sample, numerics, states)


def run_c(
    graphs: Sequence[Graph], cases: Sequence[Case], numerics: Numerics, options: CompileOptions
) -> list[list[tuple[np.ndarray, ...]]]:
    """Outputs of compiled C for each case and sample."""
    trees = [
        compile_graph(graph, replace(options, prefix=f"m{i}", numerics=numerics)) for i, graph in enumerate(graphs)
    ]
    sizes = [len(case.samples) for case in cases]
    stream = b"".join(array.tobytes() for case in cases for sample in case.samples for array in sample)
    with tempfile.TemporaryDirectory() as folder:
        program = build(trees, sizes, Path(folder), [case.resets for case in cases])
        run = subprocess.run([program], input=stream, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
    at, results = 0, []
    for tree, count in zip(trees, sizes, strict=True):
        samples = []
        for _ in range(count):
            outputs = []
            for spec in tree.outputs:
                raw = run.stdout[at : at + spec.nbytes]
                outputs.append(np.frombuffer(raw, spec.dtype).reshape(spec.shape))
                at += spec.nbytes
            samples.append(tuple(outputs))
        results.append(samples)
    assert at == len(run.stdout)
    return results


def build(
    trees: Sequence[SourceTree], counts: Sequence[int], folder: Path, resets: Sequence[Collection[int]] = ()
) -> Path:
    """A program that runs each model on its number of samples: inputs from stdin, outputs to stdout.

    `resets` has for each model the samples before which it forgets its state, or is empty. It is one
    translation unit, so that kernels shared by several models are compiled once.
    """
    require("cc")
    for tree in trees:
        for name, text in tree.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    main = folder / "main.c"
    main.write_text(_main(trees, counts, resets or [()] * len(trees)))
    program = folder / "program"
    command = ["cc", *STRICT, *SANITIZED, f"-I{folder / 'include'}", f"-I{folder / 'src'}", str(main)]
    done = subprocess.run([*command, "-o", str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def _main(trees: Sequence[SourceTree], counts: Sequence[int], resets: Sequence[Collection[int]]) -> str:
    # `arena` is the only name in a model's source that does not carry the model's prefix.
    models = (f'#include "src/{tree.prefix}.c"\n#undef arena' for tree in trees)
    lines = ["#include <stdio.h>", *models, "", "int main(void)", "{"]
    for tree, count, forget in zip(trees, counts, resets, strict=True):
        lines += [f"    if ({tree.prefix}_init() != 0) return 1;", f"    for (int i = 0; i < {count}; i++) {{"]
        lines += [f"        if (i == {number}) {tree.prefix}_reset();" for number in sorted(forget)]
        for i, spec in enumerate(tree.inputs):
            lines.append(
                f"        if (fread({tree.prefix}_input({i}), 1, {spec.nbytes}, stdin) != {spec.nbytes}) return 2;"
            )
        lines.append(f"        if ({tree.prefix}_invoke() != 0) return 3;")
        for i, spec in enumerate(tree.outputs):
            lines.append(f"        fwrite({tree.prefix}_output({i}), 1, {spec.nbytes}, stdout);")
        lines.append("    }")
    return "\n".join([*lines, "    return 0;", "}", ""])


def _assert_equal(found: Sequence[np.ndarray], expected: Sequence[np.ndarray], what: str, graph: Graph) -> None:
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), f"{what}: {a.dtype} {a.shape} and {b.dtype} {b.shape}"
        if not np.array_equal(a, b):
            at = np.unravel_index(np.flatnonzero(a != b)[0], a.shape)
            count = np.count_nonzero(a != b)
            text = f"{what} differ in {count} of {a.size} elements, first {a[at]} and {b[at]} at {at}"
            raise AssertionError(f"{text}\n{to_text(graph)}")
