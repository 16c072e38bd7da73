"""Files that only their owner may read: written whole or not at all, never over another, and never read otherwise."""

import errno
import os
import secrets
import stat
from pathlib import Path

from screening.crypto.errors import KeyringError

MAX_BYTES = 64 * 1024
MODE = 0o600

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def write_new(path: Path, content: bytes) -> None:
    """Writes a new file of mode 0600 that, whatever happens, is either whole and on disk, or not there.

    Args:
        path: Where; its folder must exist.
        content: What to write.

    Raises:
        KeyringError: There is something at `path` already, or it cannot be written.
    """
    if os.path.lexists(path):
        raise KeyringError(f"{path.name} exists; keys are never overwritten")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, MODE)
        try:
            with open(descriptor, "wb") as file:
                os.fchmod(descriptor, MODE)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise KeyringError(f"{path.name} cannot be written: {error.strerror}") from None


def read(path: Path) -> bytes:
    """Reads a file after looking at the very file that was opened, so that it cannot be exchanged in between.

    Args:
        path: The file.

    Returns:
        At most 64 KiB.

    Raises:
        KeyringError: It is missing, a link or no regular file, too large, or others may read or write it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        reason = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise KeyringError(f"{path.name} cannot be opened: {reason}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyringError(f"{path.name} is not a regular file")
        if status.st_mode & _OTHERS:
            raise KeyringError(f"others may read or write {path.name}; it must have mode 0600")
        if status.st_size > MAX_BYTES:
            raise KeyringError(f"{path.name} is too large for a key file")
        return os.read(descriptor, MAX_BYTES)
    except OSError as error:
        raise KeyringError(f"{path.name} cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
