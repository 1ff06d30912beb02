"""A spec's Markdown cut into its sections, whichever way they are headed. Pure.

A section may be headed `GOAL: …`, `GOAL` alone in capitals, `## Goal`, `**Goal:** …`, `- Goal: …` (where all labels
are list items), or `Goal` underlined. Code blocks and comments hold no headings. `## Phase 1: Setup` needs no heading
above it to belong to the phases.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

PHASES = "phases"
KNOWN = {
    "project": "project",
    "project name": "project",
    "goal": "goal",
    "goals": "goal",
    "project goal": "goal",
    "project goals": "goal",
    "objective": "goal",
    "objectives": "goal",
    "constraint": "constraints",
    "constraints": "constraints",
    "deliverable": "deliverables",
    "deliverables": "deliverables",
    "success criteria": "success_criteria",
    "success criterion": "success_criteria",
    "acceptance criteria": "success_criteria",
    "phases": PHASES,
    "project phases": PHASES,
    "implementation phases": PHASES,
    "milestones": PHASES,
}
"""What a label says in small letters → the section it heads."""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that a spec may not bring to a terminal."""
PHASE = re.compile(r"(?:phase|milestone|stage|sprint)\s+(?P<number>\d{1,3}|[ivx]{1,4})\b", re.IGNORECASE)
"""How the title of a phase begins that is known by its words alone."""
FENCE = re.compile(r"\s*(`{3,}|~{3,})(.*)$")
HEADING = re.compile(r" {0,3}(#{1,6})(?:\s+|(?=[^#\s]))(.*)$")
UNDERLINE = re.compile(r" {0,3}(=+|-{2,})\s*$")
_LABEL = r"(?P<label>[^\W\d][^:：*`\n]{1,40}?)"
_PLAIN = re.compile(rf" ?{_LABEL}\s*[:：]\s*(?P<value>.*)$")
_BOLD = re.compile(
    rf" ?(?P<mark>\*\*|__|\*|_){_LABEL}\s*(?P<colon>[:：])?(?P=mark)\s*(?P<after>[:：])?\s*(?P<value>.*)$"
)
_ALL_BOLD = re.compile(rf" ?(?P<mark>\*\*|__){_LABEL}\s*[:：]\s*(?P<value>.+?)(?P=mark)\s*$")
_BULLET = re.compile(r" ?(?:[-*+•]|\d{1,3}[.)])\s+(?P<rest>.*)$")
_BEFORE_LABEL = re.compile(r"^(?:\d+[.)]\s*|[^\w\s]+\s+)+")  # a number or an emoji
_LONGEST_LABEL = 60
_EMPHASIS = re.compile(r"[*`]+|(?<!\w)_+|_+(?!\w)")


class Form(Enum):
    """How a section is headed."""

    NONE = "none"
    PLAIN = "plain"
    BOLD = "bold"
    BULLET = "bullet"
    HEADING = "heading"


class Section(Struct, frozen=True, kw_only=True):
    """A heading with all that follows up to the next one."""

    name: str
    """One of the values of `KNOWN`; empty for a section that is not ours, and for what stands before the first."""
    lines: tuple[str, ...]
    """For ours the text below and beside the heading, else the heading line too. Comments are left out."""
    code: tuple[bool, ...]
    """For each line whether it belongs to a code block."""
    numbers: tuple[int, ...]
    """For each line where it stands in the text, counted from 1."""

    @property
    def line(self) -> int:
        """Where it is headed."""
        return self.numbers[0] if self.numbers else 1


class _Opening(Struct, frozen=True, kw_only=True):
    """A line that heads a section."""

    name: str
    form: Form
    level: int = 0
    value: str = ""
    height: int = 1
    """How many lines the heading takes."""


_START = _Opening(name="", form=Form.NONE)


def split(text: str) -> list[Section]:
    """Return the sections of a spec in order. Lines end with a line feed only."""
    all_lines = text.split("\n")
    kept, code = _without_comments(all_lines)
    lines = [all_lines[number - 1] for number in kept]
    sections: list[Section] = []
    current, start, at = _START, 0, 0
    while at < len(lines):
        opening = None if code[at] else _opening(lines, code, at, current)
        if opening is None:
            at += 1
            continue
        sections.append(_section(current, slice(start, at), lines, code, kept))
        current, start = opening, at
        at += opening.height
    return [*sections, _section(current, slice(start, len(lines)), lines, code, kept)]


def _section(
    opening: _Opening, at: slice, lines: Sequence[str], code: Sequence[bool], numbers: Sequence[int]
) -> Section:
    if not opening.name:
        return Section(name="", lines=tuple(lines[at]), code=tuple(code[at]), numbers=tuple(numbers[at]))
    body = slice(at.start + opening.height, at.stop)
    return Section(
        name=opening.name,
        lines=(opening.value, *lines[body]),
        code=(False, *code[body]),
        numbers=(numbers[at.start], *numbers[body]),
    )


def label_of(lines: Sequence[str], at: int) -> str:
    """Return what a line would head a section with if that were a known one, in small letters; else an empty text."""
    line = lines[at]
    if heading := HEADING.match(line):
        return _heading_label(heading[2])
    if bullet := _BULLET.match(line):
        line = bullet["rest"]
    match = _ALL_BOLD.match(line) or _BOLD.match(line) or _PLAIN.match(line)
    if match:
        return _plain_label(match["label"])
    is_underlined = at + 1 < len(lines) and UNDERLINE.match(lines[at + 1])
    return _heading_label(line) if is_underlined or line.isupper() else ""


def _opening(lines: Sequence[str], code: Sequence[bool], at: int, current: _Opening) -> _Opening | None:
    line = lines[at]
    found = (
        _heading(line, current)
        or _underlined(lines, code, at)
        or _bold(line, current)
        or _bullet(line, current)
        or _plain(lines, at, current)
    )
    if found and not found.name and is_phase(line):
        return replace(found, name=PHASES, value=line)
    return found


def is_phase(line: str) -> bool:
    """Whether a line is the title of a phase by its words, such as `## Phase 1: Setup`."""
    return bool(PHASE.match(_EMPHASIS.sub("", line[:_LONGEST_LABEL]).strip(" #")))


def _heading(line: str, current: _Opening) -> _Opening | None:
    match = HEADING.match(line)
    if not match:
        return None
    level = len(match[1])
    name, value = _read_label(match[2])
    if name:
        return _Opening(name=name, form=Form.HEADING, level=level, value=value)
    is_hashtag = not line.lstrip()[level:].startswith((" ", "\t"))
    is_below = current.form is Form.HEADING and level > current.level and not _begins_phases(match[2], current)
    return None if is_hashtag or is_below else _Opening(name="", form=Form.HEADING, level=level)


def _begins_phases(heading: str, current: _Opening) -> bool:
    """Whether a heading below the title of the whole text is that of a phase."""
    return current.level == 1 and current.name in ("", "project") and is_phase(heading)


def _underlined(lines: Sequence[str], code: Sequence[bool], at: int) -> _Opening | None:
    below = at + 1
    if below >= len(lines) or code[below] or not lines[at].strip():
        return None
    match = UNDERLINE.match(lines[below])
    if not match:
        return None
    name, value = _read_label(lines[at].strip())
    level = 1 if match[1].startswith("=") else 2
    if name:
        return _Opening(name=name, form=Form.HEADING, level=level, value=value, height=2)
    return _Opening(name="", form=Form.HEADING, level=level, height=2) if level == 1 else None


def _bold(line: str, current: _Opening) -> _Opening | None:
    match = _ALL_BOLD.match(line) or _BOLD.match(line)
    if not match:
        return None
    parts = match.groupdict()
    value = parts["value"].strip()
    has_colon = "colon" not in parts or bool(parts["colon"] or parts["after"])
    if value and not has_colon:
        return None
    name = KNOWN.get(_plain_label(parts["label"]), "")
    if name:
        return _Opening(name=name, form=Form.BOLD, value=value)
    is_strong = parts["mark"] in ("**", "__")
    return _Opening(name="", form=Form.BOLD) if current.form is Form.BOLD and has_colon and is_strong else None


def _bullet(line: str, current: _Opening) -> _Opening | None:
    """Read `- Goal: …`, which heads a section only where labels have been list items from the start."""
    match = _BULLET.match(line)
    is_below_title = current.form is Form.HEADING and current.level == 1 and not current.name
    if not match or not (is_below_title or current.form in (Form.NONE, Form.BULLET)):
        return None
    inner = _bold(match["rest"], _START) or _known_plain(match["rest"])
    return _Opening(name=inner.name, form=Form.BULLET, value=inner.value) if inner else None


def _plain(lines: Sequence[str], at: int, current: _Opening) -> _Opening | None:
    line = lines[at]
    known = _known_plain(line)
    if known:
        return known
    match = _PLAIN.match(line)
    if not match or current.form is not Form.PLAIN or not match["label"].isupper():
        return None
    stands_apart = not match["value"] or not lines[at - 1].strip()
    return _Opening(name="", form=Form.PLAIN) if stands_apart else None


def _known_plain(line: str) -> _Opening | None:
    match = _PLAIN.match(line)
    if match:
        name = KNOWN.get(_plain_label(match["label"]), "")
        return _Opening(name=name, form=Form.PLAIN, value=match["value"].strip()) if name else None
    alone = line.strip()
    is_label = alone.isupper() and not line.startswith((" ", "\t"))
    name = KNOWN.get(_plain_label(alone), "") if is_label else ""
    return _Opening(name=name, form=Form.PLAIN) if name else None


def _read_label(text: str) -> tuple[str, str]:
    """Return the section that a heading's text names, and what stands beside the label."""
    name = KNOWN.get(_heading_label(text), "")
    beside = text.strip().replace("：", ":").partition(":")[2].strip().rstrip("#").strip().removeprefix("**").strip()
    return name, beside if name else ""


def _heading_label(text: str) -> str:
    label = text.strip().replace("：", ":").partition(":")[0]
    if len(label) > _LONGEST_LABEL:
        return ""
    return _plain_label(_EMPHASIS.sub("", _BEFORE_LABEL.sub("", label)).rstrip(" #"))


def _plain_label(label: str) -> str:
    return re.sub(r"[\s_-]+", " ", label).strip().casefold()


def _without_comments(lines: Sequence[str]) -> tuple[list[int], list[bool]]:
    """Return the numbers of the lines outside HTML comments, and which of them are in code blocks.

    A block or comment that is never closed is taken for ordinary text, so that it cannot swallow the rest.
    """
    kept: list[int] = []
    code: list[bool] = []
    blocks = _Blocks(lines)
    at = 0
    while at < len(lines):
        after_code = blocks.end_of_code(at)
        after_comment = blocks.end_of_comment(at) if after_code == at else at
        if after_comment == at:
            end = max(after_code, at + 1)
            kept += range(at + 1, end + 1)
            code += [after_code > at] * (end - at)
            at = end
        at = max(at, after_comment)
    return kept, code


class _Blocks:
    """Finds where code blocks and comments end. What has no end once is not searched for again."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._unclosed: dict[str, int] = {}
        """Fence character → the shortest fence known to have no end."""
        self._last_comment_end = max((n for n, line in enumerate(lines) if "-->" in line), default=-1)

    def end_of_code(self, at: int) -> int:
        """Return the line after the code block that begins at `at`; `at` itself when none does."""
        opening = FENCE.match(self._lines[at])
        if not opening or (opening[1].startswith("`") and "`" in opening[2]):
            return at
        mark = opening[1]
        if len(mark) < self._unclosed.get(mark[0], len(mark) + 1):
            for end in range(at + 1, len(self._lines)):
                closing = FENCE.match(self._lines[end])
                if closing and closing[1].startswith(mark) and not closing[2].strip():
                    return end + 1
            self._unclosed[mark[0]] = len(mark)
        return at

    def end_of_comment(self, at: int) -> int:
        """Return the line after the comment that takes up whole lines from `at` on; `at` itself when none does."""
        if not self._lines[at].lstrip().startswith("<!--"):
            return at
        for end in range(at, self._last_comment_end + 1):
            if "-->" in self._lines[end]:
                return end + 1 if self._lines[end].rstrip().endswith("-->") else at
        return at
