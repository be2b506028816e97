"""What a model would need if its layers were computed one after the other: the plan to compare with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tinygen.backends import find_backend, settled
from tinygen.compile import CompileOptions, compile_model
from tinygen.ir.call import Kernel
from tinygen.ir.op import Op
from tinygen.passes.pipeline import run as run_passes
from tinygen.plan.model import Plan
from tinygen.plan.solve import plan
from tinygen.schedule.buffers import demand
from tinygen.schedule.choose import Objective
from tinygen.schedule.layer_by_layer import layer_by_layer
from tinygen.schedule.program import build_program
from tinygen.schedule.storages import Rules
from tinygen.tflite import read_model


def layered_plan(path: Path, options: CompileOptions) -> Plan:
    """The plan of the layer-by-layer schedule with the fastest kernels; raises what compiling the model raises.

    Of a backend that takes the model as it is in the file, it is the backend's plan of whole tensors.
    """
    if not find_backend(options.backend).passes:
        return compile_model(path, replace(options, optimize=Objective.SPEED, ram_budget=None)).plan
    graph, numerics = run_passes(read_model(path)), settled(options).rounding

    def fastest(op: Op) -> Kernel | None:
        usable = () if op.alias else op.kernels(graph, numerics)
        return min((k for k in usable if k.requires <= options.features), key=lambda k: k.instructions, default=None)

    program = build_program(graph, tuple(map(fastest, graph.ops)), Rules(options.io_outside, options.pins))
    return plan(demand(program, layer_by_layer(program), keep_inputs=options.keep_inputs).buffers)
