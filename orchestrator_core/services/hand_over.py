"""Handing a message to a working agent without a key: its own Stop hook takes it at the end of the turn.

An offer is a file that holds the hook's exact answer; whoever renames it has it. The hook moves it to `taken`, we
move it to `withdrawn`. So after a crash the files tell what became of it, whatever the store had time to say:

    7.offer            about to be claimed: nobody can have taken it
    7.json             offered
    taken/7.json       the hook took it
    withdrawn/7.json   taken back, to be queued again
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from orchestrator_core.agents.driver import Driver
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import MessageId
from orchestrator_core.models.message import AgentMessage, MessageKind, MessageState
from orchestrator_core.services.deliver import tell
from orchestrator_core.services.envelope import seal
from orchestrator_core.store import Store
from orchestrator_core.tmux.text import clean_text

FOLDER = "hand-over"
CHARACTERS = 8000
"""Longer texts wait for the prompt: what a hook says is cut where it is very long."""


class Offer(StrEnum):
    """How an offered message stands."""

    NONE = "none"
    """It was not offered."""
    OPEN = "open"
    TAKEN = "taken"
    BACK = "back"
    """Nobody took it, and nobody can any more."""


class HandOver:
    """The offers to one agent. At most one is open; calls for one agent must not overlap."""

    def __init__(
        self, store: Store, agents_folder: Path, agent: Agent, driver: Driver, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._agent = agent
        self._driver = driver
        self._clock = clock
        self._folder = agents_folder / agent.orchestration / agent.role / FOLDER
        self._is_possible = driver.has_hooks and not agent.is_adopted

    def offer(self, why: str) -> AgentMessage | None:
        """Offer the message whose turn it is, and return it; None when there is none that may go this way."""
        if not self._is_possible:
            return None
        reason = f"it gets it when its turn ends: {why}"
        with self._store.transaction():
            waiting = self._store.messages.next_for(self._agent.id, besides=self._driver.commands)
            if waiting is None or waiting.kind is not MessageKind.TEXT or len(waiting.text) > CHARACTERS:
                return None
            self._clear()
            self._prepared(waiting.id).write_text(self._answer(waiting), encoding="utf-8")
            self._store.messages.claim_next(self._agent.id, self._clock(), besides=self._driver.commands, reason=reason)
        self._prepared(waiting.id).rename(self._offered(waiting.id))
        return waiting

    def standing(self, message: AgentMessage) -> Offer:
        """Return how the offer of a claimed message stands."""
        if self._taken_file(message.id).exists():
            return Offer.TAKEN
        if self._offered(message.id).exists():
            return Offer.OPEN
        if self._prepared(message.id).exists() or self._withdrawn_file(message.id).exists():
            return Offer.BACK
        return Offer.TAKEN if self._taken_file(message.id).exists() else Offer.NONE  # taken while we looked

    def settle(self, message: AgentMessage, standing: Offer) -> None:
        """Write down what became of an offer that is `TAKEN` or `BACK`."""
        if standing is Offer.TAKEN:
            with self._store.transaction():
                done = self._store.messages.finish(
                    message.id, MessageState.DELIVERED, pane=self._agent.pane, at=self._clock()
                )
                tell(self._store, self._agent, done, self._clock())
        else:
            self._store.messages.requeue(message.id, "")
        self._forget(message.id)

    def withdraw(self, message: AgentMessage) -> Offer:
        """Take an open offer back, and return how it stands then: `BACK`, or `TAKEN` when the hook was quicker."""
        with contextlib.suppress(FileNotFoundError):
            self._offered(message.id).rename(self._withdrawn_file(message.id))
        return self.standing(message)

    def _clear(self) -> None:
        """Make the folders, and remove what is left of earlier offers: all of them are settled."""
        for folder in (self._taken, self._withdrawn):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in (*self._folder.glob("*.*"), *self._taken.iterdir(), *self._withdrawn.iterdir()):
            file.unlink(missing_ok=True)

    def _answer(self, message: AgentMessage) -> str:
        prompt = seal(message, clean_text(message.text)).prompt
        return json.dumps({"decision": "block", "reason": prompt}, ensure_ascii=False)

    def _forget(self, number: MessageId) -> None:
        for file in (self._prepared(number), self._taken_file(number), self._withdrawn_file(number)):
            file.unlink(missing_ok=True)

    @property
    def _taken(self) -> Path:
        return self._folder / "taken"

    @property
    def _withdrawn(self) -> Path:
        return self._folder / "withdrawn"

    def _prepared(self, number: MessageId) -> Path:
        return self._folder / f"{number}.offer"

    def _offered(self, number: MessageId) -> Path:
        return self._folder / f"{number}.json"

    def _taken_file(self, number: MessageId) -> Path:
        return self._taken / f"{number}.json"

    def _withdrawn_file(self, number: MessageId) -> Path:
        return self._withdrawn / f"{number}.json"
