"""Random inputs and inputs from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.ops.builder import TensorDef, single_op_model
from tinygen.errors import TinygenError
from tinygen.paths import EXAMPLES
from tinygen.samples import float_range, load_samples, random_sample, tensor_specs
from tinygen.source_tree import TensorSpec
from tinygen.tflite import read_bytes, read_model

ONE = (TensorSpec("x", (1, 2, 3), "int8", 6, 0.5, 0),)
TWO = (*ONE, TensorSpec("y", (1,), "float32", 4, None, None))


def test_samples_depend_on_seed_and_number_only():
    graph = read_model(EXAMPLES / "digits.tflite")
    np.testing.assert_array_equal(random_sample(graph, 3, 5), random_sample(graph, 3, 5))
    assert (random_sample(graph, 3, 5)[0] != random_sample(graph, 3, 6)[0]).any()
    assert (random_sample(graph, 3, 5)[0] != random_sample(graph, 4, 5)[0]).any()


def test_integers_cover_their_type():
    graph = read_model(EXAMPLES / "digits.tflite")
    drawn = np.stack([random_sample(graph, 0, i)[0] for i in range(200)])
    assert (drawn.min(), drawn.max()) == (-128, 127)
    assert abs(drawn.mean() + 0.5) < 3


def test_floats_cover_what_the_quantizer_represents():
    real, quantized = TensorDef((1, 1000), "float32", name="x"), TensorDef.activation((1, 1000), 0.25, -28)
    graph = read_bytes(single_op_model("QUANTIZE", None, [real], [quantized]), "m.tflite")
    assert float_range(graph, graph.inputs[0]) == (-25.0, 38.75)
    (drawn,) = random_sample(graph, 0, 0)
    assert drawn.dtype == np.float32
    assert -25 <= drawn.min() < -24.5
    assert 38.25 < drawn.max() <= 38.75


def test_specs_describe_the_inputs():
    (spec,) = tensor_specs(read_model(EXAMPLES / "digits.tflite"))
    assert (spec.shape, spec.dtype, spec.nbytes) == ((1, 8, 8, 1), "int8", 64)
    assert spec.scale is not None


def _save(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez(folder / "x.npz", **arrays)
    return folder / "x.npz"


def test_one_sample_and_several(tmp_path):
    one = np.arange(6, dtype=np.int8).reshape(1, 2, 3)
    for array, count in ((one, 1), (np.stack([one] * 4), 4), (np.concatenate([one] * 4), 4)):
        np.save(tmp_path / "x.npy", array)
        samples = load_samples(tmp_path / "x.npy", ONE)
        assert len(samples) == count
        for (found,) in samples:
            np.testing.assert_array_equal(found, one)


def test_several_inputs_by_name_or_number(tmp_path):
    x, y = np.zeros((5, 1, 2, 3), np.int8), np.arange(5, dtype=np.float32)[:, None]
    for names in (("x", "y"), ("input_0", "input_1"), ("x", "input_1")):
        samples = load_samples(_save(tmp_path, **dict(zip(names, (x, y), strict=True))), TWO)
        assert [float(s[1][0]) for s in samples] == [0, 1, 2, 3, 4]


def test_labels_beside_the_inputs_do_no_harm(tmp_path):
    samples = load_samples(_save(tmp_path, inputs=np.ones((3, 1, 2, 3), np.int8), labels=np.zeros(3)), ONE)
    assert len(samples) == 3


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((1, 2, 3), np.uint8), "found uint8 for input 'x', accepted: int8"),
        (np.zeros((1, 2, 4), np.int8), "found shape 1x2x4 for input 'x', accepted: 1x2x3, or Nx1x2x3"),
        (np.zeros((), np.int8), "found shape a single number"),
        (np.zeros((0, 1, 2, 3), np.int8), "found no samples"),
        (np.array([{}], dtype=object), "cannot be read"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, array, message):
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    _refused(tmp_path / "x.npy", ONE, message)


def test_files_that_are_none(tmp_path):
    (tmp_path / "text.npy").write_text("1 2 3")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04broken")
    (tmp_path / "empty.npy").write_bytes(b"")
    for name in ("text.npy", "broken.npz", "empty.npy"):
        _refused(tmp_path / name, ONE, "cannot be read")
    _refused(tmp_path / "absent.npy", ONE, "no such file")
    _refused(tmp_path, ONE, "a folder")


def test_several_inputs_that_do_not_fit(tmp_path):
    x, y = np.zeros((5, 1, 2, 3), np.int8), np.zeros((4, 1), np.float32)
    _refused(_save(tmp_path, x=x, y=y), TWO, "samples, accepted: the same number")
    _refused(_save(tmp_path, x=x), TWO, "found arrays x, accepted: 'x' or 'input_0', 'y' or 'input_1'")
    _refused(_save(tmp_path, x=x, z=y), TWO, "found arrays x, z")
    np.save(tmp_path / "x.npy", x)
    _refused(tmp_path / "x.npy", TWO, "found one array")


def _refused(path: Path, specs: tuple[TensorSpec, ...], message: str) -> None:
    with pytest.raises(TinygenError) as caught:
        load_samples(path, specs)
    assert caught.value.code == "TG505"
    assert message in str(caught.value)
