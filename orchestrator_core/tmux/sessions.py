"""Making and ending tmorch's own tmux sessions and windows. Blocking: call it from a thread.

Options are set on these sessions, windows and panes only, by id, never on the server and never on a person's sessions.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from orchestrator_core.errors import NotFoundError, RefusedError, TmuxCommandError, TmuxGoneError, UsageError
from orchestrator_core.models.ids import AgentId, OrchestrationId, PaneId, SessionId, WindowId
from orchestrator_core.tmux import faults
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.formats import number, parse_rows, row_format
from orchestrator_core.tmux.library import libtmux, tmux_cmd
from orchestrator_core.tmux.panes import AGENT_TAG, ORCHESTRATION_TAG
from orchestrator_core.tmux.quoting import format_literal, process_arguments
from orchestrator_core.tmux.transport import DEFAULT_TIMEOUT_S, child_environment

WIDTH = 200
HEIGHT = 50
"""Columns and rows of a session that nobody is attached to: room for an agent."""

_SESSION_NAME = re.compile(r"\w[\w -]*")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MADE = row_format(("session_id", "window_id", "pane_id", "window_width", "window_height"))
_WINDOW_OPTIONS = {
    "remain-on-exit": "on",
    "remain-on-exit-format": "",  # "Pane is dead" would push the first line out of sight: often the only one
    "automatic-rename": "off",
    "allow-rename": "off",
    "window-size": "latest",
}
_PLACEHOLDER = ("/bin/sh", "-c", "exec sleep 60")
"""Holds a new window until its options are in force; ends by itself should we end before."""
_LAUNCH = ("/bin/sh", "-c", 'trap "sleep 1" EXIT; cd -- "$1" && shift && exec "$@"', "tmorch")
"""Becomes the program, whose argv it takes as it is. Says in the pane what is wrong with a folder or a program, and
then stays until tmux has read it: what is written in the instant of the end may be lost."""


class Created(Struct, frozen=True, kw_only=True):
    """A window that was made, with its program running or already ended."""

    session_id: SessionId
    window_id: WindowId
    pane_id: PaneId
    pid: int
    """The program's process."""


class Server(libtmux.Server):
    """libtmux's server, with a time limit, and without the variables of the pane that we may run in."""

    def cmd(self, cmd: str, *args: Any, target: str | int | None = None) -> tmux_cmd:
        """Run one tmux command. Raises TimedOutError when the server does not answer."""
        server = ("-u", f"-S{self.socket_path}")
        where = () if target is None else ("-t", str(target))
        return TimedCommand(*server, cmd, *where, *args, tmux_bin=self.tmux_bin)

    def run(self, *commands: Sequence[str]) -> list[str]:
        """Run `commands` in one go, and return what they printed; the first that fails is the last to run.

        Raises:
            TmuxGoneError: no server runs, and none of `commands` starts one.
            TimedOutError: the server does not answer.
            TmuxCommandError: tmux answered with an error.

        """
        name, *arguments = process_arguments(commands)
        done = self.cmd(name, *arguments)
        if done.returncode == 0:
            return done.stdout
        said = "\n".join(done.stderr)
        if not faults.says_no_server(said):
            raise faults.command_failed(commands[0], said)
        path = str(self.socket_path)
        raise faults.hung_up(commands[0], said) if ServerAddress(socket_path=path).is_listening() else faults.gone(path)


class TimedCommand(tmux_cmd):
    """libtmux's command, which for itself would wait for ever and pass on all of our environment."""

    def __init__(self, *args: Any, tmux_bin: str | None = None) -> None:
        program = shutil.which(tmux_bin or "tmux")
        if program is None:
            raise faults.missing(tmux_bin or "tmux")
        self.cmd = [program, *map(str, args)]
        try:
            done = subprocess.run(
                self.cmd,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=DEFAULT_TIMEOUT_S,
                env=child_environment(),
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise faults.wedged(str(args[1]).removeprefix("-S"), DEFAULT_TIMEOUT_S) from None
        self.returncode = done.returncode
        self.stdout = done.stdout.decode(errors="replace").removesuffix("\n").split("\n")
        self.stderr = done.stderr.decode(errors="replace").splitlines()


class TaggedPane(Struct, frozen=True, kw_only=True):
    """A pane that carries an agent's id."""

    agent: AgentId
    session_id: SessionId
    window_id: WindowId
    pane_id: PaneId
    pid: int
    """Of the pane's own process; of a dead pane, of the one that it had."""
    dead: bool


def create_session(
    address: ServerAddress,
    *,
    name: str,
    window: str,
    cwd: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    orchestration: OrchestrationId,
    agent: AgentId,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Created:
    """Make a detached session whose first window runs `argv` in `cwd`, starting the server if none runs.

    The person's own configuration applies, but the session outlives its clients. See `create_window` for the window.

    Raises:
        RefusedError: the name is taken (`name-taken`), or `cwd` is no folder (`no-folder`).
        UsageError: tmux would change the name, or a variable cannot be set.
        MissingProgramError, TimedOutError, TmuxCommandError: tmux is not there, does not answer, or refuses.

    """
    program = _Program(cwd=cwd, argv=argv, env=env)
    if not _SESSION_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a session",
            cause="tmux keeps only names of letters, digits, _ and - as they are",
            remedy="choose another name",
        )
    server = _server(address)
    address.make_folder()
    size = ("-x", str(width), "-y", str(height))
    new = ("new-session", "-d", "-P", "-F", _MADE, "-s", name, *size, *program.where, "--", *_PLACEHOLDER)
    try:
        printed = server.run(new, ("set-option", "-t", f"={name}:", "destroy-unattached", "off"))
    except TmuxCommandError as error:
        if "duplicate session" in error.stderr:
            raise RefusedError(
                f"a tmux session named {name} runs already", remedy="choose another name", code="name-taken"
            ) from None
        raise
    session, window_id, pane, *made = parse_rows(printed)[0]
    before: list[tuple[str, ...]] = [("set-option", "-t", session, ORCHESTRATION_TAG, orchestration)]
    if made != [str(width), str(height)]:  # tmux 3.2a gives the first window the size of a terminal it has not got
        before.append(("resize-window", "-t", window_id, *size))
    try:
        return _launch(server, (session, window_id, pane), window, program, agent, before=before)
    except BaseException:
        server.cmd("kill-session", target=session)
        raise


def create_window(
    address: ServerAddress,
    *,
    session_id: SessionId,
    window: str,
    cwd: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    orchestration: OrchestrationId,
    agent: AgentId,
) -> Created:
    """Add a window behind the last one of `orchestration`'s session and run `argv` in it; it is not selected.

    The program is the window's own, with no shell around it: when it ends, however soon, the pane stays with its
    exit status and last output. (Of what it writes in the very instant of its end tmux loses some, about one time in
    a hundred on a busy machine.) `argv` and `env` reach it to the character. The window keeps its name and is tagged.

    Raises:
        NotFoundError: the session is gone, or is not `orchestration`'s.
        RefusedError: `cwd` is no folder (`no-folder`).
        UsageError: a variable cannot be set.
        TmuxGoneError, TimedOutError, TmuxCommandError: tmux is not there, does not answer, or refuses.

    """
    program = _Program(cwd=cwd, argv=argv, env=env)
    server = _server(address)
    if _owner(server, session_id) != orchestration:
        raise NotFoundError(f"{orchestration} has no tmux session {session_id}")
    new = (
        "new-window",
        "-d",
        "-a",
        "-P",
        "-F",
        _MADE,
        "-t",
        f"{session_id}:{{end}}",
        *program.where,
        "--",
        *_PLACEHOLDER,
    )
    session, made, pane, *_ = parse_rows(server.run(new))[0]
    try:
        return _launch(server, (session, made, pane), window, program, agent)
    except BaseException:
        server.cmd("kill-window", target=made)
        raise


def respawn(
    address: ServerAddress, pane: PaneId, *, cwd: str, argv: Sequence[str], env: Mapping[str, str], agent: AgentId
) -> int:
    """Run `argv` anew in the pane of an agent whose program has ended; return the new process's id.

    Raises:
        RefusedError: the pane is not that agent's, or its program runs (`still-running`).
        TmuxGoneError, TimedOutError, TmuxCommandError: tmux is not there, does not answer, or refuses.

    """
    program = _Program(cwd=cwd, argv=argv, env=env)
    server = _server(address)
    shown = ("display-message", "-p", "-t", pane, row_format((AGENT_TAG, "pane_dead")))
    if parse_rows(server.run(shown)) != [(agent, "1")]:
        raise RefusedError(
            f"the pane {pane} is not one in which {agent} has ended",
            cause="it is somebody else's, or its program runs",
            code="still-running",
        )
    printed = server.run(  # without -k: tmux refuses when a program runs there by now
        ("respawn-pane", "-t", pane, *program.where, *program.variables, "--", *_LAUNCH, program.cwd, *program.argv),
        ("display-message", "-p", "-t", pane, row_format(("pane_pid",))),
    )
    return number(parse_rows(printed)[0][0])


def kill_session(address: ServerAddress, session_id: SessionId, *, orchestration: OrchestrationId) -> bool:
    """End `orchestration`'s session and everything in it; return False when it is gone already.

    A session with that id that is not `orchestration`'s (ids start anew with each server) is left alone.
    """
    if not session_exists(address, session_id, orchestration=orchestration):
        return False
    _server(address).run(("kill-session", "-t", session_id))
    return True


def session_exists(address: ServerAddress, session_id: SessionId, *, orchestration: OrchestrationId) -> bool:
    """Whether `orchestration`'s session is there. Starts no server."""
    return address.is_listening() and _owner(_server(address), session_id) == orchestration


def session_of(address: ServerAddress, orchestration: OrchestrationId) -> SessionId | None:
    """Return the session that is tagged as `orchestration`'s; None when there is none. Starts no server."""
    rows = _listed(address, "list-sessions", ("session_id", ORCHESTRATION_TAG))
    return next((SessionId(session) for session, tag in rows if tag == orchestration), None)


class TaggedSession(Struct, frozen=True, kw_only=True):
    """A session that carries an orchestration's id."""

    orchestration: OrchestrationId
    session_id: SessionId
    name: str
    windows: int
    programs: int
    """How many programs run in it, ours or not."""


def tagged_sessions(address: ServerAddress) -> tuple[TaggedSession, ...]:
    """Return the sessions of the server that carry an orchestration's id. Starts no server."""
    panes = _listed(address, "list-panes", ("session_id", "pane_dead"), "-a")
    running = Counter(session for session, dead in panes if dead != "1")
    fields = (ORCHESTRATION_TAG, "session_id", "session_name", "session_windows")
    return tuple(
        TaggedSession(
            orchestration=OrchestrationId(orchestration),
            session_id=SessionId(session),
            name=name,
            windows=number(windows),
            programs=running[session],
        )
        for orchestration, session, name, windows in _listed(address, "list-sessions", fields)
        if orchestration
    )


def tagged_panes(address: ServerAddress) -> tuple[TaggedPane, ...]:
    """Return the panes of the server that carry an agent's id. Starts no server."""
    fields = (AGENT_TAG, "session_id", "window_id", "pane_id", "pane_pid", "pane_dead")
    rows = _listed(address, "list-panes", fields, "-a")
    return tuple(
        TaggedPane(
            agent=AgentId(agent),
            session_id=SessionId(session),
            window_id=WindowId(window),
            pane_id=PaneId(pane),
            pid=number(pid),
            dead=dead == "1",
        )
        for agent, session, window, pane, pid, dead in rows
        if agent
    )


def tag_pane(address: ServerAddress, pane: PaneId, agent: AgentId) -> None:
    """Let a pane carry an agent's id from now on.

    Raises:
        TmuxGoneError, TimedOutError, TmuxCommandError: tmux is not there, does not answer, or has no such pane.

    """
    _server(address).run(("set-option", "-p", "-t", pane, AGENT_TAG, agent))


def untag_pane(address: ServerAddress, pane: PaneId, agent: AgentId) -> None:
    """Take an agent's id off a pane; one that is gone or carries another id is left alone."""
    rows = parse_rows(_server(address).run(("list-panes", "-a", "-F", row_format(("pane_id", AGENT_TAG)))))
    if (pane, agent) in rows:
        _server(address).run(("set-option", "-p", "-u", "-t", pane, AGENT_TAG))


def is_name_taken(address: ServerAddress, name: str) -> bool:
    """Whether any session of the server has exactly that name. Starts no server."""
    return (name,) in _listed(address, "list-sessions", ("session_name",))


def _server(address: ServerAddress) -> Server:
    return Server(socket_path=address.socket_path, tmux_bin=address.bin)


def _listed(address: ServerAddress, what: str, fields: tuple[str, ...], *options: str) -> list[tuple[str, ...]]:
    """Return what a server lists; nothing when none runs, or it ends at this moment. Starts no server."""
    if not address.is_listening():
        return []
    try:
        return parse_rows(_server(address).run((what, *options, "-F", row_format(fields))))
    except TmuxGoneError:
        return []


def _owner(server: Server, session: SessionId) -> str | None:
    """Return the tag of a session, None when there is no such session."""
    rows = parse_rows(server.run(("list-sessions", "-F", row_format(("session_id", ORCHESTRATION_TAG)))))
    return next((tag for found, tag in rows if found == session), None)


class _Program(Struct, frozen=True, kw_only=True):
    """What a window is to run, checked before anything is made."""

    cwd: str
    argv: Sequence[str]
    env: Mapping[str, str]

    def __post_init__(self) -> None:
        if not self.argv or any("\0" in text for text in (*self.argv, *self.env.values())):
            raise UsageError("no program can be run with these arguments", cause="none is given, or one holds a NUL")
        for name in self.env:
            if not _VARIABLE_NAME.fullmatch(name):
                raise UsageError(f"{name!r} cannot be the name of an environment variable")
        if not Path(self.cwd).is_absolute() or not Path(self.cwd).is_dir():
            raise RefusedError(f"{self.cwd} is no folder to work in", cause="it is not there", code="no-folder")

    @property
    def where(self) -> tuple[str, str]:
        """The options that name its folder."""
        return ("-c", format_literal(self.cwd))

    @property
    def variables(self) -> list[str]:
        """The options that set its environment."""
        return [part for name, value in self.env.items() for part in ("-e", f"{name}={value}")]


def _launch(
    server: Server,
    ids: tuple[str, str, str],
    name: str,
    program: _Program,
    agent: AgentId,
    *,
    before: Sequence[Sequence[str]] = (),
) -> Created:
    """Put the program in the placeholder's place.

    Not in the call that made the window: hooks of the person may run between two commands of one call, and a program
    that ends meanwhile, with `remain-on-exit` still off, takes its window and its last words with it.
    """
    session, window, pane = ids
    printed = server.run(
        *before,
        *(("set-option", "-q", "-w", "-t", window, option, value) for option, value in _WINDOW_OPTIONS.items()),
        ("rename-window", "-t", window, "--", format_literal(name)),
        ("set-option", "-p", "-t", pane, AGENT_TAG, agent),
        (
            *("respawn-pane", "-k", "-t", pane, *program.where, *program.variables),
            *("--", *_LAUNCH, program.cwd, *program.argv),
        ),
        ("display-message", "-p", "-t", pane, row_format(("pane_pid",))),
    )
    return Created(
        session_id=SessionId(session),
        window_id=WindowId(window),
        pane_id=PaneId(pane),
        pid=number(parse_rows(printed)[0][0]),
    )
