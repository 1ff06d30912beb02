"""What a start has told so far, as rows: a line per step, beneath it the agents. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len

from orchestrator_core.models.launch import StepProgress, StepState
from tui.widgets.fleet_line import Piece
from tui.widgets.row_list import ListRow
from tui.wording import QUIET, clean, fit, sentence

MARKS: dict[StepState, tuple[str, str]] = {
    StepState.RUNNING: ("◌", "$text-accent"),
    StepState.DONE: ("✔", "$text-success"),
    StepState.FAILED: ("✖", "bold $text-error"),
    StepState.UNDONE: ("↺", "$text-warning"),
}
CUT_SHORT = ("–", QUIET)
"""The mark of what ran when the start ended."""
TITLES = {"worktrees": "Worktrees", "agents": "Windows", "ready": "Agents", "undo": "Undone"}
LONGEST_ROLE = 24


class Told(Struct, frozen=True, kw_only=True):
    """The last that was told of one step, or of one agent in it."""

    step: str
    agent: str
    number: int
    """Counts what stays beside each other although it is of the same step and agent."""
    state: StepState
    text: str
    begun_at: float
    ended_at: float | None = None
    is_cut_short: bool = False

    @property
    def id(self) -> str:
        """What tells its row from others."""
        return f"{self.step}/{self.agent}/{self.number}"


def take(told: tuple[Told, ...], progress: StepProgress, now: float) -> tuple[Told, ...]:
    """Return `told` with what is new: in the place of what it follows, else at the end.

    A step that is done takes its agents with it: what was running there is done, too. What was undone stays.
    """
    same = [one for one in told if (one.step, one.agent) == (progress.step, progress.agent)]
    stays = bool(same) and same[-1].state is StepState.UNDONE and not progress.agent
    before = same[-1] if same and not stays else None
    runs = progress.state is StepState.RUNNING
    goes_on = before is not None and before.state is StepState.RUNNING
    new = Told(
        step=progress.step,
        agent=progress.agent,
        number=before.number if before else len(same),
        state=progress.state,
        text=progress.text.removeprefix(f"{progress.agent}: ") if progress.agent else progress.text,
        begun_at=before.begun_at if before is not None and goes_on else now,
        ended_at=None if runs else now,
    )
    told = (*told, new) if before is None else tuple(new if one is before else one for one in told)
    if progress.state is StepState.DONE and not progress.agent:
        told = tuple(_done(one, now) if one.step == progress.step else one for one in told)
    return told


def _done(one: Told, now: float) -> Told:
    return replace(one, state=StepState.DONE, ended_at=now) if one.state is StepState.RUNNING else one


def cut_short(told: tuple[Told, ...], now: float) -> tuple[Told, ...]:
    """Return `told` once nothing runs any more because the start has ended."""
    return tuple(
        replace(one, is_cut_short=True, ended_at=now) if one.state is StepState.RUNNING else one for one in told
    )


def rows_of(told: tuple[Told, ...], team: int, now: float) -> tuple[ListRow, ...]:
    """Return a row per step, each followed by those of its agents; `team` is how many agents there are to be."""
    width = min(LONGEST_ROLE, max((cell_len(clean(one.agent)) for one in told), default=0))
    rows: list[ListRow] = []
    for step, number in dict.fromkeys((one.step, one.number) for one in told):
        of_step = [one for one in told if (one.step, one.number) == (step, number)]
        agents = [one for one in of_step if one.agent]
        whole = [one for one in of_step if not one.agent] or [_summed_up(agents)]
        rows += [_step_row(one, agents, team, now) for one in whole]
        rows += [_agent_row(one, width, now) for one in agents]
    return tuple(rows)


def _summed_up(agents: list[Told]) -> Told:
    """Return what stands for a step of which only its agents were told."""
    states = {one.state for one in agents}
    worst = next((s for s in (StepState.RUNNING, StepState.FAILED) if s in states), agents[-1].state)
    runs = worst is StepState.RUNNING
    return replace(
        agents[0],
        agent="",
        state=worst,
        text="",
        begun_at=min(one.begun_at for one in agents),
        ended_at=None if runs else max(one.ended_at or one.begun_at for one in agents),
        is_cut_short=any(one.is_cut_short for one in agents),
    )


def _step_row(one: Told, agents: list[Told], team: int, now: float) -> ListRow:
    done = sum(each.state is StepState.DONE for each in agents)
    count: Iterable[Piece] = [(f"{done} of {max(team, len(agents))}", QUIET)] if agents else []
    title = TITLES.get(one.step) or sentence(one.step)
    return ListRow(
        id=one.id,
        left=(_mark(one, ""), (f"{title}  ", "bold")),
        text=clean(one.text),
        right=(*count, *_seconds(one, now)),
    )


def _agent_row(one: Told, width: int, now: float) -> ListRow:
    role = fit(clean(one.agent), width)
    return ListRow(
        id=one.id,
        left=(_mark(one, "    "), (role + " " * (width - cell_len(role) + 2), "")),
        text=clean(one.text),
        style="" if one.state is StepState.FAILED else QUIET,
        right=_seconds(one, now),
    )


def _mark(one: Told, indent: str) -> Piece:
    mark, style = CUT_SHORT if one.is_cut_short else MARKS[one.state]
    return f"{indent}{mark} ", style


def _seconds(one: Told, now: float) -> tuple[Piece, ...]:
    """Return how long it took, or takes already, from the first full second on."""
    seconds = int((now if one.ended_at is None else one.ended_at) - one.begun_at)
    return ((f"{seconds} s".rjust(5), QUIET if one.ended_at is not None else ""),) if seconds > 0 else ()
