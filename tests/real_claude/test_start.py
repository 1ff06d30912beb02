"""Starting the real CLI: the briefing arrives to the character, and its first dialogs are answered by the policy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator_core.models.message import MessageKind
from tests.conftest import MakeProject
from tests.polling import eventually
from tests.real_claude.island import Seed
from tests.real_claude.real_rig import PATIENCE_S, RealAgent, RealRig

pytestmark = [pytest.mark.real_claude, pytest.mark.timeout(180)]

NASTY_LINES = [
    f'{n}. it\'s "item" {n} with `ticks`, $HOME $(date); #{{pane_id}} \\ {{{{ x }}}} 🙂 日本' for n in range(1, 301)
]


def briefed(agent: RealAgent) -> str:
    """Wait for the briefing, and return it as the model got it."""
    return agent.rig.island.wait_text("This is your briefing")


def test_a_long_briefing_arrives_as_one_prompt_to_the_character(real_rig: RealRig, git_project: Path) -> None:
    """Scenario 17."""
    real_rig.spec.write_text("PROJECT: Shop\nGOAL: Sell\nDELIVERABLES:\n" + "\n".join(NASTY_LINES) + "\n")
    agent = real_rig.real_agent(real_rig.start_claude(git_project))
    got = briefed(agent)
    (sent,) = [m for m in real_rig.store.messages.latest(limit=5) if m.kind is MessageKind.BRIEFING]
    assert got == sent.text.strip()
    assert all(line in got.splitlines() for line in NASTY_LINES)
    agent.wait_status("idle")
    assert real_rig.island.texts() == [got]


def test_the_trust_dialog_is_answered_by_the_policy(bare_rig: RealRig, git_project: Path) -> None:
    """Scenario 18: the default, `accept`. The cursor stands on "No, exit": a blind Enter would end the CLI."""
    bare_rig.island.seed(Seed())
    bare_rig.island.start_tmux()
    agent = bare_rig.real_agent(bare_rig.start_claude(git_project))
    briefed(agent)
    agent.wait_status("idle")
    known = json.loads((bare_rig.island.home / ".claude.json").read_text())["projects"]
    assert known[str(git_project)]["hasTrustDialogAccepted"] is True


def test_a_dialog_that_the_policy_leaves_to_the_person_waits_for_the_answer(
    bare_rig: RealRig, git_project: Path
) -> None:
    """Scenario 18: `ask`, and the person's own answer from afar."""
    bare_rig.set_up('[claude.gates]\ntrust = "ask"\n')
    bare_rig.island.seed(Seed())
    bare_rig.island.start_tmux()
    agent = bare_rig.real_agent(bare_rig.start_claude(git_project))
    assert agent.wait_status("waiting").waiting_for == "trust"
    before = agent.screen()
    held = agent.send("1 please", wait=1)
    assert (held.code, held.json["state"]) == (5, "queued"), held
    assert "trust" in held.json["reason"]
    assert agent.screen() == before
    assert bare_rig.island.texts() == []
    answered = bare_rig.tmorch("answer", agent.id, "Yes, I trust this folder")
    assert answered.code == 0, answered
    briefed(agent)
    bare_rig.island.wait_text("1 please")


@pytest.mark.parametrize(("policy", "answer"), [("accept", "Yes"), ("ask", "")])
def test_a_key_that_was_never_approved_is_handled_by_the_policy(
    bare_rig: RealRig, git_project: Path, policy: str, answer: str
) -> None:
    """Scenario 18: the dialog stands on "No (recommended)"."""
    bare_rig.set_up(f'[claude.gates]\napi_key = "{policy}"\n')
    bare_rig.island.seed(Seed(trusted=(git_project,), is_key_approved=False))
    bare_rig.island.start_tmux()
    agent = bare_rig.real_agent(bare_rig.start_claude(git_project))
    if answer:
        briefed(agent)
        agent.wait_status("idle")
    else:
        assert agent.wait_status("waiting").waiting_for == "apikey"
        assert bare_rig.island.texts() == []


def test_a_server_that_the_project_names_is_refused_by_the_policy(bare_rig: RealRig, make_project: MakeProject) -> None:
    """Scenario 18: first the trust dialog, then the one for the MCP server; the briefing comes after both."""
    ran = bare_rig.folder / "ran"
    server = {"mcpServers": {"till": {"command": "touch", "args": [str(ran)]}}}
    project = make_project(files={"README.md": "# shop\n", ".mcp.json": json.dumps(server)})
    bare_rig.set_up('[claude.gates]\nmcp = "refuse"\n')
    bare_rig.island.seed(Seed())
    bare_rig.island.start_tmux()
    agent = bare_rig.real_agent(bare_rig.start_claude(project))
    briefed(agent)
    agent.wait_status("idle")
    assert not ran.exists()


def test_the_persons_settings_and_hooks_are_left_as_they_are_and_run_besides(
    bare_rig: RealRig, git_project: Path
) -> None:
    """Scenario 87."""
    told, line = bare_rig.folder / "told", "printf 'the line of the person'"
    own = {
        "hooks": {"UserPromptSubmit": [{"hooks": [{"type": "command", "command": f"cat >> {told}"}]}]},
        "statusLine": {"type": "command", "command": line},
    }
    bare_rig.island.seed(Seed(trusted=(git_project,), settings=own))
    file = bare_rig.island.home / ".claude/settings.json"
    before = file.read_bytes()
    bare_rig.island.start_tmux()
    agent = bare_rig.real_agent(bare_rig.start_claude(git_project))
    agent.wait_status("idle")
    agent.wait_screen("the line of the person")
    number = agent.send("hello").json["id"]
    bare_rig.wait_message(number, "acknowledged")
    eventually(lambda: "hello" in told.read_text(), timeout=PATIENCE_S)
    assert bare_rig.tmorch("stop", agent.row.orchestration).code == 0
    assert file.read_bytes() == before
