"""The supervisor's duty to keep what agents tell of credit: their status lines, and the limits that they meet.

A file is read again only when its `stat` differs: fifty quiet agents cost fifty `stat`s a round.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from orchestrator_core.agents.claude import usage
from orchestrator_core.agents.claude.records import TAIL, newest_limit
from orchestrator_core.agents.limits import USED_UP, window_of
from orchestrator_core.config.settings import CreditSettings
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.credit import (
    AccountId,
    AgentUse,
    Confidence,
    CreditReading,
    ReadingSource,
)
from orchestrator_core.models.ids import AgentId
from orchestrator_core.services.credit import guessed, is_news, is_use_news, limits_of
from orchestrator_core.services.firing import Report
from orchestrator_core.store import Store

MOST_BYTES = 1 << 16
"""A status line is told a few kB; what is longer is cut, and then cannot be read."""
PRUNE_S = 3600.0
DAY_S = 86400.0
SLACK_S = 5.0
"""How much sooner than we saw an agent limited its record may be written."""
Stamp = tuple[int, int, int]


class Known(Struct, frozen=True, kw_only=True):
    """What was read of an agent last."""

    stamp: Stamp
    line: usage.StatusLine | None


class CreditDuty:
    """Stores readings of accounts and what agents use. Raises nothing."""

    def __init__(
        self,
        store: Store,
        settings: CreditSettings,
        accounts: Mapping[str, str],
        agents_folder: Path,
        clock: Callable[[], float],
        report: Report,
    ) -> None:
        """`accounts` are those of agents, by their driver, of which it is not known otherwise."""
        self._store = store
        self._settings = settings
        self._accounts = accounts
        self._folder = agents_folder
        self._clock = clock
        self._report = report
        self._known: dict[AgentId, Known] = {}
        self._limits: dict[AgentId, tuple[object, ...]] = {}
        self._counting: dict[tuple[str, str], CreditReading] | None = None
        self._uses: dict[AgentId, AgentUse] = {}
        self._pruned_at = 0.0

    def round(self, agents: Iterable[Agent]) -> None:
        """Take in what `agents` have told since the last round."""
        present = tuple(agents)
        try:
            self._prune()
            for agent in present:
                self._see_to(agent)
            self._forget_others(frozenset(agent.id for agent in present))
        except Exception as fault:  # an edge of the loop: nothing may stop it
            self._counting = None  # read anew: what was to be stored may not have been
            self._known.clear()
            self._limits.clear()
            self._report(f"keeping what is told of credit: {type(fault).__name__}: {fault}", traceback.format_exc())

    def _see_to(self, agent: Agent) -> None:
        account = AccountId(agent.account or self._accounts.get(agent.driver, ""))
        if not account:
            return
        if not agent.account:
            self._store.agents.update(agent.id, account=account)
        path = self._folder / agent.orchestration / agent.role / usage.STATUS_LINE
        before, stamp = self._known.get(agent.id), _stamp(path)
        if stamp is not None and (before is None or before.stamp != stamp):
            line = usage.decode(_start_of(path))
            self._known[agent.id] = Known(stamp=stamp, line=line)
            if line is not None:
                self._take(agent, account, line, at=stamp[0] / 1e9)
        if agent.status is AgentStatus.LIMITED:
            self._see_limit(agent, account)

    # --- status lines

    def _take(self, agent: Agent, account: AccountId, line: usage.StatusLine, at: float) -> None:
        at = min(at, self._clock())
        for name, window in line.windows.items():
            self._keep(
                CreditReading(
                    account=account,
                    window=name,
                    at=at,
                    source=ReadingSource.STATUS_LINE,
                    confidence=Confidence.SURE,
                    used_percentage=window.used_percentage,
                    resets_at=window.resets_at,
                    is_limit=window.used_percentage >= USED_UP,
                    agent=agent.id,
                )
            )
        self._take_use(
            AgentUse(
                agent=agent.id,
                at=at,
                conversation=line.conversation,
                cost_usd=line.cost_usd,
                context_used=line.context_used,
                context_size=line.context_size,
                input_tokens=line.input_tokens,
                output_tokens=line.output_tokens,
                model=line.model,
            )
        )

    def _take_use(self, use: AgentUse) -> None:
        if not self._uses:
            self._uses = self._store.agent_uses.latest()
        if is_use_news(use, self._uses.get(use.agent)):
            with self._store.transaction():
                self._store.agent_uses.add(use)
                self._store.agents.update(use.agent, context_used=use.context_used, cost_usd=use.cost_usd)
            self._uses[use.agent] = use

    # --- limits

    def _see_limit(self, agent: Agent, account: AccountId) -> None:
        """Keep the limit that an agent has met: as it was recorded, else as it reads, else as it can be guessed."""
        known = self._known.get(agent.id)
        transcript = Path(known.line.transcript) if known and known.line and known.line.transcript else None
        key = (agent.status_since, agent.limited_until, _stamp(transcript) if transcript else None)
        if self._limits.get(agent.id) == key:
            return
        self._limits[agent.id] = key
        self._keep(self._recorded(agent, account, transcript) or self._told(agent, account))

    def _recorded(self, agent: Agent, account: AccountId, transcript: Path | None) -> CreditReading | None:
        record = newest_limit(_end_of(transcript)) if transcript else None
        if record is None or record.at < (agent.status_since or 0.0) - SLACK_S - self._settings.margin_s:
            return None
        return CreditReading(
            account=account,
            window=record.window,
            at=self._clock(),
            source=ReadingSource.RECORD,
            confidence=Confidence.SURE,
            used_percentage=USED_UP,
            resets_at=record.resets_at,
            is_limit=True,
            agent=agent.id,
        )

    def _told(self, agent: Agent, account: AccountId) -> CreditReading | None:
        now, window = self._clock(), window_of(agent.reason)
        if agent.limited_until is None:
            is_held = bool(limits_of([each for each in self._current().values() if each.account == account], now))
            last = self._current().get((account, window))
            return None if is_held else guessed(account, window, agent.status_since or now, now, last, agent)
        if agent.limited_until <= now:
            return None
        return CreditReading(
            account=account,
            window=window,
            at=now,
            source=ReadingSource.SCREEN,
            confidence=Confidence.LIKELY,
            used_percentage=USED_UP,
            resets_at=agent.limited_until,
            is_limit=True,
            agent=agent.id,
        )

    # --- keeping

    def _keep(self, reading: CreditReading | None) -> None:
        if reading is None:
            return
        key = (str(reading.account), reading.window)
        if is_news(reading, self._current().get(key)):
            self._store.readings.add(reading)
            self._current()[key] = reading

    def _current(self) -> dict[tuple[str, str], CreditReading]:
        if self._counting is None:
            found = self._store.readings.current()
            self._counting = {(str(reading.account), reading.window): reading for reading in found}
        return self._counting

    def _prune(self) -> None:
        now = self._clock()
        if now - self._pruned_at > PRUNE_S:
            self._pruned_at = now
            self._store.readings.prune(now - self._settings.keep_days * DAY_S)
            self._store.agent_uses.prune(now - self._settings.keep_days * DAY_S)

    def _forget_others(self, present: frozenset[AgentId]) -> None:
        if len(self._known) > len(present):
            self._known = {agent: known for agent, known in self._known.items() if agent in present}
            self._limits = {agent: key for agent, key in self._limits.items() if agent in present}


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _start_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except OSError:
        return b""


def _end_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL))
            return file.read(TAIL)
    except OSError:
        return b""
