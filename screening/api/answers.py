"""What each endpoint answers, for the OpenAPI document; tests hold the answers to it."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from screening.api.schemas import CATEGORIES, LAWFUL_BASES, PURPOSES, RECORD_STATES, ROLES

TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
GRADES = ("strong", "likely", "possible")


def _text(**kwargs: Any) -> fields.String:
    return fields.String(required=True, **kwargs)


def _one_of(*words: str, **kwargs: Any) -> fields.String:
    return fields.String(required=True, validate=validate.OneOf(words), **kwargs)


def _whole(**kwargs: Any) -> fields.Integer:
    return fields.Integer(required=True, strict=True, **kwargs)


def _id(**kwargs: Any) -> fields.UUID:
    return fields.UUID(required=True, **kwargs)


def _time(**kwargs: Any) -> fields.String:
    return fields.String(required=True, metadata={"pattern": TIME, "format": "date-time"}, **kwargs)


def _statement(**kwargs: Any) -> fields.Dict:
    return fields.Dict(keys=fields.String(), required=True, metadata={"description": "signed statement"}, **kwargs)


def _promise() -> fields.Dict:
    return fields.Dict(keys=fields.String(), required=True, metadata={"description": "promise for the act's event"})


def _event() -> fields.String:
    return _text(metadata={"description": "the candidate's event in the access log: canonical bytes, base64url"})


def _opening() -> fields.Dict:
    return fields.Dict(required=True, metadata={"description": "salts and values of the event's commitments"})


def _list(schema: type[ma.Schema]) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True)


def _page(name: str, schema: type[ma.Schema], field: str) -> type[ma.Schema]:
    made: type[ma.Schema] = ma.Schema.from_dict(
        {
            field: _list(schema),
            "next": fields.String(
                required=True,
                allow_none=True,
                metadata={"description": "`cursor` of the next page; null after the last"},
            ),
        },
        name=name,
    )
    return made


class Act(ma.Schema):
    """Done, and nothing else to say."""

    promise = _promise()


class Person(ma.Schema):
    """A person of an organisation."""

    id = _id()
    organisation = _id()
    email = _text()
    name = _text()
    roles = fields.List(fields.String(validate=validate.OneOf(ROLES)), required=True)
    state = _one_of("invited", "active", "suspended")
    created_at = _time()


class LoggedInPerson(ma.Schema):
    """Who logged in."""

    id = _id()
    name = _text()
    organisation = _id()
    roles = fields.List(fields.String(validate=validate.OneOf(ROLES)), required=True)


class LoggedIn(ma.Schema):
    """A new session; the token is shown this once."""

    token = _text()
    person = fields.Nested(LoggedInPerson, required=True)
    expires_at = _time()
    promise = _promise()


class LoginSession(ma.Schema):
    """One of one's own sessions."""

    id = _id()
    created_at = _time()
    last_used_at = _time()
    expires_at = _time()
    current = fields.Boolean(required=True)


class LoginSessions(ma.Schema):
    """One's own sessions that have not ended."""

    sessions = _list(LoginSession)


class Invited(ma.Schema):
    """An invited person; the code is shown this once."""

    person = fields.Nested(Person, required=True)
    code = _text()
    expires_at = _time()
    promise = _promise()


class PersonAct(ma.Schema):
    """A person as they are after the act."""

    person = fields.Nested(Person, required=True)
    promise = _promise()


class OnePerson(ma.Schema):
    """One person."""

    person = fields.Nested(Person, required=True)


People = _page("People", Person, "people")


class Organisation(ma.Schema):
    """A participant."""

    id = _id()
    kind = _one_of("operator", "member")
    name = _text()
    contact = _text()
    state = _one_of("active", "suspended")
    certificate_serial = _whole(allow_none=True)
    created_at = _time()


class OneOrganisation(ma.Schema):
    """One organisation."""

    organisation = fields.Nested(Organisation, required=True)


class OrganisationAct(ma.Schema):
    """An organisation as it is after the act."""

    organisation = fields.Nested(Organisation, required=True)
    promise = _promise()


class IssuedCertificate(ma.Schema):
    """An organisation's certificate in force, or the earlier one that was asked for."""

    certificate = _statement()
    fingerprint = _text()


Organisations = _page("Organisations", Organisation, "organisations")


class Policy(ma.Schema):
    """A policy with its value and bounds."""

    name = _text()
    value = _whole()
    default = _whole()
    minimum = _whole()
    maximum = _whole()
    unit = _text()
    description = _text()
    changed_at = _time(allow_none=True)


class Policies(ma.Schema):
    """All policies."""

    policy = _list(Policy)


class PolicyAct(ma.Schema):
    """A policy after its change."""

    policy = fields.Nested(Policy, required=True)
    promise = _promise()


class Trust(ma.Schema):
    """The trust file in force."""

    trust = _statement()
    fingerprint = _text()


class Record(ma.Schema):
    """A record without its versions."""

    id = _id()
    reference = _text()
    state = _one_of(*RECORD_STATES)
    category = _one_of(*CATEGORIES)
    basis = _one_of("determination", "pending")
    review_on = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    expires_on = _text(metadata={"format": "date"})
    number = _whole(metadata={"description": "of the latest version"})
    approved_number = _whole(allow_none=True)
    etag = _text()
    created_at = _time()
    updated_at = _time()


class StoredVersion(ma.Schema):
    """A version; dossier and entries are gone with the record."""

    number = _whole()
    state = _one_of("draft", "submitted", "approved", "superseded")
    version = _statement()
    approval = _statement(allow_none=True)
    dossier = fields.Dict(required=True, allow_none=True)
    entries = fields.List(fields.String(), required=True, allow_none=True)
    drafted_by = _id()
    submitted_by = _id(allow_none=True)
    approved_by = _id(allow_none=True)
    returned_note = fields.String(required=True, allow_none=True)


class WholeRecord(Record):
    """A record with all its versions."""

    withdrawal = _statement(allow_none=True)
    versions = _list(StoredVersion)


class OneRecord(ma.Schema):
    """One record; reading it is an act."""

    record = fields.Nested(WholeRecord, required=True)
    promise = _promise()


class RecordAct(ma.Schema):
    """A record as it is after the act."""

    record = fields.Nested(Record, required=True)
    promise = _promise()


Records = _page("Records", Record, "records")


class Owner(ma.Schema):
    """Who owns a record that was hit."""

    id = _id()
    name = _text()
    contact = _text()


class Hit(ma.Schema):
    """An organisation whose record matched."""

    grade = _one_of(*GRADES)
    organisation = fields.Nested(Owner, required=True)
    categories = fields.List(
        fields.String(validate=validate.OneOf(CATEGORIES)), metadata={"description": "only where the grade is strong"}
    )


class Previous(ma.Schema):
    """An earlier screening of the same candidate by the same organisation."""

    id = _id()
    reference = _text()
    created_at = _time()


class Covered(ma.Schema):
    """What was searched."""

    organisations = _whole()
    categories = fields.List(fields.String(validate=validate.OneOf(CATEGORIES)), required=True)
    epoch = _whole()


class Screening(ma.Schema):
    """What a screening says."""

    id = _id()
    reference = _text()
    candidate = _id()
    outcome = _one_of("no_record", "possible", "insufficient")
    grade = _one_of(*GRADES, allow_none=True)
    hits = _list(Hit)
    previous = _list(Previous)
    created_at = _time()
    covered = fields.Nested(Covered, required=True)
    event = _event()
    opening = _opening()


class ScreenedCandidate(Screening):
    """A screening with the promise for its event."""

    promise = _promise()


class Screened(ma.Schema):
    """The screenings, in the order of the candidates."""

    screenings = _list(ScreenedCandidate)


class ScreeningSummary(ma.Schema):
    """A screening in a list."""

    id = _id()
    reference = _text()
    candidate = _id()
    person = _id()
    purpose = _one_of(*PURPOSES)
    lawful_basis = _one_of(*LAWFUL_BASES)
    vacancy = _text()
    outcome = _one_of("no_record", "possible", "insufficient")
    grade = _one_of(*GRADES, allow_none=True)
    note = _text(metadata={"description": "sealed to the organisation"})
    created_at = _time()


Screenings = _page("Screenings", ScreeningSummary, "screenings")


class KeptScreening(ScreeningSummary):
    """A screening as it was answered."""

    hits = _list(Hit)
    covered = fields.Nested(Covered, required=True)
    event = _event()
    opening = _opening()


class OneScreening(ma.Schema):
    """One screening; reading it is an act."""

    screening = fields.Nested(KeptScreening, required=True)
    promise = _promise()


class Evaluation(ma.Schema):
    """Evaluated elements with the proof that the evaluator's share was used."""

    protocol = _text()
    registry = _text()
    epoch = _whole()
    evaluator = _text()
    batch = _id()
    elements = fields.List(fields.String(), required=True)
    proof = _text()
    charged = _whole()
    remaining = _whole()
    promise = _promise()


class Health(ma.Schema):
    """State of the service."""

    status = _one_of("live", "ready")
