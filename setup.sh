#!/usr/bin/env bash
# Installs what tmorch needs, then does what was asked:
#   ./setup.sh           install
#   ./setup.sh demo      install, then show a running demo team
#   ./setup.sh test      install, then run every check and test (words after it go to pytest)
# Everything lands in .venv and .tools of this folder, but for tmux and git, which the system's package manager
# installs when they are missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

say() { printf '%s\n' "$*" >&2; }
fail() { say "setup: $1"; shift; for line in "$@"; do say "       $line"; done; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then sudo "$@"
    else return 1; fi
}

system_install() { # system_install PROGRAM PACKAGE: with the package manager that is here
    say "setup: installing $2"
    if command -v apt-get >/dev/null 2>&1; then
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$2" >/dev/null 2>&1 || {
            as_root apt-get update -q >/dev/null && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$2" >/dev/null
        }
    elif command -v dnf >/dev/null 2>&1; then as_root dnf install -y -q "$2"
    elif command -v pacman >/dev/null 2>&1; then as_root pacman -S --noconfirm --needed "$2"
    elif command -v brew >/dev/null 2>&1; then brew install "$2"
    else return 1; fi || fail "$1 is missing and could not be installed" \
        "Install the package '$2' yourself, then run this again."
}

need_program() {
    command -v "$1" >/dev/null 2>&1 || system_install "$1" "$1"
    command -v "$1" >/dev/null 2>&1 || fail "$1 is still not on PATH after installing it"
}

find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "no Python 3.11 or later was found" \
        "Debian 12 and later: apt-get install python3 python3-venv; macOS: brew install python"
}

find_uv() {
    if command -v uv >/dev/null 2>&1; then command -v uv; return; fi
    if [ ! -x .tools/bin/uv ]; then
        say "setup: fetching uv into .tools"
        "$python" -m venv .tools >/dev/null 2>&1 || {
            rm -rf .tools
            system_install "python3 -m venv" python3-venv
            "$python" -m venv .tools
        }
        .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
    fi
    printf '%s\n' "$PWD/.tools/bin/uv"
}

install() { # install LOCK: the locked packages and tmorch itself, editable; nothing when that is done already
    local lock=$1 stamp=.venv/.installed wanted
    wanted="$(cat "$lock" pyproject.toml | cksum) $lock $PWD"
    # the development set holds all of the other
    if [ -x .venv/bin/tmorch ] && [ -f "$stamp" ] && grep -qxF "$wanted" "$stamp"; then return; fi
    python=$(find_python)
    local uv
    uv=$(find_uv)
    export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
    [ -x .venv/bin/python ] || "$uv" venv --quiet --python "$python" .venv
    say "setup: installing the locked packages ($lock)"
    "$uv" pip install --quiet --compile-bytecode --python .venv/bin/python --require-hashes -r "$lock"
    "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
    .venv/bin/python -m compileall -q orchestrator_core tui
    case $lock in
        requirements-dev.lock) : >"$stamp"; echo "$(cat requirements.lock pyproject.toml | cksum) requirements.lock $PWD" >>"$stamp" ;;
        *) : >"$stamp" ;;
    esac
    echo "$wanted" >>"$stamp"
}

run_tests() {
    unset PYTHONDONTWRITEBYTECODE # tests are compiled once, else by each worker
    .venv/bin/ruff check .
    .venv/bin/ruff format --check .
    .venv/bin/pytest --collect-only -q >/dev/null 2>&1 & # compiles them
    local compiling=$!
    .venv/bin/mypy
    .venv/bin/lint-imports
    wait "$compiling" || true # what is wrong with them is said by the run itself
    .venv/bin/pytest -n 5 --dist worksteal "$@"
}

need_program git
need_program tmux
case ${1:-} in
    "")
        install requirements.lock
        say "setup: done. Try: .venv/bin/tmorch demo   (or put $PWD/.venv/bin on your PATH)"
        ;;
    demo)
        shift
        install requirements.lock
        exec .venv/bin/tmorch demo "$@"
        ;;
    test)
        shift
        install requirements-dev.lock
        run_tests "$@"
        ;;
    *) fail "unknown word '$1'" "It is one of: demo, test, or nothing to install only." ;;
esac
