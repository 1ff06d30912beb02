"""What tmorch asks of tmux, in its own values. Everything is addressed by id."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from orchestrator_core.errors import RefusedError, TmorchError, TmuxCommandError
from orchestrator_core.models.ids import AgentId, PaneId, WindowId
from orchestrator_core.models.pane import Pane, PaneFrame
from orchestrator_core.tmux import faults
from orchestrator_core.tmux.formats import number, parse_rows, row_format
from orchestrator_core.tmux.panes import (
    AGENT_TAG,
    LIST_PANES,
    Picture,
    parse_panes,
    parse_picture,
    picture_commands,
)
from orchestrator_core.tmux.protocol import Reply
from orchestrator_core.tmux.quoting import command_line, format_literal, format_operand
from orchestrator_core.tmux.text import clean_text
from orchestrator_core.tmux.transport import BRANCHES, Transport, printed
from orchestrator_core.tmux.version import TmuxVersion, parse_version

KEYS = frozenset(
    {"Enter", "Escape", "Up", "Down", "Left", "Right", "Tab", "BTab", "Space", "C-s", "y", "n", *"0123456789"}
)
"""What `press` may press: tmux types an unknown key's name as text."""
PICTURES_AT_ONCE = 16
"""tmux answers nobody else while it captures, and a `tmux` process takes 16 kB of commands at most."""
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_REASON = "#{?pane_id,#{?pane_dead,dead,#{?pane_input_off,locked,other}},gone}"


class ServerFacts(Struct, frozen=True, kw_only=True):
    """Which server answers. Ids mean something only within the life of one."""

    pid: int
    version: TmuxVersion | None
    socket_path: str
    started_at: int
    """Whole seconds since the epoch."""


class TmuxGateway:
    """Reads and drives one tmux server over a transport.

    Besides what is named, every call raises what the transport does: `TmuxGoneError` and `TimedOutError`.
    """

    def __init__(self, transport: Transport, scratch: Path | None = None) -> None:
        """Talk over `transport`. What is pasted lies in the folder `scratch` until tmux has read it."""
        self._transport = transport
        self._scratch = scratch
        self._rows: list[str] = []
        self._panes: tuple[Pane, ...] = ()

    async def server_facts(self) -> ServerFacts:
        """Return which server answers."""
        fields = row_format(("pid", "version", "socket_path", "start_time"))
        rows = parse_rows(await self._transport.command("display-message", "-p", fields))
        pid, version, socket_path, started = rows[0]
        return ServerFacts(
            pid=number(pid),
            version=parse_version(version),
            socket_path=socket_path,
            started_at=number(started),
        )

    async def list_panes(self) -> tuple[Pane, ...]:
        """Return every pane of the server once, ordered as tmux lists sessions and windows.

        The very same tuple as the last time when nothing changed.
        """
        rows = await self._transport.command(*LIST_PANES)
        if rows != self._rows:
            self._rows, self._panes = rows, parse_panes(rows)
        return self._panes

    async def capture(self, pane: PaneId, *, history: int = 0) -> PaneFrame:
        """Return a picture of `pane` with up to `history` rows of scrollback above the visible screen.

        Raises:
            NotFoundError: the pane is gone.

        """
        return (await self.picture(pane, history=history)).frame

    async def picture(self, pane: PaneId, *, history: int = 0) -> Picture:
        """Return as `capture` does, with where the pane is."""
        commands = picture_commands(pane, history)
        facts, capture = await self._transport.pipeline(commands)
        found = parse_picture(pane, printed(commands[0], facts), capture.lines, history) if capture.ok else None
        if found is None:
            raise faults.no_pane(pane)
        return found

    async def captures(self, panes: Sequence[PaneId]) -> dict[PaneId, PaneFrame]:
        """Return a picture of each of `panes` that is still there."""
        frames: dict[PaneId, PaneFrame] = {}
        for first in range(0, len(panes), PICTURES_AT_ONCE):
            frames.update(await self._capture_some(panes[first : first + PICTURES_AT_ONCE]))
        return frames

    async def _capture_some(self, panes: Sequence[PaneId]) -> dict[PaneId, PaneFrame]:
        replies = await self._transport.pipeline([c for pane in panes for c in picture_commands(pane)])
        frames: dict[PaneId, PaneFrame] = {}
        for pane, facts, capture in zip(panes, replies[::2], replies[1::2], strict=True):
            found = parse_picture(pane, facts.lines, capture.lines) if facts.ok and capture.ok else None
            if found is not None:
                frames[pane] = found.frame
        return frames

    async def paste(self, pane: PaneId, *texts: str, agent: AgentId | None = None) -> None:
        """Paste each of `texts`, cleaned by `clean_text`, as one bracketed paste if the program asked for brackets.

        All of them or none: a killed caller leaves no half behind. Presses no key. Nothing of the texts stays with tmux
        or on disk, unless the caller is killed.

        Raises:
            ValueError: a text is empty.
            NotFoundError: the pane is gone.
            RefusedError: its program has ended (`pane-dead`), its input is off (`pane-locked`), or it is not tagged
                as `agent`'s (`not-this-agent`). Nothing was typed.

        """
        cleaned = [clean_text(text) for text in texts]
        if not all(cleaned):
            raise ValueError("there is nothing to paste")
        names = [f"tmorch-{os.getpid()}-{secrets.token_hex(8)}" for _ in cleaned]
        files = [_private_file(text, self._scratch) for text in cleaned]
        pastes = [("paste-buffer", "-d", "-p", "-r", "-b", name, "-t", pane) for name in names]
        loads = [("load-buffer", "-b", name, str(file)) for name, file in zip(names, files, strict=True)]
        guarded = [_guarded(pane, agent, paste) for paste in pastes]
        clearing = [("delete-buffer", "-b", name) for name in names]
        try:
            replies = await self._transport.pipeline([*loads, *guarded, *clearing])
        finally:
            for file in files:
                file.unlink(missing_ok=True)
        for load, loaded in zip(loads, replies, strict=False):
            printed(load, loaded)
        for paste, pasted in zip(pastes, replies[len(loads) :], strict=False):
            _expect_typed(pane, agent, paste, pasted)

    async def press(self, pane: PaneId, key: str, *, agent: AgentId | None = None, seeing: str = "") -> None:
        """Press one key, only while `seeing` stands in one row of the pane's screen, as tmux has it that moment.

        Raises as `paste` does, RefusedError (`not-seen`) when it does not stand there, and ValueError when the key is
        not one of `KEYS`.
        """
        if key not in KEYS:
            raise ValueError(f"{key!r} is not a key that tmorch presses")
        await self._type(pane, agent, ("send-keys", "-t", pane, key), seeing)

    async def leave_mode(self, pane: PaneId) -> None:
        """End copy mode and any other mode of `pane`, so that its program gets the keys.

        Raises:
            NotFoundError: the pane is gone.

        """
        await self._on_pane(pane, "copy-mode", "-q", "-t", pane)

    async def client_of(self, pane: PaneId) -> str | None:
        """Return the person's tmux client that shows `pane`'s window now, the last one used; None if none does."""
        fields = row_format(("client_name", "client_control_mode", "client_activity", "window_id"))
        window = await self._window_of(pane)
        rows = parse_rows(await self._transport.command("list-clients", "-F", fields))
        shown = [(number(used), name) for name, control, used, at in rows if control != "1" and at == window]
        return max(shown)[1] if shown else None

    async def clients(self) -> tuple[str, ...]:
        """Return the tmux clients of people; control clients, such as our own, are none."""
        rows = parse_rows(
            await self._transport.command("list-clients", "-F", row_format(("client_name", "client_control_mode")))
        )
        return tuple(name for name, control in rows if control != "1")

    async def _window_of(self, pane: PaneId) -> WindowId:
        fields = row_format(("pane_id", "window_id"))
        rows = parse_rows(await self._transport.command("display-message", "-p", "-t", pane, fields))
        if not rows or rows[0][0] != pane:
            raise faults.no_pane(pane)
        return WindowId(rows[0][1])

    async def reap(self) -> None:
        """Make the server collect the exit statuses of programs that ended: it may have missed the signal for one.

        Seen with tmux 3.3a: a dead pane without a status, until another child of the server ends.
        """
        await self._transport.pipeline([("run-shell", "-b", "true")])

    async def prefix_key(self) -> str:
        """Return the person's prefix key by tmux's name for it, such as `C-b`."""
        rows = parse_rows(await self._transport.command("display-message", "-p", row_format(("prefix",))))
        return rows[0][0]

    async def switch_client(self, client: str, pane: PaneId) -> None:
        """Show `pane` in the person's tmux client `client`: its session, its window, and itself active.

        Raises:
            NotFoundError: the pane or the client is gone.

        """
        await self._on_pane(pane, "switch-client", "-c", client, "-t", pane)

    async def display_message(self, client: str, text: str, *, seconds: float = 4.0) -> None:
        """Show one line in the status line of the person's tmux client `client`.

        Nothing happens if it is gone, nor with tmux 3.2a, which cannot be told which client is meant.
        """
        shown = format_literal(_CONTROLS.sub(" ", text)).replace("%", "%%")
        duration = str(round(seconds * 1000))
        await self._transport.pipeline([("display-message", "-c", client, "-d", duration, "--", shown)])

    async def _on_pane(self, pane: PaneId, *argv: str) -> None:
        (reply,) = await self._transport.pipeline([argv])
        _expect_found(argv, reply, faults.no_pane(pane))

    async def _type(self, pane: PaneId, agent: AgentId | None, argv: tuple[str, ...], seeing: str = "") -> None:
        (reply,) = await self._transport.pipeline([_guarded(pane, agent, argv, seeing)])
        _expect_typed(pane, agent, argv, reply)


def _guarded(pane: PaneId, agent: AgentId | None, argv: Sequence[str], seeing: str = "") -> tuple[str, ...]:
    """Return the command that runs `argv` only if `pane` can take input, and says why not otherwise.

    tmux decides and types in one go. It must: pasting into a dead pane ends the whole server before tmux 3.4.
    """
    hindrance = f"#{{||:#{{!=:#{{pane_id}},{pane}}},#{{||:#{{pane_dead}},#{{pane_input_off}}}}}}"
    if agent is not None:
        hindrance = f"#{{||:{hindrance},#{{!=:#{{{AGENT_TAG}}},{format_operand(agent)}}}}}"
    reason = _REASON
    if seeing:
        is_hidden = f"#{{==:#{{C:{_search(seeing)}}},0}}"
        hindrance = f"#{{||:{hindrance},{is_hidden}}}"
        reason = f"#{{?{is_hidden},hidden,{_REASON}}}"
    say_why = command_line(("display-message", "-p", "-t", pane, reason))
    return (BRANCHES, "-F", "-t", pane, hindrance, say_why, command_line(argv))


def _expect_typed(pane: PaneId, agent: AgentId | None, argv: Sequence[str], reply: Reply) -> None:
    _expect_found(argv, reply, faults.no_pane(pane))
    if reply.lines:
        raise _not_typed(pane, agent, reply.lines[0])


def _not_typed(pane: PaneId, agent: AgentId | None, reason: str) -> TmorchError:
    title = f"nothing was typed into pane {pane}"
    match reason:
        case "dead":
            return RefusedError(title, cause="its program has ended", code="pane-dead")
        case "locked":
            return RefusedError(
                title,
                cause="its input is off",
                remedy=f"tmux select-pane -e -t {pane}",
                code="pane-locked",
            )
        case "other":
            return RefusedError(title, cause=f"it is not the pane of {agent}", code="not-this-agent")
        case "hidden":
            return RefusedError(title, cause="what it was for is not on its screen any more", code="not-seen")
        case _:
            return faults.no_pane(pane)


def _search(text: str) -> str:
    """Return the pattern by which tmux finds `text` in a row; what means something to it stands for any character."""
    return "".join(character if character.isalnum() or character in " /_." else "?" for character in text)


def _expect_found(argv: Sequence[str], reply: Reply, otherwise: TmorchError) -> None:
    try:
        printed(argv, reply)
    except TmuxCommandError as error:
        raise faults.with_target(error, otherwise) from None


def _private_file(text: str, folder: Path | None) -> Path:
    """Return a new file with `text` that only we can read. `mkstemp` makes it so."""
    handle, path = tempfile.mkstemp(prefix="tmorch-", suffix=".txt", dir=folder)
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode())
    return Path(path)
