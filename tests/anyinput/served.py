"""The product behind a real gunicorn, on the test's own database."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).parents[2]
READY_SECONDS = 30


def database_url() -> str:
    """The test database as a URL, for another process."""
    known = connection.settings_dict
    user, password = quote(known["USER"], safe=""), quote(known["PASSWORD"], safe="")
    name = quote(known["NAME"], safe="")
    host, port = known["HOST"], known["PORT"]
    place = f"{user}:{password}@" if password else f"{user}@"
    if host.startswith("/"):
        return f"postgresql://{place}/{name}?host={host}" + (
            f"&port={port}" if port else ""
        )
    return f"postgresql://{place}{host}{f':{port}' if port else ''}/{name}"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def gunicorn(log: Path, **environment: str) -> Iterator[str]:
    """Serve the test database with two threads in one process; gives the address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "vrp.wsgi", "--bind",
               f"127.0.0.1:{port}", "--workers", "1", "--threads", "4",
               "--worker-tmp-dir", str(log.parent)]  # fmt: skip
    variables = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "VRP_DATA_DIR": str(log.parent),
        "VRP_PUBLIC_URL": url,
        "VRP_API_RATE": "1000000/min",
        "VRP_GUESS_RATE": "1000000/min",
        **environment,
    }
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, cwd=ROOT, env=variables, stdout=written, stderr=written
        )
    try:
        _wait(process, url, log)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"gunicorn is not ready:\n{log.read_text()}")
