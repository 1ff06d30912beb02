"""What an agent is told that comes back: who it is, what was decided and done, what is not committed, what is next.

Subjects, paths and messages are other people's words. They are shown as code, on one line and cut, so that none of
them ends a list, opens a block, or is taken for a command or an instruction of tmorch's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from orchestrator_core.models.spec import Phase
from orchestrator_core.team.catalogue import builtin
from orchestrator_core.team.templating import rendered

TEMPLATE = "restore.md.j2"
SHOWN = 200
"""Characters of one subject, path or message."""
MOST = 20
"""How many of one kind are named; the rest is counted."""


class Note(Struct, frozen=True, kw_only=True):
    """A message or a check-in, in short."""

    number: int
    who: str
    """Who wrote it, or to whom it went."""
    text: str


class Restoration(Struct, frozen=True, kw_only=True):
    """All that a restoring briefing tells, as it was found."""

    role: str
    title: str
    agent: str
    team: str
    project: str
    goal: str
    spec_path: str = ""
    worktree: str
    branch: str
    base: str
    """The commit that the branch began with."""
    is_new_conversation: bool = False
    """Nothing of its conversation is left."""
    has_briefing: bool = False
    """Its whole briefing follows below."""
    is_running: bool = False
    """Its program never ended: it is only reminded."""
    heard: tuple[Note, ...] = ()
    """What was written to it, oldest first."""
    said: tuple[Note, ...] = ()
    """What it wrote to others, oldest first."""
    waiting: tuple[Note, ...] = ()
    """What it has not got yet, and what may not have reached it."""
    commits: tuple[tuple[str, str], ...] = ()
    commit_count: int = 0
    uncommitted: tuple[str, ...] = ()
    operation: str = ""
    is_known: bool = True
    """Whether git could be asked what was done."""
    phases: tuple[Phase, ...] = ()
    check_ins: tuple[tuple[str, str], ...] = ()
    """When each is due, in words, and what it says."""
    command: str = "tmorch"


def restoring(found: Restoration, folders: Sequence[Path] = ()) -> str:
    """Return the restoring briefing as Markdown; it begins and ends with a sentence of tmorch's own.

    `folders` are searched for its template, the person's and the project's before the package's.

    Raises:
        UsageError: a template of the person's or the project's is wrong; names the file and the line.

    """
    values = {name: getattr(found, name) for name in found.__struct_fields__}
    lists = {
        "heard": _notes(found.heard),
        "said": _notes(found.said),
        "waiting": _notes(found.waiting),
        "commits": [(harmless(commit), harmless(subject)) for commit, subject in found.commits[:MOST]],
        "more_commits": max(0, found.commit_count - len(found.commits[:MOST])),
        "uncommitted": [harmless(path) for path in found.uncommitted[:MOST]],
        "more_uncommitted": len(found.uncommitted[MOST:]),
        "phases": [harmless(phase.name) for phase in found.phases],
        "check_ins": [(harmless(due), harmless(text)) for due, text in found.check_ins[:MOST]],
    }
    plain = {name: harmless(values[name]) for name in ("project", "goal", "spec_path", "worktree", "branch")}
    return rendered(tuple(folders) or builtin().briefings, TEMPLATE, {**values, **plain, **lists})


def harmless(text: str) -> str:
    """Return `text` as one line of printable characters, cut to a bearable length; never empty."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(printable.split())
    return (line if len(line) <= SHOWN else line[: SHOWN - 1] + "…") or "(nothing)"


def _notes(notes: Sequence[Note]) -> list[Note]:
    return [Note(number=note.number, who=harmless(note.who), text=harmless(note.text)) for note in notes[-MOST:]]
