"""From `capture-pane -e` lines to Textual strips of an exact width. Pure, except for caches.

    pen = PLAIN
    for line in frame.lines:            # top-down: SGR state carries over from line to line
        strip = to_strip(line, pen, width, palette)
        pen = pen_after(line, pen)

Nothing but printable text, in cell widths that every terminal agrees on, reaches a strip: where terminals disagree
about a character (emoji sequences, spacing marks) a plainer one with a sure width stands for it, so that a pane can
never shift what is beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple
from unicodedata import category

from rich.cells import cell_len, get_character_cell_size, set_cell_size
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import BLACK, WHITE, Color
from textual.strip import Strip

DEFAULT = -1
TRUECOLOUR = 1 << 24

BOLD = 1 << 0
DIM = 1 << 1
ITALIC = 1 << 2
UNDERLINE = 1 << 3
DOUBLE_UNDERLINE = 1 << 4
BLINK = 1 << 5
REVERSE = 1 << 6
CONCEAL = 1 << 7
STRIKE = 1 << 8
OVERLINE = 1 << 9


class Pen(NamedTuple):
    """How the next character will look. Colours: -1 default, 0–255 indexed, `TRUECOLOUR | 0xRRGGBB`."""

    foreground: int = DEFAULT
    background: int = DEFAULT
    attributes: int = 0
    line_drawing: bool = False
    link: str = ""


PLAIN = Pen()


class Run(NamedTuple):
    """Printable text in one look."""

    text: str
    pen: Pen


# Reading ------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"\x1b\[(?P<sgr>[0-9;:]*)m"
    r"|\x1b\](?P<osc>[^\x07\x1b\x9c]*)(?:\x07|\x1b\\|\x9c|(?=\x1b)|$)"
    r"|\x1b[PX^_][^\x1b\x9c]*(?:\x1b\\|\x9c|(?=\x1b)|$)"
    r"|\x1b\[[0-?]*[ -/]*(?:[@-~]|(?=[^ -~])|$)"
    r"|\x1b[ -/]*(?:[0-~]|(?=[^ -~])|$)"
    r"|(?P<control>[\x00-\x1f\x7f-\x9f])"
)
_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_STEERING = re.compile(r"\x1b(?!\[[0-9;:]*m)|[\x0e\x0f]")
_NOTEWORTHY = re.compile("[\x00-\x1f\x7f-\x9f]")
_SAFE_LINK = re.compile(r"(?:https?|ftp|mailto):[!-~]+")
_LINE_DRAWING = str.maketrans("+,-.0`afghijklmnopqrstuvwxyz{|}~", "→←↑↓▮◆▒°±▒␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·")
_TAB_STOP = 8


@lru_cache(maxsize=512)
def runs(line: str, pen: Pen) -> tuple[tuple[Run, ...], Pen]:
    """Return what `line` shows when it begins with `pen`, and the pen it ends with. Never raises."""
    first, *rest = _SGR.split(line)
    if _NOTEWORTHY.search("".join((first, *rest[1::2]))):
        return _runs_of_tokens(line, pen)
    found = [Run(_written(first, pen), pen)] if first else []
    for parameters, text in zip(rest[::2], rest[1::2], strict=True):
        pen = _after_sgr(parameters, pen)
        if text:
            found.append(Run(_written(text, pen), pen))
    return tuple(found), pen


def _runs_of_tokens(line: str, pen: Pen) -> tuple[tuple[Run, ...], Pen]:
    found: list[Run] = []
    position = 0
    for token in _TOKEN.finditer(line):
        if token.start() > position:
            found.append(Run(_written(line[position : token.start()], pen), pen))
        position = token.end()
        if token["control"] == "\t":
            column = sum(cell_len(run.text) for run in found)
            found.append(Run(" " * (_TAB_STOP - column % _TAB_STOP), pen))
        else:
            pen = _after(token, pen)
    if position < len(line):
        found.append(Run(_written(line[position:], pen), pen))
    return tuple(found), pen


@lru_cache(maxsize=1024)
def pen_after(line: str, pen: Pen) -> Pen:
    """Return the pen that the line below `line` begins with."""
    if _STEERING.search(line):
        return runs(line, pen)[1]
    for parameters in _SGR.findall(line):
        pen = _after_sgr(parameters, pen)
    return pen


def is_blank(line: str) -> bool:
    """Return whether `line` has no visible character; coloured blanks count as none."""
    return not _TOKEN.sub("", line).strip()


def _after(token: re.Match[str], pen: Pen) -> Pen:
    match token.lastgroup:
        case "sgr":
            return _after_sgr(token["sgr"], pen)
        case "osc":
            return _after_osc(token["osc"], pen)
        case "control" if token["control"] in "\x0e\x0f":
            return pen._replace(line_drawing=token["control"] == "\x0e")
        case _:
            return pen


def _after_osc(osc: str, pen: Pen) -> Pen:
    command, _, rest = osc.partition(";")
    if command != "8":
        return pen
    link = rest.partition(";")[2]
    return pen._replace(link=link if _SAFE_LINK.fullmatch(link) else "")


# SGR ----------------------------------------------------------------------------------------------------------

_ATTRIBUTES: dict[int, tuple[int, int]] = {  # code: attributes it ends, attributes it begins
    1: (0, BOLD),
    2: (0, DIM),
    3: (0, ITALIC),
    4: (DOUBLE_UNDERLINE, UNDERLINE),
    5: (0, BLINK),
    6: (0, BLINK),
    7: (0, REVERSE),
    8: (0, CONCEAL),
    9: (0, STRIKE),
    21: (UNDERLINE, DOUBLE_UNDERLINE),
    22: (BOLD | DIM, 0),
    23: (ITALIC, 0),
    24: (UNDERLINE | DOUBLE_UNDERLINE, 0),
    25: (BLINK, 0),
    27: (REVERSE, 0),
    28: (CONCEAL, 0),
    29: (STRIKE, 0),
    53: (0, OVERLINE),
    55: (OVERLINE, 0),
}
_COLON_FORMS = {(4, 0): 24, (4, 2): 21, (5, 3): 53}  # `5:3` is how tmux writes overline in a capture
_FOREGROUNDS = {39: DEFAULT} | {30 + n: n for n in range(8)} | {90 + n: 8 + n for n in range(8)}
_BACKGROUNDS = {49: DEFAULT} | {40 + n: n for n in range(8)} | {100 + n: 8 + n for n in range(8)}
_SET_FOREGROUND, _SET_BACKGROUND, _SET_UNDERLINE_COLOUR = 38, 48, 58
_TAKES_COLOUR = (_SET_FOREGROUND, _SET_BACKGROUND, _SET_UNDERLINE_COLOUR)
_NO_CODE = 999


@lru_cache(maxsize=1024)
def _after_sgr(parameters: str, pen: Pen) -> Pen:
    foreground, background, attributes, line_drawing, link = pen
    for code, value in _codes(parameters):
        if code == 0:
            foreground, background, attributes = DEFAULT, DEFAULT, 0
        elif code in _ATTRIBUTES:
            ends, begins = _ATTRIBUTES[code]
            attributes = (attributes & ~ends) | begins
        elif code == _SET_FOREGROUND:
            foreground = foreground if value is None else value
        elif code == _SET_BACKGROUND:
            background = background if value is None else value
        else:
            foreground = _FOREGROUNDS.get(code, foreground)
            background = _BACKGROUNDS.get(code, background)
    return Pen(foreground, background, attributes, line_drawing, link)


def _codes(parameters: str) -> Iterator[tuple[int, int | None]]:
    """Yield each code of an SGR sequence, with its colour if it takes one that can be read."""
    fields = iter(parameters.split(";"))
    for field in fields:
        code, *details = map(_number, field.split(":"))
        if code in _TAKES_COLOUR:
            yield code, _colour(details) if details else _next_colour(fields)
        elif details:
            yield _COLON_FORMS.get((code, details[0]), code), None
        else:
            yield code, None


def _number(digits: str) -> int:
    return int(digits or 0) if len(digits) < 4 else _NO_CODE


def _next_colour(fields: Iterator[str]) -> int | None:
    """Take the fields of a colour in the form `38;5;n` or `38;2;r;g;b`."""
    kind = _number(next(fields, ""))
    more = {5: 1, 2: 3}.get(kind, 0)
    return _colour([kind, *(_number(next(fields, "999")) for _ in range(more))])


def _colour(details: Sequence[int]) -> int | None:
    """Return the colour of `5, n` or `2, r, g, b`, the latter perhaps with a colour space before r."""
    kind, *values = details
    if any(value > 255 for value in values):
        return None
    if kind == 5 and values:
        return values[0]
    if kind == 2 and len(values) >= 3:
        red, green, blue = values[:3] if len(values) == 3 else values[1:4]
        return TRUECOLOUR | red << 16 | green << 8 | blue
    return None


# Characters ---------------------------------------------------------------------------------------------------

_SURE = re.compile(
    "[ -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0373\u037b-\u037d\u0391-\u03a1\u03a3-\u0482\u2010-\u2027\u2030-\u205e"
    "\u20a0-\u20bf\u2100-\u214f\u2190-\u262f\u2638-\u2689\u2690-\u2b73\u3001-\u3029\u3041-\u3096\u30a0-\u30ff"
    "\u4e00-\u9fff\uac00-\ud7a3\ue000-\uf8ff\U0001f300-\U0001f3fa\U0001f400-\U0001f64f]*"
)
_JOINED = re.compile("\u200d+[\u2190-\u2bff\U0001f000-\U0001faff]?\ufe0f?")
_STAND_INS = {
    "\u00ad": "-",
    "\u20e3": "",
    "\u2630": "≡",
    "\u3164": "  ",
    **{chr(0x1F1E6 + n): chr(ord("A") + n) for n in range(26)},  # flags: one cell or two each, so: letters
    **{chr(0x3248 + n): f"{n + 1}0" for n in range(8)},
}
_UNKNOWN = "\ufffd"
_NEWLY_WIDE = re.compile("[\u2631-\u2637\u268a-\u268f\U0001d300-\U0001d376]")
_VARIATION_OR_TONE = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0100-\U000e01ef]")


def sure_widths(text: str) -> str:
    """Return `text` with a stand-in for each character whose width terminals disagree about."""
    if text.isascii() or _SURE.fullmatch(text):
        return text
    return "".join(map(_stand_in, _JOINED.sub("", text)))


@lru_cache(maxsize=4096)
def _stand_in(character: str) -> str:
    if (known := _STAND_INS.get(character)) is not None:
        return known
    kind = category(character)
    if kind in ("Cf", "Cc", "Zl", "Zp", "Me") or _VARIATION_OR_TONE.match(character):
        return ""
    if kind == "Mc":
        return "◌"
    if kind == "Cs" or _NEWLY_WIDE.match(character):
        return _UNKNOWN
    return character


def _written(text: str, pen: Pen) -> str:
    if pen.line_drawing:
        text = text.translate(_LINE_DRAWING)
    if not text.isascii():
        text = sure_widths(text)
    return " " * cell_len(text) if pen.attributes & CONCEAL else text


# Painting -----------------------------------------------------------------------------------------------------

_DRAWING = re.compile("[ \u00a0\u2500-\u259f\u2800-\u28ff\ue0a0-\ue0d7]*")
_STYLES_KEPT = 4096
_STEP = 0.1


def contrast(one: Color, other: Color) -> float:
    """Return the WCAG contrast ratio of two opaque colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def legible(foreground: Color, background: Color, least: float) -> Color:
    """Return `foreground`, moved towards white or black as far as it takes for the contrast `least`."""
    goal = max(WHITE, BLACK, key=lambda end: contrast(end, background))
    moved, share = foreground, 0.0
    while contrast(moved, background) < least and share < 1:
        share = min(1.0, share + _STEP)
        moved = foreground.blend(goal, share)
    return moved


class Palette:
    """Turns pens into styles: the default colours, the 16 ANSI colours, and how legible text must be.

    With an ANSI `foreground` and `background` every colour is passed to the terminal as it is. `sixteen` are the
    colours 0–15, empty to leave them to Textual. Where a text has less contrast than `least_contrast`, because the
    agent's theme is made for another background, its colour is moved; drawings keep theirs.
    """

    def __init__(
        self,
        foreground: Color,
        background: Color,
        sixteen: tuple[Color, ...] = (),
        least_contrast: float = 1.0,
    ) -> None:
        self._foreground = foreground
        self._background = background
        self._sixteen = sixteen
        self._least_contrast = least_contrast
        self._native = background.ansi is not None
        self._styles: dict[tuple[Pen, bool], Style] = {}
        self.blank = self.style(PLAIN)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Palette) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[Color, Color, tuple[Color, ...], float]:
        return self._foreground, self._background, self._sixteen, self._least_contrast

    def style(self, pen: Pen, text: str = "") -> Style:
        """Return the style of `text` written with `pen`."""
        drawing = not text.isascii() and _DRAWING.fullmatch(text) is not None
        style = self._styles.get((pen, drawing))
        if style is None:
            if len(self._styles) >= _STYLES_KEPT:
                self._styles.clear()
            style = self._styles[pen, drawing] = self._make(pen, drawing)
        return style

    def _make(self, pen: Pen, drawing: bool) -> Style:
        foreground = self._colour(pen.foreground, self._foreground)
        background = self._colour(pen.background, self._background)
        if not drawing and foreground.ansi is None and background.ansi is None:
            foreground = legible(foreground, background, self._least_contrast)
        has = pen.attributes.__and__
        return Style(
            color=self._encoded(pen.foreground, foreground),
            bgcolor=self._encoded(pen.background, background),
            bold=bool(has(BOLD)) or None,
            dim=bool(has(DIM)) or None,
            italic=bool(has(ITALIC)) or None,
            underline=bool(has(UNDERLINE)) or None,
            underline2=bool(has(DOUBLE_UNDERLINE)) or None,
            blink=bool(has(BLINK)) or None,
            reverse=bool(has(REVERSE)) or None,
            strike=bool(has(STRIKE)) or None,
            overline=bool(has(OVERLINE)) or None,
            link=pen.link or None,
        )

    def _colour(self, number: int, default: Color) -> Color:
        if number == DEFAULT:
            return default
        if number >= TRUECOLOUR:
            return Color(number >> 16 & 255, number >> 8 & 255, number & 255)
        if number < len(self._sixteen):
            return self._sixteen[number]
        return Color.from_rich_color(RichColor.from_ansi(number))

    def _encoded(self, number: int, colour: Color) -> RichColor:
        if self._native and 16 <= number < TRUECOLOUR:
            return RichColor.from_ansi(number)
        return colour.rich_color


def to_strip(line: str, pen: Pen, width: int, palette: Palette) -> Strip:
    """Return `line`, begun with `pen`, as exactly `width` cells.

    Cells beyond its end are blank in the default background: a capture holds every cell that ever had another.
    """
    segments: list[Segment] = []
    column = 0
    for text, run_pen in runs(line, pen)[0]:
        if text.isascii():
            size = len(text)
        else:
            text = text if column else _without_leading_marks(text)
            size = cell_len(text)
        if column + size > width:
            text, size = set_cell_size(text, width - column), width - column
        if text:
            segments.append(Segment(text, palette.style(run_pen, text)))
        column += size
        if column == width:
            break
    if column < width:
        segments.append(Segment(" " * (width - column), palette.blank))
    return Strip(segments, width)


def _without_leading_marks(text: str) -> str:
    """Drop combining marks that would join what is left of the pane."""
    for index, character in enumerate(text):
        if get_character_cell_size(character):
            return text[index:]
    return ""
