"""Files that are no good: each is answered with where it is wrong and what to do, nothing
is kept, and no file fills the memory."""

import gzip
import html
import io
import re
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from tests.anyinput.odd import no_crash, prints
from tests.builders import SYSTEM, Network, build_day
from vrp.accounts.enums import Role
from vrp.errors import Invalid
from vrp.imports.models import ImportFile
from vrp.imports.reader import MAX_BYTES, read_rows
from vrp.imports.services import MAX_REFUSED, importer_of, importers, preview

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
DAY = build_day(40).isoformat()
GOOD = {
    "orders": "buyer,po_number,ship_by,sku,quantity,channel\n"
    f"NRD,PO-1,{DAY},HPN-01,120,wholesale\n"
    f"NRD,PO-2,{DAY},HPN-01,60,white_label\n",
    "workshops": "workshop,artisan,name,engagement,gender,joined_on,born_year,"
    "workshop_name,area,phone,language,capacity_per_week,skills\n"
    "W-900,A-9001,Akinyi Odhiambo,lead,female,2024-03-01,1988,"
    "Odhiambo Horn,Kibera,0712345678,sw,80,horn:4\n"
    "W-900,A-9002,Peter Odhiambo,part_time,male,2025-01-10,,,,,,,\n",
}
KINDS = sorted(GOOD)
Change = Callable[[str], bytes]


def zipped(text: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("xl/workbook.xml", text)
    return made.getvalue()


def in_row(old: str, new: str) -> Change:
    """Another cell in the first data row."""
    return lambda text: text.replace(old, new, 1).encode()


def row_of(text: str, number: int) -> str:
    return text.splitlines()[number]


def more_columns(text: str, count: int) -> bytes:
    head, *rest = text.splitlines()
    names = ",".join(f"c{number}" for number in range(count))
    return "\n".join([f"{head},{names}", *rest]).encode()


# What every kind refuses at once: (name, what is done to a good file, what is answered).
BROKEN: list[tuple[str, Change, str]] = [
    ("utf-16 with its mark", lambda t: t.encode("utf-16"), "a file in UTF-16.*CSV UTF-8"),
    ("utf-16 big-endian", lambda t: b"\xfe\xff" + t.encode("utf-16-be"), "in UTF-16"),
    ("utf-16 without mark", lambda t: t.encode("utf-16-le"), "Line 1 .*UTF-16"),
    ("utf-32", lambda t: t.encode("utf-32"), "UTF-16"),
    ("latin-1", lambda t: (t + "é").encode("latin-1"), "Line 4 is not UTF-8.*upload it"),
    ("windows-1252", lambda t: t.replace("-1", "\u2019", 1).encode("cp1252"),
     r"Line \d is not UTF-8. Save it as CSV UTF-8"),
    ("mixed encodings", lambda t: t.encode() + "É\n".encode("cp1252"),
     "Line 4 is not UTF-8"),
    ("cut in a letter", lambda t: t.encode() + "é".encode()[:1], "Line 4 is not UTF-8"),
    ("overlong utf-8", lambda t: t.encode() + b"\xc0\x80", "Line 4 is not UTF-8"),
    ("surrogate in utf-8", lambda t: t.encode() + b"\xed\xa0\x80", "Line 4 is not UTF-8"),
    ("ebcdic", lambda t: t.encode("cp500"), "Line 1 is not UTF-8"),
    ("zero bytes", lambda t: t.encode() + b"a\x00b\n", "Line 4 holds binary data"),
    ("separator bar", lambda t: t.replace(",", "|").encode(),
     "columns are missing.*comma, semicolon or tab"),
    ("separator colon", lambda t: t.replace(",", ":").encode(), "comma, semicolon or tab"),
    ("two separators", lambda t: t.replace(",", ";", 1).encode(), "columns are missing"),
    ("another in the rows", lambda t: t.splitlines()[0].encode() + b"\n"
     + t.split("\n", 1)[1].replace(",", ";").encode(), "line 2|empty|no"),
    ("quote not closed", in_row("\nNRD,", '\n"NRD,'), "Line 2: a quotation mark"),
    ("quote not closed at all", lambda t: ('"' + t).encode(), "Line 1: a quotation mark"),
    ("text after a quote", lambda t: t.encode() + b'"a"b,c\n', "Line 4 is not proper CSV"),
    ("line end in a cell", lambda t: t.encode() + b'"a\nb",c,d\n',
     "Line 4, column .*several lines"),
    ("carriage return in a cell", lambda t: t.encode() + b'"a\rb",c,d\n', "Line 4, column"),
    ("too many cells", lambda t: t.encode() + b"x," * 40 + b"x\n", "Line 4 has 41 cells"),
    ("nothing", lambda t: b"", "columns are missing"),
    ("blanks", lambda t: b" \n \n", "columns are missing"),
    ("a mark alone", lambda t: b"\xef\xbb\xbf", "columns are missing"),
    ("only a header", lambda t: t.splitlines()[0].encode(), "a header but no rows"),
    ("header and blank rows", lambda t: t.splitlines()[0].encode() + b"\n,,,\n\n",
     "a header but no rows"),
    ("no header", lambda t: t.split("\n", 1)[1].encode(), "columns are missing"),
    ("a title above", lambda t: b"My orders\n" + t.encode(), "columns are missing"),
    ("a column lost", lambda t: t.replace(",", "x,", 1).encode(), "columns are missing"),
    ("a column doubled", lambda t: (row_of(t, 0) + "," + row_of(t, 0)).encode(),
     "stand there twice"),
    ("a column unknown", lambda t: more_columns(t, 1), "not known: c0"),
    ("a column without name", lambda t: more_columns(t, 1).replace(b"c0", b""),
     r"not known: \(empty\)"),
    ("10,000 columns", lambda t: more_columns(t, 10_000), r"has 10,\d{3} columns"),
    ("a line of 4 MB", lambda t: t.encode() + b"A" * 4_000_000, "Line 4"),
    ("a header of 4 MB", lambda t: b"A" * 4_000_000, "Line 1|missing"),
    ("4 MB of quotes", lambda t: t.encode() + b'"' * 4_000_001, "Line 4"),
    ("6 MB", lambda t: t.encode() + b"a,b\n" * 1_500_000, "larger than 5 MB; split it"),
    ("100,000 rows", lambda t: t.encode() + b"a,b\n" * 100_000, "More than 50,000 rows"),
    ("xlsx", zipped, "a spreadsheet or zip file.*CSV UTF-8"),
    ("xls", lambda t: b"\xd0\xcf\x11\xe0" + t.encode(), "a spreadsheet file"),
    ("gzip", lambda t: gzip.compress(t.encode()), "a compressed file"),
    ("pdf", lambda t: b"%PDF-1.7\n" + t.encode(), "a PDF"),
    ("html", lambda t: b"<html><table>" + t.encode(), "columns are missing"),
    ("json", lambda t: b'{"a": [1, 2]}', "columns are missing"),
    ("formula", lambda t: t.encode() + b'"=HYPERLINK(""http://x"")",a\n',
     "Line 4, column .*formula.*Write its value"),
    ("formula by @", lambda t: t.encode() + b"@SUM(A1),a\n", "Line 4, column .*formula"),
    ("formula by +", lambda t: t.encode() + b"+cmd|' /C calc'!A0,a\n", "Line 4, column"),
    ("formula by -", lambda t: t.encode() + b"-SUM(1),a\n", "Line 4, column .*formula"),
    ("zero width", lambda t: t.encode() + "a\u200bb,c\n".encode(), "Line 4.*be seen"),
    ("turned round", lambda t: t.encode() + "a\u202eb,c\n".encode(), "Line 4.*be seen"),
    ("a mark within", lambda t: t.encode() + "a\ufeffb,c\n".encode(), "Line 4.*be seen"),
    ("bell", lambda t: t.encode() + b"a\x07b,c\n", "Line 4.*be seen"),
]  # fmt: skip
# The quote test changes a row of orders; in the other kind's file it is another row.
ONLY = {"quote not closed": "orders"}


def told(client: Client, kind: str, content: bytes) -> str:
    """What the upload page, or the preview behind it, says of a file, as plain text."""
    file = SimpleUploadedFile("file.csv", content, "text/csv")
    answer = no_crash(client.post(f"/ops/{kind}/import/", {"file": file}))
    if answer.status_code == 302:
        answer = no_crash(client.get(answer.headers["Location"]))
        assert answer.status_code == 200
        assert "/load/" not in answer.content.decode()
    else:
        assert answer.status_code in (413, 422)
        assert not ImportFile.objects.exists()
    page = re.sub(r"<[^>]*>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", html.unescape(page))


CASES = [
    pytest.param(kind, change, words, id=f"{kind}-{name}")
    for kind in KINDS
    for name, change, words in BROKEN
    if ONLY.get(name, kind) == kind
]


@pytest.mark.parametrize(("kind", "change", "words"), CASES)
def test_a_broken_file(
    network: Network,
    signed_in: Callable[..., Client],
    kind: str,
    change: Change,
    words: str,
) -> None:
    client = signed_in(Role.PLANNER)
    before = prints(but={"imports_importfile"})
    page = told(client, kind, change(GOOD[kind]))
    assert re.search(words, page, re.IGNORECASE), page[-1_500:]
    assert prints(but={"imports_importfile"}) == before


def test_every_kind_of_file_is_tried() -> None:
    assert [one.kind for one in importers()] == KINDS


# Cells that a spreadsheet or a local habit makes: (kind, good cell, bad cell, column).
CELLS = [
    *(("orders", "120", bad, "quantity") for bad in (
        "1,200", "1 200", "1.200", "1'200", "120.0", "1e3", "1.2E+02", "１２０", "١٢٠",
        "1_20", "+120", "-120", "0", "1000001", "'120", "NaN", "120 pcs", "½", "#REF!",
    )),
    *(("orders", DAY, bad, "ship_by") for bad in (
        "29.03.2029", "29/03/2029", "3/29/29", "2029-3-29", "20290329", "2029-W13-1",
        "29-Mar-29", "46110", "2029-03-29T00:00", "２０２９-０３-２９", "2029-02-30", "",
        "'2029-03-29",
    )),
    *(("orders", "NRD", bad, "buyer") for bad in ("nrd", "ＮＲＤ", "'NRD", "", "N" * 99)),
    *(("orders", "HPN-01", bad, "sku") for bad in ("hpn", "HPN\u201301", "", "9" * 400)),
    *(("workshops", "0712345678", bad, "phone") for bad in (
        "7.12E+08", "1.00E+09", "712345678.0", "O712345678", "07123456789", "+1",
        "0712 345 67", "'0712345678x", "０７１２３４５６７８", "0712345678/0733",
        "0202345678",
    )),
    *(("workshops", "1988", bad, "born_year") for bad in ("88", "1988.0", "１９８８")),
    *(("workshops", "horn:4", bad, "skills") for bad in (
        "horn", "horn:9", "horn=4", "horn:٤", "horn:4.5", "glass:1",
    )),
    *(("workshops", "2024-03-01", bad, "joined_on") for bad in ("1/3/24", "2024-W09-5")),
    *(("workshops", ",80,", bad, "capacity_per_week") for bad in (
        ",8O,", ",-1,", ",80.5,", ",99999,",
    )),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "good", "bad", "column"), CELLS)
def test_a_cell_that_cannot_be_read(
    network: Network, kind: str, good: str, bad: str, column: str
) -> None:
    cell = bad if bad.startswith(",") else f'"{bad}"'
    content = GOOD[kind].replace(good, cell, 1).encode()
    before = prints()
    found = preview(tenant=network.tenant, kind=kind, content=content, actor=SYSTEM)
    assert prints() == before
    assert (2, column) in {(e["line"], e["column"]) for e in found.errors}
    for error in found.errors:
        assert len(error["reason"]) < 300
        assert error["reason"].endswith((".", '"')), error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "change",
    [
        lambda t: b"\xef\xbb\xbf" + t.encode(),
        lambda t: b"\xef\xbb\xbf\xef\xbb\xbf" + t.encode(),
        lambda t: t.replace(",", ";").encode(),
        lambda t: t.replace(",", "\t").encode(),
        lambda t: t.replace("\n", "\r\n").encode(),
        lambda t: t.replace("\n", "\r").encode(),
        lambda t: t.replace("\n", "\n\n").encode(),
        lambda t: t.rstrip("\n").encode(),
        lambda t: t.replace("\n", ",,,\n").replace(",,,\n", "\n", 1).encode(),
        lambda t: t.replace(",", " , ").encode(),
        lambda t: "\n".join(
            ",".join(f'"{cell}"' for cell in line.split(",")) for line in t.splitlines()
        ).encode(),
        lambda t: t.upper().split("\n")[0].encode() + b"\n" + t.split("\n", 1)[1].encode(),
        lambda t: t.replace(",", "\u00a0,").encode(),
    ],
)  # fmt: skip
def test_a_file_that_only_looks_odd(
    network: Network, kind: str, change: Change
) -> None:
    found = preview(
        tenant=network.tenant, kind=kind, content=change(GOOD[kind]), actor=SYSTEM
    )
    assert found.errors == []
    assert found.created >= 2


def test_an_upload_beyond_all_measure(
    network: Network, signed_in: Callable[..., Client]
) -> None:
    words = told(signed_in(Role.PLANNER), "orders", b"a,b\n" * 2_700_000)
    assert "too large" in words
    assert "Split the file" in words


def test_the_command_reads_no_more_than_it_takes(
    network: Network, tmp_path: Path
) -> None:
    file = tmp_path / "huge.csv"
    with file.open("wb") as sparse:
        sparse.truncate(3 * 2**30)
    tracemalloc.start()
    with pytest.raises(CommandError, match="larger than 5 MB"):
        call_command("import_csv", "--tenant", "soko", "--kind", "orders", str(file))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * MAX_BYTES


WORST = [
    b'"' * MAX_BYTES,
    b"," * MAX_BYTES,
    b"\n" * 1_000_000,
    GOOD["orders"].splitlines()[0].encode() + b'\n"' + b"\n" * 5_000_000,
]


@pytest.mark.parametrize("content", WORST, ids=range(len(WORST)))
def test_memory_and_time_are_bounded(content: bytes) -> None:
    """Python's lists of the cells of a row are the most: 9 times the file's size."""
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(Invalid):
        read_rows(content, importer_of("orders").columns)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * MAX_BYTES
    assert time.process_time() - began < 20


def test_the_reasons_of_a_wholly_bad_file_are_bounded(network: Network) -> None:
    head = GOOD["orders"].splitlines()[0]
    content = "\n".join([head, *(f"X,{n},y,z,q,w" for n in range(5_000))]).encode()
    before = prints()
    found = preview(tenant=network.tenant, kind="orders", content=content, actor=SYSTEM)
    assert len(found.errors) == MAX_REFUSED + 1
    assert "the rest was not looked at" in found.errors[0]["reason"]
    assert prints() == before


def test_no_export_carries_what_people_typed() -> None:
    """The one CSV that leaves is the template, made of constants. Another one must turn
    cells that begin as formulas do into text; this test then has to ask for that."""
    writers = {
        str(path.relative_to(ROOT))
        for room in ("vrp", "orders", "artisans", "qc", "matching", "payments", "phone")
        for path in (ROOT / room).rglob("*.py")
        if "csv.writer" in path.read_text() or "csv.DictWriter" in path.read_text()
    }
    assert writers == {"vrp/imports/console.py"}
    for importer in importers():
        for column in importer.columns:
            assert not column.example.startswith(("=", "+", "-", "@", "\t"))
