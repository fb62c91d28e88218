"""The sheet beside a dump: what it is, what it holds, how to know that it is whole."""

import hashlib
import json
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vrp.keeping.errors import KeepingError

FORMAT = 1
PROJECT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Manifest:
    """Times are ISO 8601 in UTC, sizes bytes, money minor units."""

    taken_at: str
    code: str
    server: str
    database: str
    dump_sha256: str
    dump_bytes: int
    migrations: dict[str, str]
    field_keys: list[str]
    secret_key: str
    figures: dict[str, Any] = field(repr=False)
    format: int = FORMAT


def beside(dump: Path) -> Path:
    """Where the manifest of a dump lies."""
    return dump.with_name(dump.name + ".json")


def code_version() -> str:
    """The commit this code is at, or ``unknown`` outside a checkout."""
    try:
        done = subprocess.run(  # noqa: S603  # git, with words of our own
            ["git", "-C", str(PROJECT), "rev-parse", "HEAD"],  # noqa: S607  # git, with words of our own
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def digest_of(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size


def _seal(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def to_text(manifest: Manifest) -> str:
    """JSON with a checksum of itself."""
    content = asdict(manifest)
    return json.dumps({**content, "sha256": _seal(content)}, indent=1) + "\n"


def read(dump: Path) -> Manifest:
    """The manifest of a dump, both checked to the last byte.

    Raises ``KeepingError`` if either is missing, cut off or changed.
    """
    path = beside(dump)
    if not dump.is_file():
        raise KeepingError(f"There is no file {dump}.")
    try:
        content = json.loads(path.read_text())
        seal = content.pop("sha256")
        whole = seal == _seal(content)
    except FileNotFoundError:
        raise KeepingError(
            f"{path} is missing. A backup is the dump and its manifest; a dump without "
            "one was not finished, or belongs to something else."
        ) from None
    except (ValueError, KeyError, AttributeError) as error:
        raise KeepingError(f"{path} cannot be read as a manifest: {error}") from error
    if not whole:
        raise KeepingError(f"{path} was changed or damaged since it was written.")
    if content["format"] != FORMAT:
        raise KeepingError(
            f"{path} has format {content['format']}, this code knows {FORMAT}."
        )
    manifest = Manifest(**content)
    if digest_of(dump) != (manifest.dump_sha256, manifest.dump_bytes):
        raise KeepingError(
            f"{dump} is not what its manifest describes: damaged, cut off or another."
        )
    return manifest
