"""The person's Markdown file, taken apart."""

from __future__ import annotations

from msgspec import Struct


class Spec(Struct, frozen=True, kw_only=True):
    """A spec: only the goal is needed. List items come without their bullets or numbers."""

    goal: str
    project: str = ""
    constraints: tuple[str, ...] = ()
    deliverables: tuple[str, ...] = ()
    success_criteria: tuple[str, ...] = ()
    text: str = ""
    """The whole file as written."""
    path: str = ""
