"""The promise that an act is answered with: this event will be in the log within a minute.

Whoever keeps it can show, should the event never appear, that the log's owner broke its word.

A promise is `{"body": {"type": "promise", "origin", "event", "leaf", "time", "integrate_by"}, "signatures": [{"signer":
"log", "key", "signature"}]}`: Ed25519 (RFC 8032) over "screening-audit/1/promise" ‖ 0x00 ‖ canonical JSON of the body.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.canonical import AuditError, CanonicalError, b64u, canonical, format_time, key_id, parse_time, unb64u

INTEGRATE_WITHIN = timedelta(seconds=60)
"""How long after the act the event may be missing from the log."""

_LABEL = b"screening-audit/1/promise\x00"
_BODY = frozenset({"type", "origin", "event", "leaf", "time", "integrate_by"})
_SIGNATURE = frozenset({"signer", "key", "signature"})
_HASH_BYTES = 32
_SIGNATURE_BYTES = 64


class PromiseError(AuditError):
    """A promise that is malformed, of another log, or not signed by the log's key."""


@dataclass(frozen=True)
class Promise:
    """A promise that was verified."""

    origin: str
    """Name of the log."""
    event: uuid.UUID
    leaf_hash: bytes
    time: datetime
    integrate_by: datetime


def make_promise(
    sign: Callable[[bytes], bytes],
    *,
    key: str,
    origin: str,
    event_id: uuid.UUID,
    leaf_hash: bytes,
    time: datetime,
) -> dict[str, Any]:
    """Promises that an event will be in the log.

    Args:
        sign: Signs a message with the log's Ed25519 key: 64 bytes.
        key: Key id of that key.
        origin: Name of the log.
        event_id: The event's id.
        leaf_hash: The event's leaf hash, 32 bytes.
        time: When the event happened, aware.

    Returns:
        The promise as JSON.

    Raises:
        CanonicalError: The time has no zone.
    """
    body = {
        "type": "promise",
        "origin": origin,
        "event": str(event_id),
        "leaf": leaf_hash.hex(),
        "time": format_time(time),
        "integrate_by": format_time(time + INTEGRATE_WITHIN),
    }
    signature = sign(_LABEL + canonical(body))
    return {"body": body, "signatures": [{"signer": "log", "key": key, "signature": b64u(signature)}]}


def verify_promise(promise: object, *, origin: str, public_key: bytes) -> Promise:
    """Checks a promise.

    Args:
        promise: As it came, parsed from JSON.
        origin: Name of the log that must have promised.
        public_key: The log's raw Ed25519 public key, 32 bytes, from a trust file.

    Returns:
        What was promised.

    Raises:
        PromiseError: It is malformed, of another log, or not signed by that key.
    """
    body, signature = _shape(promise, key=key_id(public_key))
    try:
        verified = Promise(
            origin=body["origin"],
            event=uuid.UUID(body["event"]),
            leaf_hash=bytes.fromhex(body["leaf"]),
            time=parse_time(body["time"]),
            integrate_by=parse_time(body["integrate_by"]),
        )
        message = _LABEL + canonical(body)
        raw = unb64u(signature, _SIGNATURE_BYTES)
    except (AttributeError, CanonicalError, TypeError, ValueError) as error:
        raise PromiseError("malformed promise") from error
    if verified.origin != origin:
        raise PromiseError("a promise of another log")
    if (
        len(verified.leaf_hash) != _HASH_BYTES
        or verified.leaf_hash.hex() != body["leaf"]
        or str(verified.event) != body["event"]
        or verified.integrate_by - verified.time != INTEGRATE_WITHIN
    ):
        raise PromiseError("malformed promise")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(raw, message)
    except (InvalidSignature, ValueError) as error:
        raise PromiseError("the log's key did not sign this promise") from error
    return verified


def _shape(promise: object, *, key: str) -> tuple[Mapping[str, Any], object]:
    """Takes a promise apart into body and signature; nothing missing, nothing more."""
    if not isinstance(promise, Mapping) or promise.keys() != {"body", "signatures"}:
        raise PromiseError("malformed promise")
    body, signatures = promise["body"], promise["signatures"]
    if not isinstance(body, Mapping) or body.keys() != _BODY or body["type"] != "promise":
        raise PromiseError("malformed promise")
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise PromiseError("a promise has one signature")
    signature = signatures[0]
    if not isinstance(signature, Mapping) or signature.keys() != _SIGNATURE or signature["signer"] != "log":
        raise PromiseError("malformed signature")
    if signature["key"] != key:
        raise PromiseError("signed with another key than the log's")
    return body, signature["signature"]
