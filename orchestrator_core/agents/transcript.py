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
    at_rest: bool = False
    """What stands last says that nothing runs."""
    in_sight: bool = False
    """What stands last begins on the screen: it is not only the tail of something."""
    covered: bool = False
    """Suggestions for what is being typed cover its end."""


def read_transcript(rows: Rows, end: int, patterns: Patterns) -> Transcript:
    """Return what the rows above `end` say about the newest message."""
    start, is_message = _newest_turn(rows, end, patterns)
    below = list(islice((r for r in range(end - 1, start, -1) if counts(rows.text(r), patterns)), NEAR))
    queued = any(_is_queued(rows, row, patterns) for row in range(end - 1, start, -1))
    last = _last_block(rows, below)
    doing = spins(last, patterns)
    limit, error = _newest_notice(rows, start, below, patterns)
    return Transcript(
        last_prompt=_last_prompt(rows, start, end, patterns, is_message=is_message),
        queued=queued,
        doing=_short(_doing(rows, start, end, patterns, queued=queued) or doing),
        spinning=bool(doing),
        retrying=bool(doing) and patterns.retrying.match(last) is not None,
        limit=limit,
        error=error,
        turn_ended=any(patterns.done.match(rows.text(row)) for row in below),
        at_rest=_is_at_rest(rows, start, end, below, last, patterns),
        in_sight=start >= 0 or any(patterns.block.match(rows.text(row)) for row in range(end)),
        covered=_is_covered(rows, end, patterns),
    )


def _last_block(rows: Rows, below: list[int]) -> str:
    """Return the row that the newest block begins with: the CLI's own begin at the left edge, all else does not."""
    return next((text for row in below if not (text := rows.text(row)).startswith(" ")), "")


def _is_at_rest(rows: Rows, start: int, end: int, below: list[int], last: str, patterns: Patterns) -> bool:
    if patterns.done.match(last) or (below and patterns.stopped.match(rows.text(below[0]))):
        return True
    above = [text for row in range(end) if (text := rows.text(row))] if start < 0 and len(below) < NEAR else []
    return any(map(patterns.welcome.search, above)) and not any(map(patterns.block.match, above))


def _is_covered(rows: Rows, end: int, patterns: Patterns) -> bool:
    """Whether something lies on the rows over the prompt box: there is a blank one else, or a hint."""
    row = end - 1
    while row >= 0 and (text := rows.text(row)):
        if counts(text, patterns):
            return text.startswith(" ")
        row -= 1
    return False


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


def counts(text: str, patterns: Patterns) -> bool:
    """Whether a row is a part of the transcript, rather than blank or a hint."""
    return bool(text) and not text[: patterns.transcript.hint_indent].isspace() and patterns.tips.match(text) is None


def spins(text: str, patterns: Patterns) -> str:
    """Return what a row with a spinner says is being done; empty when it is no such row."""
    found = patterns.retrying.match(text) or patterns.spinner.match(text)
    return found["doing"] if found else ""


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


def _newest_notice(rows: Rows, start: int, below: list[int], patterns: Patterns) -> tuple[str, str]:
    """Return the limit and the error that the turn ended with; what came before other output is not current."""
    for row in below:
        text = rows.text(row)
        if text.startswith(patterns.after_limit):
            continue
        limit = patterns.limit_notice.match(text)
        error = patterns.error_notice.match(text) or patterns.error_reply.match(text)
        if (limit or error) and not _is_quoted(rows, start, row, patterns):
            if limit:
                return whole(rows, row, limit["detail"], patterns), ""
            return "", whole(rows, row, error["detail"] if error else "", patterns)
        if not text.startswith(" ") or text.startswith(NOTICE):
            break
    return "", ""


def _is_quoted(rows: Rows, start: int, row: int, patterns: Patterns) -> bool:
    """Whether a row that reads like a notice is somebody's text: a tool's output, a reply's or a message's line."""
    if not rows.text(row).startswith(NOTICE):
        return False
    return _is_output(rows, row, patterns) or not rows.is_marked(row) or (start >= 0 and rows.has_background(row))


def _is_output(rows: Rows, row: int, patterns: Patterns) -> bool:
    """Whether a notice is the first line of the output of a tool, or of a command that a person ran."""
    above = rows.text(row - 1) if row else ""
    is_block = above.startswith((BLOCK, *patterns.transcript.turn_starts))
    return is_block and not above.startswith(patterns.before_limit)


def whole(rows: Rows, row: int, detail: str, patterns: Patterns) -> str:
    """Return `detail` with the rows it is wrapped onto."""
    parts = [detail]
    for below in range(row + 1, len(rows)):
        text = rows.text(below)
        if not text.startswith("  ") or text.startswith(NOTICE) or not counts(text, patterns):
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
