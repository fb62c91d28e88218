"""What runs without anybody signed in: tasks, outboxes, beats, commands, imports.

Each has an entry below; a new one without an entry fails.
"""

import io
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands
from django.utils import timezone
from django.utils.module_loading import import_string

from tests.isolation.conftest import World
from tests.isolation.prints import undone
from tests.isolation.world import Side, day
from vrp.celery import app
from vrp.events import outbox
from vrp.events.services import Actor
from vrp.events.tasks import work
from vrp.imports.services import importers, load_content, preview
from vrp.ops.clock import beats
from vrp.tenancy.scope import tenant_scope

# Every Celery task of ours, and the test below that tries it.
TASKS = {"vrp.events.work": "test_a_task_with_another_tenants_row_does_nothing"}
# Every outbox, with a row of the world that waits in it.
OUTBOXES = {
    "sms": "message",
    "inbound": "read_message",
    "webhook": "webhook",
    "plan": "waiting_plan",
    "payout": "payout",
    "wallet_query": "query",
}
PERSONAL = "about people, not about a tenant's rows"
WHOLE = "about the whole installation; run by who runs it"


# Every beat: whether it changes rows of a tenant in the world, or why it has none to.
BEATS: dict[str, bool | str] = {
    "orders.clock.lapse_silent_offers": True,
    "orders.clock.purge_idempotency_keys": True,
    "orders.clock.purge_webhook_deliveries": True,
    "payments.clock.chase_payouts": True,
    "phone.clock.match_delivery_reports": True,
    "vrp.ops.beats.seal_events": True,
    "vrp.ops.beats.sweep_outboxes": True,
    "vrp.ops.beats.seal_clear_secrets": "the world's secrets are sealed",
    "vrp.accounts.clock.tidy_sign_ins": PERSONAL,
}


@pytest.fixture(autouse=True)
def _nothing_leaves(settings: Any) -> None:
    """What a beat may send goes to a port where nobody listens."""
    settings.AFRICASTALKING_URL = settings.DARAJA_URL = "http://127.0.0.1:9"


def test_every_task_has_an_entry() -> None:
    app.loader.import_default_modules()
    assert {name for name in app.tasks if not name.startswith("celery.")} == set(TASKS)
    assert all(test in globals() for test in TASKS.values())


def test_every_outbox_has_an_entry() -> None:
    assert {one.name for one in outbox.outboxes()} == set(OUTBOXES)


def test_every_beat_has_an_entry() -> None:
    assert {beat.function for beat in beats()} == set(BEATS)


@pytest.mark.parametrize("name", sorted(OUTBOXES))
def test_a_task_with_another_tenants_row_does_nothing(world: World, name: str) -> None:
    (a, b), row = world, OUTBOXES[name]
    with world.unchanged():
        work(name, b.tenant.pk, a.pk(row))
        work(name, a.tenant.pk, b.pk(row))
    box = next(one for one in outbox.outboxes() if one.name == name)
    with undone(), tenant_scope(a.tenant):
        assert outbox.claim(box, a.pk(row)) is not None, "it does wait to be sent"


@pytest.mark.parametrize("name", sorted(OUTBOXES))
def test_a_sweep_hands_over_the_own_rows_only(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = world
    handed: list[tuple[Any, ...]] = []
    monkeypatch.setattr(outbox, "hand_over", lambda *args, **_: handed.append(args))
    with undone(), tenant_scope(b.tenant):
        outbox.sweep(b.tenant)
        assert world.changes(of=a) == []
    assert (name, b.tenant.pk, b.pk(OUTBOXES[name])) in handed
    assert {tenant for _, tenant, _ in handed} == {b.tenant.pk}
    theirs = {a.pk(row) for row in OUTBOXES.values()}
    ours = {b.pk(row) for row in OUTBOXES.values()}
    assert not {row for *_, row in handed} & (theirs - ours)


@pytest.mark.parametrize("function", sorted(BEATS))
def test_a_beat_works_in_each_tenant_for_itself(world: World, function: str) -> None:
    """With one tenant switched off, its rows stay and only the other's change."""
    a, b = world
    for off, on in ((a, b), (b, a)):
        with undone():
            for side in world:
                age(side)
            type(off.tenant).objects.filter(pk=off.tenant.pk).update(is_active=False)
            before = world.fingerprint()
            import_string(function)()
            after = world.fingerprint()
            changed = {where for where, table in before
                       if before[where, table] != after[where, table]}  # fmt: skip
            assert off.tenant.slug not in changed
            if BEATS[function] is True:
                assert on.tenant.slug in changed, "nothing was due: the proof is empty"


def age(side: Side) -> None:
    """Make what beats clear away old enough."""
    old = timezone.now() - timedelta(days=400)
    with tenant_scope(side.tenant):
        row = side["failed_webhook"]
        type(row).objects.filter(pk=row.pk).update(due_at=old, created_at=old)


Try = Callable[[World, Path], None]


def verify(world: World, folder: Path) -> None:
    call_command(
        "verify_events", tenant=world.b.tenant.slug, seal=True, stdout=io.StringIO()
    )


def import_csv(world: World, folder: Path) -> None:
    a, b = world
    for kind, content in FILES.items():
        path = folder / f"{kind}.csv"
        path.write_bytes(content(a))
        call_command(
            "import_csv", path, tenant=b.tenant.slug, kind=kind, stderr=io.StringIO()
        )


def set_channel(world: World, folder: Path) -> None:
    call_command(
        "set_channel",
        tenant=world.b.tenant.slug,
        username="x",
        sender="X",
        ussd_code="*1#",
        stdout=io.StringIO(),
    )


def set_wallet(world: World, folder: Path) -> None:
    call_command(
        "set_wallet",
        tenant=world.b.tenant.slug,
        shortcode="600123",
        initiator="x",
        stdout=io.StringIO(),
    )


def rotate_routes(world: World, folder: Path) -> None:
    for which in ("phone", "wallet"):
        call_command(
            "rotate_routes", which, tenant=world.b.tenant.slug, stdout=io.StringIO()
        )


def resume_sending(world: World, folder: Path) -> None:
    call_command(
        "resume_sending",
        "sms",
        tenant=world.b.tenant.slug,
        by="Ops",
        compared="with the carrier's list",
        stdout=io.StringIO(),
    )


def note_payment(world: World, folder: Path) -> None:
    """Of A's workshop, said to be B's: not found there."""
    call_command(
        "note_payment",
        tenant=world.b.tenant.slug,
        workshop="W-999",
        amount="560",
        receipt="TKT7ABCDE1",
        found_by="nobody",
        checked_by="somebody",
        stdout=io.StringIO(),
    )


def issue_api_key(world: World, folder: Path) -> None:
    slug, scope = world.b.tenant.slug, ["orders:read"]
    for side in (world.b, world.a):
        call_command(
            "issue_api_key",
            tenant=slug,
            buyer=side["buyer"].code,
            name="x",
            scope=scope,
            stdout=io.StringIO(),
        )


def load_demo(world: World, folder: Path) -> None:
    call_command("load_demo", out=str(folder / "demo.json"))


# Every command of ours: how it is tried for tenant B, or why it has no tenant.
COMMANDS: dict[str, Try | str] = {
    "verify_events": verify,
    "import_csv": import_csv,
    "set_channel": set_channel,
    "set_wallet": set_wallet,
    "rotate_routes": rotate_routes,
    "resume_sending": resume_sending,
    "note_payment": note_payment,
    "issue_api_key": issue_api_key,
    "load_demo": load_demo,
    "walk": "speaks HTTP only, like anybody outside",
    "export_openapi": "reads no row",
    "demo_facts": "writes the demo's addresses to a file; demo installations only",
    "lint_migrations": "reads no row",
    "migrate": WHOLE,
    "backup": WHOLE,
    "restore": WHOLE,
    "rotate_secrets": WHOLE,
    "reset_second_factor": PERSONAL,
}


def our_commands() -> set[str]:
    folders = {c.name for c in apps.get_app_configs() if ".venv" not in c.path}
    return {name for name, owner in get_commands().items() if owner in folders}


def test_every_command_has_an_entry() -> None:
    assert our_commands() == set(COMMANDS)
    assert str(settings.BASE_DIR)


@pytest.mark.parametrize(
    "name", sorted(name for name, entry in COMMANDS.items() if callable(entry))
)
def test_a_command_for_one_tenant_leaves_the_other(
    world: World, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFRICASTALKING_API_KEY", "x")
    monkeypatch.setattr("sys.stdin", io.StringIO("key\nsecret\npassword\n"))
    run = COMMANDS[name]
    assert callable(run)
    with undone():
        with suppress(CommandError):  # where it names what is the other tenant's
            run(world, tmp_path)
        assert world.changes(of=world.a) == []


def workshops(side: Side) -> bytes:
    """A file about this tenant's workshop, area and skill, named by their codes."""
    return (
        "workshop,artisan,name,engagement,gender,joined_on,workshop_name,area,phone,"
        "language,capacity_per_week,skills\n"
        f"{side.mark}-W,{side.mark}-P,Otieno,lead,male,2024-03-01,Taken,{side.mark}-a,"
        f"{side['workshop'].phone},en,10,{side.mark}-s:5\n"
    ).encode()


def orders(side: Side) -> bytes:
    """A file with an order of this tenant's buyer for its product."""
    return (
        "buyer,po_number,ship_by,sku,quantity\n"
        f"{side.mark}-B,PO-IMPORT,{day(60)},{side.mark}-N,120\n"
    ).encode()


# Every kind of import: a file that names things of the given tenant.
FILES: dict[str, Callable[[Side], bytes]] = {"workshops": workshops, "orders": orders}


def test_every_import_has_an_entry() -> None:
    assert {one.kind for one in importers()} == set(FILES)


@pytest.mark.parametrize("kind", sorted(FILES))
@pytest.mark.parametrize("load", [preview, load_content])
def test_a_file_about_another_tenants_things_finds_none(
    world: World, kind: str, load: Callable[..., Any]
) -> None:
    a, b = world
    with undone(), tenant_scope(b.tenant):
        outcome = load(
            tenant=b.tenant,
            kind=kind,
            content=FILES[kind](a),
            actor=Actor.system("test"),
        )
        assert outcome.errors or kind == "workshops"
        assert world.changes(of=a) == []
    with undone(), tenant_scope(b.tenant):
        outcome = load_content(
            tenant=b.tenant,
            kind=kind,
            content=FILES[kind](b),
            actor=Actor.system("test"),
        )
        assert outcome.errors == [], "the same about one's own things is taken"
