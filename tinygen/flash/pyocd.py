"""pyOCD: CMSIS-DAP, ST-LINK and J-Link probes."""

from __future__ import annotations

from tinygen.flash import Firmware, Tool


def _command(firmware: Firmware) -> tuple[str, ...]:
    probe = ("-u", firmware.probe) if firmware.probe is not None else ()
    # Without -W it waits for a probe for ever.
    return ("pyocd", "flash", "-W", "-t", firmware.target, *probe, str(firmware.image))


TOOL = Tool(
    name="pyocd",
    summary="pyOCD, over a debug probe",
    programs=("pyocd",),
    install="pip install pyocd",
    image=".elf",
    command=_command,
    absent=("No connected debug probes", "No target device available", "No debug probe"),
    connect="connect the board's debug USB port",
    advice=(("not recognized", "pyocd pack install {target}"),),
)
