"""Boxes open for their recipient and purpose alone, and show their length in steps only."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from hypothesis import given
from hypothesis import strategies as st

from screening.crypto import sealing
from screening.crypto.errors import SealError, UnknownSuiteError
from screening.crypto.sealing import MAX_CONTENT_BYTES, SealingKey, check_sealing_key, seal
from screening.crypto.signing import key_id

KEY = SealingKey.from_bytes(bytes(range(96)))
OTHER = SealingKey.generate()
PURPOSE: dict[str, Any] = {"label": "dossier", "registry": "demo", "object_id": "0191-x", "version": 1}
OVERHEAD = 2 + 1088 + 32 + 16


@given(st.binary(max_size=700))
def test_what_was_sealed_opens(content: bytes) -> None:
    assert KEY.open(seal(KEY.public_bytes, content, **PURPOSE), **PURPOSE) == content


@pytest.mark.parametrize(
    "change",
    [
        {"label": "screening-note"},
        {"label": "dossie"},
        {"registry": "demo2"},
        {"object_id": "0191-y"},
        {"version": 2},
        {"version": 11},
        {"label": "dossierd", "registry": "emo"},
        {"registry": "demo0", "object_id": "191-x"},
    ],
)
def test_a_box_for_another_purpose_does_not_open(change: dict[str, Any]) -> None:
    box = seal(KEY.public_bytes, b"content", **PURPOSE)
    with pytest.raises(SealError, match="does not open"):
        KEY.open(box, **{**PURPOSE, **change})


def test_a_box_for_another_recipient_does_not_open() -> None:
    with pytest.raises(SealError, match="does not open"):
        OTHER.open(seal(KEY.public_bytes, b"content", **PURPOSE), **PURPOSE)


def test_the_recipient_s_key_id_is_bound_into_the_box() -> None:
    """The same key, but an info with another id: HPKE alone would have opened it."""
    info = sealing._info(**PURPOSE, recipient=OTHER.key_id)
    box = b"\x00\x01" + sealing._encrypt(KEY.public_bytes, sealing._pad(b"content"), info)
    with pytest.raises(SealError, match="does not open"):
        KEY.open(box, **PURPOSE)


def test_every_flipped_bit_is_refused(long: bool) -> None:
    box = seal(KEY.public_bytes, b"content", **PURPOSE)
    for bit in range(16, len(box) * 8, 1 if long else 29):
        changed = bytearray(box)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealError):
            KEY.open(bytes(changed), **PURPOSE)


def test_a_box_cut_short_or_extended_is_refused() -> None:
    box = seal(KEY.public_bytes, b"content", **PURPOSE)
    for changed in (b"", b"\x00", box[:2], box[:-1], box[:1000], box[:-256], box + b"\x00", box + box):
        with pytest.raises(SealError):
            KEY.open(changed, **PURPOSE)
    with pytest.raises(SealError):
        KEY.open("text", **PURPOSE)  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("suite", [0, 2, 0x0100, 0xFFFF])
def test_an_unknown_suite_is_refused_by_its_own_error(suite: int) -> None:
    box = seal(KEY.public_bytes, b"content", **PURPOSE)
    with pytest.raises(UnknownSuiteError):
        KEY.open(suite.to_bytes(2, "big") + box[2:], **PURPOSE)


@pytest.mark.parametrize(
    ("length", "padded"), [(0, 256), (1, 256), (252, 256), (253, 512), (508, 512), (509, 768), (1020, 1024)]
)
def test_a_box_shows_its_length_in_steps_of_256_bytes(length: int, padded: int) -> None:
    assert len(seal(KEY.public_bytes, bytes(length), **PURPOSE)) == OVERHEAD + padded


@pytest.mark.parametrize(
    "padded",
    [
        b"",
        b"\x00\x00\x00",
        b"\x00\x00\x00\x00",
        b"\x00\x00\x00\x01x" + bytes(250),
        b"\x00\x00\x00\x01x" + bytes(252),
        b"\x00\x00\x00\x01x" + bytes(250) + b"\x01",
        b"\x00\x00\x00\x01x" + bytes(251 + 256),
        b"\x00\x00\x00\xfd" + bytes(252),
        b"\xff\xff\xff\xff" + bytes(252),
    ],
    ids=["empty", "no length", "length alone", "short", "long", "no zero", "a block more", "beyond by 1", "far beyond"],
)
def test_wrong_padding_is_refused(padded: bytes) -> None:
    info = sealing._info(**PURPOSE, recipient=KEY.key_id)
    box = b"\x00\x01" + sealing._encrypt(KEY.public_bytes, padded, info)
    with pytest.raises(SealError, match="padded wrongly"):
        KEY.open(box, **PURPOSE)


def test_the_box_is_the_documented_construction() -> None:
    """Opened by hand with the library alone, from the key's two secrets."""
    ml_kem, x25519 = (
        MLKEM768PrivateKey.from_seed_bytes(bytes(range(32, 96))),
        X25519PrivateKey.from_private_bytes(bytes(range(32))),
    )
    assert KEY.public_bytes == ml_kem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
    assert KEY.private_bytes == bytes(range(96))
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    box = seal(KEY.public_bytes, b"content", **PURPOSE)
    info = b"\x00\x07dossier\x00\x04demo\x00\x060191-x\x00\x011\x00\x20" + key_id(KEY.public_bytes).encode()
    opened = suite.decrypt(box[2:], MLKEM768X25519PrivateKey(ml_kem, x25519), info)
    assert (box[:2], opened) == (b"\x00\x01", b"\x00\x00\x00\x07content" + bytes(245))
    by_hand = suite.encrypt(opened, MLKEM768X25519PublicKey(ml_kem.public_key(), x25519.public_key()), info)
    assert KEY.open(b"\x00\x01" + by_hand, **PURPOSE) == b"content"


def test_two_boxes_of_one_content_differ() -> None:
    assert seal(KEY.public_bytes, b"x", **PURPOSE) != seal(KEY.public_bytes, b"x", **PURPOSE)


BAD_KEYS = {
    "empty": b"",
    "short": KEY.public_bytes[:-1],
    "long": KEY.public_bytes + b"\x00",
    "half": KEY.public_bytes[:1184],
    "small order": KEY.public_bytes[:1184] + bytes(32),
    "unreduced": b"\xff" * 1184 + KEY.public_bytes[1184:],
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_nothing_is_sealed_to_what_is_no_public_key(name: str) -> None:
    with pytest.raises(SealError):
        seal(BAD_KEYS[name], b"x", **PURPOSE)
    with pytest.raises(SealError):
        check_sealing_key(BAD_KEYS[name])


def test_a_public_key_is_accepted() -> None:
    check_sealing_key(KEY.public_bytes)
    assert SealingKey.from_bytes(OTHER.private_bytes).public_bytes == OTHER.public_bytes


@pytest.mark.parametrize("length", [0, 32, 64, 95, 97])
def test_private_keys_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(SealError):
        SealingKey.from_bytes(bytes(length))


def test_too_much_content_is_refused() -> None:
    with pytest.raises(SealError, match="at most"):
        seal(KEY.public_bytes, bytes(MAX_CONTENT_BYTES + 1), **PURPOSE)


@pytest.mark.parametrize(
    "change", [{"label": "x" * 65_536}, {"object_id": "\ud800"}, {"version": -1}, {"version": True}, {"version": "1"}]
)
def test_a_purpose_that_cannot_be_written_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SealError):
        seal(KEY.public_bytes, b"x", **{**PURPOSE, **change})
    with pytest.raises(SealError):
        KEY.open(seal(KEY.public_bytes, b"x", **PURPOSE), **{**PURPOSE, **change})


def test_the_repr_shows_no_secret() -> None:
    assert repr(KEY) == f"SealingKey({key_id(KEY.public_bytes)})"
