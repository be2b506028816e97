"""UF2: the file is copied to the drive that the board's bootloader shows; the target is the chip's family."""

from __future__ import annotations

from tinygen.flash import Firmware, Tool


def _command(firmware: Firmware) -> tuple[str, ...]:
    drive = "DRIVE" if firmware.drive is None else str(firmware.drive)
    return ("cp", str(firmware.image), drive)


TOOL = Tool(
    name="uf2",
    summary="a UF2 file, copied to the board's drive",
    programs=(),
    install="nothing is needed",
    image=".uf2",
    command=_command,
    absent=(),
    connect="hold BOOTSEL (or press reset twice) while plugging the board in, and mount its drive; --drive names it",
)
