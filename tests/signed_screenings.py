"""Screenings as the registry answers them, each with its event, what opens it, and the promise for it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audit.canonical import b64u
from audit.events import CandidateScreened, Event, SealedEvent, seal_event
from audit.promise import make_promise
from screening.client.verification import timestamp
from screening.crypto.identifiers import uuid7
from screening.crypto.signing import SigningKey
from tests.consortium import Consortium


@dataclass
class ScreeningMaker:
    """Answers one organisation's questions.

    Attributes:
        consortium: Whose registry answers.
        organisation: Who asks.
        told: Fields of the event that are other than the answer's: what a registry tells the log that lies.
        registry: What the events say of their registry.
    """

    consortium: Consortium
    organisation: str
    told: dict[str, Any] = field(default_factory=dict)
    registry: str = ""

    def screening(
        self,
        request: Mapping[str, Any],
        candidate: Mapping[str, Any],
        outcome: str,
        grade: str | None = None,
        hits: Sequence[Mapping[str, Any]] = (),
    ) -> dict[str, Any]:
        """What the registry says of one candidate."""
        id = str(uuid7(self.consortium.clock()))
        said = {"outcome": outcome, "grade": grade, "vacancy": request["vacancy"]}
        event = {
            "actor": str(uuid.UUID(int=1)),
            "organisation": self.organisation,
            "object": id,
            "purpose": request["purpose"],
            "categories": tuple(sorted(request["categories"])),
            **said,
        }
        sealed = self.seal(CandidateScreened(**(event | self.told)))
        salts = {name: b64u(salt) for name, (salt, _) in sealed.openings.items()}
        return {
            "id": id,
            "reference": "S-7K3M-9QXZ-C",
            "candidate": candidate["id"],
            "outcome": outcome,
            "grade": grade,
            "hits": list(hits),
            "previous": [],
            "created_at": timestamp(self.consortium.clock()),
            "covered": {"organisations": 2, "categories": list(request["categories"]), "epoch": request["epoch"]},
            "event": b64u(sealed.body),
            "opening": {name: {"salt": salts[name], "value": value} for name, value in said.items()},
            "promise": self.promise(sealed),
        }

    def seal(self, event: Event) -> SealedEvent:
        """Seals an event at the consortium's time."""
        now = self.consortium.clock()
        return seal_event(event, id=uuid7(now), time=now, registry=self.registry or self.consortium.trust.registry)

    def promise(self, sealed: SealedEvent, *, key: SigningKey | None = None) -> dict[str, Any]:
        """The log's promise for an event."""
        log = key or self.consortium.registry.log
        return make_promise(
            log.sign,
            key=log.key_id,
            origin=self.consortium.trust.log_origin,
            event_id=sealed.id,
            leaf_hash=sealed.leaf_hash,
            time=sealed.time,
        )
