"""Usage limits of the real CLI that end: known by their epoch, waited for, and gone on from exactly once."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator_core.models.credit import Continuation, ContinuationState, CreditReading, ReadingSource
from orchestrator_core.services.continuation import GO_ON
from tests.polling import eventually
from tests.real_claude.real_rig import RealAgent, RealRig
from tests.real_claude.test_ends import subscriber

pytestmark = [pytest.mark.real_claude, pytest.mark.timeout(420)]

LASTS_S = 25
WAITED = "and then this"
OWN_WORDS = "Your claude.ai usage limit has reset"
"""What the CLI says to itself when it goes on, some 80 s after the reset."""
QUICK = "[credit]\nmargin_s = 3\nverify_s = 5\n"
"""For who does not go on by itself: nobody needs to be waited for."""
WINDOWS = pytest.mark.parametrize("window", ["five_hour", "seven_day"])


def meet_limit(agent: RealAgent, window: str) -> CreditReading:
    """Have the agent meet a limit in the middle of its work, and return what is known of it then."""
    assert agent.send(f"work [[bash git status]] [[limit {window} {LASTS_S}]]").code == 0
    agent.wait_status("limited")

    def told() -> list[CreditReading]:
        return [each for each in agent.rig.store.readings.current() if each.is_limit]

    (reading,) = eventually(told, what="no reading tells of the limit")
    return reading


def first_refused_at(rig: RealRig) -> float:
    """Return when the API first said no: to the request that brought the tool's result."""
    return next(got.at for got in rig.island.received() if got.results and any("[[limit" in t for t in got.texts))


def continuations(rig: RealRig) -> list[str]:
    """Return what told the agent to go on, once for each request that brought it as its newest text."""
    newest = [got.texts[-1] for got in rig.island.received() if got.is_turn and not got.results and got.texts]
    return [text for text in newest if OWN_WORDS in text or GO_ON[:30] in text]


def wait_over(rig: RealRig) -> Continuation:
    def over() -> list[Continuation]:
        return [each for each in rig.store.continuations.since(0.0) if each.state is ContinuationState.OVER]

    (found,) = eventually(over, timeout=240, what=f"{rig.store.continuations.since(0.0)}")
    return found


def check_known(rig: RealRig, reading: CreditReading, window: str) -> None:
    """Check that the reset is the API's own, to the second: the screen tells minutes."""
    assert reading.window == window
    assert reading.source in (ReadingSource.STATUS_LINE, ReadingSource.RECORD)
    assert reading.resets_at is not None
    assert abs(reading.resets_at - (first_refused_at(rig) + LASTS_S)) <= 2
    (way_out,) = eventually(rig.store.continuations.open, what="no way out of the limit was begun")
    assert way_out.resets_at == reading.resets_at
    assert not way_out.is_estimate


def check_once(rig: RealRig, agent: RealAgent, words: str, held: int) -> None:
    """Check that one text told it to go on, and that what waited came once, after it."""
    rig.wait_message(held, "acknowledged")
    rig.island.wait_text(WAITED)
    assert wait_over(rig).attempts == 0
    agent.wait_status("idle")
    (told,) = continuations(rig)
    assert words in told
    texts = rig.island.texts()
    (place,) = [place for place, text in enumerate(texts) if WAITED in text]
    assert texts.index(told) < place


@WINDOWS
def test_who_goes_on_by_itself_is_told_nothing(bare_rig: RealRig, git_project: Path, window: str) -> None:
    """Scenarios 44 and 45 with the margin that everybody has."""
    agent = subscriber(bare_rig, git_project, {})
    check_known(bare_rig, meet_limit(agent, window), window)
    held = agent.send(WAITED, wait=2).json["id"]
    eventually(lambda: continuations(bare_rig), timeout=180, what=agent.screen())
    check_once(bare_rig, agent, OWN_WORDS, held)


@WINDOWS
def test_who_does_not_is_told_once_past_its_menu(bare_rig: RealRig, git_project: Path, window: str) -> None:
    """The menu is left with its first choice; the third would buy a larger plan."""
    bare_rig.set_up(QUICK)
    agent = subscriber(bare_rig, git_project, {"autoContinueAtUsageLimit": False})
    check_known(bare_rig, meet_limit(agent, window), window)
    held = agent.send(WAITED, wait=2).json["id"]
    eventually(lambda: continuations(bare_rig), timeout=90, what=agent.screen())
    check_once(bare_rig, agent, GO_ON[:30], held)
