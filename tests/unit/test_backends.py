"""Finding a backend by its name, and settling what it implies."""

from __future__ import annotations

import pytest

from tinygen import backends
from tinygen.backends import find_backend, settled
from tinygen.backends.options import CompileOptions
from tinygen.errors import TinygenError
from tinygen.ir.op import Numerics


def test_backends_are_found_by_their_name() -> None:
    assert {"c"} <= set(backends.backends())
    for name, backend in backends.backends().items():
        assert backend.name == name
        assert backend.numerics
        assert backend.summary


def test_an_unknown_backend_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(TinygenError, match=", ".join(backends.backends())) as caught:
        find_backend("basic")
    assert caught.value.code == "TG407"


def test_numerics_are_the_backends_unless_chosen() -> None:
    assert settled(CompileOptions()).numerics is Numerics.LITERT
    assert settled(CompileOptions(numerics=Numerics.TFLM)).numerics is Numerics.TFLM


def test_numerics_that_a_backend_does_not_follow_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(find_backend("c")), "numerics", (Numerics.TFLM,))
    assert settled(CompileOptions()).numerics is Numerics.TFLM
    with pytest.raises(TinygenError, match="does not follow numerics litert, accepted: tflm") as caught:
        settled(CompileOptions(numerics=Numerics.LITERT))
    assert caught.value.code == "TG420"


def test_a_backend_that_lacks_something_says_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(find_backend("c")), "available", lambda self: "its package is not installed")
    with pytest.raises(TinygenError, match="the backend c cannot be used: its package is not installed") as caught:
        find_backend("c")
    assert caught.value.code == "TG404"
