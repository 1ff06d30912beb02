"""Taking in what agents' hooks tell: the latest fact of each agent, its conversation, and which messages it has.

A hook belongs to the agent whose settings named it, and counts only when it comes from that agent's conversation and
pane; only the start of a conversation moves an agent to another one. What one hook changes is stored in one
transaction, and its file removed afterwards: a file met again after a crash changes nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from orchestrator_core.agents.claude.hooks import claim_of, conversation_of, detail_of, has_background
from orchestrator_core.errors import NotFoundError, StoreError, TmorchError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.hook import HookClaim, HookFact
from orchestrator_core.models.ids import MessageId
from orchestrator_core.models.message import AgentMessage, MessageKind, MessageState
from orchestrator_core.services.spool import BROKEN, Spool, Told
from orchestrator_core.store import Store

TURN_S = 0.2
"""How long one drain may take; the rest comes with the next one."""
TIDY_S = 60.0
AHEAD_S = 60.0
"""A fact that is this far in the future was told before the clock was set back."""
ITS_OWN_FAULT = ("constraint", "not-text")
"""The codes of what the store would refuse again and again."""
HEADER = re.compile(r"\s*\[tmorch (\d{1,15}) ")
"""Only at the beginning of a prompt: further on it is somebody's quotation."""
ON_ITS_WAY = (MessageState.DELIVERING, MessageState.DELIVERED, MessageState.UNCONFIRMED)
CONVERSATIONS = {
    "clear": "began a new conversation (/clear)",
    "resume": "went over to another conversation (/resume)",
}
ENDS = {HookClaim.FAILED: ("hook.failed", "its turn failed"), HookClaim.LIMITED: ("hook.limited", "it met a limit")}


class HookInbox:
    """What the agents' hooks have told. Only the supervisor drains it."""

    def __init__(self, spool: Path, store: Store, clock: Callable[[], float], report: Callable[[str], None]) -> None:
        self._spool = Spool(spool, report)
        self._store = store
        self._clock = clock
        self._tidied_at = float("-inf")
        self._strangers: set[tuple[str, str]] = set()
        """Whom and why hooks were not believed: each is told of once."""

    def drain(self) -> tuple[HookFact, ...]:
        """Take in what was told, oldest first, and return what is new of the agents' states.

        Cheap when there is nothing.

        Raises:
            StoreError: the store cannot be written to; what is left comes with the next call.

        """
        began = time.monotonic()
        if began - self._tidied_at > TIDY_S:
            self._tidied_at = began
            self._spool.tidy(self._clock())
        facts = []
        for name in self._spool.names():
            told = self._spool.read(name)
            if told and (fact := self._take(told)):
                facts.append(fact)
            if time.monotonic() - began > TURN_S:
                break
        return tuple(facts)

    def _take(self, told: Told) -> HookFact | None:
        try:
            with self._store.transaction():
                agent = self._store.agents.find(told.agent)
                fact = self._take_in(agent, told) if agent else self._turn_away(told, "there is no such agent")
        except (TmorchError, *BROKEN) as fault:
            if isinstance(fault, StoreError) and fault.code not in ITS_OWN_FAULT:
                raise
            self._spool.set_aside(told.name, str(fault))  # the others must not wait for it
            return None
        self._spool.done(told.name)
        return fact

    def _take_in(self, agent: Agent, told: Told) -> HookFact | None:
        event = str(told.payload.get("hook_event_name", ""))
        conversation = conversation_of(told.payload)
        if told.pane and agent.pane and told.pane != agent.pane:
            return self._turn_away(told, f"they come from pane {told.pane}, and it is in {agent.pane}")
        if conversation != agent.conversation and not self._follow(agent, told, event, conversation):
            return self._turn_away(told, f"they are of another conversation, {conversation or 'which has no name'}")
        if event == "UserPromptSubmit":
            self._acknowledge_prompt(agent, str(told.payload.get("prompt", "")), told.at)
        if told.handed_over is not None:
            self._acknowledge(agent, told.handed_over, told.at)
        return self._put(agent, told, event, conversation)

    def _turn_away(self, told: Told, why: str) -> HookFact | None:
        """Make no fact of what was told, and say why not, once for each stranger."""
        if (told.agent, why) not in self._strangers:
            self._strangers.add((told.agent, why))
            self._log("hook.foreign", told, f"hooks came in the name of {told.agent} and are not believed: {why}")
        return None

    # --- conversations

    def _follow(self, agent: Agent, told: Told, event: str, conversation: str) -> bool:
        """Move the agent to the conversation that it has begun, and return whether it has."""
        known = self._store.hook_facts.of(agent.id)
        is_late = known is not None and known.conversation == agent.conversation and known.at > told.at
        if event != "SessionStart" or not conversation or is_late:
            return False
        self._store.agents.update(agent.id, conversation=conversation)
        if agent.conversation:
            what = CONVERSATIONS.get(str(told.payload.get("source")), "is in another conversation")
            self._log("hook.conversation", told, f"{agent.role} {what}", agent)
        return True

    # --- facts

    def _put(self, agent: Agent, told: Told, event: str, conversation: str) -> HookFact | None:
        """Keep what the hook claims, and return it if it is new."""
        claim = claim_of(event, told.payload)
        if claim is None:
            return None
        fact = HookFact(
            agent=agent.id,
            event=event,
            claim=HookClaim.WORKING if told.handed_over is not None else claim,  # it got a message instead of stopping
            at=told.at,
            conversation=conversation,
            detail=detail_of(event, told.payload),
            has_background=has_background(told.payload),
        )
        known = self._known(fact)
        if known and (known.at > fact.at or _says_no_more(fact, known)):
            return None
        if known != fact:
            self._store.hook_facts.put(fact)
            self._tell(agent, told, fact)
        return fact

    def _known(self, fact: HookFact) -> HookFact | None:
        known = self._store.hook_facts.of(fact.agent)
        if known and known.at > fact.at and known.at > self._clock() + AHEAD_S:
            self._store.hook_facts.forget(fact.agent)
            return None
        return known

    def _tell(self, agent: Agent, told: Told, fact: HookFact) -> None:
        """Log what a person wants to know."""
        if fact.claim in ENDS:
            kind, what = ENDS[fact.claim]
            self._log(kind, told, f"{agent.role} says that {what}: {fact.detail}", agent)
        elif fact.claim is HookClaim.ENDED:
            self._log("hook.ended", told, f"{agent.role} says that its conversation ends ({fact.detail})", agent)

    # --- messages

    def _acknowledge_prompt(self, agent: Agent, prompt: str, at: float) -> None:
        header = HEADER.match(prompt)
        if header:
            self._acknowledge(agent, MessageId(int(header[1])), at)
            return
        for message in self._store.messages.latest(agent.id):
            if message.kind is MessageKind.BRIEFING and _squeeze(message.text) == _squeeze(prompt):
                self._acknowledge(agent, message.id, at)

    def _acknowledge(self, agent: Agent, number: MessageId, at: float) -> None:
        message = self._find(number)
        if message is None or message.target != agent.id or message.state not in ON_ITS_WAY:
            return
        self._store.messages.finish(number, MessageState.ACKNOWLEDGED, pane=agent.pane, at=at)
        if message.state is MessageState.UNCONFIRMED or message.kind is MessageKind.BRIEFING:
            self._store.events.add(  # of the others whoever types them tells
                f"message.{MessageState.ACKNOWLEDGED}",
                f"{number} from {message.sender} to {message.target}: the agent says that it has it",
                at=at,
                orchestration=agent.orchestration,
                agent=agent.id,
            )

    def _find(self, number: MessageId) -> AgentMessage | None:
        try:
            return self._store.messages.get(number)
        except NotFoundError:
            return None

    def _log(self, kind: str, told: Told, text: str, agent: Agent | None = None) -> None:
        self._store.events.add(
            kind,
            text,
            at=told.at,
            orchestration=agent.orchestration if agent else "",
            agent=told.agent,
        )


def _says_no_more(fact: HookFact, known: HookFact) -> bool:
    """Whether it only repeats, some seconds later, that the dialog is open of which more is known."""
    is_same = fact.claim is known.claim is HookClaim.WAITING and fact.conversation == known.conversation
    return is_same and not fact.detail


def _squeeze(text: str) -> str:
    return "".join(text.split())
