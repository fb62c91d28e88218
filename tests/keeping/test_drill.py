"""The drill: fill, back up, lose everything, restore; nothing missing, nothing sent."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.keeping.conftest import BASE_KEY, ROOT, Place
from vrp.keeping import figures, manifest
from vrp.keeping.errors import KeepingError

REPLACE = "--replace-everything-in-the-database"
LEDGER = """SELECT tenant_id, account_id, sum(amount_minor) FROM payments_posting
            GROUP BY 1, 2 ORDER BY 1, 2"""
PAYOUTS = (
    "SELECT tenant_id, state, count(*) FROM payments_payout GROUP BY 1, 2 ORDER BY 1, 2"
)


@pytest.fixture(scope="module")
def filled(new_place: Callable[[], Place]) -> Place:
    place = new_place()
    place.load_base()
    place.manage("migrate", "-v0")
    return place


@pytest.fixture(scope="module")
def copy(filled: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("copy") / "whole.dump"
    filled.manage("backup", str(target), role="vrp_backup")
    return target


def figures_of(place: Place) -> dict:
    connection = psycopg2.connect(host=place.host, user="vrp_backup", dbname=place.name)
    try:
        with connection.cursor() as cursor:
            return figures.gather(cursor)
    finally:
        connection.close()


def test_the_drill(filled: Place, copy: Path, new_place: Callable[[], Place]) -> None:
    ledger, before = filled.rows(LEDGER), figures_of(filled)
    assert len(ledger) >= 8
    place = new_place()
    said = place.manage("restore", str(copy))
    assert "the books balance" in said
    assert place.rows(LEDGER) == ledger
    assert "holds" in place.manage("verify_events", "--seal")
    after = figures_of(place)
    for slug, held in after["tenants"].items():
        assert held["balances"] == before["tenants"][slug]["balances"]
        # What the restore adds: doubts, with the questions they bring, and their events.
        for table, count in held["rows"].items():
            if table not in ("events_event", "payments_statusquery"):
                assert count == before["tenants"][slug]["rows"][table], table
    _is_silent(place)
    _resumes_by_a_person_only(place)


def _is_silent(place: Place) -> None:
    """What was due when the backup was taken is in doubt, and nothing may leave."""
    states = {state for _, state, _ in place.rows(PAYOUTS)}
    assert states == {"paid", "failed", "unknown", "draft"}, "no payout is queued"
    assert place.rows("SELECT count(*) FROM phone_message WHERE state = 'queued'") == [
        (0,)
    ]
    place.python(
        """
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope
from vrp.events import outbox
from django.utils import timezone
from payments.models import Payout, StatusQuery
from orders.models import WebhookDelivery
for tenant in Tenant.objects.all():
    with tenant_scope(tenant):
        # Somebody approves the draft of yesterday; a worker is told of it at once.
        Payout.objects.filter(state="draft").update(state="queued")
        for row in Payout.objects.filter(state="queued"):
            assert outbox.run("payout", row.pk) is False
        waiting = WebhookDelivery.objects.filter(state="queued")
        assert waiting
        assert not any(outbox.run("webhook", row.pk) for row in waiting)
        assert outbox.paused_names() == {"payout", "sms", "webhook"}
        due = timezone.now() - outbox.GRACE
        questions = StatusQuery.objects.filter(state="queued", due_at__lte=due)
        assert outbox.sweep(tenant)["again"] == questions.count(), "and nothing else"
"""
    )


def _resumes_by_a_person_only(place: Place) -> None:
    """And payouts only once every old payment is decided."""
    place.python(
        """
from django.core.management import call_command, CommandError
from vrp.events.models import Event, SendingPause
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope
from payments.models import Payout

def refused(*names, **said):
    try:
        call_command("resume_sending", *names, tenant="soko", by="Amina", **said)
    except CommandError as error:
        return str(error)

def paused():
    with tenant_scope(Tenant.objects.get(slug=slug)):
        return sorted(SendingPause.active().values_list("outbox", flat=True))

slug = "soko"
assert paused() == ["payout", "sms", "webhook"]
assert "nobody knows yet" in refused("payout", compared="the statement")
assert "Say what you compared" in refused("sms")
assert "not something that can be paused" in refused("plan", compared="x")
assert refused("sms", "webhook", compared="the carrier's log") is None
assert paused() == ["payout"]
with tenant_scope(Tenant.objects.get(slug=slug)):
    Payout.objects.filter(state="unknown").update(state="failed")
assert refused("payout", compared="statement of the 22nd") is None
assert paused() == []
with tenant_scope(Tenant.objects.get(slug=slug)):
    resumed = Event.objects.filter(name="sending.resumed")
    assert sorted(resumed.values_list("reason", "actor_label")) == [
        ("statement of the 22nd", "Amina"), ("the carrier's log", "Amina")
    ]
slug = "addis"
assert paused() == ["payout", "sms", "webhook"], "each tenant decides for itself"
"""
    )


def test_a_dump_that_would_leave_rows_out_is_refused(
    filled: Place, tmp_path: Path
) -> None:
    done = filled.try_manage("backup", str(tmp_path / "part.dump"))
    assert done.returncode == 1
    assert "would leave rows out" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_killed_backup_leaves_nothing_that_looks_whole(
    filled: Place, tmp_path: Path
) -> None:
    """pg_dump waits for a lock that a migration holds; meanwhile its parent dies."""
    target = tmp_path / "cut.dump"
    blocker = psycopg2.connect(host=filled.host, user="postgres", dbname=filled.name)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "backup", str(target)],
        cwd=ROOT, env=filled.environment("vrp_backup"), start_new_session=True,
    )  # fmt: skip
    try:
        with blocker.cursor() as cursor:
            # The one table that is dumped and not counted: the dump is under way.
            cursor.execute("LOCK TABLE events_sendingpause IN ACCESS EXCLUSIVE MODE")
            assert _waits(cursor, filled.name), "pg_dump never came to the table"
            assert list(tmp_path.iterdir()), "it has begun to write"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        blocker.close()
    assert not target.exists()
    assert not manifest.beside(target).exists()


def _waits(cursor: Any, database: str, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
            " AND wait_event_type = 'Lock'",
            [database],
        )
        if cursor.fetchone() != (0,):
            return True
        time.sleep(0.1)
    return False


def test_it_overwrites_nothing(filled: Place, copy: Path) -> None:
    again = filled.try_manage("backup", str(copy), role="vrp_backup")
    assert "exists already" in again.stderr
    onto = filled.try_manage("restore", str(copy))
    assert onto.returncode == 1
    assert "has tenants or users" in onto.stderr


def test_told_so_it_replaces_everything_at_once_or_not_at_all(
    filled: Place, copy: Path, new_place: Callable[[], Place], tmp_path: Path
) -> None:
    place = new_place()
    place.load_base()
    place.write("CREATE TABLE left_over (x int); UPDATE tenancy_tenant SET name = 'X'")
    open_one = psycopg2.connect(host=place.host, user="vrp_backup", dbname=place.name)
    busy = place.try_manage("restore", str(copy), REPLACE)
    open_one.close()
    assert "other connections" in busy.stderr
    damaged = _forged(copy, tmp_path)
    failed = place.try_manage("restore", str(damaged), REPLACE)
    assert failed.returncode == 1
    assert "nothing was changed" in failed.stderr, failed.stderr
    assert place.rows("SELECT DISTINCT name FROM tenancy_tenant") == [("X",)]
    place.manage("restore", str(copy), REPLACE)
    assert place.rows(LEDGER) == filled.rows(LEDGER)
    assert place.rows("SELECT to_regclass('left_over')") == [(None,)]


def _forged(copy: Path, folder: Path) -> Path:
    """A dump cut off in its data, with a manifest that says it is so: pg_restore fails
    in the middle."""
    cut = folder / "cut.dump"
    content = copy.read_bytes()
    cut.write_bytes(content[:-2_000])
    sheet = manifest.read(copy)
    sheet.dump_sha256, sheet.dump_bytes = manifest.digest_of(cut)
    manifest.beside(cut).write_text(manifest.to_text(sheet))
    return cut


def test_wrong_keys_are_refused_in_words(
    copy: Path, new_place: Callable[[], Place]
) -> None:
    place = new_place()
    done = place.try_manage("restore", str(copy), VRP_FIELD_KEYS="another")
    assert done.returncode == 1
    assert "VRP_FIELD_KEYS lacks the key" in done.stderr
    assert place.rows("SELECT to_regclass('tenancy_tenant')") == [(None,)]
    text = manifest.beside(copy).read_text()
    assert BASE_KEY not in text


def test_a_superuser_does_not_restore(
    copy: Path, new_place: Callable[[], Place]
) -> None:
    done = new_place().try_manage("restore", str(copy), role="postgres")
    assert "owns the tables" in done.stderr


@pytest.mark.parametrize("harm", ["dump", "manifest", "no manifest", "newer code"])
def test_what_is_not_whole_is_refused(copy: Path, tmp_path: Path, harm: str) -> None:
    mine = tmp_path / "mine.dump"
    mine.write_bytes(copy.read_bytes())
    sheet = json.loads(manifest.beside(copy).read_text())
    if harm == "dump":
        with mine.open("r+b") as stream:
            stream.seek(5_000)
            stream.write(b"x" * 8)
    elif harm == "manifest":
        sheet["figures"]["rows"]["accounts_user"] += 1
    if harm == "newer code":
        whole = manifest.read(copy)
        whole.migrations["orders"] = "0999_of_next_year"
        manifest.beside(mine).write_text(manifest.to_text(whole))
        with pytest.raises(KeepingError, match="newer code"):
            _check_code(mine)
        return
    if harm != "no manifest":
        manifest.beside(mine).write_text(json.dumps(sheet))
    with pytest.raises(KeepingError):
        manifest.read(mine)


def _check_code(dump: Path) -> None:
    from vrp.keeping.load import _require_known_migrations

    _require_known_migrations(manifest.read(dump))


def test_rows_that_did_not_come_back_are_named() -> None:
    before = {"rows": {"a": 1}, "tenants": {"soko": {
        "rows": {"b": 2}, "last_event": {"number": 7, "hash": "x"}, "balances": {"w": 5}
    }}}  # fmt: skip
    after = json.loads(json.dumps(before))
    after["rows"]["a"] = 0
    after["tenants"]["soko"]["balances"]["w"] = 4
    assert figures.differences(before, before) == []
    assert figures.differences(before, after) == [
        "rows: a was 1, is 0",
        "soko, balances: w was 5, is 4",
    ]
