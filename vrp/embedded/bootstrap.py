"""Makes ``.venv`` and keeps it equal to the requirements, then runs the real thing.

Run as a plain file by the system's Python, so the standard library is all there is:

    python3 vrp/embedded/bootstrap.py up|testrun|bench|none [arguments]
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import time
from pathlib import Path

import options  # a neighbour: this file is run as a script

PROJECT = options.PROJECT
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "requirements.sha256"
LOG = VENV / "install.log"
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")


def main(target: str, arguments: list[str]) -> int:
    if target == "up":
        # --help and mistyped options need no installation.
        options.up_parser().parse_args(arguments)
    problem = ensure_venv()
    if problem:
        print(problem, file=sys.stderr)
        return 1
    if target != "none":
        os.chdir(PROJECT)
        module = target if target == "bench" else f"vrp.embedded.{target}"
        command = [str(PYTHON), "-m", module, *arguments]
        os.execv(PYTHON, command)  # noqa: S606  # this process becomes that one
    return 0


def ensure_venv() -> str | None:
    """Bring ``.venv`` up to date; returns what went wrong in words, or None."""
    wanted = _fingerprint()
    if _is_current(wanted):
        return None
    # Two starts at once: the second waits, then finds everything done.
    with (PROJECT / REQUIREMENTS[-1]).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_current(wanted):
            return None
        try:
            return _make_venv() or _install(wanted)
        except OSError as error:
            return f"Could not set up {VENV}: {error}."


def _fingerprint() -> str:
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for name in REQUIREMENTS:
        digest.update((PROJECT / name).read_bytes())
    return digest.hexdigest()


def _is_current(wanted: str) -> bool:
    try:
        return STAMP.read_text().strip() == wanted and _venv_version() is not None
    except OSError:
        return False


def _venv_version() -> str | None:
    """The ``3.11`` of the Python in ``.venv``, or None if it does not run."""
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [PYTHON, "-S", "-c", script], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _not_ours() -> str | None:
    """In words why ``.venv`` is not for us to change, or None."""
    if not os.path.lexists(VENV):
        return None
    owner = (VENV.stat() if VENV.exists() else VENV.lstat()).st_uid
    if owner != os.geteuid():
        reason = f"made by {_name(owner)}, and you are {_name(os.geteuid())}"
    elif VENV.exists() and not os.access(VENV, os.W_OK | os.X_OK):
        reason = "yours, but closed to writing"
    else:
        return None
    return (
        f"{VENV} is {reason}.\n"
        "It has to be changed for this start, and is left as it is. Either clone the "
        f"project into a folder of your own and start there, or run this as "
        f"{_name(owner)}, with the right to write to it."
    )


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _make_venv() -> str | None:
    problem = _not_ours()
    if problem:
        return problem
    ours = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if _venv_version() == ours and (VENV / "bin" / "pip").exists():
        return None
    # Another Python made it, or the one that did is gone. Built in place, because its
    # scripts name its folder; the old one waits aside until the new one stands.
    old = VENV.with_name(f"{VENV.name}.old-{os.getpid()}")
    if os.path.lexists(VENV):
        VENV.rename(old)
    try:
        problem = _build_venv()
    except BaseException:
        _put_back(old)
        raise
    if problem:
        _put_back(old)
    elif old.is_symlink():
        old.unlink()  # what it leads to may serve others
    else:
        shutil.rmtree(old, ignore_errors=True)
    return problem


def _build_venv() -> str | None:
    done = subprocess.run(
        [sys.executable, "-m", "venv", VENV],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return None
    return (
        f"Could not make {VENV} with {sys.executable}:\n"
        f"{(done.stdout + done.stderr).strip()}\n"
        "On Debian and Ubuntu: apt-get install python3-venv"
    )


def _put_back(old: Path) -> None:
    """Remove the half of a ``.venv`` that we made, and put the old one in its place."""
    shutil.rmtree(VENV, ignore_errors=True)
    if os.path.lexists(old):
        old.rename(VENV)


def _install(wanted: str) -> str | None:
    title = "Installing packages (a minute or two, the first time)"
    live = sys.stdout.isatty()
    print(f"{title} ...", end="" if live else "\n", flush=True)
    began = time.monotonic()
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--no-input", "--prefer-binary"]
    command += ["-r", str(PROJECT / REQUIREMENTS[-1])]
    with LOG.open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            while process.poll() is None:
                time.sleep(0.25)
                if live:
                    seconds = time.monotonic() - began
                    print(f"\r{title} ... {seconds:4.0f} s", end="", flush=True)
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            return "\nStopped. Run the same command again to go on."
    print("" if live else f"  done in {time.monotonic() - began:.0f} s")
    if process.returncode == 0:
        STAMP.write_text(wanted + "\n")
        return None
    last = "\n".join(f"    {line}" for line in LOG.read_text().splitlines()[-12:])
    return (
        f"Installing the packages failed. The last pip said (all of it: {LOG}):\n"
        f"{last}\nCheck the network or your package index (pip config list), then run "
        "the same command again: it goes on where it stopped. To begin afresh: "
        f"rm -rf {VENV}"
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2:]))
