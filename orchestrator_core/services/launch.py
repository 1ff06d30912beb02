"""Starting a team: all of it, or nothing that was not there before.

Each thing is written to the journal before it is made. A start that fails, is interrupted or is killed is undone
from there, newest first; what holds work by then is kept and named.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from orchestrator_core.agents.driver import BriefingRoad, Driver, LaunchContext, LaunchPlan
from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import RefusedError, TmorchError
from orchestrator_core.git.worktrees import add_worktree, check_free
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.ids import OrchestrationId, SessionId
from orchestrator_core.models.launch import Decide, Decision, Progress, Proposal, StepFailure, StepProgress, StepState
from orchestrator_core.models.message import PERSON, DeliveryMode, MessageKind
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.services.boot import boot_id
from orchestrator_core.services.briefings import first_prompt, planned_agents, planned_orchestration
from orchestrator_core.services.catalogues import catalogue_for
from orchestrator_core.services.launch_ready import Readiness
from orchestrator_core.services.liveness import started_at
from orchestrator_core.services.naming import new_id
from orchestrator_core.services.rollback import roll_back
from orchestrator_core.services.settle import has_launcher
from orchestrator_core.services.standing import begin_standing
from orchestrator_core.store import Store
from orchestrator_core.tmux import sessions
from orchestrator_core.tmux.address import ServerAddress

T = TypeVar("T")


class Tools(Struct, frozen=True, kw_only=True):
    """What a start needs from outside."""

    store: Store
    paths: Paths
    settings: Settings
    drivers: Mapping[str, Driver]
    address: ServerAddress
    tmorch_argv: tuple[str, ...]
    """How an agent calls tmorch."""
    start_supervisor: Callable[[], object]
    clock: Callable[[], float]
    environ: Mapping[str, str]


class Member(Struct, frozen=True, kw_only=True):
    """An agent with all that its start needs."""

    agent: Agent
    briefing: str
    plan: LaunchPlan


class Launch:
    """One start of one proposal."""

    def __init__(self, tools: Tools, proposal: Proposal, progress: Progress, decide: Decide | None = None) -> None:
        self._tools = tools
        self._store = tools.store
        self._proposal = proposal
        self._progress = progress
        self._decide = decide
        self._driver = tools.drivers[proposal.driver]
        self._catalogue = catalogue_for(proposal, tools.paths)

    async def run(self) -> Orchestration:
        """Start the team and return it once every agent is ready, waits for a person, or has failed.

        Raises:
            RefusedError: a team runs on this project already.
            TmorchError: a step failed; everything was undone, or the error says what was kept.

        """
        await self._finish_abandoned()
        orchestration = self._claim()
        try:
            return await self._make(orchestration)
        except BaseException as failure:  # Ctrl-C and a cancelled app undo their start too
            kept = await asyncio.shield(
                roll_back(
                    self._tools.store,
                    self._tools.address,
                    orchestration.id,
                    str(failure),
                    self._tools.clock(),
                )
            )
            self._tell("undo", StepState.UNDONE, kept or "everything the start had made is gone again")
            if isinstance(failure, TmorchError) and kept:
                raise TmorchError(failure.title, cause=failure.cause, remedy=kept, code=failure.code) from failure
            raise

    async def _finish_abandoned(self) -> None:
        """Undo a start of this project whose launcher is gone."""
        for other in self._store.orchestrations.list(active=True):
            if other.project != self._proposal.project.path or other.state is not OrchestrationState.STARTING:
                continue
            if not has_launcher(other):
                kept = await roll_back(
                    self._store, self._tools.address, other.id, "its start was cut short", self._tools.clock()
                )
                self._tell("undo", StepState.UNDONE, f"an earlier start that was cut short ({other.id}). {kept}")

    def _claim(self) -> Orchestration:
        proposal = self._proposal
        identifier = proposal.orchestration
        if not identifier or self._is_taken(identifier):
            identifier = new_id(proposal.project.name, self._is_taken)
        orchestration = msgspec.structs.replace(
            planned_orchestration(proposal, identifier),
            server=self._tools.address.socket_path,
            is_demo=self._driver.is_demo,
            boot_id=boot_id(),
            launcher_pid=os.getpid(),
            launcher_started=started_at(os.getpid()),
            created_at=self._tools.clock(),
        )
        self._store.orchestrations.claim(orchestration)
        return orchestration

    def _is_taken(self, name: str) -> bool:
        return self._store.orchestrations.id_taken(OrchestrationId(name)) or sessions.is_name_taken(
            self._tools.address, name
        )

    async def _make(self, orchestration: Orchestration) -> Orchestration:
        tools = self._tools
        account = self._driver.account(tools.environ)
        agents = tuple(
            msgspec.structs.replace(agent, account=account)
            for agent in planned_agents(self._proposal, orchestration, tools.settings, tools.paths, tools.clock())
        )
        await self._add_worktrees(orchestration, agents)
        members = [
            await self._attempt("files", agent.role, partial(self._write_files, orchestration, agents, agent))
            for agent in agents
        ]
        with self._store.transaction():
            for member in members:
                self._store.agents.add(member.agent)
            self._store.routes.set(orchestration.id, self._proposal.routes)
            self._store.proposals.started(self._proposal, orchestration.id, self._tools.clock())
            begin_standing(self._store, self._tools.settings.schedule, agents, self._tools.clock(), self._catalogue)
        await self._open_windows(orchestration, tuple(members))
        self._hand_over(tuple(members))
        await self._attempt("supervisor", "", self._start_supervisor)
        by_id = {member.agent.id: member for member in members}
        readiness = Readiness(
            self._store,
            self._tools.settings.team.start_timeout_s,
            self._tell,
            self._decide,
            lambda agent: self._start_again(orchestration, by_id[agent.id], agent),
        )
        await readiness.wait(orchestration.id)
        self._store.orchestrations.update(orchestration.id, state=OrchestrationState.RUNNING)
        return self._store.orchestrations.get(orchestration.id)

    async def _add_worktrees(self, orchestration: Orchestration, agents: tuple[Agent, ...]) -> None:
        for agent in agents:
            self._tell("worktrees", StepState.RUNNING, f"{agent.role}: {agent.branch}", agent.role)
            await self._attempt("worktrees", agent.role, partial(self._add_worktree, orchestration, agent))
        self._tell("worktrees", StepState.DONE, f"{len(agents)} worktrees on branches of their own")

    async def _add_worktree(self, orchestration: Orchestration, agent: Agent) -> None:
        """Make the agent's worktree; the journal names only what was free, so that undoing it meets our own."""
        project = Path(orchestration.project)
        await check_free(project, agent.worktree, agent.branch)
        entry = self._store.journal.record(
            orchestration.id,
            "worktree",
            {"path": agent.worktree, "branch": agent.branch, "base": orchestration.base_commit},
        )
        try:
            await add_worktree(project, agent.worktree, agent.branch, orchestration.base_commit)
        except RefusedError:
            self._store.journal.close(entry)  # somebody else made it just now
            raise
        except OSError as error:
            raise TmorchError(f"the worktree {agent.worktree} cannot be made", cause=str(error)) from error

    async def _write_files(self, orchestration: Orchestration, agents: tuple[Agent, ...], agent: Agent) -> Member:
        try:
            return self._prepare(orchestration, agents, agent)
        except OSError as error:
            raise TmorchError(f"the files of {agent.role} cannot be written", cause=str(error)) from error

    async def _start_supervisor(self) -> None:
        self._tools.start_supervisor()

    def _prepare(self, orchestration: Orchestration, agents: tuple[Agent, ...], agent: Agent) -> Member:
        """Write the agent's own files: its briefing and what its driver wants."""
        settings = self._tools.settings
        text = first_prompt(self._proposal, agent.role, orchestration, agents, settings, self._catalogue)
        folder = self._tools.paths.agents / orchestration.id / agent.role
        self._store.journal.record(orchestration.id, "folder", {"path": str(folder)})
        plan = self._driver.plan_launch(
            LaunchContext(
                agent=agent,
                folder=folder,
                spool=self._tools.paths.spool,
                briefing=text,
                tmorch_argv=self._tools.tmorch_argv,
                env=agent_environment(self._tools.environ),
                team=self._proposal.team.roles,
            )
        )
        write_files(folder, plan)
        return Member(agent=_with_conversation(agent, plan.conversation), briefing=text, plan=plan)

    async def _open_windows(self, orchestration: Orchestration, members: tuple[Member, ...]) -> None:
        session: SessionId | None = None
        for member in members:
            self._tell("agents", StepState.RUNNING, f"{member.agent.role}: a window of its own", member.agent.role)
            if session:
                open_it = partial(self._open_window, orchestration, session, member)
            else:
                self._store.journal.record(orchestration.id, "session", {"name": orchestration.session})
                open_it = partial(self._open_session, orchestration, member)
            created = await self._attempt("agents", member.agent.role, partial(asyncio.to_thread, open_it))
            session = session or created.session_id
            self._store.agents.update(
                member.agent.id,
                pane=created.pane_id,
                window=created.window_id,
                pid=created.pid,
                pid_started=started_at(created.pid),
            )
        # last: an orchestration with a session id has all its windows
        self._store.orchestrations.update(orchestration.id, session_id=session)
        self._tell("agents", StepState.DONE, f"{len(members)} windows in the tmux session {orchestration.session}")

    def _open_session(self, orchestration: Orchestration, member: Member) -> sessions.Created:
        return sessions.create_session(
            self._tools.address,
            name=orchestration.session,
            window=member.agent.role,
            cwd=member.agent.worktree,
            argv=member.plan.argv,
            env=member.plan.env,
            orchestration=orchestration.id,
            agent=member.agent.id,
        )

    def _open_window(self, orchestration: Orchestration, session: SessionId, member: Member) -> sessions.Created:
        return sessions.create_window(
            self._tools.address,
            session_id=session,
            orchestration=orchestration.id,
            window=member.agent.role,
            cwd=member.agent.worktree,
            argv=member.plan.argv,
            env=member.plan.env,
            agent=member.agent.id,
        )

    def _hand_over(self, members: tuple[Member, ...]) -> None:
        """Put every briefing into the outbox; one that went along as an argument is already on its way."""
        for member in members:
            message = self._store.messages.add(
                target=member.agent.id,
                sender=PERSON,
                text=member.briefing,
                mode=DeliveryMode.WHEN_IDLE,
                kind=MessageKind.BRIEFING,
                at=self._tools.clock(),
            )
            if member.plan.briefing_road is BriefingRoad.ARGUMENT:
                self._store.messages.claim_next(message.target, self._tools.clock())

    async def _start_again(self, orchestration: Orchestration, member: Member, ended: Agent) -> None:
        """Start the program of an agent that has ended anew, in its own window and in a new conversation."""
        agents = tuple(self._store.agents.of(orchestration.id))
        fresh = self._prepare(orchestration, agents, member.agent)
        assert ended.pane is not None
        pid = await asyncio.to_thread(
            sessions.respawn,
            self._tools.address,
            ended.pane,
            cwd=ended.worktree,
            argv=fresh.plan.argv,
            env=fresh.plan.env,
            agent=ended.id,
        )
        self._store.agents.update(
            ended.id,
            pid=pid,
            pid_started=started_at(pid),
            conversation=fresh.plan.conversation,
            status=AgentStatus.STARTING,
            reason="it is being started again",
            last_output="",
        )
        briefings = [m for m in self._store.messages.latest(ended.id) if m.kind is MessageKind.BRIEFING]
        if all(message.state.is_final for message in briefings):  # else the one that is on its way is meant for it
            self._hand_over((fresh,))

    async def _attempt(self, step: str, agent: str, do: Callable[[], Awaitable[T]]) -> T:
        """Do what leaves nothing behind when it fails; repeat it as often as the person wants.

        Raises:
            TmorchError: it failed, and is not to be repeated.

        """
        while True:
            try:
                return await do()
            except TmorchError as error:
                self._tell(step, StepState.FAILED, f"{agent}: {error.title}" if agent else error.title, agent)
                failure = StepFailure(step=step, agent=agent, title=error.title, cause=error.cause, remedy=error.remedy)
                if self._decide is None or await self._decide(failure) is not Decision.RETRY:
                    raise
                self._tell(step, StepState.RUNNING, f"{agent}: once more" if agent else "once more", agent)

    def _tell(self, step: str, state: StepState, text: str, agent: str = "") -> None:
        self._progress(StepProgress(step=step, state=state, text=text, agent=agent))


def agent_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what an agent needs to find the same tmorch as the person: its state, settings and commands."""
    names = ("PATH", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "TMORCH_STATE", "TMORCH_CONFIG", "CLAUDE_CONFIG_DIR")
    return {n: v for n, v in environ.items() if n in names or (n.startswith("TMORCH_") and "__" in n)}


def write_files(folder: Path, plan: LaunchPlan) -> None:
    """Write what a driver wants in an agent's private folder."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file in plan.files:
        Path(file.path).write_text(file.text, encoding="utf-8", newline="")
        Path(file.path).chmod(file.mode)


def _with_conversation(agent: Agent, conversation: str) -> Agent:
    return msgspec.structs.replace(agent, conversation=conversation)
