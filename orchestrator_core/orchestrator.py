"""The facade that every front end holds: each use case is one call."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from orchestrator_core.agents.driver import Driver
from orchestrator_core.check_ins import CheckIns
from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.credits import Credits
from orchestrator_core.errors import NotFoundError
from orchestrator_core.fleet_feed import FleetFeed
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.branch import CleanupResult
from orchestrator_core.models.event import Event
from orchestrator_core.models.evidence import StoredCase, Why
from orchestrator_core.models.fleet import Fleet, SupervisorHealth
from orchestrator_core.models.ids import AgentId, MessageId, OrchestrationId, PaneId
from orchestrator_core.models.launch import Decide, Progress, Proposal
from orchestrator_core.models.message import PERSON, AgentMessage, DeliveryMode, MessageKind
from orchestrator_core.models.need import Answer, Need
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.models.project import WorkAtRisk
from orchestrator_core.models.target import needs_panes, resolve
from orchestrator_core.pausing import Pausing
from orchestrator_core.proposals import Proposals
from orchestrator_core.recovery import Recovery
from orchestrator_core.services.attach import Attachment as Attachment
from orchestrator_core.services.attach import attach
from orchestrator_core.services.guests import TmuxSight
from orchestrator_core.services.liveness import agent_runs
from orchestrator_core.services.previews import Previews as Previews
from orchestrator_core.store import Store
from orchestrator_core.store.admission import limits_of
from orchestrator_core.supervisor import control
from orchestrator_core.supervisor.spawn import ensure_running
from orchestrator_core.tmux.address import ServerAddress

if TYPE_CHECKING:
    from orchestrator_core.services.launch import Tools
    from orchestrator_core.services.why import Inspection

T = TypeVar("T")


class Orchestrator:
    """tmorch's use cases. Raises `TmorchError`s, whose title, cause and remedy are fit to be shown.

    Those that a screen seldom needs are loaded when they are called.
    """

    def __init__(
        self,
        store: Store,
        paths: Paths,
        settings: Settings,
        *,
        drivers: Mapping[str, Driver],
        address: ServerAddress,
        environ: Mapping[str, str],
        tmorch_argv: tuple[str, ...],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._paths = paths
        self._settings = settings
        self._drivers = drivers
        self._address = address
        self._environ = environ
        self._tmorch_argv = tmorch_argv
        self._clock = clock
        inside = environ.get("TMUX", "").rsplit(",", 2)[0]
        self._own_server = os.path.realpath(inside) if inside else ""
        own_pane = PaneId(environ.get("TMUX_PANE", ""))
        self._own_pane = own_pane if self.is_own_pane(own_pane) else None
        self._sight = TmuxSight(address)
        # one thread for the store: a database that is locked for a moment must not freeze a screen
        self._store_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._feed = FleetFeed(
            store,
            self._ask,
            sight=self._sight,
            health=self.health,
            own_pane=self._own_pane,
            shows_guests=settings.tui.guests,
            clock=clock,
        )
        self.check_ins = CheckIns(
            store,
            settings.schedule,
            self._ask,
            find=self._active_agent,
            caller=self._caller,
            wake=lambda: ensure_running(paths, environ),
            clock=clock,
        )
        self.credits = Credits(store, self._ask, clock=clock)
        self.pausing = Pausing(
            store, self._ask, caller=self._caller, wake=lambda: ensure_running(paths, environ), clock=clock
        )
        self.recovery = Recovery(self._tools, self._ask, health=self.health)
        self.proposals = Proposals(store, paths, settings, self._ask, drivers=drivers, environ=environ, clock=clock)

    async def _ask(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._store_thread, question)

    # --- reading

    async def fleet(self) -> Fleet:
        """Return everything a front end shows, read now."""
        return await self._feed.fleet()

    def fleets(self) -> AsyncIterator[Fleet]:
        """Yield the fleet at once and then whenever it differs from the last one yielded."""
        return self._feed.fleets()

    def changes(self) -> AsyncIterator[None]:
        """Yield once at first, and then whenever something may have been written to the store."""
        return self._feed.changes()

    def previews(self) -> Previews:
        """Return a new source of live pictures; the caller closes it."""
        return Previews(self._address)

    async def message(self, message: MessageId) -> AgentMessage:
        """Return a message as it stands now."""
        return await self._ask(lambda: self._store.messages.get(message))

    async def messages(
        self, agent: AgentId | None = None, *, partner: str = "", limit: int = 50, before: int = 0, text: str = ""
    ) -> tuple[AgentMessage, ...]:
        """Return the latest messages to and from `agent`, or all, newest first; see `Messages.between`."""
        find = self._store.messages.between
        return await self._ask(lambda: find(agent or AgentId(""), partner, limit=limit, before=before, text=text))

    async def receipts(self, agent: AgentId, *, limit: int) -> tuple[AgentMessage, ...]:
        """Return the latest messages to `agent`, newest first."""
        return await self._ask(lambda: self._store.messages.latest(agent, limit))

    async def events(
        self,
        *,
        limit: int = 100,
        orchestration: str = "",
        agent: str = "",
        text: str = "",
        after: int = 0,
        before: int = 0,
    ) -> tuple[Event, ...]:
        """Return the latest events of the log, newest first; see `Events.latest`."""
        find = self._store.events.latest
        return await self._ask(
            lambda: find(limit, orchestration=orchestration, agent=agent, text=text, after=after, before=before)
        )

    async def health(self) -> SupervisorHealth:
        """Return how the supervisor is."""
        return await self._ask(lambda: control.health(self._paths, self._store, self._environ))

    # --- why

    async def why(self, target: str) -> Why:
        """Look at the agent that `target` names, and return what its status rests on.

        Raises:
            NotFoundError: `target` names nothing, or more than one agent.

        """
        return (await self._inspect(target)).why

    async def report_wrong(self, target: str, should_be: AgentStatus) -> StoredCase:
        """Store, without anything private, what an agent's status rests on: the person says that it is wrong.

        Raises:
            NotFoundError: `target` names nothing, or more than one agent.
            StoreError: the case cannot be written.

        """
        from orchestrator_core.services.cases import case_of, store_case

        found = await self._inspect(target)
        agent = found.why.agent
        case = case_of(found, self._drivers[agent.driver].patterns, should_be)
        return await self._ask(lambda: store_case(self._paths.state / "cases", case, agent.id))

    async def _inspect(self, target: str) -> Inspection:
        from orchestrator_core.services.why import inspect_at

        known = await self._ask(lambda: self._store.agents.find(AgentId(target)))
        agent = known or await self._active_agent(target)
        run = await self._ask(lambda: self._store.orchestrations.get(agent.orchestration))
        fact = await self._ask(lambda: self._store.hook_facts.of(agent.id))
        address = ServerAddress(bin=self._address.bin, socket_path=run.server)
        return await inspect_at(address, agent, self._drivers, fact, environ=self._environ, now=self._clock())

    async def _active_agent(self, target: str) -> Agent:
        agents = await self._ask(self._store.agents.active)
        panes = await (await self._sight.gateway()).list_panes() if needs_panes(target) else ()
        return resolve(target, agents, panes=panes)

    def _caller(self) -> Agent | None:
        """Return the agent in whose pane we run, or None."""
        return self._store.agents.by_pane(self._own_server, PaneId(self._environ.get("TMUX_PANE", "")))

    # --- messages

    async def send(
        self, target: str, text: str, *, sender: str = PERSON, mode: DeliveryMode = DeliveryMode.WHEN_IDLE
    ) -> AgentMessage:
        """Put `text` into the outbox for the agent that `target` names, and return it with its state.

        Starts the supervisor when it is not running.

        Raises:
            NotFoundError: `target` names nothing, or more than one agent.
            RefusedError: the text is empty, or the sender is an agent that does not write to this one.

        """
        agent = await self._active_agent(target)
        message = await self._ask(
            lambda: self._store.messages.add(
                target=agent.id,
                sender=sender,
                text=text,
                mode=mode,
                kind=MessageKind.TEXT,
                at=self._clock(),
                limits=limits_of(self._settings.messages),
            )
        )
        await self._ask(lambda: ensure_running(self._paths, self._environ))
        self._feed.expect_news()
        return message

    # --- needs

    async def needs(self) -> tuple[Need, ...]:
        """Return what needs the person, oldest first; without what was dismissed."""
        return await self._ask(self._store.needs.open)

    async def answer(self, target: str, choice: str, *, fingerprint: str = "", wait_s: float = 5.0) -> Answer:
        """Answer the dialog of the agent that `target` names, and return what became of it within `wait_s`.

        `choice`: `approve`, `deny`, a choice's digit, or its label or how that alone begins. It is given only to the
        very dialog with `fingerprint` (that of its `Need`), or to the one that the agent is known to show now.

        Raises:
            NotFoundError: `target` names nothing, or more than one agent.
            RefusedError: no dialog is known to be open, or an agent would answer for the person.

        """
        from orchestrator_core.services.answer import request_answer, settled

        agent = await self._active_agent(target)
        store, now = self._store, self._clock()
        answer = await self._ask(
            lambda: request_answer(store, agent, choice, fingerprint, at=now, asker=self._caller())
        )
        await self._ask(lambda: ensure_running(self._paths, self._environ))
        self._feed.expect_news()
        return await settled(lambda: self._ask(lambda: store.answers.get(answer.id)), wait_s)

    async def dismiss(self, key: str) -> bool:
        """Let the person see no more of a need; return False when there is no such open one."""
        from orchestrator_core.services.needs import dismiss_need

        return await self._ask(lambda: dismiss_need(self._store, key, self._clock()))

    # --- teams

    async def start(self, proposal: Proposal, progress: Progress, decide: Decide | None = None) -> Orchestration:
        """Start the proposed team; `progress` hears of each step from this thread.

        `decide` is asked what to do about a step that failed; without it, everything is undone then.

        Raises:
            RefusedError: a team runs on this project already.
            MissingProgramError: the agents' program is not there.
            TmorchError: a step failed, and all was undone or what was kept is named.

        """
        from orchestrator_core.services.launch import Launch
        from orchestrator_core.services.proposal import require_program

        require_program(proposal.driver, self._drivers[proposal.driver])
        return await Launch(self._tools(), proposal, progress, decide).run()

    def _tools(self) -> Tools:
        from orchestrator_core.services.launch import Tools

        return Tools(
            store=self._store,
            paths=self._paths,
            settings=self._settings,
            drivers=self._drivers,
            address=self._address,
            tmorch_argv=self._tmorch_argv,
            start_supervisor=lambda: control.start(self._paths, self._store, self._environ),
            clock=self._clock,
            environ=self._environ,
        )

    async def orchestration(self, name: str) -> Orchestration:
        """Return the orchestration with that id.

        Raises:
            NotFoundError: there is none; `candidates` are those there are.

        """
        known = await self._ask(self._store.orchestrations.list)
        for orchestration in known:
            if orchestration.id == name:
                return orchestration
        names = tuple(o.id for o in known)
        raise NotFoundError(
            f"no team is called {name!r}",
            cause=f"the teams are: {', '.join(names)}" if names else "there is no team yet",
            remedy="`tmorch list` shows them",
            candidates=names,
        )

    async def stop(self, orchestration: OrchestrationId, *, keep_session: bool = False) -> None:
        """End the agents and, unless kept, the tmux session. Worktrees and branches stay.

        Raises:
            NotFoundError: there is no such orchestration.

        """
        from orchestrator_core.services.stop import stop

        known = await self.orchestration(orchestration)
        address = ServerAddress(bin=self._address.bin, socket_path=known.server)
        await stop(self._store, address, known, self._clock(), keep_session=keep_session)

    async def work_at_risk(self, orchestration: OrchestrationId) -> tuple[WorkAtRisk, ...]:
        """Return, for each agent, what a clean-up would take with it."""
        from orchestrator_core.services.cleanup import examine

        known = await self.orchestration(orchestration)
        return await examine(known, self._store.agents.of(known.id))

    async def cleanup(self, orchestration: OrchestrationId, *, force: tuple[str, ...] = ()) -> CleanupResult:
        """Remove the worktrees and branches of a stopped team; all of it stays below `refs/tmorch/trash/`.

        Raises:
            RefusedError: work would be lost that `force` does not name, or the team runs.

        """
        from orchestrator_core.services.cleanup import cleanup

        known = await self.orchestration(orchestration)
        agents = self._store.agents.of(known.id)
        return await cleanup(
            self._store,
            known,
            agents,
            force=force,
            is_live=lambda agent: known.state.is_active or agent_runs(agent),
            now=self._clock,
        )

    async def adopt(self, target: str, *, role: str = "", team: str = "", driver: str = "") -> Agent:
        """Make an agent of one that the person started by hand in the pane that `target` names, and return it.

        Raises as `services.adopt.adopt`.
        """
        from orchestrator_core.services.adopt import Wish, adopt

        wish = Wish(target=target, role=role, team=team, driver=driver)
        panes = await (await self._sight.gateway()).list_panes()
        agent = await adopt(self._store, self._address, self._drivers, panes, wish, self._paths, self._clock())
        await self._ask(lambda: ensure_running(self._paths, self._environ))
        return agent

    # --- supervisor and tmux

    async def start_supervisor(self) -> SupervisorHealth:
        """Start the supervisor unless one runs, and return its health once it has given a sign of life."""
        return await self._ask(lambda: control.start(self._paths, self._store, self._environ))

    async def stop_supervisor(self) -> bool:
        """End the supervisor; return False when none ran. Agents go on."""
        return await self._ask(lambda: control.stop(self._paths, self._store))

    async def attach(self, pane: PaneId, *, server: str = "") -> Attachment:
        """Bring the person to `pane`: switch their tmux client, or say what to run in the foreground."""
        if server and server != self._address.socket_path:
            other = TmuxSight(ServerAddress(bin=self._address.bin, socket_path=server))
            try:
                return await attach(
                    await other.gateway(),
                    ServerAddress(bin=self._address.bin, socket_path=server),
                    pane,
                    self._environ,
                )
            finally:
                await other.close()
        return await attach(await self._sight.gateway(), self._address, pane, self._environ)

    def is_own_pane(self, pane: PaneId, *, server: str = "") -> bool:
        """Whether we run in `pane` ourselves. Pane ids are those of one server: `server` is its socket path."""
        return pane == self._environ.get("TMUX_PANE") and (server or self._address.socket_path) == self._own_server

    async def close(self) -> None:
        """Let go of the database and of tmux. No agent is touched."""
        await self._sight.close()
        await self._ask(self._store.close)
        self._store_thread.shutdown(wait=False)
