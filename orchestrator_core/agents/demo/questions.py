"""The dialog in which the agent asks: one question, or several in tabs, with one choice or any number. Pure.

Text that is pasted into it becomes an answer of one's own: the trap for whoever takes it for the prompt.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator_core.agents.demo import colours as c
from orchestrator_core.agents.demo.cells import cut, wrap
from orchestrator_core.agents.demo.dialogs import Answer, Dialog, Form
from orchestrator_core.agents.demo.steps import Question

CHAT = "Chat about this"
SUBMIT = "Submit"
REVIEW = ("Submit answers", "Cancel")


class Page:
    """One question, and what is answered so far."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.cursor = 0
        self.ticked: set[int] = set()
        self.own = ""
        """An answer that is none of the choices."""

    @property
    def own_row(self) -> int:
        """The row for an answer of one's own."""
        return len(self.question.choices)

    @property
    def submit_row(self) -> int:
        """The row that ends a question with any number of choices; -1 for others."""
        return self.own_row + 1 if self.question.multiple else -1

    @property
    def chat_row(self) -> int:
        """The last row."""
        return self.own_row + (2 if self.question.multiple else 1)

    @property
    def answer(self) -> str:
        """What is picked; empty for nothing."""
        labels = [*self.question.choices, self.own]
        return ", ".join(labels[at] for at in sorted(self.ticked) if labels[at])

    def pick(self, row: int) -> bool:
        """Pick a row, and return whether the question is answered by that."""
        if self.question.multiple:
            self.ticked ^= {row}
            return False
        self.ticked = {row}
        return bool(self.answer)

    def write(self, text: str) -> None:
        """Add to the answer of one's own."""
        self.cursor = self.own_row
        self.own += text
        if self.question.multiple:
            self.ticked.add(self.own_row)


class QuestionDialog(Dialog):
    """Its pages are the questions, and at the end one to look at all answers, if that is worth it."""

    def __init__(self, questions: tuple[Question, ...]) -> None:
        super().__init__(Form("question", (), ()))
        self.pages = [Page(question) for question in questions]
        self._at = 0
        self._has_tabs = len(questions) > 1 or questions[0].multiple

    @property
    def _page(self) -> Page | None:
        """The question that is shown; None on the page for all answers."""
        return self.pages[self._at] if self._at < len(self.pages) else None

    def move(self, by: int) -> None:
        """Move the cursor; it stops at the ends."""
        page = self._page
        if page:
            page.cursor = min(max(page.cursor + by, 0), page.chat_row)
        else:
            self.cursor = min(max(self.cursor + by, 0), len(REVIEW) - 1)

    def turn(self, by: int) -> None:
        """Turn to another page."""
        if self._has_tabs:
            self._at = min(max(self._at + by, 0), len(self.pages))

    def confirm(self) -> Answer | None:
        """Do what the row under the cursor is for."""
        page = self._page
        if not page:
            return self._review(self.cursor)
        if page.cursor == page.chat_row:
            return Answer(page.chat_row, CHAT)
        if page.cursor == page.submit_row:
            return self._next()
        return self._next() if page.pick(page.cursor) else None

    def take(self, text: str, *, pasted: bool) -> Answer | None:
        """Pick by number, or take text for an answer of one's own: at its row, or wherever it is pasted."""
        page = self._page
        at = int(text[0]) - 1 if text[:1].isdecimal() else -1
        if not page:
            return self._review(at) if 0 <= at < len(REVIEW) else None
        if page.cursor != page.own_row and 0 <= at <= page.own_row:
            return self._pick(page, at)
        if pasted or page.cursor == page.own_row:
            page.write(text)
        return None

    def _pick(self, page: Page, at: int) -> Answer | None:
        if at == page.own_row:
            page.cursor = at
            return None
        return self._next() if page.pick(at) else None

    def _next(self) -> Answer | None:
        if not self._has_tabs:
            return self._answers()
        self.turn(1)
        return None

    def _review(self, at: int) -> Answer:
        return self._answers() if at == 0 else Answer(-1, REVIEW[1])

    def _answers(self) -> Answer:
        return Answer(0, "; ".join(page.answer for page in self.pages))

    # --- what it looks like ----------------------------------------------------------------------------------

    def rows(self, columns: int) -> Iterator[str]:
        """Yield the dialog as rows with colours."""
        yield f"{c.GREY}{'─' * columns}{c.RESET}"
        yield cut(self._tabs(), columns)
        yield ""
        page = self._page
        yield from self._question(page, columns) if page else self._review_rows(columns)

    def _tabs(self) -> str:
        marks = [f"{'☒' if page.answer else '☐'} {page.question.header}" for page in self.pages]
        return f"←  {'  '.join(marks)}  ✔ Submit  →" if self._has_tabs else f" {marks[0]}"

    def _question(self, page: Page, columns: int) -> Iterator[str]:
        asked = list(wrap(page.question.question, columns - 2))
        for row in asked:
            yield f"{'│ ' if len(asked) > 1 else ''}{c.BOLD}{row}{c.RESET}"
        yield ""
        for at, label in enumerate(page.question.choices):
            yield self._choice(page, at, label, columns)
            if at < len(page.question.descriptions):
                indent = " " * (9 if page.question.multiple else 5)
                for row in wrap(page.question.descriptions[at], columns - 10):
                    yield f"{indent}{c.GREY}{row}{c.RESET}"
        hint = "Type something" if page.question.multiple else "Type something."
        yield self._choice(page, page.own_row, page.own.replace("\n", " ") or hint, columns)
        if page.question.multiple:
            yield f"{_cursor(page, page.submit_row)}   {c.BOLD}{SUBMIT}{c.RESET}"
        yield f"{c.GREY}{'─' * columns}{c.RESET}"
        yield f"{_cursor(page, page.chat_row)} {page.own_row + 2}. {CHAT}"
        yield ""
        yield f"{c.GREY}{cut(self._foot(page), columns)}{c.RESET}"

    def _choice(self, page: Page, at: int, label: str, columns: int) -> str:
        tick = ("[✔] " if at in page.ticked else "[ ] ") if page.question.multiple else ""
        ink = c.BLUE if at == page.cursor else ""
        return f"{_cursor(page, at)} {c.GREY}{at + 1}.{c.RESET} {tick}{ink}{cut(label, columns - 10)}{c.RESET}"

    def _foot(self, page: Page) -> str:
        how = "Tab/Arrow keys" if len(self.pages) > 1 else "↑/↓"
        vim = " · ctrl+g to edit in Vim" if page.cursor == page.own_row else ""
        return f"Enter to select · {how} to navigate{vim} · Esc to cancel"

    def _review_rows(self, columns: int) -> Iterator[str]:
        yield "Review your answers"
        yield ""
        for page in self.pages:
            yield f" ● {cut(page.question.question, columns - 3)}"
            yield f"   → {cut(page.answer, columns - 5)}"
        yield ""
        for at, label in enumerate(REVIEW):
            yield f"{f'{c.BLUE}❯{c.RESET}' if at == self.cursor else ' '} {at + 1}. {label}"


def _cursor(page: Page, row: int) -> str:
    return f"{c.BLUE}❯{c.RESET}" if page.cursor == row else " "
