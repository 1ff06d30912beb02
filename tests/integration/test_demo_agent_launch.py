"""What is planned for an agent starts it, with every character of its briefing in place."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator_core.agents.claude.driver import ClaudeDriver
from orchestrator_core.agents.command import CommandDriver
from orchestrator_core.agents.demo.driver import DemoDriver
from orchestrator_core.agents.demo.jobs import Processes
from orchestrator_core.agents.demo.steps import Outcome
from orchestrator_core.agents.driver import BriefingRoad, LaunchPlan
from orchestrator_core.agents.screen import ScreenState, read_screen
from orchestrator_core.agents.status import is_agent_process
from orchestrator_core.config.settings import ClaudeSettings, DemoSettings, DriverSettings
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import Cursor, PaneFrame
from tests.conftest import TmuxServer
from tests.polling import eventually
from tests.unit.test_agents_drivers import context

SHOW_ARGUMENTS = "import json, sys; json.dump(sys.argv[1:], sys.stdout)"
PRINTER = (sys.executable, "-S", "-c", SHOW_ARGUMENTS)
CLAUDE = ClaudeDriver(ClaudeSettings(command=PRINTER))


def write(plan: LaunchPlan) -> None:
    for file in plan.files:
        file.path.write_text(file.text, encoding="utf-8", newline="")
        file.path.chmod(file.mode)


def started_with(plan: LaunchPlan) -> list[str]:
    """The arguments that the planned program really gets."""
    write(plan)
    done = subprocess.run(plan.argv, capture_output=True, env=dict(plan.env), check=True)
    found: list[str] = json.loads(done.stdout)
    return found


def test_the_tmorch_on_its_path_is_the_one_that_started_it(tmp_path: Path) -> None:
    plan = CLAUDE.plan_launch(context(tmp_path, tmorch_argv=PRINTER))
    write(plan)
    done = subprocess.run(
        ["tmorch", "send", "lead", "it's done"], capture_output=True, env=dict(plan.env), check=True, text=True
    )
    assert json.loads(done.stdout) == ["send", "lead", "it's done"]


def test_claude_gets_its_arguments(tmp_path: Path) -> None:
    plan = CLAUDE.plan_launch(context(tmp_path, "Begin."))
    assert uuid.UUID(plan.conversation).version == 4
    assert started_with(plan) == [
        *("--session-id", plan.conversation),
        *("--settings", str(tmp_path / "settings.json")),
        *("--permission-mode", "manual"),
        *("-n", "shop-3f2a:developer"),
        "Begin.",
    ]
    assert plan.briefing_road is BriefingRoad.ARGUMENT


def test_a_briefing_that_begins_like_an_option_is_none(tmp_path: Path) -> None:
    assert started_with(CLAUDE.plan_launch(context(tmp_path, "--resume it")))[-2:] == ["--", "--resume it"]


NASTY = [
    "ends with line feeds\n\n\n",
    "\n\nbegins with them",
    "ends with a backslash\\",
    "-leading dash",
    "--",
    "",
    " ",
    "'single' \"double\" `back` $HOME $(date) \\n ; & | > < * ? [x] {a,b} ~ # ! %s %%",
    "#{pane_id} ${briefing} briefing=",
    "tab\there\r\nand a carriage return\r",
    "日本語 🙂 é\u0301 \u200d \ufeff",
    "a dot at the end .",
    "\x01\x02\x1b[31m control \x7f",
]


@pytest.mark.parametrize("briefing", NASTY)
def test_no_character_of_a_briefing_is_lost(briefing: str, tmp_path: Path) -> None:
    assert started_with(CLAUDE.plan_launch(context(tmp_path, briefing)))[-1] == briefing


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200))
def test_no_text_whatever_is_changed(tmp_path: Path, briefing: str) -> None:
    assert started_with(CLAUDE.plan_launch(context(tmp_path, briefing)))[-1] == briefing


def test_odd_folders_and_commands_are_quoted(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s a $(folder); `x` "y"'
    folder.mkdir()
    plan = ClaudeDriver(ClaudeSettings(command=(*PRINTER, "a b", "$HOME", "'"))).plan_launch(context(folder, "Hi\n"))
    arguments = started_with(plan)
    assert arguments[:3] == ["a b", "$HOME", "'"]
    assert arguments[-1] == "Hi\n"


def test_the_longest_argument_really_passes(tmp_path: Path) -> None:
    longest = "é" * 60_000
    assert started_with(CLAUDE.plan_launch(context(tmp_path, longest)))[-1] == longest


def test_a_missing_briefing_starts_nothing(tmp_path: Path) -> None:
    plan = CLAUDE.plan_launch(context(tmp_path))
    write(plan)
    (tmp_path / "briefing.md").unlink()
    done = subprocess.run(plan.argv, capture_output=True, env=dict(plan.env), check=False, text=True)
    assert done.returncode
    assert done.stdout == ""
    assert "briefing.md" in done.stderr


def test_a_command_gets_its_arguments_and_environment(tmp_path: Path) -> None:
    own = DriverSettings(command=(*PRINTER, "--x"), briefing="argument", env={"KEY": "v", "PATH": "/usr/bin"})
    each = CommandDriver("aider", own)
    plan = each.plan_launch(context(tmp_path, "Hi"))
    assert started_with(plan) == ["--x", "Hi"]
    assert (plan.env["KEY"], plan.env["PATH"]) == ("v", f"{tmp_path}:/usr/bin")
    assert plan.conversation == ""


def test_a_pasted_briefing_is_no_argument(tmp_path: Path) -> None:
    each = CommandDriver("aider", DriverSettings(command=PRINTER))
    assert each.briefing_road is BriefingRoad.PASTE
    assert started_with(each.plan_launch(context(tmp_path, "Hi"))) == []


def test_a_planned_demo_agent_comes_up_in_tmux_and_has_its_briefing(tmux_server: TmuxServer, tmp_path: Path) -> None:
    """The whole way: plan, files, window; then the process is the agent's and the screen can be read."""
    briefing = "You are a 'researcher' of this team.\n\nDELIVERABLES:\n1. \"quoted\" $HOME `x` \\ end\\\n"
    folder = tmp_path / "agent"
    folder.mkdir()
    each = DemoDriver(DemoSettings(speed=50))
    made = context(folder, briefing)
    made = msgspec.structs.replace(made, agent=msgspec.structs.replace(made.agent, role="researcher"))
    plan = each.plan_launch(made)
    write(plan)
    environ = [part for name, value in plan.env.items() for part in ("-e", f"{name}={value}")]
    pane = tmux_server.run("new-session", "-d", "-P", "-F", "#{pane_id}", "-x", "100", "-y", "30", *environ, *plan.argv)

    def state() -> ScreenState:
        lines = tuple(tmux_server.run("capture-pane", "-p", "-e", "-t", pane).split("\n"))
        cursor = Cursor(x=0, y=0, visible=False)
        frame = PaneFrame(pane=PaneId(pane), lines=lines, width=100, height=len(lines), cursor=cursor)
        return read_screen(frame, each.patterns).state

    eventually(lambda: state() is ScreenState.READY)
    command, pid = tmux_server.run("display-message", "-p", "-t", pane, "#{pane_current_command} #{pane_pid}").split()
    agent = msgspec.structs.replace(made.agent, pid=int(pid))
    assert is_agent_process(command, int(pid), agent, each)
    recorded = [json.loads(line) for line in (folder / "submissions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(entry["kind"], entry["text"]) for entry in recorded] == [("prompt", briefing)]


class TestJobs:
    """Commands that the demo agent runs beside its screen."""

    def test_output_and_exit_code(self) -> None:
        jobs = Processes()
        good = jobs.start(("sh", "-c", "echo out; echo err >&2"), 0.0)
        assert eventually(lambda: good.poll(0.0)) == Outcome(ok=True, text="out\nerr\n")
        bad = jobs.start(("sh", "-c", "exit 3"), 0.0)
        assert eventually(lambda: bad.poll(0.0)) == Outcome(ok=False)

    def test_a_missing_program_is_an_outcome(self) -> None:
        outcome = Processes().start(("no-such-program",), 0.0).poll(0.0)
        assert outcome is not None
        assert not outcome.ok
        assert "no-such-program" in outcome.text

    def test_what_takes_too_long_is_ended(self) -> None:
        job = Processes().start(("sleep", "600"), 0.0)
        assert job.poll(1.0) is None
        assert eventually(lambda: job.poll(1000.0)) == Outcome(ok=False)

    def test_it_has_no_terminal_to_ask_on(self) -> None:
        job = Processes().start(("sh", "-c", "tty; read line; echo $? $GIT_TERMINAL_PROMPT"), 0.0)
        outcome = eventually(lambda: job.poll(0.0))
        assert outcome is not None
        assert outcome.text == "not a tty\n1 0\n"
