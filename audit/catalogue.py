"""The catalogue of events: every class, with its stable tag and number.

Rules of the catalogue: a tag is `source:subject:action`, the action in the past tense; a number is given once and never
used again; a field is never renamed, removed or given another type. What has to change becomes a new event.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, dataclass_transform, get_type_hints

from audit.canonical import AuditError

__all__ = [
    "CATALOGUE",
    "BatchEvaluated",
    "CandidateScreened",
    "Event",
    "EventError",
    "OrganisationAdmitted",
    "OrganisationCertified",
    "OrganisationReinstated",
    "OrganisationSuspended",
    "PersonActivated",
    "PersonInvited",
    "PersonReinstated",
    "PersonRolesChanged",
    "PersonSuspended",
    "PolicyChanged",
    "RecordApproved",
    "RecordDrafted",
    "RecordExpired",
    "RecordOpened",
    "RecordReturned",
    "RecordSubmitted",
    "RecordSuspended",
    "RecordWithdrawn",
    "RegistryInitialised",
    "ScreeningOpened",
    "SessionEnded",
    "SessionOpened",
    "SessionRefused",
    "TrustFilePublished",
]

MAX_TEXT = 256
"""Longest text in a field: events are small and say what happened, never what was written."""

BASE_FIELDS = ("actor", "organisation", "object")
FRAME = frozenset({"v", "id", "time", "n", "tag", "registry", "salt", "commitments", *BASE_FIELDS})
"""Names that every event has, and that no class may give a field of its own."""


class EventError(AuditError):
    """An event that its class does not allow."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What every event says."""

    tag: ClassVar[str]
    number: ClassVar[int]
    committed: ClassVar[frozenset[str]] = frozenset()

    actor: str | None = None
    """Id of the person who acted; None where nobody was logged in."""

    organisation: str | None = None
    """Id of the organisation that acted, or that is acted for; its auditors may read the event."""

    object: str | None = None
    """Id of what was acted on."""


_catalogue: dict[str, type[Event]] = {}
_EventT = TypeVar("_EventT", bound=Event)


def is_text(value: object) -> bool:
    """Whether this is text short enough for an event."""
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(is_text(item) for item in value)


_CHECKS: Mapping[Any, Callable[[object], bool]] = {
    str: is_text,
    str | None: lambda value: value is None or is_text(value),
    int: _is_number,
    tuple[str, ...]: _is_texts,
}


def _own_fields(cls: type[Event]) -> Mapping[str, Callable[[object], bool]]:
    """The fields that a class adds to `Event`, each with the check of its type."""
    hints = get_type_hints(cls)
    names = (entry.name for entry in dataclasses.fields(cls) if entry.name not in BASE_FIELDS)
    return {name: _CHECKS[hints[name]] for name in names}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def _event(number: int, tag: str, *, committed: tuple[str, ...] = ()) -> Callable[[type[_EventT]], type[_EventT]]:
    """Makes a class a frozen dataclass and puts it into the catalogue."""

    def enter(cls: type[_EventT]) -> type[_EventT]:
        made = dataclass(frozen=True, kw_only=True)(cls)
        made.tag, made.number, made.committed = tag, number, frozenset(committed)
        if tag in _catalogue or any(number == other.number for other in _catalogue.values()):
            raise EventError(f"{tag} or {number} is in the catalogue already")
        names = _own_fields(made).keys()
        if not made.committed <= names or names & FRAME:
            raise EventError(f"{tag} has fields that its form does not allow")
        _catalogue[tag] = made
        return made

    return enter


@_event(1, "registry:trust-file:published")
class TrustFilePublished(Event):
    """A trust file came into force."""

    serial: int
    digest: str


@_event(2, "registry:organisation:admitted")
class OrganisationAdmitted(Event):
    """An organisation joined, with this certificate."""

    certificate: str


@_event(3, "registry:organisation:certified")
class OrganisationCertified(Event):
    """An organisation's certificate was replaced by a later one."""

    serial: int
    certificate: str


@_event(4, "registry:organisation:suspended")
class OrganisationSuspended(Event):
    """An organisation may no longer act; `object` is the organisation."""


@_event(5, "registry:organisation:reinstated")
class OrganisationReinstated(Event):
    """A suspended organisation may act again."""


@_event(6, "registry:person:invited")
class PersonInvited(Event):
    """A person was given a code to join with, and these roles."""

    roles: tuple[str, ...]


@_event(7, "registry:person:activated")
class PersonActivated(Event):
    """An invited person chose a password."""


@_event(8, "registry:person:roles-changed")
class PersonRolesChanged(Event):
    """A person has these roles from now on."""

    roles: tuple[str, ...]


@_event(9, "registry:person:suspended")
class PersonSuspended(Event):
    """A person may no longer log in; all of the person's sessions ended."""


@_event(10, "registry:person:reinstated")
class PersonReinstated(Event):
    """A suspended person may log in again."""


@_event(11, "registry:session:opened")
class SessionOpened(Event):
    """A person logged in."""


@_event(12, "registry:session:ended")
class SessionEnded(Event):
    """A session was ended by its person."""


@_event(13, "registry:session:refused")
class SessionRefused(Event):
    """Somebody could not log in; `object` is the account, where there is one of that name."""

    reason: str


@_event(14, "registry:policy:changed")
class PolicyChanged(Event):
    """A policy has this value from now on."""

    name: str
    value: int


@_event(15, "evaluator:batch:evaluated")
class BatchEvaluated(Event):
    """An organisation's batch of blinded elements was evaluated; `charged` is 0 for a batch that was asked again."""

    purpose: str
    batch: str
    candidates: int
    elements: int
    charged: int


@_event(16, "registry:record:drafted")
class RecordDrafted(Event):
    """A version of a record was kept without being submitted."""

    category: str
    version_number: int


@_event(17, "registry:record:submitted")
class RecordSubmitted(Event):
    """A version of a record waits for another person's approval."""

    version_number: int


@_event(18, "registry:record:approved")
class RecordApproved(Event):
    """A version of a record was approved and matches from now on."""

    version_number: int
    version: str
    """Digest of the version's statement."""


@_event(19, "registry:record:returned")
class RecordReturned(Event):
    """A submitted version was given back as a draft."""

    version_number: int


@_event(20, "registry:record:withdrawn")
class RecordWithdrawn(Event):
    """A record was withdrawn; its tokens, entries and dossiers are gone."""

    version_number: int
    reason: str


@_event(21, "registry:record:opened")
class RecordOpened(Event):
    """A record with its sealed dossiers was given to a person of its owner."""

    version_number: int


@_event(22, "registry:candidate:screened", committed=("vacancy", "outcome", "grade"))
class CandidateScreened(Event):
    """A candidate was screened; `object` is the screening. What came out is committed to, not shown."""

    purpose: str
    vacancy: str
    outcome: str
    grade: str | None
    categories: tuple[str, ...]


@_event(23, "registry:screening:opened")
class ScreeningOpened(Event):
    """A screening's result was read again."""


@_event(24, "registry:record:suspended")
class RecordSuspended(Event):
    """A pending record's review date passed: it matches no longer, but is kept."""

    version_number: int


@_event(25, "registry:record:expired")
class RecordExpired(Event):
    """A record's retention ended; its tokens, entries and dossiers are gone."""

    version_number: int


@_event(26, "registry:registry:initialised")
class RegistryInitialised(Event):
    """A registry began, with this log; `object` is the operator's organisation."""

    log_origin: str
    log_key: str
    """Key id of the key that signs promises."""


CATALOGUE: Mapping[str, type[Event]] = MappingProxyType(_catalogue)
"""Every event class by its tag."""

FIELDS: Mapping[type[Event], Mapping[str, Callable[[object], bool]]] = MappingProxyType(
    {cls: _own_fields(cls) for cls in CATALOGUE.values()}
)
"""For every event class the fields that it adds to `Event`, each with the check of its type."""
