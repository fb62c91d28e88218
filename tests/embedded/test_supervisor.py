"""The supervisor's promises, on small programs of our own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from vrp.embedded import children
from vrp.embedded import supervisor as supervisor_module
from vrp.embedded.children import LogFile
from vrp.embedded.errors import Interrupted, StartError
from vrp.embedded.folder import DataFolder
from vrp.embedded.options import PROJECT
from vrp.embedded.programs import Program
from vrp.embedded.supervisor import Supervisor

MakeProgram = Callable[..., Program]

FOREVER = "import time\nprint('hello', flush=True)\nwhile True: time.sleep(1)"


def facts(folder: DataFolder) -> dict[str, dict[str, object]]:
    return json.loads(folder.state.read_text())


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie that nobody reaps counts as ended)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_gone(pid: int, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not gone(pid):
        time.sleep(0.02)
    return gone(pid)


def test_a_killed_child_comes_back_and_the_state_file_tells(
    supervisor: Supervisor, folder: DataFolder, python_program: MakeProgram
) -> None:
    child = supervisor.start(python_program("clock", FOREVER))
    supervisor.wait_ready("clock")
    first = child.pid
    assert first is not None
    assert facts(folder)["clock"]["state"] == "running"

    os.kill(first, signal.SIGKILL)
    assert supervisor.wait_until(lambda: child.state == "restarting", 5)
    assert facts(folder)["clock"] | {"since": ""} == {
        "state": "restarting",
        "pid": None,
        "restarts": 1,
        "since": "",
    }

    supervisor.wait_ready("clock")
    assert child.pid not in (None, first)
    assert facts(folder)["clock"]["pid"] == child.pid


def test_pauses_double_up_to_ten_seconds(
    folder: DataFolder, python_program: MakeProgram
) -> None:
    child = children.Child(python_program("web", FOREVER), folder.logs, folder.root)
    pauses = [child.plan_restart() for _ in range(7)]
    child.log.close()
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_child_that_never_answers_ends_the_start_with_its_last_words(
    supervisor: Supervisor,
    python_program: MakeProgram,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(children, "FIRST_PAUSE_SECONDS", 0.01)
    source = "print('no such table: artisans'); raise SystemExit(3)"
    supervisor.start(python_program("web", source, ready=lambda: False))
    with pytest.raises(StartError) as caught:
        supervisor.wait_ready("web")
    assert "web cannot start (exit status 3, 4 times)" in str(caught.value)
    assert "no such table: artisans" in str(caught.value)


def test_a_child_that_has_run_is_never_given_up(
    supervisor: Supervisor,
    python_program: MakeProgram,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(children, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(children, "LONGEST_PAUSE_SECONDS", 0.01)
    child = supervisor.start(python_program("worker", FOREVER))
    for _ in range(supervisor_module.DEATHS_BEFORE_GIVING_UP + 1):
        supervisor.wait_ready("worker")
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        assert supervisor.wait_until(lambda: child.state != "running", 5)
    supervisor.wait_ready("worker")


def test_a_stop_ends_grandchildren_and_the_deaf_too(
    supervisor: Supervisor,
    folder: DataFolder,
    python_program: MakeProgram,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor_module, "APPS_STOP_SECONDS", 0.3)
    source = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "other = os.fork()\n"
        "if other: print(other, flush=True)\n"
        "time.sleep(60)"
    )
    child = supervisor.start(python_program("worker", source))
    assert supervisor.wait_until(lambda: bool(child.log.tail), 5)
    pids = [child.pid, int(child.log.tail[0])]

    began = time.monotonic()
    supervisor.stop()

    assert time.monotonic() - began < 5
    assert all(wait_gone(pid) for pid in pids if pid)
    assert facts(folder)["worker"]["state"] == "stopped"


def test_children_end_in_reverse_order_with_the_servers_last(
    supervisor: Supervisor, python_program: MakeProgram, tmp_path: Path
) -> None:
    source = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        f"    open({str(tmp_path / 'order')!r}, 'a').write(sys.argv[1] + ' ')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('set', flush=True)\n"
        "while True: time.sleep(1)"
    )
    for name, server in (("postgres", True), ("redis", True), ("web", False)):
        program = python_program(name, source, is_server=server)
        program.argv.append(name)
        supervisor.start(program)
    everyone = supervisor.children.values()
    assert supervisor.wait_until(lambda: all(c.log.tail for c in everyone), 5)
    supervisor.stop()
    assert (tmp_path / "order").read_text().split() == ["web", "redis", "postgres"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's leash is Linux's")
def test_kill_nine_of_the_supervisor_ends_its_children(tmp_path: Path) -> None:
    source = f"""
import sys
from pathlib import Path
from vrp.embedded.folder import DataFolder
from vrp.embedded.programs import Program
from vrp.embedded.supervisor import Supervisor
folder = DataFolder(Path({str(tmp_path / "data")!r}))
folder.open()
boss = Supervisor(folder.root, folder.logs, folder.state)
argv = [sys.executable, "-S", "-c", {FOREVER!r}]
child = boss.start(Program(name="worker", argv=argv, cwd=Path("/")))
print(child.pid, flush=True)
boss.run_forever()
"""
    command = [sys.executable, "-c", source]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as boss:
        assert boss.stdout is not None
        pid = int(boss.stdout.readline())
        assert not gone(pid)
        boss.kill()
    assert wait_gone(pid)


def test_a_one_shot_ends_well_or_says_why_not(
    supervisor: Supervisor, python_program: MakeProgram
) -> None:
    supervisor.run(python_program("migrate", "print('done')"), timeout=20)
    with pytest.raises(StartError, match=r"migrate failed \(exit status 1\)") as caught:
        supervisor.run(python_program("migrate", "raise ValueError('bad row')"), 20)
    assert "bad row" in str(caught.value)


def test_a_one_shot_that_hangs_is_ended(
    supervisor: Supervisor, python_program: MakeProgram, tmp_path: Path
) -> None:
    source = f"import os; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
    with pytest.raises(StartError, match="did not end"):
        supervisor.run(python_program("migrate", f"{source}\n{FOREVER}"), timeout=1)
    assert wait_gone(int((tmp_path / "pid").read_text()))


def test_a_stop_while_waiting_interrupts(supervisor: Supervisor) -> None:
    supervisor.stop_signal = signal.SIGTERM
    with pytest.raises(Interrupted):
        supervisor.wait_until(lambda: False, 5)


def test_a_silent_child_is_named_when_the_time_is_up(
    supervisor: Supervisor, python_program: MakeProgram
) -> None:
    supervisor.start(python_program("web", FOREVER, ready=lambda: False))
    with pytest.raises(StartError, match="web did not answer"):
        supervisor.wait_ready("web", timeout=0.3)


def test_a_log_has_time_and_name_on_each_line_and_moves_on_when_full(
    tmp_path: Path,
) -> None:
    log = LogFile(tmp_path / "web.log", "web", cap=200)
    log.feed(b"first li")
    log.feed(b"ne\nsecond")
    log.feed(b" line\n")
    first = (tmp_path / "web.log").read_text().splitlines()
    for _ in range(20):
        log.feed(b"x" * 80 + b"\n")
    log.close()
    assert [line.split(" ", 1)[1] for line in first] == [
        "web | first line",
        "web | second line",
    ]
    kept = sorted(path.name for path in tmp_path.glob("web.log*"))
    assert kept == ["web.log", "web.log.1", "web.log.2"]
    assert all(path.stat().st_size < 400 for path in tmp_path.glob("web.log*"))
