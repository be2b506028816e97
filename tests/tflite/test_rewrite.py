"""Metadata added to model files: read back by the schema's own accessors, everything else as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tflite

from tests.ops.oracle import litert_outputs
from tinygen.paths import EXAMPLES
from tinygen.tflite import read_bytes
from tinygen.tflite.rewrite import tensor_count, with_metadata

MODELS = sorted(EXAMPLES.glob("*.tflite"))
SHARED = Path(__file__).resolve().parents[3] / "shared" / "models"
NAME, CONTENT = "OfflineMemoryAllocation", bytes(range(20))


def _metadata(data: bytes) -> dict[str, bytes]:
    model = tflite.Model.GetRootAs(data, 0)
    found = {}
    for i in range(model.MetadataLength()):
        entry = model.Metadata(i)
        buffer = model.Buffers(entry.Buffer())
        found[entry.Name().decode()] = bytes(buffer.Data(j) for j in range(buffer.DataLength()))
    return found


@pytest.mark.parametrize("path", [*MODELS, *sorted(SHARED.glob("*.tflite"))], ids=lambda p: p.stem)
def test_the_model_is_the_same_but_for_the_new_entry(path: Path) -> None:
    old = path.read_bytes()
    new = with_metadata(old, NAME, CONTENT)
    assert new.endswith(old)
    assert new[4:8] == b"TFL3"
    assert _metadata(new) == {**_metadata(old), NAME: CONTENT}
    before, after = (tflite.Model.GetRootAs(data, 0) for data in (old, new))
    assert after.Version() == before.Version()
    assert after.Description() == before.Description()
    assert after.BuffersLength() == before.BuffersLength() + 1
    assert after.OperatorCodesLength() == before.OperatorCodesLength()
    assert after.SignatureDefsLength() == before.SignatureDefsLength()
    assert tensor_count(new) == tensor_count(old) == before.Subgraphs(0).TensorsLength()
    for i in range(before.BuffersLength()):
        assert np.array_equal(after.Buffers(i).DataAsNumpy(), before.Buffers(i).DataAsNumpy())


def _starts(data: bytes) -> list[int]:
    model = tflite.Model.GetRootAs(data, 0)
    buffers = (model.Buffers(i) for i in range(model.BuffersLength()))
    return [b._tab.Vector(b._tab.Offset(4)) if b.DataLength() else 0 for b in buffers]


def test_buffers_stay_aligned() -> None:
    old = MODELS[0].read_bytes()
    *moved, new = _starts(with_metadata(old, NAME, CONTENT))
    assert new % 16 == 0
    assert [at % 16 for at in moved] == [at % 16 for at in _starts(old)]


def test_an_entry_of_that_name_is_replaced() -> None:
    once = with_metadata(MODELS[0].read_bytes(), NAME, b"old!")
    assert _metadata(with_metadata(once, NAME, CONTENT))[NAME] == CONTENT


def test_the_result_reads_and_computes_the_same() -> None:
    pytest.importorskip("ai_edge_litert")
    path = EXAMPLES / "digits.tflite"
    old = path.read_bytes()
    new = with_metadata(old, NAME, CONTENT)
    graph = read_bytes(new, path.name)
    generator = np.random.default_rng(0)
    shape = graph.tensors[graph.inputs[0]].shape
    samples = [(generator.integers(-128, 128, shape).astype(np.int8),) for _ in range(3)]
    for ours, theirs in zip(litert_outputs(new, samples), litert_outputs(old, samples), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
