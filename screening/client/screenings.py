"""Checks: asking about one or many candidates, and the history of what was asked.

What a check is about is kept in the registry as a note that only the organisation opens. An answer is used only after
every promise in it was verified against the pinned log key and everything in it fits what was asked; an outcome that
this version does not know is "not complete", never clear.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import uuid4

from screening.client.answers import Fields
from screening.client.client import Client
from screening.client.entries import derive, own_token
from screening.client.errors import RegistryMisbehavedError
from screening.client.pages import pages
from screening.client.screening_checks import verify_kept_screening, verify_screenings
from screening.client.verification import CLOCK_TOLERANCE, timestamp
from screening.client.wording import FOLLOW_UP, Facts, Wording, describe, known_outcome
from screening.crypto.encoding import b64u, unb64u
from screening.crypto.errors import CryptoError
from screening.crypto.identifiers import uuid7
from screening.crypto.sealing import seal
from screening.crypto.signing import canonical
from screening.identity import Identity, IdentityError

Purpose = Literal["recruitment", "volunteer", "contract", "deployment"]
LawfulBasis = Literal["notice", "consent"]

PURPOSES: Final = ("recruitment", "volunteer", "contract", "deployment")
LAWFUL_BASES: Final = ("notice", "consent")
CATEGORIES: Final = ("SH", "SEA")
MAX_CANDIDATES: Final = 100
MAX_NOTE_BYTES: Final = 4 * 1024
"""The registry's limit for a sealed note."""

PATH: Final = "/v1/screenings"
NOTE_LABEL: Final = "screening-note"
NOTE_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """Why candidates are checked."""

    purpose: Purpose
    vacancy: str
    """The organisation's reference for the vacancy, at most 64 characters; it names no person."""

    lawful_basis: LawfulBasis
    """Whether the candidate was given notice, or consented."""

    categories: tuple[str, ...] = CATEGORIES


@dataclass(frozen=True, slots=True)
class Owner:
    """The organisation that entered a record."""

    id: str
    name: str
    contact: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that may be about the candidate."""

    grade: str
    owner: Owner
    categories: tuple[str, ...]
    """Only where the grade is `strong`."""


@dataclass(frozen=True, slots=True)
class EarlierCheck:
    """A check of the same candidate, with the same details, by the same organisation."""

    id: str
    reference: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ScreeningResult:
    """What the registry answered about one candidate; verified."""

    id: str
    reference: str
    candidate: str
    outcome: str
    """One of `screening.client.wording.OUTCOMES`; `not_complete` where the registry said something unknown."""

    grade: str | None
    hits: tuple[Hit, ...]
    earlier: tuple[EarlierCheck, ...]
    created_at: datetime
    organisations_covered: int
    categories: tuple[str, ...]
    promise: Mapping[str, Any] | None = field(repr=False)
    """The registry's signed promise that this check is in the log; None where the answer that held it was lost."""

    event: str | None = field(repr=False)
    """What the log was told, base64url; with the promise, proof of what was promised."""

    opening: Mapping[str, Any] = field(repr=False)
    """What opens the event's commitments to outcome, grade and vacancy."""

    @property
    def owners(self) -> tuple[Owner, ...]:
        """Who must be asked, the owner of the best match first."""
        return tuple(dict.fromkeys(hit.owner for hit in self.hits))

    @property
    def wording(self) -> Wording:
        """What to tell the recruiter."""
        owners = [f"{owner.name} ({owner.contact})" for owner in self.owners]
        facts = Facts(self.created_at, self.categories, self.organisations_covered, self.grade, owners)
        return describe(self.outcome, facts)

    @property
    def needs_follow_up(self) -> bool:
        """Whether no decision may be taken yet."""
        return self.outcome in FOLLOW_UP

    def to_json(self) -> dict[str, Any]:
        """The result as a JSON object."""
        return {
            "id": self.id,
            "reference": self.reference,
            "candidate": self.candidate,
            "outcome": self.outcome,
            "grade": self.grade,
            "hits": [
                {
                    "grade": hit.grade,
                    "organisation": {"id": hit.owner.id, "name": hit.owner.name, "contact": hit.owner.contact},
                    "categories": list(hit.categories),
                }
                for hit in self.hits
            ],
            "earlier": [
                {"id": check.id, "reference": check.reference, "created_at": timestamp(check.created_at)}
                for check in self.earlier
            ],
            "created_at": timestamp(self.created_at),
            "covered": {"organisations": self.organisations_covered, "categories": list(self.categories)},
            "says": self.wording.text,
            "event": self.event,
            "opening": dict(self.opening),
            "promise": dict(self.promise) if self.promise is not None else None,
        }


@dataclass(frozen=True, slots=True)
class PastCheck:
    """A check in the organisation's history, its note opened."""

    id: str
    reference: str
    outcome: str
    grade: str | None
    created_at: datetime
    purpose: str
    vacancy: str
    identity: Identity | None = field(repr=False)
    """The candidate as entered; None where the note does not open."""

    shortened: bool = False
    """Whether the note holds only the primary name and birth date, as the rest was too long."""


class Screenings:
    """The organisation's checks."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def check(
        self,
        identity: Identity,
        *,
        purpose: Purpose,
        vacancy: str,
        lawful_basis: LawfulBasis,
        categories: Sequence[str] = CATEGORIES,
    ) -> ScreeningResult:
        """Checks one candidate.

        Args:
            identity: The candidate.
            purpose: What for.
            vacancy: The organisation's reference for the vacancy, at most 64 characters.
            lawful_basis: `notice` or `consent`.
            categories: What to look for.

        Returns:
            The verified result.

        Raises:
            ProblemError, UnavailableError, MisbehavedError, NotLoggedInError: See `screening.client.errors`.
        """
        [result] = self.check_all([identity], Asked(purpose, vacancy, lawful_basis, tuple(categories)))
        return result

    def check_all(self, identities: Sequence[Identity], asked: Asked) -> list[ScreeningResult]:
        """Checks up to 100 candidates at once; the results are in their order."""
        return self.send(self.prepare(identities, asked), str(uuid4()))

    def prepare(self, identities: Sequence[Identity], asked: Asked) -> dict[str, Any]:
        """Derives and seals everything, and gives the request's body, which holds no name.

        To send the same body with the same key again has the effect of sending it once.
        """
        derived = derive(self._client, identities, "screening")
        candidates = [self._candidate(*both, asked) for both in zip(identities, derived, strict=True)]
        return {
            "purpose": asked.purpose,
            "vacancy": asked.vacancy,
            "lawful_basis": asked.lawful_basis,
            "categories": list(asked.categories),
            "scheme": self._client.trust.scheme_digest,
            "epoch": self._client.trust.epoch,
            "candidates": candidates,
        }

    def send(self, body: Mapping[str, Any], idempotency_key: str) -> list[ScreeningResult]:
        """Sends what `prepare` gave.

        Args:
            body: The request.
            idempotency_key: Its own; the same when the same body is sent again.

        Returns:
            The verified results, in the order of the body's candidates.
        """
        answer = self._client.call("POST", PATH, json_content=body, idempotency_key=idempotency_key)
        verified = verify_screenings(
            answer.content,
            body,
            self._client.trust,
            organisation=self._client.organisation,
            now=self._client.clock(),
        )
        return [read_result(screening) for screening in verified]

    def find(self, body: Mapping[str, Any], since: datetime) -> list[ScreeningResult] | None:
        """Looks in the history for what a request gave whose answer was lost so long ago that it is not kept.

        Args:
            body: The request.
            since: When it was sent at the earliest.

        Returns:
            The results in the order of the body's candidates, without promises; None if the request did nothing.

        Raises:
            RegistryMisbehavedError: A part of one request was done, which cannot be; or what was done is not what was
                asked.
        """
        wanted = {candidate["id"]: candidate for candidate in body["candidates"]}
        found: dict[str, str] = {}
        for item in pages(self._client, PATH, "screenings"):
            if item.time("created_at") < since - CLOCK_TOLERANCE:
                break
            if item.id("candidate") in wanted:
                found[item.id("candidate")] = item.id("id")
        if not found:
            return None
        if len(found) != len(wanted):
            raise RegistryMisbehavedError("it holds a part of a request that is done whole or not at all")
        return [self._kept(found[id], candidate, body) for id, candidate in wanted.items()]

    def history(self) -> Iterator[PastCheck]:
        """The organisation's checks, the latest first, with the notes opened here."""
        return (self._past(item) for item in pages(self._client, PATH, "screenings"))

    def _kept(self, screening: str, candidate: Mapping[str, Any], body: Mapping[str, Any]) -> ScreeningResult:
        answer = Fields.of(self._client.call("GET", f"{PATH}/{screening}").content)
        verified = verify_kept_screening(
            answer.content.get("screening"),
            body,
            self._client.trust,
            organisation=self._client.organisation,
            screening=screening,
            candidate=candidate,
        )
        return read_result({**verified, "previous": [], "promise": None})

    def _candidate(self, identity: Identity, entries: Sequence[bytes], asked: Asked) -> dict[str, Any]:
        candidate = str(uuid7(self._client.clock()))
        return {
            "id": candidate,
            "entries": [b64u(entry) for entry in entries],
            "self": b64u(own_token(self._client, identity)),
            "note": b64u(self._seal_note(candidate, identity, asked)),
        }

    def _seal_note(self, candidate: str, identity: Identity, asked: Asked) -> bytes:
        question = {
            "purpose": asked.purpose,
            "vacancy": asked.vacancy,
            "lawful_basis": asked.lawful_basis,
            "categories": list(asked.categories),
        }
        details = identity.to_dict()
        box = self._seal(candidate, {"identity": details, "asked": question})
        if len(box) > MAX_NOTE_BYTES:
            kept = {name: details[name] for name in ("id", "given", "family", "full", "dob") if name in details}
            box = self._seal(candidate, {"identity": kept, "asked": question, "shortened": True})
        return box

    def _seal(self, candidate: str, content: Mapping[str, Any]) -> bytes:
        return seal(
            self._client.certificate.sealing_key,
            canonical(content),
            label=NOTE_LABEL,
            registry=self._client.trust.registry,
            object_id=candidate,
            version=NOTE_VERSION,
        )

    def _past(self, item: Fields) -> PastCheck:
        identity, shortened = self._open_note(item.id("candidate"), item.text("note"))
        return PastCheck(
            item.id("id"),
            item.text("reference"),
            known_outcome(item.content.get("outcome")),
            item.optional_text("grade"),
            item.time("created_at"),
            item.text("purpose"),
            item.text("vacancy"),
            identity,
            shortened,
        )

    def _open_note(self, candidate: str, note: str) -> tuple[Identity | None, bool]:
        try:
            opened = self._client.keys.sealing.open(
                unb64u(note),
                label=NOTE_LABEL,
                registry=self._client.trust.registry,
                object_id=candidate,
                version=NOTE_VERSION,
            )
            content = json.loads(opened)
            return Identity.from_dict(content["identity"]), content.get("shortened") is True
        except (CryptoError, IdentityError, KeyError, TypeError, ValueError):
            return None, False  # an earlier key of the organisation, or a note that is not of this check


def read_result(screening: object) -> ScreeningResult:
    """Reads one screening of a verified answer.

    Raises:
        RegistryMisbehavedError: Something that every screening has is missing.
    """
    fields = Fields.of(screening, "screenings")
    covered = fields.object("covered")
    hits = []
    for hit in fields.objects("hits"):
        organisation = hit.object("organisation")
        owner = Owner(organisation.id("id"), organisation.text("name"), organisation.text("contact"))
        hits.append(Hit(hit.text("grade"), owner, hit.texts("categories")))
    return ScreeningResult(
        fields.id("id"),
        fields.text("reference"),
        fields.id("candidate"),
        known_outcome(fields.content.get("outcome")),
        fields.optional_text("grade"),
        tuple(hits),
        tuple(
            EarlierCheck(check.id("id"), check.text("reference"), check.time("created_at"))
            for check in fields.objects("previous")
        ),
        fields.time("created_at"),
        covered.whole_number("organisations"),
        covered.texts("categories"),
        fields.object("promise").content if fields.content.get("promise") is not None else None,
        fields.optional_text("event"),
        fields.object("opening").content,
    )
