"""The network from a spreadsheet."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from artisans.models import Area, Artisan, Workshop, WorkshopSkill
from tests.builders import SYSTEM, Network, build_network
from vrp.errors import Invalid
from vrp.events.models import Event
from vrp.imports.services import Outcome, load_content, preview
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db
HEADER = (
    "workshop,artisan,name,engagement,gender,joined_on,left_on,born_year,"
    "workshop_name,area,region,phone,language,capacity_per_week,skills"
)
LEAD = (
    "W-900,A-9001,Akinyi Odhiambo,lead,female,2024-03-01,,1988,"
    "Odhiambo Horn,Kibera,,0712345678,sw,80,horn:4"
)
HELPER = "W-900,A-9002,Peter Odhiambo,part_time,male,2025-01-10,,,,,,,,,"


def sheet(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows]).encode()


def load(tenant: Tenant, content: bytes) -> Outcome:
    return load_content(tenant=tenant, kind="workshops", content=content, actor=SYSTEM)


def test_the_preview_is_the_load(network: Network) -> None:
    tenant, content = network.tenant, sheet(LEAD, HELPER)
    seen = preview(tenant=tenant, kind="workshops", content=content, actor=SYSTEM)
    assert not Workshop.objects.filter(code="W-900").exists()
    assert not Event.objects.filter(name="network.imported").exists()
    done = load(tenant, content)
    assert seen.summary() == done.summary()
    assert done.summary() == {
        "created": 3, "changed": 0, "unchanged": 0, "errors": 0,
    }  # fmt: skip
    workshop = Workshop.objects.get(code="W-900")
    assert (workshop.phone, workshop.language) == ("+254712345678", "sw")
    assert workshop.area == network.area
    assert workshop.artisans.count() == 2
    assert WorkshopSkill.objects.get(workshop=workshop).level == 4
    assert Event.objects.filter(name="network.imported").count() == 1


def test_the_same_file_again_changes_nothing(network: Network) -> None:
    content = sheet(LEAD, HELPER)
    load(network.tenant, content)
    before = list(Artisan.objects.order_by("pk").values())
    again = load(network.tenant, content)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 3)
    assert list(Artisan.objects.order_by("pk").values()) == before
    assert Event.objects.filter(name="network.imported").count() == 1


def test_a_changed_row_changes_what_it_names(network: Network) -> None:
    load(network.tenant, sheet(LEAD, HELPER))
    moved = LEAD.replace("Kibera,,", "Huruma,Nairobi,").replace("horn:4", "horn:5")
    done = load(network.tenant, sheet(moved, HELPER.replace("Peter", "Petro")))
    assert (done.created, done.changed, done.unchanged) == (0, 2, 1)
    workshop = Workshop.objects.get(code="W-900")
    assert workshop.area.name == "Huruma"
    assert workshop.skills.get().level == 5
    assert Artisan.objects.get(code="A-9002").name == "Petro Odhiambo"


def test_a_lead_hands_over_in_one_file(network: Network) -> None:
    load(network.tenant, sheet(LEAD, HELPER))
    old = LEAD.replace(",lead,", ",full_time,")
    new = HELPER.replace(",part_time,", ",lead,")
    done = load(network.tenant, sheet(new, old))
    assert done.errors == []
    lead = Artisan.objects.get(workshop__code="W-900", engagement="lead")
    assert lead.code == "A-9002"


def test_a_hundred_workshops_of_twenty_five_in_few_queries(network: Network) -> None:
    """2,500 artisans in one file: the number of queries does not grow with the rows."""
    began = time.perf_counter()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        done = load(network.tenant, sheet(*big_file(100, 25)))
    took = time.perf_counter() - began
    print(f"2,500 artisans: {len(queries)} queries, {took:.1f} s")
    assert done.errors == []
    assert Artisan.objects.filter(code__startswith="B-").count() == 2_500
    assert len(queries) < 40
    with CaptureQueriesContext(connection) as again:
        assert load(network.tenant, sheet(*big_file(100, 25))).changed == 0
    assert len(again) < 20


def big_file(workshops: int, people: int) -> list[str]:
    rows = []
    for number in range(workshops):
        code = f"V-{number:03d}"
        for person in range(people):
            name = f"{code},B-{number:03d}{person:02d},Person {person}"
            if person:
                rows.append(f"{name},outsourced,female,2025-01-10,,1990,,,,,,,")
            else:
                rows.append(
                    f"{name},lead,female,2024-03-01,,1980,Shop {number},Area "
                    f"{number % 9},Nairobi,07{number:08d},sw,60,horn:3 brass:2"
                )
    return rows


KNOWN = HELPER.replace("W-900", "W-017")
REFUSED = [
    ("an unknown skill", LEAD.replace("horn:4", "glass:4"), "skills"),
    ("a skill without level", LEAD.replace("horn:4", "horn"), "skills"),
    ("a level of six", LEAD.replace("horn:4", "horn:6"), "skills"),
    ("a landline", LEAD.replace("0712345678", "0202345678"), "phone"),
    ("a phone in words", LEAD.replace("0712345678", "ask her"), "phone"),
    ("an unknown gender", LEAD.replace("female", "woman"), "gender"),
    ("an unknown engagement", KNOWN.replace("part_time", "boss"), "engagement"),
    ("an unknown language", LEAD.replace(",sw,", ",fr,"), "language"),
    ("a child", LEAD.replace("1988", "2010"), "born_year"),
    ("a year in two digits", LEAD.replace("1988", "88"), "born_year"),
    ("a date in another order", LEAD.replace("2024-03-01", "01/03/2024"), "joined_on"),
    ("a day that is none", LEAD.replace("2024-03-01", "2024-02-31"), "joined_on"),
    ("left before joining", KNOWN.replace("-10,", "-10,2020-01-01"), "left_on"),
    ("no name", LEAD.replace("Akinyi Odhiambo", ""), "name"),
    ("a very long name", LEAD.replace("Akinyi", "A" * 90), "name"),
    ("a negative capacity", LEAD.replace(",80,", ",-5,"), "capacity_per_week"),
    ("an absurd capacity", LEAD.replace(",80,", f",{10**11},"), "capacity_per_week"),
    ("a workshop without a lead", HELPER.replace("W-900", "W-901"), "workshop"),
    ("no workshop", HELPER.replace("W-900", ""), "workshop"),
    ("a known number", LEAD.replace("0712345678", "{taken}"), "phone"),
    ("no phone", LEAD.replace("0712345678", ""),
     "phone"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "column"), [r[1:] for r in REFUSED],
                         ids=[r[0] for r in REFUSED])  # fmt: skip
def test_a_bad_row_is_named_and_nothing_is_kept(
    network: Network, row: str, column: str
) -> None:
    row = row.replace("{taken}", network.horn[0].phone)
    good = LEAD.replace("W-900", "W-800").replace("A-9001", "A-8001")
    good = good.replace("0712345678", "0712000000")
    done = load(network.tenant, sheet(good, row))
    assert [(error["line"], error["column"]) for error in done.errors] == [(3, column)]
    assert done.errors[0]["reason"]
    assert (done.created, done.changed) == (0, 0)
    assert not Workshop.objects.filter(code="W-800").exists()


def test_two_leads_and_two_workshops_with_one_phone(network: Network) -> None:
    second = LEAD.replace("A-9001", "A-9003")
    other = LEAD.replace("W-900", "W-901").replace("A-9001", "A-9004")
    done = load(network.tenant, sheet(LEAD, second, other))
    reasons = {(error["line"], error["column"]) for error in done.errors}
    assert reasons == {(3, "engagement"), (4, "phone")}


def test_a_second_lead_beside_one_who_is_not_in_the_file(network: Network) -> None:
    row = "W-017,A-9009,Second Lead,lead,male,2025-01-10,,,,,,,,,"
    done = load(network.tenant, sheet(row))
    assert [error["column"] for error in done.errors] == ["engagement"]
    assert "A-0017" in done.errors[0]["reason"]


def test_all_mistakes_are_told_in_one_go(network: Network) -> None:
    lead = LEAD.replace("0712345678", "0202345678")
    done = load(network.tenant, sheet(lead, HELPER.replace("part_time", "boss")))
    found = [(error["line"], error["column"]) for error in done.errors]
    assert found == [(2, "phone"), (3, "engagement")]


def test_all_mistakes_of_a_row_are_told_in_one_go(network: Network) -> None:
    row = (
        "W-900,A-9001,,leader,woman,01/03/2024,soon,88,"
        ",,,0202345678,fr,many,brass casting:4"
    )
    done = load(network.tenant, sheet(LEAD.replace("W-900", "W-800"), row))
    columns = [error["column"] for error in done.errors]
    assert {error["line"] for error in done.errors} == {3}
    assert sorted(columns) == sorted(
        "artisan name engagement gender joined_on left_on born_year".split()
    )
    lead = row.replace(",leader,", ",lead,").replace(",soon,", ",,")
    done = load(network.tenant, sheet(lead))
    columns = [error["column"] for error in done.errors]
    assert sorted(columns) == sorted(
        (
            "name gender joined_on born_year workshop_name area phone language "
            "capacity_per_week skills"
        ).split()
    )


def test_choices_are_read_in_any_case(network: Network) -> None:
    lead = LEAD.replace(",lead,female", ",Lead,FEMALE").replace(",sw,", ",SW,")
    assert load(network.tenant, sheet(lead)).errors == []
    there = Artisan.objects.get(code="A-9001")
    assert (there.engagement, there.gender) == ("lead", "female")
    assert there.workshop.language == "sw"
    assert load(network.tenant, sheet(LEAD)).unchanged == 2


def test_an_unreadable_engagement_is_named_and_not_its_consequence(
    network: Network,
) -> None:
    done = load(network.tenant, sheet(LEAD.replace(",lead,", ",leader,"), HELPER))
    assert [(e["line"], e["column"]) for e in done.errors] == [(2, "engagement")]
    assert '"leader" is not one of lead' in done.errors[0]["reason"]
    bare = "W-901,A-9003,Ann,Boss,female,2024-03-01,,,,,,,,,"
    done = load(network.tenant, sheet(bare))
    assert [(e["line"], e["column"]) for e in done.errors] == [(2, "engagement")]


def test_skills_say_how_they_are_written(network: Network) -> None:
    done = load(network.tenant, sheet(LEAD.replace("horn:4", "brass casting:4")))
    reason = done.errors[0]["reason"]
    assert "Write skills as code:level, separated by spaces." in reason


def test_one_artisan_twice(network: Network) -> None:
    done = load(network.tenant, sheet(LEAD, HELPER, HELPER))
    assert done.errors == [
        {"line": 4, "column": "artisan", "reason": "This code is on line 3 too."}
    ]


def test_the_neighbour_is_not_touched(network: Network, other_tenant: Tenant) -> None:
    """The same codes exist there; they are other rows."""
    with tenant_scope(other_tenant):
        build_network(other_tenant)
        before = list(Workshop.objects.order_by("pk").values())
    row = (
        "W-017,A-0017,Renamed,lead,female,2024-03-01,,,New name,Kibera,,"
        "0712345678,en,10,horn:1"
    )
    assert load(network.tenant, sheet(row)).changed == 2
    assert Workshop.objects.get(code="W-017").name == "New name"
    with tenant_scope(other_tenant):
        assert list(Workshop.objects.order_by("pk").values()) == before


def test_an_area_is_found_in_any_case(network: Network) -> None:
    assert not load(network.tenant, sheet(LEAD.replace("Kibera", "KIBERA"))).errors
    assert Area.objects.count() == 1


UNREADABLE = [
    ("a spreadsheet", b"PK\x03\x04 anything", "spreadsheet"),
    ("utf-16", sheet(LEAD).decode().encode("utf-16"), "UTF-16"),
    ("utf-16 without mark", sheet(LEAD).decode().encode("utf-16-le"), "binary"),
    ("latin-1", sheet(LEAD.replace("Akinyi", "René")).decode().encode("latin-1"),
     "not UTF-8"),
    ("a NUL", sheet(LEAD.replace("Akinyi", "Aki\x00nyi")), "binary"),
    ("an unknown separator", sheet(LEAD).replace(b",", b"|"), "Separate columns"),
    ("a missing column", sheet(LEAD).replace(b"gender,", b"", 1), "missing: gender"),
    ("an unknown column", sheet(LEAD).replace(b"gender", b"sex", 1), "missing"),
    ("an added column", sheet(LEAD).replace(b"skills", b"skills,shoe", 1), "shoe"),
    ("a doubled column", sheet(LEAD).replace(b"region", b"area", 1), "twice: area"),
    ("an open quote", sheet(LEAD.replace("Akinyi", '"Akinyi')), "quotation mark"),
    ("too many cells", sheet(LEAD + ",one,more"), "17 cells"),
    ("a header only", HEADER.encode(), "no rows"),
    ("nothing", b"", "missing"),
    ("ten thousand columns", b"a," * 10_000 + b"b\n1\n", "10,001 columns"),
    ("six megabytes", sheet(LEAD) + b" " * 6 * 2**20, "larger than 5 MB"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "words"), [u[1:] for u in UNREADABLE],
                         ids=[u[0] for u in UNREADABLE])  # fmt: skip
def test_a_file_that_cannot_be_read_says_what_to_do(
    network: Network, content: bytes, words: str
) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        load(network.tenant, content)
    assert refused.value.field == "file"
    assert not Workshop.objects.filter(code="W-900").exists()


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_what_spreadsheet_programs_write_is_read(
    network: Network, separator: str, line_end: str
) -> None:
    text = sheet(LEAD + ",,", "", HELPER).decode()
    text = text.replace(",", separator).replace("\n", line_end)
    done = load(network.tenant, b"\xef\xbb\xbf" + text.encode())
    assert done.errors == []
    assert done.created == 3
