"""The services of docker-compose.yml as plain processes on this machine.

Commands and environments are taken as they are; only what a container would give them
is put in its place: host names, ports, and the folders that Docker would mount.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.served.compose import (
    SECRETS,
    Service,
    allowed_names,
    image_build_step,
    image_environment,
    read,
)
from vrp.embedded.account import Account, become, can_reach, reach_capability
from vrp.embedded.children import in_child
from vrp.embedded.options import PROJECT
from vrp.embedded.stack import next_free_port

POSTGRES = Path("/usr/lib/postgresql/15/bin")
NO_NAMES = {"db": "127.0.0.1", "redis": "127.0.0.1"}
VOLUME = "/var/lib/postgresql/data"
# What the images of PostgreSQL and Redis set themselves.
THEIR_IMAGES = {"PATH": f"{POSTGRES}:/usr/bin:/bin", "PGDATA": VOLUME}


class Failed(AssertionError):
    """A service did not do what it should; carries the end of its log."""


class Machine:
    """All services, each with its folder; ``stop`` ends what still runs."""

    def __init__(self, base: Path, settings: Mapping[str, str]) -> None:
        self.base = base
        first = 21_100 + os.getpid() % 100 * 8
        self.ports: dict[str, int] = {}
        for what in ("5432", "6379", "8000", "standin"):
            first = self.ports[what] = next_free_port(first + 1)
        self.url = f"http://127.0.0.1:{self.ports['8000']}"
        self.standin_url = f"http://127.0.0.1:{self.ports['standin']}"
        self.env_file = self._write_env(settings)
        self.services = read(self.env_file)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._building: subprocess.Popen[bytes] | None = None

    def _write_env(self, settings: Mapping[str, str]) -> Path:
        """``.env``: the example, filled in as its owner would."""
        own = {
            "VRP_PUBLIC_URL": self.url,
            "VRP_STANDIN_URL": self.standin_url,
            **settings,
        }
        lines = (PROJECT / ".env.example").read_text().splitlines()
        kept = [line for line in lines if line.partition("=")[0] not in own]
        path = self.base / "env"
        path.write_text("\n".join([*kept, *(f"{k}={v}" for k, v in own.items()), ""]))
        return path

    # -- what Docker would do first ----------------------------------------------------

    def prepare(self) -> None:
        """Make secrets, image and volumes."""
        made = self.base / "secrets"
        subprocess.run(["deploy/make-secrets", made], cwd=PROJECT, check=True)
        for service in self.services.values():
            folder = self._folder(service) / "secrets"
            folder.mkdir(parents=True)
            for name in service.secrets:
                text = self._on_this_machine((made / name).read_text())
                (folder / name).write_text(text)
        self._build_image()
        for name in ("db", "redis", "backup"):
            self._own(self.services[name], self._folder(self.services[name]))
        self._prepare_database(self.services["db"])

    def _build_image(self) -> None:
        app = self.base / "image"
        app.mkdir()
        ignored = shutil.ignore_patterns(
            "__pycache__", "*.pyc", "secrets", "certificates"
        )
        for name in allowed_names():
            source = PROJECT / name
            if source.is_dir():
                unwanted = ignored if name == "deploy" else ignored_bytecode
                shutil.copytree(source, app / name, ignore=unwanted)
            else:
                shutil.copy(source, app / name)
        environment = {k: self._inside(v, app) for k, v in image_environment().items()}
        self._building = subprocess.Popen(
            ["/bin/sh", "-c", image_build_step()],
            cwd=app,
            env=environment,
            stdout=subprocess.DEVNULL,
        )

    def _finish_image(self) -> None:
        """Wait for the image's own files; they are made while the servers start."""
        if self._building is None:
            return
        if self._building.wait(timeout=120) != 0:
            raise Failed("The image's own files could not be made.")
        self._building = None
        app = self.base / "image"
        for path in [app, *app.rglob("*")]:
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))

    def _prepare_database(self, db: Service) -> None:
        """What the image's entry point does with an empty volume: initdb, then
        passwords for everybody who comes by TCP."""
        data, given = self._folder(db) / "data", db.environment
        arguments = given["POSTGRES_INITDB_ARGS"].split()
        arguments += [f"--username={given['POSTGRES_USER']}", "--no-sync"]
        password = self._text(db, given["POSTGRES_PASSWORD_FILE"])
        self.one_shot(
            db, [str(POSTGRES / "initdb"), f"--pgdata={data}", f"--pwfile={password}",
                 *arguments],
        )  # fmt: skip
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write("\nhost all all all scram-sha-256\n")

    def fill_database(self) -> None:
        """What the entry point does next: the database, then the scripts that the
        compose file mounts, as the superuser."""
        db = self.services["db"]
        user, name = db.environment["POSTGRES_USER"], db.environment["POSTGRES_DB"]
        socket = f"--host={self._folder(db)}/socket"
        common = [f"--port={self.ports['5432']}", f"--username={user}", socket]
        self.one_shot(db, [str(POSTGRES / "createdb"), *common, name])
        for mount in db.raw["volumes"]:
            source, target, *_ = mount.split(":")
            if target.startswith("/docker-entrypoint-initdb.d/"):
                script = str(self.base / "image" / source.removeprefix("./"))
                psql = [str(POSTGRES / "psql"), "--no-psqlrc", "-v", "ON_ERROR_STOP=1"]
                self.one_shot(db, [*psql, *common, f"--dbname={name}", "-f", script])

    def database_url(self, role: str) -> str:
        """The address of the database from outside: owner, app, backup, superuser."""
        secrets = self.base / "secrets"
        if role != "superuser":
            text = (secrets / f"database_url_{role}").read_text()
            return self._on_this_machine(text).strip()
        password = (secrets / "db_superuser_password").read_text().strip()
        return f"postgresql://postgres:{password}@127.0.0.1:{self.ports['5432']}/vrp"

    # -- running -----------------------------------------------------------------------

    def start(self, name: str) -> None:
        """Start a service, or run it to its end if it is a step."""
        service = self.services[name]
        if service.is_step:
            self.one_shot(service, service.command)
        else:
            self.running[name] = self._spawn(service, service.command)

    def is_healthy(self, name: str) -> bool:
        """Run the service's own health check once, as Docker would."""
        service = self.services[name]
        assert service.health
        if self.running[name].poll() is not None:
            raise Failed(f"{name} ended by itself.{self.tail(name)}")
        return self._spawn(service, service.health, log="health").wait() == 0

    def wait_healthy(self, *names: str) -> None:
        """Wait as long as the compose file does."""
        end = time.monotonic() + max(self.services[name].patience for name in names)
        waiting = list(names)
        while waiting := [name for name in waiting if not self.is_healthy(name)]:
            if time.monotonic() > end:
                raise Failed(
                    f"{waiting} did not become healthy."
                    + "".join(
                        self.tail(one) + self.tail(one, "health") for one in waiting
                    )
                )
            time.sleep(0.3)

    def one_shot(
        self, service: Service, command: list[str], settings: Mapping[str, str] = {}
    ) -> str:
        """Run a command in the service's container; returns what it said."""
        ok, said = self.outcome(self.begin(service, command, settings))
        if not ok:
            raise Failed(f"{' '.join(command)[:200]} failed:\n{said[-3000:]}")
        return said

    def begin(
        self, service: Service, command: list[str], settings: Mapping[str, str] = {}
    ) -> subprocess.Popen[bytes]:
        return self._spawn(service, command, pipe=True, settings=settings)

    def outcome(self, process: subprocess.Popen[bytes]) -> tuple[bool, str]:
        """Wait for a command begun; whether it ended with 0, and what it said."""
        said = process.communicate(timeout=300)[0].decode("utf-8", "replace")
        return process.returncode == 0, said

    @property
    def trial(self) -> Path:
        """Where ``demo.json`` goes: the stand-ins and the tour read it there."""
        return self.base / "trial"

    def start_standins(self) -> None:
        """A process of its own, beside: the image knows nothing of it."""
        data = self.trial
        command = [sys.executable, "-m", "simulators", "--web", self.url]
        command += ["--port", str(self.ports["standin"]), "--data", str(data)]
        with (self.base / "standins.log").open("wb") as log:
            self.running["standins"] = subprocess.Popen(
                command, cwd=PROJECT, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=in_child(lambda: None, signal.SIGTERM),
            )  # fmt: skip

    def stop(self) -> dict[str, int | None]:
        """End everything in reverse order as ``docker compose down`` would; returns the
        exit statuses, None for what had to be killed."""
        statuses: dict[str, int | None] = {}
        apps = [n for n in self.running if n not in ("db", "redis")]
        for group in (apps, ["redis", "db"]):
            group = [name for name in group if name in self.running]
            for name in group:
                # The PostgreSQL image says by STOPSIGNAL how it wants to be told.
                how = signal.SIGINT if name == "db" else signal.SIGTERM
                self.running[name].send_signal(how)
            for name in group:
                statuses[name] = self._end(name)
        self.running.clear()
        return statuses

    def _end(self, name: str) -> int | None:
        process = self.running[name]
        grace = self.services[name].grace if name in self.services else 10.0
        status: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = process.wait(timeout=grace)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return status

    def tail(self, name: str, log: str = "log") -> str:
        """The end of what a service said."""
        path = self.base / name / log
        said = path.read_text("utf-8", "replace")[-2500:] if path.exists() else ""
        return f"\n--- {name} ({log}):\n{said}"

    # -- in the place of containers ------------------------------------------------------

    def _spawn(
        self,
        service: Service,
        command: list[str],
        *,
        log: str = "log",
        pipe: bool = False,
        settings: Mapping[str, str] = {},
    ) -> subprocess.Popen[bytes]:
        if service.ours:
            self._finish_image()
        own = image_environment() if service.ours else THEIR_IMAGES
        environment = {**own, **service.environment, **settings}
        environment = {name: value for name, value in environment.items() if value}
        with (self._folder(service) / log).open("ab") as file:
            return subprocess.Popen(
                [self._text(service, part) for part in command],
                cwd=self.base / "image" if service.ours else "/",
                env={k: self._text(service, v) for k, v in environment.items()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe else file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=in_child(self._drop(service), signal.SIGKILL),
            )

    def _folder(self, service: Service) -> Path:
        return self.base / service.name

    def _text(self, service: Service, text: str) -> str:
        folder = self._folder(service)
        text = self._ports(text)
        text = text.replace(SECRETS, f"{folder}/secrets/")
        text = text.replace(VOLUME, f"{folder}/data")
        text = text.replace("/backups/", f"{folder}/data/")
        text = text.replace("/run/certificates/", f"{self.base}/certificates/")
        text = text.replace("/var/run/postgresql", f"{folder}/socket")
        text = text.replace("dir /data\n", f"dir {folder}/data\n")
        if service.name == "db" and text == "postgres":
            return str(POSTGRES / "postgres")
        text = text.replace("--listen_addresses=*", "--listen_addresses=127.0.0.1")
        text = text.replace("0.0.0.0", "127.0.0.1")
        return self._inside(text, self.base / "image")

    def _inside(self, text: str, app: Path) -> str:
        text = text.replace("/opt/venv", sys.prefix)
        return text.replace("/app/", f"{app}/")

    def _ports(self, text: str) -> str:
        for port in ("5432", "6379", "8000"):
            text = text.replace(port, str(self.ports[port]))
        return text

    def _on_this_machine(self, secret: str) -> str:
        """An address with its host and port; other secrets as they are."""
        if "://" not in secret:
            return secret
        for name, host in NO_NAMES.items():
            secret = secret.replace(f"@{name}:", f"@{host}:")
        return self._ports_of_address(secret)

    def _ports_of_address(self, address: str) -> str:
        # Only behind the host: a password of hexadecimal digits may contain 5432.
        before, at, behind = address.rpartition("@")
        return before + at + self._ports(behind)

    def _account(self, service: Service) -> Account:
        user = str(service.raw["user"])
        if user[0].isdigit():
            uid, gid = (int(part) for part in user.split(":"))
            return Account(user, uid, gid)
        entry = pwd.getpwnam(user)
        return Account(user, entry.pw_uid, entry.pw_gid)

    def _drop(self, service: Service) -> Callable[[], None]:
        """Become the service's user, as Docker would; as we are if we are not root."""
        if os.geteuid() != 0:
            return lambda: None
        account = self._account(service)
        python = Path(sys.prefix) / "bin" / "python"
        reach = not service.ours or can_reach(account, [python, self.base])
        return become(account, None if reach else reach_capability(python))

    def _own(self, service: Service, folder: Path) -> None:
        """A volume for the service, belonging to its user."""
        for name in ("data", "socket"):
            (folder / name).mkdir(mode=0o700)
        if os.geteuid() == 0:
            account = self._account(service)
            for path in (folder, *folder.iterdir()):
                if path.name != "secrets":
                    os.chown(path, account.uid, account.gid)


def ignored_bytecode(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name == "__pycache__" or name.endswith(".pyc")}
