"""Skipping a test for want of a tool, unless TINYGEN_REQUIRE says that it is there: then its absence is a failure."""

from __future__ import annotations

import os

import pytest


def need(name: str, present: bool, what: str) -> None:
    """Ends the test when `what` is absent; `name` is its word in TINYGEN_REQUIRE."""
    if present:
        return
    if name in os.environ.get("TINYGEN_REQUIRE", "").split():
        pytest.fail(f"{what} is not installed, and TINYGEN_REQUIRE says {name}")
    pytest.skip(f"{what} is not installed")
