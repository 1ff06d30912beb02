"""What the supervisor does at one agent's pane when it has its turn: answer a gate, or deliver what waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator_core.agents.driver import BriefingRoad, Driver
from orchestrator_core.errors import TimedOutError, TmuxGoneError
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.message import AgentMessage, MessageKind, MessageState
from orchestrator_core.services.answer import give_answers
from orchestrator_core.services.connections import Connections
from orchestrator_core.services.deliver import Delivery
from orchestrator_core.services.gates import answer_gate
from orchestrator_core.services.hand_over import HandOver, Offer
from orchestrator_core.services.holding import why_held
from orchestrator_core.services.limit_menu import leave_limit_menu
from orchestrator_core.store import Store
from orchestrator_core.tmux.gateway import TmuxGateway


class Server:
    """Serves one agent at a time; calls for one agent must not overlap."""

    def __init__(
        self,
        store: Store,
        connections: Connections,
        drivers: Mapping[str, Driver],
        clock: Callable[[], float],
        leave_to_person: Callable[[AgentId, str], None],
        agents_folder: Path,
        *,
        may_hand_over: bool,
    ) -> None:
        self._leave_to_person = leave_to_person
        self._store = store
        self._connections = connections
        self._drivers = drivers
        self._clock = clock
        self._agents_folder = agents_folder
        self._may_hand_over = may_hand_over

    async def serve(self, agent_id: AgentId) -> None:
        """Give the person's answers, answer a start-up gate, settle what was claimed, deliver what may be typed now."""
        await give_answers(self._store, self._connections, self._drivers, agent_id, self._clock)
        agent = self._store.agents.get(agent_id)
        try:
            delivery = await self._delivery(agent)
            if delivery is None:
                self._store.messages.hold(agent_id, "it has no pane")
                return
            if agent.status in (AgentStatus.STARTING, AgentStatus.WAITING):
                await self._answer_gate(agent)
            if agent.status is AgentStatus.LIMITED and self._store.continuations.waiting_nudge(agent_id) is not None:
                await leave_limit_menu(await self._gateway(agent), agent, self._drivers[agent.driver])
            if not await self._settle(agent, delivery):
                return
            if self._awaits_briefing(agent):
                hindrance = await delivery.hindrance()
                self._store.messages.hold(agent_id, hindrance.reason if hindrance else "its briefing comes first")
                return
            while not (held := why_held(self._store, agent_id)) and await delivery.next():
                pass
            if held:
                self._store.messages.hold(agent_id, held)
            else:
                self._offer(agent, delivery)
        except TmuxGoneError as gone:
            self._store.messages.hold(agent_id, f"the tmux server is not there: {gone.title}")
        except TimedOutError as late:
            self._store.messages.hold(agent_id, f"tmux does not answer: {late.title}")

    async def _delivery(self, agent: Agent) -> Delivery | None:
        if agent.pane is None:
            return None
        return Delivery(self._store, await self._gateway(agent), agent, self._drivers[agent.driver], self._clock)

    async def _gateway(self, agent: Agent) -> TmuxGateway:
        server = self._store.orchestrations.get(agent.orchestration).server
        return await self._connections.gateway(server)

    # --- what was claimed before

    async def _settle(self, agent: Agent, delivery: Delivery) -> bool:
        """Settle the messages that were claimed for the agent, and return whether its pane is free for others."""
        driver = self._drivers[agent.driver]
        for message in self._store.messages.interrupted(agent.id):
            if _given_as_argument(message, driver):
                continue
            standing = self._hand_over(agent).standing(message)
            is_settled = (
                await delivery.settle(message)
                if standing is Offer.NONE
                else await self._settle_offer(agent, delivery, message, standing)
            )
            if not is_settled:
                return False
        return True

    def _awaits_briefing(self, agent: Agent) -> bool:
        """Whether a briefing is still to come as an argument: the prompt may be free for a moment before that."""
        driver = self._drivers[agent.driver]
        claimed = self._store.messages.interrupted(agent.id)
        return driver.has_hooks and agent.status.is_live and any(_given_as_argument(m, driver) for m in claimed)

    async def _settle_offer(self, agent: Agent, delivery: Delivery, message: AgentMessage, standing: Offer) -> bool:
        """Settle an offer that was taken; take it back once its prompt can be typed into, or it is idle or held."""
        hand_over = self._hand_over(agent)
        if standing is Offer.OPEN:
            hindrance = await delivery.hindrance()
            is_held = bool(why_held(self._store, agent.id))
            if hindrance is not None and hindrance.may_hand_over and not is_held:
                return False
            standing = hand_over.withdraw(message)
        hand_over.settle(message, standing)
        return True

    def _offer(self, agent: Agent, delivery: Delivery) -> None:
        """Offer a message to the agent's own hook when it works and its prompt cannot be typed into."""
        hindrance = delivery.obstacle
        if self._may_hand_over and hindrance is not None and hindrance.may_hand_over:
            self._hand_over(agent).offer(hindrance.reason)

    def _hand_over(self, agent: Agent) -> HandOver:
        return HandOver(self._store, self._agents_folder, agent, self._drivers[agent.driver], self._clock)

    # --- gates and briefings

    async def _answer_gate(self, agent: Agent) -> None:
        answer = await answer_gate(await self._gateway(agent), agent, self._drivers[agent.driver])
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
                self._settle_briefing(
                    message, agent, MessageState.REFUSED, "the agent ended before it took the briefing"
                )
            elif agent.status is AgentStatus.WORKING or has_prompted(agent.id):
                self._settle_briefing(message, agent, MessageState.DELIVERED, "")
            else:
                is_open = True
        return is_open

    def _settle_briefing(self, message: AgentMessage, agent: Agent, state: MessageState, reason: str) -> None:
        self._store.messages.finish(message.id, state, reason=reason, pane=agent.pane, at=self._clock())


def _given_as_argument(message: AgentMessage, driver: Driver) -> bool:
    return message.kind is MessageKind.BRIEFING and driver.road_of(message.text) is BriefingRoad.ARGUMENT
