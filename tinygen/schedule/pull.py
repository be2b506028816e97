"""Row-interleaved order within a segment: every row is computed just before it is needed, and once.

The generated code pulls in exactly this order, see templates/c/model.c.j2.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinygen.schedule.program import Program
from tinygen.schedule.reach import Reach, reach, reads
from tinygen.schedule.steps import Segment, Step


class Puller:
    """Finds the steps of segments; what does not depend on the segment is computed once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._reads = tuple(reads(program, layer) for layer in program.layers)
        self._writes = tuple(reach(program, layer.write) for layer in program.layers)
        self._needed: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
        self._writers: dict[int, list[int]] = {}
        for i, write in enumerate(self._writes):
            self._writers.setdefault(write.storage.id, []).append(i)
        self._readers: dict[int, list[int]] = {}
        self._users: dict[int, list[int]] = {}
        for i, found in enumerate(self._reads):
            for read in found:
                self._readers.setdefault(read.storage.id, []).append(i)
                for producer in self.producers(read):
                    self._users.setdefault(producer, []).append(i)
        self._results = {writer for t in program.graph.outputs for writer in program.writers.get(t, ())}

    def reads(self, layer: int) -> tuple[Reach, ...]:
        return self._reads[layer]

    def write(self, layer: int) -> Reach:
        return self._writes[layer]

    def readers(self, storage: int) -> list[int]:
        """The layers that read a storage, in order."""
        return self._readers.get(storage, [])

    def writers(self, storage: int) -> list[int]:
        """The layers that write a storage, in order: several where outputs are written over inputs or beside others."""
        return self._writers.get(storage, [])

    def producers(self, read: Reach) -> tuple[int, ...]:
        """The layers that compute what is read; none for an input."""
        return self._program.writers.get(read.access.tensor, ())

    def sinks(self, layers: Sequence[int]) -> list[int]:
        """Those of some layers, given in order, that have to be asked for all their rows.

        First those whose output no other layer of them reads. Then those of whose rows the others leave some: all rows
        are needed where the output outlives the segment, and every layer is computed where nobody reads any.
        """
        ends, rest = [], []
        pulled = dict.fromkeys(layers, 0)
        for layer in reversed(layers):
            steps, readers = self._program.layers[layer].rows.steps, self._users.get(layer, [])
            outlives = any(r not in pulled for r in readers) or layer in self._results
            reached = pulled[layer]
            if all(r not in pulled for r in readers):
                ends.append(layer)
            elif reached == 0 or (outlives and reached < steps):
                rest.append(layer)
            else:
                steps = reached
            for producer, count in self.needed(layer, steps - 1):
                if producer in pulled:
                    pulled[producer] = max(pulled[producer], count)
        return [*reversed(ends), *reversed(rest)]

    def needed(self, layer: int, step: int) -> tuple[tuple[int, int], ...]:
        """(producer, number of its steps) that a step of a layer waits for, in the order it asks for them."""
        if (layer, step) not in self._needed:
            producers = ((p, read.end(step)) for read in self._reads[layer] for p in self.producers(read))
            found = tuple((p, self.steps_for(p, rows)) for p, rows in producers)
            self._needed[layer, step] = found
        return self._needed[layer, step]

    def steps_for(self, producer: int, rows: int) -> int:
        """How many steps of a layer have to be done until the first `rows` storage rows of its output are there."""
        write = self._writes[producer]
        if write.access.window is None:
            return self._program.layers[producer].rows.steps if write.steps(rows) else 0
        return write.steps(rows)

    def segment(self, first: int, end: int) -> Segment:
        """The segment of layers [first, end), with its steps."""
        return Segment(first, end, self.steps(range(first, end)))

    def steps(self, layers: Sequence[int]) -> tuple[Step, ...]:
        """The steps of a segment of some layers, given in order; all that they read from others is there."""
        order: list[Step] = []
        done = dict.fromkeys(layers, 0)
        for sink in self.sinks(layers):
            # Whoever waits, with the number of steps it was asked for; not recursive, as graphs can be deep.
            waiting = [(sink, self._program.layers[sink].rows.steps)]
            while waiting:
                layer, target = waiting[-1]
                step = done[layer]
                if step >= target:
                    waiting.pop()
                    continue
                missing = next((n for n in self.needed(layer, step) if done.get(n[0], n[1]) < n[1]), None)
                if missing is not None:
                    waiting.append(missing)
                    continue
                done[layer] += 1
                order.append(Step(layer, step, step + 1, pulled_last=step + 1 == target))
        return tuple(order)
