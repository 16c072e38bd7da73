"""What files of persons are read, which are refused with what code, and what is written."""

import csv
import datetime as dt
import io
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from screening.client.errors import InputFileError
from screening.client.spreadsheet import Limits, neutralise, read_table, write_table

KNOWN = ("id", "given", "family", "full", "dob", "documents", "dob_estimated")


def write(tmp_path: Path, content: bytes, name: str = "people.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def workbook(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def with_member(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            data = old.read(member)
            new.writestr(member, change(data) if member == name else data)
    return buffer.getvalue()


def refused(path: Path, **options: Any) -> InputFileError:
    with pytest.raises(InputFileError) as caught:
        read_table(path, known=KNOWN, **options)
    assert "Eriksen" not in str(caught.value)
    return caught.value


# --- CSV -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_each_separator_is_found_from_the_header_with_and_without_byte_order_mark(
    tmp_path: Path, delimiter: str, mark: bytes
) -> None:
    text = f"id{delimiter}full{delimiter}dob\r\n7{delimiter}Zoë, Łukasiewicz; Ng{delimiter}1980\r\n"
    if delimiter in ",;":
        text = text.replace("Zoë, Łukasiewicz; Ng", '"Zoë, Łukasiewicz; Ng"')
    table = read_table(write(tmp_path, mark + text.encode()), known=KNOWN)
    assert table.columns == ("id", "full", "dob")
    assert table.rows[0].values == {"id": "7", "full": "Zoë, Łukasiewicz; Ng", "dob": "1980"}
    assert table.rows[0].number == 2
    assert table.rows[0].problems == ()


def test_a_header_with_one_known_column_is_enough(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, b"full\nAnna Eriksen\n"), known=KNOWN)
    assert table.rows[0].values == {"full": "Anna Eriksen"}


def test_the_header_is_read_whatever_its_case_and_white_space(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, b" Full , DOB\nA B,1980\n"), known=KNOWN).columns == ("full", "dob")


def test_blank_rows_are_passed_over_and_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, b"full,dob\n\nA B,1980\n,\nC D,1981\n"), known=KNOWN)
    assert [row.number for row in table.rows] == [3, 5]


def test_a_quoted_cell_may_hold_a_line_break(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, b'full,dob\n"A\nB",1980\nC D,1981\n'), known=KNOWN)
    assert [row.number for row in table.rows] == [2, 3]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"  \r\n\n", "empty"),
        (b"full,dob\n", "no-rows"),
        (b"full,dob\n\n , \n", "no-rows"),
        (b"full,dob\nAnna Eriksen,1980\n".decode().encode("utf-16"), "not-utf-8"),
        ("full,dob\nÅse Eriksen,1980\n".encode("latin-1"), "not-utf-8"),
        ("full,dob\nÅse Eriksen,1980\n".encode()[:10], "not-utf-8"),
        (b"full,dob\nAnna\x00Eriksen,1980\n", "nul-byte"),
        (b"full|dob\nAnna Eriksen|1980\n", "delimiter"),
        (b"Anna Eriksen,1980\n", "unknown-column"),
        (b"full,dob,remarks\nAnna Eriksen,1980,x\n", "unknown-column"),
        (b"full,dob,full\nAnna Eriksen,1980,x\n", "duplicate-column"),
        (b"full,,dob\nAnna Eriksen,x,1980\n", "unknown-column"),
        (b'full,dob\n"Anna Eriksen,1980\nB,1981\n', "unterminated-quote"),
        (b'"full,dob\nAnna Eriksen,1980\n', "unterminated-quote"),
        (b'full,dob\n"Anna" Eriksen,1980\n', "bad-quote"),
        (b"full,dob\n" + b"x" * 200_000 + b",1980\n", "cell-too-long"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"rest", "old-workbook"),
        (b",".join([b"full"] * 65) + b"\nx\n", "too-many-columns"),
    ],
)
def test_a_file_that_cannot_be_read_without_guessing_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    assert refused(write(tmp_path, content)).code == code


def test_the_row_of_a_bad_quote_is_named(tmp_path: Path) -> None:
    assert refused(write(tmp_path, b'full\nA B\n"C" D\n')).row == 3


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "absent.csv").code == "unreadable"
    assert refused(tmp_path).code == "unreadable"


def test_a_file_beyond_the_limits_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, b"full\n" + b"A B\n" * 11)
    assert refused(path, limits=Limits(rows=10)).code == "too-many-rows"
    assert refused(path, limits=Limits(file_bytes=20)).code == "too-large"
    assert len(read_table(path, known=KNOWN, limits=Limits(rows=11)).rows) == 11


def test_a_header_without_any_required_column_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, b"id,dob\n1,1980\n")
    assert refused(path, required=("full", "given")).code == "missing-column"


@pytest.mark.parametrize("row", [b"A,B,1980", b"A"])
def test_a_row_with_another_number_of_cells_has_a_problem_of_its_own(tmp_path: Path, row: bytes) -> None:
    table = read_table(write(tmp_path, b"full,dob\n" + row + b"\nC D,1981\n"), known=KNOWN)
    assert [problem.code for problem in table.rows[0].problems] == ["cell-count"]
    assert str(table.rows[0].problems[0]).startswith("Row 2: has ")
    assert table.rows[1].problems == ()


def test_a_long_cell_has_a_problem_of_its_own(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, b"full,dob\n" + b"x" * 10_001 + b",1980\n"), known=KNOWN)
    assert [(problem.column, problem.code) for problem in table.rows[0].problems] == [("full", "cell-too-long")]


# --- XLSX ----------------------------------------------------------------------------------------------------------


def test_a_workbook_gives_the_same_rows_as_text_whatever_the_cells_kind(tmp_path: Path) -> None:
    content = workbook(
        [
            ["id", "full", "dob", "dob_estimated"],
            [7, "José Ñandú", dt.date(1980, 2, 29), True],
            [None, None, None, None],
            ["008", "B", dt.datetime.fromisoformat("1981-01-02"), False],
            [9.0, "C", 1982, None],
            [1.5, "D", "1982-03", "yes"],
        ]
    )
    table = read_table(write(tmp_path, content, "people.xlsx"), known=KNOWN)
    assert [row.number for row in table.rows] == [2, 4, 5, 6]
    assert [tuple(row.values.values()) for row in table.rows] == [
        ("7", "José Ñandú", "1980-02-29", "true"),
        ("008", "B", "1981-01-02", "false"),
        ("9", "C", "1982", ""),
        ("1.5", "D", "1982-03", "yes"),
    ]
    assert not any(row.problems for row in table.rows)


def test_a_workbook_is_known_by_its_bytes_not_by_its_name(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, workbook([["full"], ["A B"]]), "people.csv"), known=KNOWN).columns == ("full",)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ('=HYPERLINK("http://example.org","Anna Eriksen")', "formula"),
        ("=1+1", "formula"),
        ("#N/A", "cell-error"),
        (dt.datetime.fromisoformat("1980-01-01T13:05"), "time"),
        (dt.time(13, 5), "cell-type"),
        (12345678901234567, "rounded-number"),
    ],
)
def test_a_cell_that_is_no_plain_value_is_a_problem_of_its_row(tmp_path: Path, cell: object, code: str) -> None:
    table = read_table(
        write(tmp_path, workbook([["full", "dob"], ["A B", cell], ["C D", "1980"]]), "p.xlsx"), known=KNOWN
    )
    assert [(problem.row, problem.column, problem.code) for problem in table.rows[0].problems] == [(2, "dob", code)]
    assert "Eriksen" not in str(table.rows[0].problems[0])
    assert table.rows[1].problems == ()


def test_a_formulas_cached_result_is_never_used(tmp_path: Path) -> None:
    content = with_member(
        workbook([["full", "dob"], ["=A1", "1980"]]),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"<v></v>", b"<v>Anna Eriksen</v>").replace(b"<v />", b"<v>Anna Eriksen</v>"),
    )
    assert b"Anna Eriksen" in zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    table = read_table(write(tmp_path, content, "p.xlsx"), known=KNOWN)
    assert table.rows[0].values["full"] == ""
    assert [problem.code for problem in table.rows[0].problems] == ["formula"]


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    write_table(path, ["full", "id"], [["=1+1", "x"]])
    assert read_table(path, known=KNOWN).rows[0].values == {"full": "'=1+1", "id": "x"}


def test_a_workbook_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    content = workbook([["full"], ["A B"]])
    for length in range(4, len(content), len(content) // 40):
        assert refused(write(tmp_path, content[:length])).code == "truncated"


def test_a_workbook_whose_directory_points_before_its_beginning_is_refused(tmp_path: Path) -> None:
    content = workbook([["full"], ["A B"]])
    entry = content.rindex(b"PK\x05\x06") + 16  # where the end record says that the directory begins
    start = int.from_bytes(content[entry : entry + 4], "little")
    broken = content[:entry] + (start + 60_000).to_bytes(4, "little") + content[entry + 4 :]
    with pytest.raises(InputFileError) as refusal:
        read_table(write(tmp_path, broken), known=KNOWN)
    assert refusal.value.code == "truncated"


def test_a_workbook_with_a_changed_byte_is_refused_or_reads_the_same(tmp_path: Path) -> None:
    content = workbook([["full"], ["A B"]])
    codes = set()
    for position in range(30, len(content), len(content) // 60):
        path = write(tmp_path, content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :])
        try:
            assert read_table(path, known=KNOWN).rows[0].values == {"full": "A B"}
        except InputFileError as error:
            codes.add(error.code)
    assert "truncated" in codes


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    content = workbook([["full"], ["A B"]])
    bomb = with_member(content, "xl/worksheets/sheet1.xml", lambda xml: xml + b" " * 30_000_000)
    assert len(bomb) < 100_000
    assert refused(write(tmp_path, bomb)).code == "zip-bomb"
    assert refused(write(tmp_path, content), limits=Limits(unzipped_bytes=1000)).code == "zip-bomb"


def test_entity_declarations_are_refused(tmp_path: Path) -> None:
    attack = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">]>'
    content = with_member(
        workbook([["full"], ["A B"]]),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"<worksheet", attack + b"<worksheet"),
    )
    assert refused(write(tmp_path, content)).code == "document-type"


def test_another_zip_archive_is_no_workbook(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("people.csv", "full\nAnna Eriksen\n")
    assert refused(write(tmp_path, buffer.getvalue())).code == "not-a-workbook"


@pytest.mark.parametrize("member", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"])
def test_a_workbook_with_a_damaged_part_is_refused(tmp_path: Path, member: str) -> None:
    content = with_member(workbook([["full"], ["A B"]]), member, lambda xml: xml[: len(xml) // 2])
    assert refused(write(tmp_path, content)).code == "damaged-workbook"


def test_row_numbers_beyond_the_format_do_not_keep_the_reader_busy(tmp_path: Path) -> None:
    content = with_member(
        workbook([["full"], ["A B"]]),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b'<row r="2"', b'<row r="999999999999"').replace(b'r="A2"', b'r="A999999999999"'),
    )
    assert refused(write(tmp_path, content)).code in {"too-many-rows", "damaged-workbook"}


def test_a_claimed_dimension_is_not_believed(tmp_path: Path) -> None:
    content = with_member(
        workbook([["full"], ["A B"]]),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b'ref="A1:A2"', b'ref="A1:A1"'),
    )
    assert [row.values["full"] for row in read_table(write(tmp_path, content), known=KNOWN).rows] == ["A B"]


def test_a_workbook_with_too_many_rows_is_refused(tmp_path: Path) -> None:
    content = workbook([["full"], *[["A B"]] * 11])
    assert refused(write(tmp_path, content), limits=Limits(rows=10)).code == "too-many-rows"


# --- results -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_what_is_written_is_never_a_formula(start: str) -> None:
    assert neutralise(f"{start}cmd") == f"'{start}cmd"
    assert neutralise("plain = text") == "plain = text"


def test_a_csv_result_has_a_byte_order_mark_neutral_cells_and_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    write_table(path, ["id", "outcome"], [["@x", 'say "no", twice'], ["é", ""]])
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [["id", "outcome"], ["'@x", 'say "no", twice'], ["é", ""]]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["results.csv"]


def test_an_xlsx_result_holds_text_only(tmp_path: Path) -> None:
    path = tmp_path / "results.xlsx"
    write_table(path, ["id", "outcome"], [["=1+1", ""], ["00123", "no_record"]])
    book = openpyxl.load_workbook(path)
    cells = [[(cell.value, cell.data_type) for cell in row] for row in book.worksheets[0].iter_rows()]
    assert cells[1][0] == ("'=1+1", "s")
    assert cells[2] == [("00123", "s"), ("no_record", "s")]


def test_results_that_cannot_be_written_leave_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(InputFileError) as caught:
        write_table(tmp_path / "absent" / "results.csv", ["id"], [["1"]])
    assert caught.value.code == "unwritable"
    with pytest.raises(RuntimeError):
        write_table(tmp_path / "results.csv", ["id"], _failing_rows())
    assert os.listdir(tmp_path) == []


def _failing_rows() -> Any:
    yield ["1"]
    raise RuntimeError
