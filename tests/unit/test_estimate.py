"""What a team would use: counted where it can be, and said to be a guess where it cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator_core.models.team import TeamProposal
from orchestrator_core.team.catalogue import builtin
from orchestrator_core.team.compose import compose
from orchestrator_core.team.detect import detect_names
from orchestrator_core.team.estimate import NO_CHECK_INS, NO_TOKENS, estimate

CATALOGUE = builtin()
PYTHON = detect_names(["pyproject.toml", "src/app.py"])


def team_of(*roles: str, interval: float | None = None) -> TeamProposal:
    team = compose(PYTHON, plan="console", roles=roles, over_cap=True)
    return replace(team, chosen=tuple(replace(choice, check_in_min=interval) for choice in team.chosen))


def test_check_ins_are_counted_by_each_role_s_interval() -> None:
    found = estimate(team_of("orchestrator", "project_manager", "developer"), CATALOGUE)
    assert found.check_ins_per_hour == pytest.approx(60 / 20 + 60 / 25 + 60 / 30)
    low, high = CATALOGUE.plans.tokens_per_check_in
    assert found.tokens_per_hour == (round(7.4 * low), round(7.4 * high))
    assert "rule of thumb" in found.basis
    assert "work itself comes on top" in found.basis


def test_an_interval_that_was_set_counts() -> None:
    assert estimate(team_of("developer", "tester", interval=10), CATALOGUE).check_ins_per_hour == pytest.approx(12)


def test_without_standing_check_ins_nothing_is_counted() -> None:
    found = estimate(team_of("developer"), CATALOGUE, standing=False)
    assert (found.check_ins_per_hour, found.tokens_per_hour, found.basis) == (0, (0, 0), NO_CHECK_INS)


def test_scripted_agents_are_woken_but_use_no_tokens() -> None:
    found = estimate(team_of("developer"), CATALOGUE, is_demo=True)
    assert (found.check_ins_per_hour, found.tokens_per_hour, found.basis) == (2, (0, 0), NO_TOKENS)


@given(st.sets(st.sampled_from(list(CATALOGUE.roles)), min_size=1), st.floats(min_value=1, max_value=10080))
def test_more_roles_and_shorter_intervals_never_use_less(roles: set[str], interval: float) -> None:
    found = estimate(team_of(*sorted(roles), interval=interval), CATALOGUE)
    assert found.tokens_per_hour[0] <= found.tokens_per_hour[1]
    assert estimate(team_of("developer", interval=interval), CATALOGUE).check_ins_per_hour <= found.check_ins_per_hour
    assert estimate(team_of(*sorted(roles), interval=1), CATALOGUE).check_ins_per_hour >= found.check_ins_per_hour
