"""The SQL that both roads to the database run: peewee's and the quick one. Each gives its way to execute."""

from __future__ import annotations

from orchestrator_core.errors import NotFoundError, StoreError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import MessageId, PaneId
from orchestrator_core.models.message import AgentMessage, MessageState
from orchestrator_core.store.admission import Execute, NewMessage, check
from orchestrator_core.store.rows import model_of, split_readable

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
NEW_MESSAGE = """
    INSERT INTO message (target, sender, text, state, reason, mode, kind, suppressed, is_duplicate, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)
"""


def add_message(execute: Execute, new: NewMessage) -> AgentMessage:
    """Put a message into the outbox and return it as it is stored; call this inside a transaction.

    Of messages above a limit the first is stored as `refused`; the ones right after it only raise its `suppressed`
    count, and that row is returned. Nothing of them is delivered.

    Raises:
        NotFoundError: there is no such agent.
        RefusedError: see `admission.check`.

    """
    suppression = check(execute, new)
    if suppression is None:
        return _insert(execute, new, MessageState.QUEUED, "")
    if suppression.row is None:
        return _insert(execute, new, MessageState.REFUSED, suppression.reason)
    execute("UPDATE message SET suppressed = suppressed + 1 WHERE id = ?", (suppression.row,))
    return message(execute, suppression.row)


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


def _insert(execute: Execute, new: NewMessage, state: MessageState, reason: str) -> AgentMessage:
    is_duplicate = state is MessageState.REFUSED
    values = (new.target, new.sender, new.text, state, reason, new.mode, new.kind, is_duplicate, new.at)
    execute(NEW_MESSAGE, values)
    (row,) = execute("SELECT last_insert_rowid() AS id")
    return message(execute, row["id"])
