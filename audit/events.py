"""How an event is sealed and read; the classes are in `audit.catalogue` and can be had from here.

An event is one act. It holds no name of a person looked for and nothing that was submitted about one: who acted, for
which organisation, on which object, when, and the few fields that its class declares. A field that only some may read
stands as a commitment whose salt its entitled reader keeps. A salt of the event's own keeps leaf hashes from being
guessed.

>>> from datetime import UTC, datetime
>>> from uuid import UUID
>>> event = RecordApproved(actor="a", organisation="o", object="r", version_number=1, version="00")
>>> sealed = seal_event(event, id=UUID(int=7), time=datetime(2026, 11, 20, tzinfo=UTC), registry="example")
>>> parse_event(sealed.body).fields["version_number"]
1
"""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from audit.canonical import (
    SALT_BYTES,
    CanonicalError,
    b64u,
    canonical,
    commit,
    format_time,
    leaf_hash,
    parse_canonical,
    parse_time,
    unb64u,
    verify_commitment,
)
from audit.catalogue import *  # noqa: F403 - `__all__` is the catalogue; everything is used by name below or by callers
from audit.catalogue import BASE_FIELDS, CATALOGUE, FIELDS, FRAME, Event, EventError, is_text

FORMAT_VERSION = 1
"""`v` in every event."""

_HEX_DIGEST = 64


@dataclass(frozen=True)
class SealedEvent:
    """An event as it is stored and hashed."""

    id: uuid.UUID
    tag: str
    time: datetime
    """Whole seconds, UTC."""
    body: bytes
    leaf_hash: bytes
    openings: Mapping[str, tuple[bytes, Any]] = field(repr=False)
    """For each field committed to: salt and value. Given to the entitled reader, never stored with the event."""


@dataclass(frozen=True)
class ParsedEvent:
    """What an event's bytes say."""

    id: uuid.UUID
    time: datetime
    number: int
    tag: str
    registry: str
    actor: str | None
    organisation: str | None
    object: str | None
    fields: Mapping[str, Any]
    """What the event's class adds, without what it commits to."""
    commitments: Mapping[str, str]
    """Field to commitment, in hex."""
    leaf_hash: bytes


def seal_event(
    event: Event,
    *,
    id: uuid.UUID,
    time: datetime,
    registry: str,
    salt: bytes | None = None,
    salts: Mapping[str, bytes] | None = None,
) -> SealedEvent:
    """Writes an event in its final form.

    Args:
        event: Of a class in the catalogue.
        id: The event's own id.
        time: When it happened, aware; fractions of a second are cut off.
        registry: Id of the registry in which it happened.
        salt: The event's own salt of 16 bytes; random when left out.
        salts: For each field committed to, a salt of 16 bytes; random when left out.

    Returns:
        The event's bytes, its leaf hash, and the openings of its commitments.

    Raises:
        EventError: A field has a value that its type does not allow, or the class is not in the catalogue.
        CanonicalError: A time without a zone, or a salt of another length.
    """
    cls = type(event)
    if CATALOGUE.get(getattr(cls, "tag", "")) is not cls:
        raise EventError("the event's class is not in the catalogue")
    _check_frame(registry=registry, actor=event.actor, organisation=event.organisation, object=event.object)
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    if len(salt) != SALT_BYTES:
        raise CanonicalError(f"a salt has {SALT_BYTES} bytes")
    written = format_time(time)
    content: dict[str, Any] = {
        "v": FORMAT_VERSION,
        "id": str(id),
        "time": written,
        "n": cls.number,
        "tag": cls.tag,
        "registry": registry,
        "actor": event.actor,
        "organisation": event.organisation,
        "object": event.object,
        "salt": b64u(salt),
    }
    openings: dict[str, tuple[bytes, Any]] = {}
    for name, allowed in FIELDS[cls].items():
        value = getattr(event, name)
        if not allowed(value):
            raise EventError(f"{cls.tag}: {name} has a value that its type does not allow")
        value = list(value) if isinstance(value, tuple) else value
        if name in cls.committed:
            openings[name] = ((salts or {}).get(name) or secrets.token_bytes(SALT_BYTES), value)
        else:
            content[name] = value
    if cls.committed:
        content["commitments"] = {name: commit(*opening) for name, opening in openings.items()}
    body = canonical(content)
    return SealedEvent(id, cls.tag, parse_time(written), body, leaf_hash(body), MappingProxyType(openings))


def parse_event(body: bytes) -> ParsedEvent:
    """Reads an event's bytes, strictly: canonical form, a known tag with its number, exactly its class's fields.

    Raises:
        CanonicalError: The bytes are not canonical JSON, or an id, time or salt in it is malformed.
        EventError: The tag is unknown, or the fields are not those of its class.
    """
    content = parse_canonical(body)
    cls = CATALOGUE.get(content["tag"]) if isinstance(content.get("tag"), str) else None
    if cls is None or content.get("n") != cls.number or content.get("v") != FORMAT_VERSION:
        raise EventError("an event of unknown tag, number or version")
    shown = FIELDS[cls].keys() - cls.committed
    frame = FRAME if cls.committed else FRAME - {"commitments"}
    if content.keys() != frame | shown:
        raise EventError(f"{cls.tag}: missing or unknown fields")
    for name in shown:
        if not FIELDS[cls][name](content[name]):
            raise EventError(f"{cls.tag}: {name} has a value that its type does not allow")
    commitments = content.get("commitments", {})
    if not isinstance(commitments, dict) or commitments.keys() != cls.committed:
        raise EventError(f"{cls.tag}: missing or unknown commitments")
    if not all(_is_digest(value) for value in commitments.values()):
        raise EventError(f"{cls.tag}: a commitment is no SHA-256 digest in hex")
    _check_frame(**{name: content[name] for name in ("registry", *BASE_FIELDS)})
    unb64u(content["salt"], SALT_BYTES)
    return ParsedEvent(
        id=_parse_id(content["id"]),
        time=parse_time(content["time"]),
        number=cls.number,
        tag=cls.tag,
        registry=content["registry"],
        actor=content["actor"],
        organisation=content["organisation"],
        object=content["object"],
        fields=MappingProxyType({name: content[name] for name in shown}),
        commitments=MappingProxyType(commitments),
        leaf_hash=leaf_hash(body),
    )


def verify_opening(body: bytes, field: str, *, salt: bytes, value: Any) -> None:
    """Checks that an event committed to this value of a field.

    Args:
        body: The event's bytes.
        field: Name of the field.
        salt: The salt that its reader was given, 16 bytes.
        value: The value that its reader was given.

    Raises:
        CommitmentError: The event committed to something else.
        EventError: The event commits to no such field, or is not an event.
        CanonicalError: The bytes are not in canonical form.
    """
    commitment = parse_event(body).commitments.get(field)
    if commitment is None:
        raise EventError("the event commits to no such field")
    verify_commitment(commitment, salt=salt, value=value)


def _check_frame(*, registry: object, actor: object, organisation: object, object: object) -> None:
    if not is_text(registry) or not registry:
        raise EventError("an event names its registry")
    if not all(value is None or is_text(value) for value in (actor, organisation, object)):
        raise EventError("actor, organisation and object are short texts or nothing")


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == _HEX_DIGEST and all(c in "0123456789abcdef" for c in value)


def _parse_id(text: object) -> uuid.UUID:
    try:
        parsed = uuid.UUID(text)  # type: ignore[arg-type] # what is no text is caught
    except (AttributeError, TypeError, ValueError) as error:
        raise CanonicalError("not a UUID") from error
    if str(parsed) != text:
        raise CanonicalError("not a UUID in canonical text")
    return parsed
