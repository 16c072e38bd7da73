"""What a record says of a person and a case: sealed to the organisation's own two keys, and opened with them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any, Final

from screening.client.client import Client
from screening.client.errors import RecordSignatureError
from screening.crypto.encoding import b64u, unb64u
from screening.crypto.errors import CryptoError
from screening.crypto.sealing import seal
from screening.crypto.signing import canonical, key_id
from screening.identity import Identity, IdentityError

DOSSIER_LABEL: Final = "dossier"
NOTE_LABEL: Final = "return-note"
MAX_NOTE_BYTES: Final = 4 * 1024
"""The registry's limit for a sealed note."""


@dataclass(frozen=True, slots=True)
class CaseDetails:
    """What the organisation keeps with a record for itself; all of it may be left out. The repr hides it."""

    separated_on: date | None = field(default=None, repr=False)
    """When the working relationship ended."""

    decided_on: date | None = field(default=None, repr=False)
    """When it was determined."""

    notice: str = field(default="", repr=False)
    """How and when the person was told of the record, or why not."""

    case_reference: str = field(default="", repr=False)
    remarks: str = field(default="", repr=False)
    statement: str = field(default="", repr=False)
    """What the person says."""

    def to_dict(self) -> dict[str, str]:
        """What was entered, dates as text; empty fields are left out."""
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in asdict(self).items()
            if value
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "CaseDetails":
        """Reads what `to_dict` gives.

        Raises:
            ValueError: A field is unknown or not of its kind.
        """
        if not set(data) <= {entry.name for entry in fields(cls)}:
            raise ValueError(f"known details are {', '.join(entry.name for entry in fields(cls))}")
        if not all(isinstance(value, str) for value in data.values()):
            raise ValueError("details are text")
        dates = {name: date.fromisoformat(data[name]) for name in ("separated_on", "decided_on") if data.get(name)}
        return cls(**{**{name: value for name, value in data.items() if value}, **dates})


@dataclass(frozen=True, slots=True)
class Dossier:
    """A person as entered, and the case."""

    identity: Identity
    case: CaseDetails


def seal_dossier(client: Client, record: str, number: int, dossier: Dossier) -> dict[str, Any]:
    """Seals a dossier to the sealing and the recovery key of the organisation's own certificate.

    Args:
        client: Whose keys.
        record: The record's id, bound into the box.
        number: The version's number, bound too.
        dossier: What to seal.

    Returns:
        The dossier object that the version's statement is signed over.
    """
    content = canonical({"identity": dossier.identity.to_dict(), "case": dossier.case.to_dict()})
    certificate = client.certificate
    return {
        "boxes": [
            {
                "recipient": key_id(recipient),
                "box": b64u(
                    seal(
                        recipient,
                        content,
                        label=DOSSIER_LABEL,
                        registry=client.trust.registry,
                        object_id=record,
                        version=number,
                    )
                ),
            }
            for recipient in (certificate.sealing_key, certificate.recovery_key)
        ]
    }


def is_addressed(client: Client, boxes: Mapping[str, Any]) -> bool:
    """Whether a dossier is sealed to the profile's sealing key, and not to an earlier one of the organisation's."""
    return bool(_own_box(client, boxes))


def open_dossier(client: Client, record: str, number: int, boxes: Mapping[str, Any]) -> Dossier:
    """Opens a verified dossier with the organisation's sealing key.

    Raises:
        RecordSignatureError: It does not open (`dossier-sealed`) or is no dossier (`dossier-malformed`).
    """
    content = _open(client, record, number, _own_box(client, boxes), DOSSIER_LABEL)
    try:
        data = json.loads(content)
        return Dossier(Identity.from_dict(data["identity"]), CaseDetails.from_dict(data["case"]))
    except (IdentityError, KeyError, TypeError, ValueError):
        raise RecordSignatureError(record, "dossier-malformed", "its dossier opens, but is not readable") from None


def seal_note(client: Client, record: str, number: int, text: str) -> bytes | None:
    """Seals the note with which a version is returned, to the organisation's sealing key; None if it is too long."""
    box = seal(
        client.certificate.sealing_key,
        text.encode(),
        label=NOTE_LABEL,
        registry=client.trust.registry,
        object_id=record,
        version=number,
    )
    return box if len(box) <= MAX_NOTE_BYTES else None


def open_note(client: Client, record: str, number: int, box: str) -> str:
    """Opens the note with which a version was returned."""
    return _open(client, record, number, box, NOTE_LABEL).decode(errors="replace")


def _own_box(client: Client, boxes: Mapping[str, Any]) -> str:
    own = client.keys.sealing.key_id
    return next((str(box["box"]) for box in boxes["boxes"] if box["recipient"] == own), "")


def _open(client: Client, record: str, number: int, box: str, label: str) -> bytes:
    try:
        return client.keys.sealing.open(
            unb64u(box), label=label, registry=client.trust.registry, object_id=record, version=number
        )
    except CryptoError:
        raise RecordSignatureError(
            record, f"{label}-sealed", f"its {label} does not open with the organisation's key: it is of something else"
        ) from None
