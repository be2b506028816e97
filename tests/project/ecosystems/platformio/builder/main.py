"""The build script of the local platform: what every embedded platform's does when there is no framework."""

from SCons.Script import Default, DefaultEnvironment

env = DefaultEnvironment()
tools = {"AR": "ar", "AS": "gcc", "CC": "gcc", "CXX": "g++", "RANLIB": "ranlib", "SIZETOOL": "size"}
prefix = env.BoardConfig().get("build.prefix")
env.Replace(
    **{name: prefix + tool for name, tool in tools.items()},
    PROGSUFFIX=".elf",
    SIZEPROGREGEXP=r"^(?:\.text|\.data|\.rodata|\.boot)\s+(\d+).*",
    SIZEDATAREGEXP=r"^(?:\.data|\.bss|\.stack)\s+(\d+).*",
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
)
Default(env.BuildProgram())
