"""The facade that every front end holds: each use case is one call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from orchestrator_core.models.fleet import Fleet, SupervisorHealth
from orchestrator_core.models.ids import AgentId, MessageId, OrchestrationId, PaneId
from orchestrator_core.models.launch import Proposal, StartRequest, StepProgress
from orchestrator_core.models.message import PERSON, AgentMessage, DeliveryMode
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.models.pane import PaneFrame


class Previews:
    """Live pictures of one pane at a time. Only looks: it never types and never changes a window's size."""

    async def follow(self, pane: PaneId | None, *, server: str = "") -> None:
        """Show `pane` from now on; None shows nothing. `server` is a socket path, empty for our own."""
        raise NotImplementedError

    def frames(self) -> AsyncIterator[PaneFrame]:
        """Yield a frame when the followed pane's picture changed; the first one at once after `follow`."""
        raise NotImplementedError

    async def history(self, pane: PaneId, lines: int, *, server: str = "") -> PaneFrame:
        """Return the pane's picture with up to `lines` rows of scrollback above it."""
        raise NotImplementedError

    async def close(self) -> None:
        """Stop following and end the tmux client behind it."""
        raise NotImplementedError


class Attachment:
    """How to bring the person to a pane."""

    argv: tuple[str, ...] | None
    """To run in the foreground while the app is suspended; None when the tmux client was switched already."""
    way_back: str
    """What the person presses to come back, for display."""


class Orchestrator:
    """tmorch's use cases. Raises `TmorchError`s, whose title, cause and remedy are fit to be shown."""

    async def fleet(self) -> Fleet:
        """Return everything a front end shows, read now."""
        raise NotImplementedError

    def fleets(self) -> AsyncIterator[Fleet]:
        """Yield the fleet at once and then whenever it differs from the last one yielded."""
        raise NotImplementedError

    def previews(self) -> Previews:
        """Return a new source of live pictures; the caller closes it."""
        raise NotImplementedError

    async def send(
        self, target: str, text: str, *, sender: str = PERSON, mode: DeliveryMode = DeliveryMode.WHEN_IDLE
    ) -> AgentMessage:
        """Put `text` into the outbox for the agent that `target` names, and return it with its state.

        Starts the supervisor when it is not running.

        Raises:
            NotFoundError: `target` names nothing, or more than one agent.
            RefusedError: an agent would send to itself, or the text is empty.

        """
        raise NotImplementedError

    async def message(self, message: MessageId) -> AgentMessage:
        """Return a message as it stands now."""
        raise NotImplementedError

    async def messages(self, agent: AgentId | None = None, *, limit: int = 50) -> tuple[AgentMessage, ...]:
        """Return the latest messages to `agent`, or to all agents, newest first."""
        raise NotImplementedError

    async def propose(self, request: StartRequest) -> Proposal:
        """Return what a start would do. Nothing is created."""
        raise NotImplementedError

    async def start(self, proposal: Proposal, progress: Callable[[StepProgress], None]) -> Orchestration:
        """Start the proposed team; `progress` hears of each step from this thread."""
        raise NotImplementedError

    async def stop(self, orchestration: OrchestrationId, *, keep_session: bool = False) -> None:
        """End the agents and, unless kept, the tmux session. Worktrees and branches stay."""
        raise NotImplementedError

    async def health(self) -> SupervisorHealth:
        """Return how the supervisor is."""
        raise NotImplementedError

    async def start_supervisor(self) -> SupervisorHealth:
        """Start the supervisor unless one runs, and return its health once it has given a sign of life."""
        raise NotImplementedError

    async def attach(self, pane: PaneId, *, server: str = "") -> Attachment:
        """Bring the person to `pane`: switch their tmux client, or say what to run in the foreground."""
        raise NotImplementedError

    async def close(self) -> None:
        """Let go of the database and of tmux. No agent is touched."""
        raise NotImplementedError
