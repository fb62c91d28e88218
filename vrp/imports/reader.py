"""From the bytes of a spreadsheet export to rows, or a clear reason why not."""

import csv
import io
from collections import Counter
from dataclasses import dataclass

from vrp.errors import Invalid
from vrp.text import WRONG, is_clean

MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 50_000
MAX_COLUMNS = 200
LONGEST_HEADER = 100_000
SAVE = "Save it as CSV UTF-8 and upload it again."
# What files of other kinds begin with.
NO_TEXT = {
    b"PK\x03\x04": "a spreadsheet or zip file",
    b"\xd0\xcf\x11\xe0": "a spreadsheet file",
    b"\x1f\x8b": "a compressed file",
    b"%PDF": "a PDF",
    b"\xff\xfe": "a file in UTF-16",
    b"\xfe\xff": "a file in UTF-16",
}
FORMULA = ("=", "@")


@dataclass(frozen=True)
class Column:
    """One column of an import: its name, whether it must be there, what goes in it."""

    name: str
    help: str
    example: str
    required: bool = True


@dataclass(frozen=True)
class Row:
    """One data row: the line in the file (header = line 1) and its values, stripped."""

    line: int
    values: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


def read_rows(content: bytes, columns: list[Column]) -> list[Row]:
    """Parse CSV (comma, semicolon or tab; UTF-8, with or without BOM).

    Raises ``Invalid`` with the line, the column and what to do when the file is too
    large, not text, has no header, or lacks, repeats or adds columns, or when a cell
    holds a formula, a line end or what nobody can see. Blank rows are skipped.
    """
    if len(content) > MAX_BYTES:
        raise Invalid("The file is larger than 5 MB; split it.", field="file")
    text = _decode(content)
    first = next(iter(text[:LONGEST_HEADER].splitlines()), "")
    delimiter = max(",;\t", key=first.count)
    # newline="": line ends inside quotes stay, and old Macs' lone CR ends a line.
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _check_header(header, columns)
        rows = []
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(_row(line, header, cells))
            if len(rows) > MAX_ROWS:
                raise Invalid(f"More than {MAX_ROWS:,} rows; split it.", field="file")
            line = reader.line_num + 1
    except csv.Error as error:
        raise Invalid(_broken(line, error), field="file") from error
    if not rows:
        raise Invalid("The file has a header but no rows.", field="file")
    return rows


def _broken(line: int, error: csv.Error) -> str:
    """What the library's complaint about the row that begins on this line means."""
    if "field limit" in str(error) or "end of data" in str(error):
        return (
            f"Line {line}: a quotation mark is opened here and not closed. Close it, or "
            "write it twice where it belongs to the text."
        )
    return f"Line {line} is not proper CSV ({error})."


def _decode(content: bytes) -> str:
    for start, what in NO_TEXT.items():
        if content.startswith(start):
            raise Invalid(f"This is {what}. Save it as CSV UTF-8 first.", field="file")
    # Tables of other programs, and of UTF-16 without its mark, are full of zero bytes.
    zero = content.find(0)
    if zero >= 0:
        raise Invalid(
            f"Line {_line_of(content, zero)} holds binary data, or the file is UTF-16. "
            f"{SAVE}",
            field="file",
        )
    try:
        return content.decode("utf-8").lstrip("\ufeff")
    except UnicodeDecodeError as error:
        raise Invalid(
            f"Line {_line_of(content, error.start)} is not UTF-8. {SAVE}", field="file"
        ) from error


def _line_of(content: bytes, place: int) -> int:
    before = content[:place].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return before.count(b"\n") + 1


def _check_header(header: list[str], columns: list[Column]) -> None:
    if len(header) > MAX_COLUMNS:
        raise Invalid(f"The header has {len(header):,} columns.", field="file")
    known = {column.name for column in columns}
    missing = [c.name for c in columns if c.required and c.name not in header]
    unknown = [name for name in header if name not in known]
    doubled = sorted(name for name, count in Counter(header).items() if count > 1)
    for names, what in (
        (missing, "These columns are missing"),
        (unknown, "These columns are not known"),
        (doubled, "These columns stand there twice"),
    ):
        if names:
            listed = ", ".join(name[:40] or "(empty)" for name in names[:10])
            raise Invalid(f"{what}: {listed}. {_hint(header)}".strip(), field="file")


def _hint(header: list[str]) -> str:
    """A whole header in one cell is a separator that we do not read."""
    if len(header) > 1:
        return ""
    return "Separate columns by comma, semicolon or tab."


def _row(line: int, header: list[str], cells: list[str]) -> Row:
    while len(cells) > len(header) and not cells[-1].strip():
        cells.pop()  # spreadsheets pad rows with empty cells
    if len(cells) > len(header):
        raise Invalid(
            f"Line {line} has {len(cells):,} cells, the header {len(header)}. Put text "
            "that holds the separator in quotation marks.",
            field="file",
        )
    values = dict(zip(header, (cell.strip() for cell in cells), strict=False))
    for name, value in values.items():
        wrong = _wrong_with(value)
        if wrong:
            raise Invalid(f"Line {line}, column {name}: {wrong}", field="file")
    return Row(line, values)


def _wrong_with(cell: str) -> str:
    """Why a cell may not be kept; empty if it may."""
    if "\n" in cell or "\r" in cell:
        return "the text goes over several lines. Write it on one."
    if not is_clean(cell):
        return WRONG[0].lower() + WRONG[1:]
    # What a spreadsheet would compute, from "=1+1" to "@SUM(A1)"; a number has its sign.
    if cell[:1] in FORMULA or (cell[:1] in "+-" and cell[1:2].isalpha()):
        return "this is a formula, or would be one in a spreadsheet. Write its value."
    return ""
