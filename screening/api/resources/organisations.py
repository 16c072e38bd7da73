"""Participating organisations and their certificates."""

from http import HTTPStatus
from uuid import UUID

from screening.api import answers, schemas
from screening.api.operations import Answer, Blueprint, Call
from screening.api.resources import shapes
from screening.registry import organisations

blueprint = Blueprint("organisations", __name__, url_prefix="/v1", description="Participants and their certificates.")


@blueprint.operation("/organisations", "GET", answer=answers.Organisations)
def list(call: Call) -> Answer:
    """List every participant, by name."""
    rows = organisations.list_organisations(call.unit)
    return Answer({"organisations": [shapes.organisation(row) for row in rows], "next": None})


@blueprint.operation(
    "/organisations", "POST", body=schemas.Certificate, answer=answers.OrganisationAct, status=HTTPStatus.CREATED
)
def admit(call: Call) -> Answer:
    """Admit an organisation by its first certificate, which a keyholder has countersigned."""
    admitted, promise = organisations.admit_organisation(call.unit, call.body["certificate"])
    return Answer(shapes.act(promise, organisation=shapes.organisation(admitted)))


@blueprint.operation("/organisations/<uuid:organisation>", "GET", answer=answers.OneOrganisation)
def show(call: Call, *, organisation: UUID) -> Answer:
    """Show one's own organisation; a registrar or the operator's auditor sees any."""
    return Answer({"organisation": shapes.organisation(organisations.get_organisation(call.unit, organisation))})


@blueprint.operation(
    "/organisations/<uuid:organisation>/certificate",
    "GET",
    query=schemas.CertificateQuery,
    answer=answers.IssuedCertificate,
)
def show_certificate(call: Call, *, organisation: UUID) -> Answer:
    """Show an organisation's certificate: public keys, to be verified against the pinned trust file.

    Earlier ones are kept, as what was signed under them stands.
    """
    row = organisations.find_certificate(call.unit.session, organisation, call.query.get("serial"))
    return Answer({"certificate": row.statement, "fingerprint": row.fingerprint})


@blueprint.operation(
    "/organisations/<uuid:organisation>/certificate", "PUT", body=schemas.Certificate, answer=answers.OrganisationAct
)
def replace_certificate(call: Call, *, organisation: UUID) -> Answer:
    """Put one's own organisation's next certificate in force, which a keyholder has countersigned."""
    certified, promise = organisations.replace_certificate(call.unit, organisation, call.body["certificate"])
    return Answer(shapes.act(promise, organisation=shapes.organisation(certified)))


@blueprint.operation("/organisations/<uuid:organisation>/suspend", "POST", answer=answers.OrganisationAct)
def suspend(call: Call, *, organisation: UUID) -> Answer:
    """Keep an organisation from acting; its records go on to match."""
    suspended, promise = organisations.suspend_organisation(call.unit, organisation)
    return Answer(shapes.act(promise, organisation=shapes.organisation(suspended)))


@blueprint.operation("/organisations/<uuid:organisation>/reinstate", "POST", answer=answers.OrganisationAct)
def reinstate(call: Call, *, organisation: UUID) -> Answer:
    """Let a suspended organisation act again."""
    reinstated, promise = organisations.reinstate_organisation(call.unit, organisation)
    return Answer(shapes.act(promise, organisation=shapes.organisation(reinstated)))
