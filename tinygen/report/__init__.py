"""Measurements and plans as text, JSON, SVG and HTML."""
