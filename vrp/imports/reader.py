"""From the bytes of a spreadsheet export to rows, or a clear reason why not."""

import csv
import io
from collections import Counter
from dataclasses import dataclass

from vrp.errors import Invalid

MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 50_000
MAX_COLUMNS = 200


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

    Raises ``Invalid`` with what to do when the file is too large, not text, has no
    header, or lacks, repeats or adds columns. Blank rows are skipped. A row that spans
    lines (quoted line ends) is named by its last one.
    """
    if len(content) > MAX_BYTES:
        raise Invalid("The file is larger than 5 MB; split it.", field="file")
    text = _decode(content)
    first = next(iter(text.splitlines()), "")
    delimiter = max(",;\t", key=first.count)
    # newline="": line ends inside quotes stay, and old Macs' lone CR ends a line.
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _check_header(header, columns)
        rows = []
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(_row(reader.line_num, header, cells))
            if len(rows) > MAX_ROWS:
                raise Invalid(f"More than {MAX_ROWS:,} rows; split it.", field="file")
    except csv.Error as error:
        raise Invalid(
            f"Line {reader.line_num} is not proper CSV ({error}).", field="file"
        ) from error
    if not rows:
        raise Invalid("The file has a header but no rows.", field="file")
    return rows


def _decode(content: bytes) -> str:
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Invalid(
            "This is a spreadsheet file. Save it as CSV UTF-8 first.", field="file"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(
            "The file is not UTF-8. Save it as CSV UTF-8 and upload it again.",
            field="file",
        ) from error
    if "\x00" in text:
        raise Invalid("The file holds binary data, not text.", field="file")
    return text


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
            f"Line {line} has {len(cells)} cells, the header {len(header)}.",
            field="file",
        )
    values = dict(zip(header, (cell.strip() for cell in cells), strict=False))
    return Row(line, values)
