"""Boards as data: loads `boards/*.toml` and refuses anything that is missing, misspelt or contradicts itself."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path

from tinygen.cores import CORES, Core, find_core
from tinygen.errors import Origin, error
from tinygen.paths import BOARDS
from tinygen.registers import Clock, Trigger, read_clock, read_trigger
from tinygen.strict_toml import ADDRESS_SPACE, StrictTable

MEMORY_KINDS = ("flash", "ram", "external_flash", "external_ram")
USES = ("code", "data", "stack", "arena")
SERIAL_KINDS = ("cmsdk", "stm32_sr_dr", "stm32_isr_tdr", "nrf_uarte", "pl011", "sifive", "esp32", "ns16550", "ra_sci_b")
RUNNERS = ("unicorn", "qemu", "renode", "hardware")
FLASH_TOOLS = ("openocd", "pyocd", "st-flash", "esptool", "bossac", "picotool", "uf2")

_USB = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Memory:
    """A memory region: `size` bytes from `address`; `use` says what firmware places there by default."""

    name: str
    kind: str
    address: int
    size: int
    use: tuple[str, ...]
    data_address: int | None
    """Where loads see the region when that differs from `address`, where instructions are fetched."""
    tightly_coupled: bool
    """The core reaches it without a bus in between, as fast as it computes."""
    source: str

    @property
    def end(self) -> int:
        return self.address + self.size


@dataclass(frozen=True)
class Serial:
    """The UART that reaches the user's computer; `kind` is one of SERIAL_KINDS, `address` its first register."""

    kind: str
    name: str
    address: int
    baud: int
    tx: str
    rx: str
    usb: tuple[str, ...]
    """How the board's USB-serial bridge calls itself, `vendor:product` in hexadecimal; empty where it has none."""
    source: str


@dataclass(frozen=True)
class Port:
    """Which `firmware/ports/<family>` runs here, and the integers it needs to know about this board as C macros."""

    family: str
    defines: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Boot:
    """How the boot ROM finds the firmware.

    `application_offset` bytes at the start of the code region belong to a bootloader; the firmware's image starts after
    them with `header_bytes` bytes of section `.boot`, which the port provides.
    """

    application_offset: int
    header_bytes: int
    source: str


@dataclass(frozen=True)
class Flash:
    """The tool that programs the board, and the board's or chip's name for it and for others that can."""

    tool: str
    targets: tuple[tuple[str, str], ...]

    def target(self, tool: str) -> str | None:
        """The name for a tool; None when it does not know the board."""
        return dict(self.targets).get(tool)


@dataclass(frozen=True)
class Emulators:
    """The board's names in emulators; None where the emulator has no model of it."""

    qemu: str | None
    qemu_serial: int
    """Which of the machine's serial lines is the board's; others come before it."""
    renode: str | None
    renode_uart: str | None
    renode_dwt: bool
    """Whether Renode's platform has the cycle counter of a Cortex-M; most lack it and are given one."""


@dataclass(frozen=True)
class PlatformIO:
    """The board's names in PlatformIO."""

    platform: str
    board: str


@dataclass(frozen=True)
class Board:
    """One board; every number is in bytes or Hz and carries the document it was taken from."""

    id: str
    name: str
    vendor: str
    url: str
    mcu: str
    cpu: str
    features: tuple[str, ...]
    clock_hz: int
    clock_source: str
    stack_bytes: int
    memories: tuple[Memory, ...]
    boot: Boot
    serial: Serial
    port: Port
    clock: Clock | None
    """How the firmware raises the clock; None where it stays as after reset."""
    trigger: Trigger | None
    flash: Flash | None
    emulators: Emulators
    platformio: PlatformIO | None
    verified: tuple[str, ...]
    """The runners that have run tinygen's firmware for this board."""
    file: Path = field(compare=False)
    """Where the description was read from."""

    @property
    def core(self) -> Core:
        core = find_core(self.cpu, self.features)
        assert core is not None, "the loader accepts only cores of the table"
        return core

    @property
    def code(self) -> Memory:
        """The region that holds code and constants."""
        return next(m for m in self.memories if "code" in m.use)

    @property
    def data(self) -> tuple[Memory, ...]:
        """The adjacent regions, in ascending order, that hold variables and the arena as one range."""
        return tuple(m for m in self.memories if "data" in m.use)

    @property
    def arena(self) -> tuple[Memory, ...]:
        """The memories besides `data` that a model's buffers may be in, the tightly coupled first."""
        return tuple(sorted((m for m in self.memories if "arena" in m.use), key=lambda m: not m.tightly_coupled))

    @property
    def stack(self) -> Memory:
        """The region at whose start the stack is; the first of `data`, or one of its own."""
        return next(m for m in self.memories if "stack" in m.use)

    @property
    def flash_capacity(self) -> int:
        """Bytes for the firmware's image: the code region without the bootloader."""
        return self.code.size - self.boot.application_offset

    @property
    def ram_capacity(self) -> int:
        """Bytes for variables, arena and stack; a stack region of its own is counted with the stack's reserve only."""
        data = sum(m.size for m in self.data)
        return data if self.stack in self.data else data + min(self.stack_bytes, self.stack.size)


def all_boards() -> tuple[Board, ...]:
    """Every board tinygen ships, by id."""
    return tuple(load_board_file(path) for path in sorted(BOARDS.glob("*.toml")))


def load_board(board_id: str) -> Board:
    """The shipped board of that id, or the file at that path when it ends in `.toml`; TG302 when there is none."""
    if board_id.endswith(".toml"):
        return load_board_file(Path(board_id))
    known = sorted(path.stem for path in BOARDS.glob("*.toml"))
    if board_id not in known:
        close = get_close_matches(board_id, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known boards: {', '.join(known)}"
        hints = (hint, "tinygen boards lists them; a path that ends in .toml is read as a board file")
        raise error("TG302", f"there is no board '{board_id}'", hints=hints)
    return load_board_file(BOARDS / f"{board_id}.toml")


def load_board_file(path: Path) -> Board:
    """The board described by a TOML file; TG302 when it cannot be read, TG303 when it is not a valid description."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise error("TG302", f"cannot read the board file: {problem}", origin=Origin(str(path))) from problem
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise error("TG303", f"not TOML: {problem}", origin=Origin(str(path))) from problem
    root = StrictTable(str(path), "", content)
    board = _board(root, path)
    if board.id != path.stem:
        raise root.fail("id", f"found '{board.id}', accepted: the file's name, '{path.stem}'")
    return board


def _board(root: StrictTable, path: Path) -> Board:
    board_id = root.text("id")
    if not _ID.fullmatch(board_id):
        raise root.fail("id", f"found '{board_id}', accepted: lower-case letters, digits and single hyphens")
    core = root.table("core")
    cpu = core.choice("cpu", tuple(dict.fromkeys(c.cpu for c in CORES)))
    features = core.texts("features", tuple(dict.fromkeys(f for c in CORES for f in c.features)))
    if find_core(cpu, features) is None:
        accepted = " or ".join(str(list(c.features)) for c in CORES if c.cpu == cpu)
        raise core.fail("features", f"found {list(features)} for {cpu}, accepted: {accepted}")
    memories = tuple(_memory(table) for table in root.tables("memory"))
    clock_hz = core.integer("clock_hz", 1_000_000, 2_000_000_000, "Hz")
    board = Board(
        id=board_id,
        name=root.text("name"),
        vendor=root.text("vendor"),
        url=root.text("url"),
        mcu=root.text("mcu"),
        cpu=cpu,
        features=features,
        clock_hz=clock_hz,
        clock_source=core.text("source"),
        stack_bytes=root.size("stack"),
        memories=tuple(sorted(memories, key=lambda m: m.address)),
        boot=_boot(root.table("boot"))
        if root.has("boot")
        else Boot(0, 0, "vector table or entry at the region's start"),
        serial=_serial(root.table("serial")),
        port=_port(root.table("port")),
        clock=read_clock(root.table("clock"), clock_hz) if root.has("clock") else None,
        trigger=read_trigger(root.table("trigger")) if root.has("trigger") else None,
        flash=_flash(root.table("flash")) if root.has("flash") else None,
        emulators=_emulators(root.table("emulators")),
        platformio=_platformio(root.table("platformio")) if root.has("platformio") else None,
        verified=root.texts("verified", RUNNERS),
        file=path,
    )
    core.finish()
    root.finish()
    _check_memories(root, board)
    return board


def _memory(table: StrictTable) -> Memory:
    memory = Memory(
        name=table.text("name"),
        kind=table.choice("kind", MEMORY_KINDS),
        address=table.address("address"),
        size=table.size("size"),
        use=table.texts("use", USES) if table.has("use") else (),
        data_address=table.address("data_address") if table.has("data_address") else None,
        tightly_coupled=table.flag("tightly_coupled") if table.has("tightly_coupled") else False,
        source=table.text("source"),
    )
    table.finish()
    if not re.fullmatch(r"[a-z][a-z0-9_]*", memory.name):
        raise table.fail("name", f"found '{memory.name}', accepted: lower-case letters, digits and underscores")
    for key, start in (("address", memory.address), ("data_address", memory.data_address)):
        if start is not None and start + memory.size > ADDRESS_SPACE:
            raise table.fail(key, f"found {start:#x} + {memory.size:#x}, accepted: a region inside 32 bits of address")
    writable = memory.kind in ("ram", "external_ram")
    if not writable and {"data", "stack", "arena"} & set(memory.use):
        raise table.fail(
            "use", f"found {list(memory.use)} of kind '{memory.kind}', accepted: data, stack and arena in RAM only"
        )
    if "arena" in memory.use and ("data" in memory.use or memory.address == 0):
        found = f"found {list(memory.use)} at {memory.address:#x}"
        raise table.fail(
            "use",
            f"{found}, accepted: arena in memories that are not data, which may hold it anyway, "
            "and not at the null pointer",
        )
    return memory


def _serial(table: StrictTable) -> Serial:
    serial = Serial(
        kind=table.choice("kind", SERIAL_KINDS),
        name=table.text("name"),
        address=table.address("address"),
        baud=table.integer("baud", 1200, 12_000_000, "baud"),
        tx=table.text("tx"),
        rx=table.text("rx"),
        usb=table.words("usb", _USB, "ids such as 0483:374b") if table.has("usb") else (),
        source=table.text("source"),
    )
    table.finish()
    return serial


def _port(table: StrictTable) -> Port:
    family = table.text("family")
    defines: list[tuple[str, int]] = []
    if table.has("defines"):
        values = table.table("defines")
        for name in values.names():
            if not re.fullmatch(r"TG_[A-Z0-9_]+", name):
                raise values.fail(name, "unknown key, accepted: C macros TG_...")
            defines.append((name, values.integer(name, 0, ADDRESS_SPACE - 1, "any unit")))
    table.finish()
    return Port(family, tuple(defines))


def _boot(table: StrictTable) -> Boot:
    boot = Boot(table.address("application_offset"), table.address("header_bytes"), table.text("source"))
    table.finish()
    return boot


def _flash(table: StrictTable) -> Flash:
    tool = table.choice("tool", FLASH_TOOLS)
    targets = [(tool, table.text("target"))]
    targets += [(other, table.text(other)) for other in FLASH_TOOLS if other != tool and table.has(other)]
    table.finish()
    return Flash(tool, tuple(targets))


def _emulators(table: StrictTable) -> Emulators:
    emulators = Emulators(
        qemu=table.optional_text("qemu"),
        qemu_serial=table.integer("qemu_serial", 0, 15, "serial lines before it") if table.has("qemu_serial") else 0,
        renode=table.optional_text("renode"),
        renode_uart=table.optional_text("renode_uart"),
        renode_dwt=table.flag("renode_dwt") if table.has("renode_dwt") else False,
    )
    table.finish()
    if (emulators.renode is None) != (emulators.renode_uart is None):
        raise table.fail("renode_uart", "accepted: renode and renode_uart together, or neither")
    return emulators


def _platformio(table: StrictTable) -> PlatformIO:
    platformio = PlatformIO(table.text("platform"), table.text("board"))
    table.finish()
    return platformio


def _check_memories(root: StrictTable, board: Board) -> None:
    """TG303 unless names and addresses are distinct and code, data and stack each have exactly one place."""
    ranges = [(m.address, m.size, m.name) for m in board.memories]
    ranges += [
        (m.data_address, m.size, f"{m.name} (data_address)") for m in board.memories if m.data_address is not None
    ]
    ranges.sort()
    for (start, size, name), (next_start, _, next_name) in pairwise(ranges):
        if start + size > next_start:
            found = f"found {name} up to {start + size:#x} and {next_name} from {next_start:#x}"
            raise root.fail("memory", f"{found}, accepted: regions that do not overlap")
    names = [m.name for m in board.memories]
    if len(set(names)) != len(names):
        raise root.fail("memory", f"found names {', '.join(names)}, accepted: each once")
    for use in ("code", "stack"):
        count = sum(use in m.use for m in board.memories)
        if count != 1:
            raise root.fail("memory", f'found {count} regions with use = ["{use}"], accepted: exactly one')
    data = board.data
    if not data:
        raise root.fail("memory", 'found no region with use = ["data"], accepted: one, or adjacent ones')
    for low, high in pairwise(data):
        if low.end != high.address:
            found = f"found {low.name} up to {low.end:#x} and {high.name} from {high.address:#x}"
            raise root.fail("memory", f"{found}, accepted: data regions that follow each other without a gap")
    if board.stack in data[1:]:
        raise root.fail("memory", f"found the stack in {board.stack.name}, accepted: the first data region or its own")
    if board.stack_bytes >= board.stack.size:
        raise root.fail("stack", f"found {board.stack_bytes} bytes, accepted: less than {board.stack.name} has")
    if board.boot.application_offset + board.boot.header_bytes >= board.code.size:
        raise root.fail("boot", f"found an application outside {board.code.name}, accepted: an offset inside it")


def serial_way(board: Board) -> str:
    """How a computer reaches the board's UART."""
    if board.serial.usb:
        return "its USB connector"
    return "an emulator" if board.flash is None else "a USB-serial adapter"
