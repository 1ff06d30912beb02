"""How an agent's screen looks in the preview."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from orchestrator_core.config.paths import Paths
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import Cursor, PaneFrame
from tui.theming import load_themes, variable_defaults
from tui.widgets.pane_view import Absence, PaneView

PANES = Path(__file__).parents[1] / "data/pane"
HIDDEN = Cursor(x=0, y=0, visible=False)
Compare = Callable[..., bool]
"""The fixture `snap_compare`."""


def screen(name: str, *, width: int = 120, height: int = 40, cursor: Cursor = HIDDEN, **facts: Any) -> PaneFrame:
    lines = tuple((PANES / f"{name}.ansi.txt").read_text().split("\n"))[:height]
    return PaneFrame(pane=PaneId("%1"), lines=lines, width=width, height=height, cursor=cursor, **facts)


class ViewApp(App[None]):
    """A view with a border, so that anything that shifts is seen."""

    CSS = "PaneView { border: round $border; border-title-color: $foreground; }"

    def __init__(self, theme: str, frame: PaneFrame | None, absence: Absence = Absence.UNSELECTED) -> None:
        super().__init__()
        self._chosen = theme
        self._frame = frame
        self._absence = absence

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variable_defaults(self.current_theme)

    def compose(self) -> ComposeResult:
        view = PaneView()
        view.border_title = "developer %1"
        yield view

    def on_mount(self) -> None:
        load_themes(Paths.from_env({"HOME": "/nowhere"})).apply(self, self._chosen)
        self.query_one(PaneView).show(self._frame, self._absence)


@pytest.mark.parametrize("theme", ["tmorch-dark", "tmorch-light", "tmorch-paper", "ansi"])
def test_a_claude_screen(snap_compare: Compare, theme: str) -> None:
    """Claude asks for permission: its logo, prompts on grey, the blue dialog; every character legible; right of the
    pane, which is narrower than the view, the area beyond it.
    """
    assert snap_compare(ViewApp(theme, screen("permission")), terminal_size=(130, 42))


@pytest.mark.parametrize("theme", ["tmorch-dark", "tmorch-light"])
def test_a_small_view_shows_the_bottom_left(snap_compare: Compare, theme: str) -> None:
    """The choices at the bottom are in view; “↑ … more” at the top right; › ends rows that go on."""
    assert snap_compare(ViewApp(theme, screen("permission")), terminal_size=(80, 24))


def test_a_small_view_panned(snap_compare: Compare) -> None:
    """The middle of the same rows: ‹ and › at both ends."""

    async def pan(pilot: Pilot[None]) -> None:
        pilot.app.query_one(PaneView).focus()
        await pilot.press("right", "right")

    assert snap_compare(ViewApp("tmorch-dark", screen("permission")), terminal_size=(80, 24), run_before=pan)


def wide_text() -> PaneFrame:
    lines = (
        "\x1b[1mChinese\x1b[0m    漢字テスト 가나다 |",
        "\x1b[1memoji\x1b[0m      🚀 done ✔ ⚠️ careful ❤️ |",
        "\x1b[1msequences\x1b[0m  👨‍👩‍👧 👩‍💻 👍🏽 🏳️‍🌈 🇩🇪 1️⃣ |",
        "\x1b[1maccents\x1b[0m    e\u0301a\u0308 का ก็ |",
        "\x1b[1mlines\x1b[0m      \x0elqqk\x0f \x0emqqj\x0f ┏━━┓ ▐▛█▜▌ |",
        "\x1b[1mcolours\x1b[0m    \x1b[31mred\x1b[32mgreen\x1b[34mblue\x1b[0m "
        "\x1b[38;2;255;120;0mtrue\x1b[0m \x1b[7mreverse\x1b[0m",
        "\x1b[1mstyles\x1b[0m     \x1b[3mitalic\x1b[0m \x1b[4:3;58;5;3mcurly\x1b[0m "
        "\x1b[9mstruck\x1b[0m \x1b[2mdim\x1b[0m",
        "漢" * 19 + "|end",
        "漢" * 20,
        "",
    )
    cursor = Cursor(x=11, y=0, visible=True)
    return PaneFrame(pane=PaneId("%1"), lines=lines, width=40, height=10, cursor=cursor)


@pytest.mark.parametrize("theme", ["tmorch-dark", "tmorch-light"])
def test_wide_text(snap_compare: Compare, theme: str) -> None:
    """Wide and joined characters, line drawing, colours: the right border is one straight line, and the cursor covers
    the whole first Chinese character.
    """
    assert snap_compare(ViewApp(theme, wide_text()), terminal_size=(42, 12))


def scrolled(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def scroll(pilot: Pilot[None]) -> None:
        view = pilot.app.query_one(PaneView)
        view.focus()
        await pilot.press(*keys)
        frame = view.frame
        assert frame is not None
        older = tuple(f"\x1b[38;5;{60 + number}mline {number} of the scrollback\x1b[39m" for number in range(1, 121))
        view.show_history(
            PaneFrame(
                pane=frame.pane,
                lines=older + frame.lines,
                width=frame.width,
                height=frame.height,
                cursor=HIDDEN,
                history=120,
                history_size=120,
            )
        )
        await pilot.pause()

    return scroll


@pytest.mark.parametrize("theme", ["tmorch-dark", "tmorch-light", "ansi"])
def test_scrolled(snap_compare: Compare, theme: str) -> None:
    """Old lines above the live screen, and a label at the top right: how far, and how to come back."""
    app = ViewApp(theme, screen("idle", width=120, height=34, history_size=120))
    assert snap_compare(app, terminal_size=(80, 24), run_before=scrolled("pageup", "pageup"))


@pytest.mark.parametrize("absence", [Absence.UNSELECTED, Absence.GONE], ids=lambda absence: absence.name.lower())
def test_nothing_to_show(snap_compare: Compare, absence: Absence) -> None:
    """In the middle what is missing, and below it what to do."""
    assert snap_compare(ViewApp("tmorch-dark", None, absence), terminal_size=(60, 10))
