"""A verifiable oblivious pseudorandom function (RFC 9497, mode VOPRF, ristretto255-SHA512) with additive shares.

A client blinds its input; every evaluator multiplies with its share and proves that it used the share whose public
half is pinned; the client checks each proof, adds up the answers and finalises. The output is that of one server whose
key is the sum of all shares, which never exists anywhere. The RFC's analysis covers neither batches nor several keys.

>>> share, public = generate_share()
>>> blinded = blind(b"input")
>>> evaluation = evaluate(share, public, [blinded.element])
>>> verify(public, [blinded.element], evaluation)
>>> output = finalize(b"input", blinded.blind, combine([evaluation.elements])[0])
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from screening.crypto import ristretto
from screening.crypto.encoding import lp
from screening.crypto.errors import BatchError, EncodingError, PointError, ProofError, ScalarError

MAX_BATCH = 3_200
"""How many elements one proof may cover: 100 candidates of 32. RFC 9497 §7.2.3 asks for a limit, as every query helps
whoever attacks the key a little."""

PROOF_BYTES = 64
OUTPUT_BYTES = 64
SEED_BYTES = 32

_BLOCK_OF_ZEROS = hashlib.sha512(bytes(128))
"""SHA-512 after the block of zeros with which expand_message_xmd begins (RFC 9380 §5.3.1)."""


class Mode(IntEnum):
    """The RFC's modes (RFC 9497 §3.1). The product uses VOPRF alone; the other is for the RFC's test vectors."""

    OPRF = 0
    VOPRF = 1


@dataclass(frozen=True, slots=True)
class Blinded:
    """An input made unrecognisable.

    Attributes:
        blind: The secret scalar, to be kept until the answer is there and used once. Not part of the repr.
        element: What is sent.
    """

    blind: bytes = field(repr=False)
    element: bytes


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluator's answer.

    Attributes:
        elements: As many as were sent, in the same order.
        proof: 64 bytes: challenge and response, over the whole batch.
    """

    elements: Sequence[bytes]
    proof: bytes


def generate_share() -> tuple[bytes, bytes]:
    """Makes an evaluator's share.

    Returns:
        The secret share and the public share, 32 bytes each.
    """
    share = ristretto.random_scalar()
    return share, ristretto.scalarmult_base(share)


def public_share(share: bytes) -> bytes:
    """The public half of a share; raises ScalarError if the share is no scalar."""
    return ristretto.scalarmult_base(share)


def derive_key_pair(seed: bytes, info: bytes, *, mode: Mode = Mode.VOPRF) -> tuple[bytes, bytes]:
    """Derives a key from a seed (RFC 9497 §3.2.1).

    Args:
        seed: 32 secret bytes.
        info: At most 65,535 bytes that say what the key is for.
        mode: The mode that the key is for.

    Returns:
        The secret and the public key, 32 bytes each.

    Raises:
        EncodingError: The seed has another length, or `info` is too long.
        ScalarError: No key came of it, with a probability of about 2^-64512.
    """
    if len(seed) != SEED_BYTES:
        raise EncodingError(f"a seed has {SEED_BYTES} bytes")
    derived_from = seed + lp(info)
    for counter in range(256):
        secret = _hash_to_scalar(derived_from + bytes([counter]), b"DeriveKeyPair" + _context(mode))
        if secret != bytes(32):
            return secret, ristretto.scalarmult_base(secret)
    raise ScalarError("no key can be derived from this seed")


def blind(message: bytes, *, blind: bytes | None = None, mode: Mode = Mode.VOPRF) -> Blinded:
    """Blinds an input (RFC 9497 §3.3.1).

    Args:
        message: The input, at most 65,535 bytes.
        blind: The scalar to use, for test vectors; a random one when left out. One that is used twice shows that two
            inputs are the same.
        mode: The mode, which is part of what is hashed.

    Returns:
        The element to send and the scalar to keep.

    Raises:
        EncodingError: The input is too long.
        ScalarError: The given scalar is not reduced, or zero.
        PointError: The input maps to the identity, with a probability of about 2^-252.
    """
    lp(message)
    scalar = ristretto.random_scalar() if blind is None else blind
    element = ristretto.from_hash(_expand(message, b"HashToGroup-" + _context(mode)))
    return Blinded(scalar, ristretto.scalarmult(scalar, element))


def evaluate(share: bytes, public_share: bytes, elements: Sequence[bytes]) -> Evaluation:
    """Evaluates a batch with a share and proves it (RFC 9497 §3.3.2, BlindEvaluate).

    Args:
        share: The evaluator's secret.
        public_share: Its public half.
        elements: 1 to 3,200 blinded elements.

    Returns:
        The elements multiplied, and one proof over all of them.

    Raises:
        BatchError: There are none or too many.
        PointError: One is not canonical, or the identity.
        ScalarError: The share is not a scalar.
    """
    _check_batch(elements)
    evaluated = ristretto.scalarmult_each(share, elements)
    return Evaluation(evaluated, prove(share, public_share, elements, evaluated))


def prove(
    share: bytes,
    public_share: bytes,
    blinded: Sequence[bytes],
    evaluated: Sequence[bytes],
    *,
    unsafe_nonce: bytes | None = None,
) -> bytes:
    """Proves that a batch was multiplied with the share behind a public share (RFC 9497 §2.2.1, GenerateProof).

    Args:
        share: The evaluator's secret.
        public_share: Its public half.
        blinded: What was sent.
        evaluated: What is answered, in the same order, as `evaluate` computed it.
        unsafe_nonce: The proof's random scalar, for test vectors alone: two proofs with one nonce give the share away.

    Returns:
        64 bytes: challenge and response.

    Raises:
        BatchError: There are none or too many, or not as many of the one as of the other.
        PointError: An element that was sent is not canonical, or the identity.
        ScalarError: The share or the nonce is not a scalar.
    """
    _check_batch(blinded)
    if len(evaluated) != len(blinded):
        raise BatchError("a batch has as many answers as elements")
    weights = _weights(public_share, blinded, evaluated)
    composite = _weighted_sum(weights, blinded)
    product = ristretto.scalarmult(share, composite)
    nonce = ristretto.random_scalar() if unsafe_nonce is None else unsafe_nonce
    commitments = ristretto.scalarmult_base(nonce), ristretto.scalarmult(nonce, composite)
    challenge = _challenge(public_share, composite, product, *commitments)
    return challenge + ristretto.scalar_sub(nonce, ristretto.scalar_mul(challenge, share))


def verify(public_share: bytes, blinded: Sequence[bytes], evaluation: Evaluation) -> None:
    """Checks an evaluator's answer (RFC 9497 §2.2.2, VerifyProof).

    Args:
        public_share: As pinned in the trust file; never taken from the answer.
        blinded: What was sent.
        evaluation: What was answered.

    Raises:
        ProofError: The answer has fewer or more elements than were sent, an element that is not canonical or is the
            identity, a proof of another length or with scalars that are zero or not reduced, or a proof that does not
            hold for this share and these elements in this order.
        BatchError: What was sent has no or too many elements.
        PointError: The public share, or an element that was sent, is no element.
    """
    _check_batch(blinded)
    ristretto.check_element(public_share)
    if len(evaluation.elements) != len(blinded):
        raise ProofError("the answer does not have as many elements as were sent")
    challenge, response = _read_proof(evaluation.proof)
    weights = _weights_of_answer(public_share, blinded, evaluation.elements)
    composite = _weighted_sum(weights, blinded)
    try:
        product = _weighted_sum(weights, evaluation.elements)
        commitments = (
            ristretto.add(ristretto.scalarmult_base(response), ristretto.scalarmult(challenge, public_share)),
            ristretto.add(ristretto.scalarmult(response, composite), ristretto.scalarmult(challenge, product)),
        )
    except PointError:
        raise ProofError("the answer has an element that is not canonical, or the identity") from None
    if not hmac.compare_digest(_challenge(public_share, composite, product, *commitments), challenge):
        raise ProofError("the proof does not hold")


def combine(rows: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Adds up what all evaluators answered, after every proof was checked.

    Args:
        rows: One row of elements for each evaluator, all in the order in which the elements were sent.

    Returns:
        One element for each that was sent.

    Raises:
        BatchError: There is no row, a row is empty, or rows have different lengths.
        PointError: An element is not canonical, or it or a sum is the identity.
    """
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise BatchError("every evaluator must have answered with the same number of elements")
    combined = list(rows[0])
    for element in combined:
        ristretto.check_element(element)
    for row in rows[1:]:
        combined = [ristretto.add(sum_, element) for sum_, element in zip(combined, row, strict=True)]
    return combined


def finalize(message: bytes, blind: bytes, combined_element: bytes) -> bytes:
    """Takes the blind off and hashes (RFC 9497 §3.3.1, Finalize).

    Args:
        message: The input that was blinded.
        blind: The scalar that it was blinded with.
        combined_element: What `combine` made of the answers.

    Returns:
        The function's output, 64 bytes.

    Raises:
        EncodingError: The input is too long.
        ScalarError: The blind is not a scalar.
        PointError: The element is not canonical, or the identity.
    """
    unblinded = ristretto.scalarmult(ristretto.scalar_invert(blind), combined_element)
    return hashlib.sha512(lp(message, unblinded) + b"Finalize").digest()


def _context(mode: Mode) -> bytes:
    """CreateContextString (RFC 9497 §3.1)."""
    return b"OPRFV1-" + bytes([mode]) + b"-ristretto255-SHA512"


_SEED_SUFFIX = lp(b"Seed-" + _context(Mode.VOPRF))
_TO_SCALAR = b"HashToScalar-" + _context(Mode.VOPRF)


def _expand(message: bytes, separation: bytes) -> bytes:
    """expand_message_xmd with SHA-512 for the 64 bytes that are one block of it (RFC 9380 §5.3.1)."""
    suffix = separation + bytes([len(separation)])
    first = _BLOCK_OF_ZEROS.copy()
    first.update(message + b"\x00\x40\x00" + suffix)
    return hashlib.sha512(first.digest() + b"\x01" + suffix).digest()


def _hash_to_scalar(message: bytes, separation: bytes = _TO_SCALAR) -> bytes:
    return ristretto.scalar_reduce(_expand(message, separation))


def _check_batch(elements: Sequence[bytes]) -> None:
    if not 1 <= len(elements) <= MAX_BATCH:
        raise BatchError(f"a batch has 1 to {MAX_BATCH} elements")


def _read_proof(proof: bytes) -> tuple[bytes, bytes]:
    if type(proof) is not bytes or len(proof) != PROOF_BYTES:
        raise ProofError(f"a proof has {PROOF_BYTES} bytes")
    challenge, response = proof[:32], proof[32:]
    try:
        ristretto.check_scalar(challenge)
        ristretto.check_scalar(response)
    except ScalarError:
        raise ProofError("the proof's scalars are zero or not reduced") from None
    return challenge, response


def _weights_of_answer(public: bytes, blinded: Sequence[bytes], answered: Sequence[bytes]) -> list[bytes]:
    """`_weights` with an answer that nobody has looked at yet."""
    if any(type(element) is not bytes or len(element) != ristretto.ELEMENT_BYTES for element in answered):
        raise ProofError("the answer has an element of another length")
    return _weights(public, blinded, answered)


def _weights(public: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes]) -> list[bytes]:
    """The random weights with which a batch becomes one pair (RFC 9497 §2.2.1, ComputeComposites)."""
    seed = lp(hashlib.sha512(lp(public) + _SEED_SUFFIX).digest())
    return [
        _hash_to_scalar(seed + index.to_bytes(2, "big") + lp(sent, answered) + b"Composite")
        for index, (sent, answered) in enumerate(zip(blinded, evaluated, strict=True))
    ]


def _weighted_sum(weights: Sequence[bytes], elements: Sequence[bytes]) -> bytes:
    products = [ristretto.scalarmult(weight, element) for weight, element in zip(weights, elements, strict=True)]
    total = products[0]
    for product in products[1:]:
        total = ristretto.add(total, product)
    return total


def _challenge(*elements: bytes) -> bytes:
    """The Fiat-Shamir challenge over public key, both composites and both commitments (RFC 9497 §2.2.1)."""
    return _hash_to_scalar(lp(*elements) + b"Challenge")
