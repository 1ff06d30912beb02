"""Drafts per agent, and the history of what was sent."""

from __future__ import annotations

from orchestrator_core.models.ids import AgentId
from tui.widgets.drafts import KEPT, Drafts, History

ONE, OTHER = AgentId("t-1:a"), AgentId("t-1:b")


def test_every_agent_has_its_own_draft() -> None:
    drafts = Drafts()
    drafts.keep(ONE, "for one")
    drafts.keep(OTHER, "for the other")
    assert (drafts.of(ONE), drafts.of(OTHER)) == ("for one", "for the other")


def test_an_empty_draft_is_none() -> None:
    drafts = Drafts()
    drafts.keep(ONE, "text")
    drafts.keep(ONE, " \n")
    assert drafts.of(ONE) == ""


def test_history_goes_back_and_forth_and_keeps_what_is_being_written() -> None:
    history = History()
    for text in ("first", "second"):
        history.add(text)
    assert history.older("unsent") == "second"
    assert history.older("second") == "first"
    assert history.older("first") is None
    assert history.newer() == "second"
    assert history.newer() == "unsent"
    assert history.newer() is None


def test_the_same_text_twice_in_a_row_is_one_entry() -> None:
    history = History()
    history.add("again")
    history.add("again")
    assert history.older("") == "again"
    assert history.older("again") is None


def test_history_is_bounded() -> None:
    history = History()
    for number in range(KEPT + 50):
        history.add(str(number))
    found = 0
    while history.older("") is not None:
        found += 1
    assert found == KEPT


def test_an_empty_history_has_nothing_older() -> None:
    assert History().older("x") is None
    assert History().newer() is None
