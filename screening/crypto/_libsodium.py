"""Finds and loads libsodium.

In this order: the file that SCREENING_LIBSODIUM names, which must then be usable; the system's library; the copy inside
the `rbcl` wheel. That package is never imported, as it would leave a file of 3 MB in the temporary directory at each
start: its copy is read out of its source and loaded from memory or, where the system has no such thing, from a
temporary file that is removed right away.
"""

import contextlib
import ctypes
import importlib.util
import os
import re
import tempfile
from pathlib import Path

from screening.crypto.errors import LibraryError

PATH_VARIABLE = "SCREENING_LIBSODIUM"
SYSTEM_NAMES = ("libsodium.so.26", "libsodium.so.23", "libsodium.so", "libsodium.26.dylib", "libsodium.dylib")
"""The library's names on Linux and macOS, newest interface first; both interfaces have ristretto255 from 1.0.18 on."""

FUNCTIONS = {
    "crypto_core_ristretto255_is_valid_point": 1,
    "crypto_core_ristretto255_from_hash": 2,
    "crypto_core_ristretto255_add": 3,
    "crypto_core_ristretto255_scalar_reduce": 2,
    "crypto_core_ristretto255_scalar_invert": 2,
    "crypto_core_ristretto255_scalar_random": 1,
    "crypto_core_ristretto255_scalar_mul": 3,
    "crypto_core_ristretto255_scalar_add": 3,
    "crypto_core_ristretto255_scalar_sub": 3,
    "crypto_scalarmult_ristretto255": 3,
    "crypto_scalarmult_ristretto255_base": 2,
}
"""What is used, and the number of its arguments: each is a pointer to bytes."""

_WITHOUT_RESULT = frozenset(
    f"crypto_core_ristretto255_scalar_{operation}" for operation in ("reduce", "random", "mul", "add", "sub")
)
_BUNDLED = re.compile(rb"^sodium_bs = bytes\.fromhex\('([0-9a-f]+)'\)", re.MULTILINE)


def load() -> ctypes.CDLL:
    """Loads and starts libsodium.

    Returns:
        The library, its functions of `FUNCTIONS` declared.

    Raises:
        LibraryError: SCREENING_LIBSODIUM names no usable library, or none was found anywhere.
    """
    configured = os.environ.get(PATH_VARIABLE)
    if configured:
        library = _usable(configured)
        if library is None:
            raise LibraryError(f"{PATH_VARIABLE} does not name a libsodium with ristretto255")
        return library
    for name in SYSTEM_NAMES:
        if (library := _usable(name)) is not None:
            return library
    bundled = _bundled_bytes()
    library = (_from_memory(bundled) or _from_temporary_file(bundled)) if bundled else None
    if library is None:
        raise LibraryError(f"no libsodium with ristretto255 was found; install libsodium or set {PATH_VARIABLE}")
    return library


def _usable(path: str) -> ctypes.CDLL | None:
    """Loads one file and declares its functions; None if it is not there or lacks one of them."""
    try:
        library = ctypes.CDLL(path)
        for name, arguments in FUNCTIONS.items():
            function = library[name]
            function.argtypes = (ctypes.c_char_p,) * arguments
            function.restype = None if name in _WITHOUT_RESULT else ctypes.c_int
        library.sodium_init.argtypes = ()
        library.sodium_init.restype = ctypes.c_int
    except (OSError, AttributeError):
        return None
    return library if library.sodium_init() >= 0 else None


def _bundled_bytes() -> bytes | None:
    """The shared library inside rbcl's source, where that is installed."""
    spec = importlib.util.find_spec("rbcl")
    if spec is None or spec.origin is None:
        return None
    try:
        found = _BUNDLED.search((Path(spec.origin).parent / "_sodium.py").read_bytes())
    except OSError:
        return None
    return bytes.fromhex(found[1].decode("ascii")) if found else None


def _from_memory(content: bytes) -> ctypes.CDLL | None:
    if not hasattr(os, "memfd_create"):
        return None
    try:
        descriptor = os.memfd_create("libsodium")
    except OSError:
        return None
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        return _usable(f"/proc/self/fd/{descriptor}")


def _from_temporary_file(content: bytes) -> ctypes.CDLL | None:
    try:
        descriptor, path = tempfile.mkstemp(prefix="libsodium-", suffix=".so")
    except OSError:
        return None
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        return _usable(path)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)
