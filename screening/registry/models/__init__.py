"""Tables of the registry. Import classes from here: then all of them are known to the metadata."""

from screening.registry.models.organisations import Certificate, Organisation, OrganisationKind, OrganisationState
from screening.registry.models.people import Invitation, LoginFailures, LoginSession, Person, PersonState, Role
from screening.registry.models.records import (
    Basis,
    Category,
    Record,
    RecordState,
    RecordVersion,
    Token,
    VersionState,
    WithdrawalReason,
)
from screening.registry.models.screenings import (
    GradeWord,
    LawfulBasis,
    Outcome,
    Purpose,
    Screening,
    ScreeningBucket,
    ScreeningHit,
)
from screening.registry.models.service import EventRow, IdempotencyKey, PolicyValue, TrustFileRow

__all__ = [
    "Basis",
    "Category",
    "Certificate",
    "EventRow",
    "GradeWord",
    "IdempotencyKey",
    "Invitation",
    "LawfulBasis",
    "LoginFailures",
    "LoginSession",
    "Organisation",
    "OrganisationKind",
    "OrganisationState",
    "Outcome",
    "Person",
    "PersonState",
    "PolicyValue",
    "Purpose",
    "Record",
    "RecordState",
    "RecordVersion",
    "Role",
    "Screening",
    "ScreeningBucket",
    "ScreeningHit",
    "Token",
    "TrustFileRow",
    "VersionState",
    "WithdrawalReason",
]
