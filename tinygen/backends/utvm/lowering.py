"""Lowers scheduled PrimFuncs to loops over flat buffers: TVM's own passes up to where its runtime would begin."""

from __future__ import annotations

from typing import Any

import tvm
from tvm import s_tir, tirx

_PASSES = tvm.ir.transform.Sequential(
    [
        s_tir.transform.CanonicalizeLoop(),
        s_tir.transform.LowerInitBlock(),
        s_tir.transform.PlanAndUpdateBufferAllocationLocation(),
        s_tir.transform.ConvertBlocksToOpaque(),
        s_tir.transform.CompactBufferAllocation(),
        s_tir.transform.LowerMatchBuffer(),
        s_tir.transform.StmtSimplify(),
        s_tir.transform.LowerOpaqueBlock(),
        tirx.transform.FlattenBuffer(),
        tirx.transform.UnrollLoop(),
        tirx.transform.StmtSimplify(),
        tirx.transform.RemoveNoOp(),
    ]
)
"""The stock pipeline for S-TIR without what makes packed functions: those would need the runtime."""


def lower(schedule: Any) -> Any:
    """The scheduled PrimFunc `main` without blocks, its buffers flat."""
    return _PASSES(schedule.mod)["main"]
