"""Takes the registry's answers apart, as far as no other module checks them.

What is not of the promised kind is the registry's misbehaviour, named by its path in the answer:
`Fields.of(answer.content).object("person").text("name")`.
"""

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from screening.client.errors import RegistryMisbehavedError


class Fields:
    """A JSON object of an answer.

    Args:
        content: The object.
        path: Where it stands in the answer, for errors.
    """

    def __init__(self, content: Mapping[str, Any], path: str = "") -> None:
        self.content = content
        self._path = path

    def __repr__(self) -> str:
        return f"Fields({self._path or 'answer'!r})"

    @classmethod
    def of(cls, content: object, path: str = "") -> "Fields":
        """Wraps something that must be a JSON object."""
        if not isinstance(content, Mapping):
            raise RegistryMisbehavedError(f"its answer's {path or 'content'} is not a JSON object")
        return cls(content, path)

    def text(self, name: str) -> str:
        """A string."""
        value = self.content.get(name)
        if not isinstance(value, str):
            raise self._wrong(name, "text")
        return value

    def optional_text(self, name: str) -> str | None:
        """A string, or None where the field is null or absent."""
        return None if self.content.get(name) is None else self.text(name)

    def whole_number(self, name: str) -> int:
        """An integer that is not negative."""
        value = self.content.get(name)
        if type(value) is not int or value < 0:
            raise self._wrong(name, "a whole number")
        return value

    def id(self, name: str) -> str:
        """A UUID in canonical text."""
        value = self.text(name)
        try:
            if str(uuid.UUID(value)) == value:
                return value
        except ValueError:
            pass
        raise self._wrong(name, "an id")

    def time(self, name: str) -> datetime:
        """A time with its zone."""
        try:
            value = datetime.fromisoformat(self.text(name))
        except ValueError:
            raise self._wrong(name, "a time") from None
        if value.tzinfo is None:
            raise self._wrong(name, "a time with its zone")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; an absent one is empty."""
        value = self.content.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(name, "a list of texts")
        return tuple(value)

    def object(self, name: str) -> "Fields":
        """An object."""
        return Fields.of(self.content.get(name), self._at(name))

    def objects(self, name: str) -> Iterator["Fields"]:
        """A list of objects."""
        value = self.content.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return (Fields.of(item, f"{self._at(name)}[{index}]") for index, item in enumerate(value))

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def _wrong(self, name: str, kind: str) -> RegistryMisbehavedError:
        return RegistryMisbehavedError(f"its answer's {self._at(name)} is not {kind}")
