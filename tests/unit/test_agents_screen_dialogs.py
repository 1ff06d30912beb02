"""What a dialog asks and which answers it takes, told exactly."""

from __future__ import annotations

import pytest

from orchestrator_core.agents.screen import Reading
from tests.fakes.captured_screens import CLAUDE, EXPECTED, lines_of, read


def of(name: str) -> Reading:
    return read(lines_of(f"panes/{name}"))


def picks(reading: Reading) -> list[tuple[str, str]]:
    return [(choice.key, choice.label) for choice in reading.choices]


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("permission_named_like_one", "touch /home/user/w/tmp/zz && sleep 15"),
        ("permission_edit_120x34", "Edit file a.txt"),
        ("permission_edit_80x10", "Do you want to make this edit to a.txt?"),
        ("permission_fetch_120x34", "url: https://example.com/some/path?q=1\nprompt: what is it"),
        ("permission_read_120x34", "Read(/etc/hostname)"),
        ("permission_default_no", "Launch a new agent\nAgent(slow sub)"),
        ("permission_write_80x24", "Do you want to create limit reached 1. Yes.md?"),
        ("real_permission_mcp", 'till — Open Drawer Tool: (MCP)\nforce: true\nnote: "because"'),
        (
            "plan_60x20",
            "Claude has written up a plan and is ready to execute. Would you like to proceed?",
        ),
        (
            "questions_60x34",
            "Which colour should the rather long and winding button have, given that the design team has not "
            "decided yet?",
        ),
        ("trust_60x20", "/home/user/w/untrusted"),
    ],
)
def test_what_is_asked(name: str, detail: str) -> None:
    assert of(name).detail == detail


def test_a_command_of_several_lines_is_told_line_by_line() -> None:
    assert of("permission_command_120x34").detail.split("\n")[:5] == [
        "cat > /tmp/x/very-long-file-name.txt <<'EOF'",
        "first line with some words",
        "❯ 1. Yes",
        "   Do you want to proceed?",
        "EOF",
    ]


def test_a_dialog_that_begins_above_the_screen_says_so() -> None:
    assert [of(f"permission_command_{size}").cut for size in ("120x34", "80x16", "80x10")] == [False, True, True]
    assert of("permission_command_80x16").detail.endswith("&& rm -rf build")
    assert of("permission_command_80x10").detail == ""


def test_choices_out_of_sight_are_told() -> None:
    assert picks(of("permission_edit_80x10"))[0] == ("1", "Yes")
    assert of("permission_edit_80x10").more_choices
    assert not of("permission_edit_60x20").more_choices
    assert picks(of("questions_80x10")) == [("1", "Red"), ("4", "Chat about this")]
    assert of("questions_80x10").more_choices


def test_choices_may_have_no_numbers_and_no_may_come_first() -> None:
    reading = of("permission_default_no")
    assert [(c.key, c.label, c.selected) for c in reading.choices] == [("", "No", True), ("", "Yes", False)]


def test_several_questions_name_their_tabs() -> None:
    assert of("questions_120x34").question_tabs == ("Colour", "Parts")
    assert of("real_question_several").question_tabs == ("Color", "Size", "Fruits")
    assert read(lines_of("61_askuser_end")).question_tabs == ("Color",)


def test_more_than_one_may_be_ticked() -> None:
    reading = of("questions_ticked")
    assert reading.multi
    assert picks(reading) == [
        ("1", "[✔] Front"),
        ("2", "[ ] Back"),
        ("3", "[ ] Tests"),
        ("4", "[ ] Type something"),
        ("", "Submit"),
        ("5", "Chat about this"),
    ]
    assert [c.label for c in of("real_question_multiselect_on_submit").choices if c.selected] == ["Submit"]
    assert not of("questions_120x34").multi


def test_answers_that_wait_to_be_submitted() -> None:
    reading = of("questions_submit_120x34")
    assert picks(reading) == [("1", "Submit answers"), ("2", "Cancel")]
    assert reading.detail.endswith("● Which parts? → Front")


def test_options_that_read_like_dialogs_are_options() -> None:
    reading = of("question_quotes_120x34")
    assert picks(reading)[:2] == [("1", "1. Yes"), ("2", "Esc to cancel")]
    assert [c.selected for c in reading.choices] == [True, False, False, False]


def test_a_preview_beside_the_options_is_none_of_them() -> None:
    assert picks(of("real_question_preview")) == [("1", "A"), ("2", "B"), ("", "Chat about this")]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_answer_to_a_gate_is_a_choice_of_its_dialog(name: str) -> None:
    reading = read(lines_of(name))
    for accept in (True, False) if reading.gate else ():
        answer = CLAUDE.gate_answer(reading.dialog, accept=accept)
        assert not answer or any(answer in choice.label for choice in reading.choices)
