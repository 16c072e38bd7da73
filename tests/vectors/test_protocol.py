"""The product against known answers that other code made: what is written here must never change within version 1."""

import json
from typing import Any

import pytest

from screening.crypto import ristretto, stretch, tokens, voprf
from screening.crypto.encoding import unb64u
from screening.crypto.sealing import SealingKey
from screening.crypto.signing import Signature, SigningKey, Statement, VerifyingKey
from screening.crypto.trust import fingerprint
from tests.vectors import make_protocol

KNOWN: dict[str, Any] = json.loads(make_protocol.FILE.read_text("utf-8"))


@pytest.mark.parametrize("part", ["tokens", "self_token", "statement"])
def test_the_file_is_what_its_generator_makes(part: str) -> None:
    assert getattr(make_protocol, part)() == KNOWN[part]


def test_features_become_the_known_entries() -> None:
    known = KNOWN["tokens"]
    salt = stretch.salt(known["registry"], known["epoch"])
    parameters = stretch.StretchParameters.from_json(known["stretch"])
    assert (salt.hex(), parameters) == (known["salt"], stretch.DEFAULT)
    shares = [(bytes.fromhex(share), voprf.public_share(bytes.fromhex(share))) for share in known["shares"]]
    assert [public.hex() for _, public in shares] == known["public_shares"]
    encoded = [tokens.encode_feature(known["scheme_version"], one["rule"], one["value"]) for one in known["features"]]
    inputs = stretch.stretch(encoded, parameters, salt)
    blinded = [voprf.blind(text) for text in inputs]
    sent = [one.element for one in blinded]
    answers = [voprf.evaluate(share, public, sent) for share, public in shares]
    for (_, public), answer in zip(shares, answers, strict=True):
        voprf.verify(public, sent, answer)
    combined = voprf.combine([answer.elements for answer in answers])
    entries = []
    for index, one in enumerate(known["features"]):
        output = voprf.finalize(inputs[index], blinded[index].blind, combined[index])
        entry = tokens.pack_entry(index + 1, one["name"], tokens.token(output))
        made = (encoded[index], inputs[index], output, tokens.token(output), entry)
        assert [value.hex() for value in made] == [
            one[name] for name in ("encoded", "stretched", "output", "token", "entry")
        ]
        entries.append(entry)
    assert tokens.entries_digest(reversed(entries)) == known["entries_digest"]


def test_the_sum_of_the_shares_gives_the_same_outputs() -> None:
    known = KNOWN["tokens"]
    key = ristretto.scalar_add(*(bytes.fromhex(share) for share in known["shares"]))
    for one in known["features"]:
        text = bytes.fromhex(one["stretched"])
        blinded = voprf.blind(text)
        answer = voprf.evaluate(key, voprf.public_share(key), [blinded.element])
        assert voprf.finalize(text, blinded.blind, answer.elements[0]).hex() == one["output"]


def test_the_self_token_is_the_known_one() -> None:
    known = KNOWN["self_token"]
    made = tokens.self_token(bytes.fromhex(known["key"]), bytes.fromhex(known["identity"]))
    assert made.hex() == known["token"]


def test_the_statement_is_signed_and_verified_as_known() -> None:
    known = KNOWN["statement"]
    key = SigningKey.from_bytes(bytes.fromhex(known["seed"]))
    statement = Statement.of(known["body"]).sign("organisation", key)
    assert (key.public_bytes.hex(), key.key_id) == (known["public"], known["key_id"])
    assert statement.signatures == (Signature("organisation", known["key_id"], unb64u(known["signature"])),)
    assert (statement.digest, fingerprint(statement.body)) == (known["digest"], known["fingerprint"])
    statement.verify("organisation", VerifyingKey.from_bytes(bytes.fromhex(known["public"])))


def test_the_known_box_still_opens() -> None:
    known = KNOWN["box"]
    key = SealingKey.from_bytes(bytes.fromhex(known["private"]))
    assert key.key_id == known["key_id"]
    purpose = {name: known[name] for name in ("label", "registry", "object_id", "version")}
    assert key.open(bytes.fromhex(known["box"]), **purpose).decode() == known["content"]
