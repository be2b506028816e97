"""The processor cores: one table of what each is, and how compilers and emulators call it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Core:
    """A CPU with its options. `features` holds what code generation may use: `dsp`, `mve`, `fpu-sp`, `fpu-dp`."""

    cpu: str
    features: tuple[str, ...]
    arch: str
    """`thumb` or `riscv`."""
    zig_flags: tuple[str, ...]
    gcc: str
    """The GNU compiler's program name."""
    gcc_flags: tuple[str, ...]
    unicorn_model: str | None
    """The constant in `unicorn.arm_const` or `unicorn.riscv_const`; None where Unicorn has no such CPU."""

    def has(self, feature: str) -> bool:
        return feature in self.features


def _arm(
    cpu: str,
    features: tuple[str, ...],
    zig_mcpu: str,
    gcc_fpu: str | None,
    unicorn_model: str | None,
    gcc_target: tuple[str, ...] = (),
) -> Core:
    zig_target = "thumb-freestanding-eabi" + ("hf" if gcc_fpu else "")
    fpu_flags = ("-mfloat-abi=hard", f"-mfpu={gcc_fpu}") if gcc_fpu else ("-mfloat-abi=soft",)
    return Core(
        cpu=cpu,
        features=features,
        arch="thumb",
        zig_flags=("-target", zig_target, f"-mcpu={zig_mcpu}"),
        gcc="arm-none-eabi-gcc",
        # Without the last, GNU reads inline assembly for ARMv6-M in a syntax nobody else knows.
        gcc_flags=("-mthumb", *(gcc_target or (f"-mcpu={cpu}",)), *fpu_flags, "-masm-syntax-unified"),
        unicorn_model=unicorn_model,
    )


def _riscv(cpu: str, zig_mcpu: str) -> Core:
    # medany reaches flash and RAM wherever the board has them. The GNU compiler is not told of zicsr: it would find
    # none of its run-time libraries built for that name, and link those for 64 bits.
    return Core(
        cpu=cpu,
        features=(),
        arch="riscv",
        zig_flags=("-target", "riscv32-freestanding-none", f"-mcpu={zig_mcpu}", "-mcmodel=medany"),
        gcc="riscv64-unknown-elf-gcc",
        gcc_flags=(f"-march={cpu}", "-mabi=ilp32", "-mcmodel=medany"),
        unicorn_model="UC_CPU_RISCV32_ANY",
    )


CORES: tuple[Core, ...] = (
    _arm("cortex-m0plus", (), "cortex_m0plus", None, "UC_CPU_ARM_CORTEX_M0"),
    _arm("cortex-m3", (), "cortex_m3", None, "UC_CPU_ARM_CORTEX_M3"),
    _arm("cortex-m4", ("dsp", "fpu-sp"), "cortex_m4+vfp4d16sp", "fpv4-sp-d16", "UC_CPU_ARM_CORTEX_M4"),
    _arm("cortex-m7", ("dsp", "fpu-sp"), "cortex_m7+fp_armv8d16sp", "fpv5-sp-d16", "UC_CPU_ARM_CORTEX_M7"),
    _arm("cortex-m7", ("dsp", "fpu-dp"), "cortex_m7+fp_armv8d16", "fpv5-d16", "UC_CPU_ARM_CORTEX_M7"),
    _arm("cortex-m33", ("dsp", "fpu-sp"), "cortex_m33+dsp+fp_armv8d16sp", "fpv5-sp-d16", "UC_CPU_ARM_CORTEX_M33"),
    _arm("cortex-m55", ("dsp", "mve", "fpu-dp"), "cortex_m55+mve_fp+fp_armv8d16", "auto", None),
    # GNU compilers before 13 do not know the name; the architecture is the M55's.
    _arm(
        "cortex-m85",
        ("dsp", "mve", "fpu-dp"),
        "cortex_m85+mve_fp+fp_armv8d16",
        "auto",
        None,
        ("-march=armv8.1-m.main+mve.fp+fp.dp", "-mtune=cortex-m55"),
    ),
    _riscv("rv32imc", "generic_rv32+m+c"),
    _riscv("rv32imac", "generic_rv32+m+a+c"),
)
"""Every core tinygen builds for."""


def find_core(cpu: str, features: tuple[str, ...]) -> Core | None:
    """The core of that name with exactly these features, in any order; None when there is none."""
    for core in CORES:
        if core.cpu == cpu and set(core.features) == set(features):
            return core
    return None
