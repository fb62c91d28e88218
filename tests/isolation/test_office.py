"""The back office: every page of every model as the other tenant and as each role."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.test import Client

from tests.isolation.conftest import World
from tests.isolation.prints import undone
from tests.isolation.table import OFFICE, READS_OFFICE, Office
from tests.isolation.test_console import leaks
from tests.isolation.world import Side
from vrp.accounts.enums import Role
from vrp.tenancy.models import TenantModel
from vrp.tenancy.scope import tenant_scope

ENDS = ("", "add/", "{}/change/", "{}/history/", "{}/delete/", "{}/")
every_model = pytest.mark.parametrize("label", sorted(OFFICE))
OF_TENANTS = sorted(label for label, entry in OFFICE.items() if entry.edit)
SHARED = sorted(set(OFFICE) - set(OF_TENANTS))
every_tenants_model = pytest.mark.parametrize("label", OF_TENANTS)
MODELS = {model._meta.label: one for model, one in admin.site._registry.items()}


def url(label: str, end: str = "", row: Any = None) -> str:
    return f"/ops/office/{label.lower().replace('.', '/')}/{end.format(row)}"


def form_of(label: str, side: Side) -> dict[str, Any]:
    """The posted form of the model's row as it stands, inlines empty."""
    row: models.Model = side[OFFICE[label].row]
    form: dict[str, Any] = {"_tenant": str(side.tenant.pk)}
    named = MODELS[label].fields or []
    for name in named:
        if name == "username":
            form[name] = side.people["auditor"].username
            continue
        column = row._meta.get_field(name)
        value = column.value_from_object(row)
        form[name] = ",".join(value) if isinstance(value, list) else value
    form = {k: "" if v is None else v for k, v in form.items() if v is not False}
    for inline in MODELS[label].inlines:
        prefix = inline.model._meta.get_field(_tie(inline)).remote_field.related_name
        form |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    return form


def _tie(inline: Any) -> str:
    return inline.fk_name or "workshop"


def fresh(label: str, side: Side) -> dict[str, Any]:
    """A form for another row like it."""
    form = form_of(label, side)
    for name in ("code", "sku"):
        if name in form:
            form[name] = "fresh"
    if "phone" in form:
        form["phone"] = "0712345678"
    if "engagement" in form:
        form["engagement"] = "full_time"
    if label == "artisans.WorkshopSkill":
        form["workshop"] = side.pk("spare_workshop")
    return form


@every_tenants_model
def test_another_tenants_row_is_not_found(world: World, label: str) -> None:
    (a, b), entry = world, OFFICE[label]
    with world.unchanged():
        for who in ("boss", "root", "admin"):
            for end in ENDS[2:5]:
                there = url(label, end, a.pk(entry.row))
                for method, form in (("get", {}), ("post", form_of(label, a))):
                    form |= {"post": "yes"} if form and "delete" in end else {}
                    if form:
                        form["_tenant"] = str(b.tenant.pk)
                    answer = getattr(b.client(who), method)(there, form)
                    # Nobody may do this here, whatever there is or is not.
                    never = "delete" in end or (form and not entry.change)
                    good = (302, 403, 404) if never else (404,)
                    assert answer.status_code in good, (who, there, method)
                    assert not leaks(answer, a.marks()), (who, there, method)


@every_tenants_model
def test_lists_and_forms_show_the_own_rows_only(world: World, label: str) -> None:
    (a, b), entry = world, OFFICE[label]
    own = a.client("admin").get(url(label))
    assert a.mark in own.content.decode().replace(f"{a.mark} brand", "")
    row = a.pk(entry.row)
    searches = ["", f"q={a.mark.lower()}", f"id__exact={row}", "_popup=1", "all=1"]
    searches += [f"{name}__id__exact={a.pk(to)}" for name, to in entry.foreign.items()]
    with world.unchanged():
        for who in ("boss", "root"):
            for search in searches:
                answer = b.client(who).get(f"{url(label)}?{search}", follow=True)
                assert not leaks(answer, a.marks()), search
            for end in ("add/", "{}/change/", "{}/history/"):
                answer = b.client(who).get(url(label, end, b.pk(entry.row)))
                assert answer.status_code in (200, 302, 403)
                assert not leaks(answer, a.marks()), end
            add = url(label, "add/")
            for name, to in entry.foreign.items():
                answer = b.client(who).get(f"{add}?{name}={a.pk(to)}")
                assert not leaks(answer, a.marks()), name


@every_tenants_model
def test_a_form_takes_no_row_of_another_tenant(world: World, label: str) -> None:
    (a, b), entry = world, OFFICE[label]
    found = {
        column.name
        for column in MODELS[label].model._meta.local_fields
        if isinstance(column, models.ForeignKey)
        and issubclass(column.related_model, TenantModel)
    }
    assert found == set(entry.foreign), "name them in tests/isolation/table.py"
    for name, to in entry.foreign.items():
        with world.unchanged():
            form = fresh(label, b) | {name: a.pk(to)}
            answer = b.client("boss").post(url(label, "add/"), form)
            assert answer.status_code == 200
            assert not leaks(answer, a.marks())
            if entry.change:
                there = url(label, "{}/change/", b.pk(entry.row))
                form = form_of(label, b) | {name: a.pk(to)}
                answer = b.client("boss").post(there, form)
                assert answer.status_code == 200
                assert not leaks(answer, a.marks())


def test_rows_on_a_things_page_are_not_another_tenants(world: World) -> None:
    a, b = world
    for label, prefix, row, field, to in (
        ("artisans.Workshop", "skills", "held", "skill", "skill"),
        ("orders.Product", "bom", "bom", "component", "component"),
        ("orders.Component", "bom", "bom3", "component", "chain"),
    ):
        there = url(label, "{}/change/", b.pk(OFFICE[label].row))
        form = form_of(label, b)
        value = {f"{prefix}-0-level": 3, f"{prefix}-0-quantity": 3}
        new = {f"{prefix}-TOTAL_FORMS": 1, f"{prefix}-0-{field}": a.pk(to)}
        taken = new | {f"{prefix}-INITIAL_FORMS": 1, f"{prefix}-0-id": a.pk(row)}
        gone = taken | {f"{prefix}-0-DELETE": "on"}
        for attempt in (new, taken, gone):
            # Django passes over a row to be removed that is not among the thing's own.
            good = (200, 302) if attempt is gone else (200,)
            with undone():
                answer = b.client("boss").post(there, form | value | attempt)
                assert answer.status_code in good, (label, attempt)
                assert not leaks(answer, a.marks())
                assert world.changes(of=a) == []


def may(entry: Office, role: Role, end: str) -> bool:
    """Whether the role may post here."""
    if entry.edit is None or role not in entry.edit:
        return False
    return {"add/": entry.add, "{}/change/": entry.change, "{}/delete/": entry.delete}[
        end
    ]


@every_model
@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_what_the_table_says(
    world: World, label: str, role: Role
) -> None:
    side, entry = world.a, OFFICE[label]
    client, row = side.client(role), side.pk(entry.row)
    reads = entry.edit is not None and role in READS_OFFICE
    with world.unchanged():
        answer = client.get(url(label))
        assert answer.status_code == (
            200 if reads else 403 if role in READS_OFFICE else 302
        )
        answer = client.get(url(label), follow=True)
        assert answer.status_code == (200 if reads else 403)
        # The list has no actions: a post is refused or is another look at it.
        answer = client.post(url(label), {"action": "delete_selected"})
        looks = reads and role != Role.AUDITOR
        assert answer.status_code in ((200, 302) if looks else (302, 403))
        assert role != Role.AUDITOR or answer.status_code == 403
    for end in ("add/", "{}/change/", "{}/delete/"):
        if end != "add/" and entry.edit is None:
            continue
        form = {}
        if entry.edit is not None:
            form = fresh(label, side) if end == "add/" else form_of(label, side)
        there = url(label, end, row)
        if may(entry, role, end):
            with undone():
                done = client.post(there, form | {"post": "yes"})
                assert done.status_code == 302, done.content.decode()[-3000:]
                assert end == "{}/change/" or world.changes(of=side)
            continue
        with world.unchanged():
            answer = client.post(there, form | {"post": "yes"})
            assert answer.status_code == (403 if role in READS_OFFICE else 302)
            assert answer.status_code == 403 or "/ops/office/login/" in answer.url


@pytest.mark.parametrize("label", SHARED)
def test_what_is_no_tenants_is_for_superusers(world: World, label: str) -> None:
    assert OFFICE[label].why
    with world.unchanged():
        for end in ENDS:
            there = url(label, end, 1)
            answer = world.b.client("boss").get(there)
            assert answer.status_code in (302, 403, 404), end
            assert not leaks(answer, world.a.marks())
        password = "/ops/office/accounts/user/1/password/"
        assert world.b.client("boss").get(password).status_code in (403, 404)
        assert world.b.client("root").get(url(label)).status_code in (200, 302)


@every_model
def test_a_stranger_does_not_come_in(world: World, label: str) -> None:
    row = world.a.pk(OFFICE[label].row)
    with world.unchanged():
        for client in (Client(), world.a.client("nobody")):
            for end in ENDS:
                for method in ("get", "post"):
                    answer = getattr(client, method)(url(label, end, row))
                    assert answer.status_code in (302, 403), end
                    assert not leaks(answer, world.a.marks())


def test_the_first_page_lists_models_only(world: World) -> None:
    for who, status in (("boss", 200), ("auditor", 200), ("qc", 302), ("nobody", 302)):
        for there in ("/ops/office/", "/ops/office/artisans/"):
            answer = world.b.client(who).get(there)
            assert answer.status_code == status
            assert not leaks(answer, world.a.marks())


def test_suggestions_are_of_the_own_tenant(world: World) -> None:
    for label, entry in OFFICE.items():
        for name in entry.foreign:
            app, model = label.lower().split(".")
            query = f"app_label={app}&model_name={model}&field_name={name}"
            there = f"/ops/office/autocomplete/?{query}&term="
            for term in ("", world.a.mark.lower()):
                for who in ("boss", "root"):
                    answer = world.b.client(who).get(there + term)
                    assert not leaks(answer, world.a.marks())


def test_a_thing_is_not_found_by_its_kind_and_id(world: World) -> None:
    with tenant_scope(world.a.tenant):
        kinds = {
            row: ContentType.objects.get_for_model(world.a[row]).pk
            for row in ("workshop", "order", "person", "tenant")
        }
    for row, kind in kinds.items():
        for who in ("boss", "root"):
            there = f"/ops/office/r/{kind}/{world.a.pk(row)}/"
            answer = world.b.client(who).get(there)
            assert answer.status_code in (302, 403, 404), row
            assert not leaks(answer, world.a.marks())
