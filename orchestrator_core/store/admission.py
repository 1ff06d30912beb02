"""What may enter the outbox, asked in the transaction that would put it there. SQL for both roads to the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from orchestrator_core.errors import NotFoundError, RefusedError
from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import DeliveryMode, MessageKind
from orchestrator_core.store.rows import Row

if TYPE_CHECKING:
    from orchestrator_core.config.settings import MessagesSettings

ENDS = "SELECT id, orchestration, role FROM agent WHERE id IN (?, ?)"
ROUTES = "SELECT target FROM route WHERE orchestration = ? AND sender = ?"
HUB = """
    SELECT agent.role FROM agent
    LEFT JOIN route ON route.orchestration = agent.orchestration AND route.sender = agent.role
    WHERE agent.orchestration = ? GROUP BY agent.role ORDER BY COUNT(route.target) DESC, agent.seq LIMIT 1
"""
"""Whoever writes to the most others; of several, who comes first in the team's windows."""
EQUAL_MESSAGES = """
    SELECT id, is_duplicate FROM message
    WHERE target = ? AND sender = ? AND created_at > ? AND created_at < ? AND text = ? ORDER BY id DESC
"""
SENT = (
    "SELECT COUNT(*) AS number FROM message WHERE sender = ? AND created_at > ? AND created_at < ? AND NOT is_duplicate"
)
LATEST_SUPPRESSED = """
    SELECT id FROM message
    WHERE sender = ? AND created_at > ? AND created_at < ? AND is_duplicate AND reason = ? ORDER BY id DESC LIMIT 1
"""


class Execute(Protocol):
    """Runs one statement and returns all its rows."""

    def __call__(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Run `sql` with `params` for its question marks."""


class Limits(Struct, frozen=True, kw_only=True):
    """How much may be sent; 0 is no limit."""

    duplicate_limit: int = 0
    """How many equal messages (same sender, target and text) may come within the window."""
    duplicate_window_s: float = 0.0
    rate_limit: int = 0
    """How many messages of one agent, to whomever, may come within the window."""
    rate_window_s: float = 0.0


NO_LIMITS = Limits()


def limits_of(settings: MessagesSettings) -> Limits:
    """Return the limits that the person has set."""
    return Limits(**{name: getattr(settings, name) for name in Limits.__struct_fields__})


class NewMessage(Struct, frozen=True, kw_only=True):
    """What is to be put into the outbox."""

    target: AgentId
    sender: str
    text: str
    mode: DeliveryMode
    kind: MessageKind
    at: float
    limits: Limits


class Suppression(Struct, frozen=True):
    """A message that is one too many."""

    reason: str
    row: MessageId | None
    """The stored message that stands for it already; None when it is the first of them."""


def check(execute: Execute, new: NewMessage) -> Suppression | None:
    """Return None when `new` may be put into the outbox; else what stands for it.

    Raises:
        NotFoundError: there is no such agent.
        RefusedError: there is no text (`empty`), an agent writes to itself (`self-send`) or to somebody it has no
            route to (`route`).

    """
    if not new.text.strip():
        raise _empty()
    if new.sender == new.target:
        raise _to_itself(new.sender)
    is_agent = check_route(execute, new.sender, new.target)
    duplicate = _duplicate(execute, new)
    return duplicate or (_one_too_many(execute, new) if is_agent else None)


def check_route(execute: Execute, sender: str, target: AgentId) -> bool:
    """Return whether `sender` is an agent; one that is none has no rules.

    Raises:
        NotFoundError: there is no agent `target`.
        RefusedError: an agent writes to somebody it has no route to (`route`).

    """
    ends = {row["id"]: row for row in execute(ENDS, (target, sender))}
    if target not in ends:
        raise _no_agent(target)
    if sender not in ends:
        return False
    _check_roles(execute, ends[sender], ends[target])
    return True


def _check_roles(execute: Execute, sender: Row, target: Row) -> None:
    if sender["orchestration"] != target["orchestration"]:
        _check_teams(execute, sender, target)
        return
    allowed = {row["target"] for row in execute(ROUTES, (sender["orchestration"], sender["role"]))}
    if allowed and target["role"] not in allowed:
        hub = _hub(execute, sender["orchestration"])
        raise RefusedError(
            f"{sender['role']} does not write to {target['role']}",
            cause=f"in the team {sender['orchestration']} the two talk through {hub}",
            remedy=f'send it to {hub}: tmorch send {hub} "…"',
            code="route",
        )


def _check_teams(execute: Execute, sender: Row, target: Row) -> None:
    """Let teams talk hub to hub only."""
    own, other = _hub(execute, sender["orchestration"]), _hub(execute, target["orchestration"])
    if (sender["role"], target["role"]) == (own, other):
        return
    instead = own if sender["role"] != own else f"{target['orchestration']}:{other}"
    raise RefusedError(
        f"{sender['id']} does not write to {target['id']}",
        cause=f"teams talk through {own} of {sender['orchestration']} and {other} of {target['orchestration']}",
        remedy=f'send it to {instead}: tmorch send {instead} "…"',
        code="route",
    )


def _hub(execute: Execute, orchestration: str) -> str:
    return str(execute(HUB, (orchestration,))[0]["role"])


def _duplicate(execute: Execute, new: NewMessage) -> Suppression | None:
    limit, window = new.limits.duplicate_limit, new.limits.duplicate_window_s
    if not limit:
        return None
    equal = execute(EQUAL_MESSAGES, (new.target, new.sender, new.at - window, new.at + window, new.text))
    sent = sum(not row["is_duplicate"] for row in equal)
    if sent < limit:
        return None
    reason = f"suppressed: sent {sent} times within {window:g} seconds already"
    return Suppression(reason, equal[0]["id"] if equal[0]["is_duplicate"] else None)


def _one_too_many(execute: Execute, new: NewMessage) -> Suppression | None:
    limit, window = new.limits.rate_limit, new.limits.rate_window_s
    since = (new.sender, new.at - window, new.at + window)
    if not limit or execute(SENT, since)[0]["number"] < limit:
        return None
    reason = f"suppressed: its sender has sent {limit} messages within {window:g} seconds already"
    rows = execute(LATEST_SUPPRESSED, (*since, reason))
    return Suppression(reason, rows[0]["id"] if rows else None)


def _empty() -> RefusedError:
    return RefusedError(
        "the message is empty",
        cause="there is nothing to say to the agent",
        remedy='put the text in quotes: tmorch send developer "run the tests again"',
        code="empty",
    )


def _to_itself(agent: str) -> RefusedError:
    return RefusedError(
        "an agent does not send to itself",
        cause=f"{agent} is the sender and the target",
        remedy="tmorch team lists the others",
        code="self-send",
    )


def _no_agent(agent: AgentId) -> NotFoundError:
    return NotFoundError(
        f"there is no agent {agent}",
        cause="no agent with that id was ever made",
        remedy="`tmorch list` shows the agents there are",
    )
