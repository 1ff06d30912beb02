"""`tmorch setup`: the settings file, the state folders and the database, and which programs are there.

Safe to repeat: what exists is left as it is, to the time stamps.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from contextlib import closing
from enum import StrEnum

from msgspec import Struct

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.schema import example_text
from orchestrator_core.config.settings import Settings
from orchestrator_core.config.toml import write_atomically
from orchestrator_core.errors import TmorchError
from orchestrator_core.git.run import OLDEST_GIT, git_version
from orchestrator_core.store import open_store
from orchestrator_core.store.opening import stored_version
from orchestrator_core.store.schema import VERSION
from orchestrator_core.tmux.address import version
from orchestrator_core.tmux.version import OLDEST

INSTALLERS = {
    "apt-get": "sudo apt-get install {}",
    "brew": "brew install {}",
    "dnf": "sudo dnf install {}",
    "pacman": "sudo pacman -S {}",
    "zypper": "sudo zypper install {}",
    "apk": "sudo apk add {}",
}
"""Package managers by their program, and how they install."""
OTHERWISE = ("apt-get", "brew")
"""What is named where none of them is found: Debian's and the Mac's."""
CLAUDE_REMEDY = "install Claude Code and run `claude` once to log in; `tmorch demo` works without it"


class ProgramState(StrEnum):
    """Whether a program can be used."""

    FOUND = "found"
    MISSING = "missing"
    TOO_OLD = "too-old"
    """It is there, and too old or does not run."""


class Program(Struct, frozen=True, kw_only=True):
    """A program that tmorch uses."""

    name: str
    state: ProgramState
    is_needed: bool
    """Without it tmorch does not work at all."""
    text: str
    """Its version and where it is, or what is wrong with it."""
    remedy: str = ""


class SetupStep(Struct, frozen=True, kw_only=True):
    """One thing that setup sees to."""

    name: str
    """`settings`, `folders` or `database`."""
    path: str
    changed: bool
    """Whether it was made or brought up to date just now."""
    text: str


class SetupReport(Struct, frozen=True, kw_only=True):
    """What setup found and made."""

    steps: tuple[SetupStep, ...]
    programs: tuple[Program, ...]

    @property
    def changed(self) -> bool:
        """Whether anything was made; a second run makes nothing."""
        return any(step.changed for step in self.steps)

    @property
    def lacking(self) -> tuple[Program, ...]:
        """The programs that are needed and cannot be used."""
        return tuple(p for p in self.programs if p.is_needed and p.state is not ProgramState.FOUND)


async def setup(paths: Paths, settings: Settings, environ: Mapping[str, str] = os.environ) -> SetupReport:
    """Make what is missing of the settings file, the state folders and the database, and look for the programs.

    A program that is missing is part of the report, not an error.

    Raises:
        SettingsError: the settings file cannot be written.
        StoreError: the folders or the database cannot be made, or the database was damaged.

    """
    steps = (_settings_file(paths), _folders(paths), await asyncio.to_thread(_database, paths))
    return SetupReport(steps=steps, programs=await find_programs(settings, environ))


async def find_programs(settings: Settings, environ: Mapping[str, str] = os.environ) -> tuple[Program, ...]:
    """Return the programs that tmorch uses with these settings; runs tmux and git once each."""
    path = environ.get("PATH")
    own = {name: driver.command[0] for name, driver in settings.drivers.items()}
    return (
        await find_tmux(settings),
        await find_git(),
        _agent_program("claude", settings.claude.command[0], path),
        *(_agent_program(name, command, path) for name, command in own.items()),
    )


async def find_tmux(settings: Settings) -> Program:
    """Return whether the tmux program can be used."""
    program = settings.tmux.bin
    try:
        found = await asyncio.to_thread(version, program)
    except TmorchError as error:
        return _unusable(error, "tmux", is_there=bool(shutil.which(program)), oldest=OLDEST.text)
    return _found("tmux", found.text, shutil.which(program), is_needed=True)


async def find_git() -> Program:
    """Return whether git can be used."""
    try:
        found = await git_version()
    except TmorchError as error:
        oldest = ".".join(map(str, OLDEST_GIT))
        return _unusable(error, "git", is_there=bool(shutil.which("git")), oldest=oldest)
    return _found("git", ".".join(map(str, found)), shutil.which("git"), is_needed=True)


def install_command(package: str) -> str:
    """Return how to install `package` here: by the package manager that is found, else by the common ones."""
    here = [command for program, command in INSTALLERS.items() if shutil.which(program)]
    commands = here[:1] or [INSTALLERS[program] for program in OTHERWISE]
    return " or ".join(f"`{command.format(package)}`" for command in commands)


def _found(name: str, version: str, path: str | None, *, is_needed: bool) -> Program:
    text = " ".join(filter(None, (version, f"({path})" if path else "")))
    return Program(name=name, state=ProgramState.FOUND, is_needed=is_needed, text=text)


def _unusable(error: TmorchError, name: str, *, is_there: bool, oldest: str) -> Program:
    newer = f"{name} {oldest} or newer is needed: {install_command(name)}"
    return Program(
        name=name,
        state=ProgramState.TOO_OLD if is_there else ProgramState.MISSING,
        is_needed=True,
        text=f"{error.title}: {error.cause}",
        remedy=f"{newer}, or build it if your system's is older" if is_there else newer,
    )


def _agent_program(name: str, command: str, path: str | None) -> Program:
    """Return whether an agent's program is there. It is not run: some take seconds to start."""
    found = shutil.which(command, path=path)
    if found:
        return _found(name, "", found, is_needed=False)
    setting = "[claude] command" if name == "claude" else f"[drivers.{name}] command"
    return Program(
        name=name,
        state=ProgramState.MISSING,
        is_needed=False,
        text=f"{command} is not on PATH: agents of this kind cannot be started",
        remedy=CLAUDE_REMEDY if name == "claude" else f"install it, or correct {setting} in the settings",
    )


def _settings_file(paths: Paths) -> SetupStep:
    is_new = not paths.config_file.exists()
    if is_new:
        write_atomically(paths.config_file, example_text())
    text = "made, with every default shown" if is_new else "is there, left as it is"
    return SetupStep(name="settings", path=str(paths.config_file), changed=is_new, text=text)


def _folders(paths: Paths) -> SetupStep:
    missing = [folder for folder in paths.folders if not folder.is_dir()]
    paths.ensure()
    text = f"made {len(missing)}, for you alone" if missing else "are there"
    return SetupStep(name="folders", path=str(paths.state), changed=bool(missing), text=text)


def _database(paths: Paths) -> SetupStep:
    before = stored_version(paths.database)
    if before != VERSION:
        with closing(open_store(paths.database)):
            pass
    changed = stored_version(paths.database) != before
    text = "is there" if not changed else f"brought from version {before} to {VERSION}" if before else "made"
    return SetupStep(name="database", path=str(paths.database), changed=changed, text=text)
