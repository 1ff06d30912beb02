"""What the supervisor does at one agent's pane when it has its turn: answer a gate, or deliver what waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator_core.agents.driver import BriefingRoad, Driver
from orchestrator_core.errors import TmuxGoneError
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.message import AgentMessage, MessageKind, MessageState
from orchestrator_core.services.connections import Connections
from orchestrator_core.services.deliver import Delivery
from orchestrator_core.services.gates import answer_gate
from orchestrator_core.store import Store


class Server:
    """Serves one agent at a time; calls for one agent must not overlap."""

    def __init__(
        self,
        store: Store,
        connections: Connections,
        drivers: Mapping[str, Driver],
        clock: Callable[[], float],
        leave_to_person: Callable[[AgentId, str], None],
    ) -> None:
        self._leave_to_person = leave_to_person
        self._store = store
        self._connections = connections
        self._drivers = drivers
        self._clock = clock

    async def serve(self, agent_id: AgentId) -> None:
        """Answer the agent's start-up gate if it shows one, then deliver all that may be typed now."""
        agent = self._store.agents.get(agent_id)
        delivery = await self._delivery(agent)
        if delivery is None:
            self._store.messages.hold(agent_id, f"it has {agent.status}: {agent.reason}")
            return
        try:
            if agent.status in (AgentStatus.STARTING, AgentStatus.WAITING):
                await self._answer_gate(agent)
            while await delivery.next():
                pass
        except TmuxGoneError as gone:
            self._store.messages.hold(agent_id, f"the tmux server is not there: {gone.title}")

    async def recover(self, message: AgentMessage) -> None:
        """Settle a message that a crash left half typed."""
        agent = self._store.agents.get(message.target)
        if _given_as_argument(message, self._drivers[agent.driver]):
            return
        delivery = await self._delivery(agent)
        try:
            if delivery is not None:
                await delivery.recover(message)
                return
        except TmuxGoneError:
            pass
        self._store.messages.finish(
            message.id,
            MessageState.UNCONFIRMED,
            reason="the supervisor stopped while it was being typed, and the agent is gone",
            at=self._clock(),
        )

    async def _delivery(self, agent: Agent) -> Delivery | None:
        if agent.pane is None or not agent.status.is_live:
            return None
        server = self._store.orchestrations.get(agent.orchestration).server
        gateway = await self._connections.gateway(server)
        return Delivery(self._store, gateway, agent, self._drivers[agent.driver], self._clock)

    async def _answer_gate(self, agent: Agent) -> None:
        server = self._store.orchestrations.get(agent.orchestration).server
        answer = await answer_gate(await self._connections.gateway(server), agent, self._drivers[agent.driver])
        if answer is not None and not answer.given:
            self._leave_to_person(agent.id, answer.gate)
        if answer is not None and answer.given:
            self._store.events.add(
                "agent.gate",
                f"{agent.role}: the {answer.gate} dialog was answered as the settings say",
                at=self._clock(),
                orchestration=agent.orchestration,
                agent=agent.id,
            )

    def settle_briefings(self, has_prompted: Callable[[AgentId], bool]) -> bool:
        """Write down which briefings that were given as an argument have become a first prompt.

        `has_prompted` tells whether an agent's screen shows a submitted prompt. Return whether some are still open.
        """
        is_open = False
        for message in self._store.messages.interrupted():
            if message.kind is not MessageKind.BRIEFING:
                continue
            agent = self._store.agents.get(message.target)
            if not _given_as_argument(message, self._drivers[agent.driver]):
                continue
            if not agent.status.is_live:
                self._settle(message, agent, MessageState.REFUSED, "the agent ended before it took the briefing")
            elif agent.status is AgentStatus.WORKING or has_prompted(agent.id):
                self._settle(message, agent, MessageState.DELIVERED, "")
            else:
                is_open = True
        return is_open

    def _settle(self, message: AgentMessage, agent: Agent, state: MessageState, reason: str) -> None:
        self._store.messages.finish(message.id, state, reason=reason, pane=agent.pane, at=self._clock())


def _given_as_argument(message: AgentMessage, driver: Driver) -> bool:
    return message.kind is MessageKind.BRIEFING and driver.road_of(message.text) is BriefingRoad.ARGUMENT
