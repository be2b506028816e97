"""Writes a folder a firmware developer can open, build and keep."""
