"""The project's own models in examples/: what is written about them is what LiteRT's reference kernels find."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite
from numpy.typing import NDArray

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FACTS = json.loads((EXAMPLES / "digits.json").read_text())

# Every operator of the first release; zoo.tflite is there so that tests meet all of them in one network.
SUPPORTED = [
    "ADD",
    "AVERAGE_POOL_2D",
    "CONCATENATION",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "DEQUANTIZE",
    "EXPAND_DIMS",
    "FULLY_CONNECTED",
    "LOGISTIC",
    "MAX_POOL_2D",
    "MEAN",
    "MUL",
    "PAD",
    "QUANTIZE",
    "RELU",
    "RELU6",
    "RESHAPE",
    "SOFTMAX",
    "SQUEEZE",
    "TRANSPOSE",
]


def operators(path: Path) -> list[str]:
    root = tflite.Model.GetRootAsModel(path.read_bytes(), 0)
    graph = root.Subgraphs(0)
    codes = (root.OperatorCodes(graph.Operators(i).OpcodeIndex()) for i in range(graph.OperatorsLength()))
    return sorted({tflite.opcode2name(code.BuiltinCode()) for code in codes})


def run_reference(path: Path, samples: NDArray[Any]) -> NDArray[Any]:
    """Returns the first output of every sample [N, *input shape], computed by LiteRT BUILTIN_REF."""
    litert = pytest.importorskip("ai_edge_litert.interpreter", reason="needs LiteRT: pip install 'tinygen[verify]'")
    interpreter = litert.Interpreter(
        str(path), experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF, num_threads=1
    )
    interpreter.allocate_tensors()
    outputs = []
    for sample in samples:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sample)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    return np.array(outputs)


def held_out() -> tuple[NDArray[np.int8], NDArray[np.uint8]]:
    with np.load(EXAMPLES / "digits_test.npz", allow_pickle=False) as data:
        return data["inputs"], data["labels"]


def test_facts_are_of_the_committed_model() -> None:
    content = (EXAMPLES / "digits.tflite").read_bytes()
    assert hashlib.sha256(content).hexdigest() == FACTS["sha256"]
    assert len(content) < 30_000
    assert operators(EXAMPLES / "digits.tflite") == FACTS["operators"]


def test_held_out_data_are_balanced_and_fit_the_model() -> None:
    inputs, labels = held_out()
    assert inputs.dtype == np.int8
    assert inputs.shape == (FACTS["samples"], 1, 8, 8, 1)
    assert labels.shape == (FACTS["samples"],)
    counts = np.bincount(labels, minlength=10)
    assert len(counts) == 10
    assert counts.min() >= FACTS["samples"] // 10 - 2


def test_int8_accuracy_is_the_recorded_one() -> None:
    inputs, labels = held_out()
    classes = np.argmax(run_reference(EXAMPLES / "digits.tflite", inputs), axis=1)
    correct = int(np.sum(classes == labels))
    assert correct == FACTS["int8_correct"]
    assert round(correct / len(labels), 4) == FACTS["int8_accuracy"]


def test_accuracy_is_worth_showing() -> None:
    assert FACTS["int8_accuracy"] >= 0.96
    assert FACTS["float_accuracy"] >= 0.96


@pytest.mark.parametrize("kind", ["float", "int8"])
def test_readme_states_the_recorded_accuracy(kind: str) -> None:
    correct, samples = FACTS[f"{kind}_correct"], FACTS["samples"]
    assert f"{correct / samples:.2%} ({correct} of {samples})" in (EXAMPLES / "README.md").read_text()


def test_zoo_has_every_supported_operator() -> None:
    assert operators(EXAMPLES / "zoo.tflite") == SUPPORTED


def test_readme_lists_every_operator() -> None:
    readme = (EXAMPLES / "README.md").read_text()
    assert [name for name in SUPPORTED if f"`{name}`" not in readme] == []


def test_zoo_output_depends_on_its_input() -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, (20, 1, 32, 32, 3)).astype(np.float32)
    outputs = run_reference(EXAMPLES / "zoo.tflite", samples)
    assert len(np.unique(outputs, axis=0)) == len(samples)
    assert np.ptp(outputs, axis=1).min() > 0.1
