"""The pinned Claude Code CLI: installed once with npm, into a cache that is no part of the repository."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

VERSION = "2.1.330"
PACKAGES = {"x86_64": "claude-code-linux-x64", "aarch64": "claude-code-linux-arm64"}
PROGRAMS = ("npm", "unshare", "nsenter", "ip", "tmux", "git")
INSTALL_TIMEOUT_S = 300


class NotHereError(Exception):
    """Why the real CLI cannot be run on this machine."""


def need_namespace() -> None:
    """Check that a network namespace of our own can be made.

    Raises:
        NotHereError: it says what is missing.

    """
    for program in PROGRAMS:
        if shutil.which(program) is None:
            raise NotHereError(f"{program} is not installed")
    if os.geteuid() != 0:
        raise NotHereError("a network namespace needs root")
    done = subprocess.run(["unshare", "-n", "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHereError(f"no network namespace can be made here: {done.stderr.strip()}")


def installed(environ: Mapping[str, str]) -> Path:
    """Return the path of the CLI, installing it when it is not in the cache of `environ` yet.

    Raises:
        NotHereError: it says what is missing, or why npm failed.

    """
    package = PACKAGES.get(platform.machine()) if platform.system() == "Linux" else None
    if package is None:
        raise NotHereError(f"no package of the CLI is known for {platform.system()} on {platform.machine()}")
    folder = _cache(environ) / "tmorch-real-claude"
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / VERSION / "node_modules" / "@anthropic-ai" / package / "claude"
    with _locked(folder / "lock"):
        if not program.exists():
            _install(f"@anthropic-ai/{package}@{VERSION}", folder / VERSION)
    done = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False)
    if not done.stdout.startswith(VERSION):
        raise NotHereError(f"{program} --version says {done.stdout.strip() or done.stderr.strip()!r}")
    return program


def _cache(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("XDG_CACHE_HOME") or Path(environ["HOME"]) / ".cache")


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Let one process at a time install: the tests may be spread over several."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(package: str, folder: Path) -> None:
    """Install into a folder beside it first, so that what is in `folder` is always whole."""
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    options = ("--no-save", "--ignore-scripts", "--no-audit", "--no-fund")
    try:
        done = subprocess.run(
            ["npm", "install", "--prefix", str(partial), *options, package],
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise NotHereError(f"npm took more than {INSTALL_TIMEOUT_S} s to install {package}") from None
    if done.returncode:
        raise NotHereError(f"npm could not install {package}: {done.stderr.strip()[-300:]}")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
