"""The SQL that both roads to the database run: peewee's and the quick one. Each gives its way to execute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Struct

from orchestrator_core.errors import NotFoundError, StoreError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import AgentId, MessageId, PaneId
from orchestrator_core.models.message import AgentMessage, DeliveryMode, MessageKind, MessageState
from orchestrator_core.store.rows import Row, model_of, split_readable

ACTIVE_AGENTS = """
    SELECT agent.* FROM agent JOIN orchestration ON orchestration.id = agent.orchestration
    WHERE orchestration.state IN ('starting', 'running') ORDER BY orchestration.seq, agent.seq
"""
BY_PANE = """
    SELECT agent.* FROM agent JOIN orchestration ON orchestration.id = agent.orchestration
    WHERE agent.pane = ? AND orchestration.server = ? AND orchestration.state IN ('starting', 'running')
    ORDER BY agent.status IN ('exited', 'failed'), agent.seq DESC LIMIT 1
"""
"""A server that was started anew gives out the same pane ids again: the living and the latest go first."""
EQUAL_MESSAGES = """
    SELECT id, is_duplicate FROM message
    WHERE target = ? AND sender = ? AND created_at > ? AND created_at < ? AND text = ? ORDER BY id DESC
"""
NEW_MESSAGE = """
    INSERT INTO message (target, sender, text, state, reason, mode, kind, suppressed, is_duplicate, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)
"""


class Execute(Protocol):
    """Runs one statement and returns all its rows."""

    def __call__(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Run `sql` with `params` for its question marks."""


class NewMessage(Struct, frozen=True, kw_only=True):
    """What is to be put into the outbox."""

    target: AgentId
    sender: str
    text: str
    mode: DeliveryMode
    kind: MessageKind
    at: float
    duplicate_limit: int
    """How many equal messages (same sender, target and text) may come within the window; 0 is no limit."""
    duplicate_window_s: float


def add_message(execute: Execute, new: NewMessage) -> AgentMessage:
    """Put a message into the outbox and return it as it is stored; call this inside a transaction.

    Of equal messages above the limit the first is stored as `refused`; the ones right after it only raise its
    `suppressed` count, and that row is returned. Nothing of them is delivered.

    Raises:
        NotFoundError: there is no such agent.

    """
    if not execute("SELECT id FROM agent WHERE id = ?", (new.target,)):
        raise _no_agent(new.target)
    equal = _equal_messages(execute, new) if new.duplicate_limit else []
    sent = [row for row in equal if not row["is_duplicate"]]
    if new.duplicate_limit and len(sent) >= new.duplicate_limit:
        if equal[0]["is_duplicate"]:
            execute("UPDATE message SET suppressed = suppressed + 1 WHERE id = ?", (equal[0]["id"],))
            return message(execute, equal[0]["id"])
        reason = f"suppressed: sent {len(sent)} times within {new.duplicate_window_s:g} seconds already"
        return _insert(execute, new, MessageState.REFUSED, reason)
    return _insert(execute, new, MessageState.QUEUED, "")


def message(execute: Execute, message_id: MessageId) -> AgentMessage:
    """Return a message.

    Raises:
        NotFoundError: there is none with that number.

    """
    rows = execute("SELECT * FROM message WHERE id = ?", (message_id,))
    if not rows:
        raise NotFoundError(
            f"there is no message {message_id}",
            cause="no message with that number was ever put into this outbox",
            remedy="`tmorch messages` lists them",
        )
    return model_of(AgentMessage, rows[0])


def active_agents(execute: Execute) -> tuple[tuple[Agent, ...], list[StoreError]]:
    """Return the agents of active orchestrations in the order they were made, and the rows that cannot be read."""
    return split_readable(Agent, execute(ACTIVE_AGENTS))


def agent_by_pane(execute: Execute, server: str, pane: PaneId) -> Agent | None:
    """Return the agent of an active orchestration in `pane` of the tmux server at `server`, or None."""
    rows = execute(BY_PANE, (pane, server))
    return model_of(Agent, rows[0]) if rows else None


def _equal_messages(execute: Execute, new: NewMessage) -> list[Row]:
    earliest, latest = new.at - new.duplicate_window_s, new.at + new.duplicate_window_s
    return execute(EQUAL_MESSAGES, (new.target, new.sender, earliest, latest, new.text))


def _insert(execute: Execute, new: NewMessage, state: MessageState, reason: str) -> AgentMessage:
    is_duplicate = state is MessageState.REFUSED
    values = (new.target, new.sender, new.text, state, reason, new.mode, new.kind, is_duplicate, new.at)
    execute(NEW_MESSAGE, values)
    (row,) = execute("SELECT last_insert_rowid() AS id")
    return message(execute, row["id"])


def _no_agent(agent: AgentId) -> NotFoundError:
    return NotFoundError(
        f"there is no agent {agent}",
        cause="no agent with that id was ever made",
        remedy="`tmorch list` shows the agents there are",
    )
