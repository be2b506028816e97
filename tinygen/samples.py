"""Inputs for a model: random ones, reproducible one by one, and those of a user's .npy or .npz file."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinygen.errors import Origin, TinygenError, error
from tinygen.ir.graph import Graph
from tinygen.ir.tensor import Array, DType, Tensor
from tinygen.source_tree import TensorSpec

Sample = tuple[Array, ...]
"""One array for each input of the model, in its order, of the input's shape and type."""


def tensor_specs(graph: Graph) -> tuple[TensorSpec, ...]:
    """A model's inputs as firmware and runners see them."""
    specs = []
    for tensor in (graph.tensors[i] for i in graph.inputs):
        quant = tensor.quant if tensor.quant is not None and tensor.quant.axis is None else None
        scale, zero_point = (None, None) if quant is None else (quant.scale, quant.zero_point)
        specs.append(TensorSpec(tensor.name, tensor.shape, tensor.dtype.value, tensor.nbytes, scale, zero_point))
    return tuple(specs)


def random_sample(graph: Graph, seed: int, index: int) -> Sample:
    """Sample number `index` of a seed, uniform over each input's range, whatever the number of samples asked for.

    Integers cover the full range of their type, floats the range of the quantizer that reads them (a float model has
    none: there they are standard normal).
    """
    rng = np.random.default_rng([seed, index])
    return tuple(_random(graph, graph.tensors[i], rng) for i in graph.inputs)


def _random(graph: Graph, tensor: Tensor, rng: np.random.Generator) -> Array:
    if tensor.dtype is DType.BOOL:
        return rng.integers(0, 2, tensor.shape).astype(np.bool_)
    if tensor.dtype is not DType.FLOAT32:
        limits = np.iinfo(tensor.dtype.value)
        return rng.integers(limits.min, limits.max, tensor.shape, dtype=tensor.dtype.numpy, endpoint=True)
    represented = float_range(graph, tensor.id)
    if represented is None:
        return rng.standard_normal(tensor.shape, dtype=np.float32)
    return rng.uniform(*represented, tensor.shape).astype(np.float32)


def float_range(graph: Graph, tensor: int) -> tuple[float, float] | None:
    """The real values that the first quantizer downstream of a float tensor can represent; None without a quantizer."""
    reached = {tensor}
    for op in graph.ops:
        if not reached.intersection(op.inputs):
            continue
        output = graph.tensors[op.outputs[0]]
        if op.kind == "QUANTIZE" and output.quant is not None:
            limits, quant = np.iinfo(output.dtype.value), output.quant
            low, high = (quant.scale * (int(q) - quant.zero_point) for q in (limits.min, limits.max))
            return low, high
        reached.update(op.outputs)
    return None


def load_samples(path: Path, specs: Sequence[TensorSpec]) -> tuple[Sample, ...]:
    """The samples in a .npy file (models with one input) or .npz file (arrays named as the inputs, or
    `input_0`..., or `inputs` where there is one).

    Each array has the input's type, and its shape (one sample) or a first dimension more (as many samples).

    Raises:
        TinygenError: TG505, with what was found and what is accepted.
    """
    arrays = _read(path, specs)
    batches = [_batch(path, array, spec) for array, spec in zip(arrays, specs, strict=True)]
    counts = sorted({len(batch) for batch in batches})
    if len(counts) != 1:
        raise _mismatch(path, f"found inputs with {' and '.join(map(str, counts))} samples, accepted: the same number")
    if counts[0] == 0:
        raise _mismatch(path, "found no samples, accepted: at least one")
    return tuple(zip(*batches, strict=True))


def _read(path: Path, specs: Sequence[TensorSpec]) -> list[Array]:
    if not path.is_file():
        raise _mismatch(path, f"found {'a folder' if path.is_dir() else 'no such file'}, accepted: a .npy or .npz file")
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            found = {"": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as problem:
        raise _mismatch(path, f"cannot be read ({problem}), accepted: a .npy or .npz file") from problem
    if len(found) == len(specs) == 1:
        return list(found.values())
    if len(found) == 1 and "" in found:
        raise _mismatch(path, f"found one array, accepted: a .npz file with {_names(specs)}")
    arrays = [next((found[n] for n in _accepted(specs, i) if n in found), None) for i in range(len(specs))]
    if any(array is None for array in arrays):
        raise _mismatch(path, f"found arrays {', '.join(sorted(found)) or '(none)'}, accepted: {_names(specs)}")
    return [array for array in arrays if array is not None]


def _batch(path: Path, array: Array, spec: TensorSpec) -> Array:
    if array.dtype != np.dtype(spec.dtype):
        hint = "" if spec.scale is None else f" (value = {spec.scale:.9g} * (q - {spec.zero_point}))"
        raise _mismatch(path, f"found {array.dtype} for input '{spec.name}', accepted: {spec.dtype}{hint}")
    if array.shape == spec.shape:
        return array[np.newaxis]
    if array.shape[1:] == spec.shape:
        return array
    if array.shape[1:] == spec.shape[1:] and spec.shape[:1] == (1,):
        return array[:, np.newaxis]
    accepted = f"{_shape(spec.shape)}, or Nx{_shape(spec.shape)} for N samples"
    raise _mismatch(path, f"found shape {_shape(array.shape)} for input '{spec.name}', accepted: {accepted}")


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "a single number"


def _names(specs: Sequence[TensorSpec]) -> str:
    return ", ".join(" or ".join(f"'{name}'" for name in _accepted(specs, i)) for i in range(len(specs)))


def _accepted(specs: Sequence[TensorSpec], position: int) -> tuple[str, ...]:
    """The names an input's array can have in a .npz file; arrays of other names, such as labels, do no harm."""
    return (specs[position].name, f"input_{position}", *(("inputs",) if len(specs) == 1 else ()))


def _mismatch(path: Path, message: str) -> TinygenError:
    return error("TG505", message, origin=Origin(path.name))
