"""What browsers are told: on every kind of answer, and nothing inline to break it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from tests.accounts.conftest import knock
from tests.builders import Network
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.accounts.visitor import COOKIE

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ops/sign-in/", 200),
        ("/ops/orders/", 200),
        ("/ops/account/", 200),
        ("/ops/office/", 200),
        ("/ops/nowhere/", 404),
        ("/api/v1/orders", 401),
        ("/api/docs/", 200),
        ("/healthz", 200),
    ],
)
def test_every_answer_is_strict(
    network: Network, signed_in: Callable[..., Client], path: str, status: int
) -> None:
    client = Client() if "sign-in" in path else signed_in(Role.ADMIN)
    said = client.get(path)
    assert said.status_code == status
    policy = dict(
        part.strip().split(" ", 1)
        for part in said["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'"
    assert "unsafe" not in said["Content-Security-Policy"]
    assert said["X-Content-Type-Options"] == "nosniff"
    assert said["X-Frame-Options"] == "DENY"
    assert said["Referrer-Policy"] == "same-origin"
    assert said["Cross-Origin-Opener-Policy"] == "same-origin"
    assert said["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "geolocation=()" in said["Permissions-Policy"]
    if path.startswith("/ops/"):
        assert "no-store" in said["Cache-Control"]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_nothing_inline_in_templates(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"<style\b", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert not re.search(r"javascript:", text)
    for tag in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in tag


@pytest.mark.django_db
def test_cookies_are_for_this_site_and_no_script(
    network: Network, somebody: Callable[..., User]
) -> None:
    client = Client()
    client.get(reverse("sign-in"))
    knock(client, somebody(Role.QC))
    names = {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, COOKIE}
    assert names <= set(client.cookies)
    for name in names:
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"


def test_with_https_cookies_are_secure_and_browsers_stay_on_it() -> None:
    show = (
        "from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_NAME,"
        " s.CSRF_COOKIE_NAME, s.SECURE_HSTS_SECONDS >= 31536000, s.SECURE_SSL_REDIRECT)"
    )
    told = {"VRP_PUBLIC_URL": "https://ops.example", "VRP_EMBEDDED": "0"}
    asked = subprocess.run(
        [sys.executable, "-c", show],
        cwd=ROOT,
        env={**os.environ, **told, "DJANGO_SETTINGS_MODULE": "vrp.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    names = "__Host-vrp_session __Host-vrp_csrf"
    assert asked.stdout.strip() == f"True True {names} True True"
