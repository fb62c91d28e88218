# Sourced by bin/up, bin/test, bin/bench and .ci/run: finds a Python that is new enough.
# The rest (making .venv, installing) is vrp/embedded/bootstrap.py.

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${VRP_PYTHON:-}" ]; then
        new_enough "$VRP_PYTHON" ||
            fail "VRP_PYTHON=$VRP_PYTHON is not a Python 3.11 or newer."
        printf '%s\n' "$VRP_PYTHON"
        return
    fi
    # 3.11 first: it is what the pinned packages are tested with.
    for candidate in python3.11 python3.12 python3.13 python3 python; do
        if command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    found=$(python3 --version 2>&1) || found="no python3 at all"
    fail "Python 3.11 or newer is needed; found $found.
Install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name it:
VRP_PYTHON=/path/to/python3.11 $0"
}
