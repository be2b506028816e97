"""Row-interleaved order within a segment: every row is computed just before it is needed, and once.

The generated code pulls in exactly this order, see templates/c/model.c.j2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinygen.schedule.program import Program
from tinygen.schedule.reach import Ints, Reach, Touches, reach, reads
from tinygen.schedule.steps import Segment, Step


@dataclass(frozen=True, eq=False)
class Walk:
    """The steps of a segment as columns: very many are gone through for the few that are chosen."""

    layers: NDArray[np.int32]
    """A layer's steps come in ascending order, from the first on."""
    pulled_last: NDArray[np.bool_]

    def times(self) -> dict[int, Ints]:
        """For each layer the positions of its steps."""
        by_layer = np.argsort(self.layers, kind="stable")
        found, starts = np.unique(self.layers[by_layer], return_index=True)
        return dict(zip(found.tolist(), np.split(by_layer, starts[1:]), strict=True))

    def steps(self) -> tuple[Step, ...]:
        done: dict[int, int] = {}
        found = []
        for layer, pulled_last in zip(self.layers.tolist(), self.pulled_last.tolist(), strict=True):
            step = done.get(layer, 0)
            done[layer] = step + 1
            found.append(Step(layer, step, step + 1, pulled_last))
        return tuple(found)

    def without(self, first: int) -> Walk:
        """Without the layers before `first`: nobody pulls in another order because of a layer that it need not ask."""
        kept = self.layers >= first
        return Walk(self.layers[kept], self.pulled_last[kept])


class Puller:
    """Finds the steps of segments; what does not depend on the segment is computed once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._reads = tuple(reads(program, layer) for layer in program.layers)
        self._writes = tuple(reach(program, layer.write) for layer in program.layers)
        self._needed: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
        self._needs: dict[int, list[tuple[tuple[int, int], ...]]] = {}
        self._touches: dict[tuple[int, int], Touches] = {}
        self._waits_for: dict[int, set[int]] = {}
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

    def touches(self, layer: int, steps: int) -> Touches:
        """What the first steps of a layer touch."""
        if (layer, steps) not in self._touches:
            write = self._writes[layer]
            reads = tuple((r.storage.id, r.touched(steps)[1]) for r in self._reads[layer])
            self._touches[layer, steps] = Touches(reads, (write.storage.id, *write.touched(steps)))
        return self._touches[layer, steps]

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
        return self.walk(layers).steps()

    def walk(self, layers: Sequence[int]) -> Walk:
        """The same as columns."""
        order: list[int] = []
        pulled_last: list[bool] = []
        inside = frozenset(layers)
        done = dict.fromkeys(layers, 0)
        needs = {layer: self._needs_inside(layer, inside) for layer in layers}
        for sink in self.sinks(layers):
            # Whoever waits, with the number of steps it was asked for; not recursive, as graphs can be deep.
            waiting = [(sink, self._program.layers[sink].rows.steps)]
            while waiting:
                layer, target = waiting[-1]
                step = done[layer]
                if step >= target:
                    waiting.pop()
                    continue
                for need in needs[layer][step]:
                    if done[need[0]] < need[1]:
                        waiting.append(need)
                        break
                else:
                    done[layer] = step + 1
                    order.append(layer)
                    pulled_last.append(step + 1 == target)
        return Walk(np.array(order, np.int32), np.array(pulled_last, np.bool_))

    def _needs_inside(self, layer: int, inside: frozenset[int]) -> Sequence[Sequence[tuple[int, int]]]:
        """For each step of a layer what it waits for among some layers."""
        if layer not in self._needs:
            self._needs[layer] = [self.needed(layer, step) for step in range(self._program.layers[layer].rows.steps)]
            self._waits_for[layer] = {p for r in self._reads[layer] for p in self.producers(r)}
        waits_for = self._waits_for[layer] & inside
        if waits_for == self._waits_for[layer]:
            return self._needs[layer]
        if not waits_for:
            return [()] * len(self._needs[layer])
        return [[need for need in needs if need[0] in waits_for] for needs in self._needs[layer]]
