"""Row-interleaved order within a segment: every row is computed just before it is needed, and once.

The generated code pulls in exactly this order, see templates/c/model.c.j2.
"""

from __future__ import annotations

from tinygen.schedule.program import Program
from tinygen.schedule.reach import Reach, reach, reads
from tinygen.schedule.steps import Segment, Step


class Puller:
    """Finds the steps of segments; what does not depend on the segment is computed once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._reads = tuple(reads(program, layer) for layer in program.layers)
        self._writes = tuple(reach(program, layer.write) for layer in program.layers)
        self._producer = {w.storage.id: i for i, w in enumerate(self._writes)}
        self._readers: dict[int, list[int]] = {}
        for i, found in enumerate(self._reads):
            for read in found:
                self._readers.setdefault(read.storage.id, []).append(i)

    def reads(self, layer: int) -> tuple[Reach, ...]:
        return self._reads[layer]

    def write(self, layer: int) -> Reach:
        return self._writes[layer]

    def readers(self, storage: int) -> list[int]:
        """The layers that read a storage, in order."""
        return self._readers.get(storage, [])

    def producer(self, storage: int) -> int | None:
        """The layer that writes a storage; None for an input."""
        return self._producer.get(storage)

    def sinks(self, first: int, end: int) -> list[int]:
        """Layers of [first, end) whose output no other layer of them reads."""
        return [
            i for i in range(first, end) if not any(r < end for r in self.readers(self._writes[i].storage.id) if r != i)
        ]

    def needed(self, layer: int, step: int) -> list[tuple[int, int]]:
        """(producer, number of its steps) that a step of a layer waits for, in the order it asks for them."""
        found = []
        for read in self._reads[layer]:
            producer = self.producer(read.storage.id)
            if producer is not None:
                found.append((producer, self._steps_for(producer, read.end(step))))
        return found

    def segment(self, first: int, end: int) -> Segment:
        """The segment of layers [first, end), with its steps."""
        order: list[Step] = []
        done = [0] * (end - first)

        def advance(layer: int, target: int) -> None:
            while done[layer - first] < target:
                step = done[layer - first]
                for producer, count in self.needed(layer, step):
                    if producer >= first:
                        advance(producer, count)
                done[layer - first] += 1
                order.append(Step(layer, step, step + 1, pulled_last=step + 1 == target))

        for sink in self.sinks(first, end):
            advance(sink, self._program.layers[sink].rows.steps)
        return Segment(first, end, tuple(order))

    def _steps_for(self, producer: int, rows: int) -> int:
        """How many steps of a layer have to be done until the first `rows` rows of its output are there."""
        write = self._writes[producer]
        if write.access.window is None:
            return self._program.layers[producer].rows.steps if rows else 0
        return -(-rows // write.unit)
