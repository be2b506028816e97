"""Renode as a process: its monitor, the firmware's serial line, and hooks that count instructions in it."""
