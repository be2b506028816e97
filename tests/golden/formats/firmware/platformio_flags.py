"""The flags of CMakeLists.txt for PlatformIO, which does not pass machine flags of platformio.ini to the linker."""

Import("env")  # noqa: F821

machine = [
    "-mthumb",
    "-mcpu=cortex-m7",
    "-mfloat-abi=hard",
    "-mfpu=fpv5-sp-d16",
    "-masm-syntax-unified",
]
compiling = [
    "-std=c99",
    "-ffreestanding",
    "-g",
    "-fomit-frame-pointer",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-ffunction-sections",
    "-fdata-sections",
    "-ffp-contract=off",
    "-O2",
    "-isystem",
    "$PROJECT_DIR/firmware/libc",
]
linking = [
    "-nostartfiles",
    "-Wl,--gc-sections",
    "-nostdlib",
]
includes = [
    "$PROJECT_DIR/include",
    "$PROJECT_DIR/src",
    "$PROJECT_DIR/firmware/common",
]
env.Append(  # noqa: F821
    CCFLAGS=[*machine, *compiling],
    CPPPATH=includes,
    ASFLAGS=machine,
    LINKFLAGS=[*machine, *linking],
    LIBS=["gcc"],
)
