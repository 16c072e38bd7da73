"""Evaluations are events of the registry: its evaluator records them here, in the charge's own transaction."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from audit.events import BatchEvaluated
from screening.registry.unit import RegistryContext, Unit


class RegistryRecorder:
    """Writes an evaluation's event and gives the promise for it.

    Args:
        registry: What the process knows.
    """

    def __init__(self, registry: RegistryContext) -> None:
        self._registry = registry

    def evaluated(
        self,
        session: Session,
        *,
        organisation: str,
        purpose: str,
        batch: str,
        candidates: int,
        elements: int,
        charged: int,
        time: datetime,
    ) -> Mapping[str, Any]:
        """Records an evaluation.

        Args:
            session: In the transaction that charges for it.
            organisation: Who asked.
            purpose: `screening`, `record` or `rekey`.
            batch: Id of the batch.
            candidates: Number of candidates.
            elements: Number of elements.
            charged: Number of elements charged; 0 for a batch that was asked again.
            time: When it is evaluated.

        Returns:
            The promise.

        Raises:
            AuditUnavailableError: The event cannot be written; the transaction must be rolled back.
        """
        unit = Unit(session, self._registry, lambda: time)
        event = BatchEvaluated(
            organisation=str(uuid.UUID(organisation)),
            object=batch,
            purpose=purpose,
            batch=batch,
            candidates=candidates,
            elements=elements,
            charged=charged,
        )
        return unit.record(event)
