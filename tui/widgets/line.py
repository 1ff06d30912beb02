"""One-line widgets made of parts: when the width does not do, parts give way in a defined order."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from textual.content import Content
from textual.widget import Widget


class Part(Struct, frozen=True):
    """A piece of a line in one or more forms, the fullest first; an empty form lets it go altogether."""

    forms: tuple[Content, ...]
    costs: tuple[int, ...] = ()
    """What each step to the next form costs; the cheapest step of a line is taken first."""


def part(text: str, style: str = "", *, cost: int | None = 0) -> Part:
    """Return a part with one form, which may be left out at `cost`; with None never. `text` is no markup."""
    form = Content.assemble((text, style))
    return Part((form,)) if cost is None else Part((form, Content()), (cost,))


def arrange(
    left: Sequence[Part], right: Sequence[Part], width: int, gap: int = 1
) -> tuple[list[Content], list[Content]]:
    """Return the forms that fit into `width` cells with `gap` cells between any two, at the least cost.

    Of equally cheap steps that of the last part is taken first.
    """
    parts = [*left, *right]
    chosen = [0] * len(parts)
    while _width(parts, chosen, gap) > width:
        steps = [
            (part.costs[at], -i) for i, (part, at) in enumerate(zip(parts, chosen, strict=True)) if part.costs[at:]
        ]
        if not steps:
            break
        chosen[-min(steps)[1]] += 1
    forms = [part.forms[at] for part, at in zip(parts, chosen, strict=True)]
    return [form for form in forms[: len(left)] if form], [form for form in forms[len(left) :] if form]


def _width(parts: Sequence[Part], chosen: Sequence[int], gap: int) -> int:
    widths = [part.forms[at].cell_length for part, at in zip(parts, chosen, strict=True) if part.forms[at]]
    return sum(widths) + gap * max(0, len(widths) - 1)


class Line(Widget):
    """One line: parts at the left, parts at the right, and a filler between them."""

    DEFAULT_CSS = """
    Line { height: 1; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    FILLER = " "
    EDGE = " "
    """What stands at both ends."""
    GAP = 1
    """Cells between two parts."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._left: tuple[Part, ...] = ()
        self._right: tuple[Part, ...] = ()

    def set_parts(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Show these parts; nothing is painted when they are what is shown already."""
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right = tuple(left), tuple(right)
            self.refresh()

    def render(self) -> Content:
        width = self.size.width
        edge = len(self.EDGE)
        left, right = arrange(self._left, self._right, width - 2 * edge, self.GAP)
        space = Content(" " * self.GAP)
        start, end = space.join(left), space.join(right)
        gap = max(0, width - 2 * edge - start.cell_length - end.cell_length)
        filler = self._filler_style()
        return Content.assemble(
            (self.EDGE, filler),
            start,
            (self._fill(gap, bool(start), bool(end)), filler),
            end,
            (self.EDGE[::-1] if end else self.FILLER * edge, filler),
        )

    def _filler_style(self) -> str:
        return ""

    def _fill(self, gap: int, has_start: bool, has_end: bool) -> str:
        pads = (" " if has_start else "", " " if has_end else "")
        inner = gap - len(pads[0]) - len(pads[1])
        return pads[0] + self.FILLER * inner + pads[1] if inner >= 0 else " " * gap


class TitleRule(Line):
    """A rule above a panel with its title at the left and notes at the right; lit while the focus is in the panel."""

    DEFAULT_CSS = """
    TitleRule.-focused { color: $border; }
    """
    FILLER = "─"
    EDGE = "─ "

    def _filler_style(self) -> str:
        return "$border" if self.has_class("-focused") else "$border-blurred"
