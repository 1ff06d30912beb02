"""What one demo agent is like, what it can be told with a slash, and how it ends."""

from __future__ import annotations

from typing import NamedTuple

from orchestrator_core.agents.demo import colours as c

COMMANDS = {
    "/clear": "Forget the conversation so far",
    "/compact": "Shorten the conversation so far",
    "/context": "Show what fills the context",
    "/exit": "Exit the demo agent",
    "/help": "Show what the demo agent can do",
    "/quit": "Exit the demo agent",
}


class Exit(Exception):
    """The program ends."""

    def __init__(self, code: int, reason: str = "other") -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason
        """What the hooks are told."""


class Temper(NamedTuple):
    """How the agent behaves."""

    name: str = ""
    folder: str = "."
    mode: str = "manual"
    ready_after: float = 0.5
    gates: tuple[str, ...] = ()
    speed: float = 1.0
    swallow_enters: int = 0
    prompt: str | None = None
    """Submitted by itself as soon as it is ready."""
    is_resumed: bool = False
    """It goes on with a conversation that was kept."""
    compact_s: float = 0.0
    """How long it takes to shorten the conversation."""
    continues: bool = True
    """It goes on by itself when a usage limit has passed; otherwise it asks."""


def completions(draft: str) -> tuple[tuple[str, str], ...]:
    """Return the commands that a draft may become, with what they do."""
    if not draft.startswith("/") or " " in draft or "\n" in draft:
        return ()
    return tuple(item for item in COMMANDS.items() if item[0].startswith(draft))


def banner(folder: str) -> list[str]:
    """Return what stands at the beginning."""
    return [
        f"{c.ACCENT} ╭───────╮{c.RESET}  {c.BOLD}tmorch demo agent{c.RESET}",
        f"{c.ACCENT} │ {c.WHITE}◔   ◔{c.ACCENT} │{c.RESET}  {c.GREY}scripted · not a real AI{c.RESET}",
        f"{c.ACCENT} ╰───────╯{c.RESET}  {c.GREY}{folder}{c.RESET}",
    ]
