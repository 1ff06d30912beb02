"""What the supervisor keeps of agents' status lines and limits: real files, a real store, no tmux."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from orchestrator_core.agents.claude.usage import STATUS_LINE
from orchestrator_core.config.settings import CreditSettings
from orchestrator_core.models.agent import Agent, AgentStatus, Verdict
from orchestrator_core.models.credit import AccountId, Confidence, CreditReading, ReadingSource
from orchestrator_core.models.ids import AgentId
from orchestrator_core.store import Store, open_store
from orchestrator_core.supervisor.credit_duty import CreditDuty
from tests.unit.test_credit import NOW, record
from tests.unit.test_store_contract import DEVELOPER, TESTER, an_agent, an_orchestration

RESET = NOW + 7200
ACCOUNT = AccountId("/home/dana/.claude")


class Stage(Struct):
    """A duty with a clock that is set by hand."""

    store: Store
    folder: Path
    now: float = NOW
    faults: list[str] = []

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin as a new supervisor does."""
        self.duty = CreditDuty(
            self.store, CreditSettings(), {"demo": ACCOUNT}, self.folder, lambda: self.now, self._report
        )

    duty: Any = None

    def _report(self, text: str, details: str = "") -> None:
        self.faults.append(text)

    def tell(self, agent: AgentId, **told: object) -> None:
        """Have a status line tell something."""
        team, _, role = agent.partition(":")
        path = self.folder / team / role / STATUS_LINE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told))
        os.utime(path, (self.now, self.now))

    def use(self, agent: AgentId, used: float, resets_at: float = RESET, **more: object) -> None:
        """Have a status line tell how much of the five hours is used."""
        self.tell(agent, rate_limits={"five_hour": {"used_percentage": used, "resets_at": resets_at}}, **more)

    def limit(self, agent: AgentId, until: float | None = None) -> None:
        """Have an agent be held."""
        verdict = Verdict(
            status=AgentStatus.LIMITED, reason="it has hit a usage limit: your weekly limit", limited_until=until
        )
        self.store.agents.set_verdict(agent, verdict, self.now)

    def round(self) -> tuple[CreditReading, ...]:
        """Look around; return what counts now."""
        self.duty.round(self.store.agents.active())
        assert self.faults == []
        return self.store.readings.current()

    def agent(self, agent: AgentId = DEVELOPER) -> Agent:
        return self.store.agents.get(agent)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with closing(open_store(tmp_path / "tmorch.db")) as store:
        store.orchestrations.claim(an_orchestration())
        for name in (DEVELOPER, TESTER):
            store.agents.add(an_agent(name))
        yield Stage(store, tmp_path / "agents")


def test_a_status_line_is_taken_in_once(stage: Stage) -> None:
    stage.use(DEVELOPER, 40, cost={"total_cost_usd": 1.5}, context_window={"used_percentage": 62}, session_id="c")
    (found,) = stage.round()
    assert (found.used_percentage, found.source, found.account) == (40, ReadingSource.STATUS_LINE, ACCOUNT)
    assert (stage.agent().context_used, stage.agent().cost_usd, stage.agent().account) == (62, 1.5, ACCOUNT)
    revision = stage.store.revision()
    for _ in range(5):
        stage.now += 1
        stage.round()
    stage.begin()
    stage.round()
    assert stage.store.revision() == revision, "nothing is written while nothing is new"


def test_agents_of_one_account_tell_of_one_window(stage: Stage) -> None:
    stage.use(DEVELOPER, 40)
    stage.use(TESTER, 35)
    (found,) = stage.round()
    assert found.used_percentage == 40
    stage.now += 5
    stage.use(TESTER, 43)
    (found,) = stage.round()
    assert (found.used_percentage, found.agent) == (43, TESTER)


def test_a_broken_status_line_is_none(stage: Stage) -> None:
    stage.use(DEVELOPER, 40)
    stage.round()
    stage.tell(TESTER, rate_limits="none", cost=[], context_window=None)
    (stage.folder / "shop-3f2a/developer" / STATUS_LINE).write_text("{")
    assert len(stage.round()) == 1


def test_a_limit_is_kept_as_it_was_recorded(stage: Stage, tmp_path: Path) -> None:
    transcript = tmp_path / "conversation.jsonl"
    stage.use(DEVELOPER, 97, transcript_path=str(transcript))
    stage.round()
    quota = {"resetsAt": RESET, "rateLimitType": "five_hour"}
    transcript.write_text(json.dumps(record(quotaLimits=quota, timestamp="2027-01-15T08:00:00Z")) + "\n")
    stage.limit(DEVELOPER, RESET - 30)
    (found,) = stage.round()
    assert (found.source, found.is_limit, found.resets_at) == (ReadingSource.RECORD, True, RESET)
    stage.now += 30
    stage.use(TESTER, 97)
    assert stage.round() == (found,), "who has not met it does not end it"


def test_a_limit_of_which_only_words_tell(stage: Stage) -> None:
    stage.limit(DEVELOPER, NOW + 90_000)
    (found,) = stage.round()
    assert (found.window, found.source, found.confidence) == ("seven_day", ReadingSource.SCREEN, Confidence.LIKELY)
    assert found.resets_at == NOW + 90_000


def test_a_limit_whose_end_nobody_tells_is_guessed_and_gives_way_to_what_is_told(stage: Stage) -> None:
    stage.limit(DEVELOPER)
    (found,) = stage.round()
    assert (found.source, found.confidence, found.is_limit) == (ReadingSource.GUESS, Confidence.ESTIMATE, True)
    for _ in range(20):
        stage.now += 60
        stage.round()
    assert len(stage.store.readings.history(ACCOUNT, found.window, 0)) == 1
    stage.limit(DEVELOPER, NOW + 80_000)
    (told,) = stage.round()
    assert (told.resets_at, told.confidence) == (NOW + 80_000, Confidence.LIKELY)


def test_the_next_window_ends_a_limit(stage: Stage) -> None:
    stage.use(DEVELOPER, 100)
    (found,) = stage.round()
    assert found.is_limit
    stage.now = RESET + 80
    stage.use(DEVELOPER, 1, RESET + 18_000)
    (found,) = stage.round()
    assert (found.is_limit, found.used_percentage) == (False, 1)


def test_a_fault_is_reported_and_what_was_told_is_taken_in_later(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(reading: CreditReading) -> None:
        raise OSError("the disk is full")

    stage.use(DEVELOPER, 40)
    with monkeypatch.context() as patch:
        patch.setattr(stage.store.readings, "add", fail)
        stage.duty.round(stage.store.agents.active())
    assert "the disk is full" in stage.faults.pop()
    assert len(stage.round()) == 1
