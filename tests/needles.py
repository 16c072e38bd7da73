"""Looks for texts in bytes, in every encoding in which they might have slipped through."""

from __future__ import annotations

import base64
import json
import quopri
import urllib.parse
from collections.abc import Iterable

import numpy as np
from anyascii import anyascii

SHORTEST = 8
"""Bytes of the shortest needle; less would be met by chance in megabytes of ciphertext."""

SHORTEST_BASE64 = 10
"""The same for a needle in Base64, whose characters hold only six bits."""

_PREFIX = 5


def encodings(text: str) -> set[bytes]:
    """A text in every encoding tried: several of its forms, each in several alphabets."""
    forms = {text, text.casefold(), text.upper(), anyascii(text), anyascii(text).casefold(), "".join(text.split())}
    found: set[bytes] = set()
    for form in forms:
        raw = [form.encode(), form.encode("utf-16-le"), form.encode("utf-16-be"), form.encode("utf-32-le")]
        raw += [json.dumps(form)[1:-1].encode(), urllib.parse.quote(form).encode(), quopri.encodestring(form.encode())]
        found.update(raw)
        for data in raw[:2]:
            found |= {data.hex().encode(), data.hex().upper().encode(), data[::-1]}
            found |= _base64(data)
    return {needle for needle in found if len(needle) >= SHORTEST}


def _base64(data: bytes) -> set[bytes]:
    """Base64 of data wherever it begins in a longer text: three alignments, without the characters at the edges."""
    found = set()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + data)
        whole = encoded[-(-shift * 8 // 6) :].rstrip(b"=")[: (len(data) * 8) // 6 - 1]
        if len(whole) >= SHORTEST_BASE64:
            found |= {whole, whole.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def dates(date: str) -> set[str]:
    """The ways in which a birth date `YYYY-MM-DD` is written."""
    year, month, day = date.split("-")
    return {date, f"{day}.{month}.{year}", f"{day}/{month}/{year}", f"{month}/{day}/{year}", f"{year}/{month}/{day}"}


class Scanner:
    """Finds any of many needles in much data.

    Args:
        needles: What to look for, each at least 5 bytes.
    """

    def __init__(self, needles: Iterable[bytes]) -> None:
        self._by_prefix: dict[int, list[bytes]] = {}
        for needle in needles:
            self._by_prefix.setdefault(int.from_bytes(needle[:_PREFIX], "big"), []).append(needle)
        self._prefixes = np.array(sorted(self._by_prefix), dtype=np.uint64)
        # a quick sieve over the first three bytes, since nearly every position passes by
        self._sieve = np.zeros(1 << 24, dtype=np.bool_)
        self._sieve[(self._prefixes >> np.uint64(8 * (_PREFIX - 3))).astype(np.int64)] = True

    def __len__(self) -> int:
        return sum(map(len, self._by_prefix.values()))

    def find(self, data: bytes) -> set[bytes]:
        """The needles that occur in the data."""
        found: set[bytes] = set()
        step = 8 * 1024 * 1024
        longest = max((len(needle) for group in self._by_prefix.values() for needle in group), default=0)
        for start in range(0, len(data), step):
            found |= self._find(data[start : start + step + longest])
        return found

    def _find(self, data: bytes) -> set[bytes]:
        if len(data) < _PREFIX:
            return set()
        octets = np.frombuffer(data, dtype=np.uint8).astype(np.uint32)
        length = len(octets) - _PREFIX + 1
        starts = octets[:length] << 16 | octets[1 : length + 1] << 8 | octets[2 : length + 2]
        positions = np.flatnonzero(self._sieve[starts])
        prefixes = np.zeros(len(positions), dtype=np.uint64)
        for offset in range(_PREFIX):
            prefixes = (prefixes << np.uint64(8)) | octets[positions + offset].astype(np.uint64)
        passed = np.isin(prefixes, self._prefixes)
        found: set[bytes] = set()
        for position, prefix in zip(positions[passed].tolist(), prefixes[passed].tolist(), strict=True):
            for needle in self._by_prefix[prefix]:
                if data.startswith(needle, position):
                    found.add(needle)
        return found
