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
        """The layers of [first, end) that have to be asked for all their rows.

        First those whose output no other layer of them reads. Then those of whose rows the others leave some: all rows
        are needed where the output outlives the segment, and every layer is computed where nobody reads any.
        """
        ends, rest = [], []
        pulled = [0] * (end - first)
        for layer in reversed(range(first, end)):
            steps, storage = self._program.layers[layer].rows.steps, self._writes[layer].storage
            readers = self.readers(storage.id)
            outlives = any(r >= end for r in readers) or any(t in self._program.graph.outputs for t in storage.tensors)
            reached = pulled[layer - first]
            if not any(r < end for r in readers):
                ends.append(layer)
            elif reached == 0 or (outlives and reached < steps):
                rest.append(layer)
            else:
                steps = reached
            for producer, count in self.needed(layer, steps - 1):
                if producer >= first:
                    pulled[producer - first] = max(pulled[producer - first], count)
        return [*reversed(ends), *reversed(rest)]

    def needed(self, layer: int, step: int) -> list[tuple[int, int]]:
        """(producer, number of its steps) that a step of a layer waits for, in the order it asks for them."""
        found = []
        for read in self._reads[layer]:
            producer = self.producer(read.storage.id)
            if producer is not None:
                found.append((producer, self.steps_for(producer, read.end(step))))
        return found

    def steps_for(self, producer: int, rows: int) -> int:
        """How many steps of a layer have to be done until the first `rows` storage rows of its output are there."""
        write = self._writes[producer]
        if write.access.window is None:
            return self._program.layers[producer].rows.steps if rows else 0
        return -(-rows // write.unit)

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
