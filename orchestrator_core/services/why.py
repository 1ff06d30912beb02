"""Looking at everything that is known of one agent right now, and saying what its status rests on."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from orchestrator_core.agents.driver import Driver
from orchestrator_core.agents.evidence import Evidence, Judgement, ProcessEvidence, SessionOwner
from orchestrator_core.agents.grounds import grounds
from orchestrator_core.agents.screen import read_screen
from orchestrator_core.agents.status import at_gate, judge
from orchestrator_core.errors import NotFoundError, TmuxGoneError
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.evidence import Why
from orchestrator_core.models.hook import HookFact
from orchestrator_core.models.pane import Pane, PaneFrame
from orchestrator_core.services.evidence import SessionFiles, process_of
from orchestrator_core.services.guests import TmuxSight
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.gateway import TmuxGateway


class Inspection(Struct, frozen=True, kw_only=True):
    """One agent, looked at with everything there is."""

    why: Why
    evidence: Evidence
    judgement: Judgement
    frame: PaneFrame | None
    """Its screen; None when it has none."""


async def inspect(
    gateway: TmuxGateway,
    agent: Agent,
    driver: Driver,
    fact: HookFact | None,
    *,
    environ: Mapping[str, str],
    now: float,
) -> Inspection:
    """Look at an agent. `environ` says where its program keeps its session files. Changes nothing."""
    sessions = SessionFiles({agent.driver: driver}, environ)
    sessions.refresh([agent])
    session = sessions.of(agent.id)
    process, frame = await _look(gateway, agent, driver)
    evidence = Evidence(
        process=process,
        session=session.says if session else None,
        session_owner=session.owner if session else SessionOwner.AGENT,
        hook=fact,
        reading=read_screen(frame, driver.patterns) if frame else None,
        read_at=now if frame else None,
        disagreeing_since=0.0 if agent.status is AgentStatus.UNKNOWN else None,  # the supervisor gave them their time
    )
    judgement = judge(evidence, previous=agent, now=now)
    why = Why(
        agent=agent,
        verdict=at_gate(judgement.verdict, agent, driver),
        grounds=grounds(evidence, judgement, agent),
        looked_at=now,
    )
    return Inspection(why=why, evidence=evidence, judgement=judgement, frame=frame)


async def inspect_at(
    address: ServerAddress,
    agent: Agent,
    drivers: Mapping[str, Driver],
    fact: HookFact | None,
    *,
    environ: Mapping[str, str],
    now: float,
) -> Inspection:
    """Look at an agent on the tmux server at `address`; see `inspect`.

    Raises:
        NotFoundError: the settings have no such kind of agent any more.

    """
    driver = drivers.get(agent.driver)
    if driver is None:
        raise NotFoundError(
            f"{agent.id} cannot be looked at",
            cause=f"there is no kind of agent called {agent.driver!r}",
            remedy="`tmorch doctor` says what is wrong with the settings",
            candidates=tuple(drivers),
        )
    sight = TmuxSight(address)
    try:
        return await inspect(await sight.gateway(), agent, driver, fact, environ=environ, now=now)
    finally:
        await sight.close()


async def _look(gateway: TmuxGateway, agent: Agent, driver: Driver) -> tuple[ProcessEvidence, PaneFrame | None]:
    """Return what tmux says of the agent; a server that is gone has no panes."""
    try:
        pane = await _pane_of(gateway, agent)
        process = process_of(agent, pane, driver)
        return process, await gateway.capture(pane.pane_id) if pane and process.exists else None
    except (TmuxGoneError, NotFoundError):
        return ProcessEvidence(exists=False), None


async def _pane_of(gateway: TmuxGateway, agent: Agent) -> Pane | None:
    return next((pane for pane in await gateway.list_panes() if pane.pane_id == agent.pane), None)
