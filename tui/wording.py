"""The words and marks of the screen: glyphs, ages, short phrases. Pure; all it returns is one plain line."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size

from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.message import AgentMessage, MessageState
from orchestrator_core.models.words import plural as plural

GLYPHS: dict[AgentStatus, str] = {
    AgentStatus.WORKING: "●",
    AgentStatus.IDLE: "○",
    AgentStatus.WAITING: "◆",
    AgentStatus.LIMITED: "⏸",
    AgentStatus.STARTING: "◌",
    AgentStatus.EXITED: "■",
    AgentStatus.FAILED: "✖",
    AgentStatus.UNKNOWN: "?",
}
"""A mark per status, in the order of the header: no two alike, so that colour is never needed."""

RECEIPTS: dict[MessageState, tuple[str, str]] = {
    MessageState.QUEUED: ("…", "queued"),
    MessageState.DELIVERING: ("→", "delivering"),
    MessageState.DELIVERED: ("✔", "delivered"),
    MessageState.ACKNOWLEDGED: ("✔", "acknowledged"),
    MessageState.REFUSED: ("✖", "refused"),
    MessageState.UNCONFIRMED: ("‼", "unconfirmed"),
}

ASKS: dict[str, str] = {
    "permission": "approve?",
    "question": "answer?",
    "trust": "trust folder?",
    "bypass": "bypass mode?",
    "mcp": "MCP server?",
    "apikey": "API key?",
    "auto_nudge": "auto mode?",
    "settings": "settings error",
    "login": "log in?",
    "resume": "resume which?",
    "other": "a dialog",
    "error": "error",
}
"""What an open dialog wants of the person, by the dialog's name, in at most 14 cells."""

_RESETS = re.compile(r"resets? (?:at )?(?P<when>[^()]+)")
_EXIT_CODE = re.compile(r"exit code \d+")
_OPENINGS = ("its program ", "its ", "it ")
"""How reasons begin that a row has no room for."""

QUIET = "dim $foreground"
"""The style of words of lesser weight, in every theme."""

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S

_UNPRINTABLE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


def clean(text: str) -> str:
    """Return `text` as one line that cannot steer a terminal: control and direction marks become spaces."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def clean_line(text: str) -> str:
    """Return `text` as `clean` does, but with its spaces as they are: for a line of a program's output."""
    return _UNPRINTABLE.sub(" ", text.expandtabs(4)).rstrip()


def fit(text: str, width: int) -> str:
    """Return `text` cut to `width` cells, with an ellipsis when something is missing."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def age(seconds: float) -> str:
    """Return how long ago something began, in at most five characters; it changes once a minute at most."""
    if seconds < MINUTE_S:
        return "<1m"
    if seconds < HOUR_S:
        return f"{int(seconds // MINUTE_S)}m"
    if seconds < DAY_S:
        hours, rest = divmod(int(seconds), HOUR_S)
        return f"{hours}h{rest // MINUTE_S:02}"
    return f"{int(seconds // DAY_S)}d"


def moment(at: float, now: float, *, brief: bool = False) -> str:
    """Return when something was, without the day when that is today's: 14 characters, or as much as 5 can say."""
    then, today = time.localtime(at), time.localtime(now)
    is_today = then[:3] == today[:3]
    if brief:
        return time.strftime("%H:%M" if is_today else "%m-%d", then)
    return time.strftime("%H:%M:%S" if is_today else "%m-%d %H:%M:%S", then).rjust(14)


def clock_time(at: float) -> str:
    """Return when something was, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def ask(agent: Agent) -> str:
    """Return what a waiting agent wants of the person, in a word or two."""
    dialog = clean(agent.waiting_for)
    return ASKS.get(dialog, dialog.replace("_", " ") + "?") if dialog else "needs you"


def doing_now(agent: Agent) -> str:
    """Return what a row shows of an agent beside its status; empty when there is nothing to say."""
    reason = clean(agent.reason)
    match agent.status:
        case AgentStatus.WAITING:
            return ask(agent)
        case AgentStatus.WORKING | AgentStatus.IDLE:
            return clean(agent.doing)
        case AgentStatus.STARTING:
            return "starting"
        case AgentStatus.LIMITED:
            resets = _RESETS.search(reason)
            return f"until {resets['when'].strip()}" if resets else reason or "usage limit"
    return brief(reason) or agent.status.value


def brief(reason: str) -> str:
    """Return the part of a reason that tells most in few cells."""
    if code := _EXIT_CODE.search(reason):
        return code[0]
    opening = next((words for words in _OPENINGS if reason.startswith(words)), "")
    return reason.removeprefix(opening)


def sentence(reason: str) -> str:
    """Return a reason as the beginning of a line: clean, with a capital."""
    text = clean(reason)
    return text[:1].upper() + text[1:]


def counts(agents: Iterable[Agent]) -> dict[AgentStatus, int]:
    """Return how many agents have each status that occurs, in the order of GLYPHS."""
    seen = dict.fromkeys(GLYPHS, 0)
    for agent in agents:
        seen[agent.status] += 1
    return {status: count for status, count in seen.items() if count}


def receipt_note(message: AgentMessage) -> str:
    """Return what stands behind the state of a receipt: the reason, and how many copies were held back."""
    notes = [clean(message.reason)] if message.reason and message.state is not MessageState.DELIVERED else []
    if message.suppressed:
        notes.append(f"{message.suppressed} more like it held back")
    return " · ".join(notes)
