"""Selection and openness stay with things while the fleet changes."""

from __future__ import annotations

from msgspec.structs import replace

from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import AgentId
from tests.tui.samples import NOW, api, docs, guests, shop, three_teams, with_agent, without_agent
from tui.widgets.fleet_outline import Outline

DEVELOPER = AgentId("shop-3f2a:developer")


def outline(fleet: Fleet | None = None) -> Outline:
    made = Outline()
    made.show(fleet or three_teams(), NOW)
    return made


def choose(tree: Outline, row_id: str) -> None:
    index = tree.reveal(row_id)
    assert index is not None
    tree.move_to(index)


def selected(tree: Outline) -> str:
    assert tree.selected is not None
    return tree.selected.id


def test_the_first_agent_is_selected_at_first() -> None:
    assert selected(outline()) == "agent:shop-3f2a:orchestrator"


def test_an_empty_fleet_has_no_selection_and_the_first_agent_gets_it() -> None:
    tree = outline(Fleet())
    assert tree.selected is None
    assert tree.move_to(3) is False
    tree.show(three_teams(), NOW)
    assert selected(tree) == "agent:shop-3f2a:orchestrator"


def test_the_selection_stays_when_others_come_and_go() -> None:
    tree = outline(Fleet(teams=(api(), docs())))
    choose(tree, "agent:docs-09be:tester")
    tree.show(three_teams(), NOW)
    assert selected(tree) == "agent:docs-09be:tester"
    tree.show(without_agent(three_teams(), AgentId("docs-09be:orchestrator")), NOW)
    assert selected(tree) == "agent:docs-09be:tester"


def test_the_next_agent_takes_over_when_the_selected_one_goes_away() -> None:
    tree = outline()
    choose(tree, f"agent:{DEVELOPER}")
    tree.show(without_agent(three_teams(), DEVELOPER), NOW)
    assert selected(tree) == "agent:shop-3f2a:tester"
    tree.show(three_teams(), NOW)
    assert selected(tree) == "agent:shop-3f2a:tester", "it does not jump back"


def test_the_one_above_takes_over_at_the_end() -> None:
    tree = outline(Fleet(teams=(shop(),)))
    choose(tree, "agent:shop-3f2a:testrunner")
    tree.show(Fleet(teams=(replace(shop(), agents=shop().agents[:2]),)), NOW)
    assert selected(tree) == "agent:shop-3f2a:project_manager"


def test_what_is_closed_stays_closed() -> None:
    tree = outline()
    tree.toggle(0)
    tree.show(with_agent(three_teams(), DEVELOPER, doing="Something else"), NOW)
    assert tree.rows[0].is_open is False
    assert tree.rows[1].label == "api-77c1"


def test_closing_a_team_selects_no_hidden_row() -> None:
    tree = outline()
    choose(tree, f"agent:{DEVELOPER}")
    tree.toggle(0)
    assert selected(tree) == "agent:api-77c1:orchestrator"


def test_the_filter_gives_the_selection_back() -> None:
    tree = outline()
    choose(tree, f"agent:{DEVELOPER}")
    tree.ask("tester")
    assert selected(tree) == "agent:shop-3f2a:tester"
    tree.ask("nothing like it")
    assert tree.selected is None
    tree.ask("")
    assert selected(tree) == f"agent:{DEVELOPER}"


def test_moving_in_a_filtered_tree_is_a_choice() -> None:
    tree = outline()
    tree.ask("tester")
    choose(tree, "agent:api-77c1:tester")
    tree.ask("")
    assert selected(tree) == "agent:api-77c1:tester"


def test_nothing_opens_or_closes_while_a_filter_shows_everything_open() -> None:
    tree = outline()
    tree.ask("tester")
    assert tree.toggle(0) is False


def test_reveal_opens_what_hides_a_row() -> None:
    tree = outline()
    tree.toggle(0)
    tree.ask("docs")
    index = tree.reveal(f"agent:{DEVELOPER}")
    assert index is not None
    assert tree.rows[index].id == f"agent:{DEVELOPER}"
    window = f"window:{guests()[0].session_id}:{guests()[0].window_id}"
    assert tree.reveal(window) is not None
    assert tree.reveal("agent:nobody") is None


def test_the_parent_of_a_row() -> None:
    tree = outline()
    assert tree.parent(3) == 0
    assert tree.parent(0) == 0
