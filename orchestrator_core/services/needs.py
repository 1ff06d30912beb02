"""What needs the person: derived from the agents and the outbox, and kept in the store until it is over.

Not listed: messages that were suppressed as duplicates or as one too many of an agent. They are counted where
messages are listed, and whoever floods has been told; a person who is called for each of them stops listening.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

from msgspec.structs import replace

from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.dialog import OpenDialog
from orchestrator_core.models.fleet import Team
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.message import AgentMessage, MessageState
from orchestrator_core.models.need import Need, NeedKind
from orchestrator_core.services.fleet import read_teams
from orchestrator_core.store import Store
from orchestrator_core.store.check_ins import DeadCheckIn

MESSAGE_AGE_S = 24 * 3600.0
"""For how long a message that was not delivered is a need."""
CHECK_IN_AGE_S = 24 * 3600.0
"""For how long a check-in that died is a need."""
UNREAD_S = 3.0
"""How long a dialog may be out of sight before that counts."""
ERROR = "error"
"""What an agent waits for whose turn an error has ended."""
NAMED = {"permission": NeedKind.PERMISSION, "question": NeedKind.QUESTION}
MESSAGES = {MessageState.REFUSED: NeedKind.REFUSED, MessageState.UNCONFIRMED: NeedKind.UNCONFIRMED}
ENDS = {AgentStatus.EXITED: NeedKind.EXITED, AgentStatus.FAILED: NeedKind.FAILED}
SHOWN = 60
"""How much of a message or a note, and of a need in the log, is shown."""
DIALOGS = (NeedKind.PERMISSION, NeedKind.QUESTION, NeedKind.GATE, NeedKind.DIALOG)


def needs_of(
    teams: Iterable[Team], messages: Iterable[AgentMessage], now: float, *, dead: Iterable[DeadCheckIn] = ()
) -> tuple[Need, ...]:
    """Return what needs the person, oldest first. Stopped teams need nobody, nor does what failed a day ago."""
    agents = {view.agent.id: view.agent for team in teams if team.orchestration.state.is_active for view in team.agents}
    of_agents = (need for agent in agents.values() if (need := _of_agent(agent, now)))
    of_messages = (
        _of_message(message, agents[message.target])
        for message in messages
        if message.state in MESSAGES and message.target in agents and now - message.created_at < MESSAGE_AGE_S
    )
    of_check_ins = (
        _of_check_in(check_in, agents[check_in.target])
        for check_in in dead
        if check_in.target in agents and now - check_in.ended_at < CHECK_IN_AGE_S
    )
    return tuple(sorted(chain(of_agents, of_messages, of_check_ins), key=lambda need: (need.since, need.key)))


def reconcile_needs(store: Store, now: float, stuck: Iterable[Need] = ()) -> tuple[Need, ...]:
    """Bring the stored needs up to date, each raised and ended one with a line in the log, and return the new ones.

    `stuck` are those of agents without a sign of progress: the store alone does not tell.
    """
    teams = read_teams(store)
    failed, dead = store.needs.failed_messages(now - MESSAGE_AGE_S), store.check_ins.dead_since(now - CHECK_IN_AGE_S)
    derived = {need.key: need for need in (*needs_of(teams, failed, now, dead=dead), *stuck)}
    known = {need.key: need for need in store.needs.all()}
    unseen = {need.key: need for need in _unseen(teams, known.values(), now)}
    news = _compare({**unseen, **derived}, known, {need.agent for need in unseen.values()}, now)
    if any(news):
        with store.transaction():
            _write(store, news, now)
    return tuple(news.raised)


def dismiss_need(store: Store, key: str, at: float) -> bool:
    """Let the person see no more of a need; return False when there is no such open one."""
    with store.transaction():
        need = next((need for need in store.needs.open() if need.key == key), None)
        if need is None or not store.needs.dismiss(key, at):
            return False
        _note(store, "need.dismissed", need, at)
        return True


def summary_of(need: Need) -> str:
    """Return a need in one short line."""
    detail = _short(need.detail)
    return f"{need.agent}: {need.kind}" + (f": {detail}" if detail else "")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def _of_agent(agent: Agent, now: float) -> Need | None:
    if agent.status in ENDS:
        return _need(agent, ENDS[agent.status], f"ended:{agent.status_since}", agent.reason)
    if agent.dialog is not None and agent.status in (AgentStatus.WAITING, AgentStatus.UNKNOWN):
        return _of_dialog(agent, agent.dialog)
    if agent.status is not AgentStatus.WAITING:
        return None
    if agent.waiting_for == ERROR:
        return _need(agent, NeedKind.ERROR, f"error:{agent.status_since}", agent.reason)
    if now - agent.status_since < UNREAD_S:  # its dialog is about to be read
        return None
    return _need(agent, NeedKind.DIALOG, f"waiting:{agent.status_since}", agent.reason)


def _unseen(teams: Iterable[Team], known: Iterable[Need], now: float) -> list[Need]:
    """Return the needs whose dialog the last look did not show, and which may stand open all the same."""
    may_ask = {
        view.agent.id
        for team in teams
        for view in team.agents
        if team.orchestration.state.is_active and view.agent.dialog is None and _may_ask(view.agent, now)
    }
    return [need for need in known if need.fingerprint and need.agent in may_ask]


def _may_ask(agent: Agent, now: float) -> bool:
    if agent.status is AgentStatus.UNKNOWN:
        return now - agent.status_since < UNREAD_S
    return agent.status is AgentStatus.WAITING and agent.waiting_for != ERROR


def kind_of(dialog: OpenDialog) -> NeedKind:
    """Return why a person is needed at `dialog`."""
    return NAMED.get(dialog.name, NeedKind.GATE if dialog.is_gate else NeedKind.DIALOG)


def _of_dialog(agent: Agent, dialog: OpenDialog) -> Need:
    need = _need(agent, kind_of(dialog), dialog.fingerprint, dialog.detail or agent.reason)
    return replace(need, choices=dialog.choices, fingerprint=dialog.fingerprint)


def _need(agent: Agent, kind: NeedKind, key: str, detail: str) -> Need:
    return Need(
        key=f"{agent.id}:{key}",
        kind=kind,
        orchestration=agent.orchestration,
        agent=agent.id,
        detail=detail,
        since=agent.status_since,
    )


def _of_message(message: AgentMessage, target: Agent) -> Need:
    reason = message.reason or "no reason is known"
    return Need(
        key=f"message:{message.id}",
        kind=MESSAGES[message.state],
        orchestration=target.orchestration,
        agent=target.id,
        message=message.id,
        detail=f"message {message.id} from {message.sender} (“{_short(message.text)}”): {reason}",
        since=message.created_at,
    )


def _of_check_in(check_in: DeadCheckIn, target: Agent) -> Need:
    reason = check_in.reason or "no reason is known"
    return Need(
        key=f"check-in:{check_in.id}",
        kind=NeedKind.MISSED,
        orchestration=target.orchestration,
        agent=target.id,
        detail=f"check-in {check_in.id} (“{_short(check_in.note)}”) is not tried any more: {reason}",
        since=check_in.ended_at,
    )


class News(NamedTuple):
    """How what needs the person now differs from what is stored."""

    raised: list[Need]
    changed: list[tuple[Need, Need]]
    """As it was, and as it is."""
    ended: list[Need]


def _compare(now_there: dict[str, Need], known: dict[str, Need], unseen: set[AgentId], now: float) -> News:
    """Return the difference. Of agents in `unseen` a known dialog is out of sight: they get no nameless one besides."""
    ended = {key: need for key, need in known.items() if key not in now_there}
    raised: list[Need] = []
    changed = [
        (known[key], need) for key, need in now_there.items() if key in known and known[key].detail != need.detail
    ]
    asked = {need.agent for need in known.values() if need.kind in DIALOGS}
    for need in (need for key, need in now_there.items() if key not in known):
        before = next((old for old in ended.values() if _is_same_dialog(old, need)), None)
        if before is not None:
            changed.append((ended.pop(before.key), need))
        elif need.agent not in unseen or need.kind is not NeedKind.DIALOG:
            follows = need.kind in DIALOGS and need.agent in asked  # it came right after another dialog
            raised.append(replace(need, since=now) if follows else need)
    return News(raised, changed, list(ended.values()))


def _is_same_dialog(before: Need, need: Need) -> bool:
    """Whether a dialog is one that is known already, drawn anew in a pane of another width."""
    is_dialog = bool(before.fingerprint and need.fingerprint)
    is_of_same = (before.agent, before.kind) == (need.agent, need.kind)
    return is_dialog and is_of_same and "".join(before.detail.split()) == "".join(need.detail.split())


def _write(store: Store, news: News, now: float) -> None:
    for need in news.raised:
        store.needs.add(need)
        _note(store, "need.raised", need, now)
    for before, need in news.changed:
        store.needs.reword(before.key, need)
    store.needs.end([need.key for need in news.ended])
    for need in news.ended:
        _note(store, "need.ended", need, now)


def _note(store: Store, kind: str, need: Need, at: float) -> None:
    store.events.add(kind, summary_of(need), at=at, orchestration=need.orchestration, agent=need.agent)
