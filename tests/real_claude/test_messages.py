"""Messages to the real CLI: each arrives once, to the character, and nothing is interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator_core.services.envelope import REQUEST
from tests.integration.test_delivery import NASTY
from tests.polling import eventually
from tests.real_claude.island import Seed
from tests.real_claude.real_rig import PATIENCE_S, RealAgent, RealRig

pytestmark = [pytest.mark.real_claude, pytest.mark.timeout(180)]


def header(number: int) -> str:
    return f"[tmorch {number} from the person] "


def taken(agent: RealAgent) -> list[str]:
    """What the model was sent after the briefing, in order."""
    return agent.rig.island.texts()[1:]


def states(agent: RealAgent) -> list[str]:
    """The states of the messages to it, oldest first, as `tmorch messages` shows them."""
    shown = agent.rig.tmorch("messages", agent.id, "--limit", "100", "--json").json["messages"]
    return [message["state"] for message in reversed(shown) if message["kind"] == "text"]


def test_texts_of_any_kind_arrive_to_the_character_and_once(agent: RealAgent) -> None:
    """Scenarios 21 and 26."""
    wanted = []
    for name, text in NASTY.items():
        if name == "slash":
            text = f"about {text}"  # alone it would be a command
        done = agent.send(text)
        assert done.code == 0, (name, done, agent.screen())
        wanted.append((header(done.json["id"]) + (f"{REQUEST}\n\n" if name == "10 kB" else "") + text).strip())
        agent.rig.island.wait_text(header(done.json["id"]))
        agent.wait_status("idle")
    assert taken(agent) == wanted
    eventually(lambda: set(states(agent)) == {"acknowledged"}, timeout=PATIENCE_S, what=f"{states(agent)}")


def test_messages_sent_at_once_arrive_each_in_its_own_prompt(agent: RealAgent) -> None:
    """Scenarios 21 and 29: back to back they would fuse."""
    numbers = [agent.rig.tmorch("send", agent.id, f"part {n}", "--no-wait", "--json").json["id"] for n in range(6)]
    for number in numbers:
        agent.rig.wait_message(number, "acknowledged")
    agent.rig.island.wait_text("part 5")
    assert taken(agent) == [f"{header(number)}part {n}" for n, number in enumerate(numbers)]


def test_a_working_agent_is_not_interrupted(agent: RealAgent) -> None:
    """Scenario 27."""
    assert agent.send("work [[hang]]").code == 0
    agent.wait_status("working")
    held = agent.send("when you can", wait=2)
    assert (held.code, held.json["state"]) == (5, "queued"), held
    assert "working" in held.json["reason"]
    assert agent.session()["status"] == "busy"
    agent.rig.island.release()
    agent.rig.wait_message(held.json["id"], "acknowledged")
    agent.rig.island.wait_text("when you can")
    assert len(taken(agent)) == 2
    assert "Interrupted" not in agent.screen()
    assert "Released." in agent.screen()


def test_now_goes_into_the_agents_own_queue(agent: RealAgent) -> None:
    """Scenario 27, with --now."""
    assert agent.send("work [[hang]]").code == 0
    agent.wait_status("working")
    done = agent.send("at once", "--now")
    assert done.json["state"] in ("delivered", "acknowledged"), done
    assert agent.session()["status"] == "busy"
    assert len(taken(agent)) == 1
    agent.rig.island.release()
    agent.rig.wait_message(done.json["id"], "acknowledged")
    agent.rig.island.wait_text("at once")
    assert "Interrupted" not in agent.screen()


def test_a_message_is_handed_over_beside_a_draft(agent: RealAgent) -> None:
    """Scenarios 25 and 27: the agent's own Stop hook takes it, and no key is pressed."""
    assert agent.send("work [[hang]]").code == 0
    agent.wait_status("working")
    agent.type("half a thought")
    agent.wait_screen("half a thought")
    number = agent.rig.tmorch("send", agent.id, "by another road", "--no-wait", "--json").json["id"]
    eventually(lambda: agent.rig.store.messages.get(number).state != "queued", timeout=PATIENCE_S)
    agent.rig.island.release()
    agent.rig.wait_message(number, "acknowledged")
    got = agent.rig.island.wait_text("by another road")
    assert got.endswith(f"{header(number)}by another road")
    agent.wait_status("idle")
    assert len(taken(agent)) == 2
    assert "half a thought" in agent.screen()


def test_a_message_that_meets_an_opening_dialog_does_not_answer_it(agent: RealAgent) -> None:
    """Scenario 28, with --now: the dialog comes while the message is on its way."""
    notes = {}
    for n in range(5):
        assert agent.send(f"step {n} [[bash touch made{n}]]").code == 0
        notes[n] = agent.rig.tmorch("send", agent.id, f"note {n}", "--now", "--no-wait", "--json").json["id"]
        agent.wait_screen("Do you want to proceed?")
        agent.press("Escape")
        agent.wait_status("idle")
        agent.rig.wait_message(notes[n], "acknowledged", "unconfirmed")
        agent.wait_status("idle")
    assert not list(Path(agent.row.worktree).glob("made*"))
    for n, number in notes.items():
        if agent.rig.store.messages.get(number).state == "acknowledged":
            agent.rig.island.wait_text(f"note {n}")
            assert taken(agent).count(f"{header(number)}note {n}") == 1
        else:
            assert f"{header(number)}note {n}" not in taken(agent), "a dialog swallows pastes"


def test_a_persons_draft_is_waited_for(agent: RealAgent) -> None:
    """Scenario 25."""
    agent.type("half a thought")
    agent.wait_screen("half a thought")
    held = agent.send("hello", wait=2)
    assert (held.code, held.json["state"]) == (5, "queued"), held
    assert "draft" in held.json["reason"]
    agent.press("Enter")
    agent.rig.wait_message(held.json["id"], "acknowledged")
    agent.rig.island.wait_text("hello")
    assert taken(agent) == ["half a thought", f"{header(held.json['id'])}hello"]


def test_a_prompt_that_escape_gave_back_is_not_typed_into(agent: RealAgent) -> None:
    """The CLI puts the text of an interrupted prompt back into its box, a moment after it says that it is idle."""
    agent.type("think about it [[hang]]")
    agent.press("Enter")
    agent.wait_status("working")
    held = agent.send("hello", wait=1)
    agent.press("Escape")
    agent.wait_screen("❯\N{NO-BREAK SPACE}think about it")
    eventually(lambda: "draft" in agent.rig.wait_message(held.json["id"], "queued").reason, timeout=PATIENCE_S)
    agent.rig.island.release()
    agent.press("Enter")
    agent.rig.wait_message(held.json["id"], "acknowledged")
    agent.rig.island.wait_text("hello")
    assert taken(agent)[-1] == f"{header(held.json['id'])}hello"


@pytest.fixture
def watched(bare_rig: RealRig, git_project: Path) -> tuple[RealAgent, Path]:
    """A developer whose person has a hook that notes when the conversation is compacted."""
    compacted = bare_rig.folder / "compacted"
    hook = {"hooks": [{"type": "command", "command": f"cat > {compacted}"}]}
    bare_rig.island.seed(Seed(trusted=(git_project,), settings={"hooks": {"PreCompact": [hook]}}))
    bare_rig.island.start_tmux()
    agent = bare_rig.real_agent(bare_rig.start_claude(git_project))
    agent.wait_status("idle")
    return agent, compacted


def test_compact_alone_is_the_command(watched: tuple[RealAgent, Path]) -> None:
    """Scenario 33."""
    agent, compacted = watched
    assert agent.send("tell me about /compact").code == 0
    agent.rig.island.wait_text("tell me about /compact")
    agent.wait_status("idle")
    assert not compacted.exists()
    done = agent.send("/compact")
    assert done.code == 0, done
    eventually(compacted.exists, timeout=PATIENCE_S, what=f"nothing was compacted\n{agent.screen()}")
    agent.wait_status("idle")
    number = agent.send("and now?").json["id"]
    agent.rig.wait_message(number, "acknowledged")
    assert not [text for text in taken(agent) if "/compact" in text and "about" not in text]
