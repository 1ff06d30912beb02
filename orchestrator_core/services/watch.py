"""Keeping every agent's status true, at a cost that does not grow with what is idle.

tmux says for each pane when its window last put something out. A pane is read again only when that moment is not
before the last reading, so a quiet fleet costs one `list-panes` a round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from orchestrator_core.agents.driver import Driver, GatePolicy
from orchestrator_core.agents.screen import Reading, read_screen
from orchestrator_core.agents.sgr import strip
from orchestrator_core.agents.status import ProcessEvidence, is_agent_process, judge
from orchestrator_core.errors import TmuxGoneError
from orchestrator_core.models.agent import Agent, AgentStatus, Verdict
from orchestrator_core.models.ids import AgentId, PaneId
from orchestrator_core.models.pane import Pane, PaneFrame
from orchestrator_core.services.connections import Connections
from orchestrator_core.store import Store
from orchestrator_core.tmux.gateway import TmuxGateway

LAST_WORDS = 12
"""How many of its last lines are kept of an agent that ended."""
SETTLED_S = 2
"""For how many seconds after the last output of any pane each round reads again."""


class Seen(Struct, frozen=True, kw_only=True):
    """What was last read of an agent."""

    second: int
    """The whole second in which it was read."""
    reading: Reading


class Change(Struct, frozen=True, kw_only=True):
    """An agent whose verdict changed in a round."""

    agent: Agent
    verdict: Verdict


class Watch:
    """Reads the agents' panes and writes their verdicts."""

    def __init__(
        self,
        store: Store,
        connections: Connections,
        drivers: Mapping[str, Driver],
        clock: Callable[[], float],
        report: Callable[[str], None],
    ) -> None:
        self._store = store
        self._connections = connections
        self._drivers = drivers
        self._clock = clock
        self._report = report
        self._seen: dict[AgentId, Seen] = {}
        self._revision = (-1, -1)
        self._judged: dict[str, tuple[tuple[Pane, ...], tuple[int, int]]] = {}
        self._agents: dict[str, list[Agent]] = {}
        self._left_to_person: set[tuple[AgentId, str]] = set()

    def forget(self, agent: AgentId) -> None:
        """Read this agent's screen in the next round, whatever tmux says of its activity."""
        self._seen.pop(agent, None)

    async def round(self) -> tuple[Change, ...]:
        """Look at every agent of the active orchestrations once, and return whose verdict changed."""
        by_server = self._roster()
        await self._connections.keep(frozenset(by_server))
        self._seen = {a.id: s for group in by_server.values() for a in group if (s := self._seen.get(a.id))}
        verdicts: list[tuple[Agent, Verdict]] = []
        for server, agents in by_server.items():
            verdicts += await self._round_of_server(server, agents)
        return self._write(verdicts)

    def _roster(self) -> dict[str, list[Agent]]:
        """Return the agents of the active orchestrations by their server; read again only when anything changed."""
        revision = self._store.revision()
        if revision != self._revision:
            servers = {o.id: o.server for o in self._store.orchestrations.list(active=True)}
            self._agents = {}
            for agent in self._store.agents.active():
                self._agents.setdefault(servers.get(agent.orchestration, ""), []).append(agent)
            self._revision = revision
        return self._agents

    async def _round_of_server(self, server: str, agents: list[Agent]) -> list[tuple[Agent, Verdict]]:
        gateway = await self._connections.gateway(server)
        second = int(self._clock())  # before looking: what comes during this second is read again
        try:
            listed = await gateway.list_panes()
            if not self._is_news(server, listed):
                return []
            panes = {pane.pane_id: pane for pane in listed}
            frames = await self._read_dirty(gateway, agents, panes)
            await self._keep_last_words(gateway, agents, panes)
        except TmuxGoneError as error:
            return [(agent, _gone(f"the tmux server is not there: {error.title}")) for agent in agents]
        verdicts = []
        for agent in agents:
            try:
                self._take_in(agent, second, frames)
                verdict = self._judge(agent, panes.get(agent.pane) if agent.pane else None)
            except (ValueError, LookupError, TypeError) as fault:  # one agent's fault leaves the others alone
                self._report(f"{agent.id}: {type(fault).__name__}: {fault}")
                verdict = Verdict(status=AgentStatus.UNKNOWN, reason=f"its evidence cannot be read: {fault}")
            if verdict is not None:
                verdicts.append((agent, verdict))
        return verdicts

    def _is_news(self, server: str, listed: tuple[Pane, ...]) -> bool:
        """Whether anything may be judged otherwise than in the last round; what starts is judged by time too."""
        known = self._judged.get(server)
        self._judged[server] = (listed, self._revision)
        second = max((pane.activity for pane in listed), default=0)
        has_starting = any(a.status is AgentStatus.STARTING for a in self._agents.get(server, ()))
        is_settled = second < int(self._clock()) - SETTLED_S
        return not is_settled or has_starting or known is None or known[0] is not listed or known[1] != self._revision

    async def _read_dirty(
        self, gateway: TmuxGateway, agents: Iterable[Agent], panes: Mapping[PaneId, Pane]
    ) -> dict[PaneId, PaneFrame]:
        dirty = [
            agent.pane
            for agent in agents
            if agent.pane in panes and agent.pane and self._is_dirty(agent, panes[agent.pane])
        ]
        return await gateway.captures(dirty) if dirty else {}

    async def _keep_last_words(
        self, gateway: TmuxGateway, agents: Iterable[Agent], panes: Mapping[PaneId, Pane]
    ) -> None:
        for agent in agents:
            pane = panes.get(agent.pane) if agent.pane else None
            if pane is None or not pane.dead or not agent.status.is_live or pane.agent_tag != agent.id:
                continue
            if pane.exit_status is None:
                await gateway.reap()
            words = last_words(await gateway.capture(pane.pane_id, history=LAST_WORDS))
            if words:
                self._store.agents.update(agent.id, last_output=words)

    def _is_dirty(self, agent: Agent, pane: Pane) -> bool:
        seen = self._seen.get(agent.id)
        return seen is None or pane.activity >= seen.second or agent.status is AgentStatus.STARTING

    def _take_in(self, agent: Agent, second: int, frames: Mapping[PaneId, PaneFrame]) -> None:
        frame = frames.get(agent.pane) if agent.pane else None
        if frame is None:
            return
        self._seen[agent.id] = Seen(second=second, reading=read_screen(frame, self._drivers[agent.driver].patterns))

    def _judge(self, agent: Agent, pane: Pane | None) -> Verdict | None:
        if agent.pane is None:
            return None
        if pane is None or pane.agent_tag != agent.id:
            return _gone("its pane is gone")
        evidence = ProcessEvidence(
            exists=True,
            dead=pane.dead,
            exit_status=pane.exit_status,
            command=pane.command,
            pid=pane.pid,
            is_agent=not pane.dead and is_agent_process(pane.command, pane.pid, agent, self._drivers[agent.driver]),
        )
        return self._at_gate(agent, judge(evidence, self.reading(agent.id), previous=agent, now=self._clock()))

    def _at_gate(self, agent: Agent, verdict: Verdict) -> Verdict:
        """Count an agent at a gate that the settings answer as starting: no person is needed."""
        policy = self._drivers[agent.driver].gates.get(verdict.waiting_for, GatePolicy.ASK)
        if verdict.status is not AgentStatus.WAITING or policy is GatePolicy.ASK:
            return verdict
        if agent.status is not AgentStatus.STARTING or (agent.id, verdict.waiting_for) in self._left_to_person:
            return verdict
        reason = f"its {verdict.waiting_for} dialog is being answered as the settings say"
        return Verdict(status=AgentStatus.STARTING, reason=reason, waiting_for=verdict.waiting_for)

    def leave_to_person(self, agent: AgentId, gate: str) -> None:
        """Show the agent as waiting from now on while it shows `gate`: the answer could not be given."""
        self._left_to_person.add((agent, gate))

    def reading(self, agent: AgentId) -> Reading | None:
        """Return what was last read of an agent's screen."""
        seen = self._seen.get(agent)
        return seen.reading if seen else None

    def _write(self, verdicts: Iterable[tuple[Agent, Verdict]]) -> tuple[Change, ...]:
        changed = [
            (agent, verdict)
            for agent, verdict in verdicts
            if (agent.status, agent.reason, agent.doing, agent.waiting_for)
            != (verdict.status, verdict.reason, verdict.doing, verdict.waiting_for)
        ]
        if not changed:
            return ()
        at = self._clock()
        with self._store.transaction():
            for agent, verdict in changed:
                self._store.agents.set_verdict(agent.id, verdict, at)
                if agent.status is not verdict.status:
                    self._store.events.add(
                        "agent.status",
                        f"{agent.role} is {verdict.status}: {verdict.reason}",
                        at=at,
                        orchestration=agent.orchestration,
                        agent=agent.id,
                    )
        return tuple(Change(agent=agent, verdict=verdict) for agent, verdict in changed)


def _gone(reason: str) -> Verdict:
    return Verdict(status=AgentStatus.EXITED, reason=reason)


def last_words(frame: PaneFrame) -> str:
    """Return the last lines that a program wrote, as plain text."""
    lines = [strip(line).rstrip() for line in frame.lines]
    return "\n".join([line for line in lines if line][-LAST_WORDS:])
