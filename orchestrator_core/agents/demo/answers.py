"""What a demo agent without a role answers: that it has read."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator_core.agents.demo.steps import Say, Script, Think

QUOTED = 60


class Echo:
    """Thinks for `seconds` and says how much it got."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def answer(self, prompts: Sequence[str]) -> Script:
        """Return a turn of one sentence."""
        text = "\n".join(prompts)
        first = text.strip().split("\n")[0]
        quoted = first if len(first) <= QUOTED else first[: QUOTED - 1] + "…"
        yield Think(self.seconds)
        yield Say(f"I have read {len(text)} characters, beginning with: {quoted}", 0)
