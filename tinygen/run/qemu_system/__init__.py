"""QEMU as a process: its command line, its serial line, and the plugin that counts instructions in it."""
