"""Several sources at once: which is believed, for how long they may differ, and what is said of each."""

from __future__ import annotations

from functools import partial

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.agents.evidence import Evidence, Judgement, ProcessEvidence, SessionEvidence, SessionOwner
from orchestrator_core.agents.grounds import grounds
from orchestrator_core.agents.screen import UNREADABLE, Reading, ScreenState
from orchestrator_core.agents.status import GRACE_S, HOOK_HOLDS_S, SHELLS, judge
from orchestrator_core.agents.views import LAG_S, REASON_CHARACTERS
from orchestrator_core.models.agent import Agent, AgentStatus, Verdict
from orchestrator_core.models.dialog import Choice, OpenDialog
from orchestrator_core.models.evidence import Source, Weight
from orchestrator_core.models.hook import HookClaim, HookFact
from orchestrator_core.models.ids import AgentId
from tests.unit.test_agents_status import AGENT, ALIVE, agent, reading_of

NOW = 10_000.0
CONVERSATION = "c-1"
ASKED = Choice(key="1", label="Yes", selected=True), Choice(key="2", label="No", selected=False)
READY = Reading(state=ScreenState.READY, says="shows an empty prompt", has_prompt=True)
BUSY = Reading(state=ScreenState.BUSY, says="shows “esc to interrupt”", has_prompt=True, doing="Running make")
PERMISSION = Reading(
    state=ScreenState.DIALOG, says="asks for permission", dialog="permission", detail="rm -rf build", choices=ASKED
)
LIMIT = Reading(state=ScreenState.LIMIT, says="shows a usage limit", detail="You've hit it", has_prompt=True)
MENU = Reading(state=ScreenState.DIALOG, says="has hit a usage limit and asks what to do", dialog="usage_limit")
ERROR = Reading(state=ScreenState.ERROR, says="shows an error that ended its turn", has_prompt=True)
BLANK = Reading(state=ScreenState.NONE, says="shows neither a prompt nor a dialog that is known")
CLAUDE = agent(conversation=CONVERSATION)


def session(
    status: str, *, ago: float = 100.0, waiting_for: str = "", conversation: str = CONVERSATION
) -> SessionEvidence:
    return SessionEvidence(
        pid=100, conversation=conversation, status=status, waiting_for=waiting_for, status_at=NOW - ago
    )


def hook(claim: HookClaim, *, ago: float = 100.0, detail: str = "", conversation: str = CONVERSATION) -> HookFact:
    return HookFact(
        agent=AgentId(CLAUDE.id), event="Event", claim=claim, at=NOW - ago, conversation=conversation, detail=detail
    )


def judged(
    reading: Reading | None = None,
    session: SessionEvidence | None = None,
    hook: HookFact | None = None,
    *,
    previous: Agent = CLAUDE,
    owner: SessionOwner = SessionOwner.AGENT,
    process: ProcessEvidence = ALIVE,
    disagreeing_for: float | None = None,
) -> Judgement:
    return judge(
        Evidence(
            process=process,
            session=session,
            session_owner=owner,
            hook=hook,
            reading=reading,
            read_at=NOW,
            disagreeing_since=None if disagreeing_for is None else NOW - disagreeing_for,
        ),
        previous=previous,
        now=NOW,
    )


def status_of(found: Judgement) -> AgentStatus:
    return found.verdict.status


class TestSessionFile:
    @pytest.mark.parametrize(
        ("said", "reading", "status"),
        [
            ("idle", READY, AgentStatus.IDLE),
            ("idle", LIMIT, AgentStatus.LIMITED),
            ("idle", ERROR, AgentStatus.WAITING),
            ("idle", BLANK, AgentStatus.IDLE),
            ("idle", None, AgentStatus.IDLE),
            ("shell", READY, AgentStatus.IDLE),
            ("shell", BLANK, AgentStatus.IDLE),
            ("busy", BUSY, AgentStatus.WORKING),
            ("busy", BLANK, AgentStatus.WORKING),
            ("busy", UNREADABLE, AgentStatus.WORKING),
            ("waiting", PERMISSION, AgentStatus.WAITING),
            ("waiting", MENU, AgentStatus.LIMITED),
            ("waiting", BLANK, AgentStatus.WAITING),
        ],
    )
    def test_it_decides_and_the_screen_tells_more(
        self, said: str, reading: Reading | None, status: AgentStatus
    ) -> None:
        found = judged(reading, session(said, waiting_for="permission prompt" if said == "waiting" else ""))
        assert status_of(found) is status
        is_refined = reading in (LIMIT, ERROR, MENU)
        assert found.weights[Source.SESSION] is (Weight.AGREES if is_refined else Weight.DECIDES)
        assert not found.is_disputed
        assert not found.is_passing

    def test_a_shell_that_runs_on_is_named(self) -> None:
        assert judged(BLANK, session("shell")).verdict.reason.endswith("a shell of its own still runs")

    @pytest.mark.parametrize(
        ("waiting_for", "name"),
        [("permission prompt", "permission"), ("input needed", "question"), ("dialog open", "other"), ("new", "other")],
    )
    def test_a_dialog_that_is_not_known_on_screen_is_named_in_its_words(self, waiting_for: str, name: str) -> None:
        found = judged(BLANK, session("waiting", waiting_for=waiting_for))
        assert (found.verdict.waiting_for, found.verdict.dialog) == (name, None)
        assert waiting_for in found.verdict.reason

    def test_a_session_means_that_it_has_started(self) -> None:
        starting = agent(AgentStatus.STARTING)
        assert status_of(judged(BLANK, session("idle"), previous=starting)) is AgentStatus.IDLE
        assert status_of(judged(BLANK, None, previous=starting)) is AgentStatus.STARTING

    def test_a_prompt_that_does_not_tell_what_runs_is_no_start_and_no_rest(self) -> None:
        """A pane so low that the row below the box is cut off."""
        cut = Reading(state=ScreenState.NONE, says="shows an empty prompt, but not more", has_prompt=True)
        found = judged(cut, previous=agent(AgentStatus.STARTING))
        assert found.verdict == Verdict(status=AgentStatus.UNKNOWN, reason="it shows an empty prompt, but not more")
        assert status_of(judged(cut, session("busy"))) is AgentStatus.WORKING

    @pytest.mark.parametrize("owner", [SessionOwner.ENDED, SessionOwner.STRANGER])
    def test_a_file_of_another_process_counts_for_nothing(self, owner: SessionOwner) -> None:
        found = judged(READY, session("busy"), owner=owner)
        assert status_of(found) is AgentStatus.IDLE
        assert found.weights[Source.SESSION] is Weight.STALE
        assert found.weights[Source.SCREEN] is Weight.DECIDES

    @pytest.mark.parametrize("said", ["", "pondering"])
    def test_a_word_that_is_not_known_says_nothing(self, said: str) -> None:
        found = judged(BUSY, session(said))
        assert status_of(found) is AgentStatus.WORKING
        assert found.weights[Source.SESSION] is Weight.SILENT


class TestDispute:
    DISPUTES = (
        ("busy", READY, AgentStatus.WORKING),
        ("idle", BUSY, AgentStatus.IDLE),
        ("busy", PERMISSION, AgentStatus.WAITING),
        ("idle", PERMISSION, AgentStatus.WAITING),
        ("waiting", READY, AgentStatus.WAITING),
        ("waiting", BUSY, AgentStatus.WAITING),
        ("busy", LIMIT, AgentStatus.WORKING),
    )

    @pytest.mark.parametrize(("said", "reading", "meanwhile"), DISPUTES)
    def test_it_may_last_a_moment_and_is_unknown_then(
        self, said: str, reading: Reading, meanwhile: AgentStatus
    ) -> None:
        first = judged(reading, session(said))
        assert (status_of(first), first.is_disputed, first.is_passing) == (meanwhile, True, True)
        soon = judged(reading, session(said), disagreeing_for=GRACE_S - 0.1)
        assert status_of(soon) is meanwhile
        later = judged(reading, session(said), disagreeing_for=GRACE_S)
        assert (status_of(later), later.is_disputed, later.is_passing) == (AgentStatus.UNKNOWN, True, False)
        assert "session file" in later.verdict.reason
        assert reading.says in later.verdict.reason
        assert {later.weights[Source.SESSION], later.weights[Source.SCREEN]} == {Weight.DISAGREES}

    def test_a_session_that_has_just_changed_gets_its_moment(self) -> None:
        found = judged(READY, session("busy", ago=0.5), disagreeing_for=60)
        assert status_of(found) is AgentStatus.WORKING

    def test_a_dialog_stays_known_for_somebody_may_have_to_answer_it(self) -> None:
        found = judged(PERMISSION, session("busy"), disagreeing_for=60).verdict
        assert found.status is AgentStatus.UNKNOWN
        assert found.waiting_for == "permission"
        assert found.dialog is not None
        assert found.dialog.choices == ASKED

    def test_a_dialog_that_is_held_back_while_somebody_types_is_none(self) -> None:
        typing = msgspec.structs.replace(READY, draft="wait, I am not d", says="shows unsent text at its prompt")
        found = judged(typing, session("waiting", waiting_for="permission prompt"), disagreeing_for=60)
        assert (status_of(found), found.verdict.waiting_for) == (AgentStatus.WAITING, "permission")
        assert not found.is_disputed

    def test_a_later_hook_that_agrees_with_the_screen_makes_the_file_old(self) -> None:
        found = judged(READY, session("busy", ago=50), hook(HookClaim.IDLE, ago=40), disagreeing_for=30)
        assert status_of(found) is AgentStatus.IDLE
        assert found.weights[Source.SESSION] is Weight.STALE
        assert found.weights[Source.HOOKS] is Weight.DECIDES
        earlier = judged(READY, session("busy", ago=50), hook(HookClaim.IDLE, ago=60), disagreeing_for=30)
        assert status_of(earlier) is AgentStatus.UNKNOWN


class TestHooks:
    """What they say where there is no session file."""

    @pytest.mark.parametrize(
        ("claim", "status"),
        [
            (HookClaim.WORKING, AgentStatus.WORKING),
            (HookClaim.IDLE, AgentStatus.IDLE),
            (HookClaim.WAITING, AgentStatus.WAITING),
            (HookClaim.FAILED, AgentStatus.WAITING),
            (HookClaim.LIMITED, AgentStatus.LIMITED),
        ],
    )
    def test_they_decide_where_the_screen_shows_nothing(self, claim: HookClaim, status: AgentStatus) -> None:
        found = judged(BLANK, hook=hook(claim, ago=HOOK_HOLDS_S / 2))
        assert status_of(found) is status
        assert found.weights[Source.HOOKS] is Weight.DECIDES

    @pytest.mark.parametrize("claim", [HookClaim.WORKING, HookClaim.WAITING])
    def test_what_may_end_without_a_word_is_not_believed_for_ever(self, claim: HookClaim) -> None:
        found = judged(BLANK, hook=hook(claim, ago=HOOK_HOLDS_S + 1))
        assert status_of(found) is AgentStatus.UNKNOWN
        assert found.weights[Source.HOOKS] is Weight.STALE

    @pytest.mark.parametrize("claim", [HookClaim.IDLE, HookClaim.LIMITED, HookClaim.FAILED])
    def test_rest_lasts(self, claim: HookClaim) -> None:
        assert judged(BLANK, hook=hook(claim, ago=1e5)).weights[Source.HOOKS] is Weight.DECIDES

    def test_an_interrupt_that_no_hook_tells_of_is_seen_on_screen(self) -> None:
        """Esc: the hook says working for ever, the screen has its prompt back."""
        at_once = judged(READY, hook=hook(HookClaim.WORKING, ago=0.1))
        assert (status_of(at_once), at_once.is_passing) == (AgentStatus.WORKING, True)
        later = judged(READY, hook=hook(HookClaim.WORKING))
        assert (status_of(later), later.is_passing) == (AgentStatus.IDLE, False)
        assert later.weights[Source.HOOKS] is Weight.STALE
        assert later.weights[Source.SCREEN] is Weight.DECIDES

    def test_a_dialog_is_believed_at_once(self) -> None:
        assert status_of(judged(PERMISSION, hook=hook(HookClaim.IDLE, ago=0.1))) is AgentStatus.WAITING

    def test_an_answered_permission_is_over(self) -> None:
        assert status_of(judged(BUSY, hook=hook(HookClaim.WAITING))) is AgentStatus.WORKING
        assert status_of(judged(READY, hook=hook(HookClaim.WAITING))) is AgentStatus.IDLE

    @pytest.mark.parametrize("own", [None, session("idle", ago=99.9)])
    def test_a_limit_or_error_that_only_the_hook_knows_is_kept(self, own: SessionEvidence | None) -> None:
        limited = judged(BLANK, own, hook(HookClaim.LIMITED, detail="rate_limit"))
        assert status_of(limited) is AgentStatus.LIMITED
        failed = judged(BLANK, own, hook(HookClaim.FAILED, detail="billing_error: no credit")).verdict
        assert (failed.status, failed.waiting_for) == (AgentStatus.WAITING, "error")
        assert "billing_error: no credit" in failed.reason

    @pytest.mark.parametrize("own", [None, session("idle", ago=1.0)])
    @pytest.mark.parametrize("claim", [HookClaim.LIMITED, HookClaim.FAILED])
    def test_a_limit_or_error_is_over_when_it_is_not_to_be_seen(
        self, own: SessionEvidence | None, claim: HookClaim
    ) -> None:
        at_once = judged(READY, own, hook(claim, ago=1.0))
        assert status_of(at_once) is not AgentStatus.IDLE
        assert at_once.is_passing
        later = judged(READY, own, hook(claim, ago=GRACE_S))
        assert (status_of(later), later.is_passing) == (AgentStatus.IDLE, False)
        assert later.weights[Source.HOOKS] is Weight.STALE

    def test_a_limit_is_over_when_the_session_has_changed_since(self) -> None:
        found = judged(BLANK, session("idle", ago=100 - LAG_S - 1), hook(HookClaim.LIMITED))
        assert status_of(found) is AgentStatus.IDLE
        assert found.weights[Source.HOOKS] is Weight.STALE

    def test_the_screen_knows_an_error_from_a_limit(self) -> None:
        assert judged(ERROR, hook=hook(HookClaim.LIMITED)).verdict.waiting_for == "error"

    @pytest.mark.parametrize("claim", [HookClaim.STARTING, HookClaim.ENDED])
    def test_beginnings_and_ends_leave_it_to_the_others(self, claim: HookClaim) -> None:
        found = judged(READY, hook=hook(claim))
        assert status_of(found) is AgentStatus.IDLE
        assert found.weights[Source.HOOKS] is Weight.SILENT

    def test_a_hook_of_another_conversation_counts_for_nothing(self) -> None:
        found = judged(BLANK, hook=hook(HookClaim.WORKING, ago=1, conversation="c-2"))
        assert status_of(found) is AgentStatus.UNKNOWN
        assert found.weights[Source.HOOKS] is Weight.STALE

    def test_after_a_clear_the_session_file_knows_the_new_conversation(self) -> None:
        own = session("idle", ago=1.1, conversation="c-2")
        found = judged(READY, own, hook(HookClaim.IDLE, ago=1, conversation="c-2"))
        assert found.weights[Source.HOOKS] is Weight.AGREES

    def test_they_never_outvote_a_session_file_and_a_screen(self) -> None:
        found = judged(READY, session("idle"), hook(HookClaim.WORKING, ago=GRACE_S))
        assert (status_of(found), found.is_passing) == (AgentStatus.IDLE, False)
        fresh = judged(BUSY, session("busy"), hook(HookClaim.WAITING, ago=0.1))
        assert (status_of(fresh), fresh.is_passing) == (AgentStatus.WORKING, True)


class TestDialog:
    def test_it_is_on_the_verdict_as_it_is_on_screen(self) -> None:
        found = judged(PERMISSION).verdict.dialog
        assert found == OpenDialog(name="permission", detail="rm -rf build", seen="rm -rf build", choices=ASKED)
        gate = judged(reading_of("02_trust_dialog")).verdict.dialog
        assert gate is not None
        assert gate.is_gate

    def test_a_cursor_that_moves_is_no_news(self) -> None:
        first = judged(PERMISSION).verdict
        moved = [msgspec.structs.replace(choice, selected=not choice.selected) for choice in ASKED]
        again = judged(
            msgspec.structs.replace(PERMISSION, choices=tuple(moved)), previous=agent(dialog=first.dialog)
        ).verdict
        assert again.dialog == first.dialog

    def test_another_command_is_another_dialog(self) -> None:
        first = judged(PERMISSION).verdict.dialog
        other = msgspec.structs.replace(PERMISSION, detail="rm -rf /")
        second = judged(other, previous=agent(dialog=first)).verdict.dialog
        assert first is not None
        assert second is not None
        assert second.detail == "rm -rf /"
        assert second.fingerprint != first.fingerprint

    def test_a_hook_tells_the_whole_command_and_the_fingerprint_stays(self) -> None:
        cut = msgspec.structs.replace(PERMISSION, detail="make test && echo\nsome-very-long…")
        whole = "make test && echo some-very-long-argument\nand a second line"
        alone = judged(cut).verdict.dialog
        told = judged(cut, hook=hook(HookClaim.WAITING, detail=whole)).verdict.dialog
        assert alone is not None
        assert told is not None
        assert (told.detail, told.seen) == (whole, cut.detail)
        assert told.fingerprint == alone.fingerprint
        later = judged(cut, hook=hook(HookClaim.WAITING), previous=agent(dialog=told)).verdict.dialog
        assert later == told

    def test_a_hook_about_another_command_is_not_believed(self) -> None:
        """Two are asked for at once: what is shown is what would be approved."""
        told = judged(PERMISSION, hook=hook(HookClaim.WAITING, detail="ls")).verdict.dialog
        assert told is not None
        assert told.detail == "rm -rf build"


def test_after_sigkill_nothing_else_is_believed() -> None:
    dead = ProcessEvidence(exists=True, dead=True, exit_status=137, pid=100)
    found = judged(BUSY, session("busy"), hook(HookClaim.WORKING, ago=0), process=dead)
    assert status_of(found) is AgentStatus.FAILED
    assert found.weights == {
        Source.PROCESS: Weight.DECIDES,
        Source.SESSION: Weight.STALE,
        Source.HOOKS: Weight.STALE,
        Source.SCREEN: Weight.STALE,
    }


def test_the_grounds_are_in_plain_words() -> None:
    evidence = Evidence(
        process=ALIVE,
        session=session("waiting", waiting_for="permission prompt"),
        hook=hook(HookClaim.WAITING, detail="rm -rf build"),
        reading=PERMISSION,
        read_at=NOW,
    )
    told = grounds(evidence, judge(evidence, previous=CLAUDE, now=NOW), CLAUDE)
    assert [(ground.source, ground.weight, ground.says, ground.at) for ground in told] == [
        (Source.PROCESS, Weight.AGREES, "claude is in front, pid 100", None),
        (Source.SESSION, Weight.DECIDES, "says waiting, for: permission prompt", NOW - 100),
        (Source.HOOKS, Weight.AGREES, "Event was the last: waiting, rm -rf build", NOW - 100),
        (Source.SCREEN, Weight.AGREES, "asks for permission: rm -rf build", NOW),
    ]


# --- whatever comes

text = partial(st.text, "a-Z9:/ é✳…\n\x00")
TIMES = st.floats(NOW - 1e4, NOW + 10)
READINGS = st.sampled_from([None, READY, BUSY, PERMISSION, LIMIT, MENU, ERROR, BLANK, UNREADABLE])
SESSIONS = st.none() | st.builds(
    SessionEvidence,
    pid=st.sampled_from([100, 7]),
    conversation=st.sampled_from([CONVERSATION, "c-2", ""]),
    status=st.sampled_from(["idle", "busy", "waiting", "shell"]) | text(max_size=5),
    waiting_for=st.sampled_from(["permission prompt", "dialog open", ""]) | text(max_size=200),
    status_at=st.none() | TIMES,
)
HOOKS = st.none() | st.builds(
    HookFact,
    agent=st.just(AGENT.id),
    event=st.sampled_from(["Stop", "PermissionRequest"]),
    claim=st.sampled_from(HookClaim),
    at=TIMES,
    conversation=st.sampled_from([CONVERSATION, "c-2", ""]),
    detail=st.sampled_from(["", "rm -rf build"]) | text(max_size=300),
)
PREVIOUS = st.builds(
    agent,
    status=st.sampled_from(AgentStatus),
    conversation=st.sampled_from([CONVERSATION, ""]),
    waiting_for=st.sampled_from(["", "trust", "permission"]),
    status_since=TIMES,
)
EVIDENCE = st.fixed_dictionaries(
    {
        "session": SESSIONS,
        "session_owner": st.sampled_from(SessionOwner),
        "hook": HOOKS,
        "reading": READINGS,
        "read_at": st.none() | TIMES,
        "disagreeing_since": st.none() | TIMES,
    }
)
GONE = st.builds(
    ProcessEvidence,
    exists=st.booleans(),
    dead=st.booleans(),
    exit_status=st.none() | st.integers(0, 255),
    command=st.sampled_from(sorted(SHELLS)) | text(max_size=8),
    pid=st.sampled_from([100, 7]),
    is_agent=st.just(False),
)


@given(process=GONE, rest=EVIDENCE, previous=PREVIOUS)
def test_without_its_program_in_front_an_agent_neither_rests_nor_works(
    process: ProcessEvidence, rest: dict[str, object], previous: Agent
) -> None:
    found = judge(evidence_of(process, rest), previous=previous, now=NOW)
    assert status_of(found) not in (AgentStatus.IDLE, AgentStatus.WORKING, AgentStatus.WAITING, AgentStatus.LIMITED)
    assert found.weights[Source.PROCESS] is Weight.DECIDES
    assert set(found.weights.values()) <= {Weight.DECIDES, Weight.STALE, Weight.SILENT}


@given(rest=EVIDENCE, previous=PREVIOUS)
def test_whatever_comes_there_is_a_verdict_with_a_reason(rest: dict[str, object], previous: Agent) -> None:
    evidence = evidence_of(ALIVE, rest)
    found = judge(evidence, previous=previous, now=NOW)
    reason = found.verdict.reason
    assert reason.strip()
    assert "\n" not in reason
    assert len(reason) <= 2 * REASON_CHARACTERS + 10
    assert list(found.weights) == list(Source)
    assert list(found.weights.values()).count(Weight.DECIDES) <= 1
    told = grounds(evidence, found, previous)
    assert [ground.source for ground in told] == list(Source)
    assert all(ground.says and len(ground.says) <= REASON_CHARACTERS for ground in told)


@pytest.mark.parametrize("words", ["\n", "permission\nprompt", " \u2028 "])
def test_a_reason_is_one_line_whatever_a_session_file_says(words: str) -> None:
    session = SessionEvidence(pid=100, conversation="c-1", status="waiting", waiting_for=words)
    evidence = evidence_of(ALIVE, {"session": session, "session_owner": SessionOwner.AGENT})
    reason = judge(evidence, previous=agent(conversation="c-1"), now=NOW).verdict.reason
    assert reason.splitlines() == [reason]
    assert reason.strip() == reason


@given(rest=EVIDENCE, previous=PREVIOUS)
def test_no_status_without_a_source_that_says_so(rest: dict[str, object], previous: Agent) -> None:
    """An agent works, rests or asks only if its own session file, hook or screen says just that."""
    evidence = evidence_of(ALIVE, rest)
    found = judge(evidence, previous=previous, now=NOW)
    says = {
        AgentStatus.WORKING: (("busy",), (HookClaim.WORKING,), (BUSY,)),
        AgentStatus.IDLE: (("idle", "shell"), (HookClaim.IDLE,), (READY,)),
        AgentStatus.LIMITED: ((), (HookClaim.LIMITED,), (LIMIT, MENU)),
        AgentStatus.WAITING: (("waiting",), (HookClaim.WAITING, HookClaim.FAILED), (PERMISSION, ERROR)),
    }.get(status_of(found))
    if says is None:
        return
    words, claims, readings = says
    own = evidence.session if evidence.is_own_session else None
    assert (
        (own is not None and own.status in words)
        or (evidence.hook is not None and evidence.hook.claim in claims)
        or evidence.reading in readings
    )


@given(
    said=st.sampled_from(TestDispute.DISPUTES), ago=st.floats(GRACE_S + 0.1, 1e4), since=st.floats(GRACE_S + 0.1, 1e4)
)
def test_a_dispute_that_lasts_is_unknown(said: tuple[str, Reading, AgentStatus], ago: float, since: float) -> None:
    found = judged(said[1], session(said[0], ago=ago), disagreeing_for=since)
    assert status_of(found) is AgentStatus.UNKNOWN


@given(reading=READINGS.filter(bool), previous=PREVIOUS)
def test_the_screen_alone_is_judged_as_ever(reading: Reading, previous: Agent) -> None:
    """Agents without session files and hooks."""
    found = judged(reading, previous=previous)
    states = {
        ScreenState.READY: AgentStatus.IDLE,
        ScreenState.BUSY: AgentStatus.WORKING,
        ScreenState.ERROR: AgentStatus.WAITING,
        ScreenState.LIMIT: AgentStatus.LIMITED,
    }
    if reading.state in states:
        assert status_of(found) is states[reading.state]
        assert found.weights[Source.SCREEN] is Weight.DECIDES
    assert not found.is_disputed
    assert not found.is_passing


def evidence_of(process: ProcessEvidence, rest: dict[str, object]) -> Evidence:
    return msgspec.structs.replace(Evidence(process=process), **rest)
