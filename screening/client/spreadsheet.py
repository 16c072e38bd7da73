"""CSV and XLSX files of persons in, and results out.

A file is read completely before anything is done with it. What cannot be read without guessing is refused with an error
that says what to do; each kind has its own code (see `InputFileError.code`). Nothing in a workbook is ever evaluated,
and what is written cannot be taken for a formula by a spreadsheet program.
"""

import csv
import hashlib
import io
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, cast

from screening.client.errors import InputFileError

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab"}
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
OLE_SIGNATURE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP_SIGNATURE: Final = b"PK\x03\x04"
WIDE_BYTE_ORDER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may ask of the process that reads it."""

    file_bytes: int = 20 * 1024 * 1024
    rows: int = 50_000
    columns: int = 64
    cell_characters: int = 10_000
    unzipped_bytes: int = 100 * 1024 * 1024
    unzipped_ratio: int = 100
    """Unzipped over zipped size; only looked at above `ratio_free_bytes`, as small files of blanks compress well."""
    ratio_free_bytes: int = 8 * 1024 * 1024


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why one row cannot be used. The message never holds what the row says."""

    row: int
    column: str | None
    code: str
    message: str

    def __str__(self) -> str:
        place = f"Row {self.row}" if self.column is None else f"Row {self.row}, {self.column}"
        return f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row below the header; `number` is what a spreadsheet program shows beside it (the header is row 1)."""

    number: int
    values: Mapping[str, str] = field(repr=False)
    problems: tuple[RowProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds: its columns, its rows that are not blank, and the SHA-256 digest (hex) of its bytes."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...] = field(repr=False)
    digest: str


def read_table(path: Path, *, known: Sequence[str], required: Iterable[str] = (), limits: Limits = LIMITS) -> Table:
    """Reads a CSV or XLSX file; which of the two it is, its first bytes say.

    Args:
        path: The file.
        known: The columns that may occur, in the order in which an error names them.
        required: The columns of which at least one must occur (none: no such condition).
        limits: How large the file may be.

    Raises:
        InputFileError: The file as a whole cannot be used; its `code` says why. Problems of single rows do not raise,
            they stand in `Row.problems`.
    """
    content = _read_bytes(path, limits)
    digest = hashlib.sha256(content).hexdigest()
    if content.startswith(ZIP_SIGNATURE):
        from screening.client import workbook  # openpyxl takes long to import, and most files are CSV

        records = workbook.read_records(content, limits)
    elif content.startswith(OLE_SIGNATURE):
        raise InputFileError(
            "old-workbook", "this is an .xls or a password-protected workbook; save it as .xlsx without a password"
        )
    else:
        records = _read_csv(content, known, limits)
    return _make_table(records, digest, known, tuple(required), limits)


def neutralise(text: str) -> str:
    """Text that no spreadsheet program takes for a formula: `'` before a leading `= + - @`, tab or line break."""
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Writes a CSV file (UTF-8 with byte order mark), or XLSX where the name ends in `.xlsx`; 0600.

    The file appears complete or not at all. Every cell is text and neutralised.

    Raises:
        InputFileError: The file cannot be written (code `unwritable`).
    """
    safe = ([neutralise(cell) for cell in row] for row in rows)
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                if path.suffix.lower() == ".xlsx":
                    from screening.client import workbook

                    workbook.write(file, columns, safe)
                else:
                    _write_csv(file, columns, safe)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputFileError("unwritable", f"{path} cannot be written: {error.strerror}") from error


# --- bytes ---------------------------------------------------------------------------------------------------------


def _read_bytes(path: Path, limits: Limits) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limits.file_bytes + 1)
    except OSError as error:
        raise InputFileError("unreadable", f"{path} cannot be read: {error.strerror}") from error
    if len(content) > limits.file_bytes:
        raise InputFileError("too-large", f"the file is larger than {limits.file_bytes // 2**20} MiB; split it")
    if not content.strip():
        raise InputFileError("empty", "the file is empty")
    return content


# --- CSV -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one row as they stand, with the problems that reading them met."""

    number: int
    cells: tuple[str, ...] = field(repr=False)
    problems: tuple[tuple[int, str, str], ...] = ()
    """Index of the cell, code and message."""


def _read_csv(content: bytes, known: Sequence[str], limits: Limits) -> list[Record]:
    text = _decode(content)
    delimiter = _sniff_delimiter(text, known)
    records: list[Record] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                records.append(Record(number, tuple(cells)))
            if len(records) > limits.rows + 1:
                break
    except csv.Error as error:
        raise _csv_error(str(error), len(records) + 1) from error
    return records


def _decode(content: bytes) -> str:
    if content.startswith(WIDE_BYTE_ORDER_MARKS):
        raise InputFileError("not-utf-8", "the file is in UTF-16 ('Unicode text'); save it as 'CSV UTF-8' instead")
    if b"\x00" in content:
        raise InputFileError("nul-byte", "the file holds NUL bytes, so it is not text; save it as 'CSV UTF-8'")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputFileError(
            "not-utf-8", f"line {line} is not UTF-8, so names would be damaged; save the file as 'CSV UTF-8'"
        ) from error


def _sniff_delimiter(text: str, known: Sequence[str]) -> str:
    """The delimiter under which the header (and nothing but the header) names most known columns."""
    found = {delimiter: _header_under(text, delimiter) for delimiter in DELIMITERS}
    names = set(known)
    best = max(DELIMITERS, key=lambda delimiter: sum(cell in names for cell in found[delimiter]))
    if not names.intersection(found[best]):
        if all(len(header) == 1 for header in found.values()):
            raise InputFileError(
                "delimiter",
                f"the first row must name columns, separated by comma, semicolon or tab; known are {', '.join(known)}",
                row=1,
            )
        raise _unknown_columns(known)
    return best


def _header_under(text: str, delimiter: str) -> tuple[str, ...]:
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            if any(cell.strip() for cell in cells):
                return tuple(_column_name(cell) for cell in cells)
    except csv.Error as error:
        raise _csv_error(str(error), 1) from error
    return ()


def _csv_error(message: str, row: int) -> InputFileError:
    if "unexpected end" in message:
        return InputFileError(
            "unterminated-quote", "a quoted cell does not end: the file is cut off, or a quote is missing", row=row
        )
    if "field larger" in message:
        return InputFileError("cell-too-long", "a cell is too long; perhaps a closing quote is missing", row=row)
    return InputFileError("bad-quote", "text follows a closing quote; quotes inside a cell are doubled", row=row)


def _write_csv(file: IO[bytes], columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = io.TextIOWrapper(cast(Any, file), encoding="utf-8-sig", newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    text.flush()
    text.detach()


# --- tables --------------------------------------------------------------------------------------------------------


def _make_table(
    records: Sequence[Record], digest: str, known: Sequence[str], required: tuple[str, ...], limits: Limits
) -> Table:
    if not records:
        raise InputFileError("empty", "the file has no rows")
    columns = _columns(records[0], known, required, limits)
    if len(records) == 1:
        raise InputFileError("no-rows", "the file has a header but no rows below it")
    if len(records) - 1 > limits.rows:
        raise InputFileError("too-many-rows", f"the file has more than {limits.rows:,} rows; split it")
    return Table(columns, tuple(_row(record, columns, limits) for record in records[1:]), digest)


def _columns(header: Record, known: Sequence[str], required: tuple[str, ...], limits: Limits) -> tuple[str, ...]:
    columns = [_column_name(cell) for cell in header.cells]
    while columns and not columns[-1]:
        columns.pop()
    if len(columns) > limits.columns:
        raise InputFileError(
            "too-many-columns", f"the header has more than {limits.columns} columns", row=header.number
        )
    if header.problems or not set(columns) <= set(known):
        raise _unknown_columns(known)
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    if repeated:
        raise InputFileError("duplicate-column", f"the header has {', '.join(repeated)} twice", row=header.number)
    if required and not set(required) & set(columns):
        raise InputFileError(
            "missing-column", f"the header must have at least one of {', '.join(required)}", row=header.number
        )
    return tuple(columns)


def _column_name(cell: str) -> str:
    return cell.strip().lower()


def _unknown_columns(known: Sequence[str]) -> InputFileError:
    # A header that is not one may be a person, so that only what is known is named.
    return InputFileError(
        "unknown-column", f"the first row has a column that is not known; known are {', '.join(known)}", row=1
    )


def _row(record: Record, columns: tuple[str, ...], limits: Limits) -> Row:
    problems: list[RowProblem] = []
    cells = list(record.cells)
    while len(cells) > len(columns) and not cells[-1].strip():
        cells.pop()
    if len(cells) != len(columns):
        message = f"has {len(cells)} cells where the header has {len(columns)}; quote cells that hold the separator"
        problems.append(RowProblem(record.number, None, "cell-count", message))
    for index, code, message in record.problems:
        column = columns[index] if index < len(columns) else None
        problems.append(RowProblem(record.number, column, code, message))
    values = {column: cell.strip() for column, cell in zip(columns, cells, strict=False)}
    for column, value in values.items():
        if len(value) > limits.cell_characters:
            message = f"longer than {limits.cell_characters:,} characters"
            problems.append(RowProblem(record.number, column, "cell-too-long", message))
    return Row(record.number, values, tuple(problems))
