"""The journal of a batch: what was about to be sent, and what was answered.

JSON lines, appended and flushed to disk one by one. A request's whole body and its Idempotency-Key are on disk *before*
it is sent, so that after an interruption at any point the very same request is sent again, which the registry answers
without screening anybody twice. The journal holds tokens and sealed notes, and no name.
"""

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from screening.client.errors import InputFileError

KIND: Final = "screening-batch"
VERSION: Final = 1


@dataclass(frozen=True)
class Request:
    """A request for some rows of the file, sent or about to be."""

    key: str
    """Its Idempotency-Key."""

    rows: tuple[int, ...]
    body: Mapping[str, Any] = field(repr=False)
    at: datetime
    """When it was about to be sent, aware."""


class Journal:
    """One batch's journal, locked while it is open. Made by `Journal.open`.

    Attributes:
        pending: Requests that no answer was noted for.
        results: What was answered, by row.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self.pending: dict[str, Request] = {}
        self.results: dict[int, Mapping[str, Any]] = {}

    @classmethod
    def open(cls, path: Path, header: Mapping[str, Any]) -> "Journal":
        """Opens a journal, or begins one.

        Args:
            path: The file; it is 0600.
            header: What the batch is: digest of the input, options, who asks. An existing journal must say the same.

        Raises:
            InputFileError: It belongs to something else (`other-batch`), another process works on it
                (`batch-running`), it is damaged (`damaged-journal`), others may read it (`readable-by-others`), or it
                cannot be written (`unwritable`).
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise InputFileError("unwritable", f"{path} cannot be written: {error.strerror}") from error
        journal = cls(path, descriptor)
        try:
            journal._lock()
            journal._begin({"kind": KIND, "version": VERSION, **header})
        except BaseException:
            journal.close()
            raise
        return journal

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file, which ends the lock."""
        os.close(self._descriptor)

    @property
    def rows_begun(self) -> frozenset[int]:
        """Rows that were answered or may have been sent."""
        return frozenset(self.results).union(*(request.rows for request in self.pending.values()))

    def note_request(self, request: Request) -> None:
        """Notes a request; it is on disk when this returns, and may be sent then."""
        line = {"send": request.key, "at": request.at.isoformat(), "rows": list(request.rows), "body": request.body}
        self._append(line)
        self.pending[request.key] = request

    def note_answer(self, key: str, results: Sequence[Mapping[str, Any]]) -> None:
        """Notes what was answered, one result for each of the request's rows."""
        self._append({"done": key, "results": list(results)})
        self._settle(key, results)

    def note_refusal(self, key: str) -> None:
        """Notes that a request was refused for good and did nothing: its rows may be asked about anew."""
        self._append({"refused": key})
        del self.pending[key]

    # --- file --------------------------------------------------------------------------------------------------------

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputFileError("batch-running", f"another process is working on {self._path}") from error
        if os.fstat(self._descriptor).st_mode & 0o077:
            raise InputFileError("readable-by-others", f"{self._path} must be readable by its owner alone (chmod 600)")

    def _begin(self, header: Mapping[str, Any]) -> None:
        content = self._read()
        complete, _, torn = content.rpartition(b"\n")
        if torn:
            # The process ended in the middle of a line. Nothing was done yet on the strength of that line.
            os.ftruncate(self._descriptor, len(content) - len(torn))
        lines = complete.split(b"\n") if complete else []
        if not lines:
            self._append(header)
            self._sync_directory()
            return
        try:
            entries = [json.loads(line) for line in lines]
            if entries[0] != json.loads(json.dumps(header)):
                raise InputFileError(
                    "other-batch",
                    f"{self._path} is the journal of another input file, other options or another person; "
                    "give another --output, or exactly what it was begun with",
                )
            for entry in entries[1:]:
                self._replay(entry)
        except (KeyError, TypeError, ValueError) as error:
            raise InputFileError(
                "damaged-journal", f"{self._path} is damaged; keep it and begin a new batch"
            ) from error

    def _replay(self, entry: Mapping[str, Any]) -> None:
        if "send" in entry:
            rows = tuple(int(row) for row in entry["rows"])
            at = datetime.fromisoformat(entry["at"])
            self.pending[entry["send"]] = Request(entry["send"], rows, dict(entry["body"]), at)
        elif "done" in entry:
            self._settle(entry["done"], entry["results"])
        else:
            del self.pending[entry["refused"]]

    def _settle(self, key: str, results: Sequence[Mapping[str, Any]]) -> None:
        request = self.pending.pop(key)
        self.results.update(zip(request.rows, results, strict=True))

    def _read(self) -> bytes:
        with open(self._descriptor, "rb", closefd=False) as file:
            file.seek(0)
            return file.read()

    def _append(self, entry: Mapping[str, Any]) -> None:
        line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise InputFileError("unwritable", f"{self._path} cannot be written: {error.strerror}") from error

    def _sync_directory(self) -> None:
        directory = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
