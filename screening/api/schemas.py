"""What each endpoint takes. Strict: unknown fields are refused, and every length is bounded."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from screening.api.fields import Base64Url, Entries, Secret, StatementField, StrictBoolean, StrictUuid, Text

MAX_ENTRIES_PER_RECORD = 1_024
MAX_ENTRIES_PER_CANDIDATE = 128
MAX_CANDIDATES = 100
MAX_BOX_CHARACTERS = 87_382  # 64 KiB
MAX_NOTE_BYTES = 4 * 1024
MAX_PAGE = 100
MAX_CURSOR_CHARACTERS = 64

ROLES = ("auditor", "entity_admin", "recruiter", "registrar")
CATEGORIES = ("SH", "SEA")
PURPOSES = ("recruitment", "volunteer", "contract", "deployment")
LAWFUL_BASES = ("notice", "consent")


class Schema(ma.Schema):
    """A JSON object in which nothing unknown is accepted."""

    class Meta:
        """Marshmallow's options."""

        unknown = ma.RAISE


def _some_of(choices: tuple[str, ...]) -> fields.List[str]:
    def distinct(values: list[str]) -> None:
        if len(set(values)) != len(values):
            raise ma.ValidationError("A value is there twice.")

    return fields.List(
        fields.String(validate=validate.OneOf(choices)),
        required=True,
        validate=[validate.Length(min=1, max=len(choices)), distinct],
        metadata={"uniqueItems": True},
    )


def _email() -> fields.Email:
    return fields.Email(required=True, validate=validate.Length(max=254))


class LogIn(Schema):
    """Who logs in."""

    email = _email()
    password = Secret(1024, required=True)


class Invitation(Schema):
    """Who is invited; without `organisation`, to one's own."""

    organisation = StrictUuid()
    email = _email()
    name = Text(200, required=True)
    roles = _some_of(ROLES)


class Acceptance(Schema):
    """An invited person's code and the password they chose."""

    code = Secret(128, required=True)
    password = Secret(1024, required=True)


class Roles(Schema):
    """The roles that a person has from now on."""

    roles = _some_of(ROLES)


class Certificate(Schema):
    """An organisation's certificate."""

    certificate = StatementField("organisation-certificate", required=True)


class PolicyValue(Schema):
    """A new value for one policy."""

    value = fields.Integer(
        required=True, strict=True, validate=validate.Range(min=-(2**31), max=2**31 - 1)
    )  # what every database holds; the policy's own bounds are checked by the service


class DossierBox(Schema):
    """The dossier, sealed to one key."""

    recipient = fields.String(required=True, validate=validate.Regexp(r"^[0-9a-f]{32}\Z"))
    box = fields.String(required=True, validate=validate.Length(min=1, max=MAX_BOX_CHARACTERS))


class Dossier(Schema):
    """The dossier, sealed to the organisation's sealing key and its recovery key; signed as it stands."""

    boxes = fields.List(fields.Nested(DossierBox), required=True, validate=validate.Length(equal=2))


class RecordVersion(Schema):
    """A version of a record: a correction, or a draft taken up again."""

    version = StatementField("record-version", required=True)
    entries = Entries(MAX_ENTRIES_PER_RECORD, required=True)
    dossier = fields.Nested(Dossier, required=True)
    submit = StrictBoolean(required=True)


class NewRecord(RecordVersion):
    """A new record; its id is chosen by the client, as the dossier is sealed to it."""

    record = StrictUuid(required=True)


class Approval(Schema):
    """The approving organisation's statement."""

    approval = StatementField("record-approval", required=True)


class Return(Schema):
    """What the submitter should change, sealed to the organisation."""

    note = Base64Url(maximum=MAX_NOTE_BYTES, required=True)


class Withdrawal(Schema):
    """The organisation's statement that a record no longer stands."""

    withdrawal = StatementField("record-withdrawal", required=True)


class Candidate(Schema):
    """One candidate: tokens, the organisation's own mark, a sealed note to itself."""

    id = StrictUuid(required=True)
    entries = Entries(MAX_ENTRIES_PER_CANDIDATE, required=True)
    self = Base64Url(length=16, required=True)
    note = Base64Url(maximum=MAX_NOTE_BYTES, required=True)


class NewScreenings(Schema):
    """One to a hundred candidates screened for one vacancy."""

    purpose = fields.String(required=True, validate=validate.OneOf(PURPOSES))
    vacancy = Text(64, required=True)
    lawful_basis = fields.String(required=True, validate=validate.OneOf(LAWFUL_BASES))
    categories = _some_of(CATEGORIES)
    scheme = fields.String(required=True, validate=validate.Regexp(r"^[0-9a-f]{64}\Z"))
    epoch = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=2**31 - 1))
    candidates = fields.List(
        fields.Nested(Candidate), required=True, validate=validate.Length(min=1, max=MAX_CANDIDATES)
    )

    @ma.validates("candidates")
    def _distinct(self, candidates: list[dict[str, Any]], **_kwargs: Any) -> None:
        ids = [candidate["id"] for candidate in candidates if "id" in candidate]  # also asked when one did not fit
        if len(set(ids)) != len(ids):
            raise ma.ValidationError("A candidate's id is there twice.")


class CertificateQuery(Schema):
    """Which certificate; without a serial number, the one in force."""

    serial = fields.Integer(validate=validate.Range(min=1, max=2**31 - 1))


class Page(Schema):
    """Which page of a list."""

    cursor = fields.String(validate=validate.Length(min=1, max=MAX_CURSOR_CHARACTERS))
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=MAX_PAGE))


RECORD_STATES = ("draft", "submitted", "active", "disputed", "under_appeal", "suspended", "withdrawn", "expired")


class RecordPage(Page):
    """Which page of the records, and in which state."""

    state = fields.String(validate=validate.OneOf(RECORD_STATES))
