"""Counting things in words, the same everywhere. Pure."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """Return `1 agent`, `2 agents`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
