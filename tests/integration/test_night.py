"""Nights in which everything happens, on a clock that is not real, and every check-in is accounted for afterwards."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.night import judge, report
from tests.night.judge import Account
from tests.night.play import Night, Plan

AUTUMN, SPRING = "2026-10-24 20:00", "2026-03-28 20:00"
"""Evenings before the clocks of Berlin are changed."""
BACK_S, AHEAD_S = -3600.0, 47 * 60.0
UNSHRUNK = [Phase.explicit, Phase.reuse, Phase.generate]
"""Shrinking takes minutes, and a night of another seed is no simpler."""


def _live_through(plan: Plan, folder: Path) -> tuple[Night, list[Account]]:
    night = Night(folder, plan)
    try:
        night.run()
        accounts = judge.account(night)
        faults = [*night.reports, *night.faults, *judge.wrong_changes(night), *judge.wrong_totals(night)]
        faults += [f"check-in {found.row['id']}: {fault}" for found in accounts for fault in found.faults]
    finally:
        night.close()
    assert not faults, "\n".join([*faults, *report.totals(night, accounts), *report.table(night, accounts)])
    return night, accounts


@pytest.mark.parametrize(
    ("seed", "start", "jump_s"),
    [
        (1, AUTUMN, BACK_S), (1, SPRING, AHEAD_S), (3, AUTUMN, AHEAD_S), (3, SPRING, BACK_S),
    ],
)  # fmt: skip
def test_after_a_long_night_every_check_in_is_accounted_for(
    seed: int, start: str, jump_s: float, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    plan = Plan(seed=seed, start=start, jump_s=jump_s)
    night, accounts = _live_through(plan, tmp_path)
    lines = report.totals(night, accounts)
    if (seed, start) == (1, AUTUMN):
        lines += report.table(night, accounts)
    record_property("report: a simulated night", "\n".join(lines))

    incidents = " ".join(text for _, _, text in night.ledger.incidents)
    assert incidents.count("is killed") == 2
    assert "sleeps for 3 h" in incidents
    assert "clock jumps" in incidents
    states = Counter(found.row["state"] for found in accounts)
    assert min(states[state] for state in ("active", "fired", "cancelled", "dead")) > 0
    assert sum(found.sent for found in accounts) > 80
    assert sum(found.skipped for found in accounts) > 30
    assert sum(found.covered for found in accounts) > 50
    assert (sum(found.passed for found in accounts) > 0) == (jump_s < 0)


@given(
    seed=st.integers(0, 1 << 30),
    start=st.sampled_from(["2026-10-25 01:00", "2026-03-29 00:30", "2026-06-01 22:00"]),
    jump_s=st.integers(-90 * 64, 90 * 64).map(lambda steps: steps * 60 / 64),
    sleep_h=st.sampled_from([0, 0.25, 1]),
    crashes=st.integers(0, 4),
)
@settings(max_examples=8, deadline=None, phases=UNSHRUNK)
def test_so_it_is_after_a_short_one_whatever_happens(
    seed: int, start: str, jump_s: float, sleep_h: float, crashes: int
) -> None:
    plan = Plan(seed=seed, start=start, jump_s=jump_s, hours=3, agents=3, acts=25, crashes=crashes, sleep_h=sleep_h)
    with tempfile.TemporaryDirectory() as folder:
        _live_through(plan, Path(folder))
