"""What a model keeps from one inference to the next: arrays of their own, whatever becomes of the arena."""

from __future__ import annotations

from tinygen.backends.literals import comment
from tinygen.ir.graph import Graph
from tinygen.ir.tensor import Tensor, reset_value


def state_array(graph: Graph, prefix: str, tensor: int) -> str:
    """The C array of a variable tensor: `kws_state_0`."""
    return f"{prefix}_state_{[t.id for t in graph.variables].index(tensor)}"


def state_texts(graph: Graph, prefix: str) -> list[dict[str, object]]:
    """What templates/c/model.c.j2 prints for each state."""
    return [_state_text(tensor, state_array(graph, prefix, tensor.id)) for tensor in graph.variables]


def _state_text(tensor: Tensor, name: str) -> dict[str, object]:
    return {
        "name": name,
        "macro": name.upper(),
        "comment": comment(f"'{tensor.name}' {tensor.describe()}"),
        "c_type": tensor.dtype.c_type,
        "count": tensor.elements,
        "reset": reset_value(tensor),
    }


def state_bytes(graph: Graph) -> int:
    """Bytes of all states."""
    return sum(tensor.nbytes for tensor in graph.variables)
