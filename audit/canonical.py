"""How the log writes things: canonical JSON (RFC 8785), commitments, leaf hashes (RFC 9162 §2.1.1), times, key ids.

>>> canonical({"b": 1, "a": [True, None]})
b'{"a":[true,null],"b":1}'
"""

import base64
import binascii
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import rfc8785

SALT_BYTES = 16
"""Length of an event's own salt and of every commitment's: too long to guess, short enough for every event."""

_TIME_FORM = "%Y-%m-%dT%H:%M:%SZ"
_LEAF_PREFIX = b"\x00"
_KEY_LABEL = b"screening/1/key\x00"
_KEY_ID_BYTES = 16
_MAX_PREFIXED_BYTES = 0xFFFF


class AuditError(Exception):
    """Anything that is wrong with an event, a commitment or a promise. No message repeats content."""


class CanonicalError(AuditError):
    """A value that canonical JSON cannot express, or bytes that are not in the one canonical form."""


class CommitmentError(AuditError):
    """A value and a salt that are not what was committed to."""


def canonical(value: Any) -> bytes:
    """Writes a JSON value in its one canonical form (RFC 8785).

    Args:
        value: Of dicts with text keys, lists, tuples, text, numbers, booleans and None.

    Returns:
        UTF-8 bytes.

    Raises:
        CanonicalError: It holds something else, or an integer beyond 2**53.
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise CanonicalError("the value has no canonical JSON") from error


def parse_canonical(data: bytes) -> dict[str, Any]:
    """Reads a JSON object that must be in its canonical form, so that it has no second spelling.

    Raises:
        CanonicalError: It is not JSON, not an object, or written in any other way.
    """
    try:
        value = json.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise CanonicalError("not JSON in UTF-8") from error
    if not isinstance(value, dict):
        raise CanonicalError("not a JSON object")
    if canonical(value) != data:
        raise CanonicalError("not in canonical form")
    return value


def leaf_hash(body: bytes) -> bytes:
    """The hash under which an event stands in the log's tree (RFC 9162 §2.1.1): SHA-256 of 0x00 and the event.

    Args:
        body: An event's canonical bytes.

    Returns:
        32 bytes.
    """
    return hashlib.sha256(_LEAF_PREFIX + body).digest()


def commit(salt: bytes, value: Any) -> str:
    """Commits to a value without showing it: SHA-256(lp(salt) ‖ lp(canonical JSON)), lp being a length in two bytes.

    Args:
        salt: 16 random bytes, used for this value only: without them a value of few possibilities could be guessed.
        value: A JSON value of at most 65,535 canonical bytes.

    Returns:
        Lower-case hex.

    Raises:
        CanonicalError: The value has no canonical JSON, is too long, or the salt has another length.
    """
    written = canonical(value)
    if len(salt) != SALT_BYTES or len(written) > _MAX_PREFIXED_BYTES:
        raise CanonicalError("a salt of 16 bytes and a value of at most 65,535 are needed")
    parts = (len(part).to_bytes(2, "big") + part for part in (salt, written))
    return hashlib.sha256(b"".join(parts)).hexdigest()


def verify_commitment(commitment: str, *, salt: bytes, value: Any) -> None:
    """Checks that a commitment was made to this value with this salt.

    Raises:
        CommitmentError: It was not.
    """
    try:
        expected = commit(salt, value)
    except CanonicalError as error:
        raise CommitmentError("salt or value cannot have been committed to") from error
    if not hmac.compare_digest(expected.encode(), commitment.encode()):
        raise CommitmentError("the value is not what was committed to")


def b64u(data: bytes) -> str:
    """Writes bytes as base64url without padding (RFC 4648 §5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64u(text: object, length: int) -> bytes:
    """Reads exactly `length` bytes from base64url without padding, in its canonical form only.

    Raises:
        CanonicalError: It is anything else.
    """
    if not isinstance(text, str):
        raise CanonicalError("base64url must be text")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise CanonicalError("not base64url without padding") from error
    if b64u(data) != text or len(data) != length:
        raise CanonicalError("not canonical base64url of the right length")
    return data


def format_time(time: datetime) -> str:
    """Writes a time as RFC 3339 in UTC with whole seconds, such as `2026-11-20T14:02:11Z`; fractions are cut off.

    Raises:
        CanonicalError: The time has no zone.
    """
    if time.tzinfo is None:
        raise CanonicalError("a time needs its zone")
    return time.astimezone(UTC).strftime(_TIME_FORM)


def parse_time(text: object) -> datetime:
    """Reads what `format_time` wrote, and nothing else.

    Raises:
        CanonicalError: It is anything else.
    """
    try:
        time = datetime.strptime(text, _TIME_FORM).replace(tzinfo=UTC)  # type: ignore[arg-type] # TypeError is caught
    except (TypeError, ValueError) as error:
        raise CanonicalError("not a time in UTC with whole seconds") from error
    if format_time(time) != text:
        raise CanonicalError("not a time in UTC with whole seconds")
    return time


def key_id(public_key: bytes) -> str:
    """The name of a public key: the first 16 bytes of SHA-256("screening/1/key" ‖ 0x00 ‖ key), in hex."""
    return hashlib.sha256(_KEY_LABEL + public_key).digest()[:_KEY_ID_BYTES].hex()
