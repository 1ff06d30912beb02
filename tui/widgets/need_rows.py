"""What needs the person, as rows and in words. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from rich.cells import cell_len

from orchestrator_core.models.need import Need, NeedKind
from tui.widgets.row_list import ListRow
from tui.wording import QUIET, age, clean, fit

LABEL_SHARE = 0.4
"""The part of a row's width that the agents' names may take."""

MARKS: dict[NeedKind, tuple[str, str]] = {
    NeedKind.PERMISSION: ("◆", "bold $status-waiting"),
    NeedKind.QUESTION: ("◇", "bold $status-waiting"),
    NeedKind.GATE: ("◈", "bold $status-waiting"),
    NeedKind.DIALOG: ("▢", "bold $status-waiting"),
    NeedKind.ERROR: ("!", "bold $status-failed"),
    NeedKind.REFUSED: ("⊘", "bold $text-error"),
    NeedKind.UNCONFIRMED: ("‼", "bold $text-warning"),
    NeedKind.STUCK: ("◔", "bold $text-warning"),
    NeedKind.MISSED: ("†", "bold $text-error"),
    NeedKind.LIMITED: ("◷", "bold $status-limited"),
    NeedKind.BUDGET: ("$", "bold $text-warning"),
    NeedKind.FAILED: ("✖", "bold $status-failed"),
    NeedKind.EXITED: ("■", "bold $status-exited"),
}
"""A mark per kind of need, no two alike, with its style."""

WORDS: dict[NeedKind, str] = {
    NeedKind.PERMISSION: "asks for permission",
    NeedKind.QUESTION: "asks a question",
    NeedKind.GATE: "asks before it starts",
    NeedKind.DIALOG: "shows a dialog",
    NeedKind.ERROR: "stopped with an error",
    NeedKind.REFUSED: "did not get a message",
    NeedKind.UNCONFIRMED: "may not have got a message",
    NeedKind.STUCK: "may be stuck",
    NeedKind.MISSED: "missed a check-in",
    NeedKind.LIMITED: "has hit a usage limit",
    NeedKind.BUDGET: "has a budget that runs out",
    NeedKind.FAILED: "failed",
    NeedKind.EXITED: "exited",
}
"""What the agent does, to follow its name."""

OPENINGS: dict[NeedKind, str] = {
    NeedKind.GATE: "start: ",
    NeedKind.DIALOG: "dialog: ",
    NeedKind.ERROR: "error: ",
    NeedKind.REFUSED: "refused: ",
    NeedKind.UNCONFIRMED: "unconfirmed: ",
    NeedKind.STUCK: "stuck: ",
    NeedKind.MISSED: "missed: ",
    NeedKind.LIMITED: "limit: ",
    NeedKind.BUDGET: "budget: ",
    NeedKind.FAILED: "failed: ",
    NeedKind.EXITED: "exited: ",
}
"""How a row begins whose detail alone would not say what kind of need it is."""

DISMISSIBLE = (
    *(NeedKind.REFUSED, NeedKind.UNCONFIRMED, NeedKind.STUCK, NeedKind.MISSED),
    *(NeedKind.LIMITED, NeedKind.BUDGET, NeedKind.FAILED, NeedKind.EXITED),
)
"""What it may be enough to have seen; the rest ends with what the agent asks."""


def need_rows(needs: tuple[Need, ...], notes: Mapping[str, str], now: float, width: int) -> tuple[ListRow, ...]:
    """Return a row for each need; `notes` are words by a need's key that stand in place of its age."""
    names = labels(needs)
    widest = min(max(map(cell_len, names.values()), default=0), int(width * LABEL_SHARE))
    ages = {need.key: age(now - need.since) for need in needs}
    oldest = max(map(len, ages.values()), default=0)
    return tuple(
        _row(need, names[need.key], widest, notes.get(need.key, ""), f"{ages[need.key]:>{oldest}}") for need in needs
    )


def _row(need: Need, name: str, widest: int, note: str, since: str) -> ListRow:
    mark, style = MARKS[need.kind]
    name = fit(name, widest)
    pad = " " * (widest - cell_len(name) + 1)
    return ListRow(
        id=need.key,
        left=((f"{mark} ", style), (name + pad, "")),
        text=what(need),
        style="" if need.kind.is_answerable else QUIET,
        right=((note, "bold $text-accent") if note else (since, QUIET),),
    )


def what(need: Need) -> str:
    """Return what is asked or what happened, in one line."""
    detail = clean(need.detail)
    return OPENINGS.get(need.kind, "") + detail if detail else WORDS[need.kind]


def labels(needs: tuple[Need, ...]) -> dict[str, str]:
    """Return a name for the agent of each need, by the need's key: its role, and as much more as tells it apart."""
    agents = {need.agent for need in needs}
    ways = (_role, _role_of_project, clean)
    counts = [Counter(way(agent) for agent in agents) for way in ways]
    return {
        need.key: next(
            (way(need.agent) for way, count in zip(ways, counts, strict=True) if count[way(need.agent)] == 1),
            clean(need.agent),
        )
        for need in needs
    }


def _role(agent: str) -> str:
    return clean(agent.rpartition(":")[2])


def _role_of_project(agent: str) -> str:
    team, _, role = agent.rpartition(":")
    return clean(f"{team.rpartition('-')[0] or team}:{role}")
