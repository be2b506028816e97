"""As which MLPerf Tiny benchmark a model answers the official runner, and what the runner sends and wants then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinygen.errors import error
from tinygen.source_tree import SourceTree, TensorSpec

NONE = "none"
"""On the command line: answers by its prefix, and takes and gives the model's own elements."""


@dataclass(frozen=True)
class Benchmark:
    """One of MLPerf Tiny's: elements of its input and output, what the runner sends for an element, what it wants."""

    id: str
    input_elements: int
    output_elements: int
    sends: str
    """`raw` (as the model has them), `uint8` (images, 128 above int8) or `float32`."""
    wants: str
    """`outputs`, or `error`: the mean squared difference between output and input."""


BENCHMARKS = (
    Benchmark("kws01", 490, 12, "raw", "outputs"),
    Benchmark("vww01", 96 * 96 * 3, 2, "uint8", "outputs"),
    Benchmark("ic01", 32 * 32 * 3, 10, "uint8", "outputs"),
    Benchmark("ad01", 640, 640, "float32", "error"),
    Benchmark("sww01", 1200, 3, "raw", "outputs"),
)


@dataclass(frozen=True)
class MlperfAnswer:
    """What the firmware says it is, how it takes inputs (`sends` of a Benchmark) and what its results are."""

    id: str
    sends: str
    wants: str


def mlperf_answers(trees: Sequence[SourceTree], wanted: Sequence[str] = ()) -> tuple[MlperfAnswer, ...]:
    """As what each model answers: what was asked for, else what its input and output look like.

    `wanted` is empty or has a benchmark's id or NONE for each model. TG316 when a model is not that benchmark's.
    """
    chosen: Sequence[str | None] = wanted or [None] * len(trees)
    return tuple(_answer(tree, name) for tree, name in zip(trees, chosen, strict=True))


def _answer(tree: SourceTree, wanted: str | None) -> MlperfAnswer:
    if wanted is None:
        benchmark = next((b for b in BENCHMARKS if _mismatch(tree, b) is None), None)
    else:
        benchmark = next((b for b in BENCHMARKS if b.id == wanted), None)
    if benchmark is None:
        return MlperfAnswer(tree.prefix, "raw", "outputs")
    reason = _mismatch(tree, benchmark)
    if reason is not None:
        hint = f"--mlperf {NONE} answers as {tree.prefix}, with the model's own elements"
        raise error("TG316", f"{tree.model_name} is not {benchmark.id}: {reason}", hints=(hint,))
    raw = tree.inputs[0].dtype == benchmark.sends
    return MlperfAnswer(benchmark.id, "raw" if raw else benchmark.sends, benchmark.wants)


def _mismatch(tree: SourceTree, benchmark: Benchmark) -> str | None:
    """Why a model is not a benchmark's, None when it is."""
    if (len(tree.inputs), len(tree.outputs)) != (1, 1):
        return f"found {len(tree.inputs)} inputs and {len(tree.outputs)} outputs, accepted: one of each"
    for name, spec, elements in (
        ("input", tree.inputs[0], benchmark.input_elements),
        ("output", tree.outputs[0], benchmark.output_elements),
    ):
        found = _elements(spec)
        if found != elements:
            return f"found {found:,} elements of {name}, accepted: {elements:,}"
    accepted = {"raw": ("int8",), "uint8": ("int8", "uint8"), "float32": ("int8", "uint8", "int16", "float32")}
    dtype = tree.inputs[0].dtype
    if dtype not in accepted[benchmark.sends]:
        return f"found {dtype} input, accepted: {' or '.join(accepted[benchmark.sends])}"
    return None


def _elements(spec: TensorSpec) -> int:
    count = 1
    for size in spec.shape:
        count *= size
    return count
