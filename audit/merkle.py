"""The log's tree (RFC 9162 §2.1, SHA-256): growing it, proving from it, and verifying proofs.

The verifiers are pure functions that return nothing and raise when a proof does not hold. They say that a leaf, or an
older tree, belongs to a root; the root itself is worth what signed it (`audit.checkpoint`). A proof of inclusion does
not by itself bind the size of the tree: two sizes can share a proof and a root, and only the checkpoint ties them.

>>> tree = CompactRange()
>>> for leaf in (b"a", b"b", b"c"):
...     completed = tree.append(leaf_hash(leaf))
>>> proof = [leaf_hash(b"a"), leaf_hash(b"c")]
>>> verify_inclusion(index=1, size=3, leaf_hash=leaf_hash(b"b"), proof=proof, root=tree.root())
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.canonical import AuditError, leaf_hash

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "CompactRange",
    "ConsistencyError",
    "InclusionError",
    "MerkleError",
    "Subtree",
    "SubtreeReader",
    "leaf_hash",
    "node_hash",
    "prove_consistency",
    "prove_inclusion",
    "read_root",
    "verify_consistency",
    "verify_inclusion",
]

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()
"""Root of the tree without leaves."""

_NODE_PREFIX = b"\x01"


class MerkleError(AuditError):
    """A tree that cannot be as it is described, or a proof that cannot be made. Whoever asked is at fault."""


class InclusionError(MerkleError):
    """A proof that does not show the leaf in the tree. Whoever gave the proof is at fault."""


class ConsistencyError(MerkleError):
    """A proof that does not show one tree as the continuation of the other. Whoever gave the proof is at fault."""


@dataclass(frozen=True)
class Subtree:
    """A complete subtree: its leaves are those from `index << level` up to `(index + 1) << level`."""

    level: int
    """0 is a leaf; a subtree of level n has 2**n leaves."""
    index: int
    """How many subtrees of the same level stand to its left."""
    hash: bytes


class SubtreeReader(Protocol):
    """What proofs are made from: the hashes of complete subtrees, which never change once they are complete."""

    def subtree_hash(self, level: int, index: int) -> bytes:
        """The 32-byte hash of the complete subtree at this place; raises when there is none."""
        ...


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 9162 §2.1.1): SHA-256 of 0x01 and both children."""
    return hashlib.sha256(_NODE_PREFIX + left + right).digest()


class CompactRange:
    """The tree's right edge: all that appending and the root need, one hash for each bit set in the size."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Takes up a tree where it was left.

        Args:
            size: Number of leaves so far.
            hashes: What `hashes` gave at that size: the largest subtree first.

        Raises:
            MerkleError: They do not belong together.
        """
        if size < 0 or len(hashes) != size.bit_count() or any(len(one) != HASH_BYTES for one in hashes):
            raise MerkleError("a tree's edge has one hash of 32 bytes for each bit set in its size")
        self._size = size
        self._hashes = list(hashes)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """Hashes of the complete subtrees that make up the tree, the largest first."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> list[Subtree]:
        """Adds a leaf at the right.

        Args:
            leaf: Its leaf hash, 32 bytes.

        Returns:
            Every subtree that it completes, the leaf itself first: what a `SubtreeReader` must be able to give later.

        Raises:
            MerkleError: The hash has another length.
        """
        if len(leaf) != HASH_BYTES:
            raise MerkleError("a leaf hash has 32 bytes")
        completed = [Subtree(0, self._size, leaf)]
        while self._size >> completed[-1].level & 1:
            last = completed[-1]
            joined = node_hash(self._hashes.pop(), last.hash)
            completed.append(Subtree(last.level + 1, last.index >> 1, joined))
        self._hashes.append(completed[-1].hash)
        self._size += 1
        return completed

    def root(self) -> bytes:
        """The Merkle Tree Hash over all leaves so far, 32 bytes."""
        return _join(self._hashes) if self._hashes else EMPTY_ROOT


def read_root(subtrees: SubtreeReader, size: int) -> bytes:
    """The root that the tree had at a size.

    Args:
        subtrees: At least the subtrees complete at that size.
        size: Number of leaves.

    Raises:
        MerkleError: The size is negative.
    """
    if size < 0:
        raise MerkleError("no tree has a negative size")
    return _range_hash(subtrees, 0, size) if size else EMPTY_ROOT


def prove_inclusion(subtrees: SubtreeReader, *, index: int, size: int) -> list[bytes]:
    """Proves that a leaf is in the tree of a size (PATH, RFC 9162 §2.1.3.1).

    Args:
        subtrees: At least the subtrees complete at that size.
        index: Of the leaf, from 0.
        size: Number of leaves.

    Returns:
        At most as many hashes as the size has bits, the lowest first.

    Raises:
        MerkleError: There is no such leaf in such a tree.
    """
    if not 0 <= index < size:
        raise MerkleError("the tree has no such leaf")
    ranges = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return [_range_hash(subtrees, *one) for one in reversed(ranges)]


def prove_consistency(subtrees: SubtreeReader, *, old_size: int, new_size: int) -> list[bytes]:
    """Proves that a tree is the continuation of an older one (PROOF, RFC 9162 §2.1.4.1).

    Args:
        subtrees: At least the subtrees complete at the new size.
        old_size: Leaves of the older tree, at least 1: nothing can be proved about the empty tree.
        new_size: Leaves of the newer tree.

    Returns:
        The hashes, the lowest first; none when the sizes are equal.

    Raises:
        MerkleError: There are no two such trees.
    """
    if not 0 < old_size <= new_size:
        raise MerkleError("a tree continues only one that is not empty and not larger")
    ranges = []
    start, end = 0, new_size
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:  # otherwise what is left is the old tree itself, whose root the verifier has
        ranges.append((start, end))
    return [_range_hash(subtrees, *one) for one in reversed(ranges)]


def verify_inclusion(*, index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Checks that a leaf is in a tree (RFC 9162 §2.1.3.2).

    Args:
        index: Of the leaf, from 0.
        size: Number of leaves in the tree.
        leaf_hash: 32 bytes.
        proof: As `prove_inclusion` gives it.
        root: The tree's root, from a checkpoint that was verified.

    Raises:
        InclusionError: The proof does not show it.
    """
    if not 0 <= index < size:
        raise InclusionError("the tree has no such leaf")
    _check_lengths(InclusionError, leaf_hash, *proof)
    fn, sn, computed = index, size - 1, leaf_hash
    for sibling in proof:
        if sn == 0:
            raise InclusionError("the proof is too long")
        if fn & 1 or fn == sn:
            computed = node_hash(sibling, computed)
            fn, sn = _skip_missing_siblings(fn, sn)
        else:
            computed = node_hash(computed, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise InclusionError("the proof is too short")
    if not hmac.compare_digest(computed, root):
        raise InclusionError("the proof leads to another root")


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Checks that a tree is the continuation of an older one (RFC 9162 §2.1.4.2): nothing changed, removed or moved.

    From the empty tree nothing can be shown, so that such a proof is refused, whatever it holds.

    Args:
        old_size: Leaves of the older tree, at least 1.
        new_size: Leaves of the newer tree.
        old_root: Root of the older tree, from a checkpoint that was verified.
        new_root: Root of the newer tree, from a checkpoint that was verified.
        proof: As `prove_consistency` gives it.

    Raises:
        ConsistencyError: The proof does not show it.
    """
    if not 0 < old_size <= new_size:
        raise ConsistencyError("a tree continues only one that is not empty and not larger")
    if old_size == new_size:
        if proof or not hmac.compare_digest(old_root, new_root):
            raise ConsistencyError("two trees of one size are equal, and need no proof")
        return
    # A complete old tree is a node of the new one, and the proof leaves out what the verifier has.
    path = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)
    _check_lengths(ConsistencyError, *path)
    if not proof:
        raise ConsistencyError("the proof is empty")
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if sn == 0:
            raise ConsistencyError("the proof is too long")
        if fn & 1 or fn == sn:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            fn, sn = _skip_missing_siblings(fn, sn)
        else:
            new = node_hash(new, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ConsistencyError("the proof is too short")
    if not (hmac.compare_digest(old, old_root) and hmac.compare_digest(new, new_root)):
        raise ConsistencyError("the proof leads to other roots")


def _skip_missing_siblings(fn: int, sn: int) -> tuple[int, int]:
    """Climbs past the levels at which the node at the right edge has no sibling."""
    while fn and not fn & 1:
        fn, sn = fn >> 1, sn >> 1
    return fn, sn


def _check_lengths(error: type[MerkleError], *hashes: bytes) -> None:
    """Hashes of one length only, so that no byte can be moved from one child of a node to the other."""
    if any(len(one) != HASH_BYTES for one in hashes):
        raise error("a hash has 32 bytes")


def _split(size: int) -> int:
    """The largest power of two below `size`, which is at least 2: where RFC 9162 divides a tree."""
    return 1 << (size - 1).bit_length() - 1


def _range_hash(subtrees: SubtreeReader, start: int, end: int) -> bytes:
    """The hash over leaves that stand under one node of the tree, from the complete subtrees that make them up."""
    hashes = []
    while start < end:
        level = (end - start).bit_length() - 1
        hashes.append(subtrees.subtree_hash(level, start >> level))
        start += 1 << level
    return _join(hashes)


def _join(hashes: Sequence[bytes]) -> bytes:
    """One hash from those of adjoining subtrees, each smaller than the one to its left."""
    joined = hashes[-1]
    for left in reversed(hashes[:-1]):
        joined = node_hash(left, joined)
    return joined
