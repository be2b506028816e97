"""Runners: from an ELF to a Measurement."""
