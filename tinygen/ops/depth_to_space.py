"""DEPTH_TO_SPACE and SPACE_TO_DEPTH of [1, H, W, C]: the channels of a pixel as a block of pixels, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Self

import numpy as np

from tinygen.errors import Diagnostic, Origin
from tinygen.ir.call import TOGETHER, Call, Field, Kernel, Pitches
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op, Options, register
from tinygen.ir.rows import Rows, Window
from tinygen.ir.tensor import Array, Tensor
from tinygen.ops.check import Check
from tinygen.ops.slicing import check_source


@dataclass(frozen=True, kw_only=True)
class _Blocks(Op):
    """Bytes are copied: as in LiteRT, scales and zero points play no role."""

    block: int
    """Rows and columns of a block."""
    symbol: ClassVar[str]

    @classmethod
    def parse(cls, inputs: tuple[int, ...], outputs: tuple[int, ...], origin: Origin, options: Options) -> Self:
        return cls(inputs=inputs, outputs=outputs, origin=origin, block=options.integer("block_size"))

    def verify(self, graph: Graph) -> Iterator[Diagnostic]:
        check = Check(self, graph)
        if not check.arity(1):
            return iter(check.found)
        source, output = check_source(check, graph, 0, self.outputs), check.output()
        if source is None or output is None or not check.positive("block size", (self.block,)):
            return iter(check.found)
        ranks = check.rank(source, "input", 4) and check.rank(output, "output", 4)
        if ranks and check.batch(source, "input") and check.batch(output, "output"):
            deep, wide = self.sides(source, output)
            _, height, width, channels = wide.shape
            spread = (1, height // self.block, width // self.block, channels * self.block**2)
            if deep.shape != spread or height % self.block or width % self.block:
                message = f"blocks of {self.block}x{self.block} pixels must be the channels of a pixel"
                check.report("TG203", f"{message}, found {source.describe()} and {output.describe()}", output)
        return iter(check.found)

    def sides(self, source: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
        """The one whose pixels are blocks of the other, and the other."""
        raise NotImplementedError

    def kernels(self, graph: Graph, numerics: Numerics) -> tuple[Kernel, ...]:
        """Both numerics are the same here."""
        return (self._kernel(graph),)

    def _kernel(self, graph: Graph, pitches: Pitches = TOGETHER) -> Kernel:
        source, output = self.input(graph, 0), self.output(graph)
        size = source.dtype.itemsize
        deep, wide = self.sides(source, output)
        run = wide.shape[3] * size
        fields = (
            Field("block", self.block, "rows and columns"),
            Field("columns", deep.shape[2], "blocks side by side"),
            Field("bytes", run, "of a pixel in a block"),
            Field("input_pitch", pitches.of_input(0, source.shape[3] * size), "bytes from one input pixel to the next"),
            Field("output_pitch", pitches.of_output(output.shape[3] * size), "bytes from one output pixel to the next"),
        )
        args, params = ("y", "rows", "out"), "tg_blocks_x8_params"
        pixels = wide.shape[1] * wide.shape[2]
        return Kernel(
            name=f"{self.symbol}_x8",
            instructions=30 * output.shape[1] + pixels * (22 + run // 2),
            flash_bytes=0,
            scratch_bytes=0,
            call=lambda: Call(f"tg_{self.symbol}_x8", "blocks_x8.h", fields, args, params=params),
            apart=partial(self._kernel, graph),
        )


@register("DEPTH_TO_SPACE")
@dataclass(frozen=True, kw_only=True)
class DepthToSpace(_Blocks):
    """Several rows of the output in turn show the same row of the input."""

    kind: ClassVar[str] = "DEPTH_TO_SPACE"
    symbol: ClassVar[str] = "depth_to_space"

    def sides(self, source: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
        return source, output

    def rows(self, graph: Graph) -> Rows:
        return Rows(steps=self.output(graph).shape[1], inputs=((0, Window(repeat=self.block)),))

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        if (x := inputs[0]) is None:
            raise ValueError("reference needs a verified operator")
        _, height, width, _ = x.shape
        blocks = x.reshape(height, width, self.block, self.block, -1).transpose(0, 2, 1, 3, 4)
        return (np.ascontiguousarray(blocks).reshape(self.output(graph).shape),)


@register("SPACE_TO_DEPTH")
@dataclass(frozen=True, kw_only=True)
class SpaceToDepth(_Blocks):
    """A row of the output shows as many rows of the input as a block has."""

    kind: ClassVar[str] = "SPACE_TO_DEPTH"
    symbol: ClassVar[str] = "space_to_depth"

    def sides(self, source: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
        return output, source

    def rows(self, graph: Graph) -> Rows:
        return Rows(steps=self.output(graph).shape[1], inputs=((0, Window(size=self.block, stride=self.block)),))

    def reference(self, graph: Graph, inputs: Sequence[Array | None], numerics: Numerics) -> tuple[Array, ...]:
        if (x := inputs[0]) is None:
            raise ValueError("reference needs a verified operator")
        _, height, width, _ = self.output(graph).shape
        blocks = x.reshape(height, self.block, width, self.block, -1).transpose(0, 2, 1, 3, 4)
        return (np.ascontiguousarray(blocks).reshape(self.output(graph).shape),)
