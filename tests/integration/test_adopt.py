"""Agents that the person started by hand: messaged and watched as they are, and never ended by tmorch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator_core.cli.schemas import schema_of
from tests.conftest import MakeProject
from tests.fakes.claude_stand_in import write_stand_in
from tests.fakes.json_shape import faults
from tests.polling import eventually
from tests.rig import Rig


class ByHand:
    """A stand-in called `claude` that somebody started in a shell, in a window of a session of their own."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self._rig = rig
        self._record = folder / "by-hand.jsonl"
        program = write_stand_in(folder / "by-hand", "--record", str(self._record))
        rig.configure(f'[claude]\ncommand = ["{program}"]\n')
        new = ("new-session", "-d", "-s", "mine", "-n", "web", "-x", "120", "-y", "40", "-c", str(folder))
        self.pane = rig.tmux.run(*new, "-P", "-F", "#{pane_id}", "bash --norc -i")
        self.type(str(program))
        eventually(lambda: self.fact("pane_current_command") == "claude" and "❯" in self.screen())

    def type(self, text: str) -> None:
        self._rig.tmux.run("send-keys", "-t", self.pane, "-l", text)
        self._rig.tmux.run("send-keys", "-t", self.pane, "Enter")

    def fact(self, name: str) -> str:
        return self._rig.tmux.run("display-message", "-p", "-t", self.pane, f"#{{{name}}}")

    def screen(self) -> str:
        return self._rig.tmux.screen(self.pane)

    def texts(self) -> list[str]:
        lines = self._record.read_text(encoding="utf-8").splitlines() if self._record.exists() else []
        return [json.loads(line)["text"].partition("] ")[2] for line in lines]


@pytest.fixture
def by_hand(rig: Rig, tmp_path: Path) -> ByHand:
    return ByHand(rig, tmp_path)


def test_it_is_messaged_watched_and_let_go_of(rig: Rig, by_hand: ByHand) -> None:
    done = rig.tmorch("adopt", "mine:web", "--role", "reviewer", "--json")
    assert done.code == 0, done
    assert faults(done.json, schema_of("adopt")) == []
    assert done.json["pane"] == by_hand.pane
    name = done.json["agent"]
    sent = rig.tmorch("send", "reviewer", "look at the till", "--wait", "30")
    assert sent.code == 0, sent
    assert by_hand.texts() == ["look at the till"]
    eventually(lambda: rig.store.agents.get(name).status == "idle", what=str(rig.store.agents.get(name)))
    assert rig.tmorch("stop", done.json["orchestration"]).code == 0
    assert by_hand.fact("pane_current_command") == "claude"
    assert by_hand.fact("@tmorch_agent") == ""
    assert rig.tmorch("send", name, "are you there?").code == 4
    again = rig.tmorch("adopt", by_hand.pane, "--json")
    assert again.code == 0, again
    assert again.json["role"] == "web"


def test_stopping_with_the_session_kept_lets_go_too(rig: Rig, by_hand: ByHand) -> None:
    adopted = rig.tmorch("adopt", by_hand.pane, "--json").json
    assert rig.tmorch("stop", adopted["orchestration"], "--keep-session").code == 0
    assert by_hand.fact("pane_current_command") == "claude"
    assert by_hand.fact("pane_dead") == "0"


def test_its_folder_is_never_cleaned_away(rig: Rig, by_hand: ByHand, tmp_path: Path) -> None:
    adopted = rig.tmorch("adopt", by_hand.pane, "--json").json
    assert Path(adopted["folder"]).samefile(tmp_path)
    rig.tmorch("stop", adopted["orchestration"])
    assert rig.tmorch("cleanup", adopted["orchestration"]).code == 0
    assert (tmp_path / "by-hand" / "claude").exists()


def test_it_joins_a_team_by_the_teams_rules(rig: Rig, by_hand: ByHand, make_project: MakeProject) -> None:
    team = rig.start(make_project(), roles="orchestrator,developer", agent="stand-in")
    done = rig.tmorch("adopt", "mine:web", "--role", "tester", "--team", team["id"], "--json")
    assert done.json["agent"] == f"{team['id']}:tester"
    assert rig.tmorch("adopt", "mine:web", "--json").json["error"]["code"] == "adopted"
    assert rig.tmorch("stop", team["id"]).code == 0
    assert by_hand.fact("pane_current_command") == "claude"


def test_the_teams_rules_are_those_of_its_project(rig: Rig, by_hand: ByHand, make_project: MakeProject) -> None:
    rules = "[lateral]\nown = [['researcher', 'developer']]\n[types]\ncode_project = ['own']\n"
    project = make_project(files={"README.md": "# shop\n", ".tmorch/routing.toml": rules})
    team = rig.start(project, roles="orchestrator,developer,tester", agent="stand-in")
    assert rig.tmorch("adopt", by_hand.pane, "--role", "researcher", "--team", team["id"]).code == 0
    routes = rig.store.routes.of(team["id"])
    assert ("researcher", "developer") in routes
    assert ("tester", "developer") not in routes
    assert rig.tmorch("stop", team["id"]).code == 0


def test_what_cannot_be_adopted(rig: Rig, by_hand: ByHand, make_project: MakeProject) -> None:
    rig.tmux.run("new-window", "-d", "-t", "mine:", "-n", "shell", "bash --norc -i")
    shell = rig.tmorch("adopt", "mine:shell", "--json")
    assert (shell.code, shell.json["error"]["code"]) == (3, "not-an-agent")
    assert "bash" in shell.json["error"]["cause"]
    assert rig.tmorch("adopt", "mine:nothing").code == 4
    assert rig.tmorch("adopt", "%999").code == 4
    assert rig.tmorch("adopt", by_hand.pane, "--team", "shop-0000").code == 4
    assert rig.tmorch("adopt", by_hand.pane, "--role", "Lead Dev").code == 2
    assert rig.tmorch("adopt", by_hand.pane, "--agent", "nonsense").code == 4
    team = rig.start(make_project())
    own = rig.agent(team).row.pane
    assert rig.tmorch("adopt", str(own), "--json").json["error"]["code"] == "adopted"
    assert rig.store.orchestrations.list(active=True)[0].id == team["id"]
    assert by_hand.fact("@tmorch_agent") == ""


def test_a_shell_that_comes_back_is_no_agent_any_more(rig: Rig, by_hand: ByHand) -> None:
    adopted = rig.tmorch("adopt", by_hand.pane, "--json").json
    eventually(lambda: rig.store.agents.get(adopted["agent"]).status == "idle")
    by_hand.type("/exit")
    eventually(lambda: rig.store.agents.get(adopted["agent"]).status == "exited")
    before = by_hand.screen()
    done = rig.tmorch("send", adopted["agent"], "touch nothing", "--wait", "2", "--json")
    assert done.json["state"] in ("queued", "refused")
    assert by_hand.screen() == before


def test_a_message_to_its_window_is_enough(rig: Rig, by_hand: ByHand) -> None:
    """The very first command of somebody who has nothing but a window with an agent in it."""
    sent = rig.tmorch("send", "mine:web", "hello", "--wait", "30", "--json")
    assert sent.code == 0, sent
    assert "lets go of it" in sent.err
    assert by_hand.texts() == ["hello"]
    again = rig.tmorch("send", by_hand.pane, "and again", "--wait", "30", "--json")
    assert again.json["target"] == sent.json["target"]
    assert by_hand.texts() == ["hello", "and again"]


def test_a_message_to_a_window_without_an_agent_is_refused(rig: Rig, by_hand: ByHand) -> None:
    """Scenarios 22 and 23, for windows that tmorch does not know."""
    rig.tmux.run("new-session", "-d", "-s", "mine2", "-n", "shell", "bash --norc -i")
    before = eventually(lambda: rig.tmux.screen("mine2:shell").strip() and rig.tmux.screen("mine2:shell"))
    shell = rig.tmorch("send", "mine2:shell", "touch nothing", "--json")
    assert (shell.code, shell.json["error"]["code"]) == (3, "not-an-agent")
    assert rig.tmorch("send", "min:web", "to nobody").code == 4
    assert rig.tmux.screen("mine2:shell") == before
    assert by_hand.texts() == []
