"""Giving a person's answer to an agent's dialog: the very dialog that was answered, or nothing is pressed.

What takes more than one choice (marking several, typing words) is left to the person at the agent's own pane.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from orchestrator_core.agents.driver import Driver
from orchestrator_core.agents.screen_patterns import Patterns
from orchestrator_core.errors import RefusedError, TmorchError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.dialog import OpenDialog
from orchestrator_core.models.hook import HookClaim
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.need import Answer, AnswerState, NeedKind
from orchestrator_core.services.choose import Chooser, Choosing, Ending, OpenSight, place_of
from orchestrator_core.services.connections import Connections
from orchestrator_core.services.needs import kind_of
from orchestrator_core.store import Store

APPROVE, DENY = "approve", "deny"
ATTACH = "attach and answer there"
LOOK_S = 0.05
"""How often it is looked what became of an answer, while somebody waits for it."""
LATE_S = 60.0
"""An answer that could not be given for so long is refused: whoever gave it does not look at that screen any more."""
STATES = {Ending.GIVEN: AnswerState.GIVEN, Ending.UNCONFIRMED: AnswerState.UNCONFIRMED}


class Place(Struct, frozen=True, kw_only=True):
    """Which choice an answer means: from 0, or None and why there is none."""

    at: int | None = None
    why_not: str = ""


def request_answer(
    store: Store, agent: Agent, choice: str, fingerprint: str, *, at: float, asker: Agent | None = None
) -> Answer:
    """Put an answer in for the dialog with `fingerprint`, or for the one that the agent is known to show.

    `asker` is the agent in whose pane this is asked for, if any.

    Raises:
        RefusedError: nothing was chosen (code `empty`), no dialog is known to be open (code `no-dialog`), or an agent
            asks for it (code `agent`).

    """
    if asker is not None and asker.status.is_live:
        raise RefusedError(
            "an agent does not answer for the person",
            cause=f"this is the pane of {asker.id}",
            remedy="what needs a person is decided by one: `tmorch needs` outside the agents' windows",
            code="agent",
        )
    if not choice.strip():
        raise RefusedError("no choice was named", remedy="say approve, deny, or one of its choices", code="empty")
    if not fingerprint and agent.dialog is None:
        raise RefusedError(
            f"{agent.id} shows no dialog that can be answered",
            cause=f"it is {agent.status}: {agent.reason}",
            remedy="`tmorch needs` lists what waits for you",
            code="no-dialog",
        )
    pinned = fingerprint or (agent.dialog.fingerprint if agent.dialog else "")
    return store.answers.add(agent.id, choice.strip(), fingerprint=pinned, at=at)


async def settled(read: Callable[[], Awaitable[Answer]], wait_s: float) -> Answer:
    """Return the answer that `read` gives once it is settled, or as it is after `wait_s`."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + wait_s
    while True:
        answer = await read()
        if answer.state.is_final or clock() > deadline:
            return answer
        await asyncio.sleep(LOOK_S)


def recover_answers(store: Store, at: float) -> None:
    """Settle the answers that a crash cut short: nobody knows whether a key was pressed, so none is again."""
    for answer in store.answers.interrupted():
        reason = "the supervisor stopped while it was being given; attach and look"
        _finish(store, answer, AnswerState.UNCONFIRMED, reason, at)


async def give_answers(
    store: Store, connections: Connections, drivers: Mapping[str, Driver], agent_id: AgentId, clock: Callable[[], float]
) -> None:
    """Give what the person answered to an agent's dialogs, oldest first. Call it in the agent's lane."""
    while answer := store.answers.claim(agent_id):
        agent = store.agents.get(agent_id)
        if clock() - answer.created_at > LATE_S:
            done = Choosing(ending=Ending.GONE, reason="it came too late: the supervisor could not see to it in time")
        elif store.answers.is_unsettled(agent_id, answer.fingerprint, agent.status_since):
            done = Choosing(
                ending=Ending.OUT_OF_REACH, reason=f"an earlier answer to it has not been seen to arrive: {ATTACH}"
            )
        else:
            done = await _give(store, connections, agent, drivers[agent.driver], answer)
        _finish(store, answer, STATES.get(done.ending, AnswerState.REFUSED), done.reason, clock())


async def _give(store: Store, connections: Connections, agent: Agent, driver: Driver, answer: Answer) -> Choosing:
    try:
        gateway = await connections.gateway(store.orchestrations.get(agent.orchestration).server)
        chooser = Chooser(gateway, agent, driver)
        seen = await chooser.look()
    except TmorchError as error:  # nothing was pressed yet
        return Choosing(ending=Ending.GONE, reason=error.title)
    if not isinstance(seen, OpenSight):
        return seen
    if answer.fingerprint and seen.dialog.fingerprint != answer.fingerprint:
        return Choosing(ending=Ending.GONE, reason="another dialog is open by now")
    if why_not := _hidden(store, agent, seen, answer):
        return Choosing(ending=Ending.OUT_OF_REACH, reason=f"{why_not}: {ATTACH}")
    place = place_in(seen.dialog, answer.choice, driver.patterns)
    if place.at is None:
        return Choosing(ending=Ending.OUT_OF_REACH, reason=place.why_not)
    return await chooser.choose(seen.dialog.fingerprint, place.at)


def _hidden(store: Store, agent: Agent, seen: OpenSight, answer: Answer) -> str:
    """Return what is out of sight of a dialog that is larger than its pane; empty when nothing is that matters.

    Two dialogs may look alike as far as they are to be seen. Where the beginning is not, the agent's own hook has to
    have told the whole of it before the answer, and nothing since.
    """
    if seen.sight.reading.more_choices:
        return "some of its choices are out of sight"
    if not seen.sight.reading.cut:
        return ""
    fact = store.hook_facts.of(agent.id)
    is_told = fact is not None and fact.claim is HookClaim.WAITING and fact.at <= answer.created_at
    is_whole = agent.dialog is not None and agent.dialog.detail != agent.dialog.seen
    return "" if is_told and is_whole else "its beginning is above the top of its pane"


def place_in(dialog: OpenDialog, choice: str, patterns: Patterns) -> Place:
    """Return which choice of `dialog` is meant by `approve`, `deny`, a digit, or a label or how it alone begins."""
    if not kind_of(dialog).is_answerable or not dialog.choices:
        return Place(why_not=f"it cannot be answered from afar: {ATTACH}")
    if any(patterns.tick.match(c.label) for c in dialog.choices):
        return Place(why_not=f"several of its choices can be marked: {ATTACH}")
    at = _verdict(dialog, choice, patterns) if choice in (APPROVE, DENY) else _named(dialog, choice)
    if at is None:
        choices = ", ".join(f"{c.key} {c.label}".strip() for c in dialog.choices)
        what = f"no plain {'yes' if choice == APPROVE else 'no'}" if choice in (APPROVE, DENY) else "no such choice"
        return Place(why_not=f"it has {what}; its choices are: {choices}")
    if dialog.choices[at].label.startswith(patterns.typed_choices):
        return Place(why_not=f"that choice takes words of your own: {ATTACH}")
    return Place(at=at)


def _verdict(dialog: OpenDialog, choice: str, patterns: Patterns) -> int | None:
    """Return the plain yes or no. A yes that permits more than what is asked for begins alike: it has to be named."""
    words = patterns.gate_answer(dialog.name, accept=choice == APPROVE)
    at = place_of(words, dialog.choices)
    is_wide = choice == APPROVE and kind_of(dialog) is NeedKind.PERMISSION
    return None if is_wide and at is not None and dialog.choices[at].label != words else at


def _named(dialog: OpenDialog, choice: str) -> int | None:
    for at, one in enumerate(dialog.choices):
        if choice in (one.key, one.label):
            return at
    begun = [at for at, one in enumerate(dialog.choices) if one.label.lower().startswith(choice.lower())]
    whole = [at for at in begun if dialog.choices[at].label.lower() == choice.lower()]
    return whole[0] if len(whole) == 1 else begun[0] if len(begun) == 1 else None


def _finish(store: Store, answer: Answer, state: AnswerState, reason: str, at: float) -> None:
    agent = store.agents.get(answer.agent)
    why = f": {reason}" if reason else ""
    with store.transaction():
        store.answers.finish(answer.id, state, reason)
        store.events.add(
            f"answer.{state}",
            f"your answer “{answer.choice}” to {answer.agent}: {state}{why}",
            at=at,
            orchestration=agent.orchestration,
            agent=answer.agent,
        )
