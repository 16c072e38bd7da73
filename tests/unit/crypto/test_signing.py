"""Statements: strict shape, one canonical form, signatures bound to signer, key and type."""

import copy
import hashlib
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from screening.crypto.encoding import b64u, unb64u
from screening.crypto.errors import EncodingError, SignatureError
from screening.crypto.signing import (
    MAX_SIGNATURES,
    Signature,
    SigningKey,
    Statement,
    VerifyingKey,
    body_digest,
    canonical,
    key_id,
)

# RFC 8032 §7.1, test 2.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE_OVER_72 = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)

BODY = {"type": "record-approval", "number": 1, "record": "0191f0c0-0000-7000-8000-000000000000"}

KEY = SigningKey.from_bytes(SEED)
PUBLIC_KEY = VerifyingKey.from_bytes(PUBLIC)


def signed() -> dict[str, Any]:
    return copy.deepcopy(Statement.of(BODY).sign("organisation", KEY).to_json())


def test_the_rfc_s_example_signature_is_made_and_accepted() -> None:
    assert KEY.public_bytes == PUBLIC
    assert KEY.seed_bytes == SEED
    assert KEY.sign(b"\x72") == SIGNATURE_OVER_72
    PUBLIC_KEY.verify(SIGNATURE_OVER_72, b"\x72")


@given(st.integers(0, 511))
def test_every_flipped_bit_of_a_signature_is_refused(bit: int) -> None:
    wrong = bytearray(SIGNATURE_OVER_72)
    wrong[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureError):
        PUBLIC_KEY.verify(bytes(wrong), b"\x72")


@pytest.mark.parametrize("signature", [b"", SIGNATURE_OVER_72[:-1], SIGNATURE_OVER_72 + b"\x00"])
def test_a_signature_of_another_length_is_refused(signature: bytes) -> None:
    with pytest.raises(SignatureError):
        PUBLIC_KEY.verify(signature, b"\x72")


def test_a_key_id_is_the_documented_hash() -> None:
    expected = hashlib.sha256(b"screening/1/key\x00" + PUBLIC).hexdigest()[:32]
    assert key_id(PUBLIC) == KEY.key_id == PUBLIC_KEY.key_id == expected


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_keys_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(SignatureError):
        SigningKey.from_bytes(bytes(length))
    with pytest.raises(SignatureError):
        VerifyingKey.from_bytes(bytes(length))


SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]


@pytest.mark.parametrize("encoding", SMALL_ORDER)
def test_a_key_for_which_anyone_could_sign_is_refused(encoding: str) -> None:
    with pytest.raises(SignatureError, match="anyone"):
        VerifyingKey.from_bytes(bytes.fromhex(encoding))


def test_the_library_alone_would_accept_a_forgery_under_such_a_key() -> None:
    identity = bytes.fromhex(SMALL_ORDER[0])
    Ed25519PublicKey.from_public_bytes(identity).verify(identity + bytes(32), b"whatever one likes")


def test_the_signed_bytes_are_the_documented_ones() -> None:
    statement = Statement.of({"type": "t", "b": [1, True, None], "a": "é"}).sign("registry", KEY)
    message = b'screening/1/t\x00{"a":"\xc3\xa9","b":[1,true,null],"type":"t"}'
    assert statement.signatures == (Signature("registry", KEY.key_id, KEY.sign(message)),)
    assert statement.digest == hashlib.sha256(message[14:]).hexdigest() == body_digest(statement.body)


def test_a_statement_survives_the_round_trip() -> None:
    statement = Statement.from_json(signed(), expected_type="record-approval")
    assert statement.to_json() == signed()
    assert statement.type == "record-approval"
    statement.verify("organisation", PUBLIC_KEY)


@pytest.mark.parametrize("change", [{"number": 2}, {"record": "x"}, {"more": 1}])
def test_a_changed_body_is_refused(change: dict[str, object]) -> None:
    obj = signed()
    obj["body"].update(change)
    with pytest.raises(SignatureError, match="wrong"):
        Statement.from_json(obj, expected_type="record-approval").verify("organisation", PUBLIC_KEY)


def test_a_signature_is_worth_nothing_under_another_type() -> None:
    obj = signed()
    obj["body"]["type"] = "record-withdrawal"
    with pytest.raises(SignatureError, match="wrong"):
        Statement.from_json(obj, expected_type="record-withdrawal").verify("organisation", PUBLIC_KEY)


def test_the_signature_of_another_signer_or_key_does_not_count() -> None:
    statement = Statement.from_json(signed(), expected_type="record-approval")
    with pytest.raises(SignatureError, match="missing"):
        statement.verify("registry", PUBLIC_KEY)
    with pytest.raises(SignatureError, match="missing"):
        statement.verify("organisation", SigningKey.generate().verifying_key)
    with pytest.raises(SignatureError, match="missing"):
        Statement.of(BODY).verify("organisation", PUBLIC_KEY)


def test_a_signature_relabelled_as_another_key_s_is_refused() -> None:
    other = SigningKey.generate()
    obj = signed()
    obj["signatures"][0]["key"] = other.key_id
    with pytest.raises(SignatureError, match="wrong"):
        Statement.from_json(obj, expected_type="record-approval").verify("organisation", other.verifying_key)


def test_signing_again_replaces_and_another_signer_adds() -> None:
    once = Statement.of(BODY).sign("organisation", KEY)
    assert once.sign("organisation", KEY) == once
    both = once.sign("registry", KEY).sign("organisation", SigningKey.generate())
    assert [s.signer for s in both.signatures] == ["organisation", "registry", "organisation"]
    both.verify("organisation", PUBLIC_KEY)
    both.verify("registry", PUBLIC_KEY)


def _with(**changes: object) -> dict[str, Any]:
    obj = signed()
    obj["signatures"][0].update(changes)
    return obj


def _many(number: int) -> list[dict[str, str]]:
    one = Signature("organisation", KEY.key_id, bytes(64)).to_json()
    return [{**one, "signer": f"s{i}"} for i in range(number)]


MALFORMED: dict[str, object] = {
    "no object": [],
    "nothing": None,
    "no body": {"signatures": signed()["signatures"]},
    "no signatures": {"body": BODY},
    "one field more": {**signed(), "more": 1},
    "empty signatures": {**signed(), "signatures": []},
    "too many signatures": {**signed(), "signatures": _many(MAX_SIGNATURES + 1)},
    "signatures no list": {**signed(), "signatures": signed()["signatures"][0]},
    "body no object": {**signed(), "body": [1]},
    "no type": {**signed(), "body": {"number": 1}},
    "type no text": {**signed(), "body": {"type": 1}},
    "another type": {**signed(), "body": {**BODY, "type": "trust-file"}},
    "the same signer twice": {**signed(), "signatures": signed()["signatures"] * 2},
    "signature no object": {**signed(), "signatures": ["x"]},
    "signature with more": _with(more=1),
    "signer no text": _with(signer=1),
    "signer empty": _with(signer=""),
    "signer long": _with(signer="x" * 65),
    "key upper case": _with(key=KEY.key_id.upper()),
    "key with line end": _with(key=KEY.key_id + "\n"),
    "key short": _with(key=KEY.key_id[:-1]),
    "key no text": _with(key=7),
    "signature short": _with(signature=b64u(bytes(63))),
    "signature padded": _with(signature=b64u(bytes(64)) + "=="),
    "signature no text": _with(signature=None),
    "a fraction": {**signed(), "body": {**BODY, "number": 1.0}},
    "not a number": {**signed(), "body": {**BODY, "number": float("nan")}},
    "too large a number": {**signed(), "body": {**BODY, "number": 2**53}},
    "half a surrogate": {**signed(), "body": {**BODY, "record": "\ud800"}},
    "a fraction deep inside": {**signed(), "body": {**BODY, "deep": [{"er": [0.5]}]}},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_statement_is_refused(name: str) -> None:
    with pytest.raises(EncodingError):
        Statement.from_json(MALFORMED[name], expected_type="record-approval")


def test_nesting_without_end_is_refused() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(EncodingError):
        Statement.from_json({**signed(), "body": {**BODY, "deep": deep}}, expected_type="record-approval")


def test_a_body_without_type_cannot_be_signed() -> None:
    with pytest.raises(EncodingError):
        Statement.of({"number": 1})
    with pytest.raises(EncodingError):
        Statement.of({"type": "t", "bytes": b"x"})


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**53) + 1, 2**53 - 1)))
def test_the_order_of_fields_makes_no_difference(body: dict[str, int]) -> None:
    assert canonical(body) == canonical(dict(reversed(list(body.items()))))


def test_reprs_show_no_secret() -> None:
    for text in (repr(KEY), str(KEY), f"{KEY!r:>200}"):
        assert KEY.key_id in text
        assert SEED.hex() not in text
        assert b64u(SEED) not in text
    assert re.fullmatch(r"VerifyingKey\([0-9a-f]{32}\)", repr(PUBLIC_KEY))


def test_keys_compare_by_value() -> None:
    assert KEY.verifying_key == PUBLIC_KEY
    assert len({PUBLIC_KEY, KEY.verifying_key, SigningKey.generate().verifying_key}) == 2
    assert PUBLIC_KEY != PUBLIC
    assert unb64u(b64u(PUBLIC)) == PUBLIC_KEY.public_bytes
