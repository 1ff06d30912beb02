"""From the person's Markdown file to a `Spec`."""

from __future__ import annotations

import difflib
import errno
import re
import stat
from pathlib import Path
from textwrap import dedent

from orchestrator_core.errors import NotFoundError, UsageError
from orchestrator_core.models.spec import Spec
from orchestrator_core.team.items import NOTHING, RULE, read_items
from orchestrator_core.team.sections import HEADING, Section, split

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

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MARKUP = re.compile(r"^\s*(?:[-*+]|#{1,6})\s+")
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


def parse_spec(text: str, path: str = "") -> Spec:
    """Return the spec that `text` is; `path` is where it was read, for messages.

    Raises:
        UsageError: it has no goal (`no-goal`).

    """
    sections = split(_normal(text))
    goal = "\n\n".join(body for each in _of(sections, "goal") if (body := _prose(each)))
    if not goal or goal.casefold() in NOTHING:
        raise _no_goal(sections, path)
    return Spec(
        goal=goal,
        project=next((name for each in _of(sections, "project") if (name := _title(each))), ""),
        constraints=_items(sections, "constraints"),
        deliverables=_items(sections, "deliverables"),
        success_criteria=_items(sections, "success_criteria"),
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
    rest = [line for section in split(_normal(spec.text)) for line in _unread(section)]
    has_text = any(not HEADING.match(line) and any(map(str.isalnum, line)) for line in rest)
    return "\n".join(rest).strip("\n") if has_text else ""


def _normal(text: str) -> str:
    """Return the text with plain line ends, without control characters, not indented as a whole."""
    plain = text.removeprefix(_BOM).replace("\r\n", "\n").replace("\r", "\n")
    return dedent(_CONTROL.sub("", plain))


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


def _items(sections: list[Section], name: str) -> tuple[str, ...]:
    return tuple(item for each in _of(sections, name) for item in read_items(each.lines, each.code))


def _unread(section: Section) -> tuple[str, ...]:
    """Return the lines of a section that no field of a spec holds."""
    if not section.name:
        return section.lines
    if section.name != "project":
        return ()
    title = next((n for n, line in enumerate(section.lines) if line.strip()), 0)
    return section.lines[title + 1 :]


def _no_goal(sections: list[Section], path: str) -> UsageError:
    found = list(dict.fromkeys(section.name.replace("_", " ").upper() for section in sections if section.name))
    has_goal = "GOAL" in found
    others = [name for name in found if name != "GOAL"]
    seen = f"it has {', '.join(others)}, but " if others else ""
    cause = f"{seen}its GOAL is empty" if has_goal else f"{seen}no GOAL section"
    return UsageError(
        f"{path or 'the spec'} has no goal",
        cause=cause if seen or has_goal else "it has no GOAL section",
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
