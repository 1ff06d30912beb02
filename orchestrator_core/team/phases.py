"""The phases of a spec: titles such as `Phase 1: Setup (4 h)` with their tasks below, or a list of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from orchestrator_core.models.spec import Phase, Remark
from orchestrator_core.team.items import ITEM, RULE, read_items
from orchestrator_core.team.sections import HEADING, PHASE, is_phase

_BOLD_LINE = re.compile(r"(?:\*\*|__)(?P<text>[^*]+?)(?:\*\*|__):?\s*$")
_CLOSING = re.compile(r" #+$")
_AROUND = " *_:\t"
_AFTER_NUMBER = " :.)–—-\t"
_NUMBER = r"(?P<from>\d{1,4}(?:\.\d{1,2})?)(?:\s*(?:-|–|to)\s*(?P<to>\d{1,4}(?:\.\d{1,2})?))?"
_UNIT = r"(?P<unit>h|hrs?|hours?|min|mins|minutes?)"
_DURATION = re.compile(rf"\s*(?:~|about|ca\.?)?\s*{_NUMBER}\s*{_UNIT}?\.?\s*$", re.IGNORECASE)
_BESIDE = re.compile(
    rf"\s*(?:[(\[]|[-–—,]\s)\s*(?:~|about|ca\.?)?\s*{_NUMBER}\s*{_UNIT}\.?\s*[)\]]?\s*:?\s*$", re.IGNORECASE
)
_LONGEST_TIME = 40
"""How many characters at the end of a title may say how long the phase takes."""
_TASK_MARK = re.compile(r"\s*- ")


class _Group(Struct, frozen=True, kw_only=True):
    """The lines below a title, from one index to another."""

    title: str
    start: int
    end: int


def read_phases(
    lines: Sequence[str], code: Sequence[bool], numbers: Sequence[int]
) -> tuple[tuple[Phase, ...], tuple[Remark, ...]]:
    """Return the phases that the lines of their section name, in order, and what was not read of it.

    A title is a heading, a bold line, a line that begins with `Phase 1`, or one right above a list. Without any, each
    item of the list is a phase, and the items within it are its tasks.
    """
    groups = _groups(lines, code)
    table = next((at for at, line in enumerate(lines) if line.startswith("|") and not code[at]), None)
    if not groups and table is not None:
        return (), (Remark(line=numbers[table], text="phases in a table are not read: write them as a list"),)
    if not groups:
        return tuple(phase_of_item(item) for item in read_items(lines, code)), ()
    above = [at for at in range(groups[0].start - 1) if lines[at].strip() and not RULE.match(lines[at])]
    remarks = [Remark(line=numbers[at], text="what stands above the first phase is not read as one") for at in above]
    return tuple(phase_of(each.title, _tasks(lines, code, each)) for each in groups), tuple(remarks[:1])


def phase_of(title: str, tasks: Sequence[str] = ()) -> Phase:
    """Return the phase with a title as people write it: `Phase 1: Setup (4 h)` is `Setup` and takes 4 hours."""
    plain = title.strip(_AROUND)
    head, tail = plain[:-_LONGEST_TIME], plain[-_LONGEST_TIME:]
    found = _BESIDE.search(tail)
    hours = _hours(found) if found else None
    text = (head + (tail[: found.start()] if found else tail)).strip(_AROUND)
    begin = PHASE.match(text)
    name = text[begin.end() :].strip(_AFTER_NUMBER) if begin else text
    return Phase(name=name or text or plain or title.strip(), tasks=tuple(tasks), hours=hours)


def hours_of(text: str) -> float | None:
    """Return the hours that a text such as `4`, `4 h`, `2-3 hours` or `30 min` says; None when it says none."""
    found = _DURATION.match(text)
    return _hours(found) if found else None


def _hours(found: re.Match[str]) -> float:
    low = float(found["from"])
    high = float(found["to"] or low)
    is_minutes = (found["unit"] or "h").casefold().startswith("m")
    return round((low + high) / 2 / (60 if is_minutes else 1), 2)


def phase_of_item(item: str) -> Phase:
    """Return the phase that a list item is; the items within it are its tasks."""
    title, *below = item.split("\n")
    tasks: list[str] = []
    for line in below:
        if _TASK_MARK.match(line) or not tasks:
            tasks.append(_TASK_MARK.sub("", line, count=1))
        else:
            tasks[-1] = f"{tasks[-1]}\n{line}"
    return phase_of(title, tasks)


def _tasks(lines: Sequence[str], code: Sequence[bool], group: _Group) -> tuple[str, ...]:
    return read_items(lines[group.start : group.end], code[group.start : group.end])


def _groups(lines: Sequence[str], code: Sequence[bool]) -> list[_Group]:
    titles: list[tuple[int, str]] = []
    top = 0
    for at, line in enumerate(lines):
        if not code[at] and (title := _title(lines, at, top)):
            titles.append((at, title))
            heading = HEADING.match(line)
            top = top or (len(heading[1]) if heading else 0)
    ends = [*(at for at, _ in titles[1:]), len(lines)]
    return [_Group(title=title, start=at + 1, end=end) for (at, title), end in zip(titles, ends, strict=False)]


def _title(lines: Sequence[str], at: int, top: int) -> str:
    """Return the title of a phase that a line is; empty when it is none. `top` is the level of titles, if known."""
    line = lines[at]
    if heading := HEADING.match(line):
        is_below = bool(top) and len(heading[1]) > top and not is_phase(line)
        return "" if is_below else _CLOSING.sub("", heading[2].strip())
    if not line.strip() or line[0].isspace() or ITEM.match(line):
        return ""
    if is_phase(line):
        return line.strip()
    if top:  # below headings, bold lines and lead-ins structure a phase
        return ""
    bold = _BOLD_LINE.match(line)
    return bold["text"].strip() if bold else (line.strip() if _is_above_list(lines, at) else "")


def _is_above_list(lines: Sequence[str], at: int) -> bool:
    stands_apart = at == 0 or not lines[at - 1].strip() or bool(ITEM.match(lines[at - 1]))
    is_marked = lines[at].rstrip().endswith(":") or bool(_BESIDE.search(lines[at][-_LONGEST_TIME:]))
    return (stands_apart or is_marked) and at + 1 < len(lines) and bool(ITEM.match(lines[at + 1]))
