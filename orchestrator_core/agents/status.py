"""From evidence to a status. Pure.

The process is asked first: a program that was killed leaves its screen behind, prompt, spinner and all.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import PurePath

from msgspec import Struct

from orchestrator_core.agents.driver import Driver
from orchestrator_core.agents.screen import Reading, ScreenState
from orchestrator_core.models.agent import Agent, AgentStatus, Verdict

SHELLS = frozenset(
    (
        *("sh", "ash", "bash", "busybox", "csh", "dash", "elvish", "fish", "ksh", "ksh93", "mksh", "nu", "osh"),
        *("pwsh", "rbash", "tcsh", "xonsh", "yash", "zsh"),
    )
)
GATES = frozenset(("trust", "bypass", "mcp", "apikey", "auto_nudge", "settings", "login", "resume"))
"""Dialogs that may stand before the first prompt: after one of them, an empty screen is still a start."""
USAGE_LIMIT = "usage_limit"
"""The dialog that a usage limit opens: it ends with the limit, not with a person's answer."""
ERROR = "error"
REASON_CHARACTERS = 160
JUST_ENDED = "its program has just ended"
HOW_IS_UNKNOWN = "its program has ended without an exit code, as by a signal"


class ProcessEvidence(Struct, frozen=True, kw_only=True):
    """What tmux says of the program in an agent's pane."""

    exists: bool
    """The pane is there."""
    dead: bool = False
    exit_status: int | None = None
    """Of a dead pane; None when a signal ended the program or tmux does not say."""
    command: str = ""
    pid: int = 0
    is_agent: bool = False
    """See `is_agent_process`."""


def is_agent_process(pane_command: str, pid: int, agent: Agent, driver: Driver) -> bool:
    """Whether the program in front in a pane is the agent's own, so that text may go to it.

    `pane_command` and `pid` are tmux's `pane_current_command` and `pane_pid`. A shell is never an agent, whatever
    the settings call one, and neither is the right program in a pane that was restarted by somebody else.
    """
    name = PurePath(pane_command).name.removeprefix("-")
    if not name or name in SHELLS:
        return False
    if agent.pid is not None and pid != agent.pid:
        return False
    return any(fnmatchcase(name, pattern) for pattern in driver.process_names)


def judge(process: ProcessEvidence, reading: Reading | None, *, previous: Agent, now: float) -> Verdict:
    """Return the status that the evidence speaks for; `previous` is the agent as it stood before.

    `reading` is None while its screen has not been looked at.
    """
    return (
        _of_ended(process, previous)
        or _of_stranger(process, previous)
        or _of_unseen(reading, previous, now)
        or _of_screen(reading)
        or Verdict(status=AgentStatus.UNKNOWN, reason="its screen has not been read yet")
    )


def _of_ended(process: ProcessEvidence, previous: Agent) -> Verdict | None:
    if not process.exists:
        return Verdict(status=AgentStatus.EXITED, reason="its pane is gone")
    if not process.dead:
        return None
    if process.exit_status is None:
        return _of_unknown_end(previous)
    status = AgentStatus.FAILED if process.exit_status else AgentStatus.EXITED
    return Verdict(status=status, reason=f"its program ended with exit code {process.exit_status}")


def _of_unknown_end(previous: Agent) -> Verdict:
    """Judge a dead pane without an exit code. tmux knows of the end a moment before it knows how it came."""
    if not previous.status.is_live or previous.reason == JUST_ENDED:
        return Verdict(status=AgentStatus.FAILED, reason=HOW_IS_UNKNOWN)
    is_starting = previous.status is AgentStatus.STARTING
    return Verdict(status=AgentStatus.STARTING if is_starting else AgentStatus.UNKNOWN, reason=JUST_ENDED)


def _of_stranger(process: ProcessEvidence, previous: Agent) -> Verdict | None:
    """Judge a pane in which something else is in front."""
    if process.is_agent:
        return None
    name = PurePath(process.command).name.removeprefix("-") or "another program"
    if previous.status is AgentStatus.STARTING:
        return Verdict(status=AgentStatus.STARTING, reason=f"{name} is still in front in its pane")
    if previous.pid is not None and process.pid != previous.pid:
        return Verdict(status=AgentStatus.EXITED, reason=f"its pane was restarted with {name}")
    if name in SHELLS:
        return Verdict(status=AgentStatus.EXITED, reason=f"its program is gone: a shell ({name}) is in front")
    return Verdict(status=AgentStatus.UNKNOWN, reason=f"{name} is in front in its pane")


def _of_unseen(reading: Reading | None, previous: Agent, now: float) -> Verdict | None:
    """Judge an agent that has not shown a first prompt or dialog."""
    if reading is not None and (reading.state is not ScreenState.NONE or not reading.readable):
        return None
    if previous.status is AgentStatus.STARTING or previous.waiting_for in GATES:
        return Verdict(status=AgentStatus.STARTING, reason=_start_reason(previous, now))
    return None


def _start_reason(previous: Agent, now: float) -> str:
    minutes = int((now - previous.status_since) / 60)
    since = f" for {minutes} min" if minutes and previous.status is AgentStatus.STARTING else " yet"
    return f"its program runs, but has shown no prompt{since}"


def _of_screen(reading: Reading | None) -> Verdict | None:
    if reading is None:
        return None
    reason = _sentence(reading)
    match reading.state:
        case ScreenState.DIALOG:
            is_limit = reading.dialog == USAGE_LIMIT
            status = AgentStatus.LIMITED if is_limit else AgentStatus.WAITING
            return Verdict(status=status, reason=reason, waiting_for=reading.dialog)
        case ScreenState.LIMIT:
            return Verdict(status=AgentStatus.LIMITED, reason=reason)
        case ScreenState.ERROR:
            return Verdict(status=AgentStatus.WAITING, reason=reason, waiting_for=ERROR)
        case ScreenState.BUSY:
            return Verdict(status=AgentStatus.WORKING, reason=reason, doing=reading.doing)
        case ScreenState.READY:
            return Verdict(status=AgentStatus.IDLE, reason=reason)
    return Verdict(status=AgentStatus.UNKNOWN, reason=reason)


def _sentence(reading: Reading) -> str:
    detail = " ".join(reading.detail.split())
    text = f"it {reading.says}" + (f": {detail}" if detail else "")
    if reading.background and reading.state is ScreenState.READY:
        text += "; a shell of its own still runs"
    return text if len(text) <= REASON_CHARACTERS else text[: REASON_CHARACTERS - 1] + "…"
