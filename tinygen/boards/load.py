"""Loads `boards/*.toml` and refuses anything that is missing, misspelt or contradicts itself."""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from pathlib import Path

from tinygen.boards.board import Board, Boot, Emulators, Flash, PlatformIO, Port, Serial
from tinygen.boards.memories import check_memories, read_memory
from tinygen.cores import CORES, find_core
from tinygen.errors import Origin, error
from tinygen.paths import BOARDS
from tinygen.registers import read_clock, read_trigger
from tinygen.strict_toml import ADDRESS_SPACE, StrictTable

SERIAL_KINDS = ("cmsdk", "stm32_sr_dr", "stm32_isr_tdr", "nrf_uarte", "pl011", "sifive", "esp32", "ns16550", "ra_sci_b")
RUNNERS = ("unicorn", "qemu", "renode", "hardware")
FLASH_TOOLS = ("openocd", "pyocd", "st-flash", "esptool", "bossac", "picotool", "uf2")

_USB = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


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
    memories = tuple(read_memory(table) for table in root.tables("memory"))
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
    check_memories(root, board)
    return board


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
