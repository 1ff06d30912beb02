"""The rows of teams that are resumed, whatever a plan and its outcome say."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.models.recovery import Part, RecoveryOutcome, RecoveryPlan, Step, Verb
from tui.recovery_rows import TeamRecovery, entries_of, sum_up
from tui.widgets.row_list import lay_out

TEAM = OrchestrationId("shop-3f2a")
WORDS = st.text(max_size=40)
STEPS = st.lists(
    st.builds(
        Step,
        verb=st.sampled_from(Verb),
        part=st.sampled_from(Part),
        agent=st.sampled_from(["", *(f"{TEAM}:{role}" for role in ("developer", "tester", "a" * 40, "ロール"))]).map(
            AgentId
        ),
        reason=WORDS,
    ),
    max_size=12,
).map(tuple)


@st.composite
def recoveries(draw: st.DrawFn) -> TeamRecovery:
    """A team at any stage; what came of it need not fit its plan."""
    plan = RecoveryPlan(
        orchestration=TEAM, project=draw(WORDS), steps=draw(STEPS), warnings=tuple(draw(st.lists(WORDS, max_size=2)))
    )
    if not draw(st.booleans()):
        return TeamRecovery(plan=plan)
    failed = tuple((step, draw(WORDS)) for step in draw(STEPS))
    outcome = draw(st.none() | st.builds(RecoveryOutcome, plan=st.just(plan), done=STEPS, failed=st.just(failed)))
    return TeamRecovery(plan=plan, is_begun=True, heard=draw(STEPS), outcome=outcome)


@given(recoveries(), st.integers(40, 200))
def test_every_step_has_one_row_or_is_named_in_one_and_no_row_breaks_the_screen(team: TeamRecovery, width: int) -> None:
    entries = entries_of((team,))
    ids = [entry.row.id for entry in entries]
    assert len(ids) == len(set(ids)), "the list tells rows apart by their ids"
    for step in team.plan.steps:
        row = (
            f"kept/{TEAM}/{step.agent}"
            if step.verb is Verb.KEEP
            else f"step/{TEAM}/{step.agent}/{step.part}/{step.verb}"
        )
        entry = next(entry for entry in entries if entry.row.id == row)
        assert step.part in (entry.row.text if step.verb is Verb.KEEP else entry.title)
    for entry in entries:
        pieces = lay_out(entry.row, width, False)
        assert sum(cell_len(text) for text, _ in pieces) == width
        assert not [c for text, _ in pieces for c in text if unicodedata.category(c) in ("Cc", "Cs")]


@given(recoveries())
def test_a_team_is_whole_only_when_nothing_is_to_be_done_or_failed(team: TeamRecovery) -> None:
    if team.is_whole:
        assert not team.failed
        assert not team.to_do or team.is_over
    else:
        assert team.to_do or team.refused or team.failed


def test_sums_count_agents_where_agents_are_meant() -> None:
    agent = AgentId(f"{TEAM}:developer")
    steps = [
        Step(verb=Verb.CONTINUE, part=Part.WINDOW, agent=agent, reason="gone"),
        Step(verb=Verb.CONTINUE, part=Part.PROGRAM, agent=agent, reason="gone"),
        Step(verb=Verb.REBUILD, part=Part.WORKTREE, agent=agent, reason="gone"),
        Step(verb=Verb.REBUILD, part=Part.FILES, agent=agent, reason="gone"),
    ]
    assert sum_up(steps) == "2 parts are rebuilt, 1 agent continues its conversation"
