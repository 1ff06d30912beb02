"""How often a pane is looked at."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.tmux.pacing import BURST, SHORTEST_S, SUSTAINED_S, Pacer


def looks(*, seconds: float, want_every: float) -> list[float]:
    """Return when a reader that always wants to look gets to."""
    pacer, now, times = Pacer(), 100.0, []
    while now < 100.0 + seconds:
        pacer.looked(now)
        times.append(now)
        now += max(want_every, pacer.delay(now))
    return times


def test_the_first_look_is_free() -> None:
    assert Pacer().delay(5.0) == 0.0


def test_a_pane_that_rests_is_never_slowed_down() -> None:
    pacer = Pacer()
    for tick in range(1000):
        assert pacer.delay(tick * SUSTAINED_S) == 0.0
        pacer.looked(tick * SUSTAINED_S)


def test_a_flood_is_looked_at_at_the_sustained_pace() -> None:
    times = looks(seconds=20.0, want_every=0.0)
    assert len(times) <= 20.0 / SUSTAINED_S + BURST + 2
    late = [after - before for before, after in itertools.pairwise(times[-20:])]
    assert min(late) > SUSTAINED_S * 0.99


@given(st.floats(min_value=0.0, max_value=0.2))
def test_looks_are_never_closer_than_the_shortest_pause(want_every: float) -> None:
    times = looks(seconds=2.0, want_every=want_every)
    assert all(after - before > SHORTEST_S * 0.99 for before, after in itertools.pairwise(times))
