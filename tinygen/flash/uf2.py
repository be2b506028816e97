"""UF2, the format of bootloaders that show a drive: blocks of 512 bytes, each with its address.

Source: https://github.com/microsoft/uf2, README and utils/uf2families.json.
"""

from __future__ import annotations

import struct

from tinygen.errors import error

FAMILIES = {
    "rp2040": 0xE48BFF56,
    "rp2350-arm-s": 0xE48BFF59,
    "rp2350-riscv": 0xE48BFF5A,
    "nrf52840": 0xADA52840,
    "samd21": 0x68ED2B88,
    "samd51": 0x55114460,
    "stm32f4": 0x57755A57,
    "stm32f7": 0x53B80F00,
    "stm32h7": 0x6DB66082,
}
PAYLOAD = 256
"""Bytes in a block. Every bootloader takes blocks of this size, and none smaller ones than it erases."""

_MAGIC = (0x0A324655, 0x9E5D5157)
_MAGIC_END = 0x0AB16F30
_HAS_FAMILY = 0x2000
_BLOCK = struct.Struct("<8I476sI")


def uf2(image: bytes, address: int, family: str) -> bytes:
    """An image that begins at `address`, a multiple of PAYLOAD, as UF2; the last block is filled up with 0xff.

    `family` is a name in FAMILIES or a number such as 0xe48bff56. TG418 when it is neither.
    """
    if address % PAYLOAD:
        raise ValueError(f"found address {address:#x}, accepted: a multiple of {PAYLOAD}")
    family_id = _family(family)
    blocks = [image[start : start + PAYLOAD].ljust(PAYLOAD, b"\xff") for start in range(0, len(image), PAYLOAD)]
    return b"".join(
        _BLOCK.pack(*_MAGIC, _HAS_FAMILY, address + n * PAYLOAD, PAYLOAD, n, len(blocks), family_id, block, _MAGIC_END)
        for n, block in enumerate(blocks)
    )


def _family(family: str) -> int:
    if family in FAMILIES:
        return FAMILIES[family]
    try:
        return int(family, 16) if family.startswith("0x") and int(family, 16) < 1 << 32 else FAMILIES[family]
    except (ValueError, KeyError):
        accepted = f"{', '.join(FAMILIES)}, or a number in 32 bits that begins with 0x"
        raise error("TG418", f"found the UF2 family '{family}', accepted: {accepted}") from None
