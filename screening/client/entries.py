"""From persons to the entries that the registry stores and looks up."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from screening.client.client import Client
from screening.client.errors import TrustFileError
from screening.crypto.signing import canonical
from screening.crypto.tokens import encode_feature, pack_entry, self_token
from screening.identity import Feature, Identity, Scheme, current_scheme
from screening.identity.grading import rule_by_id

FEATURE_ROLES: Final[dict[str, Literal["record", "query"]]] = {"record": "record", "screening": "query"}

MAX_ENTRIES: Final = {"record": 1_024, "screening": 128}
"""What the registry takes for a record, and for a candidate."""


def scheme_of(client: Client) -> Scheme:
    """The installed matching scheme, which must be the one that the registry's trust file names.

    Raises:
        TrustFileError: It is another one: what it gives would match nothing.
    """
    scheme = current_scheme()
    if scheme.digest != client.trust.scheme_digest or scheme.version != client.trust.scheme_version:
        raise TrustFileError(
            "other-scheme",
            f"it names another matching scheme than the one installed (version {scheme.version}); update this program",
        )
    return scheme


def encoded(scheme: Scheme, features: Sequence[Feature]) -> list[bytes]:
    """Features as bytes for `Client.evaluate`, each once although several names may give it."""
    return list(dict.fromkeys(_encode(scheme, feature) for feature in features))


def packed(scheme: Scheme, features: Sequence[Feature], tokens: Mapping[bytes, bytes], limit: int) -> list[bytes]:
    """The entries of one person: rule, name and token of each feature, 18 bytes; sorted, none twice.

    Args:
        scheme: The matching scheme.
        features: Of the person, in the scheme's order.
        tokens: Token by encoded feature.
        limit: How many entries the registry takes. Every feature comes in with the first name that gives it before
            any comes in with a second name.
    """
    named: dict[bytes, int] = {}
    ranked: list[tuple[int, bytes]] = []
    for feature in features:
        key = _encode(scheme, feature)
        named[key] = named.get(key, -1) + 1
        ranked.append((named[key], pack_entry(rule_by_id(feature.rule).number, feature.name, tokens[key])))
    ranked.sort(key=lambda entry: entry[0])
    return sorted(dict.fromkeys(entry for _, entry in ranked[:limit]))


def _encode(scheme: Scheme, feature: Feature) -> bytes:
    return encode_feature(scheme.version, feature.rule, feature.value)


def derive(client: Client, people: Sequence[Identity], purpose: Literal["record", "screening"]) -> list[list[bytes]]:
    """Derives people's entries in one evaluation.

    Args:
        client: Asks every evaluator, and checks every proof.
        people: For `screening` at most 100, for `record` one.
        purpose: What the entries are for.

    Returns:
        For each person the entries; none for a person of whom too little is known.

    Raises:
        TrustFileError: The installed scheme is not the registry's.
        ProblemError, UnavailableError, EvaluatorMisbehavedError: Named for the evaluator.
    """
    scheme = scheme_of(client)
    features = [scheme.features(person, role=FEATURE_ROLES[purpose]) for person in people]
    asked = [encoded(scheme, listed) for listed in features]
    tokens = client.evaluate(asked, purpose)
    return [
        packed(scheme, listed, dict(zip(keys, made, strict=True)), MAX_ENTRIES[purpose])
        for listed, keys, made in zip(features, asked, tokens, strict=True)
    ]


def own_token(client: Client, person: Identity) -> bytes:
    """By which the organisation, and nobody else, recognises this person in its later checks.

    It says the same for the same details as entered, whatever the id that the organisation gave them this time.
    """
    details = {name: value for name, value in person.to_dict().items() if name != "id"}
    return self_token(client.keys.self_key, canonical(details))
