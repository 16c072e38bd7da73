"""From features to tokens, and the entries in which tokens travel and are stored.

A token is 16 bytes: short enough to index, long enough that 2^64 of them would be needed before two met by chance.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from screening.crypto.encoding import lp
from screening.crypto.errors import EncodingError

TOKEN_BYTES = 16
ENTRY_BYTES = 18
OUTPUT_BYTES = 64
SELF_KEY_BYTES = 32
MAX_NAME = 254

_FEATURE_LABEL = b"screening/1/feature"
_TOKEN_LABEL = b"screening/1/token"
_SELF_LABEL = b"screening/1/self\x00"
_NO_NAME = 255


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """A token with what the registry may know of it.

    Attributes:
        rule: The number of the scheme's rule that made the feature, 0 to 255.
        name: Which of the person's names it came from, 0 to 254, or None if from none.
        token: 16 bytes.
    """

    rule: int
    name: int | None
    token: bytes


def encode_feature(scheme_version: int, rule: str, value: str) -> bytes:
    """Writes a feature as the bytes that are stretched and hashed.

    Args:
        scheme_version: 0 to 65,535.
        rule: The rule's id.
        value: What the rule made of the identity.

    Returns:
        The label, the version and both texts, so that no two features have the same bytes.

    Raises:
        EncodingError: The version is out of bounds, or a text is too long or no valid text.
    """
    if type(scheme_version) is not int or not 0 <= scheme_version < 1 << 16:
        raise EncodingError("a scheme's version is an integer from 0 to 65535")
    try:
        texts = lp(rule.encode(), value.encode())
    except UnicodeEncodeError:
        raise EncodingError("a feature must be valid text") from None
    return lp(_FEATURE_LABEL) + scheme_version.to_bytes(2, "big") + texts


def token(output: bytes) -> bytes:
    """Derives the token from the VOPRF's output: HKDF-SHA256 (RFC 5869) without salt.

    Args:
        output: 64 bytes.

    Returns:
        16 bytes.

    Raises:
        EncodingError: The output has another length.
    """
    if len(output) != OUTPUT_BYTES:
        raise EncodingError(f"an output has {OUTPUT_BYTES} bytes")
    return HKDF(SHA256(), TOKEN_BYTES, salt=None, info=_TOKEN_LABEL).derive(output)


def pack_entry(rule: int, name: int | None, token: bytes) -> bytes:
    """Writes an entry: rule number, name index or 255, token.

    Args:
        rule: 0 to 255.
        name: 0 to 254, or None.
        token: 16 bytes.

    Returns:
        18 bytes.

    Raises:
        EncodingError: One of them is out of bounds.
    """
    if not 0 <= rule <= 255:
        raise EncodingError("a rule has a number from 0 to 255")
    if name is not None and not 0 <= name <= MAX_NAME:
        raise EncodingError(f"a name has an index from 0 to {MAX_NAME}")
    if len(token) != TOKEN_BYTES:
        raise EncodingError(f"a token has {TOKEN_BYTES} bytes")
    return bytes([rule, _NO_NAME if name is None else name]) + token


def unpack_entry(entry: bytes) -> TokenEntry:
    """Reads what `pack_entry` wrote; raises EncodingError unless it has 18 bytes."""
    if len(entry) != ENTRY_BYTES:
        raise EncodingError(f"an entry has {ENTRY_BYTES} bytes")
    return TokenEntry(entry[0], None if entry[1] == _NO_NAME else entry[1], entry[2:])


def entries_digest(entries: Iterable[bytes]) -> str:
    """The digest of a record's entries, whatever their order: SHA-256 over them, sorted and joined, in hex.

    Args:
        entries: 18 bytes each.

    Returns:
        64 hexadecimal digits.

    Raises:
        EncodingError: One has another length.
    """
    ordered = sorted(entries)
    if any(len(entry) != ENTRY_BYTES for entry in ordered):
        raise EncodingError(f"an entry has {ENTRY_BYTES} bytes")
    return hashlib.sha256(b"".join(ordered)).hexdigest()


def self_token(self_key: bytes, canonical_identity: bytes) -> bytes:
    """Derives the token by which an organisation recognises its own candidate again, and nobody else does.

    Args:
        self_key: 32 secret bytes that only the organisation holds.
        canonical_identity: The identity, canonically written.

    Returns:
        The first 16 bytes of HMAC-SHA256 (RFC 2104).

    Raises:
        EncodingError: The key has another length.
    """
    if len(self_key) != SELF_KEY_BYTES:
        raise EncodingError(f"a self key has {SELF_KEY_BYTES} bytes")
    return hmac.digest(self_key, _SELF_LABEL + canonical_identity, "sha256")[:TOKEN_BYTES]
