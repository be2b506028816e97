"""OpenOCD: debug probes of every kind; the target is configuration files, separated by spaces."""

from __future__ import annotations

import re

from tinygen.flash import Firmware, Tool


def _command(firmware: Firmware) -> tuple[str, ...]:
    files = [word for file in firmware.target.split() for word in ("-f", file)]
    probe = ("-c", f"adapter serial {firmware.probe}") if firmware.probe is not None else ()
    image = str(firmware.image)
    # OpenOCD's commands are Tcl, in which braces keep anything but plain words together.
    word = image if re.fullmatch(r"[\w./:@+-]+", image) else f"{{{image}}}"
    return ("openocd", *files, *probe, "-c", f"program {word} verify reset exit")


TOOL = Tool(
    name="openocd",
    summary="OpenOCD, over a debug probe",
    programs=("openocd",),
    install="apt install openocd, brew install open-ocd, or https://openocd.org",
    image=".elf",
    command=_command,
    absent=("open failed", "No J-Link device found", "unable to find a matching", "no device found"),
    connect="connect the board's debug USB port",
    advice=(
        ("Can't find ", "this OpenOCD has no such configuration file: a newer one, or another --tool"),
        ("LIBUSB_ERROR_ACCESS", "OpenOCD's udev rules give users access to probes: 60-openocd.rules"),
    ),
)
