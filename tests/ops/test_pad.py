"""PAD and PADV2 against LiteRT: rows, columns and channels of the zero point or of a given value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.builder import Options, TensorDef, single_op_model
from tests.ops.harness import Case, check
from tests.ops.strategies import BATCH, activations, examples, generators, samples
from tinygen.errors import TinygenError
from tinygen.tflite import read_bytes


def pad(
    source: TensorDef, paddings: np.ndarray, value: int | None = None, output_shape: tuple[int, ...] | None = None
) -> bytes:
    shape = output_shape or tuple(n + int(p.sum()) for n, p in zip(source.shape, paddings, strict=True))
    output = TensorDef(shape, "int8", source.scales, source.zero_points)
    inputs = [source, TensorDef.constant(paddings)]
    if value is None:
        return single_op_model("PAD", Options("PadOptions"), inputs, [output])
    constant = TensorDef((1,), "int8", source.scales, source.zero_points, data=np.array([value], np.int8))
    return single_op_model("PADV2", Options("PadV2Options"), [*inputs, constant], [output])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rank = draw(st.integers(1, 4))
    shape = tuple(1 if a == 0 and rank > 1 else draw(st.integers(1, 6)) for a in range(rank))
    amounts = st.sampled_from((0, 0, 1, 2, 5))
    paddings = np.array([[draw(amounts), draw(amounts)] for _ in shape], draw(st.sampled_from((np.int32, np.int64))))
    if rank > 1:
        paddings[0] = 0
    if rank == 4 and draw(st.booleans()):
        paddings[3] = 0
    model = pad(draw(activations(shape)), paddings, draw(st.none() | st.integers(-128, 127)))
    return Case(model, samples(draw(generators), shape))


@examples(4)
@given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
def test_pad(batch: list[Case]) -> None:
    check(*batch)


def test_reports_paddings() -> None:
    source = TensorDef.activation((1, 3, 3, 2))
    zero = np.zeros((4, 2), np.int32)
    batch, negative = zero.copy(), zero.copy()
    batch[0], negative[1] = 1, -1
    with pytest.raises(TinygenError, match=r"TG203.*the batch must be 1 and not padded"):
        read_bytes(pad(source, batch), "m.tflite")
    with pytest.raises(TinygenError, match=r"TG204.*paddings must not be negative"):
        read_bytes(pad(source, negative), "m.tflite")
    with pytest.raises(TinygenError, match=r"TG203.*paddings must have shape \[4x2\], found int32 \[3x2\]"):
        read_bytes(pad(source, zero[:3], output_shape=(1, 3, 3, 2)), "m.tflite")
    with pytest.raises(TinygenError, match=r"TG203.*output must have shape \[1x3x3x2\], found int8 \[1x3x3x3\]"):
        read_bytes(pad(source, zero, output_shape=(1, 3, 3, 3)), "m.tflite")
