"""The SDK: what desk, command line and third parties call. Names are worked on here, and never leave.

    from screening.client import Client, Profile

Every public name is loaded when it is first asked for, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from screening.client.batch import Batch, People, Progress, read_people, write_results
    from screening.client.client import Client
    from screening.client.dossier import CaseDetails, Dossier
    from screening.client.organisations import create_organisation
    from screening.client.profile import Profile
    from screening.client.records import DryRun, OpenedRecord, RecordSummary
    from screening.client.screenings import Asked, PastCheck, ScreeningResult

_HOMES = {
    "Asked": "screenings",
    "Batch": "batch",
    "CaseDetails": "dossier",
    "Client": "client",
    "Dossier": "dossier",
    "DryRun": "records",
    "OpenedRecord": "records",
    "PastCheck": "screenings",
    "People": "batch",
    "Profile": "profile",
    "Progress": "batch",
    "RecordSummary": "records",
    "ScreeningResult": "screenings",
    "create_organisation": "organisations",
    "read_people": "batch",
    "write_results": "batch",
}

__all__ = [
    "Asked",
    "Batch",
    "CaseDetails",
    "Client",
    "Dossier",
    "DryRun",
    "OpenedRecord",
    "PastCheck",
    "People",
    "Profile",
    "Progress",
    "RecordSummary",
    "ScreeningResult",
    "create_organisation",
    "read_people",
    "write_results",
]


def __getattr__(name: str) -> Any:
    """Loads a public name from its module when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
