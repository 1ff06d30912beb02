"""What is missing of teams, and what came of resuming them, as rows and as the words below them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from msgspec import Struct
from rich.cells import cell_len

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.models.recovery import Orphan, RecoveryOutcome, RecoveryPlan, Step, Verb
from tui.widgets.fleet_line import Piece
from tui.widgets.row_list import ListRow
from tui.wording import QUIET, clean, fit, plural, sentence

PLANNED: dict[Verb, tuple[str, str, str]] = {
    Verb.KEEP: ("✔", "$text-success", "kept"),
    Verb.REBUILD: ("+", "bold $text-accent", "rebuild"),
    Verb.CONTINUE: ("»", "bold $text-accent", "continue"),
    Verb.START_ANEW: ("✱", "bold $text-warning", "start anew"),
    Verb.REBRIEF: ("✎", "bold $text-accent", "re-brief"),
    Verb.REFUSE: ("‼", "bold $text-warning", "refused"),
}
"""The mark of each verb, its style, and its word."""
UNDER_WAY = ("◌", "$text-accent")
DONE = ("✔", "bold $text-success")
FAILED = ("✖", "bold $text-error")
NOT_NEEDED = ("–", QUIET)
"""The mark of what was there by the time the team was resumed."""
THE_TEAM = "the team"
LONGEST_ROLE = 16
VERB_CELLS = max(len(word) for _, _, word in PLANNED.values())
PART_CELLS = len("conversation")
KIND_CELLS = len("worktree")
LONGEST_NAME = 32

_SUMS: dict[Verb, tuple[str, str]] = {
    Verb.REBUILD: ("{} is rebuilt", "{} are rebuilt"),
    Verb.CONTINUE: ("{} continues its conversation", "{} continue their conversations"),
    Verb.START_ANEW: ("{} starts anew", "{} start anew"),
    Verb.REBRIEF: ("{} is re-briefed", "{} are re-briefed"),
    Verb.REFUSE: ("{} is refused", "{} are refused"),
}


class TeamRecovery(Struct, frozen=True, kw_only=True):
    """A team on the screen: its plan and, once the person wanted it done, what came of that."""

    plan: RecoveryPlan
    is_begun: bool = False
    rebrief_all: bool = False
    heard: tuple[Step, ...] = ()
    """What was done so far."""
    outcome: RecoveryOutcome | None = None
    error: TmorchError | None = None
    """Why nothing was done, or not all of it."""

    @property
    def id(self) -> OrchestrationId:
        """The team's id."""
        return self.plan.orchestration

    @property
    def is_over(self) -> bool:
        """Whether it was wanted, and nothing happens any more."""
        return self.outcome is not None or self.error is not None

    @property
    def is_under_way(self) -> bool:
        """Whether it is being resumed."""
        return self.is_begun and not self.is_over

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing, or nothing any more."""
        is_back = self.outcome is not None and not self.refused
        return (self.plan.is_whole or is_back) and not self.failed and self.error is None

    @property
    def done(self) -> tuple[Step, ...]:
        """What was done, as far as that is known."""
        return self.outcome.done if self.outcome is not None else self.heard

    @property
    def failed(self) -> tuple[tuple[Step, str], ...]:
        """What was not done although it was wanted, with why; what was refused in the plan is not among it."""
        found = self.outcome.failed if self.outcome is not None else ()
        return tuple((step, why) for step, why in found if step.verb is not Verb.REFUSE)

    @property
    def to_do(self) -> tuple[Step, ...]:
        """What the plan would do."""
        return tuple(step for step in self.plan.steps if step.verb not in (Verb.KEEP, Verb.REFUSE))

    @property
    def refused(self) -> tuple[Step, ...]:
        """What is for the person to do first."""
        return tuple(step for step in self.plan.steps if step.verb is Verb.REFUSE)


class Entry(Struct, frozen=True, kw_only=True):
    """A row of the list and what is said of it below."""

    row: ListRow
    title: str
    words: tuple[str, ...]
    orchestration: OrchestrationId = OrchestrationId("")
    agent: AgentId = AgentId("")
    remedy: str = ""
    """What the person can do, or type."""


def role_of(agent: AgentId) -> str:
    """Return the role of an agent, or what stands for the whole team."""
    return clean(agent.rpartition(":")[2]) if agent else THE_TEAM


def entries_of(teams: Iterable[TeamRecovery]) -> tuple[Entry, ...]:
    """Return a heading for each team, beneath it its warnings, then the rows of the team itself and of each agent."""
    return tuple(entry for team in teams for entry in _team_entries(team))


def _team_entries(team: TeamRecovery) -> list[Entry]:
    steps = _steps_of(team)
    names = [role_of(step.agent) for step in steps]
    width = min(LONGEST_ROLE, max(map(cell_len, names), default=0))
    entries = [_heading(team), *(_warning(team, i, text) for i, text in enumerate(team.plan.warnings))]
    for _, of_agent in groupby(steps, key=lambda step: step.agent):
        entries += _agent_entries(team, list(of_agent), width)
    return entries


def _steps_of(team: TeamRecovery) -> list[Step]:
    """Return the plan's steps and what was done besides, together for each agent, in the order of the plan."""
    steps = {_key(step): step for step in team.plan.steps}
    for step in (*team.done, *(step for step, _ in team.failed)):
        steps.setdefault(_key(step), step)
    order = {agent: i for i, agent in enumerate(dict.fromkeys(step.agent for step in steps.values()))}
    return sorted(steps.values(), key=lambda step: (bool(step.agent), order[step.agent]))


def _key(step: Step) -> tuple[str, ...]:
    return step.verb, step.part, step.agent


# -- a team -----------------------------------------------------------------------------------------


def heading_id(team: OrchestrationId) -> str:
    """Return the id of the row that stands above a team."""
    return f"team/{team}"


def _heading(team: TeamRecovery) -> Entry:
    name = clean(team.id)
    mark, style, summary = _summary(team)
    row = ListRow(
        id=heading_id(team.id),
        left=((f"{mark} ", style), (f"{name}  ", "bold")),
        text=clean(team.plan.project),
        style=QUIET,
        right=((summary, style),),
    )
    error = team.error
    words = tuple(map(clean, (error.title, *error.cause.splitlines()))) if error else tuple(_team_words(team))
    return Entry(row=row, title=name, words=words, orchestration=team.id, remedy=clean(error.remedy) if error else "")


def _summary(team: TeamRecovery) -> tuple[str, str, str]:
    """Return the mark of a team, its style, and how it stands in a few words."""
    failed = len(team.failed)
    if team.error is not None:
        return *FAILED, "not resumed"
    if team.is_under_way:
        done = len({_key(step) for step in team.done} & {_key(step) for step in team.to_do})
        return *UNDER_WAY, f"being resumed · {done} of {len(team.to_do)} done" if team.to_do else "being re-briefed"
    if team.is_over:
        return (*FAILED, f"{failed} failed") if failed else (*DONE, "resumed" if team.to_do else "re-briefed")
    if team.plan.is_whole:
        return *PLANNED[Verb.KEEP][:2], "nothing is missing"
    notes = [f"{len(team.to_do)} to do"] if team.to_do else []
    notes += [f"{len(team.refused)} refused"] if team.refused else []
    mark = PLANNED[Verb.REFUSE] if team.refused else PLANNED[Verb.REBUILD]
    return *mark[:2], " · ".join(notes)


def _team_words(team: TeamRecovery) -> list[str]:
    if team.is_under_way:
        return ["It is being resumed. You may leave this screen: it goes on."]
    if team.is_over:
        return _outcome_words(team)
    if team.plan.is_whole:
        return ["Nothing is missing: all of it is there and runs."]
    sums = [f"{sum_up(team.to_do)}."] if team.to_do else []
    sums += [f"{sum_up(team.refused)}: it needs you first."] if team.refused else []
    return [*sums, "What is there is kept: no byte is typed to agents that run."]


def _outcome_words(team: TeamRecovery) -> list[str]:
    done = [step for step in team.done if step.verb is not Verb.KEEP]
    words = [f"Done: {sum_up(done)}." if done else "There was nothing left to do."]
    words += [f"✖ {role_of(step.agent)}, {step.part}: {clean(why)}" for step, why in team.failed]
    words += [f"‼ {role_of(step.agent)}, {step.part}: {clean(step.reason)}" for step in team.refused]
    return words


def sum_up(steps: Iterable[Step]) -> str:
    """Return in words how many agents or parts each verb is about."""
    found = list(steps)
    notes = []
    for verb, (one, many) in _SUMS.items():
        of_verb = [step for step in found if step.verb is verb]
        agents = {step.agent for step in of_verb}
        if verb in (Verb.REBUILD, Verb.REFUSE):
            count, noun = len(of_verb), "part" if verb is Verb.REBUILD else "thing"
        else:
            count, noun = len(agents), "agent"
        if count:
            notes.append((one if count == 1 else many).format(plural(count, noun)))
    return ", ".join(notes)


def _warning(team: TeamRecovery, number: int, text: str) -> Entry:
    mark: Piece = ("  ! ", "bold $text-warning")
    row = ListRow(id=f"warning/{team.id}/{number}", left=(mark,), text=clean(text), style="$text-warning")
    return Entry(row=row, title=clean(team.id), words=(sentence(text),), orchestration=team.id)


# -- an agent ---------------------------------------------------------------------------------------


def _agent_entries(team: TeamRecovery, steps: list[Step], width: int) -> list[Entry]:
    """Return a row for each thing to do or refused, then one for all that is kept; the first names the agent."""
    kept = [step for step in steps if step.verb is Verb.KEEP]
    entries: list[Entry] = []
    for step in steps:
        if step.verb is not Verb.KEEP:
            entries.append(_step_entry(team, step, "" if entries else role_of(step.agent), width))
    if kept:
        entries.append(_kept_entry(team, kept, "" if entries else role_of(kept[0].agent), width))
    return entries


def _step_entry(team: TeamRecovery, step: Step, name: str, width: int) -> Entry:
    mark, word = _mark_of(team, step), PLANNED[step.verb][2]
    why = next((why for other, why in team.failed if _key(other) == _key(step)), "")
    is_bad = bool(why) or step.verb is Verb.REFUSE
    row = ListRow(
        id=f"step/{team.id}/{step.agent}/{step.part}/{step.verb}",
        left=(*_start(mark, name, width), (word.ljust(VERB_CELLS + 2), ""), (step.part.ljust(PART_CELLS + 2), "")),
        text=clean(why or step.reason),
        style="" if is_bad else QUIET,
    )
    words = [sentence(why or step.reason)]
    words += [f"It was to be done because: {clean(step.reason)}"] if why and clean(why) != clean(step.reason) else []
    title = f"{role_of(step.agent)}: {word} · {step.part}"
    return Entry(row=row, title=title, words=tuple(words), orchestration=team.id, agent=step.agent)


def _kept_entry(team: TeamRecovery, kept: list[Step], name: str, width: int) -> Entry:
    mark, style, word = PLANNED[Verb.KEEP]
    parts = ", ".join(step.part for step in kept)
    row = ListRow(
        id=f"kept/{team.id}/{kept[0].agent}",
        left=(*_start((mark, style), name, width), (word.ljust(VERB_CELLS + 2), QUIET)),
        text=parts,
        style=QUIET,
    )
    words = tuple(f"{step.part.ljust(PART_CELLS)}  {clean(step.reason)}" for step in kept)
    title = f"{role_of(kept[0].agent)}: kept"
    return Entry(row=row, title=title, words=words, orchestration=team.id, agent=kept[0].agent)


def _start(mark: tuple[str, str], name: str, width: int) -> tuple[Piece, ...]:
    role = fit(name, width)
    return (f"  {mark[0]} ", mark[1]), (role + " " * (width - cell_len(role) + 2), "bold")


def _mark_of(team: TeamRecovery, step: Step) -> tuple[str, str]:
    if any(_key(other) == _key(step) for other, _ in team.failed):
        return FAILED
    if any(_key(other) == _key(step) for other in team.done):
        return DONE
    if team.is_begun and step.verb is not Verb.REFUSE:
        return UNDER_WAY if team.is_under_way else NOT_NEEDED
    return PLANNED[step.verb][:2]


# -- what is left over ------------------------------------------------------------------------------


def orphan_entries(orphans: Iterable[Orphan]) -> tuple[Entry, ...]:
    """Return a row for each thing that is left over; below it the command that is safe to type."""
    found = tuple(orphans)
    width = min(LONGEST_NAME, max((cell_len(clean(orphan.name)) for orphan in found), default=0))
    return tuple(_orphan_entry(orphan, width) for orphan in found)


def _orphan_entry(orphan: Orphan, width: int) -> Entry:
    name = fit(clean(orphan.name), width)
    row = ListRow(
        id=f"orphan/{orphan.kind}/{orphan.where}/{orphan.name}",
        left=((f"{orphan.kind.ljust(KIND_CELLS)}  ", QUIET), (name + " " * (width - cell_len(name) + 2), "")),
        text=clean(orphan.where),
        style=QUIET,
    )
    return Entry(
        row=row,
        title=f"{orphan.kind} {clean(orphan.name)}",
        words=(clean(orphan.where),),
        orchestration=orphan.orchestration,
        remedy=clean(orphan.what_to_do),
    )
