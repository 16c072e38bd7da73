"""Makes `protocol.json`, known answers for the constructions of docs/protocol.md, without using the product's code.

Run as `python -m tests.vectors.make_protocol`. Boxes are sealed afresh each time; everything else stays the same.
"""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from tests.vectors import ristretto_twin as twin

FILE = Path(__file__).with_name("protocol.json")

REGISTRY, EPOCH = "demo", 7
SHARES = (12345678901234567890, 2**251 + 98765432109876543210)
FEATURES = (("full-name-and-date", "adeyemi ngozi 1984-03-07"), ("document", "passport NG A01234567"))
SEED = bytes(range(32))
SEALING_KEY = bytes(range(96))
SELF_KEY = bytes(range(100, 132))
BODY: dict[str, str | int] = {
    "type": "record-approval",
    "registry": REGISTRY,
    "number": 1,
    "time": "2026-11-20T14:02:11Z",
    "name": "Zoë",
}


def prefixed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def tokens() -> dict[str, Any]:
    """From features to entries: docs/protocol.md §4 to §6."""
    salt = hashlib.sha256(prefixed(b"screening/1/salt", REGISTRY.encode()) + EPOCH.to_bytes(4, "big")).digest()[:16]
    features = []
    for number, (rule, value) in enumerate(FEATURES):
        encoded = prefixed(b"screening/1/feature") + (1).to_bytes(2, "big") + prefixed(rule.encode(), value.encode())
        stretched = Argon2id(salt=salt, length=32, iterations=1, lanes=1, memory_cost=8192).derive(encoded)
        output = twin.voprf(sum(SHARES) % twin.L, stretched)
        token = hmac.digest(hmac.digest(bytes(32), output, "sha256"), b"screening/1/token\x01", "sha256")[:16]
        name = (0, None)[number]
        entry = bytes([number + 1, 255 if name is None else name]) + token
        features.append(
            {
                "rule": rule,
                "value": value,
                "encoded": encoded.hex(),
                "stretched": stretched.hex(),
                "output": output.hex(),
                "token": token.hex(),
                "name": name,
                "entry": entry.hex(),
            }
        )
    entries = sorted(bytes.fromhex(str(feature["entry"])) for feature in features)
    return {
        "registry": REGISTRY,
        "epoch": EPOCH,
        "scheme_version": 1,
        "salt": salt.hex(),
        "stretch": {"algorithm": "argon2id", "memory_kib": 8192, "iterations": 1, "parallelism": 1, "length": 32},
        "shares": [share.to_bytes(32, "little").hex() for share in SHARES],
        "public_shares": [twin.encode(share * twin.generator()).hex() for share in SHARES],
        "features": features,
        "entries_digest": hashlib.sha256(b"".join(entries)).hexdigest(),
    }


def self_token() -> dict[str, str]:
    identity = rfc8785.dumps({"id": "7", "full": "Ngozi Adeyemi"})
    token = hmac.digest(SELF_KEY, b"screening/1/self\x00" + identity, "sha256")[:16]
    return {"key": SELF_KEY.hex(), "identity": identity.hex(), "token": token.hex()}


def statement() -> dict[str, Any]:
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    public = key.public_key().public_bytes_raw()
    body = rfc8785.dumps(dict(BODY))
    signature = key.sign(b"screening/1/record-approval\x00" + body)
    return {
        "seed": SEED.hex(),
        "public": public.hex(),
        "key_id": hashlib.sha256(b"screening/1/key\x00" + public).hexdigest()[:32],
        "body": BODY,
        "digest": hashlib.sha256(body).hexdigest(),
        "signature": base64.urlsafe_b64encode(signature).decode().rstrip("="),
        "fingerprint": hashlib.sha256(b"screening/1/record-approval\x00" + body).hexdigest(),
    }


def box() -> dict[str, Any]:
    x25519 = X25519PrivateKey.from_private_bytes(SEALING_KEY[:32]).public_key()
    ml_kem = MLKEM768PrivateKey.from_seed_bytes(SEALING_KEY[32:]).public_key()
    public = ml_kem.public_bytes_raw() + x25519.public_bytes_raw()
    recipient = hashlib.sha256(b"screening/1/key\x00" + public).hexdigest()[:32]
    purpose = {"label": "dossier", "registry": REGISTRY, "object_id": "0191f0c0-0000-7000-8000-000000000000"}
    content = b'{"identity":{"full":"Ngozi Adeyemi"}}'
    padded = (len(content).to_bytes(4, "big") + content).ljust(256, b"\x00")
    info = prefixed(*(text.encode() for text in (*purpose.values(), "3", recipient)))
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    sealed = suite.encrypt(padded, MLKEM768X25519PublicKey(ml_kem, x25519), info)
    return {
        "private": SEALING_KEY.hex(),
        "public_sha256": hashlib.sha256(public).hexdigest(),
        "key_id": recipient,
        **purpose,
        "version": 3,
        "content": content.decode(),
        "box": (b"\x00\x01" + sealed).hex(),
    }


def made() -> dict[str, Any]:
    return {"tokens": tokens(), "self_token": self_token(), "statement": statement(), "box": box()}


if __name__ == "__main__":
    FILE.write_text(json.dumps(made(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
