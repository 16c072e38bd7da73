"""T-02 to T-06: attacks on what a thief would have, with the true answers known.

The thief knows the scheme, the code and everything public, and has 10,000 guesses among which every person of the
register stands with the right name and birth date.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime

import pytest

from screening.client.errors import ProblemError
from screening.client.evaluation import prepare
from screening.client.profile import Profile
from screening.client.transport import make_http
from screening.crypto import ristretto, voprf
from screening.crypto.keyring import KeyholderKeyring, RegistryKeyring
from screening.crypto.stretch import salt, stretch
from screening.crypto.tokens import encode_feature, token
from screening.crypto.trust import TrustFile
from screening.evaluator.keyholder import Keyholder
from screening.identity import current_scheme
from tests.needles import Scanner
from tests.populated import VICTIM, VICTIM_BUDGET, Invented, Populated, invent

GUESSES = 10_000
Function = Callable[[bytes], bytes]
"""From a stretched feature to 64 bytes of which a token is made."""


def stolen_tokens(observed: Populated) -> set[bytes]:
    """The tokens in a copy of the registry's database."""
    path = observed.consortium.directory / "registry" / "registry.sqlite"
    with closing(sqlite3.connect(path)) as database:
        return {row[0] for row in database.execute("SELECT token FROM tokens")}


def everything_in(observed: Populated) -> bytes:
    """The bytes of that database and its write-ahead log."""
    directory = observed.consortium.directory / "registry"
    return b"".join(path.read_bytes() for path in sorted(directory.glob("registry.sqlite*")))


def trust_of(observed: Populated) -> TrustFile:
    return Profile(observed.consortium.logins[VICTIM].home).trust


def shares(observed: Populated) -> tuple[bytes, bytes]:
    """The registry's and the keyholder's share."""
    directory = observed.consortium.directory
    registry = RegistryKeyring.load(directory / "registry" / "registry.keys.json")
    keyholder = KeyholderKeyring.load(directory / "keyholder" / "keyholder.keys.json")
    return registry.share, keyholder.share


@pytest.fixture(scope="module")
def guesses(observed: Populated) -> dict[Invented, list[bytes]]:
    """The thief's 10,000 persons with their stretched features: one strong feature each, to keep the test short."""
    people = [*observed.entered, *invent(GUESSES - len(observed.entered), seed=3)]
    assert len(people) == GUESSES
    assert set(observed.entered) <= set(people)
    trust, scheme = trust_of(observed), current_scheme()
    encoded = []
    for person in people:
        feature = scheme.features(person.identity, role="record")[1]
        encoded.append(encode_feature(scheme.version, feature.rule, feature.value))
    stretched = stretch(encoded, trust.stretch, salt(trust.registry, trust.epoch))
    return {person: [one] for person, one in zip(people, stretched, strict=True)}


def found(guesses: dict[Invented, list[bytes]], tokens: set[bytes], function: Function) -> set[Invented]:
    """Whom the thief finds with a function that should be the registry's."""
    return {person for person, features in guesses.items() if any(token(function(one)) in tokens for one in features)}


def with_key(*keys: bytes) -> Function:
    """The function of whoever holds these shares, as RFC 9497 §3.3.1 would evaluate it directly."""
    key = keys[0]
    for other in keys[1:]:
        key = ristretto.scalar_add(key, other)

    def function(stretched: bytes) -> bytes:
        blinded = voprf.blind(stretched)
        return voprf.finalize(stretched, blinded.blind, ristretto.scalarmult(key, blinded.element))

    return function


def test_t05_with_all_shares_every_guessed_person_is_found(
    observed: Populated, guesses: dict[Invented, list[bytes]]
) -> None:
    """The attack itself works, so that the zeros of the other tests mean something."""
    assert found(guesses, stolen_tokens(observed), with_key(*shares(observed))) == set(observed.entered)


@pytest.mark.parametrize("holder", ["registry", "keyholder"])
def test_t03_t04_with_one_share_nobody_is_found(
    observed: Populated, guesses: dict[Invented, list[bytes]], holder: str
) -> None:
    registry, keyholder = shares(observed)
    share = registry if holder == "registry" else keyholder
    assert not found(guesses, stolen_tokens(observed), with_key(share))


@pytest.mark.parametrize("holder", ["registry", "keyholder"])
def test_t03_t04_one_share_and_the_other_ones_public_share_find_nobody(
    observed: Populated, guesses: dict[Invented, list[bytes]], holder: str
) -> None:
    """What the trust file says of the other share does not stand in for it."""
    own, (mine, other) = shares(observed), trust_of(observed).evaluators
    share, public = (own[0], other.share) if holder == "registry" else (own[1], mine.share)

    def function(stretched: bytes) -> bytes:
        blinded = voprf.blind(stretched)
        combined = ristretto.add(ristretto.scalarmult(share, blinded.element), public)
        return voprf.finalize(stretched, blinded.blind, combined)

    assert not found(guesses, stolen_tokens(observed), function)


def test_t02_with_the_database_alone_nobody_is_found(observed: Populated, guesses: dict[Invented, list[bytes]]) -> None:
    tokens, content = stolen_tokens(observed), everything_in(observed)
    own_share, own_public = voprf.generate_share()
    without_key: Sequence[Function] = (
        lambda stretched: stretched * 2,
        lambda stretched: hashlib.sha512(stretched).digest(),
        lambda stretched: voprf.finalize(stretched, voprf.blind(stretched).blind, own_public),
        with_key(own_share),
    )
    for function in without_key:
        assert not found(guesses, tokens, function)
    assert not Scanner(one for features in guesses.values() for one in features).find(content)


def test_t06_an_organisations_key_buys_its_budget_and_is_seen_at_both_evaluators(observed: Populated) -> None:
    """The thief of a signing key may guess online until the budget is spent; both evaluators counted each guess."""
    victim = observed.consortium.logins[VICTIM]
    profile = Profile(victim.home)
    scheme, trust = current_scheme(), profile.trust
    before = counted(observed, str(profile.keys.organisation))
    tokens, people = stolen_tokens(observed), [*observed.entered, *invent(300, seed=4)]
    asked, hits, refused = 0, set(), None
    with make_http() as http:
        for person in people:
            feature = scheme.features(person.identity, role="query")[1]
            pending = prepare(
                [[encode_feature(scheme.version, feature.rule, feature.value)]],
                "screening",
                trust=trust,
                organisation=str(profile.keys.organisation),
                signing=profile.keys.signing,
                http=http,
                clock=_now,
            )
            try:
                [[one]] = pending.complete().tokens
            except ProblemError as refusal:
                refused = refusal.slug
                break
            asked += 1
            hits |= {person} if one in tokens else set()
    assert refused == "budget-spent"
    allowed = VICTIM_BUDGET // 8
    assert allowed <= asked <= allowed + 2  # the bucket refills a little meanwhile
    assert hits == set(people[:asked]) & set(observed.entered)
    for evaluator, elements in counted(observed, str(profile.keys.organisation)).items():
        assert elements - before[evaluator] >= 8 * asked, evaluator


def counted(observed: Populated, organisation: str) -> dict[str, int]:
    """Elements that each evaluator says it evaluated for an organisation."""
    directory = observed.consortium.directory
    usage = Keyholder(directory / "keyholder").usage()
    with closing(sqlite3.connect(directory / "registry" / "registry.sqlite")) as database:
        rows = database.execute("SELECT body FROM events WHERE tag = 'evaluator:batch:evaluated'").fetchall()
    events = [json.loads(body) for (body,) in rows]
    return {
        "keyholder": sum(one.elements for one in usage if one.organisation == organisation),
        "registry": sum(event["charged"] for event in events if event["organisation"] == organisation),
    }


def _now() -> datetime:
    return datetime.now(UTC)
