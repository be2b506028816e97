/* What the boot ROM looks for at the start of flash to run from there directly: two magic words, then the entry. */
    .section .boot, "a"
    .word 0xAEDB041D
    .word 0xAEDB041D
