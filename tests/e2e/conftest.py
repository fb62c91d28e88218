"""One running system for all end-to-end tests."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.system import System


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The whole system with its demo tenants, started once."""
    # Not pytest's own folder: PostgreSQL's account (under root) has to pass through.
    data = Path(tempfile.mkdtemp(prefix="vrp-e2e-"))
    data.chmod(0o755)
    running = System(data)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(data, ignore_errors=True)
