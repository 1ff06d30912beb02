"""The first prompt of an agent: what it is for, what is to be reached, and the rules it lives by.

A briefing speaks only of roles that are in the team and of commands that exist. The words are in `briefings/`, as
templates; what comes from the person's spec and project is put in as it is and never taken for a template.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from orchestrator_core.models.agent import Agent
from orchestrator_core.models.analysis import Analysis
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.models.project import ProjectState
from orchestrator_core.models.spec import Spec
from orchestrator_core.models.team import Role, TeamProposal
from orchestrator_core.team.catalogue import Catalogue, builtin
from orchestrator_core.team.routing import Route, hub_of, may_address
from orchestrator_core.team.spec import other_text
from orchestrator_core.team.templating import code, rendered

TEMPLATE = "briefing.md.j2"
MOST_REST_LINES = 150
"""How many lines of a spec's other sections a briefing repeats."""


class Member(Struct, frozen=True, kw_only=True):
    """An agent of the team with what its role is."""

    role: Role
    agent: Agent


def briefing(
    role: Role | str,
    team: TeamProposal,
    orchestration: Orchestration,
    agents: Sequence[Agent],
    project: ProjectState,
    spec: Spec,
    *,
    analysis: Analysis | None = None,
    standing: bool = True,
    command: str = "tmorch",
    catalogue: Catalogue | None = None,
) -> str:
    """Return the first prompt of the agent with `role`, as Markdown that begins and ends with a plain sentence.

    `agents` are all agents of the team, in the order of their windows; `analysis` is the approved reading of the
    spec; `standing`: whether tmorch keeps check-ins; `command` is how agents call tmorch.

    Raises:
        ValueError: none of the agents has that role.
        UsageError: a template of the person's or the project's is wrong; names the file and the line.

    """
    key = role if isinstance(role, str) else role.key
    catalogue = catalogue or builtin()
    members = _members(team, agents, catalogue)
    me = next((member for member in members if member.role.key == key), None)
    if me is None:
        raise ValueError(f"no agent of {orchestration.id} is {key}")
    writer = _Writer(me, members, team, catalogue)
    values = {
        "role": me.role,
        "me": me.agent,
        "members": members,
        "others": writer.others,
        "orchestration": orchestration,
        "project": project,
        "spec": spec,
        "tmorch": command,
        "rules": catalogue.rules,
        "check_in_min": me.agent.check_in_min or me.role.check_in_min if standing else 0,
        "type_title": catalogue.templates.types[catalogue.type_named(team.type)].title,
    }
    return rendered(
        catalogue.briefings,
        TEMPLATE,
        {**values, **_rest(spec), **_read(spec, analysis or Analysis()), **writer.words(command)},
    )


class _Writer:
    """Knows what depends on who else is in the team."""

    def __init__(self, me: Member, members: Sequence[Member], team: TeamProposal, catalogue: Catalogue) -> None:
        self.me = me
        self.members = members
        self.others = tuple(member for member in members if member is not me)
        self._keys = tuple(member.role.key for member in members)
        self._type = team.type
        self._catalogue = catalogue
        self._hub = hub_of(self._keys, catalogue)
        gate = catalogue.routes.gate
        self._gate = gate if gate in self._keys else ""
        self._integrator = self._gate or self._hub

    def words(self, command: str) -> dict[str, object]:
        key = self.me.role.key
        return {
            "hub": self._hub,
            "is_hub": key == self._hub,
            "is_gate": key == self._gate,
            "integrator": self._integrator,
            "integrator_branch": next((m.agent.branch for m in self.members if m.role.key == self._integrator), ""),
            "direct": self._direct(),
            "ways": [(member, self._way_to(member, command)) for member in self.members],
            "detours": self._detours(),
            "together": self._together(),
            "sample": self._sample(),
            "example_sender": self._sample().agent.id if self.others else AgentId(""),
            "escalation": self._escalation(),
            "conflict_owner": f"the {self._hub}" if self._goes_to_hub else "the agent whose branch it is",
            "blocked": self._blocked(),
            "done": self._done(),
            "last_step": self._last_step(),
        }

    @property
    def _goes_to_hub(self) -> bool:
        return bool(self._hub) and self._hub != self.me.role.key

    def _direct(self) -> list[str]:
        return [m.role.key for m in self.others if self._route_to(m).allowed]

    def _detours(self) -> list[tuple[str, str]]:
        found = ((m.role.key, self._route_to(m)) for m in self.others)
        return [(target, route.instead) for target, route in found if not route.allowed]

    def _route_to(self, other: Member) -> Route:
        return may_address(self.me.role.key, other.role.key, self._keys, self._type, self._catalogue)

    def _way_to(self, other: Member, command: str) -> str:
        if other is self.me:
            return "–"
        route = self._route_to(other)
        if route.allowed:
            return code(f"{command} send {other.role.key} '…'")
        return f"through {route.instead}" if route.instead else "not at all"

    def _together(self) -> list[tuple[str, str]]:
        lines = self._catalogue.collaboration.get(self.me.role.key, {})
        return [(key, lines[key]) for key in self._direct() if key in lines]

    def _sample(self) -> Member:
        """Return the agent whose work this one is most likely to read."""
        by_key = {member.role.key: member for member in self.others}
        known = [
            by_key[key]
            for key in ("developer", *self._catalogue.collaboration.get(self.me.role.key, ()))
            if key in by_key
        ]
        return next(iter((*known, *self.others)), self.me)

    def _escalation(self) -> str:
        if self._goes_to_hub:
            return f"take it to the {self._hub}"
        return "decide it yourself" if self._hub else self._blocked()

    def _blocked(self) -> str:
        if self._goes_to_hub:
            return f"write to the {self._hub}"
        return "ask the person: write the question in your own window"

    def _done(self) -> str:
        key = self.me.role.key
        if self._gate and key != self._gate and key != self._hub:
            return f"report it to the {self._gate}, who checks it, with the commit and how to try it"
        if self._goes_to_hub:
            return f"report it to the {self._hub}, with the commit and how to try it"
        return "say so in your own window in one line, for the person: the deliverable, the branch and the commit"

    def _last_step(self) -> str:
        if not self.others:
            return (
                "Work through the deliverables, or towards the goal where none are named, in the order you find best."
            )
        if not self._hub:
            return (
                "Agree with the others, in one message each, who takes which part, and begin with yours. "
                "Nobody hands out tasks here."
            )
        if self._goes_to_hub:
            return (
                f"From then on, a task from the {self._hub} goes first. As long as none has come, go on with the part "
                f"that is most clearly yours, and tell the {self._hub} once which one that is."
            )
        return (
            "Send every other agent its first task, in one message each. They prepare meanwhile, and begin with what "
            "is most clearly theirs if they hear nothing."
        )


def _members(team: TeamProposal, agents: Sequence[Agent], catalogue: Catalogue) -> tuple[Member, ...]:
    known = catalogue.roles | {choice.role.key: choice.role for choice in team.chosen}
    return tuple(Member(role=known[agent.role], agent=agent) for agent in agents)


def _read(spec: Spec, analysis: Analysis) -> dict[str, object]:
    """Return what a reading of the spec adds to it."""
    return {
        "phases": spec.phases or analysis.phases,
        "proposed_deliverables": () if spec.deliverables else analysis.deliverables,
        "proposed_criteria": tuple(each for each in analysis.success_criteria if each not in spec.success_criteria),
    }


def _rest(spec: Spec) -> dict[str, object]:
    """Return what the spec says besides its known sections, cut to a bearable length."""
    lines = other_text(spec).split("\n")
    return {"rest": "\n".join(lines[:MOST_REST_LINES]), "is_whole": len(lines) <= MOST_REST_LINES}
