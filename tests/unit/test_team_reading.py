"""A spec read offline: what it comes to by its own words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator_core.models.analysis import Action, Analysis, AnalysisSource, Size
from orchestrator_core.models.spec import Phase, Spec
from orchestrator_core.models.team import CODE_PROJECT, Detection, TeamProposal
from orchestrator_core.team.catalogue import builtin
from orchestrator_core.team.compose import compose
from orchestrator_core.team.reading import read_offline
from orchestrator_core.team.spec import EXAMPLE, parse_spec

CODE = Detection(type=CODE_PROJECT, confidence=0.9, evidence=("pyproject.toml",), source_files=48)
CHECKOUT = """\
PROJECT: E-commerce Checkout
GOAL: Implement multi-step checkout process

CONSTRAINTS:
- Use existing cart state management
- Follow current design system
- Maximum 3 API endpoints
- Commit after each step completion

DELIVERABLES:
1. Shipping address form with validation
2. Payment method selection (Stripe integration)
3. Order review and confirmation page
4. Success/failure handling

SUCCESS CRITERIA:
- All forms validate properly
- Payment processes without errors
- Order data persists to database
- Emails send on completion
"""


def team(source_files: int = 48, plan: str = "max20") -> TeamProposal:
    return compose(replace(CODE, source_files=source_files), plan=plan)


def read(spec: Spec | str, source_files: int = 48) -> Analysis:
    parsed = parse_spec(spec) if isinstance(spec, str) else spec
    return read_offline(parsed, team(source_files), builtin())


def test_a_spec_with_deliverables_comes_to_phases_that_a_person_can_follow() -> None:
    found = read(CHECKOUT)
    assert found.source is AnalysisSource.OFFLINE
    assert [phase.name for phase in found.phases] == [
        "Understand and plan",
        "Shipping address form with validation",
        "Payment method selection (Stripe integration)",
        "Order review and confirmation page",
        "Success/failure handling",
        "Bring together and check",
    ]
    assert "See how 4 constraints will be kept" in found.phases[0].tasks
    assert found.phases[-1].tasks[1:] == (
        "All forms validate properly",
        "Payment processes without errors",
        "Order data persists to database",
        "Emails send on completion",
    )
    assert found.summary == ("Implement multi-step checkout process: 4 deliverables, 4 constraints, 4 success criteria")
    assert (found.size, found.size_basis) == (Size.MEDIUM, "4 deliverables, 48 source files")


def test_nothing_is_made_up() -> None:
    found = read(CHECKOUT)
    assert (found.deliverables, found.success_criteria, found.hours) == ((), (), None)
    assert all(phase.hours is None for phase in found.phases)
    assert (found.model, found.cost_usd, found.raw) == ("", None, "")


def test_the_specs_own_phases_and_hours_stand() -> None:
    spec = parse_spec("GOAL: g\nPHASES:\n1. Setup (4 h)\n2. Build (10 h)\nDELIVERABLES:\n- a\n")
    found = read(spec)
    assert found.phases == spec.phases
    assert (found.size, found.hours) == (Size.MEDIUM, 14)
    assert found.size_basis == "the spec gives 14 h for 2 phases"


def test_hours_are_said_only_where_each_phase_has_them() -> None:
    found = read("GOAL: g\nPHASES:\n1. Setup (4 h)\n   - a\n2. Build\n   - b\n   - c\n")
    assert (found.hours, found.size, found.size_basis) == (None, Size.SMALL, "3 tasks, 48 source files")


def test_a_goal_alone_has_phases_but_no_size() -> None:
    found = read("GOAL: Add login. It is to be quick.\n")
    assert found.summary == "Add login"
    assert [phase.name for phase in found.phases] == ["Understand and plan", "Build", "Bring together and check"]
    assert found.phases[1].tasks == ("Add login",)
    assert any("the spec does not say" in task for task in found.phases[0].tasks)
    assert (found.size, found.size_basis) == (None, "the spec names no deliverables")


@pytest.mark.parametrize(
    ("deliverables", "source_files", "size", "basis"),
    [
        (1, 1, Size.SMALL, "1 deliverable, 1 source file"),
        (3, 199, Size.SMALL, "3 deliverables, 199 source files"),
        (3, 200, Size.MEDIUM, "3 deliverables, 200 source files"),
        (4, 0, Size.MEDIUM, "4 deliverables, 0 source files"),
        (11, 0, Size.LARGE, "11 deliverables, 0 source files"),
        (1, 1000, Size.LARGE, "1 deliverable, 1000 source files"),
    ],
)
def test_size_states_what_it_rests_on(deliverables: int, source_files: int, size: Size, basis: str) -> None:
    spec = Spec(goal="g", deliverables=tuple(f"thing {n}" for n in range(deliverables)))
    found = read(spec, source_files)
    assert (found.size, found.size_basis) == (size, basis)


def test_points_within_deliverables_count_and_are_their_tasks() -> None:
    found = read("GOAL: g\nDELIVERABLES:\n- Login\n  - form\n  - session\n  - errors\n")
    assert found.phases[1] == Phase(name="Login", tasks=("form", "session", "errors"))
    assert (found.size, found.size_basis) == (Size.MEDIUM, "1 deliverable with 3 points, 48 source files")


def test_deliverables_below_one_subheading_are_one_phase() -> None:
    found = read("GOAL: g\nDELIVERABLES:\nBackend:\n- login\n- logout\nFrontend:\n- page\n")
    assert found.phases[1:-1] == (Phase(name="Backend", tasks=("login", "logout")), Phase(name="Frontend: page"))


@pytest.mark.parametrize("count", [6, 7, 13, 100])
def test_many_deliverables_share_phases_and_none_is_lost(count: int) -> None:
    names = tuple(f"thing {n}" for n in range(1, count + 1))
    phases = read(Spec(goal="g", deliverables=names)).phases[1:-1]
    assert len(phases) == 6
    assert tuple(task for phase in phases for task in phase.tasks or (phase.name,)) == names
    if count == 7:
        assert {phase.name for phase in phases} >= {"Deliverable 1", "Deliverable 7"}


def test_roles_are_suggested_from_the_specs_words() -> None:
    found = read("GOAL: Serve the shop from Kubernetes\nDELIVERABLES:\n- Dockerfile for each service\n- login\n")
    (devops,) = [each for each in found.suggestions if each.role == "devops"]
    assert (devops.action, devops.source) == (Action.ADD, AnalysisSource.OFFLINE)
    assert "Kubernetes" in devops.why or "Docker" in devops.why
    assert read(EXAMPLE).suggestions == ()


texts = st.text(max_size=80)
phases = st.builds(Phase, name=texts, tasks=st.lists(texts, max_size=3).map(tuple), hours=st.none() | st.floats(0, 99))
specs = st.builds(
    Spec,
    goal=texts,
    constraints=st.lists(texts, max_size=4).map(tuple),
    deliverables=st.lists(texts, max_size=20).map(tuple),
    success_criteria=st.lists(texts, max_size=4).map(tuple),
    phases=st.lists(phases, max_size=3).map(tuple),
    text=texts,
)


@settings(deadline=None)
@given(specs, st.integers(0, 5000))
def test_any_spec_has_phases_and_a_basis(spec: Spec, source_files: int) -> None:
    found = read(spec, source_files)
    assert found.phases
    assert found.size_basis
    assert len(found.summary) < 200
    assert "\n" not in found.summary
    assert found.hours is None or found.hours >= 0
