"""What a person has written and not sent, per agent, and what they sent before. Pure; kept for one session."""

from __future__ import annotations

from orchestrator_core.models.ids import AgentId

KEPT = 200


class Drafts:
    """Unsent texts by agent."""

    def __init__(self) -> None:
        self._texts: dict[AgentId, str] = {}

    def keep(self, agent: AgentId, text: str) -> None:
        """Remember what is written for this agent; nothing is remembered of an empty text."""
        if text.strip():
            self._texts[agent] = text
        else:
            self._texts.pop(agent, None)

    def of(self, agent: AgentId) -> str:
        """Return what was written for this agent, or an empty text."""
        return self._texts.get(agent, "")


class History:
    """What was sent, oldest first, with a place in it; below the newest stands the text being written."""

    def __init__(self) -> None:
        self._sent: list[str] = []
        self._place = 0
        self._unsent = ""

    def add(self, text: str) -> None:
        """Remember a text that was sent, once when it is the same as the last one."""
        if not self._sent or self._sent[-1] != text:
            self._sent = [*self._sent[1 - KEPT :], text]
        self.rest()

    def rest(self) -> None:
        """Go back to the text being written."""
        self._place = len(self._sent)
        self._unsent = ""

    def older(self, current: str) -> str | None:
        """Return the text before the one that shows, which is kept when it is the one being written."""
        if self._place == 0:
            return None
        if self._place == len(self._sent):
            self._unsent = current
        self._place -= 1
        return self._sent[self._place]

    def newer(self) -> str | None:
        """Return the text after the one that shows; None at the text being written."""
        if self._place >= len(self._sent):
            return None
        self._place += 1
        return self._unsent if self._place == len(self._sent) else self._sent[self._place]
