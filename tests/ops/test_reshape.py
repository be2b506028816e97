"""RESHAPE, SQUEEZE and EXPAND_DIMS between two operators: the bytes stay where they are."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ops.builder import OpDef, Options, TensorDef, model, single_op_model
from tests.ops.harness import Case, check
from tinygen.errors import TinygenError
from tinygen.tflite import read_bytes

ACTIVATION = TensorDef.activation
INT32 = np.int32

FORMS = (
    ("RESHAPE", (1, 4, 6, 2), (1, 48), np.array([1, 48], INT32), Options("ReshapeOptions", {"NewShape": [1, 48]})),
    ("RESHAPE", (1, 48), (1, 4, 6, 2), np.array([-1, 4, 6, 2], INT32), None),
    ("RESHAPE", (1, 48), (1, 6, 8), None, Options("ReshapeOptions", {"NewShape": [1, 6, 8]})),
    ("SQUEEZE", (1, 4, 1, 2), (4, 2), None, Options("SqueezeOptions")),
    ("SQUEEZE", (1, 4, 1, 2), (1, 4, 2), None, Options("SqueezeOptions", {"SqueezeDims": [2]})),
    ("EXPAND_DIMS", (1, 4, 2), (1, 1, 4, 2), np.array(1, INT32), None),
    ("EXPAND_DIMS", (1, 4), (1, 4, 1), np.array(-1, INT32), None),
)


@pytest.mark.parametrize("last", [False, True])
def test_equals_litert(last: bool) -> None:
    """Between two RELUs, and as the last operator of the model."""
    check(*(_case(*form, last) for form in FORMS))


@pytest.mark.parametrize(
    ("kind", "source", "result", "argument", "text"),
    [
        ("RESHAPE", (1, 6), (1, 5), None, r"as many elements as int8 \[1x6\]"),
        ("RESHAPE", (1, 6), (2, 3), np.array([3, 2], INT32), r"the shape asked for, \[3x2\], found int8 \[2x3\]"),
        ("RESHAPE", (1, 6), (2, 3), np.array([2, 3, 1], INT32), r"the shape asked for, \[2x3x1\]"),
        ("SQUEEZE", (1, 6), (2, 3), None, "up to dimensions of size 1"),
        ("EXPAND_DIMS", (1, 6), (2, 3), np.array(0, INT32), "up to dimensions of size 1"),
    ],
)
def test_what_is_refused(
    kind: str, source: tuple[int, ...], result: tuple[int, ...], argument: np.ndarray | None, text: str
) -> None:
    inputs = [ACTIVATION(source), *([] if argument is None else [TensorDef.constant(argument)])]
    with pytest.raises(TinygenError, match=text) as caught:
        read_bytes(single_op_model(kind, None, inputs, [ACTIVATION(result)]), "m.tflite")
    assert caught.value.code == "TG203"


def _case(
    kind: str,
    source: tuple[int, ...],
    result: tuple[int, ...],
    argument: np.ndarray | None,
    options: Options | None,
    last: bool,
) -> Case:
    tensors = [ACTIVATION(source), ACTIVATION(source), ACTIVATION(result), ACTIVATION(result)]
    arguments = () if argument is None else (4,)
    tensors += [] if argument is None else [TensorDef.constant(argument)]
    ops = [OpDef("RELU", (0,), (1,)), OpDef(kind, (1, *arguments), (2,), options), OpDef("RELU6", (2,), (3,))]
    output = 2 if last else 3
    data = np.arange(np.prod(source), dtype=np.int32) * 5 - 100
    return Case(model(tensors, ops[:output], (0,), (output,)), [[data.astype(np.int8).reshape(source)]])
