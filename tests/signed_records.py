"""Records as the registry gives them, with every version, approval and withdrawal signed by their owner."""

import uuid
from dataclasses import dataclass
from typing import Any

from screening.client.verification import timestamp
from screening.crypto.encoding import b64u
from screening.crypto.sealing import seal
from screening.crypto.signing import Statement, body_digest
from screening.crypto.tokens import entries_digest, pack_entry
from tests.consortium import SCHEME, Consortium, Member

SUBMITTER, APPROVER = str(uuid.uuid4()), str(uuid.uuid4())


@dataclass
class RecordMaker:
    """Makes one record's parts.

    Attributes:
        consortium: Whose registry it is in.
        owner: The organisation that signs.
        record: The record's id.
    """

    consortium: Consortium
    owner: Member
    record: str

    def body(self, number: int, previous: str | None, entries: list[bytes], dossier: object) -> dict[str, Any]:
        return {
            "type": "record-version",
            "registry": self.consortium.trust.registry,
            "organisation": self.owner.keys.organisation,
            "record": self.record,
            "number": number,
            "previous": previous,
            "category": "SH",
            "basis": "determination",
            "review_on": None,
            "expires_on": "2031-11-20",
            "scheme": SCHEME,
            "epoch": 1,
            "tokens": entries_digest(entries),
            "dossier": body_digest(dossier),  # type: ignore[arg-type]  # a dossier is a JSON object
            "time": timestamp(self.consortium.clock()),
        }

    def signed(self, body: dict[str, Any]) -> dict[str, Any]:
        return Statement(body).sign("organisation", self.owner.keys.signing).to_json()

    def dossier(self, number: int) -> dict[str, Any]:
        boxes = []
        for key in (self.owner.keys.sealing, self.owner.recovery.sealing):
            box = seal(
                key.public_bytes,
                b"who it is about",
                label="dossier",
                registry=self.consortium.trust.registry,
                object_id=self.record,
                version=number,
            )
            boxes.append({"recipient": key.key_id, "box": b64u(box)})
        return {"boxes": boxes}

    def version(self, number: int, previous: str | None, state: str) -> dict[str, Any]:
        entries = [pack_entry(1 + index, 0, bytes([number, index]) * 8) for index in range(3)]
        dossier = self.dossier(number)
        body = self.body(number, previous, entries, dossier)
        approval = self.approval(body) if state in ("approved", "superseded") else None
        return {
            "number": number,
            "state": state,
            "version": self.signed(body),
            "entries": [b64u(entry) for entry in entries],
            "dossier": dossier,
            "approval": approval,
            "drafted_by": SUBMITTER,
            "submitted_by": SUBMITTER,
            "approved_by": APPROVER if approval else None,
            "returned_note": None,
        }

    def approval(self, version: dict[str, Any]) -> dict[str, Any]:
        return self.signed(
            {
                "type": "record-approval",
                **{name: version[name] for name in ("registry", "organisation", "record", "number")},
                "version": body_digest(version),
                "time": timestamp(self.consortium.clock()),
            }
        )

    def withdrawal(self, number: int) -> dict[str, Any]:
        return self.signed(
            {
                "type": "record-withdrawal",
                "registry": self.consortium.trust.registry,
                "organisation": self.owner.keys.organisation,
                "record": self.record,
                "number": number,
                "reason": "overturned",
                "time": timestamp(self.consortium.clock()),
            }
        )

    def whole(self) -> dict[str, Any]:
        """An active record with a superseded, an approved and a submitted version."""
        versions: list[dict[str, Any]] = []
        previous = None
        for number, state in enumerate(("superseded", "approved", "submitted"), start=1):
            versions.append(self.version(number, previous, state))
            previous = body_digest(versions[-1]["version"]["body"])
        return {"id": self.record, "state": "active", "withdrawal": None, "versions": versions}
