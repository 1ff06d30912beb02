"""Which dialog a screen without a prompt box shows, and what it asks. Pure."""

from __future__ import annotations

from msgspec import Struct

from orchestrator_core.agents.choices import Choice, Choices, choices_of
from orchestrator_core.agents.rows import RULE, Rows
from orchestrator_core.agents.screen_patterns import DialogPattern, Patterns
from orchestrator_core.agents.transcript import whole

DETAIL_CHARACTERS = 2000
FOOT = 2
"""How many of the last rows with text may hold the keys that a dialog takes."""


class Dialog(Struct, frozen=True, kw_only=True):
    """An open dialog."""

    pattern: DialogPattern
    detail: str
    choices: tuple[Choice, ...]
    more_choices: bool
    cut: bool
    """Its beginning is above the screen."""
    multi: bool
    tabs: tuple[str, ...]


class _Body(Struct, frozen=True, kw_only=True):
    """The rows that may be a dialog."""

    start: int
    end: int
    rule: str
    """What the rule above it is made of; empty when the screen has none."""
    text: str
    """All of it, white space folded."""
    asked: str
    """The paragraph over the choices."""
    foot: str
    choices: Choices


def read_dialog(rows: Rows, patterns: Patterns) -> Dialog | None:
    """Return the dialog that is open, or None when none is known.

    It begins under the last full-width rule, or above the screen when it is taller than that.
    """
    end = _end(rows)
    if not end or patterns.mode.match(rows.text(end - 1)):
        return None
    bodies = [_body_above(rows, end, end, patterns)]
    for pattern in patterns.dialogs:
        while len(bodies) < pattern.rules:
            bodies.append(_body_above(rows, bodies[-1].start - 1, end, patterns))
        body = bodies[pattern.rules - 1]
        if _matches(body, pattern):
            is_half = _is_half_a_box(rows, body.start, end, patterns)
            return None if is_half else _taken_apart(rows, body, pattern, patterns)
    return None


def _body_above(rows: Rows, before: int, end: int, patterns: Patterns) -> _Body:
    """Return what follows the last rule above row `before`; without one it begins above the screen."""
    found = rows.last_rule(before)
    start = 0 if found is None else found + 1
    choices = choices_of(rows, start, end, patterns)
    texts = [text for row in range(start, end) if (text := rows.text(row))]
    return _Body(
        start=start,
        end=end,
        rule="" if found is None else rows.text(found)[0],
        text=_folded(texts),
        asked=_paragraph(rows, start, choices.top, patterns),
        foot=_folded(texts[-FOOT:]),
        choices=choices,
    )


def _is_half_a_box(rows: Rows, start: int, end: int, patterns: Patterns) -> bool:
    """Whether a prompt is there whose box is not: half of a screen that is being drawn."""
    return any(rows.text(row).startswith(patterns.box.prompts) for row in range(start, end))


def _end(rows: Rows) -> int:
    """Return the row after the last one with text, without the border that bears a conversation's name."""
    end = _text_end(rows, len(rows))
    is_named = end and rows.last_rule(end) == end - 1 and rows.text(end - 1).strip("─")
    return _text_end(rows, end - 1) if is_named else end


def _text_end(rows: Rows, end: int) -> int:
    while end and not rows.text(end - 1):
        end -= 1
    return end


def _matches(body: _Body, pattern: DialogPattern) -> bool:
    if body.start >= body.end:
        return False
    if body.rule:
        fits = (not pattern.rule or body.rule == pattern.rule) and body.text.startswith(pattern.title or ("",))
    else:
        fits = pattern.column is not None and body.choices.column == pattern.column
    return (
        fits
        and (not pattern.choice or any(c.label.startswith(pattern.choice) for c in body.choices.choices))
        and (not pattern.ask or _holds(pattern.ask, body.asked))
        and (not pattern.foot or _holds(pattern.foot, body.foot))
    )


def _holds(phrases: tuple[str, ...], text: str) -> bool:
    return any(phrase in text for phrase in phrases)


def _folded(texts: list[str]) -> str:
    return " ".join(" ".join(texts).split())


def _taken_apart(rows: Rows, body: _Body, pattern: DialogPattern, patterns: Patterns) -> Dialog:
    found = body.choices
    tabs = _tabs(rows.text(body.start), patterns)
    return Dialog(
        pattern=pattern,
        detail=_detail(rows, body, pattern, patterns)[:DETAIL_CHARACTERS],
        choices=found.choices,
        more_choices=found.more,
        cut=not body.rule,
        multi=any(patterns.tick.match(choice.label) for choice in found.choices),
        tabs=tabs,
    )


def _tabs(text: str, patterns: Patterns) -> tuple[str, ...]:
    """Return the names of the questions that the row over a question shows."""
    shown = text.partition(patterns.submit)[0] if patterns.submit else text
    return tuple(found["tab"] for found in patterns.tabs.finditer(shown))


def _detail(rows: Rows, body: _Body, pattern: DialogPattern, patterns: Patterns) -> str:
    start, top = body.start, body.choices.top
    expression = patterns.details.get(pattern.name)
    if expression is not None:
        found = expression.search(body.text)
        return found[1] if found else ""
    if pattern.detail == "question":
        return body.asked
    if pattern.detail == "text":
        first = start + 1 if _tabs(rows.text(start), patterns) else start
        return " ".join(_lines(rows, first, top, patterns))
    if pattern.detail == "permission":
        return _permission(rows, body, patterns)
    if pattern.detail == "limit":
        return _newest_limit(rows, start, patterns)
    return next((text.strip() for row in range(start, top) if (text := rows.text(row))), "")


def _paragraph(rows: Rows, start: int, top: int, patterns: Patterns) -> str:
    """Return the paragraph over the choices."""
    paragraph: list[str] = []
    for row in range(top - 1, start - 1, -1):
        text = rows.text(row).strip()
        if not text and not paragraph:
            continue
        if not text or text.startswith((patterns.permission.dashes, RULE)):
            break
        paragraph.insert(0, text.removeprefix(patterns.permission.gutter))
    return " ".join(paragraph)


def _permission(rows: Rows, body: _Body, patterns: Patterns) -> str:
    """Return the command that is asked for; for changes of files, which file and how; else what can be seen."""
    start, top = body.start, body.choices.top
    dashes = [row for row in range(start, top) if rows.text(row).startswith(patterns.permission.dashes)]
    if not body.rule:
        first = dashes[0] + 1 if len(dashes) > 1 else start
        seen = _lines(rows, first, dashes[-1], patterns) if dashes else []
        return "\n".join(seen) if patterns.permission.plain in body.asked else body.asked
    title = _lines(rows, start, dashes[0] if dashes else top, patterns)
    if not dashes or (title and title[0] in patterns.permission.subjects):
        return " ".join(title) if title else body.asked
    body_lines = _lines(rows, dashes[0] + 1 if len(dashes) > 1 else start, dashes[-1], patterns)
    named = title[1:] if title and title[0] in patterns.permission.tools else []
    return "\n".join((*named, *body_lines))


def _lines(rows: Rows, start: int, end: int, patterns: Patterns) -> list[str]:
    gutter = patterns.permission.gutter
    texts = (rows.text(row).strip() for row in range(start, end))
    return [text.removeprefix(gutter).rstrip() for text in texts if text]


def _newest_limit(rows: Rows, end: int, patterns: Patterns) -> str:
    for row in range(end - 1, -1, -1):
        if found := patterns.limit_notice.match(rows.text(row)):
            return whole(rows, row, found["detail"], patterns)
    return ""
