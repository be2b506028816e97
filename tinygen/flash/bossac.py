"""bossac: Arduino's bootloaders, over their USB serial port."""

from __future__ import annotations

from tinygen.flash import Firmware, Tool


def _command(firmware: Firmware) -> tuple[str, ...]:
    # bossac puts /dev/ in front by itself.
    port = (f"--port={firmware.port.removeprefix('/dev/')}",) if firmware.port is not None else ()
    return ("bossac", *port, "-U", "-i", "-e", "-w", str(firmware.image), "-R")


TOOL = Tool(
    name="bossac",
    summary="bossac, over the bootloader's USB port",
    programs=("bossac",),
    install="Arduino's package of the board brings the one that knows its chip; apt install bossa-cli has an older one",
    image=".bin",
    command=_command,
    absent=("No device found",),
    connect="press the reset button twice: the bootloader's LED pulses; then name its port with --port",
    advice=(("Device unsupported", "this bossac does not know {target}; that of Arduino's board package does"),),
)
