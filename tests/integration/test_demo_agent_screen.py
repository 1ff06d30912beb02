"""The demo agent's real screen is read as what it is, in every state and at every size."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator_core.agents.screen import ScreenState
from orchestrator_core.agents.screen_patterns import patterns
from tests.conftest import TmuxServer
from tests.fakes.claude_stand_in import StandInPane, write_stand_in
from tests.polling import eventually

SIZES = [(80, 24), (100, 30), (200, 50), (50, 20)]
MARK = "not a real AI"

Order = dict[str, Any]


@pytest.fixture
def agent_at(tmux_server: TmuxServer, tmp_path: Path) -> Callable[[int, int], StandInPane]:
    def begin(width: int, height: int) -> StandInPane:
        pane = StandInPane(
            tmux_server, tmp_path / "agent", "--ready-after", "0", "--think", "0", width=width, height=height
        )
        pane.wait(ScreenState.READY)
        return pane

    return begin


@pytest.fixture
def agent(agent_at: Callable[[int, int], StandInPane]) -> StandInPane:
    return agent_at(100, 30)


STATES: list[tuple[Order, ScreenState]] = [
    ({"do": "busy"}, ScreenState.BUSY),
    ({"do": "retry", "text": "API error"}, ScreenState.BUSY),
    ({"do": "limit", "until": "2:59pm"}, ScreenState.LIMIT),
    ({"do": "error", "text": "Credit balance too low · Add funds"}, ScreenState.ERROR),
    ({"do": "permission", "command": "rm -rf build && echo 'a rather long command' | tee log"}, ScreenState.DIALOG),
    ({"do": "question", "question": "Which colour?", "choices": ["Red", "Blue"]}, ScreenState.DIALOG),
    ({"do": "limit", "until": "2:59pm", "menu": True}, ScreenState.DIALOG),
]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_state_is_read_at_every_size(
    agent_at: Callable[[int, int], StandInPane], width: int, height: int
) -> None:
    agent = agent_at(width, height)
    agent.submit("a first prompt")
    agent.sees("I have read")
    for order, state in STATES:
        agent.do(**{"what": order["do"], **{key: value for key, value in order.items() if key != "do"}})
        reading = agent.wait(state)
        assert " ".join(reading.detail.split()) == order.get("command", reading.detail)
        agent.do("idle")
        eventually(lambda: (now := agent.reading()).has_prompt and not now.resumes and not now.doing)
        agent.submit("go on")
        assert agent.wait(ScreenState.READY).draft == ""


@pytest.mark.parametrize("name", ["trust", "bypass", "mcp", "apikey", "auto_nudge", "settings", "login", "usage_limit"])
def test_every_dialog_is_read(agent: StandInPane, name: str) -> None:
    agent.do("dialog", name=name)
    reading = agent.wait(ScreenState.DIALOG)
    assert reading.dialog == name
    assert [choice.selected for choice in reading.choices].count(True) == 1
    answer = patterns("claude").gate_answer(name, accept=True)
    assert not answer or any(answer in choice.label for choice in reading.choices)


def test_the_marks_of_a_demo_are_on_its_screen(agent: StandInPane) -> None:
    assert agent.text().count(MARK) == 2  # in the banner and in the footer
    agent.do("busy")
    agent.wait(ScreenState.BUSY)
    assert MARK in agent.text()


def test_it_says_what_it_does(agent: StandInPane) -> None:
    agent.do("busy")
    assert agent.wait(ScreenState.BUSY).doing.endswith("…")
    agent.do("idle")
    agent.wait(ScreenState.READY)
    agent.do("retry", text="Connection dropped (ECONNRESET)")
    reading = agent.wait(ScreenState.BUSY)
    assert reading.retrying
    assert reading.doing == "Connection dropped (ECONNRESET) · retrying"


def test_a_busy_agent_becomes_ready_by_itself(agent: StandInPane) -> None:
    agent.do("busy", seconds=0.3)
    agent.wait(ScreenState.READY)
    agent.sees("· done ")


def test_a_limit_lifts_at_its_time(agent: StandInPane) -> None:
    import time

    agent.do("limit", until=time.time() + 1)
    reading = agent.wait(ScreenState.LIMIT)
    assert "resets" in reading.detail
    assert reading.resumes
    agent.submit("while it lasts")
    eventually(lambda: agent.texts() == ["while it lasts"])
    agent.sees("Usage limit reached again")
    agent.wait(ScreenState.READY)


def test_the_newest_message_is_read_back(agent: StandInPane) -> None:
    for text in ("[tmorch 7 from lead] short", "[tmorch 8 from lead] 日本語\nwith\n\nblank lines"):
        agent.submit(text)
        agent.wait_draft("")
        eventually(lambda wanted=text: agent.reading().last_prompt == wanted)  # type: ignore[misc]  # mypy#4226


def test_a_draft_order_leaves_text_that_is_read_as_a_draft(agent: StandInPane) -> None:
    agent.submit("a turn")
    agent.wait(ScreenState.READY)
    agent.do("draft", text="somebody's 日本語 thought\nin two lines")
    agent.wait_draft("somebody's 日本語 thought\nin two lines")
    assert agent.reading().says == "shows unsent text at its prompt"


def test_a_very_long_draft_still_has_a_prompt(agent: StandInPane) -> None:
    agent.do("draft", text="\n".join(f"line {n}" for n in range(200)))
    eventually(lambda: agent.reading().draft.endswith("line 199"))
    assert agent.reading().has_prompt


def test_quiet_means_that_nothing_is_read_or_drawn(agent: StandInPane) -> None:
    agent.do("busy")
    agent.wait(ScreenState.BUSY)
    agent.do("quiet")
    eventually(lambda: (first := agent.text()) and all(agent.text() == first for _ in range(20)))
    agent.submit("is anybody there?")
    assert agent.texts() == []
    agent.do("idle")
    eventually(lambda: agent.texts() == ["is anybody there?"])


def test_a_new_size_is_drawn_anew(agent: StandInPane, tmux_server: TmuxServer) -> None:
    agent.submit("a message of some words that will have to be wrapped when there is less room for it")
    agent.sees("I have read")
    for width, height in ((60, 20), (140, 40)):
        tmux_server.run("resize-window", "-t", agent.pane, "-x", str(width), "-y", str(height))
        eventually(lambda columns=width: "─" * columns in agent.text().splitlines())  # type: ignore[misc]  # mypy#4226
        reading = agent.reading()
        assert reading.state is ScreenState.READY
        assert len(agent.text().splitlines()) == height


def test_a_crash_leaves_its_screen_behind(agent: StandInPane) -> None:
    """As the real one does: only the process tells."""
    agent.do("busy")
    agent.wait(ScreenState.BUSY)
    agent.do("crash")
    assert agent.ended("pane_dead_signal") == "9"
    assert "esc to interrupt" in agent.text()


@pytest.mark.parametrize(("signal", "code"), [("TERM", 143), ("HUP", 129)])
def test_a_signal_ends_it_cleanly(agent: StandInPane, signal: str, code: int) -> None:
    os.kill(int(agent.fact("pane_pid")), {"TERM": 15, "HUP": 1}[signal])
    assert agent.exit_code() == code
    assert agent.fact("alternate_on") == "0"
    assert "The demo agent has ended" in agent.text()


def test_exit_has_the_code_that_was_ordered(agent: StandInPane) -> None:
    agent.do("exit", code=7)
    assert agent.exit_code() == 7


def test_it_looks_like_claude_to_tmux(agent: StandInPane) -> None:
    assert agent.fact("pane_current_command") == "claude"
    assert agent.fact("alternate_on") == "1"


def test_the_plain_screen_scrolls_and_is_read_too(tmux_server: TmuxServer, tmp_path: Path) -> None:
    agent = StandInPane(
        tmux_server, tmp_path / "agent", "--no-alternate-screen", "--ready-after", "0", "--think", "0", height=20
    )
    agent.wait(ScreenState.READY)
    for number in range(12):
        agent.submit(f"message {number}")
        eventually(lambda wanted=number: agent.reading().last_prompt == f"message {wanted}")  # type: ignore[misc]  # mypy#4226
        agent.wait(ScreenState.READY)
    assert agent.fact("alternate_on") == "0"
    history = tmux_server.run("capture-pane", "-p", "-S", "-", "-t", agent.pane)
    assert [line for line in history.splitlines() if line.startswith("❯ message")] == [
        f"❯ message {number}" for number in range(12)
    ]
    agent.do("permission", command="ls")
    agent.wait(ScreenState.DIALOG)
    agent.press("Escape")
    agent.wait(ScreenState.READY)
    agent.do("busy")
    agent.wait(ScreenState.BUSY)


def test_without_a_terminal_it_says_so(tmp_path: Path) -> None:
    import subprocess

    program = write_stand_in(tmp_path)
    done = subprocess.run([program], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
