"""Row-interleaved order within a segment: every row is computed just before it is needed, and once.

The generated code pulls in exactly this order, see templates/c/model.c.j2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinygen.schedule.program import Program
from tinygen.schedule.reach import Reach, Touches, awaited, reach, reads, touched
from tinygen.schedule.steps import Ints, Segment, Step


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
        self._waits: dict[int, list[tuple[tuple[int, int], ...]]] = {}
        self._touches: dict[tuple[int, int], Touches] = {}
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
        self._waits_for = [{p for r in found for p in self.producers(r)} for found in self._reads]
        self._results = {writer for t in program.graph.outputs for writer in program.writers.get(t, ())}

    def reads(self, layer: int) -> tuple[Reach, ...]:
        return self._reads[layer]

    def write(self, layer: int) -> Reach:
        return self._writes[layer]

    def touches(self, layer: int, steps: int) -> Touches:
        """What the first steps of a layer touch."""
        if (layer, steps) not in self._touches:
            write = self._writes[layer]
            reads = tuple((r.storage.id, touched(r.shape, steps)[1]) for r in self._reads[layer])
            self._touches[layer, steps] = Touches(reads, (write.storage.id, *touched(write.shape, steps)))
        return self._touches[layer, steps]

    def readers(self, storage: int) -> list[int]:
        """The layers that read a storage, in order."""
        return self._readers.get(storage, [])

    def writers(self, storage: int) -> list[int]:
        """The layers that write a storage, in order: several where outputs are written over inputs or beside others."""
        return self._writers.get(storage, [])

    def users(self, layer: int) -> tuple[list[int], bool]:
        """The layers that wait for what a layer computes, and whether the inference does."""
        return self._users.get(layer, []), layer in self._results

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
        return self.waits(layer)[step]

    def waits(self, layer: int) -> list[tuple[tuple[int, int], ...]]:
        """The same for all steps of a layer."""
        if layer not in self._waits:
            steps = self._program.layers[layer].rows.steps
            columns = [
                [(p, n) for n in awaited(read.shape, steps, self._writes[p].shape, self._program.layers[p].rows.steps)]
                for read in self._reads[layer]
                for p in self.producers(read)
            ]
            self._waits[layer] = list(zip(*columns, strict=True)) if columns else [()] * steps
        return self._waits[layer]

    def steps_for(self, producer: int, rows: int) -> int:
        """How many steps of a layer have to be done until the first `rows` storage rows of its output are there."""
        return self._writes[producer].shape.needed(rows, self._program.layers[producer].rows.steps)

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
        waits, waits_for = self.waits(layer), self._waits_for[layer] & inside
        if waits_for == self._waits_for[layer]:
            return waits
        if not waits_for:
            return [()] * len(waits)
        return [[need for need in needs if need[0] in waits_for] for needs in waits]
