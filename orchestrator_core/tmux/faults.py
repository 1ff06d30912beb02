"""How tmux can fail, in the person's words."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator_core.errors import (
    MissingProgramError,
    NotFoundError,
    RefusedError,
    TimedOutError,
    TmorchError,
    TmuxCommandError,
    TmuxGoneError,
)
from orchestrator_core.models.ids import PaneId, SessionId

_VANISHED = ("can't find pane", "can't find window", "can't find session", "can't find client", "no such window")
_NO_SERVER = ("no server running on", "error connecting to", "server exited unexpectedly", "lost server")


def missing(program: str) -> MissingProgramError:
    """Say that the program itself is not there."""
    return MissingProgramError(
        f"{program} is not installed",
        cause="no such program on PATH",
        remedy="install tmux 3.2a or newer, or set [tmux] bin in the settings",
    )


def gone(socket_path: str) -> TmuxGoneError:
    """Say that no server runs."""
    return TmuxGoneError(
        "no tmux server is running",
        cause=f"nothing listens on {socket_path}",
        remedy="`tmorch start` starts one",
    )


def hung_up(argv: Sequence[str], message: str) -> TmuxCommandError:
    """Say that a server is there, and hung up on the tmux program: of another version, or held up while it ends."""
    error = command_failed(argv, message)
    error.title = "tmux cannot talk to the running server"
    error.cause = "the server hung up: it is of another version than the tmux program, or a client keeps it from ending"
    error.remedy = "end its clients or restart it when it suits you, or set [tmux] bin to the tmux that started it"
    return error


def wedged(socket_path: str, seconds: float) -> TimedOutError:
    """Say that a server runs and does not answer: it may still come back, with everything in it."""
    return TimedOutError(
        "the tmux server does not answer",
        cause=f"it runs on {socket_path}, but gave no answer within {seconds:g} s: stopped, or overloaded",
        remedy="look at the server's process (is it stopped, or at 100 % CPU?); agents in it are not lost yet",
        code="tmux-wedged",
    )


def lost(socket_path: str) -> TimedOutError:
    """Say that the connection broke after the command was sent."""
    return TimedOutError(
        "the connection to tmux broke before it answered",
        cause=f"the client on {socket_path} ended; whether the command was carried out is not known",
        remedy="look at the pane before you do it again",
        code="tmux-lost",
    )


def destroys_itself(session: SessionId) -> RefusedError:
    """Say that a session would end when we leave it."""
    return RefusedError(
        f"session {session} is not attached to",
        cause="destroy-unattached is on: it would end when tmorch leaves",
        remedy="its panes are still shown, once a second",
        code="destroy-unattached",
    )


def no_pane(pane: PaneId) -> NotFoundError:
    """Say that the pane is gone."""
    return NotFoundError(f"pane {pane} is gone", cause="tmux has no such pane any more")


def command_failed(argv: Sequence[str], message: str) -> TmuxCommandError:
    """Say that a command was answered with an error."""
    return TmuxCommandError(tuple(argv), 1, message)


def says_vanished(message: str) -> bool:
    """Whether tmux says that a target is not there."""
    return message.startswith(_VANISHED)


def says_no_server(message: str) -> bool:
    """Whether the `tmux` program says that there is no server."""
    return message.startswith(_NO_SERVER)


def with_target(error: TmuxCommandError, otherwise: TmorchError) -> TmorchError:
    """Return `otherwise` when `error` is about a missing target, and `error` when not."""
    return otherwise if says_vanished(error.stderr) else error
