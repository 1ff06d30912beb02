"""What stands above the prompt box: the newest message and what came of it. Pure."""

from __future__ import annotations

from itertools import islice

from msgspec import Struct

from orchestrator_core.agents.rows import Rows
from orchestrator_core.agents.screen_patterns import Patterns

NOTICE = "  ⎿"
BLOCK = "● "
DOING_CHARACTERS = 80
NEAR = 16
"""How many rows with text above the prompt box may hold the spinner or a notice."""


class Transcript(Struct, frozen=True, kw_only=True):
    """The end of a transcript: nothing above its newest message counts."""

    last_prompt: str = ""
    queued: bool = False
    doing: str = ""
    spinning: bool = False
    retrying: bool = False
    limit: str = ""
    error: str = ""
    turn_ended: bool = False


def read_transcript(rows: Rows, end: int, patterns: Patterns) -> Transcript:
    """Return what the rows above `end` say about the newest message."""
    start, is_message = _newest_turn(rows, end, patterns)
    below = list(islice((r for r in range(end - 1, start, -1) if _counts(rows.text(r), patterns)), NEAR))
    queued = any(_is_queued(rows, row, patterns) for row in range(end - 1, start, -1))
    spinner = _spinner(rows, below, patterns)
    limit, error = _newest_notice(rows, below, patterns)
    return Transcript(
        last_prompt=_last_prompt(rows, start, end, patterns, is_message=is_message),
        queued=queued,
        doing=_short(_doing(rows, start, end, patterns, queued=queued) or spinner),
        spinning=bool(spinner) and bool(_spins(rows.text(below[0]), patterns)),
        retrying=bool(spinner) and patterns.retrying.match(rows.text(below[0])) is not None,
        limit=limit,
        error=error,
        turn_ended=any(patterns.done.match(rows.text(row)) for row in below),
    )


def _newest_turn(rows: Rows, end: int, patterns: Patterns) -> tuple[int, bool]:
    """Return the row of the newest message, or -1, and whether it is one (rather than a shell command)."""
    message, others = patterns.transcript.message, patterns.transcript.turn_starts
    for row in range(end - 1, -1, -1):
        if not _may_start(rows.raw(row), patterns):
            continue
        text = rows.text(row)
        if text.startswith(message):
            return row, True
        if text.startswith(others):
            return row, False
    return -1, False


def _may_start(raw: str, patterns: Patterns) -> bool:
    """Whether a row may begin a turn: a quick look that saves taking the codes out of most rows."""
    return bool(raw) and any(start in raw for start in patterns.starts)


def _is_queued(rows: Rows, row: int, patterns: Patterns) -> bool:
    mark = patterns.transcript.queued
    return bool(mark) and mark in rows.raw(row) and rows.text(row).startswith(NOTICE)


def _counts(text: str, patterns: Patterns) -> bool:
    return bool(text) and not text[: patterns.transcript.hint_indent].isspace() and patterns.tips.match(text) is None


def _spins(text: str, patterns: Patterns) -> str:
    found = patterns.retrying.match(text) or patterns.spinner.match(text)
    return found["doing"] if found else ""


def _spinner(rows: Rows, below: list[int], patterns: Patterns) -> str:
    return next((text for row in below if (text := _spins(rows.text(row), patterns))), "")


def _doing(rows: Rows, start: int, end: int, patterns: Patterns, *, queued: bool) -> str:
    """Return the newest tool call of the turn; a queued message stands below the turn that runs."""
    if queued:
        start, _ = _newest_turn(rows, max(start, 0), patterns)
    for row in range(end - 1, start, -1):
        if "●" in rows.raw(row) and (found := patterns.tool.match(rows.text(row))):
            return found["doing"]
    return ""


def _short(text: str) -> str:
    return text if len(text) <= DOING_CHARACTERS else text[: DOING_CHARACTERS - 1] + "…"


def _newest_notice(rows: Rows, below: list[int], patterns: Patterns) -> tuple[str, str]:
    """Return the limit and the error that the turn ended with; what came before other output is not current."""
    for row in below:
        text = rows.text(row)
        if text.startswith(patterns.after_limit):
            continue
        limit = patterns.limit_notice.match(text)
        error = patterns.error_notice.match(text) or patterns.error_reply.match(text)
        if (limit or error) and not _is_output(rows, row, patterns):
            return (limit["detail"], "") if limit else ("", _whole(rows, row, error["detail"] if error else ""))
        if not text.startswith(" ") or text.startswith(NOTICE):
            break
    return "", ""


def _is_output(rows: Rows, row: int, patterns: Patterns) -> bool:
    """Whether a notice is the first line of a tool's output: somebody's text that reads like one."""
    above = rows.text(row - 1) if row and rows.text(row).startswith(NOTICE) else ""
    return above.startswith(BLOCK) and not above.startswith(patterns.before_limit)


def _whole(rows: Rows, row: int, detail: str) -> str:
    """Return `detail` with the rows it is wrapped onto."""
    parts = [detail]
    for below in range(row + 1, len(rows)):
        text = rows.text(below)
        if not text.startswith("  ") or text.startswith(NOTICE):
            break
        parts.append(text.strip())
    return " ".join(parts)


def _last_prompt(rows: Rows, start: int, end: int, patterns: Patterns, *, is_message: bool) -> str:
    while start >= 0 and not is_message:
        end = start
        start, is_message = _newest_turn(rows, end, patterns)
    return _message(rows, start, end, patterns) if start >= 0 else ""


def _message(rows: Rows, start: int, end: int, patterns: Patterns) -> str:
    """Return the message that begins on row `start`, without the indent of its rows."""
    indent = " " * len(patterns.transcript.message)
    has_background = rows.has_background(start)
    lines = [rows.text(start).removeprefix(patterns.transcript.message)]
    blank = 0
    for row in range(start + 1, end):
        text = rows.text(row)
        if not text and has_background:
            blank += 1
            continue
        if not text.startswith(indent) or text.startswith(NOTICE) or rows.has_background(row) != has_background:
            break
        lines += [""] * blank + [text.removeprefix(indent)]
        blank = 0
    return "\n".join(lines)
