"""The backend cmsis-nn: what it offers, what it falls back to, and with a real CMSIS-NN what that computes."""

from __future__ import annotations

import ctypes
import importlib
import pkgutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.graphs import WEIGHTS, Builder
from tests.requirement import library, require
from tinygen.backends import cmsis_nn, find_backend
from tinygen.backends.cmsis_nn.library import CONVOLUTION, DEPTHWISE, VERSIONS
from tinygen.backends.cmsis_nn.library import cmsis_nn as cmsis_nn_library
from tinygen.backends.cmsis_nn.scratch import Unit, Window, average_pool, convolution, depthwise, unit
from tinygen.boards import load_board
from tinygen.build.host import build_host
from tinygen.build.libraries import find_libraries
from tinygen.compile import CompileOptions, compile_graph, compile_model
from tinygen.errors import TinygenError
from tinygen.ops.activation import Activation
from tinygen.ops.depthwise_conv_2d import DepthwiseConv2D
from tinygen.ops.leaky_relu import LeakyRelu
from tinygen.project import write_project
from tinygen.source_tree import libraries_of
from tinygen.verify import verify

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits.tflite"
OPTIONS = CompileOptions(backend="cmsis-nn")

SMALL = Window((8, 8), (3, 3), (8, 8), 5, (1, 1), (1, 1), (1, 1))
POINT = Window((8, 8), (1, 1), (8, 8), 5, (1, 1), (1, 1), (0, 0))
ROW = Window((1, 40), (1, 5), (1, 40), 4, (1, 1), (1, 1), (0, 2))


@pytest.mark.parametrize(
    ("window", "core", "size"),
    [
        # Two columns of int16 taps, 45 rounded up to 48; with MVE four of int8, rounded to whole vectors.
        (SMALL, Unit.PLAIN, 2 * 2 * 48),
        (SMALL, Unit.DSP, 2 * 2 * 48),
        (SMALL, Unit.MVE, 4 * 48),
        (POINT, Unit.DSP, 0),
        (replace(POINT, strides=(2, 2)), Unit.MVE, 0),
        (ROW, Unit.DSP, 2 * 2 * 20),
        (ROW, Unit.MVE, 20 + 8),
    ],
)
def test_scratch_of_convolutions(window: Window, core: Unit, size: int) -> None:
    assert convolution(window, core) == size


@pytest.mark.parametrize(
    ("window", "channels", "core", "size"),
    [
        (SMALL, 5, Unit.DSP, 0),
        (SMALL, 5, Unit.MVE, 4 * 124 * 9),
        (replace(SMALL, kernel=(5, 3)), 5, Unit.DSP, 2 * 5 * 15),
        (replace(SMALL, kernel=(5, 3)), 5, Unit.PLAIN, 0),
        (replace(SMALL, dilations=(2, 1)), 5, Unit.MVE, 0),
        (SMALL, 10, Unit.MVE, 0),
    ],
)
def test_scratch_of_depthwise_convolutions(window: Window, channels: int, core: Unit, size: int) -> None:
    assert depthwise(window, channels, core) == size


def test_cores() -> None:
    assert [unit(frozenset(f)) for f in ((), ("dsp",), ("dsp", "mve"))] == [Unit.PLAIN, Unit.DSP, Unit.MVE]
    assert [average_pool(6, core) for core in Unit] == [0, 24, 0]


def test_every_operator_file_names_its_function_and_sources() -> None:
    found = [module.name for module in pkgutil.iter_modules(cmsis_nn.__path__)]
    for name in ("add", "average_pool_2d", "conv_2d", "depthwise_conv_2d", "fully_connected", "max_pool_2d", "softmax"):
        assert name in found
        module = importlib.import_module(f"{cmsis_nn.__name__}.{name}")
        assert callable(module.kernels)
        assert module.SOURCES


def test_an_operator_without_a_function_gets_the_portable_kernel_by_its_name() -> None:
    b = Builder()
    x = b.tensor((1, 6, 6, 2))
    y = b.conv(x, b.tensor((1, 4, 4, 3)))
    z = b.op(LeakyRelu, (y,), b.tensor((1, 4, 4, 3)), alpha=0.25)
    tree = compile_graph(b.graph((x,), (z,)), OPTIONS)
    assert [layer.kernel for layer in tree.layers] == ["tg_arm_convolve_wrapper_s8", "tg_lut_s8"]
    assert tree.numerics == "tflm"
    (needed,) = tree.libraries
    assert needed.variable == "CMSIS_NN_DIR"
    assert not any("PoolingFunctions" in pattern for pattern in needed.sources)


@pytest.mark.parametrize(
    ("filters", "features", "symbol"),
    [
        (8, ("dsp",), "tg_arm_depthwise_conv_wrapper_s8"),
        (8, (), "tg_arm_depthwise_conv_wrapper_s8"),
        (8, ("dsp", "mve"), "tg_arm_convolve_wrapper_s8"),
        (6, ("dsp",), "tg_arm_convolve_wrapper_s8"),
        (64, ("dsp",), "tg_arm_convolve_wrapper_s8"),
    ],
)
def test_filters_of_one_input_channel_take_the_cheaper_function(
    filters: int, features: tuple[str, ...], symbol: str
) -> None:
    """Copying windows costs as much for few filters as for many, and is not done by the depthwise function."""
    b = Builder()
    x = b.tensor((1, 9, 9, 1))
    weights = b.constant(np.ones((1, 3, 3, filters), np.int8), WEIGHTS)
    options = {"strides": (1, 1), "padding": (0, 0, 0, 0), "activation": Activation.NONE}
    y = b.op(DepthwiseConv2D, (x, weights), b.tensor((1, 7, 7, filters)), **options)
    tree = compile_graph(b.graph((x,), (y,)), replace(OPTIONS, features=frozenset(features)))
    assert [layer.kernel for layer in tree.layers] == [symbol]


def test_two_models_need_a_library_once_with_the_files_of_both() -> None:
    tree = compile_model(DIGITS, OPTIONS)
    one, other = (replace(tree, libraries=(cmsis_nn_library(s),)) for s in (CONVOLUTION, DEPTHWISE))
    (together,) = libraries_of((one, other, tree))
    assert set(together.sources) >= {*CONVOLUTION, *DEPTHWISE}
    changed = replace(cmsis_nn_library(CONVOLUTION), tag="v0")
    with pytest.raises(ValueError, match="differently"):
        libraries_of((one, replace(tree, libraries=(changed,))))


def test_a_project_is_written_without_the_library_and_says_where_it_comes_from(tmp_path: Path) -> None:
    project = write_project(compile_model(DIGITS, OPTIONS), load_board("stm32f746g-disco"), tmp_path / "p")
    cmake = (project.path / "CMakeLists.txt").read_text()
    assert "GIT_REPOSITORY https://github.com/ARM-software/CMSIS-NN.git GIT_TAG v7.0.0" in cmake
    assert "CMSIS_NN_DIR" in cmake
    assert VERSIONS in cmake
    assert "CMSIS-NN.git#v7.0.0" in (project.path / "platformio.ini").read_text()


def test_a_build_without_the_library_says_how_to_get_it(tmp_path: Path) -> None:
    needed = (cmsis_nn_library(CONVOLUTION),)
    with pytest.raises(TinygenError, match="CMSIS_NN_DIR does not say where") as unset:
        find_libraries(needed, {})
    assert unset.value.code == "TG421"
    assert "git clone" in unset.value.diagnostics[0].hints[0]
    with pytest.raises(TinygenError, match=r"has no Include/arm_nnfunctions\.h") as wrong:
        find_libraries(needed, {"CMSIS_NN_DIR": str(tmp_path)})
    assert wrong.value.code == "TG422"
    (tmp_path / "Include").mkdir()
    (tmp_path / "Include" / "arm_nnfunctions.h").touch()
    (found,) = find_libraries(needed, {"CMSIS_NN_DIR": str(tmp_path)})
    assert list(found.sources()) == []


def test_a_version_without_a_function_is_too_old(tmp_path: Path) -> None:
    """The digits' dense layer has a scale for each channel, which versions before 7.0.0 do not take."""
    (needed,) = compile_model(DIGITS, OPTIONS).libraries
    (tmp_path / "Include").mkdir()
    (tmp_path / "Include" / "arm_nnfunctions.h").touch()
    for pattern in needed.needed:
        file = tmp_path / pattern.replace("*", "SomeFunctions")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    find_libraries((needed,), {"CMSIS_NN_DIR": str(tmp_path)})
    (tmp_path / "Source/SomeFunctions/arm_fully_connected_per_channel_s8.c").unlink()
    with pytest.raises(
        TinygenError, match=r"without Source/\*/arm_fully_connected_per_channel_s8\.c: it is too old"
    ) as old:
        find_libraries((needed,), {"CMSIS_NN_DIR": str(tmp_path)})
    assert old.value.code == "TG422"


def test_features_that_matter_are_those_of_scratch_sizes() -> None:
    graph = Builder()
    x = graph.tensor((1, 6, 6, 2))
    y = graph.conv(x, graph.tensor((1, 4, 4, 3)))
    assert find_backend("cmsis-nn").features(graph.graph((x,), (y,))) >= {"dsp", "mve"}


_SIZES = """
#include "arm_nnfunctions.h"

int convolution(int mve, const cmsis_nn_conv_params *p, const cmsis_nn_dims *in, const cmsis_nn_dims *filter,
                const cmsis_nn_dims *out)
{
    return mve ? arm_convolve_wrapper_s8_get_buffer_size_mve(p, in, filter, out)
               : arm_convolve_wrapper_s8_get_buffer_size_dsp(p, in, filter, out);
}

int depthwise(int mve, const cmsis_nn_dw_conv_params *p, const cmsis_nn_dims *in, const cmsis_nn_dims *filter,
              const cmsis_nn_dims *out)
{
    return mve ? arm_depthwise_conv_wrapper_s8_get_buffer_size_mve(p, in, filter, out)
               : arm_depthwise_conv_wrapper_s8_get_buffer_size_dsp(p, in, filter, out);
}
"""


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The real library's functions, which know other cores' sizes on any machine."""
    library("CMSIS_NN_DIR")
    require("cc")
    folder = tmp_path_factory.mktemp("sizes")
    (folder / "sizes.c").write_text(_SIZES)
    needed = find_libraries((cmsis_nn_library(DEPTHWISE),))
    return ctypes.CDLL(str(build_host([folder / "sizes.c"], folder / "sizes.so", libraries=needed)))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    height = draw(st.sampled_from((1, 1, 2, 5, 9)))
    kernel = (draw(st.integers(1, 3)) if height > 1 else 1, draw(st.integers(1, 5)))
    strides, dilations = (draw(st.tuples(st.integers(1, 2), st.integers(1, 2))) for _ in range(2))
    width = draw(st.integers(12, 20))
    pads = draw(st.booleans())
    padding = ((kernel[0] - 1) // 2, (kernel[1] - 1) // 2) if pads else (0, 0)
    output = (-(-height // strides[0]), -(-width // strides[1]))
    return Window((height, width), kernel, output, draw(st.integers(1, 40)), strides, dilations, padding)


@given(window=windows(), channels=st.integers(2, 40))
@settings(max_examples=200, deadline=None)
def test_scratch_is_what_the_library_asks_for(sizes: ctypes.CDLL, window: Window, channels: int) -> None:
    def ints(*values: int) -> ctypes.Array[ctypes.c_int32]:
        return (ctypes.c_int32 * len(values))(*values)

    pairs = [pair[::-1] for pair in (window.strides, window.padding, window.dilations)]
    geometry = [value for pair in pairs for value in pair]
    limits = (-128, 127)
    source = ints(1, *window.input, window.channels)
    result = ints(1, *window.output, channels)
    ordinary = (ints(0, 0, *geometry, *limits), source, ints(channels, *window.kernel, window.channels), result)
    for core in (Unit.DSP, Unit.MVE):
        assert convolution(window, core) == sizes.convolution(core is Unit.MVE, *ordinary), core
        each = (ints(0, 0, 1, *geometry, *limits), source, ints(1, *window.kernel, channels), result)
        if window.channels > 1 or core is not Unit.MVE:
            assert depthwise(window, channels, core) == sizes.depthwise(core is Unit.MVE, *each), core


@pytest.mark.parametrize(("runner", "board"), [("host", None), ("unicorn", "mps2-an386"), ("unicorn", "rpi-pico")])
def test_outputs_with_the_real_library(runner: str, board: str | None) -> None:
    library("CMSIS_NN_DIR")
    require("cc", *(() if runner == "host" else ("zig", "unicorn")))
    target = None if board is None else load_board(board)
    found = verify(DIGITS, OPTIONS, board=target, runner=runner, samples=5)
    assert found.mismatches == 0
