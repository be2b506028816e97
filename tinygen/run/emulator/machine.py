"""A board as Unicorn sees it: memories with their permissions, the UART, and a core that runs until it waits."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygen.boards import Board, Memory
from tinygen.build.elf import read_symbols
from tinygen.errors import TinygenError, error
from tinygen.run.emulator.block_counter import NO_ADDRESS, Registers, Watch, open_counter
from tinygen.run.emulator.fault import Access, Names, describe_fault, exception_name
from tinygen.run.emulator.uart import UartDevice, load_port_model, page_of, registers_of, split_around

_SYSTEM_SPACE = (0xE000_0000, 0x0010_0000)
"""The private peripheral bus of a Cortex-M: control space, SysTick, DWT. As plain memory its counters stand still."""

_BOOT_BUDGET = 100_000_000
"""Instructions until the first line: start-up clears RAM a word at a time, and an init may fill tables."""

_ILLEGAL_INSTRUCTION = 2
_BEHIND_TRAP = 4
"""Bytes by which Unicorn's RISC-V program counter is behind the instruction that trapped, whatever its length."""

_CUSTOM_CSRS = ((0x7C0, 0x7FF), (0xBC0, 0xBFF))
"""The RISC-V privileged specification's machine-level CSRs for vendors, cycle counters among them."""


@dataclass(frozen=True)
class Program:
    """An ELF to run and the names in it to watch: the inference, the hooks around layers, how many slots they use."""

    elf: Path
    function: str
    begin: str
    end: str
    slots: int

    @classmethod
    def of(cls, elf: Path, prefix: str, slots: int) -> Program:
        """A project's firmware; without hooks in it, their names stand for nothing."""
        return cls(elf, f"{prefix}_invoke", f"{prefix}_layer_begin", f"{prefix}_layer_end", slots)


class Machine:
    """A board that has been reset and waits for a request; a byte stream for the bench protocol.

    Every read runs the firmware until it waits for input. Raises TG501 when it faults, TG502 when it uses up its budget
    of instructions or falls silent, TG503 when Unicorn cannot be this board.
    """

    names_layers = True

    def __init__(self, board: Board, project: Path, program: Program, *, native: bool | None = None) -> None:
        import unicorn

        if board.core.unicorn_model is None:
            hints = ("tinygen verify MODEL --on host compares the same code on this machine",)
            raise error("TG503", f"Unicorn has no {board.cpu}, the core of {board.id}", hints=hints)
        port = load_port_model(board, project)
        self._board = board
        self._symbols = read_symbols(program.elf)
        self.names = Names(self._symbols)
        self._thumb = board.core.arch == "thumb"
        self._uc = uc = _engine(board)
        self._regions: list[ctypes.Array[ctypes.c_char]] = []
        for memory in (m for m in board.memories if m.use):
            self._map(memory)
        page, offset = page_of(board.serial.address)
        for address, size in split_around(port.memory, page):
            uc.mem_map(address, size, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
        for preset in port.presets:
            uc.mem_write(preset.address, preset.value.to_bytes(4, "little"))
        if self._thumb:
            uc.mem_map(*_SYSTEM_SPACE, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
        self._uart = UartDevice(port.uart, uc, uc.emu_stop)
        read, write = registers_of(self._uart, offset)
        uc.mmio_map(page, 0x1000, read, None, write, None)
        self._pc = self._load(program.elf)
        self.counter = open_counter(uc, self._watch(program), _registers(board), native=native)
        self._access: Access | None = None
        uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._on_invalid_memory)
        uc.hook_add(unicorn.UC_HOOK_INTR, self._on_exception)
        uc.hook_add(unicorn.UC_HOOK_INSN_INVALID, self._on_invalid_instruction)
        self._taken = 0
        self.budget = _BOOT_BUDGET
        self._run()

    def close(self) -> None:
        """Nothing to end: the emulator is part of this process."""

    def word(self, name: str) -> int:
        """The value of a variable of 32 bits."""
        address = next(symbol.address for symbol in self._symbols if symbol.name == name)
        return int.from_bytes(self._uc.mem_read(address, 4), "little")

    def write(self, data: bytes) -> None:
        """Sends bytes; the firmware sees them when something is read."""
        self._uart.receive(data)

    def read(self, count: int) -> bytes:
        """The next `count` bytes the firmware sends."""
        if len(self._uart.transmitted) - self._taken < count:
            self._run()
        if len(self._uart.transmitted) - self._taken < count:
            raise error("TG502", f"the firmware waits for a request instead of sending {count} bytes")
        return self._take(self._taken + count)

    def read_line(self) -> bytes:
        """The next line the firmware sends, with its end."""
        sent = self._uart.transmitted
        if sent.find(b"\n", self._taken) < 0:
            self._run()
        end = sent.find(b"\n", self._taken)
        if end < 0:
            raise error("TG502", "the firmware waits for a request instead of sending a line")
        return self._take(end + 1)

    def _take(self, end: int) -> bytes:
        data = bytes(self._uart.transmitted[self._taken : end])
        self._taken = end
        if self._taken == len(self._uart.transmitted):
            self._uart.transmitted.clear()
            self._taken = 0
        return data

    def _run(self) -> None:
        """Runs until the firmware waits for a byte that is not there."""
        import unicorn

        self.counter.allow(self.budget)
        self._access = None
        failure: unicorn.UcError | None = None
        try:
            self._uc.emu_start(self._pc | int(self._thumb), 0xFFFF_FFFE)
        except unicorn.UcError as problem:
            failure = problem
        self._pc = self._register("PC")
        if self._access is not None and self._access.kind == "exception" and not self._thumb:
            self._pc -= _BEHIND_TRAP
        if failure is not None or self._access is not None:
            raise self._fault(str(failure))
        if self.counter.exhausted:
            where = self.names.name(self._pc)
            message = f"the firmware ran {self.budget:,} instructions without an answer, last in {where}"
            raise error("TG502", message)

    def _fault(self, failure: str) -> TinygenError:
        return_address = self._register("LR" if self._thumb else "RA") & ~1
        access = self._access or Access("stop", failure, None, 0)
        text = describe_fault(self._board, self.names, access, self._pc, return_address, self._register("SP"))
        return error("TG501", text)

    def _register(self, name: str) -> int:
        import unicorn.arm_const
        import unicorn.riscv_const

        constants, prefix = (
            (unicorn.arm_const, "UC_ARM_REG_") if self._thumb else (unicorn.riscv_const, "UC_RISCV_REG_")
        )
        return int(self._uc.reg_read(getattr(constants, prefix + name)))

    def _map(self, memory: Memory) -> None:
        """Maps a memory with what its use allows: code may not be written, data not executed."""
        import unicorn

        page = self._uc.query(unicorn.UC_QUERY_PAGE_SIZE)
        if memory.address % page or memory.size % page:
            found = f"found {memory.name} of {memory.size:,} bytes at {memory.address:#010x}"
            raise error("TG503", f"{found}, accepted by Unicorn: memories of whole pages of {page:,} bytes")
        permissions = unicorn.UC_PROT_READ | (unicorn.UC_PROT_EXEC if "code" in memory.use else unicorn.UC_PROT_WRITE)
        content = ctypes.create_string_buffer(memory.size)
        self._regions.append(content)
        for address in {memory.address, memory.data_address or memory.address}:
            self._uc.mem_map_ptr(address, memory.size, permissions, ctypes.addressof(content))

    def _load(self, elf: Path) -> int:
        """Writes the image where it is stored, sets the stack pointer of a Cortex-M, returns where the core starts."""
        from elftools.elf.elffile import ELFFile
        from unicorn.arm_const import UC_ARM_REG_SP

        with elf.open("rb") as file:
            for segment in ELFFile(file).iter_segments():
                if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]:
                    self._uc.mem_write(segment["p_paddr"], segment.data())
        if not self._thumb:
            return self._address("_start")
        vectors = self._uc.mem_read(self._address("tg_vectors"), 8)
        self._uc.reg_write(UC_ARM_REG_SP, int.from_bytes(vectors[:4], "little"))
        return int.from_bytes(vectors[4:], "little") & ~1

    def _address(self, name: str) -> int:
        return next(s.address for s in self._symbols if s.name == name)

    def _watch(self, program: Program) -> Watch:
        addresses = {s.name: s.address for s in self._symbols if s.kind == "func"}
        return Watch(
            function=addresses[program.function],
            begin=addresses.get(program.begin, NO_ADDRESS),
            end=addresses.get(program.end, NO_ADDRESS),
            slots=program.slots,
        )

    def _on_invalid_memory(self, _uc: Any, kind: int, address: int, size: int, _value: int, _user: object) -> bool:
        self._access = Access.from_unicorn(kind, address, size)
        return False

    def _on_exception(self, uc: Any, number: int, _user: object) -> None:
        if not self._thumb and number == _ILLEGAL_INSTRUCTION and self._skip_custom_csr():
            return
        self._access = Access("exception", exception_name(self._board.core.arch, number), None, 0)
        uc.emu_stop()

    def _skip_custom_csr(self) -> bool:
        """Whether the instruction just tried accesses a vendor's own CSR: it then reads as 0, and the core goes on."""
        from unicorn.riscv_const import UC_RISCV_REG_X0

        word = int.from_bytes(self._uc.mem_read(self._register("PC") - _BEHIND_TRAP, 4), "little")
        is_access = word & 0x7F == 0x73 and word >> 12 & 7
        if not is_access or not any(first <= word >> 20 <= last for first, last in _CUSTOM_CSRS):
            return False
        destination = word >> 7 & 31
        if destination:
            self._uc.reg_write(UC_RISCV_REG_X0 + destination, 0)
        return True

    def _on_invalid_instruction(self, _uc: Any, _user: object) -> bool:
        self._access = Access("instruction", "", None, 0)
        return False


def _engine(board: Board) -> Any:
    import unicorn
    import unicorn.arm_const
    import unicorn.riscv_const

    if board.core.arch == "thumb":
        uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        uc.ctl_set_cpu_model(getattr(unicorn.arm_const, board.core.unicorn_model or ""))
    else:
        uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        uc.ctl_set_cpu_model(getattr(unicorn.riscv_const, board.core.unicorn_model or ""))
    return uc


def _registers(board: Board) -> Registers:
    from unicorn.arm_const import UC_ARM_REG_LR, UC_ARM_REG_R0
    from unicorn.riscv_const import UC_RISCV_REG_A0, UC_RISCV_REG_RA

    if board.core.arch == "thumb":
        return Registers(UC_ARM_REG_R0, UC_ARM_REG_LR, thumb=True)
    return Registers(UC_RISCV_REG_A0, UC_RISCV_REG_RA, thumb=False)
