"""The system account PostgreSQL runs under when we are root.

PostgreSQL refuses to run as root. We then run it as an account that exists on
every machine and let it walk through folders it could not enter (a checkout below
``/root``, say) by one Linux capability, instead of loosening their permissions.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from vrp.embedded.errors import StartError

CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2

_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522

# Loaded before any fork: a child between fork and exec should import nothing.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class _CapHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapData(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


@dataclass(frozen=True)
class Account:
    """A system account by name and numbers."""

    name: str
    uid: int
    gid: int


def server_account(data: Path) -> Account | None:
    """The account to run PostgreSQL under, or None for the account we have.

    A cluster that exists keeps its owner; a new one gets ``postgres`` if the
    machine has that account, else ``nobody``. Raises StartError if neither exists.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        owner = data.stat()
        try:
            name = pwd.getpwuid(owner.st_uid).pw_name
        except KeyError as error:
            raise StartError(
                f"{data} belongs to user id {owner.st_uid}, which this machine does "
                "not know. Give it to an account that exists (chown -R)."
            ) from error
        return Account(name, owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise StartError(
        "PostgreSQL does not run as root and this machine has neither a 'postgres' "
        "nor a 'nobody' account. Run this as an ordinary user."
    )


def can_reach(account: Account, paths: Iterable[Path]) -> bool:
    """Whether the account may enter every folder that leads to these paths."""
    for path in paths:
        real = path.resolve()
        for folder in [*real.parents, real]:
            if folder.exists() and not _may(account, folder):
                return False
    return True


def _may(account: Account, path: Path) -> bool:
    """Enter a folder, or read a file, by the permission bits alone."""
    status = path.stat()
    wanted = stat.S_IXOTH if stat.S_ISDIR(status.st_mode) else stat.S_IROTH
    if status.st_uid == account.uid:
        return bool(status.st_mode & (wanted << 6))
    if status.st_gid == account.gid:
        return bool(status.st_mode & (wanted << 3))
    return bool(status.st_mode & wanted)


def reach_capability(program: Path) -> int | None:
    """The narrowest capability we hold that lets another account run this program.

    Reading and entering folders is enough, unless only its owner may execute the file
    (packages installed under umask 077). None: we hold neither.
    """
    if _libc is None:
        return None
    wanted = [CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE]
    if not program.stat().st_mode & stat.S_IXOTH:
        wanted.remove(CAP_DAC_READ_SEARCH)
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            held = int(line.split()[1], 16)
            for capability in wanted:
                if held >> capability & 1:
                    return capability
    return None


def stay() -> None:
    """What ``become`` is for somebody who is not root: nothing to do."""


def become(account: Account, capability: int | None) -> Callable[[], None]:
    """A function for the child between fork and exec: drop root, keep one capability.

    The capability is made *ambient*, so it lasts over exec without set-uid bits.
    SECBIT_NO_SETUID_FIXUP keeps it valid for access(2) too, which PostgreSQL uses to
    look at its own program files.
    """

    def drop() -> None:
        if capability is not None:
            _checked("prctl", _PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
        os.setgroups([])
        os.setgid(account.gid)
        os.setuid(account.uid)
        if capability is not None:
            mask = 1 << capability
            data = (_CapData * 2)()
            data[0] = _CapData(mask, mask, mask)
            header = _CapHeader(_CAPABILITY_VERSION_3, 0)
            _checked("capset", ctypes.byref(header), data)
            _checked("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)

    return drop


def die_with_parent(number: int) -> None:
    """Ask the kernel to signal this process when its parent dies (Linux only).

    Must come after any change of user: the kernel forgets the wish at that moment.
    """
    if _libc is not None:
        _checked("prctl", _PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def _checked(function: str, *arguments: object) -> None:
    if getattr(_libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")
