"""Which dialog a screen without a prompt box shows, and what it asks. Pure."""

from __future__ import annotations

from msgspec import Struct

from orchestrator_core.agents.choices import Choice, choices_of
from orchestrator_core.agents.rows import Rows
from orchestrator_core.agents.screen_patterns import DialogPattern, Patterns

MOST_RULES = 2
DETAIL_CHARACTERS = 2000


class Dialog(Struct, frozen=True, kw_only=True):
    """An open dialog."""

    pattern: DialogPattern
    detail: str
    choices: tuple[Choice, ...]


def read_dialog(rows: Rows, patterns: Patterns) -> Dialog | None:
    """Return the dialog that is open, or None when none is known.

    It begins under the last full-width rule, or at the top of the screen when it is taller than that.
    """
    starts = _starts(rows)
    end = _end(rows)
    texts = [_folded(rows, start, end) for start in starts]
    for pattern in patterns.dialogs:
        at = min(pattern.rules, len(starts)) - 1
        text = _folded(rows, starts[at], end, last=pattern.last) if pattern.last else texts[at]
        if pattern.matches(text):
            return _taken_apart(rows, starts[at], end, pattern, patterns)
    return None


def _starts(rows: Rows) -> list[int]:
    """Return the rows at which a dialog with one, two … rules begins."""
    starts: list[int] = []
    before = len(rows)
    while len(starts) < MOST_RULES and (rule := rows.last_rule(before)) is not None:
        starts.append(rule + 1)
        before = rule
    return starts or [0]


def _end(rows: Rows) -> int:
    end = len(rows)
    while end and not rows.text(end - 1):
        end -= 1
    return end


def _folded(rows: Rows, start: int, end: int, *, last: int = 0) -> str:
    words: list[str] = []
    texts = [text for row in range(start, end) if (text := rows.text(row))]
    for text in texts[-last:]:
        words += text.split()
    return " ".join(words)


def _taken_apart(rows: Rows, start: int, end: int, pattern: DialogPattern, patterns: Patterns) -> Dialog:
    choices, first_choice = choices_of(rows, start, end, patterns)
    return Dialog(
        pattern=pattern,
        detail=_detail(rows, start, first_choice, pattern, patterns)[:DETAIL_CHARACTERS],
        choices=choices,
    )


def _detail(rows: Rows, start: int, first_choice: int, pattern: DialogPattern, patterns: Patterns) -> str:
    expression = patterns.details.get(pattern.name)
    if expression is not None:
        found = expression.search(_folded(rows, start, first_choice))
        return found[1] if found else ""
    if pattern.detail == "question":
        return _question(rows, start, first_choice)
    if pattern.detail == "permission":
        return _permission(rows, start, first_choice, patterns)
    if pattern.detail == "limit":
        return _newest_limit(rows, start, patterns)
    return next((text.strip() for row in range(start, first_choice) if (text := rows.text(row))), "")


def _question(rows: Rows, start: int, first_choice: int) -> str:
    """Return the paragraph over the choices."""
    paragraph: list[str] = []
    for row in range(first_choice - 1, start - 1, -1):
        text = rows.text(row).strip()
        if text:
            paragraph.insert(0, text)
        elif paragraph:
            break
    return " ".join(paragraph)


def _permission(rows: Rows, start: int, first_choice: int, patterns: Patterns) -> str:
    """Return the command that is asked for; for other tools, the title and what it is about."""
    dashes = [row for row in range(start, first_choice) if rows.text(row).startswith(patterns.permission.dashes)]
    title = _paragraph(rows, start, dashes[0] if dashes else first_choice)
    if not dashes or (title and not title[0].startswith(patterns.permission.titles)):
        return " ".join(title) if title else _question(rows, start, first_choice)
    top = dashes[0] + 1 if len(dashes) > 1 else start
    return "\n".join(_paragraph(rows, top, dashes[-1]))


def _paragraph(rows: Rows, start: int, end: int) -> list[str]:
    return [text.strip() for row in range(start, end) if (text := rows.text(row))]


def _newest_limit(rows: Rows, end: int, patterns: Patterns) -> str:
    for row in range(end - 1, -1, -1):
        if found := patterns.limit_notice.match(rows.text(row)):
            return found["detail"]
    return ""
