"""Compilers: from a project to an ELF and its sizes."""
