"""A person's sitting before a scripted facade: what keys lead to, and what news does to the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings, TuiSettings
from orchestrator_core.errors import RefusedError, TmorchError
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.fleet import Fleet, SupervisorHealth
from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import DeliveryMode, MessageState
from tests.fakes.facade import FakeOrchestrator, picture
from tests.polling import aeventually
from tests.tui import samples
from tui.app import TmorchApp

SIZE = (120, 40)


class Sitting:
    """The app with its facade, and what is on the screen."""

    def __init__(self, fleet: Fleet, settings: Settings | None = None) -> None:
        self.facade = FakeOrchestrator(fleet)
        self.facade.clock = lambda: samples.NOW
        for team in fleet.teams:
            for view in team.agents:
                if view.agent.pane:
                    self.facade.pictures.pictures[view.agent.pane] = picture(
                        view.agent.pane, f"screen of {view.agent.id}"
                    )
        self.app = TmorchApp(self.facade, settings or Settings(), Paths.from_env(), clock=lambda: samples.NOW)

    def text(self) -> str:
        """Return what the screen shows."""
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in strips[:height]) if width else ""

    async def sees(self, *texts: str) -> None:
        """Wait until all of `texts` are on the screen."""

        def look() -> bool:
            missing = [text for text in texts if text not in self.text()]
            assert not missing, f"{missing} not on:\n{self.text()}"
            return True

        await aeventually(look, timeout=5)

    async def sees_no(self, text: str) -> None:
        await aeventually(lambda: text not in self.text(), timeout=5, what=f"{text} is still on the screen")


@pytest.fixture
async def desk() -> AsyncIterator[tuple[Sitting, Pilot[int]]]:
    """Three teams on the screen, the first agent selected."""
    sitting = Sitting(samples.three_teams())
    async with sitting.app.run_test(size=SIZE, notifications=True) as pilot:
        await sitting.sees("shop-3f2a ▸ orchestrator", "screen of shop-3f2a:orchestrator")
        yield sitting, pilot


async def test_the_preview_follows_the_selection(desk: tuple[Sitting, Pilot[int]]) -> None:
    sitting, pilot = desk
    await pilot.press("j", "j")
    await sitting.sees("shop-3f2a ▸ developer", "screen of shop-3f2a:developer")
    developer = sitting.facade._latest.agent(AgentId("shop-3f2a:developer"))
    assert developer is not None
    assert sitting.facade.pictures.follows[-1] == developer.agent.pane
    sitting.facade.pictures.show(picture(str(developer.agent.pane), "something new"))
    await sitting.sees("something new")


async def test_a_message_goes_to_the_selected_agent_and_its_receipt_is_followed(
    desk: tuple[Sitting, Pilot[int]],
) -> None:
    """Scenario 81."""
    sitting, pilot = desk
    await pilot.press("j", "j", "m", "h", "i", "ctrl+j", "[", "b", "]", "enter")
    await aeventually(lambda: sitting.facade.sent)
    assert sitting.facade.sent == [("shop-3f2a:developer", "hi\n[b]", DeliveryMode.WHEN_IDLE)]
    await sitting.sees("queued", "hi")
    sitting.facade.advance(MessageId(1), MessageState.DELIVERED)
    sitting.facade.publish(replace(sitting.facade._latest, tmux_detail="a tick"))
    await sitting.sees("✔ delivered")
    sitting.facade.advance(MessageId(1), MessageState.UNCONFIRMED, "typed, then lost sight of it")
    sitting.facade.publish(replace(sitting.facade._latest, tmux_detail="another tick"))
    await sitting.sees("unconfirmed", "lost sight of it")


async def test_now_instead_of_when_idle(desk: tuple[Sitting, Pilot[int]]) -> None:
    sitting, pilot = desk
    await pilot.press("m", "ctrl+t", "x", "enter")
    await aeventually(lambda: sitting.facade.sent)
    assert sitting.facade.sent[0].mode is DeliveryMode.NOW


async def test_a_draft_stays_with_its_agent(desk: tuple[Sitting, Pilot[int]]) -> None:
    sitting, pilot = desk
    await pilot.press("m", "f", "o", "r", "space", "o", "n", "e", "escape")
    await pilot.press("j")
    await sitting.sees("▸ project_manager")
    await sitting.sees_no("for one")
    await pilot.press("k")
    await sitting.sees("for one")
    assert sitting.facade.sent == []


async def test_what_is_refused_is_said_with_its_cause_and_remedy(desk: tuple[Sitting, Pilot[int]]) -> None:
    sitting, pilot = desk
    sitting.facade.fail("send", RefusedError("not today [b]", cause="it is a holiday", remedy="try tomorrow"))
    await pilot.press("m", "x", "enter")
    await sitting.sees("not today [b]", "it is a holiday", "try tomorrow")


async def test_the_filter_narrows_and_clears(desk: tuple[Sitting, Pilot[int]]) -> None:
    sitting, pilot = desk
    await pilot.press("slash", *"tester")
    await sitting.sees_no("researcher")
    await sitting.sees("tester")
    await pilot.press("escape")
    await sitting.sees("researcher")


async def test_a_filter_without_a_match_says_how_to_clear_it(desk: tuple[Sitting, Pilot[int]]) -> None:
    sitting, pilot = desk
    await pilot.press("slash", *"zzz")
    await sitting.sees("nothing matches", "zzz", "clears the filter")


async def test_zoom_and_back(desk: tuple[Sitting, Pilot[int]]) -> None:
    sitting, pilot = desk
    await pilot.press("z")
    await sitting.sees_no("researcher")
    await pilot.press("z")
    await sitting.sees("researcher")


async def test_rows_come_and_go_and_the_selection_stays(desk: tuple[Sitting, Pilot[int]]) -> None:
    """Scenario 79."""
    sitting, pilot = desk
    await pilot.press("j", "j")
    await sitting.sees("shop-3f2a ▸ developer")
    fleet = samples.without_agent(sitting.facade._latest, AgentId("shop-3f2a:project_manager"))
    sitting.facade.publish(fleet)
    await sitting.sees_no("project_manager")
    await sitting.sees("shop-3f2a ▸ developer")
    sitting.facade.publish(
        samples.with_agent(fleet, AgentId("shop-3f2a:developer"), status=AgentStatus.FAILED, reason="exit code 7")
    )
    await sitting.sees("✖", "exit code 7")


async def test_a_feed_that_fails_is_said_and_taken_up_again(desk: tuple[Sitting, Pilot[int]]) -> None:
    sitting, _ = desk
    before = sitting.facade.fleet_feed.openings
    sitting.facade.fleet_feed.put(TmorchError("the database is locked", cause="somebody else has it"))
    await sitting.sees("the database is locked")
    await aeventually(lambda: sitting.facade.fleet_feed.openings > before)
    sitting.facade.publish(replace(samples.three_teams(), tmux_detail="anew"))
    await sitting.sees_no("the database is locked")


async def test_the_supervisor_is_started_from_here(desk: tuple[Sitting, Pilot[int]]) -> None:
    """Scenario 85."""
    sitting, pilot = desk
    sitting.facade.publish(replace(sitting.facade._latest, supervisor=SupervisorHealth(running=False)))
    await sitting.sees("The supervisor is down")
    await pilot.press("S")
    await aeventually(lambda: sitting.facade.supervisor_starts == 1)
    await sitting.sees_no("The supervisor is down")


async def test_attach_goes_to_the_selected_pane(desk: tuple[Sitting, Pilot[int]]) -> None:
    """Scenario 86: inside tmux the client is switched, and the way back is said."""
    sitting, pilot = desk
    await pilot.press("enter")
    await aeventually(lambda: sitting.facade.attached)
    assert sitting.facade.attached[0][1] == samples.SERVER


async def test_our_own_pane_is_never_mirrored() -> None:
    """Scenario 80; pane ids are those of one server."""
    fleet = samples.three_teams()
    sitting = Sitting(fleet)
    pane = fleet.teams[0].agents[0].agent.pane
    assert pane is not None
    sitting.facade.own_panes.add((pane, samples.SERVER))
    async with sitting.app.run_test(size=SIZE, notifications=True):
        await sitting.sees("This is tmorch-tui itself")
        assert pane not in sitting.facade.pictures.follows


async def test_keys_can_be_chosen() -> None:
    settings = Settings(tui=TuiSettings(keys={"main.message": "e"}))
    sitting = Sitting(samples.three_teams(), settings)
    async with sitting.app.run_test(size=SIZE, notifications=True) as pilot:
        await sitting.sees("▸ orchestrator")
        await pilot.press("e", "x", "enter")
        await aeventually(lambda: sitting.facade.sent)


async def test_a_hundred_agents(desk: tuple[Sitting, Pilot[int]]) -> None:
    sitting, pilot = desk
    sitting.facade.publish(samples.many(100))
    await sitting.sees("100 agents")
    await pilot.press("end")
    await pilot.press("home")
    await sitting.sees("100 agents")


async def test_quitting_ends_nothing(desk: tuple[Sitting, Pilot[int]]) -> None:
    """Scenario 86: the facade is closed, and nobody was told to stop."""
    sitting, pilot = desk
    await pilot.press("q")
    await aeventually(lambda: not sitting.app.is_running)
    assert sitting.facade.sent == []
