"""A PlatformIO platform that uses the GNU compilers of the path, so that nothing is downloaded."""

from platformio.public import PlatformBase


class LocalPlatform(PlatformBase):
    """PlatformIO finds it by the platform's name."""
