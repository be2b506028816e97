"""The shape of --json, which other people's programs rely on."""

from __future__ import annotations

from docs.generate import DOCS
from docs.json_schema import documents, schema

KEYS = {
    "fit": "model board fits basis arena_bytes lower_bound_bytes proof ram_bytes flash_bytes",
    "verify": "samples mismatches max_abs_diff oracle",
    "bench": "instructions kind arena_bytes ram_bytes flash_bytes stack_bytes outputs_match layers",
    "boards": "boards",
    "errors": "errors",
}


def test_promised_keys_are_in_the_schemas():
    for name, keys in KEYS.items():
        found = schema(documents()[name], name)
        required = found["anyOf"][0]["required"] if "anyOf" in found else found["required"]
        assert set(keys.split()) <= set(required)


def test_every_command_has_a_page_section():
    text = (DOCS / "json.md").read_text("utf-8")
    assert all(f"## tinygen {name}\n" in text for name in documents() if name != "errors")
