"""A board on Unicorn: its memory map, its UART, faults with names, and exact instruction counts."""
