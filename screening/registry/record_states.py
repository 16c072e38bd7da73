"""A record's life: which step leads where.

```
draft ⇄ submitted → active ⇄ disputed, under_appeal
                      ↓ review date passed: suspended → (approved again) active
any but the last two → withdrawn | expired
```

A correction is a new version beside the one that matches: it is drafted, submitted and approved like the first, and
replaces that one's tokens when it is approved.
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType

from screening.registry.errors import StateConflictError
from screening.registry.models import RecordState, VersionState

MATCHING = frozenset({RecordState.ACTIVE, RecordState.DISPUTED, RecordState.UNDER_APPEAL})
"""States in which a record is found."""

ENDED = frozenset({RecordState.WITHDRAWN, RecordState.EXPIRED})
"""States of a tombstone."""


class Step(enum.Enum):
    """What can be done with a record."""

    REVISE = "another version of this record"
    SUBMIT = "submitting"
    APPROVE = "approving"
    RETURN = "returning"
    WITHDRAW = "withdrawing"


_LIVING = frozenset(RecordState) - ENDED

_NEEDS: Mapping[Step, tuple[frozenset[RecordState], frozenset[VersionState]]] = MappingProxyType(
    {
        Step.REVISE: (_LIVING, frozenset({VersionState.DRAFT, VersionState.APPROVED})),
        Step.SUBMIT: (_LIVING, frozenset({VersionState.DRAFT})),
        Step.APPROVE: (_LIVING, frozenset({VersionState.SUBMITTED})),
        Step.RETURN: (_LIVING, frozenset({VersionState.SUBMITTED})),
        Step.WITHDRAW: (_LIVING, frozenset(VersionState)),
    }
)
"""States of the record, and of its latest version, in which a step is possible."""


def require_step(step: Step, record: RecordState, latest: VersionState) -> None:
    """Refuses a step that the states do not allow.

    Args:
        step: What is to be done.
        record: State of the record.
        latest: State of its latest version.

    Raises:
        StateConflictError: It is not possible now.
    """
    records, versions = _NEEDS[step]
    if record not in records or latest not in versions:
        raise StateConflictError(
            f"The record is {record.value.replace('_', ' ')} and its latest version {latest.value}: "
            f"{step.value} is not possible."
        )


def state_after_approval(record: RecordState) -> RecordState:
    """A record that is disputed or under appeal stays so; any other is active."""
    return record if record in MATCHING else RecordState.ACTIVE
