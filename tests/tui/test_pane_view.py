"""The live pane: what it shows of a frame, what it repaints, how it is scrolled, panned and copied from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.events import MouseScrollDown, MouseScrollUp
from textual.geometry import Offset, Region
from textual.pilot import Pilot
from textual.selection import Selection
from textual.strip import Strip

from orchestrator_core.config.paths import Paths
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import Cursor, PaneFrame
from tui.theming import load_themes, terminal_colours
from tui.widgets.pane_picture import Sheet, live_rows, regions, with_cursor
from tui.widgets.pane_view import Absence, PaneView

WIDTH, HEIGHT = 20, 6
"""The size of the view in every test here."""
HIDDEN = Cursor(x=0, y=0, visible=False)


def a_frame(
    *lines: str,
    pane: str = "%1",
    width: int = WIDTH,
    height: int = HEIGHT,
    history: tuple[str, ...] = (),
    history_size: int = 0,
    cursor: Cursor = HIDDEN,
    in_mode: bool = False,
    dead: bool = False,
    pid: int = 7,
) -> PaneFrame:
    shown = lines + ("",) * (height - len(lines))
    return PaneFrame(
        pane=PaneId(pane),
        lines=history + shown,
        width=width,
        height=height,
        cursor=cursor,
        history=len(history),
        history_size=history_size or len(history),
        in_mode=in_mode,
        dead=dead,
        pid=pid,
    )


class ViewApp(App[None]):
    CSS = f"Screen {{ overflow: hidden; }} PaneView {{ width: {WIDTH}; height: {HEIGHT}; }}"

    def __init__(self) -> None:
        super().__init__()
        self.wanted: list[tuple[PaneId, int]] = []

    def compose(self) -> ComposeResult:
        yield PaneView(history_lines=100)

    def on_pane_view_history_wanted(self, event: PaneView.HistoryWanted) -> None:
        self.wanted.append((event.pane, event.lines))


class Driven:
    """A view in an app, and what can be seen of it."""

    def __init__(self, pilot: Pilot[None]) -> None:
        assert isinstance(pilot.app, ViewApp)
        self.app = pilot.app
        self.pilot = pilot
        self.view = pilot.app.query_one(PaneView)

    def strip(self, row: int) -> Strip:
        return self.view.render_line(row)

    def text(self) -> list[str]:
        return [self.strip(y).text.rstrip() for y in range(HEIGHT)]

    async def show(self, frame: PaneFrame) -> None:
        self.view.show(frame)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()


@asynccontextmanager
async def a_view() -> AsyncIterator[Driven]:
    async with ViewApp().run_test(size=(40, 12)) as pilot:
        yield Driven(pilot)


def numbered(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"line {number}" for number in range(first, last + 1))


async def test_a_frame_is_shown_as_it_is() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("one", "", "\x1b[31mthree"))
        assert driven.text() == ["one", "", "three", "", "", ""]
        assert all(driven.strip(y).cell_length == WIDTH for y in range(HEIGHT))


async def test_colours_carry_over_lines() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("\x1b[31mone", "two"))
        one, two = (next(iter(driven.strip(y))).style for y in (0, 1))
        assert one is not None
        assert two is not None
        assert one.color == two.color


@pytest.mark.parametrize("absence", list(Absence), ids=lambda absence: absence.name)
async def test_no_picture_says_why(absence: Absence) -> None:
    async with a_view() as driven:
        await driven.show(a_frame("one"))
        driven.view.show(None, absence)
        await driven.pilot.pause()
        title, hint = absence.value
        shown = [line.strip() for line in driven.text() if line]
        assert shown == [part[:WIDTH].strip() for part in (title, hint) if part]
        assert driven.view.frame is None


async def test_only_changed_rows_are_repainted() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("one", "two", "three", "four"))
        with patch.object(driven.view, "refresh", wraps=driven.view.refresh) as refresh:
            driven.view.show(a_frame("one", "TWO", "THREE", "four"))
            refresh.assert_called_once_with(Region(0, 1, WIDTH, 2))
        with patch.object(driven.view, "refresh", wraps=driven.view.refresh) as refresh:
            driven.view.show(a_frame("one", "TWO", "THREE", "four"))
            refresh.assert_not_called()


async def test_a_colour_change_above_repaints_the_rows_it_colours() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("\x1b[31mone", "two", "\x1b[0mthree", "four"))
        with patch.object(driven.view, "refresh", wraps=driven.view.refresh) as refresh:
            driven.view.show(a_frame("\x1b[32mone", "two", "\x1b[0mthree", "four"))
            refresh.assert_called_once_with(Region(0, 0, WIDTH, 3))


async def test_the_cursor_is_a_reversed_character_and_moves() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("漢x", cursor=Cursor(x=1, y=0, visible=True)))
        assert reversed_texts(driven.strip(0)) == ["漢"]
        with patch.object(driven.view, "refresh", wraps=driven.view.refresh) as refresh:
            driven.view.show(a_frame("漢x", cursor=Cursor(x=0, y=2, visible=True)))
            refresh.assert_called_once_with(Region(0, 0, WIDTH, 1), Region(0, 2, WIDTH, 1))
        assert reversed_texts(driven.strip(0)) == []
        assert reversed_texts(driven.strip(2)) == [" "]


def reversed_texts(strip: Strip) -> list[str]:
    return [text for text, style, _ in strip if style is not None and style.reverse]


async def test_a_hidden_cursor_and_that_of_a_dead_pane_are_not_drawn() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("abc"))
        assert not reversed_texts(driven.strip(0))
        await driven.show(a_frame("abc", cursor=Cursor(x=0, y=0, visible=True), dead=True))
        assert not reversed_texts(driven.strip(0))


async def test_a_cursor_on_reversed_text_stands_out() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("\x1b[7mabc", cursor=Cursor(x=1, y=0, visible=True)))
        assert reversed_texts(driven.strip(0)) == ["a", "c"]


async def test_a_cursor_past_the_last_column_is_in_it() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("x" * WIDTH, cursor=Cursor(x=WIDTH, y=0, visible=True)))
        assert driven.strip(0).cell_length == WIDTH
        assert [len(text) for text in reversed_texts(driven.strip(0))] == [1]


async def test_of_a_tall_pane_the_written_end_is_shown() -> None:
    """Where the prompt is; how much is above is said."""
    async with a_view() as driven:
        await driven.show(a_frame(*numbered(1, 10), height=30))
        *first, note = driven.strip(0).text.split()
        assert (first[:2], driven.text()[-1]) == (["line", "5"], "line 10")
        assert "↑ 4 more" in driven.strip(0).text
        assert note == "more"


async def test_of_a_tall_pane_the_cursor_is_always_in_view() -> None:
    async with a_view() as driven:
        await driven.show(a_frame(*numbered(1, 20), height=20, cursor=Cursor(x=0, y=2, visible=True)))
        assert driven.text()[0].startswith("line 3")
        assert "↑ 2 more" in driven.text()[0]
        assert "↓ 12 more" in driven.text()[-1]


async def test_a_low_cursor_is_in_view_when_nothing_is_written_there() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("top", height=30, cursor=Cursor(x=0, y=29, visible=True)))
        assert reversed_texts(driven.strip(HEIGHT - 1)) == [" "]


async def test_of_a_wide_pane_the_left_is_shown_and_it_can_be_panned() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("0123456789" * 4, "short", width=40))
        assert driven.text()[:2] == ["0123456789012345678›", "short"]
        driven.view.focus()
        await driven.press("right")
        assert driven.text()[:2] == ["‹901234567890123456›", "‹"]
        await driven.press("l", "l", "l")
        assert driven.text()[0] == "‹1234567890123456789"
        await driven.press("left", "left", "left", "left")
        assert driven.text()[0] == "0123456789012345678›"


async def test_panning_ends_with_the_pane() -> None:
    async with a_view() as driven:
        driven.view.focus()
        await driven.show(a_frame("0123456789" * 4, width=40))
        await driven.press("right", "right", "right")
        await driven.show(a_frame("other", pane="%2", width=40))
        assert driven.text()[0] == "other"


async def test_around_a_small_pane_nothing_shifts() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("abc", width=5, height=2))
        assert [driven.strip(y).cell_length for y in range(HEIGHT)] == [WIDTH] * HEIGHT
        inside, outside = (segment.style for segment in list(driven.strip(0))[-2:])
        assert inside is not None
        assert outside is not None
        assert inside.bgcolor != outside.bgcolor


async def test_copy_mode_is_said() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("one", in_mode=True))
        assert "copy mode" in driven.text()[0]


async def test_scrolling_up_asks_for_scrollback_and_holds_still() -> None:
    async with a_view() as driven:
        driven.view.focus()
        await driven.show(a_frame(*numbered(51, 56), history_size=50))
        await driven.press("pageup")
        assert driven.app.wanted == [(PaneId("%1"), 50)]
        assert driven.view.scrolled == 1
        assert "scrolled" in driven.text()[0]
        await driven.show(a_frame(*numbered(52, 57), history_size=51))
        assert driven.text()[1:] == list(numbered(52, 56))
        assert driven.view.behind


async def test_scrollback_is_shown_where_the_person_wanted_to_be() -> None:
    async with a_view() as driven:
        driven.view.focus()
        await driven.show(a_frame(*numbered(51, 56), history_size=50))
        await driven.press("pageup")
        driven.view.show_history(a_frame(*numbered(51, 56), history=numbered(1, 50)))
        await driven.pilot.pause()
        assert driven.view.scrolled == HEIGHT - 1
        assert driven.text()[1:] == list(numbered(47, 51))
        await driven.press("up", "k")
        assert driven.text()[1] == "line 45"
        await driven.press("home")
        assert driven.text()[1:] == list(numbered(2, 6))
        await driven.press("down")
        assert driven.text()[1] == "line 3"
        assert driven.app.wanted == [(PaneId("%1"), 50)]


async def test_what_is_read_stays_when_scrollback_arrives_late() -> None:
    """The pane went on by three lines before its scrollback was captured."""
    async with a_view() as driven:
        driven.view.focus()
        await driven.show(a_frame(*numbered(51, 56), history_size=50))
        await driven.press("pageup")
        driven.view.show_history(a_frame(*numbered(54, 59), history=numbered(1, 53)))
        await driven.pilot.pause()
        assert driven.text()[1:] == list(numbered(47, 51))


@pytest.mark.parametrize("key", ["end", "escape"])
async def test_returning_shows_the_newest(key: str) -> None:
    async with a_view() as driven:
        driven.view.focus()
        await driven.show(a_frame(*numbered(51, 56), history_size=50))
        await driven.press("up")
        await driven.show(a_frame(*numbered(61, 66), history_size=60))
        await driven.press(key)
        assert driven.text() == list(numbered(61, 66))
        assert (driven.view.scrolled, driven.view.behind) == (0, False)


async def test_returning_works_when_the_scrollback_was_cleared() -> None:
    async with a_view() as driven:
        driven.view.focus()
        await driven.show(a_frame(*numbered(51, 56), history_size=50))
        await driven.press("home")
        driven.view.show_history(a_frame(*numbered(51, 56), history=numbered(1, 50)))
        await driven.show(a_frame("clean"))
        await driven.press("end")
        assert driven.text()[0] == "clean"


async def test_scrolling_down_to_the_end_is_returning() -> None:
    async with a_view() as driven:
        driven.view.focus()
        await driven.show(a_frame(*numbered(51, 56), history_size=50))
        await driven.press("up", "up")
        await driven.show(a_frame(*numbered(61, 66), history_size=60))
        await driven.press("down", "down")
        assert driven.text() == list(numbered(61, 66))


async def test_the_wheel_scrolls() -> None:
    async with a_view() as driven:
        await driven.show(a_frame(*numbered(51, 56), history_size=50))
        await driven.pilot._post_mouse_events([MouseScrollUp], widget=PaneView)
        await driven.pilot.pause()
        assert driven.view.scrolled == 1
        assert driven.app.wanted


async def test_the_wheel_with_shift_pans() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("0123456789" * 4, width=40))
        await driven.pilot._post_mouse_events([MouseScrollDown], widget=PaneView, shift=True)
        await driven.pilot.pause()
        assert driven.text()[0].startswith("‹9012")


async def test_without_scrollback_nothing_moves() -> None:
    async with a_view() as driven:
        driven.view.focus()
        await driven.show(a_frame("one"))
        await driven.press("up", "pageup", "home")
        assert driven.view.scrolled == 0
        assert not driven.app.wanted


async def test_late_scrollback_of_another_pane_or_after_returning_is_ignored() -> None:
    async with a_view() as driven:
        driven.view.focus()
        await driven.show(a_frame("live", history_size=50))
        history = a_frame("old", history=numbered(1, 50))
        driven.view.show_history(history)
        await driven.press("up")
        driven.view.show_history(a_frame("old", history=numbered(1, 50), pane="%9"))
        await driven.press("end")
        driven.view.show_history(history)
        assert driven.text()[0] == "live"


async def test_another_pane_is_shown_live() -> None:
    """A pane is another one too when only its process differs: panes of two servers can have one id."""
    async with a_view() as driven:
        driven.view.focus()
        for other in (a_frame("other", pane="%2"), a_frame("other", pid=8)):
            await driven.show(a_frame(*numbered(51, 56), history_size=50))
            await driven.press("up")
            assert driven.view.scrolled
            await driven.show(other)
            assert driven.view.scrolled == 0
            assert driven.text()[0] == "other"


async def test_the_way_back_is_named_while_the_keys_are_here() -> None:
    async with a_view() as driven:
        driven.app.query_one(PaneView).styles.width = 60
        await driven.pilot.resize_terminal(80, 12)
        driven.view.focus()
        await driven.show(a_frame(*numbered(51, 56), width=60, history_size=50))
        await driven.press("up")
        assert "scrolled ↑ 1 line · end returns" in driven.strip(0).text
        driven.app.set_keymap({"pane.live": "f9"})
        driven.app.screen.set_focus(None)
        await driven.pilot.pause()
        assert "scrolled ↑ 1 line " in driven.strip(0).text
        driven.view.focus()
        await driven.pilot.pause()
        assert "f9 returns" in driven.strip(0).text


async def test_selected_text_is_copied_without_padding() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("\x1b[31mone two  ", "three", "four"))
        selected = driven.view.get_selection(Selection(Offset(4, 0), Offset(3, 1)))
        assert selected == ("two\nthr", "\n")


async def test_text_is_selected_with_the_mouse() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("one two", "three"))
        await driven.pilot.mouse_down(PaneView, offset=(4, 0))
        await driven.pilot.hover(PaneView, offset=(3, 1))
        await driven.pilot.mouse_up(PaneView, offset=(3, 1))
        await driven.pilot.pause()
        assert driven.app.screen.get_selected_text() == "two\nthre"
        styled = [text for text, style, _ in driven.strip(0) if style and style.bgcolor != first_background(driven)]
        assert "".join(styled).startswith("two")


def first_background(driven: Driven) -> object:
    style = next(iter(driven.strip(0))).style
    assert style is not None
    return style.bgcolor


async def test_frames_for_a_hidden_view_are_there_when_it_shows_again() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("one"))
        driven.view.display = False
        await driven.pilot.pause()
        await driven.show(a_frame("two"))
        driven.view.display = True
        await driven.pilot.pause()
        assert driven.text()[0] == "two"


async def test_a_frame_before_the_first_layout_is_shown() -> None:
    class Early(ViewApp):
        def on_mount(self) -> None:
            self.query_one(PaneView).show(a_frame("early"))

    async with Early().run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        assert Driven(pilot).text()[0] == "early"


async def test_resizing_the_view_shows_the_end_again() -> None:
    async with a_view() as driven:
        await driven.show(a_frame(*numbered(1, 6)))
        driven.view.styles.height = 3
        await driven.pilot.pause()
        assert [driven.strip(y).text.split()[1] for y in range(3)] == ["4", "5", "6"]


async def test_a_frame_with_fewer_lines_than_it_says_is_padded() -> None:
    async with a_view() as driven:
        frame = PaneFrame(pane=PaneId("%1"), lines=("one",), width=WIDTH, height=HEIGHT, cursor=HIDDEN)
        await driven.show(frame)
        assert driven.text() == ["one"] + [""] * 5


async def test_another_theme_repaints_the_pane() -> None:
    async with a_view() as driven:
        await driven.show(a_frame("plain \x1b[31mred"))
        themes = load_themes(Paths.from_env())
        for name in ("tmorch-dark", "tmorch-light"):
            themes.apply(driven.app, name)
            await driven.pilot.pause()
            (painted,) = driven.view.render_lines(Region(0, 0, WIDTH, 1))
            plain, red, *_ = (style for _, style, _ in painted if style is not None)
            colours = terminal_colours(driven.app.theme_variables)
            assert (plain.color, plain.bgcolor) == (colours.foreground.rich_color, colours.background.rich_color)
            assert red.color == colours.sixteen[1].rich_color


ROWS = st.lists(st.integers(0, 40), unique=True).map(sorted)


@given(ROWS)
def test_regions_cover_the_rows_and_no_others(rows: list[int]) -> None:
    covered = [y for region in regions(rows, 5) for y in range(region.y, region.bottom)]
    assert covered == rows


@given(st.text(alphabet="ab漢é", max_size=12), st.integers(0, 30))
def test_a_cursor_never_changes_the_width(text: str, column: int) -> None:
    strip = Strip([Segment(text), Segment(" " * 10)])
    assert sum(segment.cell_length for segment in with_cursor(strip, column)) >= strip.cell_length


@given(
    height=st.integers(1, 30),
    written=st.integers(0, 30),
    history=st.integers(0, 5),
    y=st.integers(0, 29),
    visible=st.booleans(),
    count=st.integers(1, 40),
)
def test_the_window_is_within_the_screen_and_has_the_cursor(
    height: int, written: int, history: int, y: int, visible: bool, count: int
) -> None:
    cursor = Cursor(x=0, y=min(y, height - 1), visible=visible)
    lines = numbered(1, min(written, height))
    sheet = Sheet(a_frame(*lines, height=height, history=numbered(1, history), cursor=cursor))
    top, rows = live_rows(sheet, count)
    assert len(rows) == count
    assert history <= top <= max(history, history + height - count)
    if visible:
        assert top <= history + cursor.y < top + count
