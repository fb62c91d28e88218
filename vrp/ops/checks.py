"""Whether an installation is fit for production: ``manage.py check --deploy``.

Numbered like Django's own checks and listed in ``docs/reference.md``: ``vrp.E0xx`` the
settings, ``E1xx`` the database, ``E2xx`` Redis, ``E3xx`` the processes. They ask the
servers, so none of them runs without ``--deploy``.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from cryptography import x509
from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.http.request import validate_host

from vrp.ops.health import readiness
from vrp.tenancy.models import TenantModel

EXAMPLE_WORDS = ("change-me", "only-for-tests", "unused")
SHORTEST_KEY = 32
NAMES_SHOWN = 5


def error(number: int, message: str, hint: str) -> Error:
    """One finding that must be put right before the installation is used."""
    return Error(message, hint=hint, id=f"vrp.E{number:03}")


def warning(number: int, message: str, hint: str) -> Warning:
    """One finding that costs something, but loses nothing."""
    return Warning(message, hint=hint, id=f"vrp.W{number:03}")


# -- settings --------------------------------------------------------------------------


@register(Tags.security, deploy=True)
def check_settings(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Secrets, addresses, and what must not be on: nothing is asked of any server."""
    return [*_secrets(), *_addresses(), *_outside(), *_files()]


def _secrets() -> Iterator[CheckMessage]:
    key = settings.SECRET_KEY
    if len(key) < SHORTEST_KEY or any(word in key for word in EXAMPLE_WORDS):
        yield error(
            1,
            "SECRET_KEY is too short, or an example that everybody can read.",
            "Give it fifty random characters (deploy/make-secrets makes them).",
        )
    if settings.FIELD_KEYS[0] == key:
        yield error(
            2,
            "VRP_FIELD_KEYS is not set, so SECRET_KEY also encrypts the credentials at "
            "rest and neither can be changed without the other.",
            "Set VRP_FIELD_KEYS. To keep what is encrypted already readable, put the "
            "SECRET_KEY of now behind the new one: VRP_FIELD_KEYS=new,old.",
        )


def _addresses() -> Iterator[CheckMessage]:
    if settings.EMBEDDED:
        yield error(
            3,
            "VRP_EMBEDDED is on: stand-ins are trusted and webhooks may reach machines "
            "of the inner network.",
            "Set VRP_EMBEDDED=0; it is for bin/up on one's own machine.",
        )
    public = urlsplit(settings.PUBLIC_URL)
    if public.scheme != "https":
        yield error(
            4,
            f"VRP_PUBLIC_URL is {settings.PUBLIC_URL}: sessions and callbacks would "
            "travel in clear text.",
            "Put a reverse proxy with a certificate in front, and name its https:// "
            "address.",
        )
    if not validate_host(public.hostname or "", settings.ALLOWED_HOSTS):
        yield error(
            5,
            f"VRP_ALLOWED_HOSTS does not contain {public.hostname}, the host of "
            "VRP_PUBLIC_URL: every request would be refused.",
            "Add the name to VRP_ALLOWED_HOSTS.",
        )


def _is_standin(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    local = host in ("localhost", "::1") or host.startswith("127.")
    return local or url.startswith(settings.STANDIN_URL)


def _outside() -> Iterator[CheckMessage]:
    if _is_standin(settings.AFRICASTALKING_URL):
        yield error(
            6,
            f"VRP_AFRICASTALKING_URL is {settings.AFRICASTALKING_URL}, a stand-in: no "
            "artisan would get a message.",
            "Set it to https://api.africastalking.com/version1.",
        )
    if _is_standin(settings.DARAJA_URL):
        yield error(
            7,
            f"VRP_DARAJA_URL is {settings.DARAJA_URL}, a stand-in: payouts would be "
            "called paid, and nobody would get money.",
            "Set it to https://api.safaricom.co.ke.",
        )
        return
    path = settings.DARAJA_CERTIFICATE_FILE
    problem = _certificate_problem(path) if path else "is not set"
    if problem:
        yield error(
            8,
            f"VRP_DARAJA_CERTIFICATE_FILE {problem}: no payout could be sent.",
            "Fetch the production certificate from the wallet operator's portal and "
            "name its PEM file.",
        )


def _certificate_problem(path: str) -> str:
    try:
        x509.load_pem_x509_certificate(Path(path).read_bytes())
    except OSError as problem:
        return f"names {path}, which cannot be read ({problem.strerror})"
    except ValueError:
        return f"names {path}, which is no certificate in PEM form"
    return ""


def _files() -> Iterator[CheckMessage]:
    if not (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        yield error(
            9,
            f"The static files are not collected in {settings.STATIC_ROOT}: pages would "
            "fail.",
            "Run manage.py collectstatic --noinput (the Dockerfile does).",
        )


# -- database --------------------------------------------------------------------------


@register(Tags.database, deploy=True)
def check_database(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The role we run as, the policies that bind it, and the state of the schema."""
    return list(database_findings(connection))


def database_findings(database: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    """What is wrong with the database behind this connection."""
    try:
        yield from _role(database)
        yield from _policies(database)
        yield from _migrations(database)
    except (DatabaseError, ImproperlyConfigured) as problem:
        yield error(
            101,
            f"The database does not answer: {_sentence(problem)}",
            "Start it, or correct DATABASE_URL.",
        )


ROLE = """
    SELECT current_user, rolsuper, rolbypassrls, (
        SELECT count(*) FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
           AND pg_has_role(current_user, relowner, 'MEMBER'))
      FROM pg_roles WHERE rolname = current_user"""
ONLY_APP = "Let DATABASE_URL name vrp_app, the role that deploy/roles.sql makes for it."


def _role(database: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    with database.cursor() as cursor:
        cursor.execute(ROLE)
        role, is_super, bypasses, owned = cursor.fetchone()
    if is_super:
        yield error(
            102,
            f"The database role {role} is a superuser: nothing keeps tenants apart.",
            ONLY_APP,
        )
        return
    if bypasses:
        yield error(
            103,
            f"The database role {role} bypasses row-level security, which keeps "
            "tenants apart.",
            ONLY_APP,
        )
    if owned:
        yield error(
            104,
            f"The database role {role} owns {owned} tables (itself, or by membership): "
            "it could switch off their policies and the triggers of the ledger.",
            ONLY_APP,
        )


UNPROTECTED = """
    SELECT relname FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)
       AND NOT (relrowsecurity AND relforcerowsecurity
                AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid))
     ORDER BY relname"""


def _policies(database: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    tables = [m._meta.db_table for m in apps.get_models() if issubclass(m, TenantModel)]
    with database.cursor() as cursor:
        cursor.execute(UNPROTECTED, [tables])
        bare = [row[0] for row in cursor.fetchall()]
    if bare:
        yield error(
            105,
            f"Tables of tenants without forced row-level security: {_some(bare)}.",
            'Add a migration that calls secure("app", "Model") for each, and find out '
            "who took it away.",
        )


def _migrations(database: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    executor = MigrationExecutor(database)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = [f"{step.app_label}.{step.name}" for step, _ in plan]
        yield error(
            106,
            f"Migrations that were not run: {_some(names)}.",
            "Run manage.py migrate as vrp_owner (docker compose run --rm migrate).",
        )


def _sentence(problem: Exception) -> str:
    first = str(problem).strip().partition("\n")[0]
    return f"{first.rstrip('.') or type(problem).__name__}."


def _some(names: list[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


# -- Redis -----------------------------------------------------------------------------


@register(deploy=True)
def check_redis(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Redis may be wiped at any time, but a queue that is kept is done sooner."""
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2
    )
    try:
        return list(_redis(client))
    except redis.RedisError as problem:
        return [
            error(
                201,
                f"Redis does not answer: {_sentence(problem)}",
                "Start it, or correct REDIS_URL.",
            )
        ]
    finally:
        client.close()


def _redis(client: Any) -> Iterator[CheckMessage]:
    kept = client.info("persistence")["aof_enabled"]
    # A hosted Redis may let nobody look: then what INFO says has to do.
    with suppress(redis.ResponseError):
        kept = kept or client.config_get("save").get("save")
    if not kept:
        yield warning(
            202,
            "Redis keeps nothing over a restart: all that is queued then waits for the "
            "clock's next sweep.",
            "Set appendonly yes.",
        )
    policy = client.info("memory")["maxmemory_policy"]
    if policy != "noeviction":
        yield warning(
            203,
            f"Redis throws keys away when its memory is full ({policy}): queued work and "
            "rate limits among them.",
            "Set maxmemory-policy noeviction.",
        )


# -- processes -------------------------------------------------------------------------

PROCESSES = {
    "clock": (301, "Nothing would be swept, chased or sealed", "manage.py qcluster"),
    "worker": (302, "Nothing would be sent or planned", "celery --app vrp worker"),
}


@register(deploy=True)
def check_processes(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The heartbeats of clock and worker."""
    try:
        parts = readiness().parts
    except DatabaseError:
        return []  # not migrated yet: said above
    return [
        error(
            number,
            f"The {name} {parts[name]}. {harm}.",
            f"Start it ({command}) and look at the last lines of its log.",
        )
        for name, (number, harm, command) in PROCESSES.items()
        if parts.get(name, "ok") != "ok"
    ]
