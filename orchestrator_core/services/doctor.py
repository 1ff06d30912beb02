"""`tmorch doctor`: looks at everything tmorch needs and says what to do about what is not in order. Only looks."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import BUILT_IN_DRIVERS, Settings, load_settings
from orchestrator_core.errors import SettingsError, StoreError, TmorchError
from orchestrator_core.models.fleet import SupervisorHealth
from orchestrator_core.services.setup import Program, ProgramState, find_programs
from orchestrator_core.store import Store, open_store
from orchestrator_core.store.opening import check_file, stored_version
from orchestrator_core.store.schema import VERSION
from orchestrator_core.tmux.address import ServerAddress, version
from orchestrator_core.tmux.gateway import TmuxGateway
from orchestrator_core.tmux.process import ProcessTransport

LOW_SPACE = 1024**3
NO_SPACE = 50 * 1024**2
FRESH_S = 3600.0
"""For how many seconds the supervisor's last error is worth a warning."""
LONG_ESCAPE_MS = 100
Probe = Callable[[Store], SupervisorHealth]
"""Tells how the supervisor is, from its lock and its row."""


class Result(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"
    """tmorch works, but not as well as it could, or something is about to go wrong."""
    FAIL = "fail"


class Check(Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    result: Result
    text: str
    remedy: str = ""
    is_program: bool = False
    """It is about a program being there: when it fails, nothing else can work."""


async def examine(
    paths: Paths,
    supervisor: Probe,
    *,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], float] = time.time,
) -> tuple[Check, ...]:
    """Return how everything is that tmorch needs.

    Raises nothing that tmorch can explain: that is in the checks. Makes, moves and migrates nothing.
    """
    settings, settings_check = _settings(paths, environ)
    programs = await find_programs(settings, environ)
    has_tmux = any(p.name == "tmux" and p.state is ProgramState.FOUND for p in programs)
    return (
        _python(),
        *map(_program, programs),
        settings_check,
        *_hooks_off(environ),
        *(await _tmux(settings, environ) if has_tmux else ()),
        *_folders(paths, settings, environ),
        *await asyncio.to_thread(_database_and_supervisor, paths, supervisor, clock()),
        _colours(environ),
        _encoding(environ),
    )


# --- programs and settings


def _python() -> Check:
    return Check(name="python", result=Result.OK, text=f"Python {platform.python_version()} on {platform.system()}")


def _program(program: Program) -> Check:
    bad = Result.FAIL if program.is_needed else Result.WARN
    return Check(
        name=program.name,
        result=Result.OK if program.state is ProgramState.FOUND else bad,
        text=program.text,
        remedy=program.remedy,
        is_program=program.is_needed,
    )


def _settings(paths: Paths, environ: Mapping[str, str]) -> tuple[Settings, Check]:
    """Return the settings, the defaults where they cannot be used, and the check of them."""
    try:
        settings = load_settings(paths, environ)
    except SettingsError as error:
        return Settings(), _failed("settings", error)
    there = paths.config_file.exists()
    text = f"{paths.config_file} is in order" if there else f"no {paths.config_file}: the defaults hold"
    if settings.team.driver in (*BUILT_IN_DRIVERS, *settings.drivers):
        return settings, Check(name="settings", result=Result.OK, text=text)
    return settings, Check(
        name="settings",
        result=Result.FAIL,
        text=f"team.driver is {settings.team.driver!r}, and there is no such driver",
        remedy=f"describe it under [drivers.{settings.team.driver}] in {paths.config_file}, or name another",
    )


def _hooks_off(environ: Mapping[str, str]) -> tuple[Check, ...]:
    """Return a warning when the person's own settings keep Claude Code from running any hook, ours too."""
    folder = environ.get("CLAUDE_CONFIG_DIR") or f"{environ.get('HOME', '')}/.claude"
    file = Path(folder, "settings.json")
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return ()
    if not (isinstance(found, dict) and found.get("disableAllHooks") is True):
        return ()
    text = f"{file} has disableAllHooks: statuses come later, and no message is acknowledged"
    return (Check(name="claude hooks", result=Result.WARN, text=text, remedy="take that line out of the file"),)


# --- tmux


async def _tmux(settings: Settings, environ: Mapping[str, str]) -> tuple[Check, ...]:
    try:
        address = ServerAddress.from_settings(settings.tmux.socket, settings.tmux.bin, environ)
    except TmorchError as error:
        return (_failed("tmux server", error),)
    if not address.is_listening():
        text = f"none runs on {address.socket_path}; the first team starts one"
        return (Check(name="tmux server", result=Result.OK, text=text),)
    try:
        return await _tmux_answers(address, is_inside=bool(environ.get("TMUX")))
    except TmorchError as error:
        return (_failed("tmux server", error),)


async def _tmux_answers(address: ServerAddress, *, is_inside: bool) -> tuple[Check, ...]:
    transport = ProcessTransport(address)
    facts = await TmuxGateway(transport).server_facts()
    ours = await asyncio.to_thread(version, address.bin)
    server = facts.version.text if facts.version else "an unknown version"
    text = f"{server} answers on {address.socket_path}"
    if facts.version is None or facts.version == ours:
        answers = Check(name="tmux server", result=Result.OK, text=text)
    else:
        answers = Check(
            name="tmux server",
            result=Result.WARN,
            text=f"{text}, but the program is {ours.text}",
            remedy="it was updated while the server ran; end your sessions and start the server anew when you can",
        )
    escape = await transport.command("show-options", "-sv", "escape-time")
    return (answers, *(_escape_time(escape) if is_inside else ()))


def _escape_time(said: Iterable[str]) -> tuple[Check, ...]:
    text = "".join(said)
    if not text.isdigit() or int(text) <= LONG_ESCAPE_MS:
        return (Check(name="escape key", result=Result.OK, text=f"tmux passes it on after {text} ms"),)
    return (
        Check(
            name="escape key",
            result=Result.WARN,
            text=f"tmux holds it back for {text} ms, in the screen as well",
            remedy="put `set -sg escape-time 10` into ~/.tmux.conf",
        ),
    )


# --- the state folder


def _folders(paths: Paths, settings: Settings, environ: Mapping[str, str]) -> tuple[Check, ...]:
    worktrees = settings.worktrees.path(paths, environ)
    checks = [_access(paths), _space("disk", paths.state)]
    if not worktrees.is_relative_to(paths.state):
        checks.append(_space("disk of the worktrees", worktrees))
    return tuple(checks)


def _access(paths: Paths) -> Check:
    folder = paths.state
    name = "state folder"
    if not folder.exists():
        text = f"{folder} is not there yet"
        return Check(
            name=name, result=Result.OK, text=text, remedy="`tmorch setup` makes it, and so does the first team"
        )
    closed = next((f for f in paths.folders if f.exists() and not os.access(f, os.R_OK | os.W_OK | os.X_OK)), None)
    if closed:
        return Check(
            name=name,
            result=Result.FAIL,
            text=f"you may not write to {closed}",
            remedy=f"look at its owner and mode: `ls -ld {closed}`; or set TMORCH_STATE to another folder",
        )
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        return Check(
            name=name,
            result=Result.WARN,
            text=f"others may look into {folder} (mode {mode:04o}): briefings and messages are in it",
            remedy=f"chmod 700 {folder}",
        )
    return Check(name=name, result=Result.OK, text=f"{folder} is yours alone")


def _space(name: str, folder: Path) -> Check:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Check(name=name, result=Result.WARN, text=f"{there}: {error.strerror}")
    text = f"{free / 1024**3:.1f} GB free for {folder}"
    if free >= LOW_SPACE:
        return Check(name=name, result=Result.OK, text=text)
    result = Result.FAIL if free < NO_SPACE else Result.WARN
    return Check(name=name, result=result, text=text, remedy="free some space: every agent has a copy of its project")


# --- the database and the supervisor


def _database_and_supervisor(paths: Paths, supervisor: Probe, now: float) -> tuple[Check, ...]:
    if not paths.database.exists():
        text = f"{paths.database} is not there yet; the first team makes it"
        return (Check(name="database", result=Result.OK, text=text),)
    try:
        damage = check_file(paths.database)
        if damage:
            return (_damaged(paths, damage),)
        if 0 < stored_version(paths.database) < VERSION:
            text = f"{paths.database} is of an older tmorch"
            return (
                Check(name="database", result=Result.WARN, text=text, remedy="`tmorch setup` brings it up to date"),
            )
        with closing(open_store(paths.database)) as store:
            return (_rows(paths, store), _supervisor(store, supervisor(store), now))
    except StoreError as error:
        return (_failed("database", error),)


def _damaged(paths: Paths, damage: str) -> Check:
    return Check(
        name="database",
        result=Result.FAIL,
        text=f"{paths.database} is damaged: {damage}",
        remedy=f"`tmorch supervisor stop`, then save what can be saved: `sqlite3 {paths.database} .recover`; the next "
        "start moves the damaged file aside and makes a new one",
    )


def _rows(paths: Paths, store: Store) -> Check:
    bad = store.check_rows()
    if not bad:
        return Check(name="database", result=Result.OK, text=f"{paths.database} is sound")
    more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
    return Check(
        name="database",
        result=Result.WARN,
        text=f"{bad[0].title}: {bad[0].cause}{more}",
        remedy=f"they are left out everywhere; correct or delete them with `sqlite3 {paths.database}`",
    )


def _supervisor(store: Store, health: SupervisorHealth, now: float) -> Check:
    name = "supervisor"
    if not health.running:
        return _absent(name, store, health)
    silence = now - (health.heartbeat_at or 0.0)
    if health.heartbeat_at is None or health.is_silent(now):
        ago = f"for {silence / 60:.0f} minutes" if health.heartbeat_at else "ever"
        return Check(
            name=name,
            result=Result.FAIL,
            text=f"process {health.pid} does not respond, it has given no sign of life {ago}: messages wait, statuses "
            "are old",
            remedy="`tmorch supervisor stop`, then `tmorch supervisor start`; agents go on meanwhile",
        )
    runs = f"process {health.pid} runs{_as_service(health)}"
    if health.overdue:
        return Check(
            name=name,
            result=Result.FAIL,
            text=f"{runs}, and check-ins are overdue: {health.overdue}",
            remedy="its log in the state folder's `logs` says more; `tmorch supervisor stop`, then `… start`",
        )
    if health.last_error and now - (health.last_error_at or 0.0) < FRESH_S:
        return Check(
            name=name,
            result=Result.WARN,
            text=f"{runs}; its last error was, {(now - (health.last_error_at or 0.0)) / 60:.0f} minutes ago: "
            f"{health.last_error}",
            remedy="its log in the state folder's `logs` says more",
        )
    return Check(name=name, result=Result.OK, text=runs)


def _as_service(health: SupervisorHealth) -> str:
    return ", a service starts it at login" if health.has_service else ""


def _absent(name: str, store: Store, health: SupervisorHealth) -> Check:
    teams, waiting = len(store.orchestrations.list(active=True)), len(store.messages.open_targets())
    if not (teams or waiting or health.overdue):
        return Check(name=name, result=Result.OK, text="does not run: there is nothing to do for it")
    overdue = f", and check-ins are overdue: {health.overdue}" if health.overdue else ""
    return Check(
        name=name,
        result=Result.FAIL if health.overdue else Result.WARN,
        text=f"does not run, with {teams} active teams and messages waiting for {waiting} agents{overdue}",
        remedy="`tmorch supervisor start`; any send starts it as well",
    )


# --- the terminal


def _colours(environ: Mapping[str, str]) -> Check:
    term, colours = environ.get("TERM", ""), environ.get("COLORTERM", "")
    if colours in ("truecolor", "24bit"):
        return Check(name="colours", result=Result.OK, text=f"all of them ({term})")
    if term in ("", "dumb"):
        text = "this is no terminal that the screen could draw on"
        return Check(name="colours", result=Result.WARN, text=text, remedy="start tmorch-tui in a terminal")
    return Check(
        name="colours",
        result=Result.WARN,
        text=f"{term} says nothing of true colour: themes and agents' screens show in 256 colours at most",
        remedy="set COLORTERM=truecolor if your terminal has it; over ssh, send it along (SendEnv COLORTERM)",
    )


def _encoding(environ: Mapping[str, str]) -> Check:
    named = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    if "utf-8" in named.lower() or "utf8" in named.lower():
        return Check(name="encoding", result=Result.OK, text=named)
    return Check(
        name="encoding",
        result=Result.WARN,
        text=f"the locale is {named or 'not set'}: tmux and agents may show _ for everything but ASCII",
        remedy="set LANG to a UTF-8 locale, such as C.UTF-8",
    )


def _failed(name: str, error: TmorchError) -> Check:
    text = ": ".join(filter(None, (error.title, error.cause)))
    return Check(name=name, result=Result.FAIL, text=text, remedy=error.remedy)
