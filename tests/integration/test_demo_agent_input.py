"""What the demo agent makes of keys, pastes and dialogs, in a real tmux: the traps of the real one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator_core.agents.screen import ScreenState
from tests.conftest import TmuxServer
from tests.fakes.claude_stand_in import StandInPane
from tests.polling import eventually

Start = Callable[..., StandInPane]


@pytest.fixture
def start(tmux_server: TmuxServer, tmp_path: Path) -> Start:
    def begin(*arguments: str, ready: bool = True, width: int = 100, height: int = 30) -> StandInPane:
        defaults = ("--ready-after", "0", "--think", "0")
        pane = StandInPane(tmux_server, tmp_path / "agent", *defaults, *arguments, width=width, height=height)
        if ready:
            pane.wait(ScreenState.READY)
        return pane

    return begin


TEXTS = {
    "one line": "hello there",
    "three lines": "one\ntwo\nthree",
    "240 lines": "".join(f"line {n}: the quick brown fox 日本 🙂\n" for n in range(240)) + "end",
    "900 characters": "word " * 180 + "end",
    "wide": "日本語 한국어 👩‍👩‍👧 é",
    "looks like keys": "Enter Escape C-c",
    "shell": "$(date) `id` #{pane_id} ; \\n 'x' \"y\"",
    "dash": "-x",
    "leading spaces": "    indented",
    "tab": "a\tb",
    "backslashes": "C:\\x\\ y",
}


def took(agent: StandInPane, text: str) -> None:
    eventually(lambda: agent.texts()[-1:] == [text])


def shows_gate(agent: StandInPane, gate: str, selected: str) -> None:
    def is_shown() -> bool:
        reading = agent.reading()
        return reading.dialog == gate and [c.label for c in reading.choices if c.selected] == [selected]

    eventually(is_shown, what=agent.text())


def test_a_paste_is_taken_to_the_character(start: Start) -> None:
    agent = start()
    for text in TEXTS.values():
        agent.submit(text)
        took(agent, text)
    assert agent.submissions() == [("prompt", text) for text in TEXTS.values()]


@pytest.mark.parametrize(
    ("text", "mark"),
    [("x" * 801, "[Pasted text #1 +0 lines]"), ("a\nb\nc\nd", "[Pasted text #1 +3 lines]")],
    ids=["long", "four lines"],
)
def test_a_long_paste_is_folded_and_sent_whole(start: Start, text: str, mark: str) -> None:
    agent = start()
    agent.type("see: ")
    agent.wait_draft("see:")
    agent.paste(text)
    eventually(lambda: agent.reading().draft == f"see: {mark}")
    assert agent.reading().pasted
    agent.press("Enter")
    eventually(lambda: agent.texts() == [f"see: {text}"])


@pytest.mark.parametrize("text", ["x" * 800, "a\nb\nc"], ids=["800 characters", "three lines"])
def test_a_shorter_paste_is_shown_as_it_is(start: Start, text: str) -> None:
    agent = start()
    agent.paste(text)
    eventually(lambda: agent.reading().draft)
    assert not agent.reading().pasted
    assert agent.reading().draft.replace("\n", "") == text.replace("\n", "")


def test_two_pastes_in_a_row_are_one_prompt(start: Start) -> None:
    """As tmorch types a long message: its header first, then the rest."""
    agent = start()
    body = "line\n" * 10
    agent.paste("[tmorch 1 from lead] ")
    agent.paste(body)
    eventually(lambda: agent.reading().pasted)
    assert agent.reading().draft.startswith("[tmorch 1 from lead] [Pasted text #1 +10 lines]")
    agent.press("Enter")
    eventually(lambda: agent.texts() == [f"[tmorch 1 from lead] {body}"])


def test_an_enter_in_the_same_read_as_typed_text_is_swallowed(start: Start, tmux_server: TmuxServer) -> None:
    agent = start()
    tmux_server.run("send-keys", "-t", agent.pane, "-l", "typed", ";", "send-keys", "-t", agent.pane, "Enter")
    eventually(lambda: "typed" in agent.reading().draft)
    assert agent.texts() == []
    agent.type("more")
    agent.wait_draft("typed\nmore")
    agent.press("Enter")
    eventually(lambda: agent.texts() == ["typed\nmore"])


def test_an_enter_in_the_same_read_as_a_paste_counts(start: Start, tmux_server: TmuxServer, tmp_path: Path) -> None:
    agent = start()
    tmux_server.run("set-buffer", "-b", "one", "pasted")
    tmux_server.run(
        *("paste-buffer", "-p", "-r", "-b", "one", "-t", agent.pane, ";", "send-keys", "-t", agent.pane, "Enter")
    )
    eventually(lambda: agent.texts() == ["pasted"])


def test_a_backslash_before_enter_makes_a_line_break(start: Start) -> None:
    agent = start()
    agent.submit("first\\")
    agent.wait_draft("first")
    agent.submit("second")
    eventually(lambda: agent.texts() == ["first\nsecond"])


def test_a_bang_is_a_shell_command_and_a_word_with_a_slash_a_command(start: Start) -> None:
    agent = start()
    for text in ("!rm -rf build", "/compact", "/nosuchcommand please", "/tmp/x is a path", "say /compact"):
        agent.submit(text)
        agent.wait_draft("")
    eventually(lambda: len(agent.texts()) == 4)
    assert agent.submissions() == [
        ("bang", "!rm -rf build"),
        ("command", "/compact"),
        ("prompt", "/tmp/x is a path"),
        ("prompt", "say /compact"),
    ]
    assert ("unknown-command", "/nosuchcommand please") in agent.trace()
    agent.sees("Unknown command: /nosuchcommand")


def test_text_that_comes_too_early_stays_as_a_draft(start: Start) -> None:
    agent = start("--ready-after", "1.5", ready=False)
    eventually(lambda: agent.fact("alternate_on") == "1")
    agent.submit("early")
    agent.wait_draft("early")
    assert agent.texts() == []
    agent.press("Enter")
    eventually(lambda: agent.texts() == ["early"])


def test_the_prompt_argument_is_submitted_once(start: Start) -> None:
    text = "- a 'first' \"prompt\" with $HOME\nand `more` \\\n"
    agent = start("--session-id", "1", "--settings", "x", "--permission-mode", "plan", "-n", "shop:dev", "--", text)
    eventually(lambda: agent.submissions() == [("prompt", text)])
    agent.sees("shop:dev ─")
    agent.sees("plan mode on")


def test_what_is_sent_while_it_works_is_queued_and_becomes_one_turn(start: Start) -> None:
    agent = start()
    agent.do("busy")
    agent.wait(ScreenState.BUSY)
    for text in ("one", "two", "three"):
        agent.submit(text)
        took(agent, text)
    reading = agent.reading()
    assert (reading.state, reading.queued, reading.draft) == (ScreenState.BUSY, True, "")
    agent.sees("Press up to edit queued messages")
    agent.do("idle")
    eventually(lambda: agent.trace() == [("turn", "one\ntwo\nthree")])
    assert agent.submissions() == [("queued", text) for text in ("one", "two", "three")]


def test_escape_interrupts_and_then_sends_the_queue(start: Start) -> None:
    agent = start()
    agent.do("busy")
    agent.wait(ScreenState.BUSY)
    agent.submit("next")
    eventually(lambda: agent.texts() == ["next"])
    agent.press("Escape")
    agent.wait(ScreenState.READY)
    agent.sees("Interrupted")
    assert agent.trace() == [("key", "Escape"), ("turn", "next")]


def test_an_escape_before_the_answer_puts_the_prompt_back(start: Start) -> None:
    """The trap after an interruption: text lies at the prompt that nobody typed there."""
    agent = start("--think", "600")
    agent.submit("hello there")
    agent.wait(ScreenState.BUSY)
    agent.press("Escape")
    agent.wait_draft("hello there")
    assert agent.texts() == ["hello there"]
    assert not agent.reading().doing


def test_swallowed_enters_leave_the_text_where_it_is(start: Start) -> None:
    agent = start("--swallow-enter", "2")
    agent.paste("hello")
    agent.wait_draft("hello")
    agent.press("Enter", "Enter")
    agent.type("!")
    agent.wait_draft("hello!")
    assert agent.texts() == []
    agent.press("Enter")
    eventually(lambda: agent.texts() == ["hello!"])


def test_a_message_into_a_permission_prompt_approves_it_and_is_lost(start: Start) -> None:
    """The trap that delivery must never step into."""
    agent = start()
    agent.do("permission", command="rm -rf build")
    assert agent.wait(ScreenState.DIALOG).detail == "rm -rf build"
    agent.submit("please look at the tests")
    agent.wait(ScreenState.READY)
    assert agent.trace() == [("answer", "permission: Yes")]
    assert agent.texts() == []


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("3",), "No"),
        (("Down", "Down", "Enter"), "No"),
        (("Down", "Up", "Enter"), "Yes"),
        (("Escape",), "Escape"),
    ],
    ids=["digit", "down", "up", "escape"],
)
def test_keys_answer_a_permission_prompt(start: Start, keys: tuple[str, ...], answer: str) -> None:
    agent = start()
    agent.do("permission", command="ls")
    agent.wait(ScreenState.DIALOG)
    agent.press(*keys)
    agent.wait(ScreenState.READY)
    assert [entry for entry in agent.trace() if entry[0] == "answer"] == [("answer", f"permission: {answer}")]


def test_a_question_is_answered_by_its_number(start: Start) -> None:
    agent = start()
    agent.do("question", question="Which colour?", choices=["Red", "Blue"])
    reading = agent.wait(ScreenState.DIALOG)
    assert (reading.dialog, reading.detail) == ("question", "Which colour?")
    assert [choice.label for choice in reading.choices] == ["Red", "Blue", "Type something.", "Chat about this"]
    agent.type("2")
    agent.wait(ScreenState.READY)
    assert agent.trace() == [("answer", "question: Blue")]


def test_a_persons_draft_stays_through_a_dialog(start: Start) -> None:
    agent = start()
    agent.type("half a thought")
    agent.wait_draft("half a thought")
    agent.do("permission", command="ls")
    agent.wait(ScreenState.DIALOG)
    agent.press("Escape")
    agent.wait_draft("half a thought")


def test_the_gates_come_in_their_order_and_then_the_prompt(start: Start) -> None:
    agent = start("--gates", "trust,bypass,mcp", "the briefing", ready=False)
    for gate, wanted in (("trust", "Yes, I trust this folder"), ("bypass", "Yes, I accept")):
        shows_gate(agent, gate, "No, exit")
        agent.press("Down")
        shows_gate(agent, gate, wanted)
        assert agent.texts() == []
        agent.press("Enter")
    shows_gate(agent, "mcp", "Continue without using this MCP server")
    agent.press("Enter")
    eventually(lambda: agent.texts() == ["the briefing"])


@pytest.mark.parametrize("key", ["Enter", "Escape"])
def test_a_blind_enter_at_the_trust_dialog_ends_it(start: Start, key: str) -> None:
    agent = start("--gates", "trust", ready=False)
    eventually(lambda: agent.reading().dialog == "trust")
    agent.press(key)
    assert agent.exit_code() == 1


def test_two_ctrl_c_end_it_and_the_first_one_clears_the_draft(start: Start) -> None:
    agent = start()
    agent.type("a draft")
    agent.wait_draft("a draft")
    agent.press("C-c")
    agent.wait_draft("")
    agent.sees("Press Ctrl-C again to exit")
    agent.press("C-c")
    assert agent.exit_code() == 0


def test_copy_mode_is_tmuxs_affair(start: Start, tmux_server: TmuxServer) -> None:
    """A paste reaches the prompt, an Enter goes to copy mode."""
    agent = start()
    tmux_server.run("copy-mode", "-t", agent.pane)
    agent.submit("hello")
    agent.wait_draft("hello")
    assert agent.texts() == []


def test_a_fifo_takes_orders_too(tmux_server: TmuxServer, tmp_path: Path) -> None:
    import os

    folder = tmp_path / "agent"
    folder.mkdir()
    os.mkfifo(folder / "control.jsonl")
    agent = StandInPane(tmux_server, folder, "--ready-after", "0")
    agent.wait(ScreenState.READY)
    agent.do("print", text="heard through a pipe")
    agent.sees("● heard through a pipe")


def test_an_order_that_is_not_understood_is_said_so(start: Start) -> None:
    agent = start()
    agent.do("fly")
    agent.sees("order not understood")
    agent.do("permission")
    agent.sees("KeyError")
    assert agent.reading().state is ScreenState.READY
