"""The supervisor as a service of the person's own: a systemd unit where systemd runs, words for elsewhere.

Only a file that tmorch wrote is ever overwritten or removed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from html import escape
from pathlib import Path

from msgspec import Struct

from orchestrator_core.config.paths import Paths, expanded
from orchestrator_core.config.toml import write_atomically
from orchestrator_core.errors import CommandError, RefusedError, TmorchError, UsageError

UNIT = "tmorch-supervisor.service"
LABEL = "tmorch.supervisor"
MARK = "# Written by `tmorch supervisor install`; `tmorch supervisor uninstall` removes it."
ARGUMENTS = ("-m", "orchestrator_core.supervisor", "--stay")
TAKEN_ALONG = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "CLAUDE_CONFIG_DIR", "PYTHONPATH")
"""What a service would not have: without the PATH it finds neither tmux nor git."""
SYSTEMD_RUNS = Path("/run/systemd/system")
TIMEOUT_S = 30.0
LINGER = "loginctl enable-linger"
"""Without it the service begins with the person's first login, and ends with the last session."""

TEMPLATE = """\
{mark}
[Unit]
Description=tmorch supervisor: it delivers messages to coding agents and wakes them
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={command}
{environment}
Restart=on-failure
RestartSec=10
KillMode=process
TimeoutStopSec=20

[Install]
WantedBy=default.target
"""
PLIST = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>{label}</string>
  <key>ProgramArguments</key>
  <array>{arguments}</array>
  <key>EnvironmentVariables</key>
  <dict>{environment}</dict>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
  <key>ThrottleInterval</key><integer>10</integer>
</dict>
</plist>
"""


class Keeper(StrEnum):
    """What starts the supervisor at login."""

    SYSTEMD = "systemd"
    LAUNCHD = "launchd"
    CRON = "cron"


class Service(Struct, frozen=True, kw_only=True):
    """How the supervisor of this state folder is to be kept running here."""

    keeper: Keeper
    path: str
    """The file that says so; empty for cron, whose table is edited by its own command."""
    text: str
    commands: tuple[str, ...]
    """What has to be run for it, after the file is there."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a service."""

    service: Service
    is_changed: bool
    """Whether the file was written or removed."""
    is_started: bool
    """Whether systemd keeps it running now."""
    problem: str = ""
    """Why not."""


def service_for(
    paths: Paths,
    environ: Mapping[str, str] = os.environ,
    *,
    python: str = sys.executable,
    platform: str = sys.platform,
    systemd_runs: Path = SYSTEMD_RUNS,
) -> Service:
    """Return the service for this installation, state folder and settings file. Nothing is made.

    Raises:
        UsageError: a path or variable has what the file of a service cannot have, such as a line break.

    """
    variables = variables_of(paths, environ)
    _check(python, *variables.values())
    if platform == "darwin":
        path = expanded("~", environ) / "Library/LaunchAgents" / f"{LABEL}.plist"
        text = plist_text(python, variables)
        return Service(
            keeper=Keeper.LAUNCHD, path=str(path), text=text, commands=(f"launchctl load -w {shlex.quote(str(path))}",)
        )
    if not systemd_runs.is_dir() or not shutil.which("systemctl", path=environ.get("PATH")):
        return Service(keeper=Keeper.CRON, path="", text=cron_line(python, variables), commands=("crontab -e",))
    if set(python) & set("\"'\\"):
        raise _unfit(python)  # systemd takes no such program, quoted or not
    commands = (
        "systemctl --user daemon-reload",
        f"systemctl --user enable {UNIT}",
        "tmorch supervisor stop",
        f"systemctl --user start {UNIT}",
    )
    return Service(
        keeper=Keeper.SYSTEMD, path=str(unit_path(environ)), text=unit_text(python, variables), commands=commands
    )


def variables_of(paths: Paths, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the service needs: what it would not have, and where settings and state lie."""
    usual = Paths.from_env({"HOME": str(expanded("~", environ))})
    places = {"TMORCH_STATE": (paths.state, usual.state), "TMORCH_CONFIG": (paths.config_file, usual.config_file)}
    taken = {name: environ[name] for name in TAKEN_ALONG if environ.get(name)}
    return taken | {name: str(here) for name, (here, there) in places.items() if here != there}


def unit_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the person's unit lies."""
    config = environ.get("XDG_CONFIG_HOME", "")
    base = Path(config) if config.startswith("/") else expanded("~/.config", environ)
    return base / "systemd/user" / UNIT


def unit_text(python: str, variables: Mapping[str, str]) -> str:
    """Return the systemd unit."""
    lines = [f"Environment={_quoted(f'{name}={value}')}" for name, value in variables.items()]
    command = " ".join((_quoted(python), *ARGUMENTS))
    return TEMPLATE.format(mark=MARK, command=command, environment="\n".join(lines))


def plist_text(python: str, variables: Mapping[str, str]) -> str:
    """Return the same for launchd."""
    arguments = "".join(f"<string>{escape(word, quote=False)}</string>" for word in (python, *ARGUMENTS))
    pairs = "".join(f"<key>{name}</key><string>{escape(it, quote=False)}</string>" for name, it in variables.items())
    return PLIST.format(label=LABEL, arguments=arguments, environment=pairs)


def cron_line(python: str, variables: Mapping[str, str]) -> str:
    """Return the same for cron, which takes a bare % for a line break."""
    words = ("env", *(f"{name}={value}" for name, value in variables.items()), python, *ARGUMENTS)
    return f"@reboot {shlex.join(words)} 2>/dev/null".replace("%", "\\%") + "\n"


def is_installed(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether there is a unit for the supervisor. Costs one look at the disk."""
    return unit_path(environ).is_file()


def install(
    service: Service, environ: Mapping[str, str] = os.environ, *, make_way: Callable[[], object] = lambda: None
) -> Outcome:
    """Write the unit of a service for systemd, and have it started, now and at login. Equal text is left alone.

    `make_way` ends a supervisor that runs already: the service would only wait for its end.

    Raises:
        RefusedError: there is a unit of that name that tmorch did not write.
        SettingsError: the file cannot be written.

    """
    path = Path(service.path)
    before = _own_text(path)
    is_changed = before != service.text
    if is_changed:
        write_atomically(path, service.text)
    if not is_changed and not _problem_of(("is-active", "--quiet", UNIT), environ):
        return Outcome(service=service, is_changed=False, is_started=True)
    problem = _problem_of(("daemon-reload",), environ) or _problem_of(("enable", UNIT), environ)
    if not problem:
        make_way()
        problem = _problem_of(("restart", UNIT), environ)  # to `start` it may seem to run still
    return Outcome(service=service, is_changed=is_changed, is_started=not problem, problem=problem)


def uninstall(service: Service, environ: Mapping[str, str] = os.environ) -> Outcome:
    """Have systemd end the service, and remove the unit. Nothing happens when there is none.

    Raises:
        RefusedError: tmorch did not write the unit that is there.
        TmorchError: the file cannot be removed.

    """
    path = unit_path(environ)
    if _own_text(path) is None:
        return Outcome(service=service, is_changed=False, is_started=False)
    problem = _problem_of(("disable", "--now", UNIT), environ)
    try:
        path.unlink()
    except OSError as fault:
        raise TmorchError(f"{path} cannot be removed", cause=fault.strerror or "", remedy="remove it") from fault
    problem = problem or _problem_of(("daemon-reload",), environ)
    return Outcome(service=service, is_changed=True, is_started=False, problem=problem)


def _own_text(path: Path) -> str | None:
    """Return what our unit says; None when there is none."""
    if path.is_symlink() and not path.exists():
        raise _foreign(path)  # such as a masked unit, which somebody does not want to run
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise TmorchError(f"{path} cannot be read", cause=fault.strerror or "", remedy="look at its mode") from fault
    if path.is_symlink() or not text.startswith(MARK):
        raise _foreign(path)
    return text


def _foreign(path: Path) -> RefusedError:
    return RefusedError(
        f"{path} is not tmorch's",
        cause="there is a unit of that name that `tmorch supervisor install` did not write; it is left as it is",
        remedy="rename or remove it yourself if you do not need it",
        code="not-ours",
    )


def _problem_of(words: Sequence[str], environ: Mapping[str, str]) -> str:
    """Run `systemctl --user` with `words`, and return why it failed; empty when it did not."""
    argv = ("systemctl", "--user", *words)
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=TIMEOUT_S, env=dict(environ), errors="replace"
        )
    except OSError as fault:
        return f"{argv[0]}: {fault.strerror}"
    except subprocess.TimeoutExpired:
        return f"{shlex.join(argv)} did not end within {TIMEOUT_S:.0f} seconds"
    return CommandError(argv, done.returncode, done.stderr, stdout=done.stdout).cause if done.returncode else ""


def _quoted(word: str) -> str:
    """Return a word as a unit file has it: one word whatever is in it, and no specifier of systemd's."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def _check(*values: str) -> None:
    for value in values:
        if not value.isprintable():
            raise _unfit(value)


def _unfit(value: str) -> UsageError:
    return UsageError(
        "no service can be made of this",
        cause=f"{value!r} has characters that the file of a service cannot have",
        remedy="correct that variable or path, and install again",
    )
