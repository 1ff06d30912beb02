"""The whole app over the scripted facade, at a size, with what a test asks of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings, TuiSettings
from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import PaneId
from tests.fakes.facade import FakeOrchestrator, picture
from tests.polling import aeventually
from tests.tui.samples import NOW, three_teams
from tui.app import TmorchApp
from tui.opening import NOTHING_FIRST, Opening
from tui.screens.help import HelpScreen
from tui.screens.main import MainScreen
from tui.widgets.composer import Composer
from tui.widgets.line import Line
from tui.widgets.message_input import MessageInput

CLAUDE = (Path(__file__).parents[1] / "data/claude-screens/09_permission_bash.ansi.txt").read_text().splitlines()


class Stage:
    """The app with its facade and its clock."""

    def __init__(self, home: Path, fleet: Fleet | None, settings: Settings, opening: Opening = NOTHING_FIRST) -> None:
        self.now = NOW
        self.paths = Paths.from_env({"HOME": str(home)})
        self.facade = FakeOrchestrator(fleet)
        self.facade.clock = lambda: self.now
        self.app = TmorchApp(self.facade, settings, self.paths, opening=opening, clock=lambda: self.now)
        self.pilot: Pilot[int] | None = None

    def paint(self, *panes: str, screen: list[str] | None = None) -> None:
        """Give these panes a picture; each shows its own id at its end."""
        for pane in panes:
            lines = [*(CLAUDE if screen is None else screen), f"this is {pane}"]
            self.facade.pictures.show(picture(pane, *lines, width=120, height=len(lines)))

    def paint_fleet(self, fleet: Fleet) -> None:
        """Give every pane of a fleet a picture."""
        agents = [view.agent.pane for team in fleet.teams for view in team.agents if view.agent.pane]
        self.paint(*agents, *(guest.pane_id for guest in fleet.guests))

    @property
    def is_drawn(self) -> bool:
        """Whether the fleet is on the screen, with the inputs and the picture of what is selected."""
        if self.main.fleet is None or self.composer.input is None:
            return False
        sight = self.main.stage.sight
        return sight is None or sight.pane not in self.facade.pictures.pictures or bool(self.main.stage.pane_view.frame)

    @property
    def main(self) -> MainScreen:
        """The main screen."""
        return self.app.main

    @property
    def composer(self) -> Composer:
        """The composer."""
        return self.main.composer

    @property
    def input(self) -> MessageInput:
        """Where messages are written."""
        found = self.composer.input
        assert found is not None
        return found

    @property
    def selected(self) -> str:
        """The id of the selected row."""
        row = self.main.fleet_tree.selected
        return row.id if row else ""

    @property
    def is_on_main(self) -> bool:
        """Whether nothing stands over the main screen."""
        return self.app.screen is self.main

    @property
    def is_helping(self) -> bool:
        """Whether the help is open."""
        return isinstance(self.app.screen, HelpScreen)

    @property
    def looked_at(self) -> PaneId | None:
        """The pane that is followed at the moment."""
        follows = self.facade.pictures.follows
        return follows[-1] if follows else None

    def text(self, selector: str) -> str:
        """Return what a one-line widget shows."""
        return str(self.main.query_one(selector, Line).render())

    def screen_text(self) -> str:
        """Return everything that is on the screen, line by line."""
        return "\n".join(
            "".join(segment.text for segment in strip) for strip in self.app.screen._compositor.render_strips()
        )

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other, and wait until the app has nothing to do."""
        assert self.pilot is not None
        await self.pilot.press(*keys)

    async def write(self, text: str) -> None:
        """Open the composer and have `text` in it."""
        await self.press("m")
        self.input.load_text(text)

    async def shows(self, fleet: Fleet) -> None:
        """Wait until the app shows this fleet."""
        await aeventually(lambda: self.main.fleet == fleet)
        await self.settle()

    async def settle(self) -> None:
        """Wait until the app has nothing to do."""
        assert self.pilot is not None
        await self.pilot.pause()


@asynccontextmanager
async def running(stage: Stage, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Stage]:
    """Run the stage's app headless; it is ready when the inputs are there, if there is a fleet."""
    async with stage.app.run_test(size=size, notifications=True) as pilot:
        stage.pilot = pilot
        await aeventually(lambda: stage.is_drawn)
        await pilot.pause()
        yield stage


def staged(
    home: Path,
    fleet: Fleet | None = None,
    tui: TuiSettings | None = None,
    settings: Settings | None = None,
    opening: Opening = NOTHING_FIRST,
) -> Stage:
    """Return a stage with a fleet, by default the usual one, all of whose panes have a picture."""
    chosen = settings or Settings(tui=tui or TuiSettings())
    made = Stage(home, three_teams() if fleet is None else fleet, chosen, opening)
    made.paint_fleet(three_teams() if fleet is None else fleet)
    return made
