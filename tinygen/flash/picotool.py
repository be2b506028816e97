"""picotool: Raspberry Pi's chips in BOOTSEL mode, over USB."""

from __future__ import annotations

from tinygen.flash import Firmware, Tool


def _command(firmware: Firmware) -> tuple[str, ...]:
    which = ("--ser", firmware.probe) if firmware.probe is not None else ()
    return ("picotool", "load", "-v", "-x", *which, str(firmware.image), "-t", "elf")


TOOL = Tool(
    name="picotool",
    summary="picotool, over USB",
    programs=("picotool",),
    install="brew install picotool, or https://github.com/raspberrypi/picotool",
    image=".elf",
    command=_command,
    absent=("No accessible",),
    connect="hold BOOTSEL while plugging the board in",
)
