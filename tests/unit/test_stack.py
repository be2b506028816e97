"""The static bound of the stack: exact on programs whose depth is known, and no bound where none can be proved."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_build import BOARDS, COMPILERS, need_compiler
from tinygen.boards import load_board
from tinygen.build.builder import Link, compile_elf
from tinygen.build.compiler import find_compiler
from tinygen.build.flags import OPTIMIZATIONS
from tinygen.build.stack import StackBound, stack_bound

FRAME = 4096
"""More than an immediate of ARMv6-M or RISC-V reaches."""

HEAD = """
#define NOINLINE __attribute__((noinline))
volatile unsigned char sink, source;
int main(void);
static void touch(volatile unsigned char *at, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) { at[i] = source; }
    sink = at[source];
}
NOINLINE static int small(int x) { volatile unsigned char a[64]; touch(a, sizeof a); return x + sink; }
"""
LARGE = (
    HEAD
    + f"""
NOINLINE static int large(int x)
{{
    volatile unsigned char a[{FRAME}];
    touch(a, sizeof a);
    return small(x) + sink;
}}
int main(void) {{ return large(1) + small(2); }}
"""
)
SWITCH = (
    HEAD
    + """
NOINLINE static int pick(int x)
{
    volatile unsigned char a[256];
    touch(a, sizeof a);
    switch (x) {
    case 0: return small(3) * sink; case 1: return small(5) + 7; case 2: return small(1) ^ sink;
    case 3: return sink - 9; case 4: return sink << 2; case 5: return small(8) | 5; case 6: return small(2) - 77;
    default: return 1;
    }
}
int main(void) { return pick(source); }
"""
)
RECURSION = (
    HEAD
    + """
NOINLINE static int down(int x) { return x < 2 ? small(x) : down(x - 1) * down(x - 2) + small(x); }
int main(void) { return down(source); }
"""
)
INDIRECT = (
    HEAD
    + """
NOINLINE static int other(int x) { return x - sink; }
static int (*volatile chosen)(int) = small;
int main(void) { if (source) { chosen = other; } return chosen(1) + 1; }
"""
)
DYNAMIC = (
    HEAD
    + """
NOINLINE static int grow(unsigned int n) { unsigned char a[n]; touch(a, n); return sink; }
int main(void) { return grow(source) + 1; }
"""
)


def bound(tmp_path: Path, board: str, compiler: str, optimize: str, text: str) -> StackBound:
    need_compiler(board, compiler)
    (tmp_path / "x.c").write_text(text)
    (tmp_path / "x.ld").write_text(
        "ENTRY(main)\nSECTIONS { .text 0x10000 : "
        "{ KEEP(*(.text.main)) *(.text .text.*) *(.rodata .rodata.* .srodata .srodata.*) } "
        ".data 0x20000 : { *(.data .data.* .sdata .sdata.* .bss .bss.* .sbss .sbss.* COMMON) } "
        "/DISCARD/ : { *(.ARM.exidx* .ARM.extab*) } }\n"
    )
    link = Link(tmp_path, ("x.c",), (), (), (), tmp_path / "x.ld", tmp_path / "x.elf")
    return stack_bound(compile_elf(link, find_compiler(load_board(board).core, compiler), optimize))


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("board", BOARDS)
def test_frames_of_nested_calls_add_up(board: str, compiler: str, tmp_path: Path) -> None:
    for optimize in OPTIMIZATIONS:
        found = bound(tmp_path, board, compiler, optimize, LARGE)
        assert found.bytes is not None, found.reason
        assert FRAME + 64 <= found.bytes <= FRAME + 64 + 160


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("board", BOARDS)
def test_calls_behind_a_table_of_jumps_count(board: str, compiler: str, tmp_path: Path) -> None:
    for optimize in OPTIMIZATIONS:
        found = bound(tmp_path, board, compiler, optimize, SWITCH)
        assert found.bytes is not None, found.reason
        assert 256 + 64 <= found.bytes <= 256 + 64 + 128


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("board", ["rpi-pico", "mps2-an386", "esp32-c3"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [(RECURSION, "calls itself"), (INDIRECT, "in a register"), (DYNAMIC, "by no constant")],
    ids=["recursion", "indirect", "dynamic"],
)
def test_no_bound_says_why(text: str, reason: str, board: str, compiler: str, tmp_path: Path) -> None:
    found = bound(tmp_path, board, compiler, "-O2", text)
    assert found.bytes is None
    assert found.reason is not None
    assert reason in found.reason
