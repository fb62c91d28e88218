"""Whether the process of this container does its work: the health checks of
docker-compose.yml.

    python deploy/alive.py web PORT          it answers /healthz
    python deploy/alive.py worker SECONDS    this container's worker was heard of lately
    python deploy/alive.py clock SECONDS     a clock was

Ends with 0, or with 1 and a sentence. It runs every half minute in every container, so
it needs the standard library and the database driver only: Django would cost seconds.
"""

import http.client
import os
import socket
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2

SECONDS = 4
AGE = "SELECT extract(epoch FROM now() - at) FROM ops_heartbeat WHERE name = %s"


def main(what: str, number: int) -> str:
    """Return what is wrong; empty when nothing is."""
    if what == "web":
        return answers(number)
    # Each worker of many has a sign of life of its own, named as Celery names it.
    name = f"celery@{socket.gethostname()}"[:60] if what == "worker" else what
    age = silence(name)
    if age is None:
        return f"{name} was never heard of"
    return f"{name} is silent for {age:.0f} s" if age > number else ""


def answers(port: int) -> str:
    """Ask the web process itself, by the name that it answers to."""
    host = urlsplit(os.environ.get("VRP_PUBLIC_URL", "")).netloc or "127.0.0.1"
    with closing(
        http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    ) as connection:
        connection.request("GET", "/healthz", headers={"Host": host})
        status = connection.getresponse().status
    return "" if status == 200 else f"/healthz answers {status}"


def silence(name: str) -> float | None:
    """Seconds since the last sign of life."""
    path = os.environ.get("DATABASE_URL_FILE")
    url = Path(path).read_text().strip() if path else os.environ["DATABASE_URL"]
    with (
        closing(psycopg2.connect(url, connect_timeout=SECONDS)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(AGE, [name])
        row = cursor.fetchone()
    return float(row[0]) if row else None


if __name__ == "__main__":
    try:
        problem = main(sys.argv[1], int(sys.argv[2]))
    except (OSError, http.client.HTTPException, psycopg2.Error) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
    if problem:
        sys.exit(problem)
