"""XLSX workbooks as rows of text, read with openpyxl in its streaming mode, and written.

Reading unzips at most what `Limits` allows and refuses document type declarations. Formulas are never evaluated and
their cached results never used: a row that holds one has a problem.
"""

import datetime as dt
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import IO, Any, Final

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from screening.client.errors import InputFileError
from screening.client.spreadsheet import Limits, Record

LAST_ROW: Final = 1_048_576  # the format's own limit; a row number beyond it is an attack on the reader
EXACT_DIGITS: Final = 15  # a spreadsheet number is a double: what has more digits was rounded when it was typed
SCAN_BYTES: Final = 1024 * 1024

# What openpyxl raises on parts that are missing or malformed; SyntaxError is the XML parser's.
UNREADABLE: Final = (
    AttributeError,
    EOFError,
    IndexError,
    InvalidFileException,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_records(content: bytes, limits: Limits) -> list[Record]:
    """The rows of the workbook's first sheet that are not blank.

    Raises:
        InputFileError: The workbook is cut off, damaged, unpacks to more than is allowed, or is not a workbook.
    """
    _check_archive(content, limits)
    records: list[Record] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about formatting that is not read
            for record in _records(content):
                width = len(records[0].cells) if records else 0
                missing = ("",) * (width - len(record.cells))  # a sheet stores no empty cells
                records.append(replace(record, cells=record.cells + missing))
                if len(records) > limits.rows + 1:
                    break
    except UNREADABLE as error:
        raise InputFileError("damaged-workbook", "the workbook is damaged; open it and save it again") from error
    return records


def write(file: IO[bytes], columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Writes a workbook of one sheet whose cells are all text."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("results")
    for row in (columns, *rows):
        sheet.append([_text_cell(sheet, cell) for cell in row])
    book.save(file)


def _text_cell(sheet: Any, text: str) -> Any:
    cell = openpyxl.cell.WriteOnlyCell(sheet)
    cell.value = text or None
    if text:
        cell.data_type = "s"
    return cell


def _check_archive(content: bytes, limits: Limits) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            unzipped = sum(member.file_size for member in members)
            ratio = unzipped / max(1, len(content))
            if unzipped > limits.unzipped_bytes or (
                unzipped > limits.ratio_free_bytes and ratio > limits.unzipped_ratio
            ):
                raise InputFileError("zip-bomb", "the workbook unpacks to far more than a list of persons; split it")
            if "[Content_Types].xml" not in archive.namelist():
                raise InputFileError("not-a-workbook", "the file is a zip archive but not a workbook (.xlsx)")
            for member in members:
                _check_member(archive, member)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError) as error:
        raise InputFileError("truncated", "the workbook is cut off or damaged; save or send it again") from error


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Reads a member to its end, which checks its sum, and refuses entity declarations in it."""
    tail = b""
    with archive.open(member) as file:  # reads no more than the declared size, which was counted
        while piece := file.read(SCAN_BYTES):
            window = (tail + piece).replace(b"\x00", b"")  # also finds it in UTF-16
            if b"<!DOCTYPE" in window or b"<!ENTITY" in window:
                raise InputFileError("document-type", "the workbook declares entities, which is refused")
            tail = window[-16:]


def _records(content: bytes) -> Iterator[Record]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    try:
        if not book.worksheets:
            raise InputFileError("not-a-workbook", "the workbook has no sheet")
        sheet: Any = book.worksheets[0]
        sheet.reset_dimensions()  # what the file claims about its size is not believed
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            if number > LAST_ROW:
                raise InputFileError("too-many-rows", "the sheet numbers its rows beyond what the format allows")
            record = _record(number, cells)
            if record is not None:
                yield record
    finally:
        book.close()


def _record(number: int, cells: Sequence[Any]) -> Record | None:
    texts: list[str] = []
    problems: list[tuple[int, str, str]] = []
    for index, cell in enumerate(cells):
        try:
            texts.append(_text(cell.value, cell.data_type))
        except _CellError as error:
            texts.append("")
            problems.append((index, error.code, error.message))
    while texts and not texts[-1].strip() and not any(index == len(texts) - 1 for index, _, _ in problems):
        texts.pop()
    return Record(number, tuple(texts), tuple(problems)) if texts else None


class _CellError(ValueError):
    """A cell that stands for no text without guessing."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _text(value: object, data_type: str) -> str:
    if data_type == "f":
        raise _CellError("formula", "holds a formula; copy the column and paste it as values")
    if data_type == "e":
        raise _CellError("cell-error", "holds an error such as #N/A; correct it")
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case dt.datetime():
            if (value.hour, value.minute, value.second) != (0, 0, 0):
                raise _CellError("time", "holds a time of day; enter the date alone")
            return value.date().isoformat()
        case dt.date():
            return value.isoformat()
        case int():
            return _digits(value)
        case float() if value.is_integer():
            return _digits(int(value))
        case float():
            return repr(value)
        case _:
            raise _CellError("cell-type", "holds something that is neither text, number nor date")


def _digits(number: int) -> str:
    text = str(number)
    if len(text.lstrip("-")) > EXACT_DIGITS:
        raise _CellError("rounded-number", f"is a number of more than {EXACT_DIGITS} digits; enter it as text")
    return text
