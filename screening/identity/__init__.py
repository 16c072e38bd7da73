"""People, names and dates, and the features by which two of them are compared.

    from screening.identity import Identity, current_scheme

    person = Identity.from_dict({"given": "Seán", "family": "O'Connor", "dob": "1970-02-28"})
    features = current_scheme().features(person, role="query")

Pure: no network, no files but the package's own tables, no cryptography. Importing this package, or
`screening.identity.grading` from it, loads no table; everything is loaded when it is first asked for. Normalised names
of the last few thousand persons stay in the process's memory, which makes the work on them cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from screening.identity.dates import PartialDate
    from screening.identity.documents import DOCUMENT_TYPES, Document
    from screening.identity.errors import IdentityError
    from screening.identity.features import Feature, Role
    from screening.identity.grading import Grade, Rule, Tier, grade_hits
    from screening.identity.model import Gender, Identity, Name, NameKind
    from screening.identity.quality import Lack, Quality
    from screening.identity.reading import FIELDS
    from screening.identity.scheme import Explanation, Scheme, current_scheme

_HOMES = {
    "DOCUMENT_TYPES": "documents",
    "Document": "documents",
    "Explanation": "scheme",
    "FIELDS": "reading",
    "Feature": "features",
    "Gender": "model",
    "Grade": "grading",
    "Identity": "model",
    "IdentityError": "errors",
    "Lack": "quality",
    "Name": "model",
    "NameKind": "model",
    "PartialDate": "dates",
    "Quality": "quality",
    "Role": "features",
    "Rule": "grading",
    "Scheme": "scheme",
    "Tier": "grading",
    "current_scheme": "scheme",
    "grade_hits": "grading",
}

__all__ = [
    "DOCUMENT_TYPES",
    "FIELDS",
    "Document",
    "Explanation",
    "Feature",
    "Gender",
    "Grade",
    "Identity",
    "IdentityError",
    "Lack",
    "Name",
    "NameKind",
    "PartialDate",
    "Quality",
    "Role",
    "Rule",
    "Scheme",
    "Tier",
    "current_scheme",
    "grade_hits",
]


def __getattr__(name: str) -> Any:
    """Loads a public name from its module when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
