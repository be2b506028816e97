"""The header of the C API, the same from every backend, and the tensors that it describes."""

from __future__ import annotations

from tinygen.backends.literals import comment, real
from tinygen.backends.rendering import render
from tinygen.ir.graph import Graph
from tinygen.ir.tensor import DType, Tensor
from tinygen.plan.model import Plan
from tinygen.source_tree import TensorSpec


def api_header(
    common: dict[str, object],
    inputs: tuple[TensorSpec, ...],
    outputs: tuple[TensorSpec, ...],
    plan: Plan,
    layer_count: int,
    keep_inputs: bool,
    graph: Graph,
) -> str:
    """The text of `include/<prefix>.h`; `common` are the values that all of a model's files share."""
    summary = [
        f"model {comment(graph.name)}, SHA-256 {graph.sha256}",
        f"{layer_count} layers, arena {plan.arena_bytes} bytes ({plan.proof}, lower bound {plan.lower_bound})",
    ]
    if common["state_bytes"]:
        summary.append(f"{common['state_bytes']} bytes of state, kept from one inference to the next")
    summary += [f"{area.bytes} bytes of the arena in {area.region}" for area in plan.areas]
    kept = "Inputs are kept by an inference."
    consumed = "An inference may overwrite its inputs: write them again before the next."
    groups = [
        {"direction": direction, "tensors": [_tensor_macros(t) for t in tensors]}
        for direction, tensors in (("INPUT", inputs), ("OUTPUT", outputs))
    ]
    values = {
        "summary": summary,
        "layer_count": layer_count,
        "tensors": groups,
        "input_note": kept if keep_inputs else consumed,
    }
    return render("c/model.h.j2", {**common, **values})


def _tensor_macros(spec: TensorSpec) -> dict[str, object]:
    return {
        "comment": comment(f"'{spec.name}' {spec.dtype} [{'x'.join(map(str, spec.shape))}]"),
        "nbytes": spec.nbytes,
        "c_type": DType(spec.dtype).c_type,
        "shape": ", ".join(map(str, spec.shape)),
        "scale": real(spec.scale) if spec.scale is not None else None,
        "zero_point": spec.zero_point,
    }


def tensor_spec(tensor: Tensor) -> TensorSpec:
    """An input or output as firmware sees it."""
    quant = tensor.quant
    single = quant is not None and len(quant.scales) == 1
    return TensorSpec(
        name=tensor.name,
        shape=tensor.shape,
        dtype=tensor.dtype.value,
        nbytes=tensor.nbytes,
        scale=quant.scale if quant is not None and single else None,
        zero_point=quant.zero_point if quant is not None and single else None,
    )
