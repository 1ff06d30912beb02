"""What has been said, as rows of a screen."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from orchestrator_core.agents.demo import colours as c
from orchestrator_core.agents.demo.cells import wrap

KEPT = 400
"""Blocks that are kept; older ones are forgotten."""
NBSP = "\u00a0"


class Block:
    """A piece of the transcript. Its rows are made once per width."""

    joins = False
    """It stands directly under the block before it."""
    is_settled = True
    """It will not change any more."""

    def __init__(self) -> None:
        self._made: tuple[int, list[str]] = (0, [])

    def rows(self, columns: int) -> list[str]:
        """Return the block as rows with colours."""
        if self._made[0] != columns:
            self._made = (columns, list(self.draw(columns)))
        return self._made[1]

    def redraw(self) -> None:
        """Forget the rows, because the block has changed."""
        self._made = (0, [])

    def draw(self, columns: int) -> Iterator[str]:
        """Yield the rows."""
        raise NotImplementedError


class Plain(Block):
    """Rows that are given as they are."""

    def __init__(self, rows: Iterable[str], *, joins: bool = False) -> None:
        super().__init__()
        self._rows = list(rows)
        self.joins = joins

    def draw(self, columns: int) -> Iterator[str]:
        """Yield the rows."""
        yield from self._rows


class Prompt(Block):
    """A message that the agent was given."""

    def __init__(self, text: str, *, mark: str = "❯") -> None:
        super().__init__()
        self._text = text
        self._mark = mark

    def draw(self, columns: int) -> Iterator[str]:
        """Yield the message on a background of its own."""
        ink = c.BANG if self._mark == "!" else c.GREY
        start = f"{c.PROMPT_GROUND}{ink}{self._mark} "
        for row in wrap(self._text, columns - 2):
            yield f"{start}{c.WHITE}{row}{c.RESET}"
            start = f"{c.PROMPT_GROUND}  "


class Reply(Block):
    """What the agent says."""

    def __init__(self, text: str, *, ink: str = c.WHITE) -> None:
        super().__init__()
        self._text = text
        self._ink = ink

    def draw(self, columns: int) -> Iterator[str]:
        """Yield the text behind a bullet."""
        start = f"{self._ink}●{c.RESET} "
        for row in wrap(self._text, columns - 2):
            yield f"{start}{row}"
            start = "  "


class ToolCall(Block):
    """A tool at work, and its result when it has one."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.is_settled = False
        self._title = title
        self._result: tuple[str, ...] | None = None
        self._ok = True

    def finish(self, result: str, lines: int, *, ok: bool = True) -> None:
        """Show the first `lines` lines of the result."""
        found = result.strip("\n").split("\n")
        more = len(found) - lines
        shown = found[:lines] + ([f"… +{more} lines"] if more > 0 else [])
        self._result = tuple(shown) if any(shown) else ("(no output)",)
        self._ok = ok
        self.is_settled = True
        self.redraw()

    def draw(self, columns: int) -> Iterator[str]:
        """Yield the title, and the result behind a hook."""
        ink = c.GREY if self._result is None else c.GREEN if self._ok else c.RED
        name = self._title.partition("(")[0]
        first, *more = wrap(self._title, columns - 2)
        yield f"{ink}●{c.RESET} {c.BOLD}{first[: len(name)]}{c.RESET}{first[len(name) :]}"
        yield from (f"  {row}" for row in more)
        start = f"{c.GREY}  ⎿ {NBSP}{c.RESET}"
        for line in self._result or ():
            for row in wrap(line, columns - 5):
                yield f"{start}{row}"
                start = "     "


class Notice(Block):
    """A word of the program itself under what came before."""

    joins = True

    def __init__(self, text: str, *, ink: str = c.RED) -> None:
        super().__init__()
        self._text = text
        self._ink = ink

    def draw(self, columns: int) -> Iterator[str]:
        """Yield the text under a hook."""
        start = f"{c.GREY}  ⎿ {NBSP}{c.RESET}"
        for row in wrap(self._text, columns - 5):
            yield f"{start}{self._ink}{row}{c.RESET}"
            start = "     "


class Transcript:
    """The blocks, oldest first."""

    def __init__(self) -> None:
        self._blocks: deque[Block] = deque(maxlen=KEPT)
        self.added = 0
        """How many blocks were ever added."""
        self.said = ""
        """The last that the agent said; not what the program said of itself."""

    def add(self, block: Block) -> None:
        """Add a block at the end."""
        self._blocks.append(block)
        self.added += 1

    def say(self, text: str) -> None:
        """Add what the agent says."""
        self.add(Reply(text))
        self.said = text

    def take_back(self) -> None:
        """Show the last block no more."""
        self._blocks[-1] = Plain([], joins=True)

    def clear(self) -> None:
        """Forget everything."""
        self._blocks.clear()
        self.said = ""

    def parted(self, after: int) -> tuple[list[Block], list[Block]]:
        """Return the blocks after the first `after` ones, parted before the first that may still change."""
        new = list(self._blocks)[max(after - (self.added - len(self._blocks)), 0) :]
        at = next((at for at, block in enumerate(new) if not block.is_settled), len(new))
        return new[:at], new[at:]

    def tail(self, columns: int, height: int) -> list[str]:
        """Return the last `height` rows, blocks parted by a blank row."""
        parts: list[list[str]] = []
        count = 0
        for block in reversed(self._blocks):
            rows = block.rows(columns)
            parts.append(rows if block.joins else ["", *rows])
            count += len(parts[-1])
            if count >= height:
                break
        rows = [row for part in reversed(parts) for row in part]
        return rows[max(len(rows) - height, 0) :]
