"""Whatever is typed into the console's addresses and forms: a page, never a crash; what
is refused changes nothing, and nothing that nobody can see is kept."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success, Task
from hypothesis import given
from hypothesis import strategies as st

from tests.anyinput.odd import ODD, examples, no_crash, prints, undone
from tests.isolation import rows  # noqa: F401
from tests.isolation.prints import written
from tests.isolation.routes import address, filled
from tests.isolation.table import CONSOLE, OFFICE
from tests.isolation.world import Side, build_side
from vrp.ops.models import Heartbeat
from vrp.tenancy.scope import tenant_scope

ROOT = Path(__file__).parents[2]
# Parameters that the console's own modules read, and those of lists and the admin.
PARAMETER = re.compile(r'(?:GET|given|data|values|POST)\.get\(\s*"([a-z_]+)"')
ADMINS = ["p", "o", "q", "e", "all", "_popup", "_to_field", "_changelist_filters",
          "is_active__exact", "kind", "language__exact", "id__lt"]  # fmt: skip
READ = sorted(
    {"after", "before"}
    | {
        name
        for room in ("vrp", "orders", "artisans", "qc", "matching", "payments", "phone")
        for path in (ROOT / room).rglob("*.py")
        for name in PARAMETER.findall(path.read_text())
    }
)
# Letters that no kept text may hold, for PostgreSQL.
HIDDEN = r"[\x01-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\u202A-\u202E\u2066-\u2069]"


@pytest.fixture(scope="module")
def _side(django_db_setup: None, django_db_blocker: Any) -> Iterator[Side]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_side("Zqcharlie", 7)
        transaction.set_rollback(True)


@pytest.fixture
def side(_side: Side, db: None) -> Iterator[Side]:
    with tenant_scope(_side.tenant):
        yield _side


def browser(side: Side, who: str = "boss") -> Client:
    client = side.client(who)
    client.raise_request_exception = False
    return client


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


cursors = st.one_of(
    st.lists(st.sampled_from([*ODD[::7], 0, -1, 2**62, 2**63, 10**30, None, True, 1.5, []]),
             max_size=3).map(encoded),
    st.sampled_from([encoded({"a": 1}), encoded(None), "====", "e30", "W10", "AAAA"]),
)  # fmt: skip
values = st.one_of(st.sampled_from(ODD), st.text(max_size=40), cursors)
names = st.sampled_from(READ)


def pages() -> list[str]:
    return sorted(pattern for pattern, page in CONSOLE.items() if page.get is not None)


# What a page answers; money is never previewed for another day than the one asked for.
ANSWERS = (200, 302, 404, 409)
SAYS_THAT_IT_CANNOT_READ = {"ops/payouts/new/"}


def answers(pattern: str) -> tuple[int, ...]:
    return (*ANSWERS, 422) if pattern in SAYS_THAT_IT_CANNOT_READ else ANSWERS


@pytest.mark.parametrize("pattern", pages())
def test_a_page_with_every_parameter_odd(pattern: str, side: Side) -> None:
    path, client = address(pattern, CONSOLE[pattern].ids, side), browser(side)
    # Counts what a preview took back, too; so a print decides.
    before, everything = written(), prints()
    for value in ("\x00", "１٢", "9" * 40, "\u202e\u200b'", "-1"):
        asked = {name: value for name in READ if name not in ("after", "before")}
        for query in ({**asked, "after": value}, {"before": value}):
            answer = no_crash(client.get(path, query))
            assert answer.status_code in answers(pattern), query
    assert written() == before or prints() == everything


def test_any_parameters_on_any_page(side: Side) -> None:
    client, before, everything = browser(side), written(), prints()

    @examples(150)
    @given(
        pattern=st.sampled_from(pages()),
        query=st.dictionaries(names, values, max_size=4),
        more=st.lists(st.tuples(names, values), max_size=2),
    )
    def check(pattern: str, query: dict[str, str], more: list[tuple[str, str]]) -> None:
        doubled: dict[str, Any] = {name: [value] for name, value in query.items()}
        for name, value in more:
            doubled.setdefault(name, []).append(value)
        path = address(pattern, CONSOLE[pattern].ids, side)
        answer = no_crash(client.get(path, doubled))
        assert answer.status_code in answers(pattern)

    check()
    assert written() == before or prints() == everything


FORMS = sorted(pattern for pattern, page in CONSOLE.items() if page.post is not None)


@st.composite
def changed(draw: st.DrawFn, honest: Mapping[str, str]) -> dict[str, list[str]]:
    """An honest form with fields changed, lost, doubled, renamed or added."""
    form = {name: [value] for name, value in honest.items()}
    for _ in range(draw(st.integers(1, 2))):
        change = draw(st.sampled_from(["set", "set", "set", "drop", "double", "add"]))
        known = sorted(form) or ["note"]
        name = draw(st.sampled_from(known))
        if change == "set":
            form[name] = [draw(values)]
        elif change == "drop":
            form.pop(name, None)
        elif change == "double":
            form.setdefault(name, []).append(draw(values))
        else:
            form[draw(names | st.sampled_from(["quantity_1", "count-1", "sku-1"]))] = [
                draw(values)
            ]
    return form


@pytest.mark.parametrize("pattern", FORMS)
def test_a_form_with_anything(pattern: str, side: Side) -> None:
    page, client = CONSOLE[pattern], browser(side)
    path, honest = address(pattern, page.ids, side), filled(page.form, side)
    tables, everything = text_tables(), prints()

    @examples(16)
    @given(form=changed(honest))
    def check(form: dict[str, list[str]]) -> None:
        with undone():
            before = written()
            answer = no_crash(client.post(path, form))
            assert answer.status_code in (200, 302, 400, 403, 404, 409, 413, 422)
            if answer.status_code >= 400:
                assert written() == before or prints() == everything
            elif written() != before:
                assert unseen(tables) == []

    check()


def text_tables() -> list[str]:
    """Tables that people write into; what phones send is kept as it came."""
    return [
        name
        for name in connection.introspection.table_names()
        if name.startswith(("orders_", "artisans_", "qc_", "matching_", "payments_",
                            "events_", "accounts_membership", "tenancy_"))
        and name not in ("payments_walletcallback", "payments_walletcredential")
    ]  # fmt: skip


def unseen(tables: list[str]) -> list[str]:
    """Tables with a text that holds what nobody can see."""
    parts = [f"SELECT '{one}' FROM \"{one}\" t WHERE t::text ~ %s" for one in tables]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), [HIDDEN] * len(parts))
        return [name for (name,) in cursor.fetchall()]


def test_the_look_for_hidden_letters_finds_one(side: Side) -> None:
    with undone(), connection.cursor() as cursor:
        cursor.execute("UPDATE orders_buyer SET name = %s", ["a\u202eb"])
        assert set(unseen(text_tables())) == {"orders_buyer"}


OFFICES = sorted(label for label, office in OFFICE.items() if office.row)


def model_of(label: str) -> type[Model]:
    return next(m for m in admin.site._registry if m._meta.label == label)


def base_of(label: str) -> str:
    meta = model_of(label)._meta
    return f"/ops/office/{meta.app_label}/{meta.model_name}/"


# Rows of the models that the walker's world does not make.
MADE: dict[str, Callable[[], Model]] = {
    "auth.Group": lambda: Group.objects.create(name="Guests"),
    "ops.Heartbeat": lambda: Heartbeat.objects.create(name="clock-1"),
    "django_q.Schedule": lambda: Schedule.objects.create(name="beat", func="math.pi"),
    "django_q.Success": lambda: task("a1", Success),
    "django_q.Failure": lambda: task("b2", Failure),
    "django_q.OrmQ": lambda: OrmQ.objects.create(key="vrp", payload="x"),
}
# Processes write these; nobody adds one.
NO_ADD = {"ops.Heartbeat", "django_q.Success", "django_q.Failure", "django_q.OrmQ"}


def task(pk: str, kind: type[Task]) -> Model:
    now = timezone.now()
    return kind.objects.create(
        id=pk, name=pk, func="f", started=now, stopped=now, success=kind is Success
    )


def form_of(client: Client, path: str) -> dict[str, str]:
    """What a browser would send back of a back-office form, with its inner forms."""
    answer = no_crash(client.get(path))
    assert answer.status_code == 200, path
    context = answer.context
    found: dict[str, Any] = {}
    sets = [one.formset for one in context["inline_admin_formsets"]]
    forms = [context["adminform"].form]
    forms += [one.management_form for one in sets]
    forms += [form for one in sets for form in one.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            data = bound.field.widget.format_value(value) if value is not None else ""
            many = isinstance(data, list | tuple)
            found[bound.html_name] = list(data) if many else data
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize("label", OFFICES)
def test_a_back_office_form_with_anything(label: str, side: Side) -> None:
    client, office = browser(side, "root"), OFFICE[label]
    base, made = base_of(label), MADE.get(label)
    row = made() if made else side[office.row]
    assert isinstance(row, model_of(label))
    tables, everything = text_tables(), prints()
    paths = [f"{base}add/"] if office.add else []
    paths += [f"{base}{quote(row.pk)}/change/"] if office.change else []
    # What nobody may add is posted to all the same.
    shut = [path for path in paths if path.endswith("/add/") and label in NO_ADD]
    assert all(client.get(path).status_code == 403 for path in shut)
    forms = {path: {} if path in shut else form_of(client, path) for path in paths}

    @examples(14)
    @given(data=st.data(), path=st.sampled_from(paths), fill=st.sampled_from(ODD))
    def check(data: st.DataObject, path: str, fill: str) -> None:
        honest = {k: v or fill for k, v in forms[path].items()}
        form = data.draw(changed(honest if data.draw(st.booleans()) else forms[path]))
        with undone():
            before = written()
            answer = no_crash(client.post(path, form))
            assert answer.status_code in (200, 302, 400, 403, 404, 409, 413, 422)
            if answer.status_code == 302:
                assert unseen(tables) == []
            else:
                assert written() == before or prints() == everything

    check()


@pytest.mark.parametrize("label", OFFICES)
def test_a_back_office_list_with_anything(label: str, side: Side) -> None:
    client, path = browser(side, "root"), base_of(label)

    @examples(12)
    @given(query=st.dictionaries(st.sampled_from([*ADMINS, *READ]), values, max_size=3))
    def check(query: dict[str, str]) -> None:
        answer = no_crash(client.get(path, query))
        assert answer.status_code in (200, 302, 400, 403, 404)

    check()


def test_addresses_that_name_nothing(side: Side) -> None:
    client = browser(side, "root")
    for pattern in (*pages(), *FORMS):
        stem = "/" + pattern.partition("<")[0]
        for odd in ("0", "-1", "9" * 30, "１", "%00", "%ff", "\u202e", "a'b", "../.."):
            for method in (client.get, client.post):
                answer = no_crash(method(f"{stem}{odd}/"))
                assert answer.status_code in (302, 400, 403, 404, 405)
    for label in OFFICES:
        for odd in ("0", "_00", "_5F00", "9" * 30, "１", "%00", "x"):
            no_crash(client.get(f"{base_of(label)}{odd}/change/"))
