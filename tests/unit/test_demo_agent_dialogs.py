"""The demo agent's questions, and the dialog that waits until nobody types, by a clock of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator_core.agents.demo import view as screen
from orchestrator_core.agents.demo.keys import Key, Pasted, Typed
from orchestrator_core.agents.screen import ScreenState
from tests.unit.test_agents_demo import Desk

COLOUR = {"question": "Which colour?", "header": "Colour", "choices": ["Red", "Blue"], "descriptions": ["warm", "cold"]}
FRUITS = {"question": "Which fruits?", "header": "Fruits", "choices": ["Apple", "Pear", "Plum"], "multiple": True}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def ask(desk: Desk, *questions: dict[str, Any]) -> None:
    desk.do("question", questions=list(questions))


def keys(desk: Desk, *names: str) -> None:
    for name in names:
        desk.press(Key(name) if len(name) > 1 else Typed(name))


def answers(desk: Desk) -> list[str]:
    entries = [json.loads(line) for line in desk.trace.read_text().splitlines()] if desk.trace.exists() else []
    return [entry["text"] for entry in entries if entry["kind"] == "answer"]


def rows(desk: Desk, columns: int = 100) -> str:
    return "\n".join(screen.compose(desk.agent.view(desk.now), columns, 40))


class TestOneQuestion:
    def test_it_looks_like_the_real_one(self, desk: Desk) -> None:
        ask(desk, COLOUR)
        reading = desk.reading()
        assert (reading.state, reading.dialog, reading.detail) == (ScreenState.DIALOG, "question", "Which colour?")
        assert [choice.label for choice in reading.choices] == ["Red", "Blue", "Type something.", "Chat about this"]

    @pytest.mark.parametrize(
        ("pressed", "answer"),
        [
            (["2"], "Blue"), (["Enter"], "Red"), (["Down", "Enter"], "Blue"), (["Escape"], "Escape"),
            (["Down", "Down", "Down", "Down", "Enter"], "Chat about this"),
            (["3", "G", "o", "Enter"], "Go"), (["3", "1", "Enter"], "1"),
        ],
    )  # fmt: skip
    def test_keys(self, desk: Desk, pressed: list[str], answer: str) -> None:
        ask(desk, COLOUR)
        keys(desk, *pressed)
        assert answers(desk) == [f"question: {answer}"]
        desk.pass_time(1)
        assert desk.reading().state is ScreenState.READY

    @pytest.mark.parametrize("pressed", [["4"], ["9"], ["x"], ["3"], ["3", "Enter"], ["Tab"], ["Left"]])
    def test_keys_that_answer_nothing(self, desk: Desk, pressed: list[str]) -> None:
        ask(desk, COLOUR)
        keys(desk, *pressed)
        assert answers(desk) == []
        assert desk.reading().dialog == "question"

    def test_a_pasted_message_becomes_the_answer(self, desk: Desk) -> None:
        """The trap that delivery must never step into."""
        ask(desk, COLOUR)
        desk.press(Pasted("[tmorch 1 from lead] hello"))
        desk.press(Key("Enter"))
        assert answers(desk) == ["question: [tmorch 1 from lead] hello"]
        assert desk.texts() == []

    def test_what_was_answered_is_shown(self, desk: Desk) -> None:
        ask(desk, COLOUR)
        keys(desk, "2")
        assert "· Which colour? → Blue" in rows(desk)

    def test_a_long_question_is_marked_at_each_row(self, desk: Desk) -> None:
        ask(desk, {**COLOUR, "question": "Which of all the colours in the world shall it be? " * 4})
        assert desk.reading().detail.startswith("Which of all the colours")
        assert rows(desk).count("│ ") >= 2


class TestSeveralQuestions:
    def test_any_number_may_be_picked_and_is_looked_at_before_it_goes(self, desk: Desk) -> None:
        ask(desk, FRUITS)
        keys(desk, "1", "3", "2", "2", "Down", "Down", "Down", "Down", "Enter")
        assert answers(desk) == []
        assert "Review your answers" in rows(desk)
        keys(desk, "Enter")
        assert answers(desk) == ["question: Apple, Plum"]

    def test_each_has_a_tab(self, desk: Desk) -> None:
        ask(desk, COLOUR, FRUITS)
        assert "←  ☐ Colour  ☐ Fruits  ✔ Submit  →" in rows(desk)
        keys(desk, "1")
        assert "←  ☒ Colour  ☐ Fruits  ✔ Submit  →" in rows(desk)
        keys(desk, "2", "Tab", "Left", "Right", "1")
        assert answers(desk) == ["question: Red; Pear"]

    def test_the_last_page_may_cancel(self, desk: Desk) -> None:
        ask(desk, COLOUR, FRUITS)
        keys(desk, "1", "Tab", "2")
        assert answers(desk) == ["question: Cancel"]

    @pytest.mark.parametrize("columns", [20, 60, 200])
    def test_any_width(self, desk: Desk, columns: int) -> None:
        ask(desk, COLOUR, FRUITS)
        for _ in range(3):
            assert len(screen.compose(desk.agent.view(desk.now), columns, 12)) == 12
            keys(desk, "Tab")

    @pytest.mark.parametrize("order", [{}, {"questions": []}, {"questions": [{}]}, {"question": "?", "choices": []}])
    def test_questions_that_make_no_sense_do_no_harm(self, desk: Desk, order: dict[str, Any]) -> None:
        desk.do("question", **order)
        assert desk.reading().state is ScreenState.READY


class TestGuard:
    """A dialog does not open under somebody's fingers."""

    def test_it_waits_until_nobody_types(self, desk: Desk) -> None:
        desk.press(Typed("half a thought"))
        desk.do("permission", command="ls")
        assert (desk.agent.standing.status, desk.agent.standing.waiting_for) == ("waiting", "permission prompt")
        assert (desk.reading().dialog, desk.reading().draft) == ("", "half a thought")
        assert "Waiting for permission…" in rows(desk)
        desk.pass_time(1.4)
        desk.press(Typed("!"))
        desk.pass_time(1.4)
        assert desk.reading().dialog == ""
        desk.pass_time(0.2)
        assert desk.reading().dialog == "permission"
        keys(desk, "Escape")
        assert desk.reading().draft == "half a thought!"

    def test_a_message_in_that_moment_is_queued_and_approves_nothing(self, desk: Desk) -> None:
        desk.press(Pasted("[tmorch 1 from lead] hello"))
        desk.do("permission", command="ls")
        keys(desk, "Enter")
        desk.pass_time(0.1)
        assert desk.reading().dialog == "permission"
        assert (answers(desk), desk.texts()) == ([], ["[tmorch 1 from lead] hello"])

    def test_an_old_draft_holds_nothing_back(self, desk: Desk) -> None:
        desk.press(Typed("half a thought"))
        desk.pass_time(2)
        desk.do("permission", command="ls")
        assert desk.reading().dialog == "permission"
