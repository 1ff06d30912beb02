"""What `capture-pane -e` says becomes what is painted, in exactly the cells there are."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color

from tui.ansi import (
    BLINK,
    BOLD,
    CONCEAL,
    DEFAULT,
    DIM,
    DOUBLE_UNDERLINE,
    ITALIC,
    OVERLINE,
    PLAIN,
    REVERSE,
    STRIKE,
    TRUECOLOUR,
    UNDERLINE,
    Palette,
    Pen,
    contrast,
    is_blank,
    legible,
    pen_after,
    runs,
    sure_widths,
    to_strip,
)

PANES = Path(__file__).parents[1] / "data/pane"
INK, GROUND = Color.parse("#d0d0d0"), Color.parse("#101010")
SIXTEEN = tuple(Color(index, index, index) for index in range(16))
PALETTE = Palette(INK, GROUND, SIXTEEN)
NATIVE = Palette(Color(0, 0, 0, ansi=-1), Color(0, 0, 0, ansi=-1))


def painted(line: str, width: int = 20, pen: Pen = PLAIN) -> str:
    return to_strip(line, pen, width, PALETTE).text


def first_style(line: str, palette: Palette = PALETTE) -> Style:
    style = next(iter(to_strip(line, PLAIN, 20, palette))).style
    assert style is not None
    return style


class Sgr(NamedTuple):
    id: str
    parameters: str
    pen: Pen


SGRS = [
    Sgr("nothing is reset", "", PLAIN),
    Sgr("bold", "1", Pen(attributes=BOLD)),
    Sgr(
        "many",
        "1;2;3;4;5;7;8;9;53",
        Pen(attributes=BOLD | DIM | ITALIC | UNDERLINE | BLINK | REVERSE | CONCEAL | STRIKE | OVERLINE),
    ),
    Sgr("bold and dim end together", "1;2;3;22", Pen(attributes=ITALIC)),
    Sgr("each ends", "3;4;5;7;8;9;53;23;24;25;27;28;29;55", PLAIN),
    Sgr("double underline", "21", Pen(attributes=DOUBLE_UNDERLINE)),
    Sgr("double underline, colon form", "4:2", Pen(attributes=DOUBLE_UNDERLINE)),
    Sgr("curly underline is an underline", "4:3", Pen(attributes=UNDERLINE)),
    Sgr("no underline, colon form", "4;4:0", PLAIN),
    Sgr("underline colour by index is not blink", "4;58;5;5", Pen(attributes=UNDERLINE)),
    Sgr("underline colour by RGB is not dim and bold", "4;58;2;1;2;3;1", Pen(attributes=UNDERLINE | BOLD)),
    Sgr("underline colour, colon form", "4:3;58:2::1:2:3;59", Pen(attributes=UNDERLINE)),
    Sgr("overline as tmux writes it is not blink", "5:3", Pen(attributes=OVERLINE)),
    Sgr("foreground", "31", Pen(foreground=1)),
    Sgr("bright foreground", "97", Pen(foreground=15)),
    Sgr("background", "44", Pen(background=4)),
    Sgr("bright background", "100", Pen(background=8)),
    Sgr("default colours", "31;44;39;49", PLAIN),
    Sgr("256 colours", "38;5;208;48;5;16", Pen(foreground=208, background=16)),
    Sgr("256 colours, colon form", "38:5:208", Pen(foreground=208)),
    Sgr("truecolour", "38;2;1;2;3;1", Pen(foreground=TRUECOLOUR | 0x010203, attributes=BOLD)),
    Sgr("truecolour, colon form", "48:2:1:2:3", Pen(background=TRUECOLOUR | 0x010203)),
    Sgr("truecolour with a colour space", "38:2::1:2:3", Pen(foreground=TRUECOLOUR | 0x010203)),
    Sgr("black in truecolour is not default", "38;2;0;0;0", Pen(foreground=TRUECOLOUR)),
    Sgr("colour out of range", "38;5;256", PLAIN),
    Sgr("colour cut off", "38;5", PLAIN),
    Sgr("colour of no kind", "38", PLAIN),
    Sgr("unknown code", "1;777;3", Pen(attributes=BOLD | ITALIC)),
    Sgr("endless number", "1;" + "9" * 5000, Pen(attributes=BOLD)),
]


@pytest.mark.parametrize("case", SGRS, ids=lambda case: case.id)
def test_sgr(case: Sgr) -> None:
    line = f"\x1b[{case.parameters}mx"
    assert [run.pen for run in runs(line, PLAIN)[0]] == [case.pen]
    assert pen_after(line, PLAIN) == case.pen


def test_reset_ends_everything_but_the_character_set_and_the_link() -> None:
    line = "\x0e\x1b]8;;https://a.test/\x1b\\\x1b[1;31;42m\x1b[0mx"
    assert pen_after(line, PLAIN) == Pen(line_drawing=True, link="https://a.test/")


def test_state_carries_over_to_the_next_line() -> None:
    entry = pen_after("\x1b[31mred", PLAIN)
    assert to_strip("still red", entry, 9, PALETTE) == to_strip("\x1b[31mstill red", PLAIN, 9, PALETTE)


class Shown(NamedTuple):
    id: str
    line: str
    text: str


SHOWN = [
    Shown("OSC 8 with ST", "\x1b]8;id=1;https://a.test/\x1b\\link\x1b]8;;\x1b\\ on", "link on"),
    Shown("OSC 8 with BEL", "\x1b]8;;https://a.test/\x07link\x1b]8;;\x07 on", "link on"),
    Shown("other OSC", "\x1b]0;title\x07text", "text"),
    Shown("OSC ended by another sequence", "\x1b]0;title\x1b[1mtext", "text"),
    Shown("OSC without an end", "text\x1b]8;;https://a.test/", "text"),
    Shown("DCS", "\x1bPq#0;2;0;0;0\x1b\\text", "text"),
    Shown("other CSI", "\x1b[2J\x1b[?25l\x1b[10;20Htext\x1b[K", "text"),
    Shown("a key mode is not SGR", "\x1b[>4;2mtext", "text"),
    Shown("CSI cut off", "text\x1b[31", "text"),
    Shown("ESC cut off", "text\x1b", "text"),
    Shown("character set", "\x1b(Btext\x1b7\x1b8\x1b=", "text"),
    Shown("C0 and C1", "a\x00b\x08c\x07d\x7fe\x85f\x9bg", "abcdefg"),
    Shown("line drawing", "\x0elqqk\x0fl\x0ex\x0f", "┌──┐l│"),
    Shown("line drawing keeps other text", "\x0eABC q\x0f", "ABC ─"),
    Shown("conceal", "a\x1b[8msecret\x1b[28mb", "a      b"),
    Shown("tab", "a\tb", "a       b"),
    Shown("tab after wide text", "漢\tb", "漢      b"),
    Shown("ZWJ family", "a👨‍👩‍👧b", "a👨b"),
    Shown("rainbow flag", "🏳️‍🌈", "🏳"),
    Shown("variation selector", "⚠️ ok ✔︎", "⚠ ok ✔"),
    Shown("skin tone", "👍🏽!", "👍!"),
    Shown("flag", "🇩🇪", "DE"),
    Shown("keycap", "1️⃣", "1"),
    Shown("newly wide trigram", "☰ menu ☷", "≡ menu �"),
    Shown("spacing vowel sign", "का", "क◌"),
    Shown("combining mark", "e\u0301", "e\u0301"),
    Shown("combining mark in the first column", "\u0301e", "e"),
    Shown("direction marks", "a\u202eb\u2066c", "abc"),
    Shown("soft hyphen", "a\u00adb", "a-b"),
    Shown("lone surrogate", "a\udcffb", "a\ufffdb"),
    Shown("Claude's glyphs", "❯\u00a0● ⎿ ✻ ⏺ ▐▛███▜▌", "❯\u00a0● ⎿ ✻ ⏺ ▐▛███▜▌"),
]


@pytest.mark.parametrize("case", SHOWN, ids=lambda case: case.id)
def test_what_is_shown(case: Shown) -> None:
    assert painted(case.line) == case.text + " " * (20 - cell_len(case.text))


def test_a_wide_character_that_does_not_fit_becomes_a_blank() -> None:
    assert painted("abc漢", 4) == "abc "
    assert painted("abc漢", 5) == "abc漢"


def test_links_are_kept_when_they_are_safe() -> None:
    assert first_style("\x1b]8;;https://a.test/x\x07go").link == "https://a.test/x"
    assert first_style("\x1b]8;;file:///etc/passwd\x07go").link is None
    assert first_style("\x1b]8;;https://a.test/ x\x07go").link is None


def test_blanks_at_the_end_have_the_default_background() -> None:
    *_, padding = to_strip("\x1b[41mred", PLAIN, 8, PALETTE)
    assert padding == (" " * 5, PALETTE.blank, None)
    assert PALETTE.blank.bgcolor == GROUND.rich_color


def test_an_empty_line_is_painted_too() -> None:
    (blank,) = to_strip("", Pen(background=4), 5, PALETTE)
    assert blank == (" " * 5, PALETTE.blank, None)


def test_the_sixteen_are_the_themes() -> None:
    assert first_style("\x1b[31mx").color == SIXTEEN[1].rich_color
    assert first_style("\x1b[95mx").color == SIXTEEN[13].rich_color


def test_without_sixteen_they_are_left_to_textual() -> None:
    assert first_style("\x1b[31mx", Palette(INK, GROUND)).color == RichColor.from_ansi(1)


def test_indexed_colours_have_their_fixed_values() -> None:
    style = first_style("\x1b[38;5;208;48;5;237mx")
    assert (style.color, style.bgcolor) == (RichColor.from_rgb(255, 135, 0), RichColor.from_rgb(58, 58, 58))


def test_the_terminals_own_colours_pass_through() -> None:
    style = first_style("\x1b[31;48;5;237mx", NATIVE)
    assert (style.color, style.bgcolor) == (RichColor.from_ansi(1), RichColor.from_ansi(237))
    assert NATIVE.blank.color == NATIVE.blank.bgcolor == RichColor.default()


def test_attributes_reach_the_style() -> None:
    style = first_style("\x1b[1;3;4;7;9mx")
    assert (style.bold, style.italic, style.underline, style.reverse, style.strike) == (True,) * 5
    assert (style.dim, style.blink, style.overline) == (None,) * 3


def test_text_for_another_background_becomes_legible_and_drawings_stay() -> None:
    white = Color.parse("#ffffff")
    palette = Palette(Color.parse("#222222"), white, least_contrast=3)
    text, drawing = (first_style(f"\x1b[38;5;231m{text}", palette).color for text in ("word", "▐▛█"))
    assert text is not None
    assert contrast(Color.from_rich_color(text), white) >= 3
    assert drawing == white.rich_color


@given(st.tuples(*[st.integers(0, 255)] * 3), st.tuples(*[st.integers(0, 255)] * 3), st.floats(1, 4.5))
def test_legible_is_always_reached_and_never_overdone(
    ink: tuple[int, int, int], ground: tuple[int, int, int], least: float
) -> None:
    before, background = Color(*ink), Color(*ground)
    after = legible(before, background, least)
    assert contrast(after, background) >= least
    if contrast(before, background) >= least:
        assert after == before


def test_contrast_is_as_wcag_has_it() -> None:
    assert contrast(Color.parse("black"), Color.parse("white")) == pytest.approx(21)
    assert contrast(Color.parse("#777777"), Color.parse("white")) == pytest.approx(4.48, abs=0.01)


def test_equal_palettes_are_equal() -> None:
    assert Palette(INK, GROUND, SIXTEEN) == PALETTE
    assert hash(Palette(INK, GROUND, SIXTEEN)) == hash(PALETTE)
    assert Palette(INK, INK, SIXTEEN) != PALETTE


def test_many_colours_do_not_pile_up() -> None:
    palette = Palette(INK, GROUND)
    for blue in range(5000):
        palette.style(Pen(foreground=TRUECOLOUR | blue))
    assert len(palette._styles) <= 4096


@pytest.mark.parametrize(("line", "blank"), [("", True), ("\x1b[31m  \x1b[0m", True), ("\x1b[31m.", False)])
def test_is_blank(line: str, blank: bool) -> None:
    assert is_blank(line) is blank


PIECES = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [
            "\x1b[",
            "\x1b]8;;",
            "\x1b]",
            "\x1b\\",
            "\x07",
            "\x1bP",
            "\x1b(",
            "\x0e",
            "\x0f",
            "\t",
            "m",
            ";",
            ":",
            "38",
            "5",
        ]
    ),
    st.sampled_from(["漢", "👨‍👩‍👧", "⚠️", "🇩🇪", "e\u0301", "\u0301", "का", "☰", "\u200d", "\ufe0f", "\udc80"]),
    st.lists(st.integers(0, 300), max_size=5).map(lambda codes: f"\x1b[{';'.join(map(str, codes))}m"),
)
LINES = st.lists(PIECES, max_size=12).map("".join)
PENS = st.builds(
    Pen,
    foreground=st.integers(DEFAULT, 255),
    background=st.integers(DEFAULT, 255),
    attributes=st.integers(0, 1023),
    line_drawing=st.booleans(),
)


@given(LINES, PENS, st.integers(0, 30))
def test_any_line_has_exactly_the_width_asked_for(line: str, pen: Pen, width: int) -> None:
    strip = to_strip(line, pen, width, PALETTE)
    assert strip.cell_length == width == sum(cell_len(text) for text, _, _ in strip)
    assert all(style is not None for _, style, _ in strip)
    assert not {category(character) for character in strip.text} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(LINES, PENS)
def test_both_ways_to_the_next_pen_agree(line: str, pen: Pen) -> None:
    assert pen_after(line, pen) == runs(line, pen)[1]


@given(LINES, PENS, st.integers(1, 20), st.integers(0, 20), st.integers(0, 20))
def test_strips_can_be_cropped_anywhere(line: str, pen: Pen, width: int, start: int, end: int) -> None:
    cropped = to_strip(line, pen, width, PALETTE).crop(start, end)
    assert sum(cell_len(text) for text, _, _ in cropped) == max(0, min(end, width) - min(start, width))


@given(st.text())
def test_stand_ins_have_the_width_of_their_characters(text: str) -> None:
    sure = sure_widths(text)
    assert cell_len(sure) == sum(cell_len(character) for character in sure)
    assert sure_widths(sure) == sure


@pytest.mark.parametrize("file", sorted(PANES.glob("*.ansi.txt")), ids=lambda file: file.name)
def test_real_screens_keep_their_text(file: Path) -> None:
    """Escapes apart, every real line comes out as it went in."""
    pen = PLAIN
    for line in file.read_text().split("\n"):
        strip = to_strip(line, pen, 400, PALETTE)
        assert strip.text.rstrip() == "".join(run.text for run in runs(line, pen)[0]).rstrip()
        pen = pen_after(line, pen)
