"""st-flash of the open stlink tools: ST-LINK probes and STM32 chips, which it recognises by itself."""

from __future__ import annotations

from tinygen.flash import Firmware, Tool


def _command(firmware: Firmware) -> tuple[str, ...]:
    probe = ("--serial", firmware.probe) if firmware.probe is not None else ()
    return ("st-flash", *probe, "--reset", "write", str(firmware.image), f"0x{firmware.address:08x}")


TOOL = Tool(
    name="st-flash",
    summary="st-flash, over an ST-LINK",
    programs=("st-flash",),
    install="apt install stlink-tools, brew install stlink, or https://github.com/stlink-org/stlink",
    image=".bin",
    command=_command,
    absent=("Couldn't find any ST-Link devices", "Failed to connect to target"),
    connect="connect the board's ST-LINK USB port",
)
