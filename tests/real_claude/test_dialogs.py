"""Dialogs of the real CLI: told exactly, left alone by messages, and answered from afar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.polling import eventually
from tests.real_claude.real_rig import PATIENCE_S, RealAgent

pytestmark = [pytest.mark.real_claude, pytest.mark.timeout(180)]

COMMAND = "touch made; printf '%s' \"it's\" | cat > made.txt"
COLORS = {
    "question": "Which color shall the till have?",
    "header": "Color",
    "multiSelect": False,
    "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}],
}


def made(agent: RealAgent) -> Path:
    return Path(agent.row.worktree) / "made"


def asks(agent: RealAgent, text: str, waiting_for: str) -> None:
    """Give it work that opens a dialog."""
    assert agent.send(text).code == 0
    assert agent.wait_status("waiting").waiting_for == waiting_for, agent.screen()


def shown(agent: RealAgent) -> str:
    """Wait until the permission dialog is drawn, and return it: what stands above it is still moving."""
    agent.wait_screen("Tab to amend")
    return agent.screen().rpartition("Bash command")[2]


def needs(agent: RealAgent) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = agent.rig.tmorch("needs", "--json").json["needs"]
    return found


def the_need(agent: RealAgent, kind: str) -> dict[str, Any]:
    """Wait until something of this kind is all that is needed."""
    eventually(lambda: [need["kind"] for need in needs(agent)] == [kind], timeout=PATIENCE_S, what=f"{needs(agent)}")
    return needs(agent)[0]


def test_a_dialog_is_named_and_left_as_it_is(agent: RealAgent) -> None:
    """Scenario 28: naively sent, the message would approve the command."""
    asks(agent, f"[[bash {COMMAND}]]", "permission")
    before = shown(agent)
    held = agent.send("1 please", wait=2)
    assert (held.code, held.json["state"]) == (5, "queued"), held
    assert "permission" in held.json["reason"]
    assert shown(agent) == before
    now = agent.send("2 at once", "--now", wait=2)
    assert (now.code, now.json["state"]) == (5, "queued"), now
    assert shown(agent) == before
    agent.press("Escape")
    for done in (held, now):
        agent.rig.wait_message(done.json["id"], "acknowledged")
    assert not made(agent).exists()


@pytest.mark.parametrize("answer", ["approve", "deny"])
def test_a_permission_is_told_exactly_and_answered_from_afar(agent: RealAgent, answer: str) -> None:
    """Scenario 82."""
    asks(agent, f"[[bash {COMMAND}]]", "permission")
    need = the_need(agent, "permission")
    assert need["detail"] == COMMAND
    assert need["choices"][0]["label"] == "Yes"
    done = agent.rig.tmorch("answer", agent.id, answer, "--fingerprint", need["fingerprint"], "--json")
    assert done.code == 0, (done, agent.screen())
    agent.wait_status("idle")
    eventually(lambda: needs(agent) == [], timeout=PATIENCE_S, what=f"{needs(agent)}")
    assert made(agent).exists() is (answer == "approve")


def test_an_answer_for_another_dialog_is_not_given(agent: RealAgent) -> None:
    """Scenario 82: only that very prompt is answered."""
    asks(agent, "[[bash touch other]]", "permission")
    earlier = the_need(agent, "permission")["fingerprint"]
    agent.press("Escape")
    agent.wait_status("idle")
    asks(agent, f"[[bash {COMMAND}]]", "permission")
    done = agent.rig.tmorch("answer", agent.id, "approve", "--fingerprint", earlier, "--json")
    assert done.code == 3, done
    assert agent.row.status == "waiting"
    assert not made(agent).exists()


def test_a_command_longer_than_the_window_is_told_whole(agent: RealAgent) -> None:
    """Scenario 82: on screen its beginning is cut off."""
    steps = "\n".join(f"echo step {n} >> made" for n in range(120))
    asks(agent, f"[[tool Bash {json.dumps({'command': steps, 'description': 'Many steps'})}]]", "permission")
    agent.wait_screen("more lines")
    assert the_need(agent, "permission")["detail"] == steps
    assert agent.rig.tmorch("answer", agent.id, "approve").code == 0
    agent.wait_status("idle")
    assert made(agent).read_text().splitlines()[-1] == "step 119"


def test_an_edit_is_approved_from_afar(agent: RealAgent) -> None:
    """Scenario 82: the text to be written looks like a dialog."""
    file = Path(agent.row.worktree) / "notes.md"
    text = "Do you want to proceed?\n❯ 1. No\n  2. Yes\n"
    asks(agent, f"[[tool Write {json.dumps({'file_path': str(file), 'content': text})}]]", "permission")
    assert "notes.md" in the_need(agent, "permission")["detail"]
    assert agent.rig.tmorch("answer", agent.id, "approve").code == 0
    agent.wait_status("idle")
    assert file.read_text() == text


@pytest.mark.parametrize("choice", ["Blue", "2"])
def test_a_question_is_answered_from_afar(agent: RealAgent, choice: str) -> None:
    """Scenario 82."""
    asks(agent, f"[[tool AskUserQuestion {json.dumps({'questions': [COLORS]})}]]", "question")
    need = the_need(agent, "question")
    assert str(COLORS["question"]) in need["detail"]
    assert [option["label"] for option in need["choices"]][:2] == ["Red", "Blue"]
    held = agent.send("neither", wait=2)
    assert (held.code, held.json["state"]) == (5, "queued"), held
    done = agent.rig.tmorch("answer", agent.id, choice, "--json")
    assert done.code == 0, (done, agent.screen())
    agent.rig.wait_message(held.json["id"], "acknowledged")
    answers = [got.told for got in agent.rig.island.received() if got.told]
    assert len(answers) == 1
    assert "Blue" in answers[0]
    assert "neither" not in answers[0]


def test_a_page_of_the_persons_own_is_left_alone(agent: RealAgent) -> None:
    """Scenario 28: what the person opened at the agent's window waits for the person."""
    agent.type("/memory")
    agent.wait_screen("❯\N{NO-BREAK SPACE}/memory")
    agent.press("Enter")
    agent.wait_screen("Esc to close")
    agent.wait_status("waiting")
    before = agent.screen()
    held = agent.send("hello", wait=2)
    assert (held.code, held.json["state"]) == (5, "queued"), held
    assert agent.screen() == before
    agent.press("Escape")
    agent.rig.wait_message(held.json["id"], "acknowledged")


def test_a_search_in_the_history_is_not_typed_into(agent: RealAgent) -> None:
    """The CLI calls itself idle meanwhile, and the box of the search looks like a prompt."""
    agent.press("C-r")
    agent.wait_screen("Filter history")
    held = agent.send("hello", wait=3)
    assert (held.code, held.json["state"]) == (5, "queued"), held
    assert "tmorch" not in agent.screen().splitlines()[-1]
    agent.press("Escape")
    agent.rig.wait_message(held.json["id"], "acknowledged")
