"""From the person's Markdown file to a `Spec`."""

from __future__ import annotations

import difflib
import errno
import re
import stat
from pathlib import Path
from textwrap import dedent

from orchestrator_core.errors import NotFoundError, UsageError
from orchestrator_core.models.spec import Phase, Remark, Spec
from orchestrator_core.team.front_matter import FrontMatter, split_off
from orchestrator_core.team.items import NOTHING, RULE, read_items
from orchestrator_core.team.phases import read_phases
from orchestrator_core.team.remarks import bounded, section_remarks
from orchestrator_core.team.sections import CONTROL, HEADING, PHASES, Section, split

MAX_BYTES = 1_000_000
EXAMPLE = """\
PROJECT: Shop
GOAL: Customers can log in and see their own orders.
CONSTRAINTS:
- Keep the database schema as it is
DELIVERABLES:
1. Login and logout
2. A page with the customer's orders
SUCCESS CRITERIA:
- All tests pass
"""
"""A spec to start from."""

_MARKUP = re.compile(r"^\s*(?:[-*+]|#{1,6})\s+")
_SHOWN_REMARKS = 3
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


def parse_spec(text: str, path: str = "") -> Spec:
    """Return the spec that `text` is; `path` is where it was read, for messages.

    What front matter and text say adds up; of two names of the project the text's counts.

    Raises:
        UsageError: it has no goal (`no-goal`); says what was read instead, with lines.

    """
    front, sections = _parts(text)
    goals = (*front.items.get("goal", ()), *(_prose(each) for each in _of(sections, "goal")))
    goal = "\n\n".join(each for each in goals if each)
    phases, phase_remarks = _phases(sections)
    remarks = (*front.remarks, *section_remarks(sections), *phase_remarks, *_two_names(front, sections))
    if not goal or goal.casefold() in NOTHING:
        raise _no_goal(sections, front, bounded(remarks), path)
    return Spec(
        goal=goal,
        project=_name_in(sections) or next(iter(front.items.get("project", ())), ""),
        constraints=_items(front, sections, "constraints"),
        deliverables=_items(front, sections, "deliverables"),
        success_criteria=_items(front, sections, "success_criteria"),
        phases=(*front.phases, *phases),
        wishes=front.wishes,
        remarks=bounded(remarks),
        text=text,
        path=path,
    )


def read_spec(path: Path) -> Spec:
    """Return the spec in the file `path`.

    Raises:
        NotFoundError: there is no such file; `candidates` are files beside it with a similar name.
        UsageError: it is not a readable text file in UTF-8, is empty, larger than 1 MB, or has no goal.

    """
    content = _bytes_of(path)
    if len(content) > MAX_BYTES:
        raise _unfit(path, "is too large for a spec", "a spec is at most 1 MB", "name the Markdown file")
    text = _decoded(content, path)
    if not text.strip(_BOM + " \t\r\n\f\v"):
        raise _unfit(path, "is empty", "", f"write what you want into it, such as:\n\n{EXAMPLE}")
    return parse_spec(text, str(path))


def other_text(spec: Spec) -> str:
    """Return what the spec says outside its known sections, as written; empty when that is headings only."""
    front, sections = _parts(spec.text)
    rest = [line for section in sections for line in _unread(section)]
    has_text = any(not HEADING.match(line) and any(map(str.isalnum, line)) for line in rest)
    texts = ("\n".join(front.unread), "\n".join(rest) if has_text else "")
    return "\n\n".join(stripped for text in texts if (stripped := text.strip("\n")))


def _parts(text: str) -> tuple[FrontMatter, list[Section]]:
    front, body = split_off(_normal(text))
    return front, split(body)


def _normal(text: str) -> str:
    """Return the text with plain line ends, without control characters, not indented as a whole."""
    plain = text.removeprefix(_BOM).replace("\r\n", "\n").replace("\r", "\n")
    return dedent(CONTROL.sub("", plain))


def _of(sections: list[Section], name: str) -> list[Section]:
    return [section for section in sections if section.name == name]


def _prose(section: Section) -> str:
    below = list(section.lines[1:])
    while below and (not below[-1].strip() or RULE.match(below[-1])):
        below.pop()
    return "\n".join([section.lines[0], dedent("\n".join(below)).rstrip()]).strip("\n")


def _title(section: Section) -> str:
    line = next((line.strip() for line in section.lines if line.strip()), "")
    return _MARKUP.sub("", line).strip("*_` ")


def _name_in(sections: list[Section]) -> str:
    return next((name for each in _of(sections, "project") if (name := _title(each))), "")


def _two_names(front: FrontMatter, sections: list[Section]) -> tuple[Remark, ...]:
    given, in_text = next(iter(front.items.get("project", ())), ""), _name_in(sections)
    if not given or not in_text or given == in_text:
        return ()
    return (Remark(line=front.lines["project"], text=f"the project is named otherwise below: {in_text!r} counts"),)


def _items(front: FrontMatter, sections: list[Section], name: str) -> tuple[str, ...]:
    below = [item for each in _of(sections, name) for item in read_items(each.lines, each.code)]
    return (*(item for item in front.items.get(name, ()) if item not in below), *below)


def _phases(sections: list[Section]) -> tuple[tuple[Phase, ...], tuple[Remark, ...]]:
    ours = _of(sections, PHASES)
    return read_phases(
        [line for each in ours for line in each.lines],
        [is_code for each in ours for is_code in each.code],
        [number for each in ours for number in each.numbers],
    )


def _unread(section: Section) -> tuple[str, ...]:
    """Return the lines of a section that no field of a spec holds."""
    if not section.name:
        return section.lines
    if section.name != "project":
        return ()
    title = next((n for n, line in enumerate(section.lines) if line.strip()), 0)
    return section.lines[title + 1 :]


def _no_goal(sections: list[Section], front: FrontMatter, remarks: tuple[Remark, ...], path: str) -> UsageError:
    known = [*front.lines, *(section.name for section in sections if section.name)]
    found = list(dict.fromkeys(name.replace("_", " ").upper() for name in known))
    empty = next((section.line for section in _of(sections, "goal")), front.lines.get("goal", 0))
    others = [name for name in found if name != "GOAL"]
    seen = f"it has {', '.join(others)}, but " if others else ""
    missing = f"its GOAL is empty (line {empty})" if empty else "no GOAL section" if seen else "it has no GOAL section"
    hints = [f"line {each.line}: {each.text}" for each in remarks if each.line != empty]
    return UsageError(
        f"{path or 'the spec'} has no goal",
        cause="; ".join([f"{seen}{missing}", *hints[:_SHOWN_REMARKS]]),
        remedy=f"say what is to be reached, in a line that begins with GOAL: or below a heading, such as:\n\n{EXAMPLE}",
        code="no-goal",
    )


def _bytes_of(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # reading a named pipe would wait for ever
            raise _unfit(path, "is not a file", "", "name the Markdown file with the goal")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise _missing(path) from error
        raise _unfit(path, "cannot be read", error.strerror or str(error), "check its permissions") from error


def _decoded(content: bytes, path: Path) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        raise _unfit(path, "is not a text file in UTF-8", "it looks like UTF-16 or binary", "save it as UTF-8")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        cause = f"line {line} holds the byte 0x{content[error.start]:02x}, which is not UTF-8"
        raise _unfit(path, "is not a text file in UTF-8", cause, "save it as UTF-8") from error


def _missing(path: Path) -> NotFoundError:
    names = [file.name for file in path.parent.glob("*.md")] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5) or sorted(names)[:5]
    return NotFoundError(
        f"there is no spec {path}",
        cause=f"beside it there are {', '.join(near)}" if near else "",
        remedy="name the Markdown file that says what is to be reached",
        code="no-spec",
        candidates=tuple(str(path.parent / name) for name in near),
    )


def _unfit(path: Path, what: str, cause: str, remedy: str) -> UsageError:
    return UsageError(f"{path} {what}", cause=cause, remedy=remedy, code="unfit-spec")
