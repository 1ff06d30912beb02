"""Reading what git prints for machines. Pure: text in, values out."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

UNTRACKED = "?"
FIELDS_BEFORE_PATH = {"1": 8, "2": 9, "u": 10}


class StatusEntry(Struct, frozen=True, kw_only=True):
    """A path with uncommitted changes."""

    kind: str
    """`1` changed, `2` renamed or copied, `u` in conflict, `?` untracked."""
    path: str
    """Relative to the top folder, exactly; ends with `/` when it is a repository of its own."""


class Status(Struct, frozen=True, kw_only=True):
    """What `git status --porcelain=v2 --branch -z` says."""

    head: str
    """The commit checked out; empty when the branch has none yet."""
    branch: str
    """Empty when HEAD is detached."""
    upstream: str
    entries: tuple[StatusEntry, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths with uncommitted changes."""
        return tuple(entry.path for entry in self.entries)

    @property
    def conflicts(self) -> int:
        """How many paths are in conflict."""
        return sum(entry.kind == "u" for entry in self.entries)


class Worktree(Struct, frozen=True, kw_only=True):
    """A working tree that git knows of."""

    path: str
    head: str = ""
    branch: str = ""
    """Empty when HEAD is detached, or for a bare repository."""
    is_main: bool = False
    locked: str | None = None
    """The reason given for its lock, maybe empty; None when it is not locked."""


def parse_status(output: str) -> Status:
    """Read `git status --porcelain=v2 --branch -z`."""
    headers: dict[str, str] = {}
    entries = []
    fields = iter(output.split("\0"))
    for field in fields:
        kind, _, rest = field.partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            headers[name] = value
        elif kind == UNTRACKED:
            entries.append(StatusEntry(kind=kind, path=rest))
        elif kind in FIELDS_BEFORE_PATH:
            entries.append(StatusEntry(kind=kind, path=field.split(" ", FIELDS_BEFORE_PATH[kind])[-1]))
            if kind == "2":
                next(fields)  # where it came from
    return Status(
        head=_unless(headers.get("branch.oid", ""), "(initial)"),
        branch=_unless(headers.get("branch.head", ""), "(detached)"),
        upstream=headers.get("branch.upstream", ""),
        entries=tuple(entries),
    )


def parse_worktrees(output: str, *, end: str = "\0") -> tuple[Worktree, ...]:
    """Read `git worktree list --porcelain`, whose lines end with `end`; the main one comes first."""
    return tuple(
        Worktree(
            path=facts["worktree"],
            head=facts.get("HEAD", ""),
            branch=facts.get("branch", "").removeprefix("refs/heads/"),
            is_main=number == 0,
            locked=facts.get("locked"),
        )
        for number, facts in enumerate(_records(output, end))
    )


def _records(output: str, end: str) -> Iterator[dict[str, str]]:
    record: dict[str, str] = {}
    for line in output.split(end):
        name, _, value = line.partition(" ")
        if name == "worktree" and record:
            yield record
            record = {}
        if name:
            record[name] = value
    if record:
        yield record


def _unless(value: str, nothing: str) -> str:
    return "" if value == nothing else value
