"""Who is stuck: which signs count, for how long an agent may be quiet, and that nothing is said twice."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator_core.agents.screen import Reading, ScreenState
from orchestrator_core.agents.screen_patterns import Patterns, line_prompt, patterns, unread
from orchestrator_core.agents.shown import RECENT, Shown, fingerprint_of, shown_after
from orchestrator_core.git.activity import last_commit_at
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.check_in import CheckIn, CheckInKind
from orchestrator_core.models.dialog import OpenDialog
from orchestrator_core.models.hook import HookClaim, HookFact
from orchestrator_core.models.ids import AgentId, CheckInId, OrchestrationId, PaneId
from orchestrator_core.models.message import MessageState
from orchestrator_core.models.need import NeedKind
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.models.pane import Cursor, PaneFrame
from orchestrator_core.services.needs import dismiss_need, reconcile_needs
from orchestrator_core.services.progress import AHEAD_S, ProgressWatch, Signs, patience_s, stuck_need
from orchestrator_core.services.watch import Watch
from orchestrator_core.store import Store, open_store
from tests.conftest import MakeProject, run_git
from tests.fakes.captured_screens import EXPECTED, lines_of
from tests.fakes.cli import make_agent, make_orchestration

NOW = 1_800_000_000.0
MIN = 60.0
STUCK_S = 30 * MIN
RUN = OrchestrationId("shop-1a2b")
DEVELOPER, TESTER = AgentId("shop-1a2b:developer"), AgentId("shop-1a2b:tester")
CLAUDE = patterns("claude")
SPINNER = "· Cascading… (4s · ↓ 7 tokens)"


# --- what a screen shows


def frame(*lines: str) -> PaneFrame:
    cursor = Cursor(x=0, y=0, visible=False)
    return PaneFrame(pane=PaneId("%1"), lines=lines, width=120, height=len(lines), cursor=cursor)


def works(*above: str, spinner: str = SPINNER, footer: str = "  ⏸ manual mode on · esc to interrupt") -> PaneFrame:
    rule = "─" * 60
    return frame("❯ do it", "", *above, "", spinner, "", rule, "❯\u00a0", rule, footer)


def is_news(before: PaneFrame, after: PaneFrame, by: Patterns = CLAUDE) -> bool:
    return fingerprint_of(before, by) != fingerprint_of(after, by)


RUNNING = works("● Running sleep 600 · 4s", "  ⎿  $ sleep 600 (4s)")


@pytest.mark.parametrize(
    "after",
    [
        works("● Running sleep 600 · 4s", "  ⎿  $ sleep 600 (4s)", spinner="✻ Cascading… (1m 12s · ↓ 9 tokens)"),
        works("● Running sleep 600 · 4s", "  ⎿  $ sleep 600 (4s)", spinner="✢ Baking… (5s)"),
        works(
            "● Running sleep 600 · 4s", "  ⎿  $ sleep 600 (4s)", spinner="✻ API error · retrying in 9s · attempt 2/10"
        ),
        works("● Running sleep 600 · 1h 2m 3s", "  ⎿  $ sleep 600 (1h 2m 3s)"),
        works("  Running sleep 600 · 5s", "  ⎿  $ sleep 600 (5s)"),
        works("● Running sleep 600 · 5s", "  ⎿  $ sleep 600 (5s)", footer="  ⏸ manual mode on · 3 shells"),
        works("● Running sleep 600 · 5s", "  ⎿  $ sleep 600 (5s)", f"{'':40}tmux focus-events off"),
        works("● Running sleep 600 · 5s", "  ⎿  $ sleep 600 (5s)", "  ⎿  Tip: Use /memory"),
    ],
)
def test_what_moves_by_itself_is_no_news(after: PaneFrame) -> None:
    assert not is_news(RUNNING, after)


@pytest.mark.parametrize(
    "after",
    [
        works("● Running sleep 600 · 4s", "  ⎿  $ sleep 600 (4s)", "  ⎿  done"),
        works("● Running sleep 601 · 4s", "  ⎿  $ sleep 601 (4s)"),
        works("● Running make · 4s", "  ⎿  34% done"),
    ],
)
def test_what_was_said_or_done_is_news(after: PaneFrame) -> None:
    assert is_news(RUNNING, after)


def test_a_count_goes_on_in_a_tool_s_output() -> None:
    assert is_news(works("● Running make", "  ⎿  34% done"), works("● Running make", "  ⎿  35% done"))


def test_a_draft_and_a_status_line_are_no_news() -> None:
    for name in EXPECTED:
        lines = lines_of(name)
        boxes = [row for row, line in enumerate(lines) if "❯\u00a0" in line]
        if not name.startswith("panes/idle") or not boxes:
            continue
        status = (*lines[:-1], f"  12:00:01 {lines[-1]}")
        assert not is_news(frame(*lines), frame(*status)), name


@pytest.mark.parametrize("by", [unread(), line_prompt(r"^> $")], ids=["unread", "line"])
def test_on_other_screens_digits_and_spinners_are_no_news(by: Patterns) -> None:
    before = frame("building", "⠋ step 3 of 20  | 0:04")
    assert not is_news(before, frame("building", "⠹ step 4 of 20  / 0:05"), by)
    assert is_news(before, frame("building", "linking", "⠹ step 4 of 20"), by)


@given(st.lists(st.integers(0, 3), max_size=30))
def test_what_was_shown_a_moment_ago_is_no_news(pictures: list[int]) -> None:
    shown: Shown | None = None
    for at, picture in enumerate(pictures):
        before = shown
        shown = shown_after(before, picture, now=float(at), activity=float(at))
        is_new = before is not None and picture not in pictures[:at]
        assert shown.is_witnessed is (is_new or (before is not None and before.is_witnessed))
        assert not is_new or shown.at == at
    assert shown is None or shown.at <= 4 * RECENT


def test_only_so_many_pictures_are_remembered() -> None:
    shown = shown_after(None, 0, now=0, activity=0)
    for picture in range(1, 3 * RECENT):
        shown = shown_after(shown, picture, now=picture, activity=picture)
    assert len(shown.latest) == RECENT
    assert shown_after(shown, 0, now=100, activity=100).at == 100


def test_the_first_picture_is_as_old_as_the_last_output() -> None:
    assert shown_after(None, 1, now=100.0, activity=40) == Shown(latest=(1,), at=40, is_witnessed=False)
    assert shown_after(None, 1, now=100.0, activity=101).at == 100


# --- the rule


def agent(status: AgentStatus = AgentStatus.WORKING, **changes: Any) -> Agent:
    return make_agent(**{"status": status, "status_since": NOW - 3 * STUCK_S, "doing": "", **changes})


def old(**changes: Any) -> Signs:
    return Signs(status=NOW - 3 * STUCK_S, **changes)


@pytest.mark.parametrize(
    ("status", "is_readable", "nudged", "patience"),
    [
        (AgentStatus.WORKING, True, None, STUCK_S),
        (AgentStatus.WORKING, True, 60 * MIN, STUCK_S),
        (AgentStatus.UNKNOWN, True, None, STUCK_S),
        (AgentStatus.UNKNOWN, False, None, None),
        (AgentStatus.UNKNOWN, False, 60 * MIN, 120 * MIN),
        (AgentStatus.IDLE, True, None, None),
        (AgentStatus.IDLE, True, 60 * MIN, 120 * MIN),
        (AgentStatus.IDLE, True, 5 * MIN, STUCK_S),
        (AgentStatus.WAITING, True, 5 * MIN, None),
        (AgentStatus.LIMITED, True, 5 * MIN, None),
        (AgentStatus.STARTING, True, 5 * MIN, None),
        (AgentStatus.EXITED, True, 5 * MIN, None),
        (AgentStatus.FAILED, True, 5 * MIN, None),
    ],
)
def test_for_how_long_an_agent_may_be_quiet(
    status: AgentStatus, is_readable: bool, nudged: float | None, patience: float | None
) -> None:
    assert patience_s(agent(status), STUCK_S, nudged, is_readable=is_readable) == patience
    asks = agent(status, dialog=OpenDialog(name="permission", detail="make"))
    assert patience_s(asks, STUCK_S, nudged, is_readable=is_readable) is None
    assert patience_s(agent(status, pane=None), STUCK_S, nudged, is_readable=is_readable) is None


@pytest.mark.parametrize("sign", ["status", "screen", "commit", "hook", "message"])
def test_any_sign_is_one_of_progress(sign: str) -> None:
    fresh = replace(old(), **{sign: NOW - STUCK_S})
    assert stuck_need(agent(), fresh, STUCK_S, NOW) is None
    late = stuck_need(agent(), fresh, STUCK_S, NOW + 1)
    assert late is not None
    assert (late.kind, late.since) == (NeedKind.STUCK, NOW - STUCK_S)
    assert late.key == f"stuck:{DEVELOPER}:{int(NOW - STUCK_S)}"


def test_what_is_said_tells_all_that_is_known() -> None:
    signs = old(
        screen=NOW - 31 * MIN,
        commit=NOW - 72 * MIN,
        hook=NOW - 26 * 60 * MIN,
        hook_event="Stop",
        message=NOW - 60 * MIN,
    )
    need = stuck_need(agent(doing="Running make test"), signs, STUCK_S, NOW)
    assert need is not None
    words = re.sub(r"\d\d:\d\d", "00:00", need.detail)
    assert words == (
        "no sign of progress since 00:00: it shows as working (Running make test), its screen last changed 00:00, "
        f"last commit 00:00, last hook Stop {words.partition('Stop ')[2][:6]} 00:00, last message 00:00"
    )


def test_a_sign_from_before_the_clock_was_set_back_counts_for_nothing() -> None:
    ahead = old(hook=NOW + AHEAD_S + 1, screen=NOW - STUCK_S - 1)
    need = stuck_need(agent(), ahead, STUCK_S, NOW)
    assert need is not None
    assert need.since == NOW - STUCK_S - 1
    assert stuck_need(agent(), Signs(status=NOW + 3600), STUCK_S, NOW) is None


moments = st.none() | st.floats(NOW - 1e6, NOW + 1e6)


@given(
    st.builds(Signs, status=st.floats(NOW - 1e6, NOW), screen=moments, commit=moments, hook=moments, message=moments),
    st.floats(1, 1e6),
)
def test_nobody_is_stuck_who_gave_a_sign_in_time(signs: Signs, patience: float) -> None:
    need = stuck_need(agent(), signs, patience, NOW)
    ats = (signs.status, signs.screen, signs.commit, signs.hook, signs.message)
    latest = max(at for at in ats if at is not None and at <= NOW + AHEAD_S)
    assert (need is not None) is (NOW - latest > patience)
    assert need is None or need.since == latest


# --- commits


def test_a_commit_in_a_repository_and_in_a_worktree(make_project: MakeProject, tmp_path: Path) -> None:
    project, worktree = make_project(), tmp_path / "worktree"
    run_git(project, "worktree", "add", "-b", "side", str(worktree))
    for folder in (project, worktree):
        os.utime(_reflog(folder), (1000, 1000))
        assert last_commit_at(folder) == 1000
    run_git(worktree, "commit", "--allow-empty", "-m", "a change")
    assert last_commit_at(project) == 1000
    at = last_commit_at(worktree)
    assert at is not None
    assert at > 1_000_000


def test_a_commit_where_git_keeps_no_log(make_project: MakeProject, tmp_path: Path) -> None:
    project, worktree = make_project(), tmp_path / "worktree"
    run_git(project, "worktree", "add", "-b", "some/side", str(worktree))
    _reflog(worktree).unlink()
    os.utime(project / ".git/refs/heads/some/side", (2000, 2000))
    assert last_commit_at(worktree) == 2000


def _reflog(folder: Path) -> Path:
    return folder / run_git(folder, "rev-parse", "--git-path", "logs/HEAD").strip()


def test_a_folder_that_is_no_worktree_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/.git").write_bytes(b"gitdir: /nowhere\xff\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/.git").write_text("")
    for folder in (tmp_path, tmp_path / "gone", tmp_path / "broken", tmp_path / "empty", Path("a\0b")):
        assert last_commit_at(folder) is None


# --- the watch


class Sight:
    """What the watch last saw."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.screens: dict[AgentId, Shown] = {}
        self.facts: dict[AgentId, HookFact] = {}
        self.readings: dict[AgentId, Reading] = {}

    @property
    def agents(self) -> tuple[Agent, ...]:
        return self._store.agents.active()

    def fact(self, agent: AgentId) -> HookFact | None:
        return self.facts.get(agent)

    def shown(self, agent: AgentId) -> Shown | None:
        return self.screens.get(agent)

    def reading(self, agent: AgentId) -> Reading | None:
        return self.readings.get(agent)


class Desk:
    """A store with a team of two, and a watch over it that can be told what it sees."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOW
        self.sight = Sight(store)
        self.faults: list[str] = []
        self.begin()

    def begin(self) -> None:
        """Begin as a supervisor does that was just started."""
        watch = cast(Watch, self.sight)
        self.progress = ProgressWatch(self.store, watch, 30, lambda: self.now, self.faults.append)

    def look(self, *, at: float | None = None) -> list[AgentId]:
        """Look, at `at` after rounds until then, and return who is said to be stuck."""
        while at is not None and self.now < at:
            self.now = min(at, self.now + 30)
            self.progress.round()
        self.progress._looked_at = float("-inf")
        reconcile_needs(self.store, self.now, self.progress.round())
        return [need.agent for need in self.store.needs.open() if need.kind is NeedKind.STUCK]

    def shows(self, agent: AgentId, at: float, *, is_witnessed: bool = True) -> None:
        self.sight.screens[agent] = Shown(latest=(1,), at=at, is_witnessed=is_witnessed)

    def stand(self, agent: AgentId, every_s: float, **changes: Any) -> CheckIn:
        values: dict[str, Any] = {"author": "tmorch", "note": "go on", "zone": "UTC", "is_standing": True, **changes}
        return self.store.check_ins.add(
            CheckIn(
                id=CheckInId(0),
                target=agent,
                kind=CheckInKind.EVERY,
                due_at=NOW + 1e6,
                interval_s=every_s,
                anchor_at=NOW,
                **values,
            )
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = open_store(tmp_path / "store.db")
    store.orchestrations.claim(make_orchestration(state=OrchestrationState.STARTING))
    store.orchestrations.update(RUN, state=OrchestrationState.RUNNING)
    for name, status in ((DEVELOPER, AgentStatus.WORKING), (TESTER, AgentStatus.IDLE)):
        store.agents.add(make_agent(name, f"%{len(name)}", status=status, status_since=NOW - 10 * STUCK_S))
    yield Desk(store)
    store.close()


def test_who_works_without_a_sign_is_stuck_until_there_is_one(desk: Desk) -> None:
    assert desk.look() == [DEVELOPER]
    desk.shows(DEVELOPER, NOW + 9)
    assert desk.look(at=NOW + 10) == []
    kinds = [event.kind for event in reversed(desk.store.events.latest(10))]
    assert kinds == ["need.raised", "need.ended"]
    assert desk.faults == []


def test_the_same_words_as_long_as_nothing_changes(desk: Desk) -> None:
    desk.look()
    revision = desk.store.revision()
    for hours in range(1, 5):
        assert desk.look(at=NOW + hours * 3600) == [DEVELOPER]
    assert desk.store.revision() == revision, "nothing is written, nobody is woken"


def test_what_was_dismissed_stays_away_until_there_was_progress(desk: Desk) -> None:
    assert desk.look() == [DEVELOPER]
    (need,) = desk.store.needs.open()
    assert dismiss_need(desk.store, need.key, NOW)
    assert desk.look(at=NOW + 60) == []
    desk.begin()
    desk.shows(DEVELOPER, NOW + 60, is_witnessed=False)  # its spinner turns
    assert desk.look(at=NOW + 61) == [], "over a restart of the supervisor"
    desk.shows(DEVELOPER, NOW + 70)
    assert desk.look(at=NOW + 71) == []
    assert desk.look(at=NOW + 71 + STUCK_S) == [DEVELOPER]


def test_a_new_supervisor_knows_who_was_stuck(desk: Desk) -> None:
    assert desk.look() == [DEVELOPER]
    (before,) = desk.store.needs.open()
    desk.begin()
    desk.shows(DEVELOPER, NOW + 60, is_witnessed=False)
    assert desk.look(at=NOW + 61) == [DEVELOPER]
    assert desk.store.needs.open()[0].key == before.key
    desk.shows(DEVELOPER, NOW + 62)
    assert desk.look(at=NOW + 63) == []


def test_a_new_supervisor_waits_before_it_says_that_somebody_is_stuck(desk: Desk) -> None:
    desk.shows(DEVELOPER, NOW - 60, is_witnessed=False)
    assert desk.look() == []
    assert desk.look(at=NOW - 60 + STUCK_S + 1) == [DEVELOPER]


def test_messages_to_and_from_it_are_signs(desk: Desk) -> None:
    sent = desk.store.messages.add(TESTER, DEVELOPER, "look", at=NOW - 60)
    assert desk.look() == []
    assert desk.look(at=NOW + STUCK_S) == [DEVELOPER]
    got = desk.store.messages.add(DEVELOPER, "you", "hello", at=NOW + STUCK_S)
    assert desk.look() == [DEVELOPER], "it has not got it"
    desk.store.messages.claim_next(DEVELOPER, NOW + STUCK_S)
    desk.store.messages.finish(got.id, MessageState.DELIVERED, at=NOW + STUCK_S + 1)
    assert desk.look(at=NOW + STUCK_S + 2) == []
    assert desk.store.messages.last_signs([DEVELOPER, TESTER]) == {DEVELOPER: NOW + STUCK_S + 1}
    assert sent.target == TESTER


def test_hooks_and_commits_are_signs(desk: Desk, make_project: MakeProject) -> None:
    project = make_project()
    desk.store.agents.update(DEVELOPER, worktree=str(project))
    os.utime(project / ".git/logs/HEAD", (NOW - 60, NOW - 60))
    assert desk.look() == []
    assert desk.look(at=NOW + STUCK_S) == [DEVELOPER]
    assert "last commit" in desk.store.needs.open()[0].detail
    desk.sight.facts[DEVELOPER] = HookFact(
        agent=DEVELOPER, event="SubagentStop", claim=HookClaim.WORKING, at=NOW + STUCK_S, conversation=""
    )
    assert desk.look() == []


def test_an_idle_agent_is_stuck_when_its_check_ins_do_not_reach_it(desk: Desk) -> None:
    desk.shows(DEVELOPER, NOW)
    assert desk.look() == [], "none are to come"
    desk.stand(TESTER, 60 * MIN)
    assert desk.look() == [TESTER]
    desk.store.orchestrations.update(RUN, check_ins_paused_at=NOW)
    assert desk.look() == []
    desk.store.orchestrations.update(RUN, check_ins_paused_at=None)
    desk.store.agents.update(TESTER, status_since=NOW - 119 * MIN)
    assert desk.look() == []
    assert desk.look(at=NOW + 2 * MIN) == [TESTER]


def test_an_idle_agent_is_not_stuck_for_being_held(desk: Desk) -> None:
    """By a pause, by a budget, or because what was held is about to fire."""
    desk.shows(DEVELOPER, NOW)
    desk.stand(TESTER, 60 * MIN)
    desk.store.orchestrations.update(RUN, paused_at=NOW)
    assert desk.look() == []
    desk.store.orchestrations.update(RUN, paused_at=None)
    [number] = desk.store.check_ins.standing()[TESTER]
    desk.store.check_ins.update(number, retry_at=NOW + 2, reason="too dear")
    assert desk.look() == []
    desk.store.check_ins.update(number, retry_at=None, reason="")
    assert desk.look() == [TESTER]


def test_an_agent_whose_screen_tells_nothing_may_be_idle(desk: Desk) -> None:
    desk.store.agents.update(DEVELOPER, status=AgentStatus.UNKNOWN)
    assert desk.look() == [DEVELOPER]
    desk.sight.readings[DEVELOPER] = Reading(state=ScreenState.NONE, readable=False)
    assert desk.look() == []


@pytest.mark.parametrize("jump", [3 * 3600, -3600])
def test_after_a_sleep_or_another_time_nobody_is_stuck_who_was_not(desk: Desk, jump: float) -> None:
    desk.store.agents.update(TESTER, status=AgentStatus.WORKING)
    desk.shows(TESTER, NOW - 60)
    assert desk.look() == [DEVELOPER]
    (before,) = desk.store.needs.open()
    desk.now += jump
    assert desk.look() == [DEVELOPER]
    assert desk.store.needs.open() == (before,)
    assert desk.look(at=desk.now + STUCK_S + 1) == [DEVELOPER, TESTER]


def test_a_team_that_does_not_run_needs_nobody(desk: Desk) -> None:
    desk.store.orchestrations.update(RUN, state=OrchestrationState.STOPPED)
    assert desk.look() == []


def test_never_when_the_settings_say_so(desk: Desk) -> None:
    desk.progress = ProgressWatch(desk.store, cast(Watch, desk.sight), 0, lambda: NOW, desk.faults.append)
    assert desk.look() == []


def test_a_fault_in_one_agent_leaves_the_others_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.store.agents.update(TESTER, status=AgentStatus.WORKING)

    def broken(agent: AgentId) -> Reading | None:
        if agent == DEVELOPER:
            raise ValueError("a broken reading")
        return None

    monkeypatch.setattr(desk.sight, "reading", broken)
    assert desk.look() == [TESTER]
    assert desk.faults == [f"{DEVELOPER}: ValueError: a broken reading"]


# --- check-ins that died


def test_a_check_in_that_died_is_a_need_until_it_is_set_again(desk: Desk) -> None:
    desk.shows(DEVELOPER, NOW)
    made = desk.stand(DEVELOPER, 60.0, is_standing=False, note="look at\nthe tests")
    desk.store.check_ins.bury(made.id, "its program is gone", NOW)
    desk.look()
    (need,) = desk.store.needs.open()
    assert (need.kind, need.key, need.agent, need.since) == (NeedKind.MISSED, f"check-in:{made.id}", DEVELOPER, NOW)
    assert need.detail == f"check-in {made.id} (“look at the tests”) is not tried any more: its program is gone"
    desk.store.check_ins.update(made.id, state="active", ended_at=None)
    desk.look()
    assert desk.store.needs.open() == ()


def test_a_check_in_that_died_yesterday_needs_nobody(desk: Desk) -> None:
    desk.shows(DEVELOPER, NOW)
    made = desk.stand(DEVELOPER, 60.0, is_standing=False)
    desk.store.check_ins.bury(made.id, "its program is gone", NOW - 86400)
    assert desk.look() == []
    assert desk.store.needs.all() == ()


def test_one_that_tmorch_kept_needs_nobody_when_it_dies(desk: Desk) -> None:
    """It died with its agent, and that is a need already; while the agent lives, another one is made."""
    desk.shows(DEVELOPER, NOW)
    made = desk.stand(DEVELOPER, 60.0, is_standing=True)
    desk.store.check_ins.bury(made.id, "its program is gone", NOW)
    desk.look()
    assert desk.store.needs.all() == ()
