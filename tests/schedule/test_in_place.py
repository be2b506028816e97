"""Outputs over inputs: where a kernel declares it and nobody else needs the input; the validator takes nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.passes.graphs import Builder
from tests.schedule.cases import cut_at, whole
from tests.schedule.programs import Scheduled, check
from tinygen.errors import TinygenError
from tinygen.ir.graph import Graph
from tinygen.ops.activation import Activation
from tinygen.ops.add import Add
from tinygen.ops.leaky_relu import LeakyRelu
from tinygen.ops.mul import Mul
from tinygen.ops.relu import Relu
from tinygen.ops.reshape import Reshape
from tinygen.ops.softmax import Softmax
from tinygen.plan.live import live_bytes
from tinygen.plan.validate import validate
from tinygen.schedule.storages import Rules

SHAPE = (1, 6, 4, 3)
NONE = {"activation": Activation.NONE}


def chain() -> Graph:
    """Every kind of kernel that works in place, one after the other: the model has a single storage."""
    b = Builder()
    x = last = b.tensor(SHAPE)
    last = b.op(Relu, (last,), b.tensor(SHAPE))
    last = b.conv(last, b.tensor(SHAPE), 1)
    last = b.op(LeakyRelu, (last,), b.tensor(SHAPE), alpha=0.25)
    last = b.op(Add, (last, last), b.tensor(SHAPE), **NONE)
    factor = b.constant(np.arange(-8, 4, dtype=np.int8).reshape(4, 3), b.tensors[x].quant)
    last = b.op(Mul, (factor, last), b.tensor(SHAPE), **NONE)
    view = b.op(Reshape, (last,), b.tensor((1, 24, 3)))
    return b.graph((x,), (b.op(Softmax, (view,), b.tensor((1, 24, 3), 1 / 256, -128), beta=1.0),))


def residual() -> Graph:
    """The sum goes over the branch, as the shortcut has another reader."""
    b = Builder()
    x = b.tensor(SHAPE)
    shortcut = b.op(Relu, (x,), b.tensor(SHAPE))
    branch = b.conv(shortcut, b.tensor(SHAPE), padding=(1, 1, 1, 1))
    total = b.op(Add, (shortcut, branch), b.tensor(SHAPE), **NONE)
    return b.graph((x,), (b.conv(total, b.tensor(SHAPE), padding=(1, 1, 1, 1)),))


def mobile() -> Graph:
    """Pointwise convolutions over what depthwise ones wrote, in rings with landing slots."""
    b = Builder()
    x = last = b.tensor((1, 12, 4, 3))
    for _ in range(3):
        last = b.conv(last, b.tensor((1, 12, 4, 3)), padding=(1, 1, 1, 1))
        last = b.conv(last, b.tensor((1, 12, 4, 3)), 1)
    return b.graph((x,), (b.conv(last, b.tensor((1, 10, 2, 3))),))


def layers_in_place(case: Scheduled) -> list[int]:
    return [i for i, layer in enumerate(case.program.layers) if layer.in_place]


def test_whole_models_in_one_storage() -> None:
    case = whole(chain(), in_place=True)
    assert len(case.program.storages) == 1
    assert case.plan.arena_bytes < 2 * 72
    assert len(layers_in_place(whole(chain(), in_place=True, keep_inputs=True))) == 5


def test_c_computes_what_the_interpreter_does() -> None:
    cases = [
        cut_at(graph(), ends, in_place=True, keep_inputs=kept)
        for graph, cuts in ((chain, ((6,), (2, 6), (1, 2, 3, 4, 5, 6))), (residual, ((4,), (2, 4))), (mobile, ((7,),)))
        for ends in cuts
        for kept in (False, True)
    ]
    for case in cases:
        assert layers_in_place(case)
        case.replay()
        validate(case.plan)
    check(cases)


def test_a_row_less_in_a_chain_of_rings() -> None:
    before, after = (whole(mobile(), in_place=in_place) for in_place in (False, True))
    assert layers_in_place(after) == [1, 3, 5]
    assert after.demand.landings
    at = [i for i, step in enumerate(after.schedule.steps) if step.layer in (1, 3, 5)]
    assert [step.layer for step in before.schedule.steps] == [step.layer for step in after.schedule.steps]
    row_bytes = 12
    assert {live_bytes(before.plan)[i] - live_bytes(after.plan)[i] for i in at} == {row_bytes}


def test_the_sum_of_a_residual_block_goes_over_the_branch() -> None:
    assert layers_in_place(whole(residual(), in_place=True)) == [0, 2]
    (total,) = (layer for layer in whole(residual(), in_place=True).program.layers if layer.op.kind == "ADD")
    assert total.write.storage == total.reads[1].storage


def with_another_reader(b: Builder, source: int) -> tuple[int, ...]:
    return (b.op(Relu, (b.op(Reshape, (source,), b.tensor((1, 24, 3))),), b.tensor((1, 24, 3))),)


def as_output(b: Builder, source: int) -> tuple[int, ...]:
    return (b.op(Reshape, (source,), b.tensor((1, 72))),)


@pytest.mark.parametrize("needed", [with_another_reader, as_output])
def test_not_over_what_is_still_needed(needed: Callable[[Builder, int], tuple[int, ...]]) -> None:
    b = Builder()
    x = b.tensor(SHAPE)
    value = b.conv(x, b.tensor(SHAPE), 1)
    result = b.op(Relu, (value,), b.tensor(SHAPE))
    graph = b.graph((x,), (result, *needed(b, value)))
    assert layers_in_place(whole(graph, in_place=True)) == [0]


def test_not_over_other_rows_of_itself() -> None:
    """Every row of the sum reads the same row of an operand that is its own other operand."""
    b = Builder()
    x = b.tensor((1, 4, 1, 1))
    a = b.op(Relu, (x,), b.tensor((1, 4, 1, 1)))
    view = b.op(Reshape, (a,), b.tensor((1, 1, 1, 4)))
    total = b.op(Add, (view, a), b.tensor((1, 4, 1, 4)), **NONE)
    assert layers_in_place(whole(b.graph((x,), (total,)), in_place=True)) == [0]


def test_not_outside_the_arena_or_where_it_is_pinned() -> None:
    graph = chain()
    assert layers_in_place(cut_at(graph, (6,), in_place=True, rules=Rules(io_outside=True))) == [1, 2, 3, 4]
    pinned = Rules(pins=((graph.tensors[graph.ops[1].outputs[0]].name, 0),))
    assert layers_in_place(cut_at(graph, (6,), in_place=True, rules=pinned)) == [0, 3, 4, 5]


def test_the_validator_accepts_what_kernels_declare_and_nothing_else() -> None:
    case = whole(mobile(), in_place=True)
    case.replay()
    for position in layers_in_place(case):
        layers = list(case.program.layers)
        layers[position] = replace(layers[position], kernel=replace(layers[position].kernel, in_place=()))
        refuse(replace(case, program=replace(case.program, layers=tuple(layers))))


def test_the_validator_refuses_rows_that_overlap_by_a_part() -> None:
    """The kernel may write over the row it reads and over earlier ones, but not in between."""
    case = cut_at(chain(), (1, 2, 3, 4, 5, 6))
    assert not layers_in_place(case)
    first, second = (case.demand.storages[case.program.layers[i].write.storage or 0] for i in (0, 1))
    for shift in (-12, -11, -4, -1, 0, 1, 4, 12):
        offsets = list(range(400, 400 + 100 * len(case.plan.offsets), 100))
        offsets[first], offsets[second] = 100, 100 + shift
        moved = replace(case, plan=replace(case.plan, offsets=tuple(offsets), arena_bytes=offsets[-1] + 400))
        if shift in (-12, 0):
            moved.replay()
        else:
            refuse(moved)


def refuse(case: Scheduled) -> None:
    with pytest.raises(TinygenError) as caught:
        case.replay()
    assert caught.value.code == "TG304"
