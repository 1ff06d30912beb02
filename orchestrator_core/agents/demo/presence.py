"""What tells of the agent beside its terminal: its session file and its status line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from orchestrator_core.agents.demo.agent import DemoAgent
from orchestrator_core.agents.demo.conversation import Conversation

if TYPE_CHECKING:
    from orchestrator_core.agents.demo.session_file import SessionFile
    from orchestrator_core.agents.demo.status_line import StatusLine


class Presence:
    """Both, or what is wanted of them."""

    def __init__(self, session: SessionFile | None, line: StatusLine | None) -> None:
        self._session = session
        self._line = line

    @property
    def status_line(self) -> tuple[str, ...]:
        """What is to be drawn, row by row."""
        return self._line.rows if self._line else ()

    def deadline(self, now: float) -> float:
        """Return when `update` is to be called again although nothing has changed."""
        return min((part.deadline(now) for part in (self._session, self._line) if part), default=math.inf)

    def update(self, agent: DemoAgent, now: float) -> None:
        """Tell how the agent stands; nothing before it is ready."""
        if not agent.is_ready:
            return
        standing = agent.lie or agent.standing
        if self._session:
            self._session.update(standing, now)
        if self._line:
            conversation = agent.events.conversation
            limit = agent.trouble.limit
            state = (standing, conversation.id, conversation.prompt_id, conversation.tokens, limit)
            self._line.update(state, limit, now)

    def leave(self) -> None:
        """Take the session file away, and leave nothing running."""
        if self._session:
            self._session.remove()
        if self._line:
            self._line.end()


def presence(
    conversation: Conversation, name: str, now: float, *, has_file: bool, line: str, has_windows: bool = False
) -> Presence:
    """Return what is wanted; what is not wanted costs nothing."""
    session_file: SessionFile | None = None
    status_line: StatusLine | None = None
    if has_file:
        from orchestrator_core.agents.demo.session_file import SessionFile

        session_file = SessionFile(conversation, name, now)
    if line:
        from orchestrator_core.agents.demo.status_line import StatusLine

        status_line = StatusLine(line, conversation, now, has_windows=has_windows)
    return Presence(session_file, status_line)
