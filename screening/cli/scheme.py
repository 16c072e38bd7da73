"""`screening scheme`: what is compared, and how much it counts. Local; nobody is asked."""

from pathlib import Path

import click

from screening.cli.common import emit, json_option, table
from screening.cli.person import person_options, read_person


@click.group()
def scheme() -> None:
    """Explain the matching scheme."""


@scheme.command()
@json_option
def show(as_json: bool) -> None:
    """List the scheme's rules."""
    from screening.identity import current_scheme

    current = current_scheme()
    rules = [
        {"rule": rule.id, "number": rule.number, "tier": rule.tier, "agrees": rule.sentence} for rule in current.rules
    ]
    rows = [(rule.id, rule.tier, rule.sentence) for rule in current.rules]
    text = table(rows, ("rule", "tier", "what had to agree"), "")
    emit(
        as_json,
        {"version": current.version, "digest": current.digest, "rules": rules},
        f"Scheme {current.version}, {current.digest}\n{text}",
    )


@scheme.command()
@click.option("--as", "role", type=click.Choice(["record", "query"]), default="record", show_default=True)
@person_options
@json_option
def explain(role: str, as_json: bool, file: Path | None, **details: object) -> None:
    """Show which features a person gives, the rules that they belong to, and what is missing for a strong match.

    The features are shown in clear, on this machine only.
    """
    from screening.identity import current_scheme

    current = current_scheme()
    person = read_person(file, details)
    quality = current.quality(person)
    features = current.explain(person, "query" if role == "query" else "record")
    content = {
        "scheme": {"version": current.version, "digest": current.digest},
        "features": [
            {"rule": one.rule, "tier": one.tier, "agrees": one.sentence, "value": one.value, "name": one.name}
            for one in features
        ],
        "can_grade_strong": quality.can_grade_strong,
        "can_match": quality.can_match,
        "missing": [lack.sentence for lack in quality.lacks],
    }
    rows = [(one.rule, one.tier, "-" if one.name is None else str(one.name), one.value) for one in features]
    verdict = (
        "These details can give a strong match."
        if quality.can_grade_strong
        else " ".join(["These details cannot give a strong match.", *(lack.sentence for lack in quality.lacks)])
    )
    listed = table(
        rows, ("rule", "tier", "name", "value"), "These details give no feature: nothing could be found by them."
    )
    emit(as_json, content, f"{listed}\n{verdict}")
