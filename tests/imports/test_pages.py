"""Upload, preview and load in the console, and on the command line."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from artisans.models import Workshop
from tests.builders import Network, build_user
from tests.imports.test_workshops import HELPER, LEAD, sheet
from vrp.accounts.enums import Role
from vrp.events.models import Event
from vrp.imports.models import ImportFile
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def upload(client: Client, content: bytes, kind: str = "workshops"):  # type: ignore[no-untyped-def]
    file = SimpleUploadedFile("network.csv", content, "text/csv")
    return client.post(f"/ops/{kind}/import/", {"file": file})


def test_upload_preview_load_and_a_double_click(
    network: Network, signed_in: SignedIn
) -> None:
    client = signed_in(Role.PLANNER)
    answer = upload(client, sheet(LEAD, HELPER))
    file = ImportFile.objects.get()
    assert answer.headers["Location"] == f"/ops/imports/{file.pk}/"
    page = client.get(f"/ops/imports/{file.pk}/").content.decode()
    assert "3 will be new" in page
    assert not Workshop.objects.filter(code="W-900").exists()
    for _ in range(2):
        answer = client.post(f"/ops/imports/{file.pk}/load/", follow=True)
        assert answer.status_code == 200
    assert "was loaded already" in answer.content.decode()
    assert Workshop.objects.filter(code="W-900").count() == 1
    assert Event.objects.filter(name="import.loaded").count() == 1


def test_refused_rows_are_shown_and_there_is_no_load_button(
    network: Network, signed_in: SignedIn
) -> None:
    client = signed_in(Role.ADMIN)
    upload(client, sheet(LEAD.replace("0712345678", "0202345678")))
    file = ImportFile.objects.get()
    page = client.get(f"/ops/imports/{file.pk}/").content.decode()
    assert "not a mobile number" in page
    assert "/load/" not in page
    client.post(f"/ops/imports/{file.pk}/load/")
    assert not Workshop.objects.filter(code="W-900").exists()
    file.refresh_from_db()
    assert file.loaded_at is None


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"", b" " * (6 * 2**20)])
def test_a_file_that_cannot_be_read_is_not_kept(
    network: Network, signed_in: SignedIn, content: bytes
) -> None:
    answer = upload(signed_in(Role.PLANNER), content)
    assert answer.status_code == 422
    assert "This file cannot be read" in answer.content.decode()
    assert ImportFile.objects.count() == 0


def test_a_huge_body_is_refused_by_its_size(
    network: Network, signed_in: SignedIn
) -> None:
    answer = upload(signed_in(Role.PLANNER), b"x" * (9 * 2**20))
    assert answer.status_code in (400, 413)
    assert ImportFile.objects.count() == 0


def test_no_file_at_all(network: Network, signed_in: SignedIn) -> None:
    answer = signed_in(Role.PLANNER).post("/ops/orders/import/", {"file": "text"})
    assert answer.status_code == 422


def test_the_template_is_a_file_that_the_importer_reads(
    network: Network, signed_in: SignedIn
) -> None:
    client = signed_in(Role.PLANNER)
    for kind in ("workshops", "orders"):
        answer = client.get(f"/ops/{kind}/import/template.csv")
        assert answer["Content-Disposition"] == f'attachment; filename="{kind}.csv"'
        assert upload(client, answer.content, kind).status_code == 302


def test_who_may_import(network: Network, signed_in: SignedIn) -> None:
    assert upload(signed_in(Role.QC), sheet(LEAD)).status_code == 403
    assert signed_in(Role.QC, name="q2").get("/ops/orders/import/").status_code == 403
    auditor = signed_in(Role.AUDITOR)
    assert auditor.get("/ops/workshops/import/").status_code == 200
    assert upload(auditor, sheet(LEAD)).status_code == 403
    upload(signed_in(Role.PLANNER), sheet(LEAD))
    file = ImportFile.objects.get()
    assert auditor.get(f"/ops/imports/{file.pk}/").status_code == 200
    assert auditor.post(f"/ops/imports/{file.pk}/load/").status_code == 403
    assert not Workshop.objects.filter(code="W-900").exists()


def test_the_neighbours_file_is_not_found(
    network: Network, signed_in: SignedIn, other_tenant: Tenant
) -> None:
    upload(signed_in(Role.PLANNER), sheet(LEAD))
    file = ImportFile.objects.get()
    stranger = Client()
    stranger.force_login(build_user(other_tenant, "planner", Role.PLANNER))
    assert stranger.get(f"/ops/imports/{file.pk}/").status_code == 404
    assert stranger.post(f"/ops/imports/{file.pk}/load/").status_code == 404


def test_import_csv(network: Network, tmp_path: Path) -> None:
    file = tmp_path / "network.csv"
    file.write_bytes(sheet(LEAD, HELPER))
    arguments = ["--tenant", "soko", "--kind", "workshops", str(file)]
    said = io.StringIO()
    call_command("import_csv", *arguments, "--dry-run", stdout=said)
    assert "3 would be new" in said.getvalue()
    assert not Workshop.objects.filter(code="W-900").exists()
    call_command("import_csv", *arguments, stdout=said)
    assert "3 are new" in said.getvalue()
    assert Workshop.objects.filter(code="W-900").exists()


def test_import_csv_says_what_is_wrong(network: Network, tmp_path: Path) -> None:
    file = tmp_path / "network.csv"
    file.write_bytes(sheet(HELPER.replace("W-900", "W-901")))
    said = io.StringIO()
    with pytest.raises(CommandError, match="nothing was loaded"):
        call_command("import_csv", "--tenant", "soko", "--kind", "workshops",
                     str(file), stderr=said)  # fmt: skip
    assert "line 2, workshop" in said.getvalue()
    with pytest.raises(CommandError, match="no tenant"):
        call_command("import_csv", "--tenant", "x", "--kind", "orders", str(file))
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_csv", "--tenant", "soko", "--kind", "orders", "/none")
