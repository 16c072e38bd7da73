"""What the journal of a batch keeps, and what it refuses."""

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from screening.client.errors import InputFileError
from screening.client.journal import Journal, Request

HEADER = {"input": "ab" * 32, "asked": {"purpose": "recruitment", "categories": ["SH"]}, "person": "p"}
AT = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)


def request(key: str, *rows: int) -> Request:
    return Request(key, rows, {"candidates": [{"id": str(row)} for row in rows]}, AT)


def refused(path: Path, header: dict[str, Any] | None = None) -> str:
    with pytest.raises(InputFileError) as caught:
        Journal.open(path, header or HEADER)
    return caught.value.code


def test_what_was_noted_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal.open(path, HEADER) as journal:
        journal.note_request(request("a", 2, 3))
        journal.note_request(request("b", 4))
        journal.note_answer("a", [{"outcome": "no_record"}, {"outcome": "possible"}])
        journal.note_request(request("c", 5))
        journal.note_refusal("c")
    with Journal.open(path, HEADER) as journal:
        assert journal.results == {2: {"outcome": "no_record"}, 3: {"outcome": "possible"}}
        assert journal.pending == {"b": request("b", 4)}
        assert journal.rows_begun == {2, 3, 4}


def test_it_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "j"
    Journal.open(path, HEADER).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    assert refused(path) == "readable-by-others"


@pytest.mark.parametrize("change", [{"input": "cd" * 32}, {"asked": {}}, {"person": "q"}])
def test_another_file_other_options_or_another_person_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "j"
    Journal.open(path, HEADER).close()
    before = path.read_bytes()
    assert refused(path, HEADER | change) == "other-batch"
    assert path.read_bytes() == before


def test_two_processes_cannot_work_on_one_batch(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j", HEADER):
        assert refused(tmp_path / "j") == "batch-running"
    Journal.open(tmp_path / "j", HEADER).close()


def test_a_torn_last_line_at_any_byte_is_as_if_it_had_not_been_written(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal.open(path, HEADER) as journal:
        journal.note_request(request("a", 2))
        whole = len(path.read_bytes())
        journal.note_answer("a", [{"outcome": "no_record"}])
    content = path.read_bytes()
    for length in range(whole, len(content)):
        path.write_bytes(content[:length])
        with Journal.open(path, HEADER) as journal:
            assert set(journal.pending) == {"a"}
            assert journal.results == {}
            journal.note_answer("a", [{"outcome": "possible"}])
        with Journal.open(path, HEADER) as journal:
            assert journal.results == {2: {"outcome": "possible"}}


def test_a_torn_header_begins_the_journal_anew(tmp_path: Path) -> None:
    path = tmp_path / "j"
    Journal.open(path, HEADER).close()
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        Journal.open(path, HEADER).close()
        assert path.read_bytes() == content


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[]",
        b"{}",
        b'{"done": "unknown", "results": []}',
        b'{"send": "a"}',
        b'{"send": "a", "rows": ["x"], "body": {}, "at": "2026-11-20T14:02:11Z"}',
    ],
)
def test_a_damaged_journal_is_refused_and_left_as_it_is(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "j"
    Journal.open(path, HEADER).close()
    content = path.read_bytes() + line + b"\n"
    path.write_bytes(content)
    assert refused(path) == "damaged-journal"
    assert path.read_bytes() == content


def test_a_link_or_a_missing_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert refused(tmp_path / "link") == "unwritable"
    assert refused(tmp_path / "absent" / "j") == "unwritable"


def test_a_request_is_on_disk_before_it_may_be_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j"
    synced: list[bytes] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        fsync(descriptor)
        synced.append(path.read_bytes())

    with Journal.open(path, HEADER) as journal:
        monkeypatch.setattr(os, "fsync", noting)
        journal.note_request(request("a", 2))
    assert json.loads(synced[-1].splitlines()[-1])["send"] == "a"


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with Journal.open(tmp_path / "j", HEADER) as journal:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(InputFileError) as caught:
            journal.note_request(request("a", 2))
        monkeypatch.undo()
        assert journal.pending == {}
    assert caught.value.code == "unwritable"
    assert "No space left" in str(caught.value)
