"""Exact instruction counts of one function and of the layers inside it, by a callback at every translation block."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tinygen.run.emulator.native import compiled

_SOURCE = Path(__file__).with_suffix(".c")
_CACHE_BLOCKS = 65536
NO_ADDRESS = 0xFFFF_FFFF
"""Stands for a function the firmware does not have: odd, so no block starts there."""


@dataclass(frozen=True)
class Watch:
    """What to count, as code addresses without the Thumb bit: one function, and the calls around its layers."""

    function: int
    begin: int = NO_ADDRESS
    end: int = NO_ADDRESS
    slots: int = 0
    """Highest layer index + 1."""


@dataclass(frozen=True)
class Registers:
    """Unicorn's numbers of the first argument and the return address; `thumb` tells how wide instructions are told."""

    argument: int
    return_address: int
    thumb: bool


class BlockCounter(Protocol):
    """Counts while the emulator runs. A layer's count excludes the begin and end hooks themselves."""

    @property
    def count(self) -> int:
        """Instructions of the last complete call of the watched function."""

    @property
    def layers(self) -> tuple[int, ...]:
        """Instructions of each layer slot since `clear`."""

    @property
    def layer(self) -> int | None:
        """The layer running now, if the firmware says so."""

    @property
    def inside(self) -> bool:
        """Whether the watched function is running."""

    @property
    def exhausted(self) -> bool:
        """Whether the budget stopped the emulator."""

    def clear(self) -> None:
        """Forgets the counts."""

    def allow(self, budget: int) -> None:
        """Allows `budget` more instructions, after which the emulator stops."""


def open_counter(uc: Any, watch: Watch, registers: Registers, *, native: bool | None = None) -> BlockCounter:
    """A counter attached to a Unicorn engine: in C where a compiler is found, in Python otherwise or if asked."""
    if native is None:
        native = native_library() is not None
    return _NativeCounter(uc, watch, registers) if native else PythonCounter(uc, watch, registers)


class PythonCounter:
    """The same as block_counter.c, line by line, where no compiler is."""

    def __init__(self, uc: Any, watch: Watch, registers: Registers) -> None:
        from unicorn import UC_HOOK_BLOCK

        self._watch, self._registers = watch, registers
        self._instructions: dict[tuple[int, int], int] = {}
        self._total = self._limit = self._start = self._layer_start = 0
        self._function_return = self._begin_return = 0
        self._layer = -1
        self._layers = [0] * watch.slots
        self.count = 0
        self.exhausted = False
        uc.hook_add(UC_HOOK_BLOCK, self._on_block)

    @property
    def layers(self) -> tuple[int, ...]:
        return tuple(self._layers)

    @property
    def layer(self) -> int | None:
        return self._layer if self._layer >= 0 else None

    @property
    def inside(self) -> bool:
        return self._function_return != 0

    def clear(self) -> None:
        self.count = 0
        self._layers = [0] * self._watch.slots

    def allow(self, budget: int) -> None:
        self.exhausted = False
        self._limit = self._total + budget

    def _on_block(self, uc: Any, address: int, size: int, _user: object) -> None:
        now, watch, registers = self._total, self._watch, self._registers
        if address == self._function_return:
            self.count = now - self._start
            self._function_return = 0
        if address == self._begin_return:
            self._layer_start = now
            self._begin_return = 0
        if address == watch.function and self._function_return == 0:
            self._function_return = uc.reg_read(registers.return_address) & ~1
            self._start = now
        elif address == watch.begin:
            self._layer = uc.reg_read(registers.argument)
            self._begin_return = uc.reg_read(registers.return_address) & ~1
        elif address == watch.end:
            if 0 <= self._layer < watch.slots:
                self._layers[self._layer] += now - self._layer_start
            self._layer = -1
        instructions = self._instructions.get((address, size))
        if instructions is None:
            instructions = count_instructions(bytes(uc.mem_read(address, size)), thumb=registers.thumb)
            self._instructions[address, size] = instructions
        self._total = now + instructions
        if self._total > self._limit:
            self.exhausted = True
            uc.emu_stop()


def count_instructions(code: bytes, *, thumb: bool) -> int:
    """How many instructions of two or four bytes `code` holds: Thumb-2, or RISC-V with the compressed extension."""
    count = offset = 0
    while offset + 1 < len(code):
        wide = code[offset + 1] >= 0xE8 if thumb else code[offset] & 3 == 3
        offset += 4 if wide else 2
        count += 1
    return count


class _State(ctypes.Structure):
    """struct block_counter of block_counter.c."""

    _fields_ = (
        ("reg_read", ctypes.c_void_p),
        ("mem_read", ctypes.c_void_p),
        ("emu_stop", ctypes.c_void_p),
        ("total", ctypes.c_uint64),
        ("limit", ctypes.c_uint64),
        ("count", ctypes.c_uint64),
        ("start", ctypes.c_uint64),
        ("layer_start", ctypes.c_uint64),
        ("layers", ctypes.c_void_p),
        ("function", ctypes.c_uint32),
        ("function_return", ctypes.c_uint32),
        ("begin", ctypes.c_uint32),
        ("begin_return", ctypes.c_uint32),
        ("end", ctypes.c_uint32),
        ("layer", ctypes.c_int32),
        ("slots", ctypes.c_int32),
        ("argument_register", ctypes.c_int32),
        ("return_register", ctypes.c_int32),
        ("thumb", ctypes.c_int32),
        ("exhausted", ctypes.c_int32),
        ("addresses", ctypes.c_uint32 * _CACHE_BLOCKS),
        ("sizes", ctypes.c_uint16 * _CACHE_BLOCKS),
        ("instructions", ctypes.c_uint16 * _CACHE_BLOCKS),
    )


class _NativeCounter:
    def __init__(self, uc: Any, watch: Watch, registers: Registers) -> None:
        from unicorn import UC_HOOK_BLOCK
        from unicorn.unicorn_py3.unicorn import uclib

        library = native_library()
        assert library is not None, "asked for the native counter where it cannot be built"
        self._layers = (ctypes.c_uint64 * max(watch.slots, 1))()
        self._slots = watch.slots
        self._state = state = _State()
        for name in ("reg_read", "mem_read", "emu_stop"):
            setattr(state, name, ctypes.cast(getattr(uclib, f"uc_{name}"), ctypes.c_void_p).value)
        state.layers = ctypes.addressof(self._layers)
        state.function, state.begin, state.end = watch.function, watch.begin, watch.end
        state.layer, state.slots = -1, watch.slots
        state.argument_register, state.return_register = registers.argument, registers.return_address
        state.thumb = registers.thumb
        handle = ctypes.c_size_t()
        # Python's hook_add would wrap the callback in a Python function; the library takes the C function itself.
        status = uclib.uc_hook_add(
            uc._uch,
            ctypes.byref(handle),
            ctypes.c_int(UC_HOOK_BLOCK),
            ctypes.cast(library.on_block, ctypes.c_void_p),
            ctypes.c_void_p(ctypes.addressof(state)),
            ctypes.c_uint64(1),
            ctypes.c_uint64(0),
        )
        assert status == 0, f"uc_hook_add failed with {status}"

    @property
    def count(self) -> int:
        return int(self._state.count)

    @property
    def layers(self) -> tuple[int, ...]:
        return tuple(self._layers[: self._slots])

    @property
    def layer(self) -> int | None:
        return int(self._state.layer) if self._state.layer >= 0 else None

    @property
    def inside(self) -> bool:
        return bool(self._state.function_return)

    @property
    def exhausted(self) -> bool:
        return bool(self._state.exhausted)

    def clear(self) -> None:
        self._state.count = 0
        ctypes.memset(self._layers, 0, ctypes.sizeof(self._layers))

    def allow(self, budget: int) -> None:
        self._state.exhausted = 0
        self._state.limit = self._state.total + budget


@functools.cache
def native_library() -> ctypes.CDLL | None:
    """block_counter.c compiled for this machine; None where it cannot be made."""
    library = compiled(_SOURCE)
    return None if library is None else ctypes.CDLL(str(library))
