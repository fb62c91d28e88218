"""The data folder: its lock, its secrets, and what it must not touch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from vrp.embedded import leftovers, stack
from vrp.embedded.errors import StartError
from vrp.embedded.folder import SOCKET_PATH_LIMIT, DataFolder
from vrp.embedded.options import CALLED_FROM, PROJECT, up_parser
from vrp.embedded.testrun import remove_abandoned

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]


def up(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the part behind ``bin/up`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "vrp.embedded.up", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_second_on_a_folder_hears_who_holds_it(
    folder: DataFolder,
) -> None:
    done = up("--data", str(folder.root))
    assert done.returncode == 1
    assert f"in use by process {os.getpid()}" in done.stderr
    assert "--data" in done.stderr


def test_a_lock_left_by_a_dead_process_is_free(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("1\n")
    data = DataFolder(tmp_path)
    data.open()
    assert data.lock_holder() == os.getpid()
    data.close()


def test_a_taken_port_is_named_with_a_free_one(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = up("--data", str(tmp_path), "--port", str(port))
        assert done.returncode == 1
        assert f"Port {port} on 127.0.0.1 is taken" in done.stderr
        assert "bin/up --port" in done.stderr
        assert stack.next_free_port(port) > port


def test_a_file_in_the_place_of_the_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = up("--data", str(tmp_path / "file" / "var"))
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_a_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StartError, match="cannot be written"):
        DataFolder(tmp_path / "var").open()


def test_the_secret_key_is_made_once_and_private(folder: DataFolder) -> None:
    key = folder.secret_key()
    assert len(key) >= 50
    assert folder.secret_key() == key
    assert (folder.root / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_folder_is_restored_once_only(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "data")
    data.open()
    data.restored.write_text("/backups/night.dump\n")
    data.close()
    said = up("--data", str(data.root), "--restore", "night.dump")
    assert said.returncode == 1
    assert "/backups/night.dump: start without --restore" in said.stderr


def test_both_paths_are_relative_to_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CALLED_FROM, str(tmp_path))
    read = up_parser().parse_args(["--data", "new", "--restore", "../night.dump"])
    assert read.data == tmp_path / "new"
    assert read.restore.resolve() == tmp_path.parent / "night.dump"


def test_sockets_of_a_deep_folder_lie_in_a_short_private_one(tmp_path: Path) -> None:
    deep = DataFolder(tmp_path / ("d" * 120))
    deep.open()
    longest = deep.sockets / "pg" / ".s.PGSQL.5432"
    assert len(os.fsencode(longest)) <= SOCKET_PATH_LIMIT
    assert deep.sockets.is_relative_to(tempfile.gettempdir())
    assert deep.sockets.stat().st_mode & 0o066 == 0
    deep.close()
    assert not deep.sockets.exists()


def test_only_marked_processes_of_this_folder_are_ended(
    folder: DataFolder, tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    def marked(value: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(SLEEP, env={**os.environ, leftovers.MARK: value})

    ours, other = marked(str(folder.root)), marked(str(tmp_path / "other"))
    try:
        # A state file of an earlier run may name any process by now.
        folder.state.write_text(f'{{"web": {{"pid": {bystander.pid}}}}}')
        assert leftovers.end(folder.root) == 1
        assert not psutil.pid_exists(ours.pid)
        assert other.poll() is None
        assert bystander.poll() is None
    finally:
        for process in (ours, other):
            process.kill()
            process.wait()


def test_a_marked_shell_is_not_ours(folder: DataFolder) -> None:
    environment = {**os.environ, leftovers.MARK: str(folder.root)}
    shell = subprocess.Popen(["sh", "-c", "sleep 60; true"], env=environment)
    try:
        assert shell.pid not in [p.pid for p in leftovers.find(folder.root)]
    finally:
        shell.kill()
        shell.wait()


def test_abandoned_test_folders_go_and_those_in_use_stay(tmp_path: Path) -> None:
    dead, used, young = (tmp_path / f"run-{n}" for n in ("dead", "used", "young"))
    holder = DataFolder(used)
    holder.open()
    dead.mkdir()
    (dead / "lock").write_text("1\n")
    young.mkdir()
    for old in (dead, used):
        os.utime(old, (0, 0))
    remove_abandoned(tmp_path)
    holder.close()
    assert not dead.exists()
    assert used.exists()
    assert young.exists()


@pytest.mark.parametrize("port", ["0", "70000", "eight"])
def test_a_nonsense_port_is_refused(port: str) -> None:
    done = up("--port", port)
    assert done.returncode == 2
    assert "not a port" in done.stderr


def test_help_needs_no_installation() -> None:
    script = PROJECT / "vrp" / "embedded" / "bootstrap.py"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _AS_SCRIPT, str(script), "up", "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "--no-demo" in done.stdout


# Runs a file as Python would run a script, without site packages.
_AS_SCRIPT = """
import os, runpy, sys
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""
