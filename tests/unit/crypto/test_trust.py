"""Trust files: every way in which one must not be trusted has a code of its own."""

import copy
import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from screening.crypto import ristretto, voprf
from screening.crypto.encoding import b64u
from screening.crypto.errors import TrustError
from screening.crypto.keyring import KeyholderKeyring, RegistryKeyring
from screening.crypto.signing import SigningKey, Statement, body_digest
from screening.crypto.stretch import DEFAULT, StretchParameters
from screening.crypto.trust import (
    EvaluatorEntry,
    TrustFile,
    WitnessEntry,
    build_trust_file,
    fingerprint,
    read_trust_file,
    verify_trust_file,
)
from tests.vectors import ristretto_twin as twin

NOW = datetime(2026, 11, 20, 14, 2, 11, 999_999, tzinfo=UTC)
CHEAP = StretchParameters(memory_kib=8, iterations=1, parallelism=1, length=32)

REGISTRY = RegistryKeyring.generate(registry="demo")
NORTH, SOUTH = (KeyholderKeyring.generate(keyholder=name) for name in ("north", "south"))
SIGNERS = {"registry": REGISTRY.signing, "north": NORTH.signing, "south": SOUTH.signing}


def entry(id: str, signing: SigningKey, share: bytes) -> EvaluatorEntry:
    return EvaluatorEntry(id, f"https://{id}.example", voprf.public_share(share), signing.verifying_key)


OWN = entry("registry", REGISTRY.signing, REGISTRY.share)
TWO = (OWN, entry("north", NORTH.signing, NORTH.share))
THREE = (*TWO, entry("south", SOUTH.signing, SOUTH.share))


def built(**changes: Any) -> Statement:
    values: dict[str, Any] = {
        "registry": "demo",
        "serial": 1,
        "previous": None,
        "epoch": 1,
        "scheme_version": 1,
        "scheme_digest": "5c" * 32,
        "stretch": CHEAP,
        "evaluators": TWO,
        "log_origin": "demo.example/log",
        "log_key": REGISTRY.log.public_bytes,
        "witnesses": [WitnessEntry("north", NORTH.witness.public_bytes)],
        "quorum": 1,
        "issued_at": NOW,
    }
    return build_trust_file(**(values | changes))


def signed(statement: Statement, *signers: str) -> Statement:
    for signer in signers or ("registry", "north"):
        statement = statement.sign(signer, SIGNERS[signer])
    return statement


def verified(statement: Statement, predecessor: TrustFile | None = None) -> TrustFile:
    read = Statement.from_json(copy.deepcopy(statement.to_json()), expected_type="trust-file")
    return verify_trust_file(read, predecessor=predecessor, minimum=CHEAP)


def refused(statement: Statement, code: str, predecessor: TrustFile | None = None) -> None:
    with pytest.raises(TrustError) as caught:
        verify_trust_file(statement, predecessor=predecessor, minimum=CHEAP)
    assert caught.value.code == code


FIRST = verified(signed(built()))


def successor(**changes: Any) -> Statement:
    return built(**({"serial": 2, "previous": FIRST.statement.digest} | changes))


# --- what is accepted --------------------------------------------------------------------------------------------


def test_a_verified_trust_file_says_what_was_built() -> None:
    assert (FIRST.registry, FIRST.serial, FIRST.previous, FIRST.epoch) == ("demo", 1, None, 1)
    assert (FIRST.scheme_version, FIRST.scheme_digest, FIRST.stretch) == (1, "5c" * 32, CHEAP)
    assert (FIRST.evaluators, FIRST.keyholders) == (TWO, TWO[1:])
    assert (FIRST.log_origin, FIRST.log_key) == ("demo.example/log", REGISTRY.log.public_bytes)
    assert FIRST.witnesses == (WitnessEntry("north", NORTH.witness.public_bytes),)
    assert (FIRST.quorum, FIRST.issued_at) == (1, NOW.replace(microsecond=0))


def test_the_body_is_the_documented_one() -> None:
    body = FIRST.statement.body
    fields = (
        "type version registry serial previous epoch scheme suite stretch evaluators log witnesses quorum issued_at"
    )
    assert " ".join(body) == fields
    assert body["issued_at"] == "2026-11-20T14:02:11Z"
    assert body["suite"] == "ristretto255-SHA512"
    assert body["evaluators"][0] == {
        "id": "registry",
        "url": "https://registry.example",
        "share": b64u(voprf.public_share(REGISTRY.share)),
        "signing_key": b64u(REGISTRY.signing.public_bytes),
    }


def test_the_fingerprint_is_the_documented_hash_and_can_be_read_aloud() -> None:
    whole = hashlib.sha256(b"screening/1/trust-file\x00" + rfc8785.dumps(dict(FIRST.statement.body))).hexdigest()
    assert FIRST.fingerprint == whole == fingerprint(FIRST.statement.body)
    groups = FIRST.spoken_fingerprint.split(" ")
    assert [len(group) for group in groups] == [4] * 8
    assert "".join(groups) == whole[:32]


def test_signatures_do_not_change_the_fingerprint() -> None:
    more = FIRST.statement.sign("somebody", SigningKey.generate())
    assert fingerprint(more.body) == FIRST.fingerprint
    assert verified(more).fingerprint == FIRST.fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"evaluators": TWO},
        {"epoch": 2, "evaluators": THREE},
        {"epoch": 2, "stretch": DEFAULT},
        {"scheme_version": 2, "scheme_digest": "ab" * 32},
        {"witnesses": [], "quorum": 0},
    ],
)
def test_a_successor_signed_by_all_of_both_is_accepted(changes: dict[str, Any]) -> None:
    assert verified(signed(successor(**changes), *SIGNERS), FIRST).serial == 2


def test_shares_may_be_refreshed_within_an_epoch_if_their_sum_stays() -> None:
    delta = ristretto.random_scalar()
    one = ristretto.scalar_add(REGISTRY.share, delta)
    other = ristretto.scalar_sub(NORTH.share, delta)
    fresh = [entry("registry", REGISTRY.signing, one), entry("north", NORTH.signing, other)]
    assert verified(signed(successor(evaluators=fresh)), FIRST).evaluators == tuple(fresh)


def test_a_later_trust_file_can_be_the_first_that_one_pins() -> None:
    assert verified(signed(successor())).serial == 2


# --- signatures --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signers", [("registry",), ("north",), ("south",)])
def test_a_missing_signature_is_refused(signers: tuple[str, ...]) -> None:
    refused(signed(built(), *signers), "signature-missing")


def test_an_unsigned_trust_file_is_refused() -> None:
    refused(built(), "signature-missing")


def test_a_signature_with_another_key_is_refused() -> None:
    refused(signed(built(), "registry").sign("north", SigningKey.generate()), "signature-of-another-key")
    refused(signed(built(), "registry").sign("north", REGISTRY.signing), "signature-of-another-key")


def test_a_changed_body_is_refused() -> None:
    body = {**FIRST.statement.body, "quorum": 0}
    refused(Statement(body, FIRST.statement.signatures), "signature-wrong")


def test_a_signature_over_another_body_is_refused() -> None:
    other = signed(built(epoch=2))
    refused(Statement(FIRST.statement.body, other.signatures), "signature-wrong")


def test_a_successor_that_the_predecessor_s_evaluators_did_not_sign_is_refused() -> None:
    """North is removed and does not sign: nobody can be removed without notice."""
    without = [OWN, THREE[2]]
    refused(signed(successor(evaluators=without, epoch=2), "registry", "south"), "predecessor-signature-missing", FIRST)
    assert verified(signed(successor(evaluators=without, epoch=2), *SIGNERS), FIRST).serial == 2


def test_a_successor_must_be_signed_with_the_predecessor_s_keys() -> None:
    """The keyholder's key is exchanged: the new one alone is not enough."""
    new = SigningKey.generate()
    statement = successor(evaluators=[OWN, entry("north", new, NORTH.share)])
    with_new = signed(statement, "registry").sign("north", new)
    refused(with_new, "predecessor-signature-of-another-key", FIRST)
    assert verified(with_new.sign("north", NORTH.signing), FIRST).serial == 2


# --- succession --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"registry": "other"}, "registry-differs"),
        ({"serial": 3}, "serial-differs"),
        ({"serial": 1, "previous": None}, "serial-differs"),
        ({"previous": "0" * 64}, "previous-differs"),
        ({"previous": None}, "previous-differs"),
        ({"stretch": replace(CHEAP, iterations=2)}, "epoch-differs"),
        ({"evaluators": THREE}, "epoch-differs"),
    ],
)
def test_what_does_not_follow_the_predecessor_is_refused(changes: dict[str, Any], code: str) -> None:
    refused(signed(successor(**changes), *SIGNERS), code, FIRST)


def test_an_epoch_before_that_of_the_predecessor_is_refused() -> None:
    second = verified(signed(successor(epoch=2)), FIRST)
    third = successor(serial=3, previous=second.statement.digest, epoch=1)
    refused(signed(third), "epoch-differs", second)


def test_a_first_trust_file_has_no_predecessor() -> None:
    refused(signed(built(previous="0" * 64)), "previous-differs")


def test_a_trust_file_does_not_follow_itself() -> None:
    refused(FIRST.statement, "serial-differs", FIRST)


# --- content -----------------------------------------------------------------------------------------------------


def first_evaluator(**changes: Any) -> dict[str, Any]:
    return {"evaluators": [replace(TWO[0], **changes), TWO[1]]}


def keyholder(**changes: Any) -> dict[str, Any]:
    return {"evaluators": [TWO[0], replace(TWO[1], **changes)]}


OPPOSITE = ristretto.scalarmult_base(
    (twin.L - int.from_bytes(REGISTRY.share, "little")).to_bytes(32, "little"),
)
NORTH_WITNESS = WitnessEntry("north", NORTH.witness.public_bytes)

BAD_VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "no evaluators": ({"evaluators": []}, "registry-missing"),
    "no registry": ({"evaluators": TWO[1:]}, "registry-missing"),
    "registry not first": ({"evaluators": TWO[::-1]}, "registry-missing"),
    "no keyholder": ({"evaluators": TWO[:1]}, "keyholder-missing"),
    "duplicate id": (keyholder(id="registry"), "evaluator-duplicate"),
    "keyholder called organisation": (keyholder(id="organisation"), "evaluator-duplicate"),
    "duplicate share": (keyholder(share=TWO[0].share), "share-duplicate"),
    "duplicate signing key": (keyholder(signing_key=TWO[0].signing_key), "key-duplicate"),
    "share is the identity": (keyholder(share=bytes(32)), "share-invalid"),
    "share is no element": (keyholder(share=b"\xff" * 32), "share-invalid"),
    "shares cancel out": (keyholder(share=OPPOSITE), "share-invalid"),
    "weak memory": ({"stretch": replace(CHEAP, length=16)}, "stretch-weak"),
    "two witnesses of one name": (
        {"witnesses": [NORTH_WITNESS, WitnessEntry("north", SOUTH.witness.public_bytes)]},
        "witness-duplicate",
    ),
    "two witnesses of one key": (
        {"witnesses": [NORTH_WITNESS, replace(NORTH_WITNESS, name="n2")]},
        "witness-duplicate",
    ),
    "quorum above witnesses": ({"quorum": 2}, "quorum-impossible"),
    "weak log key": ({"log_key": b"\x01" + bytes(31)}, "key-invalid"),
    "weak witness key": ({"witnesses": [WitnessEntry("north", bytes(32))]}, "key-invalid"),
    "log name with space": ({"log_origin": "demo log"}, "field-invalid"),
    "log name with plus": ({"log_origin": "demo+log"}, "field-invalid"),
    "registry no id": ({"registry": "Demo Registry"}, "field-invalid"),
    "registry empty": ({"registry": ""}, "field-invalid"),
    "id no id": (keyholder(id="north pole"), "field-invalid"),
    "serial zero": ({"serial": 0}, "field-invalid"),
    "serial beyond": ({"serial": 2**32}, "field-invalid"),
    "epoch zero": ({"epoch": 0}, "field-invalid"),
    "scheme zero": ({"scheme_version": 0}, "field-invalid"),
    "scheme digest short": ({"scheme_digest": "5c" * 31}, "field-invalid"),
    "scheme digest upper case": ({"scheme_digest": "5C" * 32}, "field-invalid"),
    "too many evaluators": ({"evaluators": TWO * 9}, "field-invalid"),
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_a_value_that_must_not_be_trusted_is_refused(name: str) -> None:
    changes, code = BAD_VALUES[name]
    refused(signed(built(**changes)), code)


def edit(change: Callable[[dict[str, Any]], object]) -> Statement:
    body = copy.deepcopy(dict(FIRST.statement.body))
    change(body)
    return signed(Statement(body))


EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "unknown field": (lambda b: b.update(more=1), "field-unknown"),
    "unknown field of an evaluator": (lambda b: b["evaluators"][0].update(more=1), "field-unknown"),
    "unknown field of the scheme": (lambda b: b["scheme"].update(more=1), "field-unknown"),
    "unknown field of the log": (lambda b: b["log"].update(more=1), "field-unknown"),
    "unknown field of a witness": (lambda b: b["witnesses"][0].update(more=1), "field-unknown"),
    "unknown field of the stretching": (lambda b: b["stretch"].update(more=1), "stretch-invalid"),
    "missing field": (lambda b: b.pop("quorum"), "field-missing"),
    "missing field of an evaluator": (lambda b: b["evaluators"][1].pop("url"), "field-missing"),
    "another version": (lambda b: b.update(version=2), "version-unknown"),
    "version true": (lambda b: b.update(version=True), "version-unknown"),
    "another suite": (lambda b: b.update(suite="P256-SHA256"), "suite-unknown"),
    "another algorithm": (lambda b: b["stretch"].update(algorithm="scrypt"), "stretch-invalid"),
    "stretch without memory": (lambda b: b["stretch"].update(memory_kib=0), "stretch-invalid"),
    "stretch no object": (lambda b: b.update(stretch=None), "stretch-invalid"),
    "evaluators no list": (lambda b: b.update(evaluators={}), "field-invalid"),
    "evaluator no object": (lambda b: b.update(evaluators=["registry"]), "field-invalid"),
    "share no text": (lambda b: b["evaluators"][0].update(share=None), "field-invalid"),
    "share short": (lambda b: b["evaluators"][0].update(share="AAAA"), "field-invalid"),
    "signing key padded": (lambda b: b["evaluators"][0].update(signing_key="A" * 43 + "="), "field-invalid"),
    "weak signing key": (lambda b: b["evaluators"][1].update(signing_key=b64u(bytes(32))), "key-invalid"),
    "serial true": (lambda b: b.update(serial=True), "field-invalid"),
    "serial text": (lambda b: b.update(serial="1"), "field-invalid"),
    "previous no text": (lambda b: b.update(previous=1), "field-invalid"),
    "time local": (lambda b: b.update(issued_at="2026-11-20T14:02:11+01:00"), "field-invalid"),
    "time with fraction": (lambda b: b.update(issued_at="2026-11-20T14:02:11.5Z"), "field-invalid"),
    "time that is none": (lambda b: b.update(issued_at="2026-02-30T14:02:11Z"), "field-invalid"),
    "time no text": (lambda b: b.update(issued_at=0), "field-invalid"),
    "quorum negative": (lambda b: b.update(quorum=-1), "field-invalid"),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_body_of_another_form_is_refused(name: str) -> None:
    change, code = EDITS[name]
    refused(edit(change), code)


def test_a_statement_of_another_type_is_refused() -> None:
    refused(edit(lambda body: body.update(type="organisation-certificate")), "type-unknown")


# --- addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://registry.example",
        "https://registry.example:8443/screening",
        "http://localhost:8000",
        "http://127.0.0.1",
        "http://127.9.9.9:1",
        "http://[::1]:8000",
        "https://[2001:db8::1]",
    ],
)
def test_https_and_http_on_loopback_are_accepted(url: str) -> None:
    assert verified(signed(built(**first_evaluator(url=url)))).evaluators[0].url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://registry.example",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://[::2]",
        "ftp://localhost",
        "registry.example",
        "//registry.example",
        "https://",
        "https:///path",
        "https://user:secret@registry.example",
        "https://@registry.example",
        "http://localhost@evil.example",
        "https://registry.example?x",
        "https://registry.example#x",
        "https://registry.example\\@evil.example",
        "https://registry.example:0",
        "https://registry.example:99999",
        "https://registry.example:x",
        "https://registry.example/\n",
        "https://registry .example",
        "https://régistry.example",
        "https://[::1",
        "https://" + "x" * 300,
        "",
        None,
        1,
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    refused(signed(built(**first_evaluator(url=url))), "url-insecure")


# --- stretching and signing --------------------------------------------------------------------------------------


def test_without_another_minimum_the_real_one_holds() -> None:
    """In a process of its own, as the tests' own processes accept less."""
    code = "from screening.crypto import stretch, trust; print(trust.MINIMUM_STRETCH == stretch.DEFAULT)"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, check=True)
    assert done.stdout == b"True\n"


def test_the_minimum_of_the_process_is_used_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screening.crypto.trust.MINIMUM_STRETCH", DEFAULT)
    with pytest.raises(TrustError) as caught:
        verify_trust_file(FIRST.statement, predecessor=None)
    assert caught.value.code == "stretch-weak"
    strong = signed(built(stretch=DEFAULT))
    assert verify_trust_file(strong, predecessor=None).stretch == DEFAULT


def test_whoever_signs_can_check_all_but_the_signatures_first() -> None:
    assert read_trust_file(built(), predecessor=None, minimum=CHEAP).evaluators == TWO
    for changes, code in BAD_VALUES.values():
        with pytest.raises(TrustError) as caught:
            read_trust_file(built(**changes), predecessor=None, minimum=CHEAP)
        assert caught.value.code == code


def test_no_refusal_repeats_what_was_submitted() -> None:
    with pytest.raises(TrustError) as caught:
        verify_trust_file(signed(built(registry="Ngozi Adeyemi")), predecessor=None, minimum=CHEAP)
    assert "Ngozi" not in str(caught.value)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(TrustError):
        built(issued_at=datetime(2026, 11, 20))  # noqa: DTZ001  the point of the test


def test_under_a_weak_key_the_library_alone_would_accept_a_forged_trust_file() -> None:
    """Why a key of small order is refused: the signature below is nobody's."""
    body = copy.deepcopy(dict(FIRST.statement.body))
    identity = b"\x01" + bytes(31)
    body["evaluators"][1]["signing_key"] = b64u(identity)
    Ed25519PublicKey.from_public_bytes(identity).verify(identity + bytes(32), Statement(body).signed_message())
    refused(signed(Statement(body), "registry"), "key-invalid")


def test_the_digest_that_a_successor_names_is_that_of_the_body() -> None:
    assert FIRST.statement.digest == body_digest(FIRST.statement.body)
