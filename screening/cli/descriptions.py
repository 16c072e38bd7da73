"""What a keyholder says of itself before there is a trust file: a statement signed with the key that it names."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from screening.cli.running import CommandError
from screening.crypto.encoding import b64u, unb64u
from screening.crypto.errors import CryptoError
from screening.crypto.ristretto import check_element, scalarmult_base
from screening.crypto.signing import Statement, VerifyingKey
from screening.crypto.trust import EvaluatorEntry, WitnessEntry

if TYPE_CHECKING:
    from screening.crypto.keyring import KeyholderKeyring

TYPE: Final = "keyholder-description"
FIELDS: Final = frozenset({"type", "version", "keyholder", "url", "share", "signing_key", "witness_key"})


@dataclass(frozen=True)
class Description:
    """A keyholder, as the trust file will name it."""

    evaluator: EvaluatorEntry
    witness: WitnessEntry


def describe_keyholder(keyring: "KeyholderKeyring", url: str) -> Statement:
    """What `keyholder export` prints; it holds no secret."""
    body = {
        "type": TYPE,
        "version": 1,
        "keyholder": keyring.keyholder,
        "url": url,
        "share": b64u(scalarmult_base(keyring.share)),
        "signing_key": b64u(keyring.signing.public_bytes),
        "witness_key": b64u(keyring.witness.public_bytes),
    }
    return Statement.of(body).sign(keyring.keyholder, keyring.signing)


def read_description(content: object) -> Description:
    """Reads and checks what a keyholder says of itself.

    Raises:
        CommandError: It is malformed, or not signed with the key that it names.
    """
    try:
        statement = Statement.from_json(content, expected_type=TYPE)
        body: dict[str, Any] = dict(statement.body)
        if (
            set(body) != FIELDS
            or body["version"] != 1
            or not all(isinstance(body[name], str) for name in ("keyholder", "url"))
        ):
            raise CommandError("keyholder-description", "this is no keyholder's description")
        key = VerifyingKey.from_bytes(unb64u(body["signing_key"], length=32))
        statement.verify(body["keyholder"], key)
        share = unb64u(body["share"], length=32)
        check_element(share)
        witness = unb64u(body["witness_key"], length=32)
    except CryptoError as error:
        raise CommandError("keyholder-description", f"this is no keyholder's description: {error}") from error
    evaluator = EvaluatorEntry(id=body["keyholder"], url=body["url"], share=share, signing_key=key)
    return Description(evaluator, WitnessEntry(name=body["keyholder"], key=witness))
