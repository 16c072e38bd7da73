"""Makes every guess at a feature expensive: Argon2id (RFC 9106) over the whole feature.

The salt is the same for a registry's whole epoch, as equal features must come to equal results. So this slows guessing
down; what prevents it is the split key (`screening.crypto.voprf`).
"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import argon2.low_level
from argon2.exceptions import HashingError

from screening.crypto.encoding import lp
from screening.crypto.errors import EncodingError, StretchError

SALT_BYTES = 16
ALGORITHM = "argon2id"

_SALT_LABEL = b"screening/1/salt"
_BOUNDS = {
    "memory_kib": (8, 4 * 1024 * 1024),
    "iterations": (1, 1 << 16),
    "parallelism": (1, 64),
    "length": (16, 64),
}
"""From Argon2's own minima, but results no shorter than a token, to what no client could bear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchParameters:
    """What one evaluation of Argon2id costs. Another value of any of these gives other tokens.

    Attributes:
        memory_kib: Memory in KiB, at least 8 for each lane.
        iterations: Passes over the memory.
        parallelism: Lanes.
        length: Bytes of the result, 16 to 64.

    Raises:
        StretchError: A value is no integer, or out of bounds.
    """

    memory_kib: int
    iterations: int
    parallelism: int
    length: int

    def __post_init__(self) -> None:
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise StretchError(f"{name} must be an integer from {least} to {most}")
        if self.memory_kib < 8 * self.parallelism:
            raise StretchError("memory_kib must be at least 8 times parallelism")

    def to_json(self) -> dict[str, Any]:
        """The parameters as the trust file states them."""
        return {"algorithm": ALGORITHM} | {name: getattr(self, name) for name in _BOUNDS}

    @classmethod
    def from_json(cls, obj: object) -> Self:
        """Reads what `to_json` wrote; raises StretchError if it has another shape or algorithm."""
        if not isinstance(obj, dict) or set(obj) != {"algorithm", *_BOUNDS}:
            raise StretchError("stretch parameters have exactly algorithm, " + ", ".join(_BOUNDS))
        if obj["algorithm"] != ALGORITHM:
            raise StretchError("only argon2id is known")
        return cls(**{name: obj[name] for name in _BOUNDS})

    def is_weaker_than(self, other: "StretchParameters") -> bool:
        """Whether any of memory, iterations and length is below the other's."""
        return self.memory_kib < other.memory_kib or self.iterations < other.iterations or self.length < other.length


DEFAULT = StretchParameters(memory_kib=8 * 1024, iterations=1, parallelism=1, length=32)
"""About 3 ms on one core: what a recruiter does not notice and a guesser pays for each guess."""


def salt(registry: str, epoch: int) -> bytes:
    """The salt of a registry's epoch.

    Args:
        registry: The registry's id.
        epoch: The epoch, 1 to 2^32 - 1.

    Returns:
        16 bytes.

    Raises:
        EncodingError: The epoch is out of bounds, or the id too long.
    """
    if type(epoch) is not int or not 1 <= epoch < 1 << 32:
        raise EncodingError("an epoch is an integer from 1 to 2^32 - 1")
    return hashlib.sha256(lp(_SALT_LABEL, registry.encode()) + epoch.to_bytes(4, "big")).digest()[:SALT_BYTES]


def stretch(
    features: Sequence[bytes], parameters: StretchParameters, salt: bytes, *, threads: int | None = None
) -> list[bytes]:
    """Stretches features on all cores: Argon2id runs outside the interpreter's lock.

    Args:
        features: Encoded features; one that occurs several times is stretched once.
        parameters: The cost, from the trust file.
        salt: 16 bytes, from `salt`.
        threads: How many to compute at once, each with `parameters.memory_kib`; as many as this process may use cores
            when left out.

    Returns:
        `parameters.length` bytes for each feature, in the same order.

    Raises:
        StretchError: The salt has another length, `threads` is below 1, or there is not enough memory.
    """
    if len(salt) != SALT_BYTES:
        raise StretchError(f"a salt has {SALT_BYTES} bytes")
    if threads is not None and threads < 1:
        raise StretchError("at least one thread is needed")

    def stretch_one(feature: bytes) -> bytes:
        return argon2.low_level.hash_secret_raw(
            feature,
            salt,
            time_cost=parameters.iterations,
            memory_cost=parameters.memory_kib,
            parallelism=parameters.parallelism,
            hash_len=parameters.length,
            type=argon2.low_level.Type.ID,
            version=argon2.low_level.ARGON2_VERSION,
        )

    distinct = list(dict.fromkeys(features))
    workers = min(threads or _cores(), len(distinct))
    try:
        if workers <= 1:
            stretched = [stretch_one(feature) for feature in distinct]
        else:
            with ThreadPoolExecutor(workers, thread_name_prefix="stretch") as pool:
                stretched = list(pool.map(stretch_one, distinct))
    except HashingError:
        raise StretchError("Argon2id could not run; there may be too little memory") from None
    results = dict(zip(distinct, stretched, strict=True))
    return [results[feature] for feature in features]


def _cores() -> int:
    """How many cores this process may use, which in a container or under taskset is not how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
