"""Screenings by one's own organisation."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from screening.api import answers, schemas
from screening.api.operations import Answer, Blueprint, Call
from screening.api.ratelimits import headers_of
from screening.api.resources import shapes
from screening.crypto.encoding import b64u
from screening.registry import screenings
from screening.registry.matching import OwnerHit
from screening.registry.models import Category, LawfulBasis, Purpose, Screening
from screening.registry.screenings import Candidate, ScreeningRequest, ScreeningResult

BODY_BYTES = 1024 * 1024
"""A hundred candidates with 32 entries and a note of 4 KiB each, in base64."""

blueprint = Blueprint("screenings", __name__, url_prefix="/v1", description="Checks by one's own organisation.")


@blueprint.operation("/screenings", "GET", query=schemas.Page, answer=answers.Screenings)
def list(call: Call) -> Answer:
    """List one's own organisation's screenings, the newest first."""
    page = screenings.list_screenings(call.unit, cursor=call.query.get("cursor"), limit=call.query["limit"])
    return Answer({"screenings": [_summary(row) for row in page.items], "next": page.cursor})


@blueprint.operation(
    "/screenings",
    "POST",
    body=schemas.NewScreenings,
    answer=answers.Screened,
    status=HTTPStatus.CREATED,
    body_limit=BODY_BYTES,
)
def create(call: Call) -> Answer:
    """Ask whether candidates are on record.

    Below the grade `strong` a hit says its grade and its owner; at `strong`, also the categories.
    """
    body = call.body
    request = ScreeningRequest(
        purpose=Purpose(body["purpose"]),
        vacancy=body["vacancy"],
        lawful_basis=LawfulBasis(body["lawful_basis"]),
        categories=frozenset(Category(category) for category in body["categories"]),
        scheme=body["scheme"],
        epoch=body["epoch"],
        candidates=[Candidate(one["id"], one["entries"], one["self"], one["note"]) for one in body["candidates"]],
    )
    screened = screenings.screen_candidates(call.unit, request)
    headers = headers_of(person=screened.person_budget, organisation=screened.organisation_budget)
    return Answer({"screenings": [_result(result) for result in screened.results]}, headers=headers)


@blueprint.operation("/screenings/<uuid:screening>", "GET", answer=answers.OneScreening)
def show(call: Call, *, screening: UUID) -> Answer:
    """Show a screening as it was answered. The look itself is in the access log."""
    opened = screenings.open_screening(call.unit, screening)
    row = opened.screening
    kept = {"hits": _hits(opened.hits), "covered": _covered(row), "event": b64u(opened.event), "opening": row.openings}
    return Answer(shapes.act(opened.promise, screening=_summary(row) | kept))


def _summary(row: Screening) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "reference": row.reference,
        "candidate": str(row.candidate),
        "person": str(row.person_id),
        "purpose": row.purpose.value,
        "lawful_basis": row.lawful_basis.value,
        "vacancy": row.vacancy,
        "outcome": row.outcome.value,
        "grade": row.grade.value if row.grade else None,
        "note": b64u(row.note),
        "created_at": shapes.time(row.created_at),
    }


def _covered(row: Screening) -> dict[str, Any]:
    return {
        "organisations": row.covered,
        "categories": sorted(category.value for category in row.categories),
        "epoch": row.epoch,
    }


def _result(result: ScreeningResult) -> dict[str, Any]:
    return {
        "id": str(result.id),
        "reference": result.reference,
        "candidate": str(result.candidate),
        "outcome": result.outcome.value,
        "grade": result.grade.value if result.grade else None,
        "hits": _hits(result.hits),
        "previous": [
            {"id": str(one.id), "reference": one.reference, "created_at": shapes.time(one.created_at)}
            for one in result.previous
        ],
        "created_at": shapes.time(result.created_at),
        "covered": {
            "organisations": result.covered,
            "categories": [category.value for category in result.categories],
            "epoch": result.epoch,
        },
        "event": b64u(result.event),
        "opening": result.opening,
        "promise": result.promise,
    }


def _hits(hits: Sequence[OwnerHit]) -> Sequence[dict[str, Any]]:
    return [
        {
            "grade": hit.grade.value,
            "organisation": {"id": str(hit.organisation), "name": hit.name, "contact": hit.contact},
            **({"categories": [category.value for category in hit.categories]} if hit.categories else {}),
        }
        for hit in hits
    ]
