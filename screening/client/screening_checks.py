"""What a client checks in answers about screenings: that each fits what was asked, itself, and what the log was told.

The registry answers with the event that it wrote and the promise for it. The event must be the promised one, be about
this screening and this question, and commit to what the answer says: a registry that tells the log one thing and the
client another has signed the proof of it.

What is *not* found out: a registry that leaves a true match out of answer and event alike; one that answers with a
whole earlier screening of the same question, no older than clocks may differ, as an event does not name the candidate.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from audit.canonical import AuditError, CommitmentError, leaf_hash
from audit.events import CandidateScreened, ParsedEvent, parse_event, verify_opening
from screening.client.errors import RegistryMisbehavedError
from screening.client.verification import CLOCK_TOLERANCE, timestamp, verify_promise
from screening.crypto.encoding import unb64u
from screening.crypto.errors import EncodingError
from screening.crypto.trust import TrustFile

GRADES: Final = ("strong", "likely", "possible")
"""Best first."""

_SALT_BYTES = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def verify_screenings(
    content: object, request: Mapping[str, Any], trust: TrustFile, *, organisation: str, now: datetime
) -> list[Mapping[str, Any]]:
    """Checks the answer to `POST /v1/screenings`.

    Args:
        content: The answer.
        request: What was asked: `purpose`, `vacancy`, `categories`, `epoch`, `candidates` with `id` (a UUIDv7 made
            when it was asked) and `entries`.
        trust: The pinned trust file.
        organisation: Who asked.
        now: The present, aware.

    Returns:
        The screenings, in the order of the candidates asked. An outcome that is not known passes: it is to be shown as
        "not complete".

    Raises:
        RegistryMisbehavedError: The answer does not fit the question, contradicts itself, or says something else than
            its event.
    """
    screenings = content.get("screenings") if isinstance(content, Mapping) else None
    if not isinstance(screenings, list) or not all(isinstance(s, Mapping) for s in screenings):
        raise RegistryMisbehavedError("its answer holds no screenings")
    by_candidate = {str(screening.get("candidate")): screening for screening in screenings}
    asked = {str(candidate["id"]): candidate for candidate in request["candidates"]}
    if len(screenings) != len(asked) or by_candidate.keys() != asked.keys():
        raise RegistryMisbehavedError("its answer is about other candidates than those asked")
    events = set()
    for candidate_id, candidate in asked.items():
        screening = by_candidate[candidate_id]
        _check_answer(screening, request, empty=not candidate["entries"])
        promised = verify_promise(screening.get("promise"), trust, now=now)["body"]
        body = _promised_event(screening.get("event"), promised)
        _check_event(body, screening, request, trust, organisation=organisation)
        events.add(promised["event"])
    if len(events) != len(asked):
        raise RegistryMisbehavedError("it promised one event for several screenings")
    return [by_candidate[candidate_id] for candidate_id in asked]


def verify_kept_screening(
    content: object,
    request: Mapping[str, Any],
    trust: TrustFile,
    *,
    organisation: str,
    screening: str,
    candidate: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Checks a screening as `GET /v1/screenings/{id}` gives it, with its event if it has one; no promise is for that.

    Args:
        content: The screening.
        request: What was asked, as for `verify_screenings`.
        trust: The pinned trust file.
        organisation: Who asked.
        screening: The id that was asked for.
        candidate: The candidate that it is about, one of the request's.

    Returns:
        The screening.

    Raises:
        RegistryMisbehavedError: It is another screening, does not fit the question, or contradicts itself.
    """
    about = (screening, candidate["id"])
    if not isinstance(content, Mapping) or (content.get("id"), content.get("candidate")) != about:
        raise RegistryMisbehavedError("it gave another screening than was asked for")
    _check_answer(content, request, empty=not candidate["entries"])
    _openings(content, request)
    if content.get("event") is not None:
        _check_event(_event_bytes(content["event"]), content, request, trust, organisation=organisation)
    return content


# --- the answer --------------------------------------------------------------------------------------------------


def _check_answer(screening: Mapping[str, Any], request: Mapping[str, Any], *, empty: bool) -> None:
    """Holds what a screening says against the question and against itself."""
    outcome, grade, hits = screening.get("outcome"), screening.get("grade"), screening.get("hits")
    if not isinstance(outcome, str) or not isinstance(hits, list):
        raise RegistryMisbehavedError("a screening in its answer has no outcome")
    grades = [_grade_of(hit, request) for hit in hits]
    best = min(grades, key=GRADES.index) if grades else None
    if (outcome == "insufficient") != empty:
        raise RegistryMisbehavedError("it says that details do not suffice where they were sent, or the reverse")
    if outcome in ("no_record", "insufficient") and (hits or grade is not None):
        raise RegistryMisbehavedError("a screening in its answer has hits, and an outcome that denies them")
    if outcome == "possible" and (best is None or grade != best):
        raise RegistryMisbehavedError("a screening in its answer has another grade than its hits")
    covered = screening.get("covered")
    if not isinstance(covered, Mapping) or covered.get("epoch") != request["epoch"]:
        raise RegistryMisbehavedError("a screening in its answer covers another epoch than was asked")
    categories = covered.get("categories")
    if not isinstance(categories, list) or sorted(map(str, categories)) != sorted(request["categories"]):
        raise RegistryMisbehavedError("a screening in its answer covers other categories than were asked")


def _grade_of(hit: object, request: Mapping[str, Any]) -> str:
    owner = hit.get("organisation") if isinstance(hit, Mapping) else None
    if not isinstance(hit, Mapping) or hit.get("grade") not in GRADES or not isinstance(owner, Mapping):
        raise RegistryMisbehavedError("a hit in its answer has no grade or no owner")
    if not set(hit.get("categories") or ()) <= set(request["categories"]):
        raise RegistryMisbehavedError("a hit in its answer is in a category that was not asked")
    return str(hit["grade"])


# --- the event ---------------------------------------------------------------------------------------------------


def _promised_event(given: object, promised: Mapping[str, Any]) -> bytes:
    """Reads an event's bytes, which must be those that were promised: leaf hash and id are."""
    body = _event_bytes(given)
    if leaf_hash(body).hex() != promised["leaf"] or str(_parsed(body).id) != promised["event"]:
        raise RegistryMisbehavedError("the event in its answer is not the one that its promise is for")
    return body


def _event_bytes(given: object) -> bytes:
    try:
        return unb64u(given)  # type: ignore[arg-type] # what is no text is refused
    except EncodingError:
        raise RegistryMisbehavedError("a screening in its answer lacks its event") from None


def _parsed(body: bytes) -> ParsedEvent:
    try:
        return parse_event(body)
    except AuditError as error:
        raise RegistryMisbehavedError(f"the event in its answer is none: {error}") from None


def _check_event(
    body: bytes, screening: Mapping[str, Any], request: Mapping[str, Any], trust: TrustFile, *, organisation: str
) -> None:
    """Holds what the log was told against the question and the answer."""
    event = _parsed(body)
    if event.tag != CandidateScreened.tag:
        raise RegistryMisbehavedError("the event in its answer is of another act than a screening")
    told = {
        "registry": (event.registry, trust.registry),
        "organisation": (event.organisation, organisation),
        "screening": (event.object, screening.get("id")),
        "time": (timestamp(event.time), screening.get("created_at")),
        "purpose": (event.fields["purpose"], request["purpose"]),
        "choice of categories": (sorted(event.fields["categories"]), sorted(request["categories"])),
    }
    for what, (logged, expected) in told.items():
        if logged != expected:
            raise RegistryMisbehavedError(f"the event in its answer is of another {what}")
    if event.time < _asked_at(str(screening["candidate"])) - CLOCK_TOLERANCE:
        raise RegistryMisbehavedError("its event is older than the question: an earlier one was given again")
    for name, (salt, value) in _openings(screening, request).items():
        try:
            verify_opening(body, name, salt=salt, value=value)
        except CommitmentError:
            raise RegistryMisbehavedError(f"the log was told another {name} than the answer says") from None


def _openings(screening: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, tuple[bytes, Any]]:
    """What opens the event's commitments, which must say the same as the answer: salt and value by field."""
    values = {"outcome": screening["outcome"], "grade": screening.get("grade"), "vacancy": request["vacancy"]}
    given = screening.get("opening")
    if not isinstance(given, Mapping) or given.keys() != values.keys():
        raise RegistryMisbehavedError("a screening in its answer lacks what opens its event in the log")
    openings = {}
    for name, value in values.items():
        try:
            openings[name] = (unb64u(given[name]["salt"], length=_SALT_BYTES), value)
            said = given[name]["value"]
        except (EncodingError, KeyError, TypeError):
            raise RegistryMisbehavedError("a screening in its answer lacks what opens its event in the log") from None
        if said != value:
            raise RegistryMisbehavedError(f"an opening in its answer is of another {name} than the answer says")
    return openings


def _asked_at(candidate: str) -> datetime:
    """When a candidate's id was made: a UUIDv7 begins with its time in milliseconds (RFC 9562 §5.7)."""
    return _EPOCH + timedelta(milliseconds=UUID(candidate).int >> 80)
