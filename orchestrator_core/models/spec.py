"""The person's Markdown file, taken apart."""

from __future__ import annotations

from msgspec import Struct


class Remark(Struct, frozen=True, kw_only=True):
    """Something in a spec that was not understood, or was understood otherwise than its author may think."""

    line: int
    """Counted from 1, in the file as written; 0 is said of the whole file."""
    text: str


class Phase(Struct, frozen=True, kw_only=True):
    """A part of the work that comes before or after others."""

    name: str
    tasks: tuple[str, ...] = ()
    hours: float | None = None
    """How long it is thought to take; None when nobody has said."""


class SpecWishes(Struct, frozen=True, kw_only=True):
    """What a spec's front matter says of the team. Empty values mean: nothing."""

    plan: str = ""
    roles: tuple[str, ...] = ()
    team_type: str = ""
    agent: str = ""


class Spec(Struct, frozen=True, kw_only=True):
    """A spec: only the goal is needed. List items come without their bullets or numbers."""

    goal: str
    project: str = ""
    constraints: tuple[str, ...] = ()
    deliverables: tuple[str, ...] = ()
    success_criteria: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    wishes: SpecWishes = SpecWishes()
    remarks: tuple[Remark, ...] = ()
    """In the order of their lines."""
    text: str = ""
    """The whole file as written."""
    path: str = ""
