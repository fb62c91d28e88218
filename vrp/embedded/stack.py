"""The application's own processes and one-shots: how each is run."""

from __future__ import annotations

import http.client
import json
import shlex
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vrp.embedded.errors import StartError
from vrp.embedded.folder import DataFolder
from vrp.embedded.options import PROJECT
from vrp.embedded.programs import Program, answers_tcp

HOST = "127.0.0.1"


def port_is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def require_port(port: int) -> None:
    """Raise StartError with a free alternative if the web port is taken."""
    if port_is_free(port):
        return
    if port < 1024:
        raise StartError(f"Port {port} is taken or needs root. Try: bin/up --port 8000")
    other = next_free_port(port + 10)
    raise StartError(
        f"Port {port} on {HOST} is taken by another program. Try: bin/up --port {other}"
    )


def next_free_port(first: int) -> int:
    """The first free port from ``first`` on; StartError if fifty are taken."""
    for port in range(first, min(first + 50, 65536)):
        if port_is_free(port):
            return port
    raise StartError(f"No free port between {first} and {first + 49}.")


@dataclass(frozen=True)
class Stack:
    """One running system: where it keeps its data, its ports, its servers."""

    folder: DataFolder
    port: int
    standin_port: int
    database_url: str
    redis_url: str
    # As whom the schema is changed; empty: as ``database_url`` says.
    owner_url: str = ""
    # How many workers, and how many clocks, run side by side.
    copies: int = 1

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def standin_url(self) -> str:
        return f"http://{HOST}:{self.standin_port}"

    def environment(self) -> Mapping[str, str]:
        """What every process of the application is told."""
        return {
            "DJANGO_SETTINGS_MODULE": "vrp.settings",
            "PYTHONUNBUFFERED": "1",
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "SECRET_KEY": self.folder.secret_key(),
            "VRP_EMBEDDED": "1",
            "VRP_DATA_DIR": str(self.folder.root),
            "VRP_PUBLIC_URL": self.url,
            "VRP_STANDIN_URL": self.standin_url,
            "VRP_PROCESS_STATE": str(self.folder.state),
        }

    def manage(self, *arguments: str) -> Program:
        """A management command, run to its end."""
        return self._program(arguments[0], "manage.py", *arguments)

    def migration(self) -> Program:
        """``manage.py migrate``, which runs as the tables' owner."""
        return self._as_owner(self.manage("migrate", "--noinput"))

    def restoration(self, dump: Path) -> Program:
        """``manage.py restore``: the tables it makes belong to the owner too."""
        return self._as_owner(self.manage("restore", str(dump)))

    def _as_owner(self, program: Program) -> Program:
        if not self.owner_url:
            return program
        environment = {**self.environment(), "DATABASE_URL": self.owner_url}
        return replace(program, env=environment)

    def processes(self) -> list[Program]:
        """Web, worker, clock and stand-ins, in starting order."""
        return [
            self._program(
                "web",
                *("-m", "gunicorn", "vrp.wsgi:application"),
                *("--bind", f"{HOST}:{self.port}", "--no-control-socket", "--preload"),
                *("--worker-class", "gthread", "--workers", "2", "--threads", "4"),
                *("--timeout", "60", "--graceful-timeout", "3"),
                *("--max-requests", "10000", "--max-requests-jitter", "1000"),
                ready=answers_tcp(self.port),
            ),
            *(
                self._program(
                    _numbered("worker", copy),
                    *("-m", "celery", "-A", "vrp", "worker", "--concurrency", "2"),
                    *("--without-gossip", "--without-mingle", "--loglevel", "INFO"),
                    *("--hostname", f"{_numbered('worker', copy)}@%h"),
                    settle_seconds=2.0,
                )
                for copy in range(self.copies)
            ),
            *(
                self._program(
                    _numbered("clock", copy),
                    *("manage.py", "qcluster"),
                    settle_seconds=2.0,
                )
                for copy in range(self.copies)
            ),
            self._program(
                "standins",
                *("-m", "simulators", "--port", str(self.standin_port)),
                *("--web", self.url, "--data", str(self.folder.root)),
                ready=answers_tcp(self.standin_port),
            ),
        ]

    def _program(
        self,
        name: str,
        *arguments: str,
        ready: Callable[[], bool] = lambda: True,
        settle_seconds: float = 0.0,
    ) -> Program:
        return Program(
            name=name,
            argv=[sys.executable, *arguments],
            cwd=PROJECT,
            env=self.environment(),
            ready=ready,
            settle_seconds=settle_seconds,
        )

    def readiness(self) -> tuple[bool, str]:
        """Ask ``/readyz``: whether it said 200, and what it said."""
        # Not urllib: it would go through a proxy that the environment names.
        connection = http.client.HTTPConnection(HOST, self.port, timeout=3)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            said = answer.read(2000).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            return False, str(error)
        finally:
            connection.close()
        return answer.status == 200, said


def _numbered(name: str, copy: int) -> str:
    """The first is called by its name alone: ``worker``, ``worker-2``."""
    return name if copy == 0 else f"{name}-{copy + 1}"


def welcome(stack: Stack) -> str:
    """The block printed when everything runs: where to go, who to be, how to stop."""
    lines = [
        "",
        "The virtual resource planner runs.",
        "",
        f"  Operations (web admin)   {stack.url}/ops/",
        f"  API for buyers           {stack.url}/api/docs/",
        f"  Feature phone on screen  {stack.standin_url}/handset/",
        "",
        *_logins(stack.folder),
        f"  Logs                     {stack.folder.logs}/",
        "  Stop                     Ctrl-C (the data stays)",
    ]
    if stack.folder.demo.exists():
        data = shlex.quote(str(stack.folder.root))
        command = f".venv/bin/python manage.py walk --data {data}"
        lines += [
            "",
            "  Next, in another terminal: watch one order go all the way",
            f"    {command}",
        ]
    return "\n".join([*lines, ""])


def _logins(folder: DataFolder) -> list[str]:
    """The demo users as a small table; nothing if there are none."""
    try:
        users = json.loads(folder.demo.read_text())["users"]
        rows = [
            (role, user["username"], user["password"], user["tenant"] or "all")
            for role, user in users.items()
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    table = [("Sign in as", "user", "password", "tenant"), *rows]
    widths = [max(len(str(row[column])) for row in table) for column in range(4)]
    lines = []
    for row in table:
        cells = (f"{row[column]!s:<{widths[column]}}" for column in range(4))
        lines.append("  " + "  ".join(cells).rstrip())
    return [*lines, ""]
