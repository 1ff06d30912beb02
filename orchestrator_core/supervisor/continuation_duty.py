"""The supervisor's duty to bring agents out of usage limits; see `services/continuation.py`.

Each decision and the messages that follow from it are one transaction: a kill at any instant neither loses nor doubles
one, and looking again changes nothing.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable

from orchestrator_core.config.settings import CreditSettings
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.credit import AccountId, Confidence, Continuation, ContinuationState
from orchestrator_core.models.need import Need, NeedKind
from orchestrator_core.services.continuation import GO_ON, Decision, Facts, begun, decide
from orchestrator_core.services.credit import FIVE_HOURS_S, limits_of
from orchestrator_core.services.firing import Report
from orchestrator_core.store import Store

WENT_ON = "it goes on by itself"
HELD = {
    ContinuationState.WAITING: "{agents} for the end of the usage limit of {account}",
    ContinuationState.LOOKING: "the usage limit of {account} has ended: it is looked who goes on",
    ContinuationState.NUDGED: "the usage limit of {account} has ended: who did not go on was told to",
    ContinuationState.BACKING_OFF: "{agents}: {account} is still limited, and looked at again later",
}


class ContinuationDuty:
    """Sees to accounts with limited agents. Raises nothing."""

    def __init__(self, store: Store, settings: CreditSettings, clock: Callable[[], float], report: Report) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._report = report
        self._open: tuple[Continuation, ...] | None = None
        self._needs: tuple[Need, ...] = ()

    def round(self, agents: Iterable[Agent]) -> None:
        """Do what is to be done now; costs nothing while no agent is limited and no way out is open."""
        try:
            present = tuple(agents)
            if self._open is None:
                self._open = self._store.continuations.open()
            if self._open or any(agent.status is AgentStatus.LIMITED for agent in present):
                self._see_to(present)
            elif self._needs:
                self._needs = ()
        except Exception as fault:  # an edge of the loop: nothing may stop it
            self._open = None
            self._report(f"seeing to usage limits: {type(fault).__name__}: {fault}", traceback.format_exc())

    @property
    def needs(self) -> tuple[Need, ...]:
        """What the person is to know of limits: one need for each account that is limited."""
        return self._needs

    def _see_to(self, present: tuple[Agent, ...]) -> None:
        by_account: dict[AccountId, list[Agent]] = {}
        for agent in present:
            if agent.status is AgentStatus.LIMITED:
                by_account.setdefault(account_of(agent), []).append(agent)
        with self._store.transaction():
            self._withdraw(present)
            known = {found.account: found for found in self._store.continuations.open()}
            for account in sorted({*by_account, *known}):
                self._step(account, by_account.get(account, []), known.get(account))
            self._open = self._store.continuations.open()
        self._needs = tuple(
            need for found in self._open if (need := self._need(found, by_account.get(found.account, [])))
        )

    def _withdraw(self, present: tuple[Agent, ...]) -> None:
        """Take back what would tell an agent to go on that does so already, or is no more."""
        limited = {agent.id for agent in present if agent.status is AgentStatus.LIMITED}
        for agent in self._store.continuations.unsettled():
            if agent not in limited:
                self._store.continuations.withdraw(agent, WENT_ON, self._clock())

    def _step(self, account: AccountId, limited: list[Agent], continuation: Continuation | None) -> None:
        now = self._clock()
        if continuation is None:
            new = self._store.continuations.begin(begun(self._facts(account, limited, None), self._settings, now))
            if new is not None:
                self._tell(new, limited, "a usage limit was met")
            return
        decision = decide(continuation, self._facts(account, limited, continuation), self._settings, now)
        if decision is not None:
            self._carry_out(continuation, decision, limited)

    def _facts(self, account: AccountId, limited: list[Agent], continuation: Continuation | None) -> Facts:
        now, store = self._clock(), self._store
        held = limits_of([each for each in store.readings.current() if each.account == account], now)
        told = [held[0].resets_at] if held else []
        told += [agent.limited_until for agent in limited if agent.limited_until is not None]
        ahead = [at for at in told if at is not None and at > now]
        is_estimate = bool(held) and held[0].confidence is Confidence.ESTIMATE
        if not told and limited and continuation is None:
            ahead, is_estimate = [limited[0].status_since + FIVE_HOURS_S], True
        on_the_way = store.continuations.unsettled()
        return Facts(
            account=account,
            limited=tuple(agent.id for agent in limited),
            held_until=max(ahead, default=None),
            is_estimate=is_estimate,
            nudged=store.continuations.nudged(continuation) if continuation else frozenset(),
            is_on_the_way=any(agent.id in on_the_way for agent in limited),
        )

    def _carry_out(self, before: Continuation, decision: Decision, limited: list[Agent]) -> None:
        now, after = self._clock(), decision.continuation
        self._store.continuations.update(after)
        for agent in decision.nudge:
            self._store.continuations.nudge(after, agent, GO_ON, now)
        if after.state is not before.state:
            self._tell(after, limited, after.reason or str(after.state))

    def _tell(self, continuation: Continuation, limited: list[Agent], words: str) -> None:
        first = limited[0] if limited else None
        self._store.events.add(
            f"limit.{continuation.state}",
            f"{continuation.account}: {words}",
            at=self._clock(),
            **({"orchestration": first.orchestration, "agent": first.id} if first else {}),
        )

    def _need(self, continuation: Continuation, limited: list[Agent]) -> Need | None:
        if not limited:
            return None
        first = min(limited, key=lambda agent: (agent.status_since, agent.id))
        agents = f"{len(limited)} agents wait" if len(limited) > 1 else "1 agent waits"
        words = continuation.reason if not self._settings.resume and continuation.reason else ""
        detail = words or HELD[continuation.state].format(agents=agents, account=continuation.account)
        return Need(
            key=f"limit:{continuation.id}",
            kind=NeedKind.LIMITED,
            orchestration=first.orchestration,
            agent=first.id,
            detail=detail,
            since=continuation.created_at,
        )


def account_of(agent: Agent) -> AccountId:
    """Return the account of an agent; one that has none is told of by itself alone."""
    return AccountId(agent.account or f"agent {agent.id}")
