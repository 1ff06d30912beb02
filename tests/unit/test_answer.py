"""Which choice an answer means: the plain yes or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.agents.screen import read_screen
from orchestrator_core.agents.screen_patterns import patterns
from orchestrator_core.agents.views import dialog_of
from orchestrator_core.models.dialog import Choice, OpenDialog
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import Cursor, PaneFrame
from orchestrator_core.services.answer import place_in
from orchestrator_core.services.choose import place_of

SCREENS = Path(__file__).parents[1] / "data" / "claude-screens"
CLAUDE = patterns("claude")


def captured(name: str) -> OpenDialog:
    lines = tuple((SCREENS / f"{name}.ansi.txt").read_text().split("\n"))
    cursor = Cursor(x=0, y=0, visible=False)
    reading = read_screen(
        PaneFrame(pane=PaneId("%1"), lines=lines, width=120, height=len(lines), cursor=cursor), CLAUDE
    )
    return dialog_of(reading)


def dialog(name: str, *labels: str, is_gate: bool = False) -> OpenDialog:
    choices = (Choice(key=str(at + 1), label=label, selected=at == 0) for at, label in enumerate(labels))
    return OpenDialog(name=name, detail="make", choices=tuple(choices), is_gate=is_gate)


def meant(asks: OpenDialog, choice: str) -> str:
    """The label of the choice that is meant, or why there is none."""
    place = place_in(asks, choice, CLAUDE)
    return place.why_not if place.at is None else asks.choices[place.at].label


@pytest.mark.parametrize(
    ("screen", "choice", "label"),
    [
        ("09_permission_bash", "approve", "Yes"),
        ("09_permission_bash", "deny", "No"),
        ("09_permission_bash", "2", "Yes, and don't ask again for echo hi and curl -s http://127.0.0.1:1/ commands"),
        ("11_permission_write", "approve", "Yes"),
        ("11_permission_write", "deny", "No"),
        ("61_askuser_end", "2", "Blue"),
        ("61_askuser_end", "red", "Red"),
        ("61_askuser_end", "chat", "Chat about this"),
        ("61_askuser_end", "3", "that choice takes words of your own: attach and answer there"),
        ("61_askuser_end", "approve", "it has no plain yes; its choices are: 1 Red, 2 Blue"),
        ("02_trust_dialog", "approve", "Yes, I trust this folder"),
        ("02_trust_dialog", "deny", "No, exit"),
        ("03_apikey_dialog", "approve", "Yes"),
        ("03_apikey_dialog", "deny", "No (recommended)"),
        ("88_mcp_approval", "approve", "Use this MCP server"),
        ("43_model_dialog", "1", "it cannot be answered from afar: attach and answer there"),
    ],
)
def test_on_screens_of_the_real_one(screen: str, choice: str, label: str) -> None:
    assert meant(captured(screen), choice).startswith(label)


@given(st.lists(st.sampled_from(["Yes, and don't ask again", "Yes, always", "No", "Yes", "Yes (y)"]), max_size=5))
def test_approve_means_the_plain_yes_of_a_permission_or_nothing(labels: list[str]) -> None:
    asks = dialog("permission", *labels)
    place = place_in(asks, "approve", CLAUDE)
    assert (place.at is not None) == ("Yes" in labels)
    assert place.at is None or labels[place.at] == "Yes"


def test_a_plan_has_no_plain_yes() -> None:
    asks = dialog("permission", "Yes, and auto-accept edits", "Yes, and manually approve edits", "No, keep planning")
    assert meant(asks, "approve").startswith("it has no plain yes")
    assert meant(asks, "deny") == "No, keep planning"


def test_several_marks_are_left_to_the_person() -> None:
    asks = dialog("question", "[ ] Apple", "[✔] Pear", "Chat about this")
    assert "several of its choices can be marked" in meant(asks, "1")


@given(st.lists(st.text(min_size=1, max_size=5), max_size=6), st.text(max_size=5))
def test_words_name_one_choice_or_none(labels: list[str], words: str) -> None:
    choices = dialog("question", *labels).choices
    place = place_of(words, choices)
    begun = [label for label in labels if words and label.startswith(words)]
    assert (place is not None) == (words in begun or len(begun) == 1)
    assert place is None or labels[place].startswith(words)
