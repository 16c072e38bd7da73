"""The tree as RFC 9162 §2.1 writes it, recursive and over whole lists of leaves: slow, an oracle for tests alone."""

import hashlib
from collections.abc import Sequence


class RefusedError(Exception):
    """A proof that does not have the shape that its sizes demand, or does not lead to the roots."""


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def split(n: int) -> int:
    """The largest power of two smaller than n, for n > 1."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(d: Sequence[bytes]) -> bytes:
    """Merkle Tree Hash, §2.1.1."""
    n = len(d)
    if n == 0:
        return sha256(b"")
    if n == 1:
        return sha256(b"\x00" + d[0])
    k = split(n)
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:]))


def path(m: int, d: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D_n), §2.1.3.1."""
    n = len(d)
    if n == 1:
        return []
    k = split(n)
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def proof(m: int, d: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D_n), §2.1.4.1."""
    return subproof(m, d, known=True)


def subproof(m: int, d: Sequence[bytes], *, known: bool) -> list[bytes]:
    """SUBPROOF(m, D_n, b), §2.1.4.1."""
    n = len(d)
    if m == n:
        return [] if known else [mth(d)]
    k = split(n)
    if m <= k:
        return [*subproof(m, d[:k], known=known), mth(d[k:])]
    return [*subproof(m - k, d[k:], known=False), mth(d[:k])]


def check_path(m: int, n: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> None:
    """Takes a path apart the way PATH puts it together, which is not how §2.1.3.2 checks it."""
    if not 0 <= m < n or any(len(one) != 32 for one in (leaf, *path)) or root_of_path(m, n, leaf, path) != root:
        raise RefusedError


def root_of_path(m: int, n: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    if n == 1:
        if path:
            raise RefusedError
        return leaf
    if not path:
        raise RefusedError
    k = split(n)
    if m < k:
        return sha256(b"\x01" + root_of_path(m, k, leaf, path[:-1]) + path[-1])
    return sha256(b"\x01" + path[-1] + root_of_path(m - k, n - k, leaf, path[:-1]))


def check_proof(m: int, n: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Takes a consistency proof apart the way PROOF puts it together, which is not how §2.1.4.2 checks it."""
    if not 0 < m <= n or (m < n and any(len(one) != 32 for one in (old_root, *proof))):
        raise RefusedError
    if roots_of_proof(m, n, old_root, proof, known=True) != (old_root, new_root):
        raise RefusedError


def roots_of_proof(m: int, n: int, old_root: bytes, proof: Sequence[bytes], *, known: bool) -> tuple[bytes, bytes]:
    if m == n:
        if len(proof) != (0 if known else 1):
            raise RefusedError
        both = old_root if known else proof[0]
        return both, both
    if not proof:
        raise RefusedError
    k, last = split(n), proof[-1]
    if m <= k:
        old, new = roots_of_proof(m, k, old_root, proof[:-1], known=known)
        return old, sha256(b"\x01" + new + last)
    old, new = roots_of_proof(m - k, n - k, old_root, proof[:-1], known=False)
    return sha256(b"\x01" + last + old), sha256(b"\x01" + last + new)
