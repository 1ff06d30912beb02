"""What stands below the prompt box, as far as it may be believed: a person's status line says what it likes. Pure."""

from __future__ import annotations

from msgspec import Struct

from orchestrator_core.agents.rows import Rows
from orchestrator_core.agents.screen_patterns import Patterns


class Footer(Struct, frozen=True, kw_only=True):
    """The agent's own rows below its prompt box."""

    is_busy: bool = False
    """The mode's row says how to interrupt."""
    is_whole: bool = False
    """The mode's row is there and shows all it has to say."""
    limit: str = ""
    resumes: bool = False
    """It says when it will go on by itself: only then is `limit` sure to be the agent's own words."""
    background: bool = False


def read_footer(rows: Rows, start: int, patterns: Patterns) -> Footer:
    """Return what the rows from `start` on say."""
    texts = [text for row in range(start, len(rows)) if (text := rows.text(row))]
    if not texts:
        return Footer()
    mode = texts[-1] if patterns.mode.match(texts[-1]) else ""
    limit = patterns.limit_footer.match(texts[0])
    return Footer(
        is_busy=bool(mode) and patterns.busy_mark in mode.split(patterns.footer.separator),
        is_whole=bool(mode) and not mode.endswith(patterns.footer.cut),
        limit=limit["detail"] if limit else "",
        resumes=bool(limit) and len(texts) > 1 and patterns.limit_footer_next.match(texts[1]) is not None,
        background=bool(mode) and patterns.background.search(mode) is not None,
    )
