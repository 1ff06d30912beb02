"""How each kind of agent is planned, and that what is planned starts it with every character in place."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from orchestrator_core.agents.catalogue import driver, drivers
from orchestrator_core.agents.claude.agent_settings import EVENTS
from orchestrator_core.agents.claude.driver import ClaudeDriver
from orchestrator_core.agents.command import CommandDriver
from orchestrator_core.agents.demo.driver import DemoDriver
from orchestrator_core.agents.driver import BriefingRoad, Driver, GatePolicy, LaunchContext
from orchestrator_core.config.settings import (
    ClaudeSettings,
    DemoSettings,
    DriverSettings,
    GateSettings,
    Settings,
)
from orchestrator_core.errors import NotFoundError, SettingsError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import AgentId, OrchestrationId

SHOW_ARGUMENTS = "import json, sys; json.dump(sys.argv[1:], sys.stdout)"
PRINTER = (sys.executable, "-S", "-c", SHOW_ARGUMENTS)
CLAUDE = ClaudeDriver(ClaudeSettings(command=PRINTER))
OWN = Settings(drivers={"aider": DriverSettings(command=("aider", "--x"), screen="none", briefing="paste")})
EVERY = drivers(OWN)


def context(folder: Path, briefing: str = "You are the developer.", **changes: object) -> LaunchContext:
    made = LaunchContext(
        agent=Agent(
            id=AgentId("shop-3f2a:developer"),
            orchestration=OrchestrationId("shop-3f2a"),
            role="developer",
            driver="claude",
            worktree=str(folder),
            branch="tmorch/shop-3f2a/developer",
        ),
        folder=folder,
        spool=folder.parent / "spool",
        briefing=briefing,
        tmorch_argv=("/opt/a b/python", "-m", "orchestrator_core.cli.main"),
        env={"PATH": "/usr/bin:/bin", "XDG_STATE_HOME": "/state"},
        team=("orchestrator", "developer"),
    )
    return msgspec.structs.replace(made, **changes)


def test_ours_come_first_and_the_settings_add_theirs() -> None:
    assert list(EVERY) == ["claude", "demo", "aider"]
    assert [name for name, each in EVERY.items() if each.is_demo] == ["demo"]
    assert all(each.name == name and each.title for name, each in EVERY.items())
    assert driver(OWN, "aider").needs_program() == "aider"
    assert driver(OWN, "claude").needs_program() == "claude"
    assert driver(OWN, "demo").needs_program() is None


def test_an_unknown_kind_is_named_with_those_there_are() -> None:
    with pytest.raises(NotFoundError) as failure:
        driver(OWN, "codex")
    assert failure.value.candidates == ("claude", "demo", "aider")


def test_an_unknown_screen_is_an_error_of_the_settings() -> None:
    wrong = Settings(drivers={"x": DriverSettings(command=("x",), screen="nosuch")})
    with pytest.raises(SettingsError) as failure:
        drivers(wrong)
    assert "drivers.x.screen" in failure.value.title
    assert "claude" in failure.value.cause


@pytest.mark.parametrize("name", EVERY)
def test_every_kind_gets_a_short_command_and_finds_its_tmorch(name: str, tmp_path: Path) -> None:
    plan = EVERY[name].plan_launch(context(tmp_path, "x" * 100_000))
    assert plan.argv == ("/bin/sh", str(tmp_path / "run.sh"))
    assert plan.env["TMORCH_AGENT"] == "shop-3f2a:developer"
    assert plan.env["TMORCH_ORCHESTRATION"] == "shop-3f2a"
    assert plan.env["PATH"] == f"{tmp_path}:/usr/bin:/bin"
    assert plan.env["XDG_STATE_HOME"] == "/state"
    assert shlex.split(plan.env["TMORCH_COMMAND"]) == ["/opt/a b/python", "-m", "orchestrator_core.cli.main"]
    assert all(file.path.parent == tmp_path for file in plan.files)
    assert all(file.mode in (0o600, 0o700) for file in plan.files)


def test_path_is_our_own_when_the_context_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/somewhere")
    plan = CLAUDE.plan_launch(context(tmp_path, env={}))
    assert plan.env["PATH"] == f"{tmp_path}:/somewhere"


class TestClaude:
    def test_each_plan_is_a_new_conversation(self, tmp_path: Path) -> None:
        plans = [CLAUDE.plan_launch(context(tmp_path)) for _ in range(3)]
        assert len({plan.conversation for plan in plans}) == 3

    @pytest.mark.parametrize(("mode", "in_file"), [("manual", "default"), ("acceptEdits", "acceptEdits")])
    def test_its_own_settings_file_has_the_permission_mode(self, tmp_path: Path, mode: str, in_file: str) -> None:
        plan = ClaudeDriver(msgspec.convert({"permission_mode": mode}, ClaudeSettings)).plan_launch(context(tmp_path))
        text = next(file.text for file in plan.files if file.path.name == "settings.json")
        assert json.loads(text)["permissions"] == {"defaultMode": in_file}

    def test_gates_follow_the_settings_under_the_names_of_the_screen(self) -> None:
        gates = ClaudeDriver(ClaudeSettings(gates=GateSettings(mcp="refuse", api_key="accept"))).gates
        assert gates["trust"] is GatePolicy.ACCEPT
        assert gates["bypass"] is GatePolicy.ASK
        assert gates["mcp"] is GatePolicy.REFUSE
        assert gates["apikey"] is GatePolicy.ACCEPT
        assert set(gates) <= CLAUDE.patterns.gates

    def test_nothing_dangerous_is_accepted_unless_the_settings_say_so(self) -> None:
        accepted = {gate for gate, policy in CLAUDE.gates.items() if policy is GatePolicy.ACCEPT}
        assert accepted == {"trust"}

    def test_every_gate_of_its_screen_has_a_policy_or_is_left_to_the_person(self) -> None:
        assert CLAUDE.patterns.gates - set(CLAUDE.gates) == {"login", "resume"}

    def test_every_gate_that_a_setting_can_answer_has_its_answers(self) -> None:
        for gate in CLAUDE.gates:
            assert CLAUDE.patterns.gate_answer(gate, accept=True)
            assert CLAUDE.patterns.gate_answer(gate, accept=False)

    def test_the_program_takes_the_place_of_the_shell(self, tmp_path: Path) -> None:
        script = CLAUDE.plan_launch(context(tmp_path)).files[0].text
        assert script.splitlines()[-1].startswith("exec ")


def settings_of(each: Driver, made: LaunchContext) -> dict[str, Any]:
    plan = each.plan_launch(made)
    file = next(file for file in plan.files if file.path.name == "settings.json")
    assert shlex.quote(str(file.path)) in plan.files[0].text
    found: dict[str, Any] = json.loads(file.text)
    return found


class TestResume:
    @pytest.mark.parametrize("each", [CLAUDE, DemoDriver(DemoSettings())], ids=["claude", "demo"])
    def test_it_goes_on_in_its_own_conversation(self, each: Driver, tmp_path: Path) -> None:
        made = context(tmp_path, "Go on.")
        own = replace(made, agent=replace(made.agent, conversation="c0ffee"))
        plan = each.plan_resume(own)
        assert plan.conversation == "c0ffee"
        script = plan.files[0].text
        assert "--resume c0ffee" in script
        assert "--session-id" not in script
        assert script.endswith('"$briefing"\n')
        anew = each.plan_launch(own)
        assert script == anew.files[0].text.replace(f"--session-id {anew.conversation}", "--resume c0ffee")

    def test_a_conversation_is_kept_once_claude_has_written_it_down(self, tmp_path: Path) -> None:
        agent = replace(context(tmp_path / "my tree").agent, conversation="c0ffee")
        account = {"CLAUDE_CONFIG_DIR": str(tmp_path / "account")}
        assert not CLAUDE.can_resume(agent, account)
        place = re.sub(r"[^A-Za-z0-9]", "-", str(tmp_path / "my tree"))
        kept = tmp_path / "account/projects" / place / "c0ffee.jsonl"
        kept.parent.mkdir(parents=True)
        for nothing in (b"", bytes(4096), b'{"type":"custom-title","customTitle":"till","sessionId":"c0ffee"}\n'):
            kept.write_bytes(nothing)  # a power cut leaves such
            assert not CLAUDE.can_resume(agent, account)
        kept.write_bytes(b'{"type":"user","message":{"role":"user","content":"Go."},"uuid":"1"}\n{"ty')
        assert CLAUDE.can_resume(agent, account)
        assert not CLAUDE.can_resume(replace(agent, conversation=""), account)
        assert not EVERY["aider"].can_resume(agent, account)
        assert EVERY["demo"].can_resume(agent, account)

    @pytest.mark.parametrize("name", EVERY)
    def test_who_has_no_conversation_is_started_anew(self, name: str, tmp_path: Path) -> None:
        plan = EVERY[name].plan_resume(context(tmp_path, "Go on."))
        assert "--resume" not in plan.files[0].text
        assert bool(plan.conversation) is EVERY[name].has_hooks


class TestHooks:
    def test_who_has_them(self) -> None:
        assert [name for name, each in EVERY.items() if each.has_hooks] == ["claude", "demo"]
        plan = EVERY["aider"].plan_launch(context(Path("/state/a")))
        assert all(file.path.name != "settings.json" for file in plan.files)

    @pytest.mark.parametrize("each", [CLAUDE, DemoDriver(DemoSettings())], ids=["claude", "demo"])
    @pytest.mark.parametrize("state", ["/state", '/my state/of O\'Brien "x" $HOME `id` %d; ü'])
    def test_each_event_runs_our_program_alone(self, each: Driver, state: str) -> None:
        made = context(Path(state) / "agents/shop-3f2a/developer", spool=Path(state) / "spool")
        hooks = settings_of(each, made)["hooks"]
        assert set(hooks) == set(EVENTS)
        for event, groups in hooks.items():
            ((hook,),) = (group["hooks"] for group in groups)
            argv = shlex.split(hook["command"])
            offers = [f"{state}/agents/shop-3f2a/developer/hand-over"] if event == "Stop" else []
            assert argv[:3] == [sys.executable, "-I", "-S"]
            assert Path(argv[3]).is_file()
            assert argv[4:] == [f"{state}/spool", "shop-3f2a%3Adeveloper", event, *offers]
            assert 0 < hook["timeout"] <= 10

    def test_the_commands_that_may_be_sent(self) -> None:
        assert EVERY["claude"].commands == EVERY["demo"].commands == ("/compact",)
        assert EVERY["aider"].commands == ()
        assert ClaudeDriver(ClaudeSettings(commands=("/cost",))).commands == ("/cost",)


@pytest.mark.parametrize("each", [CLAUDE, DemoDriver(DemoSettings())], ids=["claude", "demo"])
def test_a_briefing_too_long_for_an_argument_is_pasted(each: Driver, tmp_path: Path) -> None:
    longest = "é" * 60_000
    assert each.road_of(longest) is BriefingRoad.ARGUMENT
    assert each.road_of(longest + "é") is BriefingRoad.PASTE
    plan = each.plan_launch(context(tmp_path, longest + "é"))
    assert plan.briefing_road is BriefingRoad.PASTE
    assert '"$briefing"' not in plan.files[0].text
    assert next(file.text for file in plan.files if file.path.name == "briefing.md") == longest + "é"


class TestDemo:
    def test_its_arguments(self, tmp_path: Path) -> None:
        plan = DemoDriver(DemoSettings(speed=2.5, seed=7)).plan_launch(context(tmp_path))
        script = plan.files[0].text
        for part in (
            "-P -m orchestrator_core.agents.demo",
            "--role developer",
            "--team orchestrator,developer",
            "--seed 7",
            "--speed 2.5",
            f"--record {tmp_path}/submissions.jsonl",
        ):
            assert part in script

    def test_a_limit_is_met_once_and_not_again_after_a_resume(self, tmp_path: Path) -> None:
        driver = DemoDriver(DemoSettings(limit_s=30))
        asked = context(tmp_path)
        begun = replace(asked, agent=replace(asked.agent, conversation="c"))
        assert "--limit-for 30" in driver.plan_launch(asked).files[0].text
        assert "--limit-for" not in driver.plan_resume(begun).files[0].text

    def test_it_says_that_it_is_a_demo(self) -> None:
        assert "not a real AI" in DemoDriver(DemoSettings()).title


class TestCommand:
    def test_how_its_screen_is_read(self) -> None:
        def patterns_of(**given: str) -> object:
            return CommandDriver("x", DriverSettings(command=("x",), **given)).patterns  # type: ignore[arg-type]

        assert patterns_of() is CLAUDE.patterns
        assert not CommandDriver("x", DriverSettings(command=("x",), screen="none")).patterns.readable
        assert CommandDriver("x", DriverSettings(command=("x",), prompt_pattern="^> ")).patterns.prompt
