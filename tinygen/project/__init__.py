"""Writes a folder a firmware developer can open, build and keep, and reads it back."""

from tinygen.project.model import Manifest, Project, load_project
from tinygen.project.writer import write_library, write_project

__all__ = ["Manifest", "Project", "load_project", "write_library", "write_project"]
