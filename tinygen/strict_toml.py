"""A TOML table read strictly: every key has one type and one unit, and a key nobody asked for is an error."""

from __future__ import annotations

import re

from tinygen.errors import Origin, TinygenError, error

ADDRESS_SPACE = 1 << 32

_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class StrictTable:
    """One table of a board file; the errors are TG303 and name file, key, what was found and what is accepted."""

    def __init__(self, file: str, name: str, content: dict[str, object]) -> None:
        self._file = file
        self._name = name
        self._content = content
        self._asked: list[str] = []

    def fail(self, key: str, message: str) -> TinygenError:
        full = f"{self._name}.{key}" if self._name else key
        return error("TG303", f"{full}: {message}", origin=Origin(self._file))

    def has(self, key: str) -> bool:
        self._asked.append(key)
        return key in self._content

    def _get(self, key: str, accepted: str) -> object:
        if not self.has(key):
            raise self.fail(key, f"missing, accepted: {accepted}")
        return self._content[key]

    def text(self, key: str) -> str:
        value = self._get(key, "a string")
        if not isinstance(value, str) or not value.strip():
            raise self.fail(key, f"found {value!r}, accepted: a string that is not empty")
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if self.has(key) else None

    def flag(self, key: str) -> bool:
        value = self._get(key, "true or false")
        if not isinstance(value, bool):
            raise self.fail(key, f"found {value!r}, accepted: true or false")
        return value

    def choice(self, key: str, accepted: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in accepted:
            raise self.fail(key, f"found '{value}', accepted: {', '.join(accepted)}")
        return value

    def words(self, key: str, pattern: re.Pattern[str], accepted: str) -> tuple[str, ...]:
        """A list of strings that match."""
        value = self._get(key, f"a list of {accepted}")
        if not isinstance(value, list) or not all(isinstance(item, str) and pattern.fullmatch(item) for item in value):
            raise self.fail(key, f"found {value!r}, accepted: a list of {accepted}")
        return tuple(value)

    def texts(self, key: str, accepted: tuple[str, ...]) -> tuple[str, ...]:
        value = self._get(key, "a list of strings")
        if not isinstance(value, list):
            raise self.fail(key, f"found {value!r}, accepted: a list of strings")
        for item in value:
            if item not in accepted:
                raise self.fail(key, f"found {item!r}, accepted: {', '.join(accepted)}")
        if len(set(value)) != len(value):
            raise self.fail(key, f"found {value!r}, accepted: each once")
        return tuple(value)

    def integer(self, key: str, lowest: int, highest: int, unit: str) -> int:
        accepted = f"an integer in {unit} from {lowest} to {highest}"
        value = self._get(key, accepted)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise self.fail(key, f"found {value!r}, accepted: {accepted}")
        return value

    def address(self, key: str) -> int:
        return self.integer(key, 0, ADDRESS_SPACE - 1, "bytes")

    def size(self, key: str) -> int:
        value = self._get(key, 'a size such as "256 KiB"')
        match = re.fullmatch(r"([1-9][0-9]*) (B|KiB|MiB|GiB)", value) if isinstance(value, str) else None
        if match is None:
            raise self.fail(key, f'found {value!r}, accepted: a string such as "256 KiB", in B, KiB, MiB or GiB')
        return int(match[1]) * _UNITS[match[2]]

    def table(self, key: str) -> StrictTable:
        value = self._get(key, f"a table [{key}]")
        if not isinstance(value, dict):
            raise self.fail(key, f"found {value!r}, accepted: a table [{key}]")
        return StrictTable(self._file, f"{self._name}.{key}" if self._name else key, value)

    def tables(self, key: str) -> tuple[StrictTable, ...]:
        value = self._get(key, f"tables [[{key}]]")
        if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
            raise self.fail(key, f"found {value!r}, accepted: tables [[{key}]]")
        full = f"{self._name}.{key}" if self._name else key
        return tuple(StrictTable(self._file, f"{full}[{i}]", item) for i, item in enumerate(value))

    def names(self) -> tuple[str, ...]:
        self._asked += self._content
        return tuple(self._content)

    def finish(self) -> None:
        for key in self._content:
            if key not in self._asked:
                raise self.fail(key, f"unknown key, accepted: {', '.join(sorted(set(self._asked)))}")
