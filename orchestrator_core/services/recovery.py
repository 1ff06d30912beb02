"""Bringing a team back: what its plan says, and nothing else.

One at a time for each team, by a kernel lock. What the person was shown is compared with how it stands now, and only
what is still to be done is done. A run that is killed is completed by the next one (`services/restart.py`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from orchestrator_core.agents.status import JUST_ENDED
from orchestrator_core.errors import RefusedError, TmorchError
from orchestrator_core.git.worktrees import restore_worktree
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.check_in import TMORCH
from orchestrator_core.models.ids import AgentId, MessageId, OrchestrationId
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.models.recovery import Part, RecoveryOutcome, RecoveryPlan, Step, Verb
from orchestrator_core.services.boot import boot_id
from orchestrator_core.services.launch import Tools
from orchestrator_core.services.liveness import started_at
from orchestrator_core.services.restart import Restarts, alone
from orchestrator_core.services.restoration import Restorer, revivable
from orchestrator_core.services.settle import has_launcher
from orchestrator_core.tmux import sessions

LOOK_S = 0.1
LOOKED_S = 0.5
"""How long the supervisor may hold the lock, who only looks."""
REMINDERS = "rebrief"
"""The kind of the journal's entries for what agents are told that run."""
Look = Callable[[OrchestrationId], Awaitable[RecoveryPlan]]
Hear = Callable[[Step], None]


def ignore(step: Step) -> None:
    """Hear of a step that was done, and do nothing about it."""


async def execute(
    tools: Tools, plan: RecoveryPlan, look: Look, *, rebrief_all: bool = False, hear: Hear = ignore
) -> RecoveryOutcome:
    """Do what `plan` says and is still to be done, and return what came of it. Doing it again does nothing.

    `look` makes the plan anew: what the person was not shown is not done. `hear` is told of each step that was done.
    With `rebrief_all` each agent that runs gets one message with where it stands, at its prompt.

    Raises:
        RefusedError: the team is not meant to run (`not-running`), is being started (`starting`), or is being
            brought back by somebody else at this moment (`already-resuming`).
        TmorchError: the supervisor cannot be started; nothing else was done.

    """
    with _claimed(tools, plan.orchestration):
        return await _Run(tools, plan, hear).run(look, rebrief_all=rebrief_all)


@contextmanager
def _claimed(tools: Tools, identifier: OrchestrationId) -> Iterator[None]:
    orchestration = tools.store.orchestrations.get(identifier)
    if not orchestration.state.is_active:
        raise RefusedError(
            f"{identifier} is not meant to run", cause=f"it is {orchestration.state}", code="not-running"
        )
    if orchestration.state is OrchestrationState.STARTING and has_launcher(orchestration):
        raise RefusedError(f"{identifier} is being started", cause="its start is still under way", code="starting")
    with alone(tools.paths, identifier, patience_s=LOOKED_S) as is_ours:
        if not is_ours:
            raise RefusedError(
                f"{identifier} is being brought back already",
                cause="another tmorch is at it",
                remedy=f"`tmorch status {identifier}` shows how it stands",
                code="already-resuming",
            )
        yield


class _Run:
    """One bringing back of one team, by whoever holds its lock."""

    def __init__(self, tools: Tools, plan: RecoveryPlan, hear: Hear) -> None:
        self._tools = tools
        self._store = tools.store
        self._shown = plan
        self._hear = hear
        self._done: list[Step] = []
        self._failed: list[tuple[Step, str]] = []
        self._started: dict[AgentId, tuple[Step, ...]] = {}
        self._restorer = Restorer(tools.store, tools.settings, tools.paths, self._team)
        self._restarts = Restarts(tools, plan.orchestration, self._restorer)

    @property
    def _team(self) -> Orchestration:
        return self._store.orchestrations.get(self._shown.orchestration)

    async def run(self, look: Look, *, rebrief_all: bool) -> RecoveryOutcome:
        await asyncio.to_thread(self._tools.start_supervisor)
        for step in self._shown.steps:
            if step.part is Part.SUPERVISOR:
                self._tell_done(step)
        await self._restarts.settle()
        now = await look(self._shown.orchestration)
        self._sort_out(now)
        with self._holding_start():
            for agent in self._store.agents.of(self._shown.orchestration):
                await self._see_to(agent, self._steps_of(now, agent.id))
            await self._rebrief(now, everybody=rebrief_all)
            self._of_the_team(now)
        await self._see_them_ready()
        return RecoveryOutcome(plan=self._shown, done=tuple(self._done), failed=tuple(self._failed))

    @contextmanager
    def _holding_start(self) -> Iterator[None]:
        """Be the launcher of a team whose own one is gone: nobody takes it back while we complete it."""
        team = self._team
        if team.state is not OrchestrationState.STARTING:
            yield
            return
        pid = os.getpid()
        self._store.orchestrations.update(team.id, launcher_pid=pid, launcher_started=started_at(pid))
        try:
            yield
        finally:
            self._store.orchestrations.update(team.id, launcher_pid=None, launcher_started=None)

    # --- what is to be done

    def _sort_out(self, now: RecoveryPlan) -> None:
        """Tell of what was refused, and of what has come since the person saw the plan."""
        for step in now.steps:
            if step.verb is Verb.REFUSE:
                self._failed.append((step, step.reason))
            elif step.verb is not Verb.KEEP and not self._was_shown(step):
                self._failed.append((step, "it has come since the plan was shown: look again"))

    def _steps_of(self, now: RecoveryPlan, agent: AgentId) -> tuple[Step, ...]:
        """Return what is to be done for an agent; nothing of one that is refused, or whose team is."""
        steps = [step for step in now.steps if step.agent in ("", agent) and step.verb is not Verb.KEEP]
        if any(step.verb is Verb.REFUSE or not self._was_shown(step) for step in steps):
            return ()
        return tuple(step for step in steps if step.agent)

    def _was_shown(self, step: Step) -> bool:
        return any((s.verb, s.part, s.agent) == (step.verb, step.part, step.agent) for s in self._shown.steps)

    async def _see_to(self, agent: Agent, steps: tuple[Step, ...]) -> None:
        work = tuple(step for step in steps if step.verb is not Verb.REBRIEF)
        if not work or agent.is_adopted:
            return
        try:
            if any(step.part in (Part.WORKTREE, Part.BRANCH) for step in work):
                await restore_worktree(self._team.project, agent.worktree, agent.branch)
            self._revive_check_ins(agent)
            if verb := _start_of(agent, work):
                await self._restarts.bring_back(agent, verb)
                self._started[agent.id] = steps
            elif any(step.part is Part.FILES for step in work):
                self._restarts.write_private_files(agent)
        except (TmorchError, OSError) as error:
            said = (error.title, error.cause, error.remedy) if isinstance(error, TmorchError) else (str(error),)
            why = ": ".join(filter(None, said))
            self._failed += [(step, why) for step in steps]
            self._log("agent.not-resumed", f"{agent.role} could not be brought back: {why}", agent.id)
            return
        for step in work if agent.id not in self._started else steps:
            self._tell_done(step)

    def _tell_done(self, step: Step) -> None:
        self._done.append(step)
        self._hear(step)

    # --- the rest of the team

    def _revive_check_ins(self, agent: Agent) -> None:
        """Have the check-ins go on as they were that were given up while the agent was gone."""
        with self._store.transaction():
            for check_in in revivable(self._store, agent, self._tools.clock()):
                fields = {n: getattr(check_in, n) for n in check_in.__struct_fields__ if n != "id"}
                self._store.check_ins.update(check_in.id, **fields)

    async def _rebrief(self, now: RecoveryPlan, *, everybody: bool) -> None:
        """Tell agents that run where they stand, in one message each; all of them are stored at once, or none."""
        wanted = {step.agent: step for step in now.steps if step.verb is Verb.REBRIEF and self._was_shown(step)}
        agents = [
            agent
            for agent in self._store.agents.of(self._team.id)
            if (everybody or agent.id in wanted) and self._can_be_told(agent)
        ]
        texts = [(a, await self._restorer.text(a, self._tools.clock(), is_running=True)) for a in agents]
        with self._store.transaction():
            for agent, text in texts:
                self._remind(agent.id, text)
        for agent in agents:
            self._tell_done(wanted.get(agent.id) or _rebrief_step(agent.id))

    def _can_be_told(self, agent: Agent) -> bool:
        return agent.id not in self._started and agent.status.is_live and agent.pane is not None

    def _remind(self, agent: AgentId, text: str) -> None:
        """Put a reminder into the outbox unless an earlier one still waits there."""
        for entry in self._store.journal.open(self._team.id):
            if entry.kind == REMINDERS and entry.payload["agent"] == agent:
                if not self._store.messages.get(MessageId(int(entry.payload["message"]))).state.is_final:
                    return
                self._store.journal.close(entry.id)
        message = self._store.messages.add(target=agent, sender=TMORCH, text=text, at=self._tools.clock())
        self._store.journal.record(self._team.id, REMINDERS, {"agent": agent, "message": str(message.id)})

    def _of_the_team(self, now: RecoveryPlan) -> None:
        """Store what holds for the whole team now, and tell of the steps that were about it."""
        agents = self._store.agents.of(self._team.id)
        session = sessions.session_of(self._restarts.address, self._team.id)
        with self._store.transaction():
            if session is not None:
                self._store.orchestrations.update(self._team.id, session_id=session, boot_id=boot_id())
            if agents and all(agent.pane for agent in agents):
                self._store.orchestrations.update(self._team.id, state=OrchestrationState.RUNNING)
            if self._started:
                names = ", ".join(agent.role for agent in agents if agent.id in self._started)
                self._log("orchestration.resumed", f"brought back: {names}")
        for step in now.steps:
            if not step.agent and step.verb is Verb.REBUILD and session is not None and self._was_shown(step):
                self._tell_done(step)

    async def _see_them_ready(self) -> None:
        """Wait until those that were started are at work or wait for somebody; tell of those that ended again."""
        deadline = asyncio.get_running_loop().time() + self._tools.settings.team.start_timeout_s
        waiting = dict(self._started)
        while waiting and asyncio.get_running_loop().time() < deadline:
            for identifier in list(waiting):
                agent = self._store.agents.get(identifier)
                if agent.status is AgentStatus.STARTING:
                    continue
                if agent.status.is_live:
                    del waiting[identifier]
                elif agent.reason != JUST_ENDED and await self._has_ended(identifier):
                    self._tell_ended(agent, waiting.pop(identifier))
            if waiting:
                await asyncio.sleep(LOOK_S)

    async def _has_ended(self, agent: AgentId) -> bool:
        """Whether tmux says so too: a supervisor that has not found the new server yet may think so for a moment."""
        pane = await self._restarts.pane_of(agent)
        return pane is None or pane.dead

    def _tell_ended(self, agent: Agent, steps: tuple[Step, ...]) -> None:
        self._done = [step for step in self._done if step not in steps]
        self._failed += [(step, f"it ended again: {agent.reason}; its window shows why") for step in steps]

    # --- small parts

    def _log(self, kind: str, text: str, agent: str = "") -> None:
        team = self._team.id
        self._store.events.add(kind, text, at=self._tools.clock(), orchestration=team, agent=agent)


def _start_of(agent: Agent, steps: tuple[Step, ...]) -> Verb | None:
    """Return how the agent's program is to be started; None when it is not."""
    verbs = {step.verb for step in steps}
    for verb in (Verb.START_ANEW, Verb.CONTINUE):
        if verb in verbs:
            return verb
    if not {step.part for step in steps} & {Part.SESSION, Part.WINDOW, Part.PROGRAM, Part.CONVERSATION}:
        return None
    return Verb.CONTINUE if agent.conversation else Verb.START_ANEW


def _rebrief_step(agent: AgentId) -> Step:
    return Step(verb=Verb.REBRIEF, part=Part.CONVERSATION, agent=agent, reason="it was told where it stands")
