"""The demo agent's hooks, session file, status line and slash commands, as real processes in a real tmux."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator_core.agents.screen import ScreenState
from tests.conftest import TmuxServer
from tests.fakes.claude_stand_in import StandInPane
from tests.polling import eventually

EVENTS = (
    "SessionStart", "UserPromptSubmit", "PermissionRequest", "Notification", "Stop", "StopFailure", "PreCompact",
    "PostCompact", "SubagentStart", "SubagentStop", "SessionEnd",
)  # fmt: skip
CAPTURED = Path(__file__).parents[1] / "data/claude-payloads"
PERMISSION = "PermissionRequest"


def command(text: str, *, matcher: str = "", timeout: float = 20) -> dict[str, Any]:
    return {"matcher": matcher, "hooks": [{"type": "command", "command": text, "timeout": timeout}]}


class Hooked:
    """A stand-in all of whose hooks write down what they are told."""

    def __init__(self, tmux: TmuxServer, folder: Path) -> None:
        self._tmux = tmux
        self.folder = folder
        folder.mkdir()
        self.log = folder / "hooks.log"
        self.pane: StandInPane

    def start(self, *arguments: str, hooks: dict[str, list[Any]] | None = None, **settings: Any) -> StandInPane:
        write = command(f"cat >> {self.log}; echo >> {self.log}")
        found = {event: [write] for event in EVENTS}
        for event, more in (hooks or {}).items():
            found[event] = [*found[event], *more]
        file = self.folder / "settings.json"
        file.write_text(json.dumps({"hooks": found, **settings}))
        defaults = ("--ready-after", "0", "--think", "0", "--settings", str(file))
        self.pane = StandInPane(self._tmux, self.folder / "agent", *defaults, *arguments)
        self.pane.wait(ScreenState.READY)
        return self.pane

    def told(self, event: str = "") -> list[dict[str, Any]]:
        """The payloads so far, of one event or of all."""
        lines = self.log.read_text(encoding="utf-8").split("\n") if self.log.exists() else []
        payloads = [json.loads(line) for line in lines if line]
        return [each for each in payloads if event in ("", each["hook_event_name"])]

    def names(self) -> list[str]:
        return [each["hook_event_name"] for each in self.told()]

    def wait(self, *names: str) -> None:
        eventually(lambda: self.names() == list(names), what=f"{self.names()} is not {list(names)}")


@pytest.fixture
def hooked(tmux_server: TmuxServer, tmp_path: Path) -> Hooked:
    return Hooked(tmux_server, tmp_path / "hooked")


class TestHooks:
    def test_a_turn_is_told_from_its_prompt_to_its_end(self, hooked: Hooked) -> None:
        text = 'look at 日本語\nand "quotes" $HOME'
        agent = hooked.start("--session-id", "11111111-2222-4333-8444-555555555555")
        hooked.wait("SessionStart")
        agent.submit(text)
        hooked.wait("SessionStart", "UserPromptSubmit", "Stop")
        start, prompt, stop = hooked.told()
        assert (start["source"], prompt["prompt"]) == ("startup", text)
        assert stop["last_assistant_message"].startswith("I have read 30 characters")
        assert (stop["stop_hook_active"], stop["background_tasks"]) == (False, [])
        assert {each["session_id"] for each in hooked.told()} == {"11111111-2222-4333-8444-555555555555"}
        assert prompt["prompt_id"] == stop["prompt_id"]

    def test_hooks_run_where_the_agent_runs(self, hooked: Hooked) -> None:
        place = hooked.folder / "place"
        hook = command(f'echo "$PWD $TMUX_PANE $CLAUDE_PROJECT_DIR $CLAUDE_PID" > {place}')
        agent = hooked.start(hooks={"SessionStart": [hook]})
        eventually(lambda: place.exists() and place.read_text())
        assert place.read_text().split() == [
            *(str(agent.folder), agent.pane, str(agent.folder), agent.fact("pane_pid"))
        ]

    def test_the_prompt_argument_is_told_after_the_start(self, hooked: Hooked) -> None:
        hooked.start("the briefing")
        hooked.wait("SessionStart", "UserPromptSubmit", "Stop")

    def test_a_prompt_while_it_works_is_told_when_it_is_queued(self, hooked: Hooked) -> None:
        agent = hooked.start()
        agent.do("busy")
        agent.wait(ScreenState.BUSY)
        agent.submit("next")
        eventually(lambda: [each["prompt"] for each in hooked.told("UserPromptSubmit")] == ["next"])
        assert hooked.told("Stop") == []
        agent.do("idle")
        hooked.wait("SessionStart", "UserPromptSubmit", "Stop", "Stop")

    def test_no_hook_tells_of_an_interruption_nor_of_a_refusal(self, hooked: Hooked) -> None:
        agent = hooked.start()
        agent.do("busy")
        agent.wait(ScreenState.BUSY)
        agent.press("Escape")
        agent.sees("Interrupted")
        agent.do("permission", command="ls")
        agent.wait(ScreenState.DIALOG)
        agent.press("Escape")
        agent.wait(ScreenState.READY)
        agent.submit("the next prompt")
        hooked.wait("SessionStart", PERMISSION, "UserPromptSubmit", "Stop")

    def test_a_shell_command_and_a_slash_command_are_no_prompts(self, hooked: Hooked) -> None:
        agent = hooked.start()
        for text in ("!ls", "/context", "/nosuchcommand"):
            agent.submit(text)
            agent.wait_draft("")
        agent.submit("a prompt")
        hooked.wait("SessionStart", "UserPromptSubmit", "Stop")

    def test_a_permission_prompt_is_told_at_once_and_again_when_nobody_comes(self, hooked: Hooked) -> None:
        agent = hooked.start("--notify-scale", "0.05")
        agent.do("permission", command="rm -rf build | tee log", purpose="Clean up")
        hooked.wait("SessionStart", PERMISSION, "Notification")
        assert hooked.told(PERMISSION)[0]["tool_input"] == {
            "command": "rm -rf build | tee log", "description": "Clean up",
        }  # fmt: skip
        assert hooked.told("Notification")[0]["notification_type"] == "permission_prompt"
        agent.press("Enter")
        hooked.wait("SessionStart", PERMISSION, "Notification", "Stop")

    def test_an_idle_agent_is_told_of_once(self, hooked: Hooked) -> None:
        agent = hooked.start("--notify-scale", "0.005")
        agent.submit("hello")
        hooked.wait("SessionStart", "UserPromptSubmit", "Stop", "Notification")
        assert hooked.told("Notification")[0]["notification_type"] == "idle_prompt"

    @pytest.mark.parametrize(
        ("decision", "shown"),
        [
            ({"behavior": "allow"}, "Allowed by PermissionRequest hook"),
            ({"behavior": "deny", "message": "not here"}, "Reason: not here"),
        ],
    )
    def test_a_hook_may_answer_a_permission_prompt(self, hooked: Hooked, decision: dict[str, str], shown: str) -> None:
        answer = {"hookSpecificOutput": {"hookEventName": PERMISSION, "decision": decision}}
        hook = command(f"echo '{json.dumps(answer)}'", matcher="Bash|Write")
        agent = hooked.start(hooks={PERMISSION: [hook]})
        agent.do("permission", command="ls")
        agent.sees(shown)
        hooked.wait("SessionStart", PERMISSION, "Stop")
        assert agent.trace() == []

    def test_a_stop_hook_makes_it_go_on(self, hooked: Hooked) -> None:
        answer = json.dumps({"decision": "block", "reason": "[tmorch 7 from lead]\nlook at the tests"})
        once = command(f"test -e {hooked.folder}/said || {{ touch {hooked.folder}/said; printf %s '{answer}'; }}")
        agent = hooked.start(hooks={"Stop": [once]})
        agent.submit("hello")
        hooked.wait("SessionStart", "UserPromptSubmit", "Stop", "Stop")
        assert agent.submissions() == [
            ("prompt", "hello"),
            ("hook", "Stop hook feedback:\n[tmorch 7 from lead]\nlook at the tests"),
        ]
        assert [each["stop_hook_active"] for each in hooked.told("Stop")] == [False, True]
        agent.sees("I have read 38 characters, beginning with: [tmorch 7 from lead]")
        assert agent.wait(ScreenState.READY).last_prompt == "hello"

    def test_a_hook_that_hangs_is_ended_and_nothing_is_lost(self, hooked: Hooked) -> None:
        pid = hooked.folder / "pid"
        agent = hooked.start(hooks={"UserPromptSubmit": [command(f"echo $$ > {pid}; sleep 600", timeout=0.6)]})
        agent.submit("one")
        eventually(lambda: pid.exists() and pid.read_text())
        agent.submit("two")
        agent.sees("Press up to edit queued messages")
        hooked.wait("SessionStart", "UserPromptSubmit", "UserPromptSubmit", "Stop", "Stop")
        assert agent.texts() == ["one", "two"]
        eventually(lambda: not Path(f"/proc/{pid.read_text().strip()}").exists())

    @pytest.mark.parametrize(
        "text", ["exit 3", "echo no json", "echo '[1]'", "/no/such/program", "yes | head -c 300000"]
    )
    def test_a_hook_that_fails_or_babbles_changes_nothing(self, hooked: Hooked, text: str) -> None:
        agent = hooked.start(hooks={event: [command(text)] for event in ("SessionStart", "UserPromptSubmit", "Stop")})
        agent.submit("hello")
        hooked.wait("SessionStart", "UserPromptSubmit", "Stop")
        agent.sees("I have read 5 characters")
        assert agent.texts() == ["hello"]

    def test_a_matcher_chooses(self, hooked: Hooked) -> None:
        other = hooked.folder / "other"
        hook = command(f"touch {other}", matcher="resume|clear")
        agent = hooked.start(hooks={"SessionStart": [hook]})
        hooked.wait("SessionStart")
        assert not other.exists()
        agent.submit("/clear")
        eventually(other.exists)

    @pytest.mark.parametrize(
        ("order", "error"),
        [
            ({"do": "limit", "until": "2:59pm"}, "rate_limit"),
            ({"do": "error", "text": "Credit balance too low", "error": "billing_error"}, "billing_error"),
            ({"do": "error", "text": "API Error: Repeated 529 Overloaded errors."}, "server_error"),
        ],
    )
    def test_an_error_is_told_instead_of_an_end(self, hooked: Hooked, order: dict[str, str], error: str) -> None:
        agent = hooked.start()
        agent.do("busy")
        agent.wait(ScreenState.BUSY)
        agent.do(order.pop("do"), **order)
        hooked.wait("SessionStart", "StopFailure")
        assert hooked.told("StopFailure")[0]["error"] == error

    def test_after_a_limit_it_goes_on_by_itself(self, hooked: Hooked) -> None:
        agent = hooked.start()
        agent.do("limit", until=time.time() + 1)
        hooked.wait("SessionStart", "StopFailure", "Notification", "UserPromptSubmit", "Stop")
        assert hooked.told("Notification")[0]["notification_type"] == "quota_auto_resume_fired"
        assert agent.texts() == []
        assert [kind for kind, _ in agent.trace()] == ["continued"]
        assert agent.wait(ScreenState.READY).resumes is False

    def test_told_not_to_it_stays_idle_after_a_limit(self, hooked: Hooked) -> None:
        agent = hooked.start()
        agent.do("limit", until=time.time() + 1, **{"continue": False})
        agent.sees("Usage limit reached · limit resets")
        eventually(lambda: "Usage limit reached" not in agent.text())
        agent.submit("hello")
        hooked.wait("SessionStart", "StopFailure", "UserPromptSubmit", "Stop")

    def test_who_does_not_go_on_by_himself_is_asked(self, hooked: Hooked) -> None:
        agent = hooked.start(autoContinueAtUsageLimit=False)
        agent.do("limit", until=time.time() + 60)
        assert agent.wait(ScreenState.DIALOG).dialog == "usage_limit"
        agent.press("Down", "Enter")
        agent.wait(ScreenState.LIMIT)
        agent.press("Escape")
        eventually(lambda: "Continuing automatically" not in agent.text())

    def test_a_subagent_outlasts_the_turn(self, hooked: Hooked) -> None:
        agent = hooked.start()
        agent.do("subagent", seconds=1.5, description="dig")
        agent.submit("hello")
        hooked.wait(
            *("SessionStart", "SubagentStart", "UserPromptSubmit", "Stop"),
            *("SubagentStop", "UserPromptSubmit", "Stop"),
        )
        assert hooked.told("UserPromptSubmit")[-1]["prompt"].startswith("<task-notification>")
        first, last = hooked.told("Stop")
        assert [task["description"] for task in first["background_tasks"]] == ["dig"]
        assert last["background_tasks"] == []

    def test_compacting(self, hooked: Hooked) -> None:
        agent = hooked.start()
        agent.submit("/compact")
        agent.sees("Compacted (ctrl+o to see full summary)")
        hooked.wait("SessionStart", "PreCompact", "SessionStart", "PostCompact")
        assert agent.submissions() == [("command", "/compact")]

    def test_clearing_begins_another_conversation(self, hooked: Hooked) -> None:
        agent = hooked.start("--session-id", "11111111-2222-4333-8444-555555555555")
        agent.submit("/clear")
        hooked.wait("SessionStart", "SessionEnd", "SessionStart")
        first, end, second = hooked.told()
        assert (end["reason"], second["source"]) == ("clear", "clear")
        assert first["session_id"] == end["session_id"] != second["session_id"]
        eventually(lambda: agent.session().get("sessionId") == second["session_id"])

    @pytest.mark.parametrize(("how", "reason"), [("/exit", "prompt_input_exit"), ("C-c", "prompt_input_exit")])
    def test_the_end_is_told(self, hooked: Hooked, how: str, reason: str) -> None:
        slow = command(f"sleep 0.3; touch {hooked.folder}/last")
        agent = hooked.start(hooks={"SessionEnd": [slow]})
        if how == "/exit":
            agent.submit(how)
        else:
            agent.press(how, how)
        assert agent.exit_code() == 0
        assert [each["reason"] for each in hooked.told("SessionEnd")] == [reason]
        assert (hooked.folder / "last").exists()

    def test_a_signal_is_told_and_a_crash_is_not(self, hooked: Hooked) -> None:
        agent = hooked.start()
        os.kill(int(agent.fact("pane_pid")), 15)
        assert agent.exit_code() == 143
        assert [each["reason"] for each in hooked.told("SessionEnd")] == ["other"]

    def test_a_crash_tells_nothing(self, hooked: Hooked) -> None:
        agent = hooked.start()
        hooked.wait("SessionStart")
        agent.do("crash")
        assert agent.ended("pane_dead_signal") == "9"
        assert hooked.names() == ["SessionStart"]
        assert agent.session()["status"] == "idle"


Begin = Callable[..., StandInPane]


@pytest.fixture
def begin(tmux_server: TmuxServer, tmp_path: Path) -> Begin:
    def start(*arguments: str, name: str = "agent") -> StandInPane:
        defaults = ("--ready-after", "0", "--think", "0")
        pane = StandInPane(tmux_server, tmp_path / name, *defaults, *arguments, cwd=tmp_path)
        pane.wait(ScreenState.READY)
        return pane

    return start


class TestSessionFile:
    def says(self, agent: StandInPane, status: str, waiting_for: str = "") -> None:
        wanted = (status, waiting_for or None)
        eventually(
            lambda: (now := agent.session()) and (now["status"], now.get("waitingFor")) == wanted,
            what=f"{agent.session()} is not {wanted}",
        )

    def test_it_has_the_keys_of_a_captured_one(self, begin: Begin) -> None:
        agent = begin()
        captured = json.loads((CAPTURED / "sessions_t3_0.json").read_text())
        ours = eventually(agent.session)
        private = {"peerProtocol", "peerFeatures", "asksForConvertedSkills", "messagingSocketPath"}
        assert set(ours) == set(captured) - private
        pid = int(agent.fact("pane_pid"))
        place = agent.tmux.run("display-message", "-p", "-t", agent.pane, "#{session_name}:#{window_id}.#{pane_id}")
        assert (ours["pid"], ours["tmux"], ours["kind"]) == (pid, place, captured["kind"])
        assert ours["procStart"] == Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        assert abs(ours["statusUpdatedAt"] / 1000 - time.time()) < 60

    def test_it_follows_everything(self, begin: Begin) -> None:
        agent = begin()
        self.says(agent, "idle")
        agent.do("busy")
        self.says(agent, "busy")
        agent.press("Escape")
        self.says(agent, "idle")
        agent.do("permission", command="ls")
        self.says(agent, "waiting", "permission prompt")
        agent.press("Escape")
        self.says(agent, "idle")
        agent.do("question", question="Which?", choices=["Red"])
        self.says(agent, "waiting", "input needed")
        agent.press("Enter")
        self.says(agent, "idle")
        agent.do("dialog", name="login")
        self.says(agent, "waiting", "dialog open")
        agent.press("Escape")
        agent.do("limit", until="2:59pm")
        agent.wait(ScreenState.LIMIT)
        self.says(agent, "idle")
        agent.do("shell", seconds=0.5)
        self.says(agent, "shell")
        self.says(agent, "idle")

    def test_it_can_be_made_to_lie(self, begin: Begin) -> None:
        agent = begin()
        agent.do("session", status="busy")
        self.says(agent, "busy")
        assert agent.reading().state is ScreenState.READY
        agent.do("session")
        self.says(agent, "idle")

    def test_it_comes_after_the_first_dialogs_and_goes_with_the_agent(
        self, tmux_server: TmuxServer, tmp_path: Path
    ) -> None:
        agent = StandInPane(tmux_server, tmp_path / "agent", "--gates", "mcp", "--ready-after", "0")
        eventually(lambda: agent.reading().dialog == "mcp")
        assert agent.session() == {}
        agent.press("Enter")
        self.says(agent, "idle")
        agent.submit("/exit")
        assert agent.exit_code() == 0
        assert agent.session() == {}

    def test_without_one(self, begin: Begin) -> None:
        agent = begin("--no-session-file")
        agent.submit("hello")
        agent.sees("I have read")
        assert not (Path.home() / ".claude/sessions").exists()

    def test_the_config_folder_can_be_another(self, tmux_server: TmuxServer, tmp_path: Path) -> None:
        other = tmp_path / "other"
        StandInPane(tmux_server, tmp_path / "agent", environ=("-e", f"CLAUDE_CONFIG_DIR={other}"))
        eventually(lambda: list((other / "sessions").glob("*.json")))
        assert not (Path.home() / ".claude").exists()

    def test_a_show_leaves_the_folder_of_claude_alone(self, begin: Begin) -> None:
        mark = Path.home() / "mark"
        own = Path.home() / ".claude"
        own.mkdir()
        (own / "settings.json").write_text(json.dumps({"hooks": {"SessionStart": [command(f"touch {mark}")]}}))
        agent = begin("--role", "researcher", "--speed", "50", "the briefing")
        agent.sees("I am the researcher")
        agent.wait(ScreenState.READY)
        assert [path.name for path in own.iterdir()] == ["settings.json"]
        assert not mark.exists()


def said(agent: StandInPane) -> str:
    """All that an ended program has put out; tmux scrolls the first row away."""
    return agent.tmux.run("capture-pane", "-p", "-S", "-", "-t", agent.pane)


class TestConversations:
    ID = "11111111-2222-4333-8444-555555555555"

    def kept(self) -> list[Path]:
        return list((Path.home() / ".claude/projects").rglob("*.jsonl"))

    def test_what_was_said_is_kept_and_gone_on_with(self, begin: Begin) -> None:
        agent = begin("--session-id", self.ID)
        agent.submit("remember 日本語")
        agent.sees("I have read")
        agent.do("limit", until=time.time() + 600)
        agent.wait(ScreenState.LIMIT)
        agent.submit("/exit")
        agent.exit_code()
        (file,) = self.kept()
        assert file.name == f"{self.ID}.jsonl"
        assert file.stat().st_mode & 0o777 == 0o600
        entries = [json.loads(line) for line in file.read_text().splitlines()]
        assert [each["type"] for each in entries] == ["user", "assistant", "assistant"]
        assert (entries[-1]["apiError"], entries[-1]["quotaLimits"]["status"]) == ("usage_limit_reached", "rejected")
        again = begin("--resume", self.ID, "and on", name="again")
        again.sees("remember 日本語")
        assert eventually(again.texts) == ["and on"]
        assert eventually(again.session)["sessionId"] == self.ID

    def test_one_that_nobody_knows_is_refused(self, tmux_server: TmuxServer, tmp_path: Path) -> None:
        agent = StandInPane(tmux_server, tmp_path / "agent", "--resume", self.ID)
        assert agent.exit_code() == 1
        assert "No conversation found" in said(agent)

    def test_an_id_is_not_used_twice(self, begin: Begin, tmux_server: TmuxServer, tmp_path: Path) -> None:
        begin("--session-id", self.ID).submit("hello")
        eventually(self.kept)
        other = StandInPane(tmux_server, tmp_path / "other", "--session-id", self.ID, cwd=tmp_path)
        assert other.exit_code() == 1
        assert "already in use" in said(other)


class TestStatusLine:
    def test_it_is_drawn_and_told_of_every_change(self, begin: Begin, tmp_path: Path) -> None:
        log = tmp_path / "log"
        settings = {"statusLine": {"type": "command", "command": f"tee -a {log} | grep -o five_hour; echo SL; echo 2"}}
        agent = begin("--settings", json.dumps(settings))
        agent.sees("  SL\n  2\n")
        assert agent.reading().state is ScreenState.READY
        agent.submit("hello")
        eventually(lambda: log.read_text().count('"session_id"') >= 2)
        agent.do("limit", until=time.time() + 600)
        agent.sees("  five_hour")
        assert agent.wait(ScreenState.LIMIT)

    def test_the_persons_own_counts_without_another(self, begin: Begin) -> None:
        own = Path.home() / ".claude/settings.json"
        own.parent.mkdir()
        own.write_text(json.dumps({"statusLine": {"type": "command", "command": "echo my own line"}}))
        begin("--settings", '{"hooks": {}}').sees("my own line")

    @pytest.mark.parametrize("line", ["true", "exit 1", "echo words; exit 1"])
    def test_without_words_an_empty_row_is_drawn(self, begin: Begin, line: str) -> None:
        agent = begin("--settings", json.dumps({"statusLine": {"type": "command", "command": line}}))
        eventually(lambda: "─\n\n  demo agent" in agent.text(), what=agent.text())
        assert agent.reading().state is ScreenState.READY

    def test_one_that_hangs_hinders_nothing(self, begin: Begin) -> None:
        agent = begin("--settings", json.dumps({"statusLine": {"type": "command", "command": "sleep 600"}}))
        agent.submit("hello")
        agent.sees("I have read")
        agent.submit("/exit")
        assert agent.exit_code() == 0
