"""Checkpoints (C2SP tlog-checkpoint): what a log's key and its witnesses say the tree is.

A checkpoint is a signed note whose text is the log's name ("origin"), the number of leaves, the root in base64, and
extension lines if any. It counts when the log signed it; it is believed when enough witnesses cosigned it, each of
whom has seen that it continues everything that they cosigned before.

>>> print(Checkpoint(origin="log.example/registry", size=0, root=EMPTY_ROOT).text, end="")
log.example/registry
0
47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
"""

import base64
import binascii
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from audit.canonical import AuditError
from audit.merkle import EMPTY_ROOT, HASH_BYTES
from audit.note import COSIGNATURE, ED25519, Note, NoteError, NoteKey, NoteSignature, sign_note, verify_note

MAX_SIZE = 2**63 - 1
"""Largest tree that is read: what databases can number."""

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_MIN_LINES = 3


class CheckpointError(AuditError):
    """A checkpoint that is malformed, of another log, or not signed by its log."""


class QuorumError(CheckpointError):
    """A checkpoint of the log that too few witnesses cosigned. It may be cosigned later."""


@dataclass(frozen=True)
class Checkpoint:
    """A tree at one size. Only `verify_checkpoint` and `verify_cosigned` say whether it is to be believed."""

    origin: str
    """Name of the log."""
    size: int
    """Number of leaves."""
    root: bytes
    """32 bytes."""
    extensions: tuple[str, ...] = ()
    """Lines without meaning here; witnesses do not vouch for them."""

    def __post_init__(self) -> None:
        """Refuses what cannot be written as a checkpoint.

        Raises:
            CheckpointError: A line that is empty, divided or not UTF-8, or a size and root that no tree has.
        """
        for line in (self.origin, *self.extensions):
            if not line or any(char < " " or "\ud800" <= char <= "\udfff" for char in line):
                raise CheckpointError("a checkpoint's lines are neither empty nor divided, and UTF-8")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise CheckpointError("no tree has this size or root")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise CheckpointError("the empty tree has another root")

    @property
    def text(self) -> str:
        """The text that is signed."""
        root = base64.b64encode(self.root).decode("ascii")
        return "".join(f"{line}\n" for line in (self.origin, self.size, root, *self.extensions))

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Reads a note's text, in the one form that `text` gives.

        Raises:
            CheckpointError: It is anything else.
        """
        lines = text.split("\n")
        if lines.pop() or len(lines) < _MIN_LINES:
            raise CheckpointError("a checkpoint has three lines at least")
        origin, size, root, *extensions = lines
        if not _SIZE.fullmatch(size):
            raise CheckpointError("a tree's size is a decimal number without leading zeroes")
        try:
            raw = base64.b64decode(root, validate=True)
        except (binascii.Error, ValueError) as error:
            raise CheckpointError("a root is base64") from error
        checkpoint = cls(origin=origin, size=int(size), root=raw, extensions=tuple(extensions))
        if checkpoint.text != text:
            raise CheckpointError("a root is canonical base64")
        return checkpoint


@dataclass(frozen=True)
class CosignedCheckpoint:
    """A checkpoint that its log signed and enough witnesses cosigned."""

    checkpoint: Checkpoint
    witnessed: Mapping[str, int]
    """Name of each witness that cosigned, and when it last did, in seconds since 1970."""


def sign_checkpoint(sign: Callable[[bytes], bytes], *, log: NoteKey, checkpoint: Checkpoint) -> Note:
    """Signs a checkpoint as its log.

    The log must never sign one that does not continue what it signed before; that is for the caller to know.

    Args:
        sign: Signs a message with the log's Ed25519 private key: 64 bytes.
        log: Its public side, under the log's name.
        checkpoint: Of that log.

    Returns:
        The note, to which cosignatures can be added.

    Raises:
        CheckpointError: The key is not that log's.
    """
    _check_log(log)
    if log.name != checkpoint.origin:
        raise CheckpointError("a checkpoint of another log")
    return Note(text=checkpoint.text, signatures=(sign_note(sign, key=log, text=checkpoint.text),))


def cosign_checkpoint(
    sign: Callable[[bytes], bytes], *, witness: NoteKey, checkpoint: Checkpoint, time: int
) -> NoteSignature:
    """Cosigns a checkpoint as a witness (C2SP tlog-cosignature, Ed25519).

    It says that, of all the log's checkpoints that the witness has seen by this time, this is the largest, and that
    all are consistent; that is for the caller to know.

    Args:
        sign: Signs a message with the witness's Ed25519 private key: 64 bytes.
        witness: Its public side.
        checkpoint: One that the log signed.
        time: Now, in seconds since 1970.

    Returns:
        The line to be added to the note.

    Raises:
        CheckpointError: The key is not a witness's.
        NoteError: The time is none that a cosignature can name.
    """
    _check_witnesses([witness])
    return sign_note(sign, key=witness, text=checkpoint.text, time=time)


def verify_checkpoint(note: Note, *, log: NoteKey) -> Checkpoint:
    """Checks that a log signed a checkpoint. Without witnesses, another reader may be shown another one.

    Args:
        note: As it was parsed.
        log: The log's key, under the log's name, from a trust file.

    Raises:
        CheckpointError: It is malformed, of another log, or not signed with that key.
    """
    _check_log(log)
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != log.name:
        raise CheckpointError("a checkpoint of another log")
    try:
        verify_note(note, [log])
    except NoteError as error:
        raise CheckpointError("the log's key did not sign this checkpoint") from error
    return checkpoint


def verify_cosigned(note: Note, *, log: NoteKey, witnesses: Collection[NoteKey], quorum: int) -> CosignedCheckpoint:
    """Checks that a log signed a checkpoint and that enough of its witnesses cosigned it.

    Cosignatures by unknown keys say nothing. One in a known witness's name that does not hold spoils the whole, as
    does none at all.

    Args:
        note: As it was parsed.
        log: The log's key, under the log's name, from a trust file.
        witnesses: Keys of the witnesses, from a trust file.
        quorum: How many different witnesses must have cosigned, at least 1.

    Raises:
        CheckpointError: It is malformed, of another log, not signed by it, or holds a false cosignature; or the
            witnesses' keys are not witnesses', not different ones, or fewer than the quorum.
        QuorumError: Too few cosigned.
    """
    _check_witnesses(witnesses)
    if not 1 <= quorum <= len(witnesses):
        raise CheckpointError("a quorum is at least one witness, and at most all of them")
    checkpoint = verify_checkpoint(note, log=log)
    try:
        signatures = verify_note(note, [log, *witnesses])
    except NoteError as error:
        raise CheckpointError("the checkpoint holds a false cosignature") from error
    witnessed: dict[str, int] = {}
    for one in signatures:
        if one.time is not None:
            witnessed[one.key.name] = max(one.time, witnessed.get(one.key.name, 0))
    if len(witnessed) < quorum:
        raise QuorumError("too few witnesses cosigned the checkpoint")
    return CosignedCheckpoint(checkpoint=checkpoint, witnessed=MappingProxyType(witnessed))


def _check_log(log: NoteKey) -> None:
    if log.type != ED25519:
        raise CheckpointError("a log signs with a key of type 1")


def _check_witnesses(witnesses: Collection[NoteKey]) -> None:
    """An Ed25519 cosignature does not name its witness: under two names, one key would count twice."""
    if any(one.type != COSIGNATURE for one in witnesses):
        raise CheckpointError("a witness signs with a key of type 4")
    if not len(witnesses) == len({one.name for one in witnesses}) == len({one.public_key for one in witnesses}):
        raise CheckpointError("each witness has a name and a key of its own")
