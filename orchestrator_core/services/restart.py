"""Starting the program of one agent again, so that a kill at any moment is made good by whoever does it next.

Before the program is started, its briefing and what is meant are stored in one transaction, with an open entry in the
journal; afterwards where it runs. Who finds an open entry finds the pane by its tag, or starts the program with the
very same briefing.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from orchestrator_core.agents.driver import BriefingRoad, Driver, LaunchContext, LaunchPlan
from orchestrator_core.config.paths import Paths, expanded
from orchestrator_core.config.settings import ResumeSettings, Settings
from orchestrator_core.errors import RefusedError
from orchestrator_core.models.agent import Agent, AgentStatus, Verdict
from orchestrator_core.models.check_in import TMORCH
from orchestrator_core.models.ids import AgentId, MessageId, OrchestrationId, PaneId, WindowId
from orchestrator_core.models.message import AgentMessage, DeliveryMode, MessageKind, MessageState
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.models.recovery import Verb
from orchestrator_core.services.crash_loop import restarts_after
from orchestrator_core.services.launch import Tools, agent_environment, write_files
from orchestrator_core.services.liveness import started_at
from orchestrator_core.services.restoration import Restorer
from orchestrator_core.services.settle import RESUMES
from orchestrator_core.store import Store
from orchestrator_core.store.journal import JournalEntry
from orchestrator_core.tmux import sessions
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.sessions import TaggedPane

ACCOUNT = "CLAUDE_CONFIG_DIR"
CUT_SHORT = Verdict(status=AgentStatus.EXITED, reason="its restart was cut short; `tmorch resume` starts it once more")
STEP_S = 0.02
LOOKED_BACK = 200
"""Among how many of an agent's latest messages its briefings are looked for."""


class Intent(Struct, frozen=True, kw_only=True):
    """A program that is about to be started, as it is stored."""

    agent: Agent
    entry: int
    plan: LaunchPlan
    own_end: bool
    """Its program ended by itself, in its own pane."""


class Restarts:
    """Starts programs of one team. The caller sees to it that nobody else does meanwhile."""

    def __init__(self, tools: Tools, orchestration: OrchestrationId, restorer: Restorer) -> None:
        self._tools = tools
        self._store = tools.store
        self._restorer = restorer
        self._id = orchestration
        server = self._team.server or tools.address.socket_path
        self.address = ServerAddress(bin=tools.address.bin, socket_path=server)

    @property
    def _team(self) -> Orchestration:
        return self._store.orchestrations.get(self._id)

    async def bring_back(self, agent: Agent, verb: Verb) -> None:
        """Start the agent's program again, in its own pane if that is there; never beside one that runs."""
        pane = await self.pane_of(agent.id)
        if pane is not None and not pane.dead:
            raise RefusedError(f"{agent.role} is not started", cause="a program runs in its pane", code="still-running")
        intent = await self._intend(agent, verb, pane)
        if pane is not None:
            made = pane.pane_id, pane.window_id, await asyncio.to_thread(self._respawn, intent, pane)
        else:
            created = await self._open(intent)
            made = created.pane_id, created.window_id, created.pid
        settings, now = self._tools.settings.resume, self._tools.clock()
        _store_place(self._store, settings, intent.agent, intent.entry, made, own_end=intent.own_end, now=now)

    async def pane_of(self, agent: AgentId) -> TaggedPane | None:
        """Return the pane that carries the agent's id, one in which something runs before others."""
        return _own_pane(await asyncio.to_thread(sessions.tagged_panes, self.address), agent)

    async def _intend(self, agent: Agent, verb: Verb, pane: TaggedPane | None) -> Intent:
        """Store what is about to be started, and what it is told: from here on a kill is made good by the next run."""
        now = self._tools.clock()
        is_new = verb is Verb.START_ANEW
        entry = self._entry_of(agent.id)
        message = self._open_briefing(agent, entry, is_new=is_new)
        text = message.text if message else await self._restorer.text(agent, now, is_new=is_new)
        plan = self._plan(agent, text, verb)
        write_files(self._folder(agent), plan)
        with self._store.transaction():
            if message is None or message.state.is_final:
                message = self._add(agent.id, text)
            self._settle_older(agent.id, message.id)
            if plan.briefing_road is BriefingRoad.ARGUMENT and message.state is MessageState.QUEUED:
                self._store.messages.claim(message.id, now, reason="it travels with the start of the program")
            before = {"pane": str(pane.pane_id), "pid": str(pane.pid)} if pane else {"pane": "", "pid": ""}
            number = (
                entry.id
                if entry
                else self._store.journal.record(
                    self._team.id, RESUMES, {"agent": agent.id, "message": str(message.id), **before}
                )
            )
            changed = self._store.agents.update(
                agent.id,
                pane=None,
                window=None,
                pid=None,
                pid_started=None,
                conversation=plan.conversation,
                status=AgentStatus.STARTING,
                reason="it is being started again",
                last_output="",
            )
        return Intent(agent=changed, entry=number, plan=plan, own_end=pane is not None)

    def _entry_of(self, agent: AgentId) -> JournalEntry | None:
        """Return what an earlier run had meant for the agent and did not come to."""
        entries = self._store.journal.open(self._team.id)
        return next((e for e in entries if e.kind == RESUMES and e.payload["agent"] == agent), None)

    def _open_briefing(self, agent: Agent, entry: JournalEntry | None, *, is_new: bool) -> AgentMessage | None:
        """Return the briefing that the agent was to get and has not got, so that it gets no second one."""
        if entry is not None:
            return self._store.messages.get(MessageId(int(entry.payload["message"])))
        for message in self._briefings(agent.id):
            is_argument = self._driver(agent).road_of(message.text) is BriefingRoad.ARGUMENT
            is_lost = message.state is MessageState.DELIVERING and is_argument and is_new
            if message.state is MessageState.QUEUED or is_lost:
                return message
        return None

    def _briefings(self, agent: AgentId) -> list[AgentMessage]:
        return [m for m in self._store.messages.latest(agent, LOOKED_BACK) if m.kind is MessageKind.BRIEFING]

    def _settle_older(self, agent: AgentId, own: MessageId) -> None:
        """Count as taken the briefings that went along with a start of which the conversation is still there."""
        for message in self._briefings(agent):
            if message.id != own and message.state is MessageState.DELIVERING:
                self._store.messages.finish(message.id, MessageState.DELIVERED, at=self._tools.clock())

    def _respawn(self, intent: Intent, pane: TaggedPane) -> int:
        return sessions.respawn(
            self.address,
            pane.pane_id,
            cwd=intent.agent.worktree,
            argv=intent.plan.argv,
            env=intent.plan.env,
            agent=intent.agent.id,
        )

    async def _open(self, intent: Intent) -> sessions.Created:
        """Open a window for the agent in the team's session, which is made when it is gone."""
        team, agent = self._team, intent.agent
        session = await asyncio.to_thread(sessions.session_of, self.address, team.id)
        what = partial(
            sessions.create_window if session else sessions.create_session,
            self.address,
            window=agent.role,
            cwd=agent.worktree,
            argv=intent.plan.argv,
            env=intent.plan.env,
            orchestration=team.id,
            agent=agent.id,
        )
        if session is not None:
            return await asyncio.to_thread(what, session_id=session)
        name = await asyncio.to_thread(self._free_name, team)
        created = await asyncio.to_thread(what, name=name)
        self._store.orchestrations.update(team.id, session=name, session_id=created.session_id)
        return created

    def _free_name(self, team: Orchestration) -> str:
        """Return the team's session name, or one like it when a session of somebody else has taken that."""
        names = (team.session, *(f"{team.id}-{number}" for number in range(2, 100)))
        return next(name for name in names if not sessions.is_name_taken(self.address, name))

    async def settle(self) -> None:
        """Store where the programs run that an earlier run had started before it was killed."""
        entries = [entry for entry in self._store.journal.open(self._id) if entry.kind == RESUMES]
        await _settle(self._store, self._tools.settings.resume, self.address, entries, self._tools.clock())

    def write_private_files(self, agent: Agent) -> None:
        """Write anew what belongs into the private folder of an agent that runs."""
        write_files(self._folder(agent), self._plan(agent, "", Verb.CONTINUE))

    def _plan(self, agent: Agent, text: str, verb: Verb) -> LaunchPlan:
        driver = self._driver(agent)
        context = LaunchContext(
            agent=agent,
            folder=self._folder(agent),
            spool=self._tools.paths.spool,
            briefing=text,
            tmorch_argv=self._tools.tmorch_argv,
            env=self._environment(agent),
            team=self._restorer.roles,
        )
        return driver.plan_launch(context) if verb is Verb.START_ANEW else driver.plan_resume(context)

    def _environment(self, agent: Agent) -> dict[str, str]:
        """Return the agent's environment, with the account that its conversation is kept in."""
        environ = self._tools.environ
        env = agent_environment(environ)
        if not agent.account.startswith("/"):
            return env
        env.pop(ACCOUNT, None)
        if expanded("~/.claude", environ) != Path(agent.account):
            env[ACCOUNT] = agent.account
        return env

    def _driver(self, agent: Agent) -> Driver:
        return self._tools.drivers[agent.driver]

    def _folder(self, agent: Agent) -> Path:
        return self._tools.paths.agents / agent.orchestration / agent.role

    def _add(self, agent: AgentId, text: str) -> AgentMessage:
        return self._store.messages.add(
            target=agent,
            sender=TMORCH,
            text=text,
            mode=DeliveryMode.WHEN_IDLE,
            kind=MessageKind.BRIEFING,
            at=self._tools.clock(),
        )


async def settle_left(store: Store, settings: Settings, paths: Paths, at: float) -> None:
    """Settle what a killed resume has left: where its agents run, or that they do not. Costs one query otherwise."""
    for entry in store.journal.open_of_kind(RESUMES):
        agent = store.agents.find(AgentId(entry.payload["agent"]))
        if agent is None or agent.pane is not None or agent.status is not AgentStatus.STARTING:
            continue
        team = store.orchestrations.get(entry.orchestration)
        with alone(paths, team.id) as is_ours:
            if is_ours:  # else it is being done
                address = ServerAddress(bin=settings.tmux.bin, socket_path=team.server)
                await _settle(store, settings.resume, address, [entry], at)
                if store.agents.get(agent.id).pane is None:
                    store.agents.set_verdict(agent.id, CUT_SHORT, at)


@contextmanager
def alone(paths: Paths, team: OrchestrationId, *, patience_s: float = 0.0) -> Iterator[bool]:
    """Be the only one who starts programs of a team, and tell whether we are; a kernel lock, gone when we are."""
    folder = paths.agents / team
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield _locks(descriptor, patience_s)
    finally:
        os.close(descriptor)


def _locks(descriptor: int, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(STEP_S)
        else:
            return True


def _own_pane(panes: Iterable[TaggedPane], agent: AgentId) -> TaggedPane | None:
    own = sorted((pane for pane in panes if pane.agent == agent), key=lambda pane: pane.dead)
    return own[0] if own else None


async def _settle(
    store: Store, settings: ResumeSettings, address: ServerAddress, entries: Sequence[JournalEntry], now: float
) -> None:
    if not entries:
        return
    panes = await asyncio.to_thread(sessions.tagged_panes, address)
    for entry in entries:
        agent = store.agents.get(AgentId(entry.payload["agent"]))
        pane = _own_pane(panes, agent.id)
        if pane is None or (pane.pane_id, str(pane.pid)) == (entry.payload["pane"], entry.payload["pid"]):
            continue  # it was killed before the program was started
        made = pane.pane_id, pane.window_id, pane.pid
        _store_place(store, settings, agent, entry.id, made, own_end=bool(entry.payload["pane"]), now=now)


def _store_place(
    store: Store,
    settings: ResumeSettings,
    agent: Agent,
    entry: int,
    made: tuple[PaneId, WindowId, int],
    *,
    own_end: bool,
    now: float,
) -> None:
    """Store where the agent's program runs now. One that had ended by itself is counted."""
    pane, window, pid = made
    counted = {"restarts": restarts_after(agent, settings, now), "restarted_at": now} if own_end else {}
    with store.transaction():
        store.agents.update(agent.id, pane=pane, window=window, pid=pid, pid_started=started_at(pid), **counted)
        store.journal.close(entry)
        text = f"{agent.role} was started again"
        store.events.add("agent.resumed", text, at=now, orchestration=agent.orchestration, agent=agent.id)
