"""Bytes of scratch memory that CMSIS-NN's functions ask for on a core, as its arm_*_get_buffer_size functions count.

They are those of version 7 for GNU and LLVM compilers; generated code asks the library itself in its init function,
which fails when the version linked needs more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MVE_CHANNELS = 124
"""CH_IN_BLOCK_MVE: channels that depthwise convolution treats at once with MVE."""


class Unit(Enum):
    """What a core has for CMSIS-NN: the vector extension, the DSP instructions, or neither."""

    MVE = "mve"
    DSP = "dsp"
    PLAIN = "plain"


def unit(features: frozenset[str]) -> Unit:
    """What a core with these features has."""
    return Unit.MVE if "mve" in features else Unit.DSP if "dsp" in features else Unit.PLAIN


@dataclass(frozen=True)
class Window:
    """The geometry that sizes depend on; pairs are (height, width)."""

    input: tuple[int, int]
    kernel: tuple[int, int]
    output: tuple[int, int]
    channels: int
    """Of the input."""
    strides: tuple[int, int]
    dilations: tuple[int, int]
    padding: tuple[int, int]
    """Top and left."""

    @property
    def pointwise(self) -> bool:
        return self.padding == (0, 0) and self.kernel == (1, 1) and self.dilations == (1, 1)

    @property
    def one_row(self) -> bool:
        """The case that CMSIS-NN calls 1xN."""
        return (
            (self.input[0], self.kernel[0], self.dilations[1]) == (1, 1, 1)
            and self.strides[1] * self.channels % 4 == 0
            and not self.pointwise
        )


def convolution(window: Window, core: Unit) -> int:
    """As arm_convolve_wrapper_s8_get_buffer_size."""
    if window.pointwise:
        return 0
    if window.one_row and core is Unit.MVE:
        return _one_row(window)
    return _columns(window, core)


def depthwise(window: Window, channels: int, core: Unit) -> int:
    """As arm_depthwise_conv_wrapper_s8_get_buffer_size with `channels` of output; with MVE for several of input."""
    height, width = window.kernel
    if window.channels != channels or window.dilations != (1, 1):
        return 0
    if core is Unit.MVE:
        return 4 * MVE_CHANNELS * width * height
    if (height, width) == (3, 3) and max(window.padding) <= 1:
        return 0
    return 2 * channels * width * height if core is Unit.DSP else 0


def average_pool(channels: int, core: Unit) -> int:
    """As arm_avgpool_s8_get_buffer_size."""
    return 4 * channels if core is Unit.DSP else 0


def _columns(window: Window, core: Unit) -> int:
    taps = window.kernel[0] * window.kernel[1] * window.channels
    return 4 * (taps + -taps % 16) if core is Unit.MVE else 4 * (taps + -taps % 4)


def _one_row(window: Window) -> int:
    left, right, inner = edges(window)
    if left + right + inner != window.output[1]:
        return _columns(window, Unit.MVE)
    taps, pad = window.kernel[1] * window.channels, window.padding[1] * window.channels
    odd = total_padding(window) % 2
    return max(taps + pad, taps - window.channels + (right * window.channels if odd else pad))


def total_padding(window: Window) -> int:
    """Columns that the windows of a row reach beyond it, negative when they leave some out."""
    return (window.output[1] - 1) * window.strides[1] + window.kernel[1] - window.input[1]


def edges(window: Window) -> tuple[int, int, int]:
    """Output columns that 1xN treats as padded on the left, on the right, and not."""
    # C's remainder takes the sign of the dividend.
    total, stride, left_pad = total_padding(window), window.strides[1], window.padding[1]
    odd = abs(total) % 2 * (1 if total >= 0 else -1)
    right = max(1, (left_pad + odd + stride - 1) // stride) if left_pad + odd != 0 else 0
    left = max(1, (left_pad + stride - 1) // stride) if left_pad else 0
    return left, right, max(window.output[1] - (right + left), 0)
