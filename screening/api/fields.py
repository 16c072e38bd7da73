"""Marshmallow fields for what this API takes. Their messages are fixed sentences: nothing submitted comes back.

A field's `json_schema`, where it has one, is what the OpenAPI document says of it.
"""

import base64
import re
import unicodedata
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

import marshmallow as ma
from marshmallow import fields, validate

from screening.crypto.encoding import unb64u
from screening.crypto.errors import CryptoError, EncodingError
from screening.crypto.signing import MAX_SIGNATURES, Statement

ENTRY_BYTES = 18
ENTRY_CHARACTERS = 24

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")  # these are of category Cf, and Persian and Indic names are written with them

_Data = Mapping[str, Any] | None


class Text(fields.String):
    """Text of bounded length without control, formatting or unassigned characters.

    Args:
        maximum: Most characters.
        minimum: Fewest characters.
    """

    def __init__(self, maximum: int, *, minimum: int = 1, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(min=minimum, max=maximum), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: _Data, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if any(unicodedata.category(c) in _UNWANTED and c not in _JOINERS for c in text):
            raise ma.ValidationError("Control and formatting characters are not accepted.")
        return text


class Secret(fields.String):
    """A password or code, taken as it is.

    Args:
        maximum: Most characters.
    """

    def __init__(self, maximum: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(min=1, max=maximum), **kwargs)


class StrictBoolean(fields.Field[bool]):
    """`true` or `false`, and nothing that resembles them."""

    json_schema: ClassVar[dict[str, Any]] = {"type": "boolean"}

    def _deserialize(self, value: Any, attr: str | None, data: _Data, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ma.ValidationError("Not a valid boolean.")
        return value


class StrictUuid(fields.Field[uuid.UUID]):
    """A UUID in its canonical text only."""

    json_schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "format": "uuid",
        "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    }

    def _deserialize(self, value: Any, attr: str | None, data: _Data, **kwargs: Any) -> uuid.UUID:
        try:
            identifier = uuid.UUID(value)
        except (AttributeError, TypeError, ValueError):
            raise ma.ValidationError("Not a UUID.") from None
        if str(identifier) != value:
            raise ma.ValidationError("Not a UUID in canonical text.")
        return identifier


class Base64Url(fields.Field[bytes]):
    """Bytes as canonical base64url without padding.

    Args:
        length: Exact number of bytes, if fixed.
        maximum: Most bytes, otherwise.
    """

    def __init__(self, *, length: int | None = None, maximum: int = 0, **kwargs: Any) -> None:
        self.length = length
        self.maximum = maximum if length is None else length
        characters = -(-self.maximum * 4 // 3)
        self.json_schema = {
            "type": "string",
            "contentEncoding": "base64url",
            "pattern": "^[A-Za-z0-9_-]*$",
            "minLength": characters if length is not None else 0,
            "maxLength": characters,
        }
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: _Data, **kwargs: Any) -> bytes:
        if not isinstance(value, str):
            raise ma.ValidationError("Not a valid string.")
        try:
            decoded = unb64u(value, length=self.length)
        except EncodingError:
            wanted = "" if self.length is None else f" of {self.length} bytes"
            raise ma.ValidationError(f"Not canonical base64url{wanted} without padding.") from None
        if len(decoded) > self.maximum:
            raise ma.ValidationError(f"Longer than {self.maximum} bytes.")
        return decoded


class Entries(fields.Field[list[bytes]]):
    """A list of token entries, each 18 bytes as 24 characters; read as a whole, as this is where requests are hot.

    Args:
        maximum: Most entries.
    """

    def __init__(self, maximum: int, **kwargs: Any) -> None:
        self.maximum = maximum
        self.json_schema = {
            "type": "array",
            "maxItems": maximum,
            "uniqueItems": True,
            "items": {"type": "string", "pattern": "^[A-Za-z0-9_-]{24}$"},
        }
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: _Data, **kwargs: Any) -> list[bytes]:
        if not isinstance(value, list):
            raise ma.ValidationError("Not a valid list.")
        if len(value) > self.maximum:
            raise ma.ValidationError(f"More than {self.maximum} entries.")
        if not all(type(entry) is str and len(entry) == ENTRY_CHARACTERS for entry in value):
            raise ma.ValidationError(f"Each entry must be a string of {ENTRY_CHARACTERS} characters.")
        joined = "".join(value)
        if not _BASE64URL.fullmatch(joined):
            raise ma.ValidationError("Each entry must be base64url without padding.")
        if len(set(value)) != len(value):
            raise ma.ValidationError("An entry is there twice.")
        decoded = base64.urlsafe_b64decode(joined)
        return [decoded[start : start + ENTRY_BYTES] for start in range(0, len(decoded), ENTRY_BYTES)]


class StatementField(fields.Field[Statement]):
    """A signed statement: a body with a type, and signatures. The services check who signed what.

    Args:
        statement_type: The `type` that its body must have.
    """

    def __init__(self, statement_type: str, **kwargs: Any) -> None:
        self.statement_type = statement_type
        signature = {
            "type": "object",
            "properties": {name: {"type": "string"} for name in ("signer", "key", "signature")},
            "required": ["signer", "key", "signature"],
            "additionalProperties": False,
        }
        self.json_schema = {
            "type": "object",
            "properties": {
                "body": {"type": "object", "properties": {"type": {"const": statement_type}}, "required": ["type"]},
                "signatures": {"type": "array", "items": signature, "minItems": 1, "maxItems": MAX_SIGNATURES},
            },
            "required": ["body", "signatures"],
            "additionalProperties": False,
        }
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: _Data, **kwargs: Any) -> Statement:
        try:
            return Statement.from_json(value, expected_type=self.statement_type)
        except CryptoError:
            raise ma.ValidationError(f"Not a signed statement of type {self.statement_type}.") from None
