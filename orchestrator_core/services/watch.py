"""Keeping every agent's status true, at a cost that does not grow with what is idle.

tmux says for each pane when its window last put something out. A pane is read again only when that moment is not
before the last reading, or when its agent's own file or hooks have told something since: a quiet fleet costs one
`list-panes` and a `stat` an agent a round.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from orchestrator_core.agents.driver import Driver
from orchestrator_core.agents.evidence import Evidence, Judgement, SessionOwner
from orchestrator_core.agents.screen import Reading, read_screen
from orchestrator_core.agents.sgr import strip
from orchestrator_core.agents.shown import Shown, fingerprint_of, shown_after
from orchestrator_core.agents.status import at_gate, judge
from orchestrator_core.errors import TimedOutError, TmuxGoneError
from orchestrator_core.models.agent import Agent, AgentStatus, Verdict
from orchestrator_core.models.hook import HookFact
from orchestrator_core.models.ids import AgentId, PaneId
from orchestrator_core.models.pane import Pane, PaneFrame
from orchestrator_core.services.connections import Connections
from orchestrator_core.services.evidence import SessionFiles, process_of, with_limit_end
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
    at: float
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
        agents_folder: Path,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._store = store
        self._agents_folder = agents_folder
        self._connections = connections
        self._drivers = drivers
        self._clock = clock
        self._report = report
        self._seen: dict[AgentId, Seen] = {}
        self._shown: dict[AgentId, Shown] = {}
        self._revision = (-1, -1)
        self._judged: dict[str, tuple[tuple[Pane, ...], tuple[int, int]]] = {}
        self._agents: dict[str, list[Agent]] = {}
        self._sessions = SessionFiles(drivers, environ)
        self._facts: dict[AgentId, HookFact] = {}
        self._disputed: dict[AgentId, float] = {}
        self._passing: frozenset[AgentId] = frozenset()
        self._left_to_person: set[tuple[AgentId, str]] = set()

    def forget(self, agent: AgentId) -> None:
        """Read this agent's screen in the next round, whatever tmux says of its activity."""
        self._seen.pop(agent, None)

    @property
    def agents(self) -> tuple[Agent, ...]:
        """The agents of the active orchestrations, as they were at the beginning of the last round."""
        return tuple(agent for agents in self._agents.values() for agent in agents)

    @property
    def is_passing(self) -> bool:
        """Whether some agent goes from one state to another: look again sooner than usual."""
        return bool(self._passing)

    async def round(self) -> tuple[Change, ...]:
        """Look at every agent of the active orchestrations once, and return whose verdict changed."""
        by_server = self._roster()
        await self._connections.keep(frozenset(by_server))
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
            active = self._store.agents.active()
            for agent in active:
                self._agents.setdefault(servers.get(agent.orchestration, ""), []).append(agent)
            self._facts = self._store.hook_facts.all()
            self._forget_others(frozenset(agent.id for agent in active if agent.pane))
            self._revision = revision
        return self._agents

    def _forget_others(self, kept: frozenset[AgentId]) -> None:
        self._seen = {agent: seen for agent, seen in self._seen.items() if agent in kept}
        self._shown = {agent: shown for agent, shown in self._shown.items() if agent in kept}
        self._disputed = {agent: since for agent, since in self._disputed.items() if agent in kept}
        self._passing &= kept
        self._sessions.forget_others(kept)

    async def _round_of_server(self, server: str, agents: list[Agent]) -> list[tuple[Agent, Verdict]]:
        gateway = await self._connections.gateway(server)
        now = self._clock()  # before looking: what comes during this second is read again
        told = self._sessions.refresh(agents)
        try:
            listed = await gateway.list_panes()
            if not self._is_news(server, listed) and not told and not self._is_restless(agents):
                return []
            panes = {pane.pane_id: pane for pane in listed}
            frames = await self._read_dirty(gateway, agents, panes)
            await self._keep_last_words(gateway, agents, panes)
        except TmuxGoneError as error:
            self._passing -= {agent.id for agent in agents}
            gone = _gone(f"the tmux server is not there: {error.title}")
            return [(agent, gone) for agent in agents if agent.pane]  # without one it is being started just now
        except TimedOutError as error:  # it hangs: that must not keep the other servers' agents from being seen
            self._report(f"{error.title}: {error.cause}")
            return []
        verdicts = []
        for agent in agents:
            try:
                pane = panes.get(agent.pane) if agent.pane else None
                self._take_in(agent, now, frames, pane)
                verdict = self._judge(agent, pane)
            except (ValueError, LookupError, TypeError) as fault:  # one agent's fault leaves the others alone
                self._report(f"{agent.id}: {type(fault).__name__}: {fault}")
                self._passing -= {agent.id}
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

    def _is_restless(self, agents: Iterable[Agent]) -> bool:
        return bool(self._passing) and any(agent.id in self._passing for agent in agents)

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
        if seen is None or pane.activity >= seen.second or agent.status is AgentStatus.STARTING:
            return True
        return agent.id in self._passing or seen.at < self._told_at(agent.id) <= self._clock()

    def _told_at(self, agent: AgentId) -> float:
        """Return when the agent's own file or hooks last told something."""
        session, fact = self._sessions.of(agent), self._facts.get(agent)
        is_own = session is not None and session.owner is SessionOwner.AGENT
        return max((session.says.status_at or 0.0) if session and is_own else 0.0, fact.at if fact else 0.0)

    def _take_in(self, agent: Agent, now: float, frames: Mapping[PaneId, PaneFrame], pane: Pane | None) -> None:
        frame = frames.get(agent.pane) if agent.pane else None
        if frame is None:
            return
        patterns = self._drivers[agent.driver].patterns
        self._seen[agent.id] = Seen(second=int(now), at=now, reading=read_screen(frame, patterns))
        fingerprint, activity = fingerprint_of(frame, patterns), pane.activity if pane else now
        self._shown[agent.id] = shown_after(self._shown.get(agent.id), fingerprint, now=now, activity=activity)

    def _judge(self, agent: Agent, pane: Pane | None) -> Verdict | None:
        if agent.pane is None:
            return None
        driver, now = self._drivers[agent.driver], self._clock()
        evidence = self._evidence(agent, pane, driver)
        judgement = judge(evidence, previous=agent, now=now)
        self._note(agent.id, judgement, now)
        verdict = with_limit_end(judgement.verdict, evidence, agent, self._agents_folder, now)
        if (agent.id, verdict.waiting_for) in self._left_to_person:
            return verdict
        return at_gate(verdict, agent, driver)

    def _evidence(self, agent: Agent, pane: Pane | None, driver: Driver) -> Evidence:
        session, seen = self._sessions.of(agent.id), self._seen.get(agent.id)
        return Evidence(
            process=process_of(agent, pane, driver),
            session=session.says if session else None,
            session_owner=session.owner if session else SessionOwner.AGENT,
            hook=self._facts.get(agent.id),
            reading=seen.reading if seen else None,
            read_at=seen.at if seen else None,
            disagreeing_since=self._disputed.get(agent.id),
        )

    def _note(self, agent: AgentId, judgement: Judgement, now: float) -> None:
        """Remember what the next judgement of this agent depends on."""
        if judgement.is_disputed:
            self._disputed.setdefault(agent, now)
        else:
            self._disputed.pop(agent, None)
        if judgement.is_passing is not (agent in self._passing):
            self._passing ^= {agent}

    def leave_to_person(self, agent: AgentId, gate: str) -> None:
        """Show the agent as waiting from now on while it shows `gate`: the answer could not be given."""
        self._left_to_person.add((agent, gate))

    def reading(self, agent: AgentId) -> Reading | None:
        """Return what was last read of an agent's screen."""
        seen = self._seen.get(agent)
        return seen.reading if seen else None

    def shown(self, agent: AgentId) -> Shown | None:
        """Return since when an agent's screen shows nothing new; None while it has not been read."""
        return self._shown.get(agent)

    def fact(self, agent: AgentId) -> HookFact | None:
        """Return the latest that an agent's hooks told, as of the last round."""
        return self._facts.get(agent)

    def _write(self, verdicts: Iterable[tuple[Agent, Verdict]]) -> tuple[Change, ...]:
        changed = [
            (agent, verdict)
            for agent, verdict in verdicts
            if any(getattr(agent, name) != getattr(verdict, name) for name in Verdict.__struct_fields__)
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
