"""What an agent that comes back is told, gathered from the store and from git. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import StoreError, TmorchError, UsageError
from orchestrator_core.git.work_done import WorkDone, work_done
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.check_in import TMORCH, CheckIn, CheckInState
from orchestrator_core.models.launch import Proposal
from orchestrator_core.models.message import CHECK_IN, PERSON, AgentMessage, MessageKind, MessageState
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.services.briefings import first_prompt
from orchestrator_core.services.catalogues import catalogue_of
from orchestrator_core.services.recurrence import next_due
from orchestrator_core.services.zones import local_zone, zone_of
from orchestrator_core.store import Store
from orchestrator_core.team.catalogue import Catalogue, builtin
from orchestrator_core.team.restoring import MOST, Note, Restoration, restoring

LOOKED_BACK = 200
"""Among how many of an agent's latest messages and check-ins those are looked for that matter."""
GOT = (MessageState.DELIVERED, MessageState.ACKNOWLEDGED)
NOT_GOT = (MessageState.QUEUED, MessageState.DELIVERING, MessageState.UNCONFIRMED)


class Restorer:
    """Words for the agents of one orchestration."""

    def __init__(self, store: Store, settings: Settings, paths: Paths, orchestration: Orchestration) -> None:
        self._store = store
        self._settings = settings
        self._orchestration = orchestration
        self._proposal = _proposal_of(store, orchestration)
        self._catalogue = _catalogue_of(orchestration, paths)

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of the team, in the order of their windows."""
        return tuple(agent.role for agent in self._store.agents.of(self._orchestration.id))

    async def text(self, agent: Agent, now: float, *, is_new: bool = False, is_running: bool = False) -> str:
        """Return what `agent` is told; one that `is_new` in its conversation gets its whole briefing as well."""
        found = await self._found(agent, now, is_new=is_new, is_running=is_running)
        try:
            text = restoring(found, self._catalogue.briefings)
        except UsageError:  # a template of the person's or the project's: nobody stays away for that
            text = restoring(found)
        return f"{text}\n\n{self._first_prompt(agent)}".rstrip() if is_new else text

    def _first_prompt(self, agent: Agent) -> str:
        if self._proposal is None:
            return ""
        agents = self._store.agents.of(self._orchestration.id)
        arguments = (self._proposal, agent.role, self._orchestration, agents, self._settings)
        try:
            return first_prompt(*arguments, self._catalogue)
        except UsageError:
            return first_prompt(*arguments, builtin())

    async def _found(self, agent: Agent, now: float, *, is_new: bool, is_running: bool) -> Restoration:
        done = await _work_of(agent, self._orchestration.base_commit)
        messages = [
            message
            for message in reversed(self._store.messages.between(agent.id, limit=LOOKED_BACK))
            if message.kind is MessageKind.TEXT and message.sender != TMORCH
        ]
        spec = self._proposal.spec if self._proposal else None
        analysis = self._proposal.analysis if self._proposal else None
        return Restoration(
            role=agent.role,
            title=self._title(agent.role),
            agent=agent.id,
            team=self._orchestration.id,
            project=self._orchestration.project_name,
            goal=self._orchestration.goal,
            spec_path=self._orchestration.spec_path,
            worktree=agent.worktree,
            branch=agent.branch,
            base=self._orchestration.base_commit,
            is_new_conversation=is_new,
            has_briefing=is_new and self._proposal is not None,
            is_running=is_running,
            heard=_notes(m for m in messages if m.target == agent.id and m.state in GOT and not _is_check_in(m)),
            said=_notes((m for m in messages if m.sender == agent.id), to=True),
            waiting=_notes(m for m in messages if m.target == agent.id and m.state in NOT_GOT),
            commits=done.commits if done else (),
            commit_count=done.commit_count if done else 0,
            uncommitted=done.uncommitted if done else (),
            operation=done.operation if done else "",
            is_known=done is not None,
            phases=(spec.phases if spec else ()) or (analysis.phases if analysis else ()),
            check_ins=self._check_ins(agent, now),
        )

    def _title(self, role: str) -> str:
        chosen = {each.role.key: each.role for each in self._proposal.team.chosen} if self._proposal else {}
        found = chosen.get(role) or self._catalogue.roles.get(role)
        return found.title if found else role

    def _check_ins(self, agent: Agent, now: float) -> tuple[tuple[str, str], ...]:
        known = (*self._store.check_ins.active(agent.id), *revivable(self._store, agent, now))
        return tuple((_due_words(check_in), check_in.note) for check_in in known)


def revivable(store: Store, agent: Agent, now: float) -> tuple[CheckIn, ...]:
    """Return the check-ins that were given up because their agent had ended, as they go on when it comes back.

    One that repeats is due at its next time, counted as ever; one that was to come once is due at once.
    """
    dead = [
        check_in
        for check_in in store.check_ins.latest(LOOKED_BACK, agent.id)
        if check_in.state is CheckInState.DEAD
        and (check_in.ended_at or 0.0) >= agent.status_since
        and check_in.attempts
    ]
    found = []
    for check_in in dead:
        try:
            due_at = next_due(check_in, now) if check_in.repeats and check_in.due_at <= now else check_in.due_at
        except UsageError:  # its times cannot be read: it stays dead
            continue
        if due_at is not None:
            found.append(_alive(check_in, due_at, now))
    return tuple(found)


def _alive(check_in: CheckIn, due_at: float, now: float) -> CheckIn:
    return replace(
        check_in,
        state=CheckInState.ACTIVE,
        due_at=due_at,
        set_at=now,
        attempts=0,
        retry_at=None,
        reason="",
        ended_at=None,
    )


def _proposal_of(store: Store, orchestration: Orchestration) -> Proposal | None:
    try:
        return store.proposals.of(orchestration.id)
    except StoreError:  # of another version of tmorch: what the store says of the team has to do
        return None


def _catalogue_of(orchestration: Orchestration, paths: Paths) -> Catalogue:
    try:
        return catalogue_of(Path(orchestration.project), paths)
    except (UsageError, OSError):
        return builtin()


async def _work_of(agent: Agent, base: str) -> WorkDone | None:
    try:
        return await work_done(agent.worktree, base)
    except (TmorchError, OSError):
        return None


def _is_check_in(message: AgentMessage) -> bool:
    return message.sender.startswith(CHECK_IN)


def _notes(messages: Iterable[AgentMessage], *, to: bool = False) -> tuple[Note, ...]:
    found = [Note(number=m.id, who=_named(m.target if to else m.sender), text=m.text) for m in messages]
    return tuple(found[-MOST:])


def _named(sender: str) -> str:
    return "the person" if sender == PERSON else sender


def _due_words(check_in: CheckIn) -> str:
    due = datetime.fromtimestamp(check_in.due_at, zone_of(local_zone())).strftime("%Y-%m-%d %H:%M")
    if check_in.interval_s:
        return f"at {due}, then every {check_in.interval_s / 60:g} min"
    return f"at {due}" + (f", then by {check_in.cron}" if check_in.cron else "")
