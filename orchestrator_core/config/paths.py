"""Where settings and state live, by the XDG rules. Knowing the paths makes nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from orchestrator_core.errors import StoreError

PRIVATE = 0o700


class Paths(Struct, frozen=True, kw_only=True):
    """Absolute paths; nothing of it need exist."""

    config_file: Path
    state: Path
    """The state folder: everything below but the settings and themes is in it."""
    database: Path
    logs: Path
    worktrees: Path
    """Where agents' worktrees go unless `[worktrees] folder` moves them."""
    agents: Path
    """One private folder per agent."""
    spool: Path
    """Where agents' hooks leave what they tell, until the supervisor takes it."""
    scratch: Path
    """What is about to be pasted, for as long as tmux takes to read it."""
    lock: Path
    """Locked by the supervisor for as long as it lives; never removed."""
    themes: Path
    """The person's own themes, beside the settings file."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Paths:
        """Return the paths: `TMORCH_CONFIG` and `TMORCH_STATE` first, then the XDG variables, then HOME.

        As the XDG rules have it, an empty or relative XDG variable counts as not set.
        """
        config = _named(environ, "TMORCH_CONFIG") or _base(environ, "XDG_CONFIG_HOME", ".config") / "config.toml"
        state = _named(environ, "TMORCH_STATE") or _base(environ, "XDG_STATE_HOME", ".local/state")
        return cls(
            config_file=config,
            state=state,
            database=state / "tmorch.db",
            logs=state / "logs",
            worktrees=state / "worktrees",
            agents=state / "agents",
            spool=state / "spool",
            scratch=state / "scratch",
            lock=state / "supervisor.lock",
            themes=config.parent / "themes",
        )

    @property
    def analyses(self) -> Path:
        """What Claude answered when it was asked about specs, as it came."""
        return self.state / "analyses"

    @property
    def folders(self) -> tuple[Path, ...]:
        """The state folders, the outermost first."""
        spool = (self.spool, self.spool / "tmp", self.spool / "new")
        return (self.state, self.logs, self.worktrees, self.agents, *spool, self.scratch)

    def ensure(self) -> None:
        """Make the state folders that are missing, for their owner only; those that exist are left as they are.

        Raises:
            StoreError: a folder cannot be made.

        """
        for folder in self.folders:
            if not folder.is_dir():
                _make_private(folder)


def expanded(text: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return `text` as an absolute path, with `~` as the person's home and relative to where we are."""
    home = _home(environ)
    if text == "~" or text.startswith("~/"):
        return home / text[2:]
    return Path(os.path.abspath(text))  # noqa: PTH100  # resolve() would follow symbolic links


def _named(environ: Mapping[str, str], variable: str) -> Path | None:
    text = environ.get(variable, "")
    return expanded(text, environ) if text else None


def _base(environ: Mapping[str, str], variable: str, default: str) -> Path:
    text = environ.get(variable, "")
    base = Path(text) if text.startswith("/") else _home(environ) / default
    return base / "tmorch"


def _home(environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME", "")
    return Path(home) if home.startswith("/") else Path.home()


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the state folder {folder} cannot be made",
            cause=error.strerror or str(error),
            remedy="make it yourself, or set TMORCH_STATE to a folder you may write to",
            code="state-folder",
        ) from error
