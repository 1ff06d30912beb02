"""`tmorch schedule`: how a check-in is said, set, listed and changed. The schedule behind it is the real one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator_core.check_ins import CheckIns
from orchestrator_core.cli.check_in_view import clock
from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.config.settings import ScheduleSettings
from orchestrator_core.errors import ExitCode, NotFoundError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.check_in import CheckIn, CheckInKind, CheckInState
from orchestrator_core.models.fleet import AgentView, Fleet, Team
from orchestrator_core.models.ids import CheckInId, OrchestrationId
from orchestrator_core.models.spans import lasting
from orchestrator_core.models.target import resolve
from orchestrator_core.models.when import clock_of, next_at, shift_of, span_of
from orchestrator_core.store import Store, open_store
from tests.fakes.cli import (
    SERVER,
    FakeContext,
    FakeOrchestrator,
    FakeQuickStore,
    make_agent,
    make_orchestration,
    make_team,
)
from tests.fakes.json_shape import faults

T = TypeVar("T")
DEVELOPER, TESTER = make_agent(), make_agent("shop-1a2b:tester", "%3")
INSIDE = {"TMUX": f"{SERVER},4242,0", "TMUX_PANE": "%3"}
"""The tester's pane."""
TEAM = OrchestrationId("shop-1a2b")


class Desk:
    """A schedule of its own, with a team of two."""

    def __init__(self, store: Store) -> None:
        self.store = store
        store.orchestrations.claim(make_orchestration())
        for agent in (DEVELOPER, TESTER):
            store.agents.add(agent)
        self.adoptable: Agent | None = None
        self.wakes = 0

    def run(self, *arguments: str, code: int = ExitCode.DONE, inside: bool = False, typed: str = "") -> FakeContext:
        """Run `tmorch schedule` with these words; it exits with `code`."""
        made = AdoptingContext(
            "schedule",
            *arguments,
            store=FakeQuickStore(self.store.agents.active()),
            orchestrator=self._facade(TESTER if inside else None),
            environ=INSIDE if inside else {},
            typed=typed,
        )
        made.desk = self
        assert made.run() == code, made.said + made.narrated
        return made

    @property
    def last(self) -> CheckIn:
        """The check-in that was set last."""
        return self.store.check_ins.latest(1)[0]

    def _facade(self, caller: Agent | None) -> FakeOrchestrator:
        async def ask(question: Callable[[], T], /) -> T:
            return question()

        async def find(target: str) -> Agent:
            return resolve(target, self.store.agents.active(), caller=caller)

        def wake() -> None:
            self.wakes += 1

        facade = DeskFacade(self.store)
        facade.check_ins = CheckIns(
            self.store, ScheduleSettings(), ask, find=find, caller=lambda: caller, wake=wake, clock=time.time
        )
        return facade


class DeskFacade(FakeOrchestrator):
    """The facade of a desk: its fleet is what is stored."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def fleet(self) -> Fleet:
        self.teams = [
            Team(
                orchestration=run,
                agents=tuple(AgentView(agent=agent) for agent in self._store.agents.of(run.id)),
            )
            for run in self._store.orchestrations.list()
        ]
        return await super().fleet()


class AdoptingContext(FakeContext):
    """A context in which the desk's adoptable agent runs in the window work:2."""

    desk: Desk

    def adopt(self, target: str) -> Agent:
        if self.desk.adoptable is None or target != "work:2":
            raise NotFoundError(f"{target!r} is no pane of this tmux server")
        self.desk.store.orchestrations.claim(
            make_orchestration(self.desk.adoptable.orchestration, project="/home/me/work")
        )
        self.desk.store.agents.add(self.desk.adoptable)
        return self.desk.adoptable


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = open_store(tmp_path / "t.db")
    yield Desk(store)
    store.close()


def said(*arguments: str, orchestrator: FakeOrchestrator) -> str:
    context = FakeContext(*arguments, orchestrator=orchestrator)
    assert context.run() == ExitCode.DONE
    return context.said


def shows(context: FakeContext) -> Any:
    assert faults(context.json, schema_of("schedule")) == []
    return context.json


# --- setting


def test_once(desk: Desk) -> None:
    done = desk.run("30", "look at the tests", "developer")
    at = clock(desk.last.due_at, time.time(), seconds=True)
    assert done.said == f"check-in 1 for {DEVELOPER.id} at {at} (in 30 min): look at the tests\n"
    assert (desk.last.kind, desk.last.author, desk.last.note) == (CheckInKind.ONCE, "you", "look at the tests")
    assert desk.last.due_at == pytest.approx(time.time() + 1800, abs=60)
    assert desk.wakes == 1


@pytest.mark.parametrize(
    ("when", "seconds"),
    [("0.5", 30), (".5", 30), ("90s", 90), ("45m", 2700), ("2h", 7200), ("1h30m", 5400), ("1d", 86400), ("1.5h", 5400)],
)
def test_spans(desk: Desk, when: str, seconds: float) -> None:
    desk.run(when, "note", "developer")
    assert desk.last.due_at - desk.last.created_at == pytest.approx(seconds)


@pytest.mark.parametrize("words", [["30", "note", "developer", "--every"], ["30", "--every", "note", "developer"]])
def test_again_and_again(desk: Desk, words: list[str]) -> None:
    done = desk.run(*words)
    assert f"check-in 1 for {DEVELOPER.id} every 30 min, next at " in done.said
    assert (desk.last.kind, desk.last.interval_s) == (CheckInKind.EVERY, 1800)


def test_by_a_cron_expression(desk: Desk) -> None:
    done = desk.run("--cron", "0 9 * * 1-5", "plan the day", "developer", "--zone", "Asia/Tokyo")
    assert f"check-in 1 for {DEVELOPER.id} at 0 9 * * 1-5 (Asia/Tokyo), next at " in done.said
    due = datetime.fromtimestamp(desk.last.due_at, ZoneInfo("Asia/Tokyo"))
    assert (due.hour, due.minute) == (9, 0)


def test_at_a_clock_time_in_a_zone(desk: Desk) -> None:
    desk.run("14:30", "note", "developer", "--zone", "Asia/Kathmandu")
    due = datetime.fromtimestamp(desk.last.due_at, ZoneInfo("Asia/Kathmandu"))
    assert (due.hour, due.minute, due.second) == (14, 30, 0)
    assert 0 < desk.last.due_at - desk.last.created_at <= 86400


def test_an_agent_means_itself(desk: Desk) -> None:
    desk.run("30", "note", inside=True)
    assert (desk.last.target, desk.last.author) == (TESTER.id, TESTER.id)


def test_an_agent_is_always_itself(desk: Desk) -> None:
    refused = desk.run("30", "note", "--from", "boss", inside=True, code=ExitCode.REFUSED)
    assert "does not send as 'boss'" in refused.narrated
    desk.run("30", "note", "developer", "--from", "boss")
    assert desk.last.author == "boss"


def test_a_person_names_the_agent(desk: Desk) -> None:
    done = desk.run("30", "note", code=ExitCode.NOT_FOUND)
    assert "name the agent" in done.narrated
    assert "nobody" in desk.run("30", "note", "nobody", code=ExitCode.NOT_FOUND).narrated


def test_a_window_with_an_agent_that_was_started_by_hand(desk: Desk) -> None:
    desk.adoptable = make_agent("work-9z9z:agent", "%9")
    done = desk.run("30", "note", "work:2")
    assert desk.last.target == desk.adoptable.id
    assert f"adopted as {desk.adoptable.id}" in done.narrated
    desk.run("30", "note", "work:3", code=ExitCode.NOT_FOUND)
    desk.run("30", "note", "work:3", inside=True, code=ExitCode.NOT_FOUND)


def test_the_same_is_not_set_twice(desk: Desk) -> None:
    assert shows(desk.run("30", "note", "developer", "--json"))["is_new"] is True
    again = desk.run("30", "  Note", "developer")
    assert again.said.startswith(f"was set already: check-in 1 for {DEVELOPER.id} at ")
    assert shows(desk.run("30", "note", "developer", "--json"))["is_new"] is False


def test_json_has_both_kinds_of_time(desk: Desk) -> None:
    (check_in,) = shows(desk.run("30", "note", "developer", "--json"))["check_ins"]
    moment = datetime.fromisoformat(check_in["due"])
    assert moment.utcoffset() is not None
    assert moment.timestamp() == int(check_in["due_at"])


@pytest.mark.parametrize("note", ["-", "--"])
def test_notes_from_stdin_and_ones_that_begin_with_a_dash(desk: Desk, note: str) -> None:
    if note == "-":
        desk.run("30", "-", "developer", typed="two\nlines\n")
        assert desk.last.note == "two\nlines"
    else:
        desk.run("30", "--", "-v is noisy", "developer")
        assert desk.last.note == "-v is noisy"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "there is no WHEN"),
        (["soon", "note"], "'soon' is neither"),
        (["lst"], "'lst' is neither"),
        (["-5", "note"], "'-5' is neither"),
        (["25:00", "note"], "'25:00' is neither"),
        (["30"], "there is no NOTE"),
        (["30", "look", "at", "tests"], "too many words"),
        (["14:30", "note", "developer", "--every"], "--cron"),
        (["30", "note", "developer", "--zone", "UTC"], "--zone goes with"),
        (["--cron", "0 9 * * *", "note", "developer", "--every"], "--every does not go"),
        (["30", "note", "--all"], "--all goes with list"),
        (["--cron", "9", "note", "developer"], "no cron expression"),
        (["--cron", "0 9 * * *", "note", "developer", "--zone", "Mars"], "no time zone"),
        (["14:30", "note", "developer", "--zone", "Mars"], "no time zone"),
        (["30", " ", "developer"], "note is empty"),
        (["9999d", "note", "developer"], ""),
        (["0.1", "note", "developer", "--every"], ""),
        (["list", "--zone", "UTC"], "--zone does not go with"),
        (["list", "--every"], "--every does not go with"),
        (["list", "a", "b"], "too many words"),
        (["show"], "too few words"),
        (["show", "x"], "not the number"),
        (["cancel"], "too few words"),
        (["move", "1"], "either when, or by how much"),
        (["move", "1", "10", "--by", "10"], "either when, or by how much"),
        (["move", "1", "soon"], "'soon' is no time"),
    ],
)
def test_what_makes_no_sense(desk: Desk, words: list[str], says: str) -> None:
    done = desk.run(*words, code=ExitCode.USAGE)
    assert says in done.narrated
    assert done.said == ""
    assert desk.store.check_ins.latest(5) == ()


def test_a_wrong_first_word_is_told_both_forms(desk: Desk) -> None:
    said = desk.run("soon", "note", code=ExitCode.USAGE).narrated
    assert "tmorch schedule 30" in said
    assert "list|show|move|note|cancel|fire|pause|resume" in said


# --- what is set


def test_the_list_has_the_next_first(desk: Desk) -> None:
    desk.run("2h", "later", "tester")
    desk.run("30", "sooner \x1b[31m", "developer", "--every")
    titles, first, second = desk.run("list").said.splitlines()
    assert titles.split() == ["NO", "DUE", "AT", "RHYTHM", "FOR", "BY", "NOTE"]
    assert "in 30 min" in first
    assert "every 30 min" in first
    assert "\x1b" not in first
    assert "in 2 h" in second
    assert len(desk.run("list", "tester").said.splitlines()) == 2
    assert len(desk.run("list", TEAM).said.splitlines()) == 3
    assert [each["id"] for each in shows(desk.run("list", "--json"))["check_ins"]] == [2, 1]


def test_an_agent_lists_what_is_its_own(desk: Desk) -> None:
    desk.run("30", "mine", inside=True)
    desk.run("30", "for the tester", "tester")
    desk.run("30", "for the developer", "developer")
    listed = shows(desk.run("list", "--json", inside=True))["check_ins"]
    assert [each["note"] for each in listed] == ["mine", "for the tester"]


def test_the_list_says_why_something_waits(desk: Desk) -> None:
    desk.run("30", "late", "developer")
    now = time.time()
    waits = {"due_at": now - 300, "retry_at": now + 60, "reason": "its usage limit is reached", "attempts": 2}
    desk.store.check_ins.update(CheckInId(1), **waits)
    line = desk.run("list").said.splitlines()[1]
    assert "5 min overdue" in line
    assert "tried 2 times, tried again at" in line
    assert "its usage limit is reached" in line
    desk.store.check_ins.update(CheckInId(1), state=CheckInState.DEAD, ended_at=now, reason="gone")
    assert desk.run("list").narrated == "nothing is scheduled\n"
    assert "dead" in desk.run("list", "--all").said
    assert "gone" in desk.run("list", "--all").said


def test_a_paused_team_is_marked(desk: Desk) -> None:
    desk.run("30", "note", "developer")
    assert "are paused" in desk.run("pause", TEAM).said
    assert "were paused already" in desk.run("pause", TEAM).said
    assert "paused" in desk.run("list").said
    assert shows(desk.run("list", "--json"))["paused"] == [TEAM]
    assert shows(desk.run("resume", TEAM, "--json")) == {"check_ins": [], "paused": [], "is_new": True}
    assert "paused" not in desk.run("list").said
    desk.run("pause", "nobody", code=ExitCode.NOT_FOUND)


def test_a_long_note_is_shortened_in_the_list_alone(desk: Desk) -> None:
    desk.run("30", "word " * 50 + "end", "developer")
    assert "end" not in desk.run("list").said
    assert "word end" in desk.run("show", "1").said


def test_one_in_detail(desk: Desk) -> None:
    desk.run("30", "note", "developer", "--every")
    assert "last fired" not in desk.run("show", "1").said
    assert shows(desk.run("show", "1", "--json"))["firing"] is None
    desk.run("fire", "1")
    assert "last fired" in desk.run("show", "1").said
    assert shows(desk.run("show", "1", "--json"))["firing"]["outcome"] == "sent"
    desk.run("show", "7", code=ExitCode.NOT_FOUND)


@pytest.mark.parametrize(
    ("words", "shift"),
    [(["+10"], 600), (["-10"], -600), (["--by", "-10"], -600), (["--by", "10"], 600), (["--by=-1h"], -3600)],
)
def test_moving_from_its_due_time(desk: Desk, words: list[str], shift: float) -> None:
    desk.run("2h", "note", "developer")
    before = desk.last.due_at
    desk.run("move", "1", *words)
    assert desk.last.due_at - before == pytest.approx(shift)


def test_moving_from_now(desk: Desk) -> None:
    desk.run("2h", "note", "developer")
    assert "(in 10 min)" in desk.run("move", "1", "10").said
    assert "(now)" in desk.run("move", "1", "now").said
    desk.run("move", "1", "14:30")
    assert datetime.fromtimestamp(desk.last.due_at).strftime("%H:%M:%S") == "14:30:00"


def test_other_words(desk: Desk) -> None:
    desk.run("30", "note", "developer")
    assert desk.run("note", "1", "-", typed="better").said.endswith(": better\n")
    assert shows(desk.run("note", "1", "best", "--json"))["check_ins"][0]["note"] == "best"


def test_cancelling_several(desk: Desk) -> None:
    for note in ("a", "b", "c"):
        desk.run("30", note, "developer")
    desk.run("cancel", "1", "9", code=ExitCode.NOT_FOUND)
    assert desk.store.check_ins.get(CheckInId(1)).is_active
    done = desk.run("cancel", "1", "2", "2")
    assert [line.split(" (")[0] for line in done.said.splitlines()] == [
        f"check-in {number} for {DEVELOPER.id}, cancelled" for number in (1, 2)
    ]
    assert [each["state"] for each in shows(desk.run("cancel", "1", "3", "--json"))["check_ins"]] == ["cancelled"] * 2


def test_cancelling_what_is_not_the_agents_own_says_what_was_done(desk: Desk) -> None:
    desk.run("30", "mine", inside=True)
    desk.run("30", "not mine", "developer")
    done = desk.run("cancel", "1", "2", inside=True, code=ExitCode.REFUSED)
    assert done.said.startswith("check-in 1 ")
    assert desk.store.check_ins.get(CheckInId(2)).is_active


def test_firing(desk: Desk) -> None:
    desk.run("30", "note", "developer", "--every")
    fired, goes_on = desk.run("fire", "1").said.splitlines()
    assert fired == f"fired: message 1 to {DEVELOPER.id}"
    assert "every 30 min" in goes_on
    assert shows(desk.run("fire", "1", "--json"))["firing"]["message"] == 2


def test_the_status_shows_the_next_one() -> None:
    facade = FakeOrchestrator()
    due_at = time.time() + 5
    team = make_team()
    facade.teams = [replace(team, agents=(replace(team.agents[0], next_check_in=due_at),))]
    assert clock(due_at, time.time()) in said("status", orchestrator=facade)
    assert "next check-in" in said("status", str(DEVELOPER.id), orchestrator=facade)
    paused = replace(team.orchestration, check_ins_paused_at=1.0)
    facade.teams = [replace(team, orchestration=paused)]
    assert "paused" in said("status", orchestrator=facade)


# --- times as people write them


@given(st.text())
def test_any_text_is_some_time_or_none(text: str) -> None:
    span, shift = span_of(text), shift_of(text)
    assert span is None or span >= 0
    assert shift is None or text[0] in "+-"
    assert clock_of(text) is None or span is None


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 9999))
def test_spans_add_up(days: int, hours: int, seconds: int) -> None:
    assert span_of(f"{days}d{hours}h{seconds}s") == days * 86400 + hours * 3600 + seconds


@given(st.times(), st.integers(0, 4_000_000_000), st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]))
def test_the_next_time_of_a_clock_is_ahead_and_within_a_day(clock: Any, now: int, zone: str) -> None:
    at = next_at(clock.replace(microsecond=0, tzinfo=None, fold=0), now, ZoneInfo(zone))
    assert now < at <= now + 90_000  # a day of 25 hours


def test_spans_in_words() -> None:
    words = [lasting(seconds) for seconds in (0, 59.4, 60, 1799, 3600, 7500, 86400, 200_000, -300)]
    assert words == ["0 s", "59 s", "1 min", "30 min", "1 h", "2 h 5 min", "1 d", "2 d 7 h", "5 min"]
