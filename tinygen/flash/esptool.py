"""esptool: Espressif's chips, over the serial port that the firmware answers on."""

from __future__ import annotations

from tinygen.flash import Firmware, Tool


def _command(firmware: Firmware) -> tuple[str, ...]:
    port = ("--port", firmware.port) if firmware.port is not None else ()
    offset = firmware.address - firmware.board.code.address
    return ("esptool", "--chip", firmware.target, *port, "write-flash", f"0x{offset:x}", str(firmware.image))


TOOL = Tool(
    name="esptool",
    summary="esptool, over the serial port",
    programs=("esptool",),
    install="pip install 'esptool>=5'",
    image=".bin",
    command=_command,
    absent=("Could not connect to an Espressif device", "could not open port", "No serial data received"),
    connect="connect the board's USB port; hold BOOT while pressing RESET if it does not enter its loader by itself",
)
