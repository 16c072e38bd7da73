"""Records: entering people, and maintaining what was entered.

The dossier is sealed to the organisation's own two keys, from its own key file and certificate, never from an
answer. What the registry gives back is opened and believed only after its signatures, its chain and its owner were
checked. An approver's program opens the dossier, derives the entries again and compares before it signs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal
from uuid import uuid4

from screening.client.answers import Fields
from screening.client.client import Client
from screening.client.dossier import (
    CaseDetails,
    Dossier,
    is_addressed,
    open_dossier,
    open_note,
    seal_dossier,
    seal_note,
)
from screening.client.entries import derive, encoded, scheme_of
from screening.client.errors import ClientError, RecordSignatureError, RegistryMisbehavedError
from screening.client.pages import pages
from screening.client.verification import VerifiedRecord, VerifiedVersion, timestamp, verify_promise, verify_record
from screening.crypto.encoding import b64u
from screening.crypto.errors import SignatureError
from screening.crypto.identifiers import uuid7
from screening.crypto.signing import Statement, body_digest
from screening.crypto.tokens import entries_digest
from screening.identity import Identity

Category = Literal["SH", "SEA"]
Basis = Literal["determination", "pending"]
WithdrawalReason = Literal["overturned", "entered_in_error", "died", "other"]

WITHDRAWAL_REASONS: Final = ("overturned", "entered_in_error", "died", "other")


class RecordInputError(ClientError):
    """What was entered cannot become a record; nothing was sent.

    Attributes:
        code: `record-quality`, `review-date`, `dates`, `case-closed` or `note-too-long`.
        missing: For `record-quality`: what to add, in words.
    """

    def __init__(self, code: str, message: str, missing: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.missing = tuple(missing)


@dataclass(frozen=True, slots=True)
class DryRun:
    """What an identity would give as a record, found out without asking anybody."""

    sufficient: bool
    """Whether somebody who enters the same details would get a `strong` match: only then can it be submitted."""

    features: int
    """Number of features, each a way in which a candidate may agree with it."""

    missing: tuple[str, ...]
    """What to add, in words; empty when it is sufficient."""


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """A record as it stands in a list."""

    id: str
    reference: str
    state: str
    category: str
    basis: str
    number: int
    """Of its latest version."""

    etag: str
    promise: Mapping[str, Any] | None = field(default=None, repr=False)
    """For an act: the registry's verified promise that it is in the log."""


@dataclass(frozen=True)
class OpenedRecord:
    """A record, verified and opened."""

    summary: RecordSummary
    verified: VerifiedRecord
    dossier: Dossier | None = field(repr=False)
    """The latest version's; None once it was deleted, or where it is sealed to an earlier key than the profile has."""

    return_note: str | None = field(default=None, repr=False)
    """Why the latest version was returned; None too where it is sealed to an earlier key."""


class Records:
    """The organisation's own records."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def dry_run(self, identity: Identity) -> DryRun:
        """Says what an identity would give as a record. Local: no evaluation, nobody is asked."""
        scheme = scheme_of(self._client)
        quality = scheme.quality(identity)
        number = len(encoded(scheme, scheme.features(identity, role="record")))
        return DryRun(quality.can_grade_strong, number, tuple(lack.sentence for lack in quality.lacks))

    def add(
        self,
        identity: Identity,
        *,
        category: Category,
        basis: Basis,
        expires_on: date,
        review_on: date | None = None,
        case: CaseDetails | None = None,
        submit: bool = True,
    ) -> RecordSummary:
        """Enters a person.

        Args:
            identity: Whom.
            category: `SH` or `SEA`.
            basis: `determination`, or `pending` where the person left before the process ended.
            expires_on: When the record is deleted at the latest.
            review_on: For `pending`, and only there: when it is suspended unless somebody reviewed it.
            case: What the dossier says of the case.
            submit: Whether it goes to a colleague for approval at once; otherwise it stays a draft.

        Returns:
            The record.

        Raises:
            RecordInputError: The identity could not give a strong match, or the dates do not fit; nothing was sent.
            ProblemError, UnavailableError, MisbehavedError: See `screening.client.errors`.
        """
        record = str(uuid7(self._client.clock()))
        dossier = Dossier(identity, case or CaseDetails())
        terms = _Terms(category, basis, review_on, expires_on)
        body = {"record": record, **self._version(record, 1, None, dossier, terms), "submit": submit}
        return self._act("POST", "/v1/records", body)

    def correct(
        self,
        record: str,
        identity: Identity,
        *,
        category: Category | None = None,
        basis: Basis | None = None,
        expires_on: date | None = None,
        review_on: date | None = None,
        case: CaseDetails | None = None,
        submit: bool = True,
    ) -> RecordSummary:
        """Enters a new version of a record; the one that matches stays in force until this one is approved.

        Args:
            record: The record's id.
            identity: The person, complete.
            category: As in `add`; unchanged by default.
            basis: As in `add`; unchanged by default.
            expires_on: As in `add`; unchanged by default.
            review_on: As in `add`; unchanged by default while the basis stays `pending`.
            case: As in `add`; unchanged by default.
            submit: As in `add`.

        Raises:
            RecordInputError: As in `add`; or the old dossier is closed to this profile, so that `case` must be given
                (`case-closed`).
        """
        opened = self.show(record)
        latest = opened.verified.versions[-1]
        if latest.dossier is not None and opened.dossier is None and case is None:
            raise RecordInputError("case-closed", "the old dossier does not open here; say what is known of the case")
        old = latest.statement.body
        new_basis = basis or old["basis"]
        kept_review = date.fromisoformat(old["review_on"]) if old["review_on"] and new_basis == "pending" else None
        terms = _Terms(
            category or old["category"],
            new_basis,
            review_on or kept_review,
            expires_on or date.fromisoformat(old["expires_on"]),
        )
        old_case = opened.dossier.case if opened.dossier else CaseDetails()
        dossier = Dossier(identity, case or old_case)
        version = self._version(record, latest.number + 1, latest.statement.digest, dossier, terms)
        return self._act("POST", f"/v1/records/{record}/versions", {**version, "submit": submit}, opened.summary.etag)

    def submit(self, record: str) -> RecordSummary:
        """Sends a draft to a colleague for approval."""
        return self._act("POST", f"/v1/records/{record}/submit", None, self.show(record).summary.etag)

    def show(self, record: str) -> OpenedRecord:
        """Fetches a record, verifies it and opens its dossier. The look itself is in the log.

        Raises:
            RecordSignatureError: Something in it is not what the organisation signed.
        """
        content = Fields.of(self._client.call("GET", f"/v1/records/{record}").content).object("record")
        verified = self._verified(record, content.content)
        latest = verified.versions[-1]
        if latest.dossier is None or not is_addressed(self._client, latest.dossier):
            return OpenedRecord(_summary(content), verified, None)
        dossier = open_dossier(self._client, record, latest.number, latest.dossier)
        sealed_note = Fields.of(content.content["versions"][-1]).optional_text("returned_note")
        note = open_note(self._client, record, latest.number, sealed_note) if sealed_note else None
        return OpenedRecord(_summary(content), verified, dossier, note)

    def approve(self, record: str) -> RecordSummary:
        """Approves the submitted version, after deriving its entries again from its dossier.

        Raises:
            RecordSignatureError: The record does not verify (`code` says how), the version was signed under an earlier
                certificate (`earlier-certificate`), or its dossier gives other entries (`entries-differ`). Nothing was
                signed.
            ProblemError: `own-submission` when one submitted it oneself.
        """
        opened = self.show(record)
        latest = opened.verified.versions[-1]
        self._check_current(record, latest)
        self._compare(record, latest, opened.dossier)
        approval = self._signed(
            {
                "type": "record-approval",
                "record": record,
                "number": latest.number,
                "version": latest.statement.digest,
            }
        )
        return self._act("POST", f"/v1/records/{record}/approve", {"approval": approval}, opened.summary.etag)

    def return_(self, record: str, note: str) -> RecordSummary:
        """Returns the submitted version to its submitter.

        Args:
            record: The record's id.
            note: What to change; sealed, so that the registry does not read it. At most 2,800 bytes of UTF-8.

        Raises:
            RecordInputError: The note is too long (`note-too-long`).
        """
        opened = self.show(record)
        box = seal_note(self._client, record, opened.verified.versions[-1].number, note)
        if box is None:
            raise RecordInputError("note-too-long", "the note is too long; shorten it to a few sentences")
        return self._act("POST", f"/v1/records/{record}/return", {"note": b64u(box)}, opened.summary.etag)

    def withdraw(self, record: str, reason: WithdrawalReason) -> RecordSummary:
        """Withdraws a record: tokens and dossier are deleted at once, a tombstone stays."""
        opened = self.show(record)
        withdrawal = self._signed(
            {
                "type": "record-withdrawal",
                "record": record,
                "number": opened.verified.versions[-1].number,
                "reason": reason,
            }
        )
        return self._act("POST", f"/v1/records/{record}/withdraw", {"withdrawal": withdrawal}, opened.summary.etag)

    def list(self, *, state: str | None = None) -> Sequence[RecordSummary]:
        """The organisation's records, without opening any.

        Args:
            state: Only those in this state.
        """
        params = {"state": state} if state else None
        return [_summary(item) for item in pages(self._client, "/v1/records", "records", params)]

    # --- parts -------------------------------------------------------------------------------------------------------

    def _version(
        self, record: str, number: int, previous: str | None, dossier: Dossier, terms: "_Terms"
    ) -> dict[str, Any]:
        """Checks, derives, seals and signs one version; the checks come before anybody is asked."""
        terms.check(self._client.clock().date())
        dry_run = self.dry_run(dossier.identity)
        if not dry_run.sufficient:
            message = " ".join(["These details could not give a strong match.", *dry_run.missing])
            raise RecordInputError("record-quality", message, dry_run.missing)
        [entries] = derive(self._client, [dossier.identity], "record")
        boxes = seal_dossier(self._client, record, number, dossier)
        version = self._signed(
            {
                "type": "record-version",
                "record": record,
                "number": number,
                "previous": previous,
                "category": terms.category,
                "basis": terms.basis,
                "review_on": terms.review_on.isoformat() if terms.review_on else None,
                "expires_on": terms.expires_on.isoformat(),
                "scheme": self._client.trust.scheme_digest,
                "epoch": self._client.trust.epoch,
                "tokens": entries_digest(entries),
                "dossier": body_digest(boxes),
            }
        )
        return {"version": version, "entries": [b64u(entry) for entry in entries], "dossier": boxes}

    def _verified(self, record: str, content: Mapping[str, Any]) -> VerifiedRecord:
        """Verifies a record; where the certificate in force does not do, with its earlier ones too."""
        current = self._client.certificate
        try:
            return verify_record(content, self._client.trust, record=record, certificates=[current])
        except RecordSignatureError:
            if current.serial == 1:
                raise
        organisations, earlier = self._client.organisations, range(current.serial - 1, 0, -1)
        certificates = [organisations.certificate(current.organisation, serial=serial) for serial in earlier]
        return verify_record(content, self._client.trust, record=record, certificates=[current, *certificates])

    def _check_current(self, record: str, version: VerifiedVersion) -> None:
        """An earlier key may have been replaced because somebody else has it: nothing new is approved under it."""
        try:
            version.statement.verify("organisation", self._client.certificate.signing_key)
        except SignatureError:
            what = "it was submitted under an earlier certificate; it has to be drafted again"
            raise RecordSignatureError(record, "earlier-certificate", what) from None

    def _compare(self, record: str, version: VerifiedVersion, dossier: Dossier | None) -> None:
        trust = self._client.trust
        body = version.statement.body
        if version.entries is None or dossier is None:
            raise RecordSignatureError(record, "emptied", "its entries or its dossier are gone")
        if (body["scheme"], body["epoch"]) != (trust.scheme_digest, trust.epoch):
            raise RecordSignatureError(record, "other-epoch", "it was entered for another scheme or key epoch")
        [entries] = derive(self._client, [dossier.identity], "record")
        if tuple(sorted(entries)) != version.entries:
            raise RecordSignatureError(record, "entries-differ", "its dossier gives other entries than were submitted")

    def _signed(self, body: Mapping[str, Any]) -> dict[str, Any]:
        full = {
            **body,
            "registry": self._client.trust.registry,
            "organisation": self._client.organisation,
            "time": timestamp(self._client.clock()),
        }
        return Statement(full, ()).sign("organisation", self._client.keys.signing).to_json()

    def _act(self, method: str, path: str, body: object, etag: str | None = None) -> RecordSummary:
        answer = self._client.call(
            method, path, json_content=body, idempotency_key=str(uuid4()), if_match=f'"{etag}"' if etag else None
        )
        fields = Fields.of(answer.content)
        promise = verify_promise(fields.content.get("promise"), self._client.trust, now=self._client.clock())
        return _summary(fields.object("record"), promise)


@dataclass(frozen=True, slots=True)
class _Terms:
    """The clear fields of a version."""

    category: str
    basis: str
    review_on: date | None
    expires_on: date

    def check(self, today: date) -> None:
        if (self.basis == "pending") != (self.review_on is not None):
            raise RecordInputError(
                "review-date", "a pending record needs a review date, and only a pending record has one"
            )
        if self.expires_on <= today or (self.review_on is not None and not today < self.review_on <= self.expires_on):
            raise RecordInputError("dates", "the review date must lie ahead, and the expiry date not before it")


def _summary(fields: Fields, promise: Mapping[str, Any] | None = None) -> RecordSummary:
    number = fields.whole_number("number")
    if number < 1:
        raise RegistryMisbehavedError("its answer's record has no version")
    return RecordSummary(
        fields.id("id"),
        fields.text("reference"),
        fields.text("state"),
        fields.text("category"),
        fields.text("basis"),
        number,
        fields.text("etag"),
        promise,
    )
