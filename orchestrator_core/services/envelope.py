"""What is typed for a message: its header and its text, cut into the pastes that make one prompt. Pure.

Claude Code keeps a paste of up to 800 characters and three lines as it is; a larger one is folded and marked as
possibly foreign, unless an own sentence stands before it. So the header always goes first, in a paste of its own
when the text is long. The header also takes the meaning from a leading `!`, `/`, `-`, `#` or digit.
"""

from __future__ import annotations

from msgspec import Struct

from orchestrator_core.models.message import PERSON, AgentMessage, MessageKind

PLAIN_CHARACTERS = 800
PLAIN_LINES = 3


class Envelope(Struct, frozen=True, kw_only=True):
    """A message as it is typed. The prompt is the `parts` in a row, each one paste."""

    mark: str
    """Stands in this message's prompt and in no other's."""
    parts: tuple[str, ...]

    @property
    def prompt(self) -> str:
        """What the agent is to get, to the character."""
        return "".join(self.parts)


def seal(message: AgentMessage, text: str) -> Envelope:
    """Return the envelope of `message`, whose cleaned text is `text`."""
    mark = f"[tmorch {message.id} "
    header = f"{mark}{_origin(message)}] "
    body = text + " " if text.endswith("\\") else text  # a backslash before Enter would make it a line break
    whole = header + body
    is_plain = len(whole) <= PLAIN_CHARACTERS and whole.count("\n") < PLAIN_LINES
    return Envelope(mark=mark, parts=(whole,) if is_plain else (header, body))


def _origin(message: AgentMessage) -> str:
    if message.kind is MessageKind.BRIEFING:
        return "briefing"
    return f"from {'the person' if message.sender == PERSON else message.sender}"
