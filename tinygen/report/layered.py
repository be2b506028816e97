"""What a model would need if its layers were computed one after the other: the plan to compare with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tinygen.backends import find_backend, settled
from tinygen.backends.c import portable_kernels
from tinygen.compile import CompileOptions, compile_model
from tinygen.passes.pipeline import run as run_passes
from tinygen.plan.model import Plan
from tinygen.schedule.choose import Objective
from tinygen.schedule.layer_by_layer import layered_plan as layered_plan_of
from tinygen.schedule.storages import Rules
from tinygen.tflite import read_model


def layered_plan(path: Path, options: CompileOptions) -> Plan:
    """The plan of the layer-by-layer schedule with the fastest kernels; raises what compiling the model raises.

    Of a backend that takes the model as it is in the file, it is the backend's plan of whole tensors.
    """
    if not find_backend(options.backend).passes:
        return compile_model(path, replace(options, optimize=Objective.SPEED, ram_budget=None)).plan
    graph, settled_options = run_passes(read_model(path)), settled(options)
    offers = [portable_kernels(op, graph, settled_options) for op in graph.ops]
    return layered_plan_of(graph, offers, Rules(options.io_outside, options.pins), keep_inputs=options.keep_inputs)
