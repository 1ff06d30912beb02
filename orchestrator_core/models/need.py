"""What needs the person, and what the person answers."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from orchestrator_core.models.dialog import Choice
from orchestrator_core.models.ids import AgentId, MessageId, OrchestrationId


class NeedKind(StrEnum):
    """Why a person is needed."""

    PERMISSION = "permission"
    QUESTION = "question"
    GATE = "gate"
    """A start-up dialog that the settings leave to the person."""
    DIALOG = "dialog"
    """Another dialog: to be closed at the agent."""
    ERROR = "error"
    """An error ended the agent's turn."""
    REFUSED = "refused"
    UNCONFIRMED = "unconfirmed"
    STUCK = "stuck"
    """No sign of progress for long, although it waits for nobody."""
    MISSED = "missed"
    """A check-in could not fire and is not tried any more."""
    LIMITED = "limited"
    """A usage limit holds agents: for the person to know of, or to end when tmorch may not."""
    BUDGET = "budget"
    """A budget is nearly or wholly used up."""
    FAILED = "failed"
    EXITED = "exited"

    @property
    def is_answerable(self) -> bool:
        """Whether a choice can be made for it from afar."""
        return self in (NeedKind.PERMISSION, NeedKind.QUESTION, NeedKind.GATE)


class Need(Struct, frozen=True, kw_only=True):
    """One thing that a person should see to. `since` is in seconds since the epoch."""

    key: str
    """The same need has the same key, over restarts; a new prompt of the same agent has another."""
    kind: NeedKind
    orchestration: OrchestrationId
    agent: AgentId
    message: MessageId | None = None
    """For a refused or unconfirmed message."""
    detail: str = ""
    """The exact command, the question, the reason: what the person must know to decide."""
    choices: tuple[Choice, ...] = ()
    fingerprint: str = ""
    """Of the dialog that asks: an answer is given only to that very one."""
    since: float = 0.0


class AnswerState(StrEnum):
    """How far an answer has come; only forward."""

    PENDING = "pending"
    GIVING = "giving"
    """The supervisor is at it; after a crash it becomes `unconfirmed` and is never repeated."""
    GIVEN = "given"
    REFUSED = "refused"
    """The dialog was not there any more, or has no such choice; nothing was pressed."""
    UNCONFIRMED = "unconfirmed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come of it."""
        return self not in (AnswerState.PENDING, AnswerState.GIVING)


class Answer(Struct, frozen=True, kw_only=True):
    """A choice of the person for an agent's dialog. Times are seconds since the epoch."""

    id: int
    agent: AgentId
    fingerprint: str
    """Of the dialog it is for; empty: whichever is open."""
    choice: str
    """`approve`, `deny`, a choice's label or its digit."""
    state: AnswerState = AnswerState.PENDING
    reason: str = ""
    created_at: float = 0.0
