"""The reader: what it makes of a well-formed file, and the error that each way to be wrong ends in."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite

from tests.tflite import tables as t
from tests.tflite.tables import Fields, dense_model, write
from tinygen.errors import TinygenError
from tinygen.ir.graph import Graph
from tinygen.ir.op import REGISTRY
from tinygen.ir.opaque import Opaque
from tinygen.ir.tensor import DType, Quantization
from tinygen.tflite import read_bytes, read_model

MODELS = Path(__file__).resolve().parents[3] / "shared" / "models"


def graph_of(model: Fields) -> Graph:
    return read_bytes(write(model), "dense.tflite")


def refused(data: bytes) -> TinygenError:
    with pytest.raises(TinygenError) as caught:
        read_bytes(data, "dense.tflite")
    return caught.value


def tensors(model: Fields) -> list[Fields]:
    return model[t.SUBGRAPHS][0][t.TENSORS]


def operators(model: Fields) -> list[Fields]:
    return model[t.SUBGRAPHS][0][t.OPERATORS]


def test_reads_tensors_constants_and_quantization() -> None:
    graph = graph_of(dense_model())
    assert (graph.name, graph.inputs, graph.outputs, graph.warnings) == ("dense", (0,), (3,), ())
    source, weights, bias, output = (graph.tensors[i] for i in range(4))
    assert (source.name, source.shape, source.dtype, source.data) == ("in", (1, 4), DType.INT8, None)
    assert source.quant == Quantization((0.5,), (3,), None)
    assert weights.quant == Quantization((float(np.float32(0.1)), float(np.float32(0.2))), (0, 0), 0)
    assert weights.data is not None
    assert weights.data.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert not weights.data.flags.writeable
    assert bias.data is not None
    assert bias.data.tolist() == [7, -7]
    assert bias.data.dtype == np.int32
    assert output.data is None
    assert [op.kind for op in graph.ops] == ["FULLY_CONNECTED"]
    assert str(graph.ops[0].origin) == "dense.tflite: op #0 FULLY_CONNECTED"


def test_an_absent_options_table_has_the_defaults() -> None:
    model = dense_model()
    del operators(model)[0][t.OPTIONS], operators(model)[0][t.OPTIONS_TYPE]
    assert graph_of(model).ops == graph_of(dense_model()).ops


def test_options_are_read() -> None:
    model = dense_model()
    operators(model)[0][t.OPTIONS] = {0: np.int8(tflite.ActivationFunctionType.RELU6)}
    (op,) = graph_of(model).ops
    assert getattr(op, "activation").name == "RELU6"  # noqa: B009  (a field of a subclass)


def test_an_absent_input_is_minus_one() -> None:
    model = dense_model()
    operators(model)[0][t.OP_INPUTS] = np.array([0, 1, -1], np.int32)
    assert graph_of(model).ops[0].inputs == (0, 1, -1)


def test_a_dynamic_batch_of_one_is_accepted() -> None:
    model = dense_model()
    tensors(model)[0][t.SIGNATURE] = np.array([-1, 4], np.int32)
    assert graph_of(model).tensors[0].shape == (1, 4)


def test_a_bool_constant_holds_bools() -> None:
    """The bias becomes a bool of 8 bytes; the operator refuses bool, but only where the bytes are bools."""
    model = dense_model()
    tensors(model)[2] |= {t.TYPE: type_code("BOOL"), t.SHAPE: ints(8)}
    model[t.BUFFERS][2] = {0: np.array([0, 1] * 4, np.uint8)}
    assert refused(write(model)).code == "TG202"
    model[t.BUFFERS][2] = {0: np.array([0, 2] * 4, np.uint8)}
    problem = refused(write(model))
    assert problem.code == "TG102"
    assert "bytes other than 0 and 1" in problem.diagnostics[0].message


def test_unused_tensors_do_no_harm() -> None:
    model = dense_model()
    tensors(model).append(t.tensor((0, -1), "dead", 1, "COMPLEX64"))
    graph = graph_of(model)
    assert sorted(graph.tensors) == [0, 1, 2, 3]


@pytest.mark.parametrize(("index", "axis"), [(0, 7), (3, -1), (2, 3)])
def test_a_harmless_quantized_dimension_is_a_warning(index: int, axis: int) -> None:
    model = dense_model()
    tensors(model)[index][t.QUANTIZATION][t.AXIS] = np.int32(axis)
    graph = graph_of(model)
    assert [w.code for w in graph.warnings] == ["TG109"]
    assert f"quantized dimension {axis}" in graph.warnings[0].message
    assert graph.tensors[index].quant == graph_of(dense_model()).tensors[index].quant


def test_the_name_is_made_printable() -> None:
    model = dense_model()
    tensors(model)[0][t.NAME] = "a\x1b[31m\n*/"
    assert graph_of(model).tensors[0].name == "a?[31m?*/"


def change_tensor(index: int, slot: int, value: Any) -> Callable[[Fields], None]:
    return lambda model: tensors(model)[index].__setitem__(slot, value)


def change_quantization(slot: int, value: Any, index: int = 0) -> Callable[[Fields], None]:
    return lambda model: tensors(model)[index][t.QUANTIZATION].__setitem__(slot, value)


def change_operator(slot: int, value: Any) -> Callable[[Fields], None]:
    return lambda model: operators(model)[0].__setitem__(slot, value)


def change_subgraph(slot: int, value: Any) -> Callable[[Fields], None]:
    return lambda model: model[t.SUBGRAPHS][0].__setitem__(slot, value)


def change_model(slot: int, value: Any) -> Callable[[Fields], None]:
    return lambda model: model.__setitem__(slot, value)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def type_code(name: str) -> np.int8:
    return np.int8(getattr(tflite.TensorType, name))


def swap_order(model: Fields) -> None:
    """Two operators, the first of which reads what the second computes."""
    second = dict(operators(model)[0])
    tensors(model).append(t.tensor((1, 4), "late", scales=[0.5], zero_points=[3]))
    operators(model)[0][t.OP_INPUTS] = ints(4, 1, 2)
    second[t.OP_OUTPUTS] = ints(4)
    operators(model).append(second)


def write_twice(model: Fields) -> None:
    operators(model).append(dict(operators(model)[0]))


def make_cycle(model: Fields) -> None:
    operators(model)[0][t.OP_INPUTS] = ints(3, 1, 2)


WRONG: dict[str, tuple[Callable[[Fields], None], str, str]] = {
    "version": (change_model(t.VERSION, np.uint32(2)), "TG105", "schema version 2"),
    "no subgraph": (change_model(t.SUBGRAPHS, []), "TG105", "0 subgraphs"),
    "two subgraphs": (lambda m: m[t.SUBGRAPHS].append({}), "TG105", "2 subgraphs"),
    "no outputs": (change_subgraph(t.OUTPUTS, ints()), "TG107", "no outputs"),
    "input index": (change_subgraph(t.INPUTS, ints(4)), "TG104", "input 4 of 4 tensors"),
    "output index": (change_subgraph(t.OUTPUTS, ints(-1)), "TG104", "output -1"),
    "input twice": (change_subgraph(t.INPUTS, ints(0, 0)), "TG107", "same input twice"),
    "output twice": (change_subgraph(t.OUTPUTS, ints(3, 3)), "TG107", "same output twice"),
    "constant input": (change_subgraph(t.INPUTS, ints(0, 1)), "TG107", "is a constant"),
    "constant output": (change_subgraph(t.OUTPUTS, ints(1)), "TG107", "is a constant"),
    "operator input index": (change_operator(t.OP_INPUTS, ints(0, 1, 99)), "TG104", "input tensor 99 of 4"),
    "operator input negative": (change_operator(t.OP_INPUTS, ints(0, 1, -2)), "TG104", "input tensor -2"),
    "operator output index": (change_operator(t.OP_OUTPUTS, ints(4)), "TG104", "output tensor 4"),
    "operator output absent": (change_operator(t.OP_OUTPUTS, ints(-1)), "TG104", "output tensor -1"),
    "operator code": (change_operator(t.OPCODE_INDEX, np.uint32(1)), "TG104", "operator code 1 of 1"),
    "options of another": (
        change_operator(t.OPTIONS_TYPE, np.uint8(tflite.BuiltinOptions.Conv2DOptions)),
        "TG102",
        "options are Conv2DOptions, but FULLY_CONNECTED takes FullyConnectedOptions",
    ),
    "enumerator": (change_operator(t.OPTIONS, {0: np.int8(99)}), "TG102", "is 99, which is none of NONE, RELU"),
    "buffer index": (change_tensor(0, t.BUFFER, np.uint32(3)), "TG104", "buffer 3 of 3"),
    "constant too short": (change_tensor(1, t.SHAPE, ints(2, 5)), "TG103", "takes 10 bytes, but buffer 1 holds 8"),
    "constant too long": (change_tensor(1, t.SHAPE, ints(2, 3)), "TG103", "takes 6 bytes, but buffer 1 holds 8"),
    "negative dimension": (change_tensor(0, t.SHAPE, ints(1, -4)), "TG103", "negative dimension"),
    "dynamic": (change_tensor(0, t.SHAPE, ints(1, -1)), "TG105", "dynamic shape"),
    "dynamic width": (change_tensor(0, t.SIGNATURE, ints(1, -1)), "TG105", "dynamic shape"),
    "dynamic large batch": (change_tensor(1, t.SIGNATURE, ints(-1, 4)), "TG105", "dynamic shape"),
    "signature rank": (change_tensor(0, t.SIGNATURE, ints(1, 4, 1)), "TG105", "dynamic shape"),
    "zero size": (change_tensor(0, t.SHAPE, ints(1, 0)), "TG105", "no elements"),
    "too many dimensions": (change_tensor(0, t.SHAPE, ints(*[1] * 9)), "TG106", "9 dimensions"),
    "absurd size": (change_tensor(0, t.SHAPE, ints(*[2**31 - 1] * 8)), "TG106", "bytes; at most"),
    "sparse": (change_tensor(1, t.SPARSITY, {}), "TG105", "sparse"),
    "variable output": (
        change_tensor(3, t.IS_VARIABLE, np.uint8(1)),
        "TG111",
        "the graph's output 3 is a variable tensor; accepted: the state of an operator",
    ),
    "variable input": (change_tensor(0, t.IS_VARIABLE, np.uint8(1)), "TG111", "the graph's input 0 is a variable"),
    "variable constant": (
        change_tensor(1, t.IS_VARIABLE, np.uint8(1)),
        "TG111",
        "a variable tensor has values in the file",
    ),
    "external tensor": (change_tensor(1, t.EXTERNAL_BUFFER, np.uint32(1)), "TG105", "outside the flatbuffer"),
    "external buffer": (
        lambda m: m[t.BUFFERS][1].update({1: np.uint64(4096), 2: np.uint64(8)}),
        "TG105",
        "outside the flatbuffer",
    ),
    "custom operator": (
        change_model(t.OPERATOR_CODES, [{0: np.int8(tflite.BuiltinOperator.CUSTOM), 1: "MyOp"}]),
        "TG105",
        "operator CUSTOM MyOp is not supported",
    ),
    "unknown operator": (
        change_model(t.OPERATOR_CODES, [{0: np.int8(127), 3: np.int32(12345)}]),
        "TG201",
        "operator number 12345 is not supported",
    ),
    "string": (change_tensor(0, t.TYPE, type_code("STRING")), "TG105", "element type STRING"),
    "complex": (change_tensor(0, t.TYPE, type_code("COMPLEX64")), "TG105", "element type COMPLEX64"),
    "unknown type": (change_tensor(0, t.TYPE, np.int8(-7)), "TG105", "element type number -7"),
    "scale zero": (change_quantization(t.SCALE, np.float32([0.0])), "TG108", "scale 0.0"),
    "scale negative": (change_quantization(t.SCALE, np.float32([-1.0])), "TG108", "scale -1.0"),
    "scale nan": (change_quantization(t.SCALE, np.float32([np.nan])), "TG108", "scale nan"),
    "scale infinite": (change_quantization(t.SCALE, np.float32([np.inf])), "TG108", "scale inf"),
    "zero point": (change_quantization(t.ZERO_POINT, np.int64([128])), "TG108", "zero point 128 of int8"),
    "zero points missing": (change_quantization(t.ZERO_POINT, np.int64([])), "TG108", "1 scales but 0 zero points"),
    "zero points count": (change_quantization(t.ZERO_POINT, np.int64([0, 0])), "TG108", "1 scales but 2 zero"),
    "channel count": (change_quantization(t.AXIS, np.int32(1), 1), "TG108", "2 scales along dimension 1"),
    "channel axis": (change_quantization(t.AXIS, np.int32(2), 1), "TG108", "2 scales along dimension 2"),
    "custom quantization": (change_quantization(t.DETAILS_TYPE, np.uint8(1)), "TG105", "custom quantization"),
    "order": (swap_order, "TG107", "read before it is computed"),
    "cycle": (make_cycle, "TG107", "read before it is computed"),
    "written twice": (write_twice, "TG107", "written twice"),
    "writes a constant": (change_operator(t.OP_OUTPUTS, ints(1)), "TG107", "is an input or a constant"),
    "never computed": (change_subgraph(t.INPUTS, ints()), "TG107", "read but never computed"),
    "output never computed": (lambda m: operators(m).clear(), "TG107", "an output of the graph but never computed"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case: str) -> None:
    change, code, message = WRONG[case]
    model = dense_model()
    change(model)
    problem = refused(write(model))
    assert problem.code == code
    assert message in problem.diagnostics[0].message
    assert all(d.origin is not None and d.origin.file == "dense.tflite" for d in problem.diagnostics)


def test_a_tensor_is_named_with_the_operator_that_has_it() -> None:
    model = dense_model()
    tensors(model)[1][t.SPARSITY] = {}
    assert str(refused(write(model)).diagnostics[0].origin) == ("dense.tflite: op #0 FULLY_CONNECTED, tensor 'weights'")


def test_everything_unsupported_is_reported_at_once() -> None:
    model = dense_model()
    model[t.OPERATOR_CODES] += [{0: np.int8(tflite.BuiltinOperator.RNN)}, {0: np.int8(tflite.BuiltinOperator.LSTM)}]
    for code in (1, 2, 1):
        index = len(tensors(model))
        tensors(model).append(t.tensor((1, 2), f"t{index}", scales=[1.0], zero_points=[0]))
        operators(model).append({t.OPCODE_INDEX: np.uint32(code), t.OP_INPUTS: ints(3), t.OP_OUTPUTS: ints(index)})
    tensors(model)[5][t.SPARSITY] = {}
    tensors(model)[3][t.SHAPE] = ints(1, 3)
    problem = refused(write(model))
    assert [d.code for d in problem.diagnostics] == ["TG105", "TG201", "TG201", "TG203"]
    assert problem.diagnostics[1].message == "operator RNN is not supported (2 times: #1, #3)"
    assert problem.diagnostics[2].message == "operator LSTM is not supported"
    elsewhere = "or use --backend tflm, which has more operators"
    assert problem.diagnostics[2].hints == (f"accepted: {', '.join(sorted(REGISTRY))}", elsewhere)


@pytest.mark.parametrize(
    ("data", "found"), [(b"", "an empty file"), (b"PK\x03\x04" + bytes(60), "a zip archive"), (bytes(64), "something")]
)
def test_other_files_are_no_models(data: bytes, found: str) -> None:
    problem = refused(data)
    assert problem.code == "TG101"
    assert found in problem.diagnostics[0].message


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path, found in (
        (tmp_path, "is a folder"),
        (tmp_path / "none.tflite", "does not exist"),
        ("x" * 5000, "cannot read|not exist"),
    ):
        with pytest.raises(TinygenError, match=found) as caught:
            read_model(path)
        assert caught.value.code == "TG110"


def test_many_references_to_one_table_do_not_multiply_the_work() -> None:
    """8,000 inputs that are all one tensor with 5000 scales: 40 million scales from a file of 100 kB."""
    model = dense_model()
    shared = tensors(model)[0]
    shared[t.QUANTIZATION] = t.quantization([0.5] * 5000, [0] * 5000)
    shared[t.SHAPE] = ints(1, 5000)
    shared[t.QUANTIZATION][t.AXIS] = np.int32(1)
    model[t.SUBGRAPHS][0] |= {t.TENSORS: t.Repeated(shared, 8_000), t.INPUTS: np.arange(8_000, dtype=np.int32)}
    data = write(model)
    tracemalloc.start()
    problem = refused(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problem.code == "TG106"
    assert "too many times" in problem.diagnostics[0].message
    assert peak < 64 * len(data)


def test_many_tensors_of_one_buffer_do_not_multiply_the_work() -> None:
    """8,000 bool tensors of one buffer of 100,000 bytes, each of which would be looked through again."""
    model = dense_model()
    shared = t.tensor((100_000,), "bools", 1, "BOOL")
    model[t.BUFFERS][1] = {0: np.ones(100_000, np.uint8)}
    model[t.SUBGRAPHS][0] |= {t.TENSORS: t.Repeated(shared, 8_000), t.INPUTS: np.arange(8_000, dtype=np.int32)}
    assert "too many times" in refused(write(model)).diagnostics[0].message


def test_many_operators_on_one_constant_do_not_multiply_the_work() -> None:
    """2,000 operators on weights of 100,000 bytes, which each of them would check."""
    model = dense_model()
    tensors(model)[1][t.SHAPE] = ints(2, 50_000)
    model[t.BUFFERS][1] = {0: np.ones(100_000, np.uint8)}
    model[t.SUBGRAPHS][0][t.OPERATORS] = t.Repeated(operators(model)[0], 2_000)
    assert "operators read 200016000 bytes of constants" in refused(write(model)).diagnostics[0].message


def test_vectors_of_very_many_tables_are_refused() -> None:
    model = dense_model()
    model[t.SUBGRAPHS][0][t.TENSORS] = t.Repeated(tensors(model)[0], (1 << 13) + 1)
    assert "8193 tensors; at most 8192" in refused(write(model)).diagnostics[0].message


@pytest.mark.skipif(not MODELS.is_dir(), reason="../shared/models is not there")
@pytest.mark.parametrize(
    ("name", "ops", "warnings"),
    [
        ("ad", 10, 0),
        ("hello_world_int8", 3, 0),
        ("ic", 16, 0),
        ("kws", 13, 0),
        ("vww", 31, 0),
        ("micro_speech", 4, 0),
        ("person_detect", 31, 1),
        ("mcunet_vww", 63, 0),
    ],
)
def test_reads_the_models_of_the_field(name: str, ops: int, warnings: int) -> None:
    graph = read_model(MODELS / f"{name}.tflite")
    assert (len(graph.ops), len(graph.warnings)) == (ops, warnings)
    graph.verify()


def test_backends_that_hand_the_file_on_take_operators_by_name() -> None:
    model = dense_model()
    operators(model)[0][t.OPTIONS] = {0: np.int8(5)}
    data = write(model)
    refused(data)
    graph = read_bytes(data, "dense.tflite", opaque=True)
    assert isinstance(graph.ops[0], Opaque)
    assert graph.ops[0].kind == "FULLY_CONNECTED"
    assert graph.content == data


def test_operators_that_are_supported_stay_what_they_are() -> None:
    data = write(dense_model())
    known, taken = read_bytes(data, "dense.tflite"), read_bytes(data, "dense.tflite", opaque=True)
    assert taken.ops == known.ops
