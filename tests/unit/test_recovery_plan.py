"""The plan of bringing a team back: every part gets a step with its reason, and what is well is left alone."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator_core.models.ids import AgentId, PaneId, SessionId, WindowId
from orchestrator_core.models.recovery import Part, RecoveryPlan, Verb
from orchestrator_core.services.recovery_picture import AgentFacts, Picture, WorktreeFacts
from orchestrator_core.services.recovery_plan import plan_of
from orchestrator_core.tmux.sessions import TaggedPane
from tests.fakes.cli import make_agent, make_orchestration

ID = "shop-1a2b"
SESSION = SessionId("$1")
SOUND = WorktreeFacts(is_there=True)
DOING = {Verb.REBUILD, Verb.CONTINUE, Verb.START_ANEW, Verb.REBRIEF}


def pane(role: str, *, dead: bool = False) -> TaggedPane:
    return TaggedPane(
        agent=make_agent(f"{ID}:{role}").id,
        pane_id=PaneId("%2"),
        window_id=WindowId("@2"),
        session_id=SESSION,
        pid=4711,
        dead=dead,
    )


def facts(role: str = "developer", **changes: Any) -> AgentFacts:
    """An agent of which all is there."""
    agent = make_agent(f"{ID}:{role}", conversation="c0ffee", reason="")
    return replace(AgentFacts(agent=agent, pane=pane(role), worktree=SOUND, can_resume=True), **changes)


def picture(*agents: AgentFacts, **changes: Any) -> Picture:
    return replace(Picture(orchestration=make_orchestration(ID), agents=agents, session=SESSION), **changes)


def of(plan: RecoveryPlan, part: Part, role: str = "developer") -> tuple[Verb, str] | None:
    found = [(s.verb, s.reason) for s in plan.steps if s.part is part and s.agent == (role and f"{ID}:{role}")]
    assert len(found) < 2, found
    return found[0] if found else None


class Case(NamedTuple):
    name: str
    facts: AgentFacts
    part: Part
    verb: Verb
    says: str


DEAD = pane("developer", dead=True)
CASES = (
    Case("a dead program", facts(pane=DEAD), Part.PROGRAM, Verb.CONTINUE, "goes on in its own conversation"),
    Case("no conversation", facts(pane=DEAD, can_resume=False), Part.PROGRAM, Verb.START_ANEW, "begins anew"),
    Case("a dead program's window", facts(pane=DEAD), Part.WINDOW, Verb.KEEP, "there"),
    Case("no window", facts(pane=None), Part.WINDOW, Verb.REBUILD, "gone"),
    Case("no window", facts(pane=None), Part.PROGRAM, Verb.CONTINUE, "its window is gone"),
    Case("elsewhere", facts(pane=None, elsewhere="process 9"), Part.PROGRAM, Verb.REFUSE, "process 9"),
    Case("breaker", facts(pane=DEAD, crash_loop="it ended 4 times in 30 min"), Part.PROGRAM, Verb.REFUSE, "4 times"),
    Case("no folder", facts(worktree=WorktreeFacts()), Part.WORKTREE, Verb.REBUILD, "from its branch"),
    Case(
        "no folder but an index",
        facts(worktree=WorktreeFacts(is_restorable=True)),
        Part.WORKTREE,
        Verb.REBUILD,
        "what git has of it",
    ),
    Case(
        "half made",
        facts(worktree=WorktreeFacts(is_unfinished=True)),
        Part.WORKTREE,
        Verb.REBUILD,
        "cut short while it made it",
    ),
    Case(
        "a deleted branch without a log",
        facts(worktree=WorktreeFacts(is_there=True, has_branch=False)),
        Part.BRANCH,
        Verb.REFUSE,
        "--list-trash",
    ),
    Case("check-ins as they were", facts(check_ins=1), Part.CHECK_IN, Verb.KEEP, "1 check-in set"),
    Case("files of one that is started anyhow", facts(pane=DEAD), Part.WORKTREE, Verb.KEEP, "it is there"),
    Case(
        "something else", facts(worktree=WorktreeFacts(in_its_place=True)), Part.WORKTREE, Verb.REFUSE, "move it away"
    ),
    Case(
        "a deleted branch",
        facts(worktree=WorktreeFacts(is_there=True, has_branch=False, last_commit="abc123")),
        Part.BRANCH,
        Verb.REFUSE,
        f"branch tmorch/{ID}/developer abc123",
    ),
    Case("both gone", facts(worktree=WorktreeFacts(has_branch=False)), Part.WORKTREE, Verb.REFUSE, "its branch too"),
    Case("git is ill", facts(worktree=WorktreeFacts(problem="no git")), Part.WORKTREE, Verb.REFUSE, "no git"),
    Case("no files", facts(has_files=False), Part.FILES, Verb.REBUILD, "private folder"),
    Case("check-ins", facts(given_up=2), Part.CHECK_IN, Verb.REBUILD, "2 check-ins"),
    Case("changes", facts(worktree=replace(SOUND, changed=3)), Part.WORKTREE, Verb.KEEP, "3 changed files"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}, {case.part}")
def test_what_is_missing_gets_a_step_with_its_reason(case: Case) -> None:
    found = of(plan_of(picture(case.facts)), case.part)
    assert found is not None
    assert found[0] is case.verb
    assert case.says in found[1]


def test_a_whole_team_is_kept_and_nothing_else() -> None:
    plan = plan_of(picture(facts(), facts("tester")))
    assert {step.verb for step in plan.steps} == {Verb.KEEP}
    assert plan.is_whole
    assert plan.warnings == ()


def test_after_a_reboot_the_session_is_made_again() -> None:
    plan = plan_of(picture(facts(pane=None), session=None, has_server=False))
    assert of(plan, Part.SESSION, "") == (Verb.REBUILD, "no tmux server runs")


def test_a_session_of_somebody_else_with_its_name_is_left_alone() -> None:
    found = of(plan_of(picture(facts(pane=None), session=None, is_name_taken=True)), Part.SESSION, "")
    assert found is not None
    assert "another session has its name" in found[1]


def test_no_session_is_made_for_nobody() -> None:
    held = facts(pane=None, crash_loop="it ended 4 times in 30 min")
    plan = plan_of(picture(held, session=None))
    assert {step.verb for step in plan.steps} <= {Verb.KEEP, Verb.REFUSE}


def test_a_project_that_is_gone_and_a_start_without_agents_are_refused() -> None:
    assert any(s.verb is Verb.REFUSE for s in plan_of(picture(facts(), has_project=False)).steps)
    assert [s.verb for s in plan_of(picture()).steps] == [Verb.REFUSE]


def test_an_adopted_agent_is_the_persons_to_start() -> None:
    adopted = replace(make_agent(f"{ID}:developer"), is_adopted=True)
    plan = plan_of(picture(facts(agent=adopted, pane=None)))
    found = of(plan, Part.PROGRAM)
    assert found is not None
    assert found[0] is Verb.REFUSE
    assert "tmorch adopt" in found[1]


def test_a_limit_is_a_warning_and_a_supervisor_that_is_gone_is_started() -> None:
    plan = plan_of(picture(facts(), is_supervised=False, limits=("limited until 14:30",)))
    assert plan.warnings == ("limited until 14:30",)
    assert [(step.verb, step.part) for step in plan.steps if step.verb is not Verb.KEEP] == [
        (Verb.REBUILD, Part.SUPERVISOR)
    ]


# --- any picture

WORDS = st.sampled_from(("", "a reason"))
WORKTREES = st.builds(
    WorktreeFacts,
    is_there=st.booleans(),
    is_unfinished=st.booleans(),
    is_restorable=st.booleans(),
    in_its_place=st.booleans(),
    has_branch=st.booleans(),
    last_commit=WORDS,
    changed=st.integers(0, 3),
    problem=WORDS,
)
MEMBERS = st.builds(
    facts,
    role=st.just("developer"),
    pane=st.sampled_from((None, DEAD, pane("developer"))),
    worktree=WORKTREES,
    has_files=st.booleans(),
    can_resume=st.booleans(),
    elsewhere=WORDS,
    crash_loop=WORDS,
    check_ins=st.integers(0, 2),
    given_up=st.integers(0, 2),
)
PICTURES = st.builds(
    picture,
    MEMBERS,
    session=st.sampled_from((None, SESSION)),
    has_server=st.booleans(),
    is_name_taken=st.booleans(),
    has_project=st.booleans(),
)


@given(PICTURES)
def test_no_plan_touches_the_program_of_a_healthy_agent(seen: Picture) -> None:
    plan = plan_of(seen)
    for each in seen.agents:
        about = [step for step in plan.steps if step.agent == each.agent.id]
        if each.runs:
            assert [s.verb for s in about if s.part in (Part.PROGRAM, Part.WINDOW)] == [Verb.KEEP, Verb.KEEP]
            assert not {s.verb for s in about} & {Verb.CONTINUE, Verb.START_ANEW, Verb.REBRIEF}


HEALTHY = st.builds(
    facts,
    role=st.sampled_from(("developer", "tester")),
    worktree=st.builds(WorktreeFacts, is_there=st.just(True), is_restorable=st.booleans(), changed=st.integers(0, 3)),
    can_resume=st.booleans(),
    elsewhere=WORDS,
    crash_loop=WORDS,
    check_ins=st.integers(0, 2),
)


@given(MEMBERS, HEALTHY, st.booleans(), st.booleans())
def test_nothing_of_a_healthy_agent_is_touched_whatever_became_of_the_others(
    other: AgentFacts, healthy: AgentFacts, has_session: bool, is_name_taken: bool
) -> None:
    other = replace(other, agent=replace(other.agent, id=AgentId(f"{ID}:reviewer")))
    seen = picture(other, healthy, session=SESSION if has_session else None, is_name_taken=is_name_taken)
    verbs = {step.verb for step in plan_of(seen).steps if step.agent == healthy.agent.id}
    assert verbs == {Verb.KEEP}


@given(PICTURES)
def test_how_each_agent_stands_is_told_as_it_was_seen(seen: Picture) -> None:
    for each, standing in zip(seen.agents, plan_of(seen).agents, strict=True):
        assert (standing.agent, standing.is_alive) == (each.agent.id, each.runs)
        assert bool(standing.window) == (each.pane is not None)
        assert standing.changed == each.worktree.changed


@given(PICTURES)
def test_planning_is_a_pure_function_and_every_step_has_its_reason(seen: Picture) -> None:
    plan = plan_of(seen)
    assert plan == plan_of(seen)
    assert all(step.reason for step in plan.steps)


@given(PICTURES)
def test_of_an_agent_that_is_refused_something_nothing_is_done(seen: Picture) -> None:
    for each in seen.agents:
        verbs = {step.verb for step in plan_of(seen).steps if step.agent == each.agent.id}
        assert Verb.REFUSE not in verbs or not verbs & DOING


@given(PICTURES)
def test_nobody_is_started_beside_a_process_that_has_the_conversation(seen: Picture) -> None:
    for each in seen.agents:
        verbs = {step.verb for step in plan_of(seen).steps if step.agent == each.agent.id}
        assert not (each.elsewhere and verbs & {Verb.CONTINUE, Verb.START_ANEW})
