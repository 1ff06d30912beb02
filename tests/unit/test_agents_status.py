"""What the evidence speaks for: the process first, then the screen."""

from __future__ import annotations

import json

import msgspec
import pytest

from orchestrator_core.agents.claude.driver import ClaudeDriver
from orchestrator_core.agents.command import CommandDriver
from orchestrator_core.agents.demo.driver import DemoDriver
from orchestrator_core.agents.evidence import Evidence, ProcessEvidence
from orchestrator_core.agents.screen import UNREADABLE, Reading, ScreenState
from orchestrator_core.agents.screen_patterns import patterns
from orchestrator_core.agents.status import (
    GATES,
    HOW_IS_UNKNOWN,
    JUST_ENDED,
    SHELLS,
    is_agent_process,
    judge,
)
from orchestrator_core.config.settings import ClaudeSettings, DemoSettings, DriverSettings
from orchestrator_core.models.agent import Agent, AgentStatus, Verdict
from orchestrator_core.models.ids import AgentId, OrchestrationId
from tests.fakes.captured_screens import EXPECTED, FOLDER, is_right, lines_of, read

AGENT = Agent(
    id=AgentId("shop-1:developer"),
    orchestration=OrchestrationId("shop-1"),
    role="developer",
    driver="claude",
    worktree="/w",
    branch="b",
    status=AgentStatus.IDLE,
    pid=100,
)
ALIVE = ProcessEvidence(exists=True, command="claude", pid=100, is_agent=True)
CLAUDE = ClaudeDriver(ClaudeSettings())


def agent(status: AgentStatus = AgentStatus.IDLE, **changes: object) -> Agent:
    return msgspec.structs.replace(AGENT, status=status, **changes)


def verdict(reading: Reading | None, *, process: ProcessEvidence = ALIVE, previous: Agent = AGENT) -> Verdict:
    return judge(Evidence(process=process, reading=reading), previous=previous, now=1000.0).verdict


def reading_of(name: str) -> Reading:
    return read(lines_of(name))


STATUS = {
    "idle": AgentStatus.IDLE,
    "idle:shell": AgentStatus.IDLE,
    "busy": AgentStatus.WORKING,
    "busy:retrying": AgentStatus.WORKING,
    "limit_waiting": AgentStatus.LIMITED,
    "limit_stopped": AgentStatus.LIMITED,
    "dialog:usage_limit": AgentStatus.LIMITED,
    "error": AgentStatus.WAITING,
    "none": AgentStatus.UNKNOWN,
}
SHELL = ProcessEvidence(exists=True, command="bash", pid=100, is_agent=False)
BEHIND_A_SHELL = [
    name for name, state in json.loads((FOLDER / "manifest.json").read_text()).items() if state == "shell"
]
"""Captured screens whose agent had ended."""


@pytest.mark.parametrize("name", EXPECTED)
def test_every_captured_screen_has_its_status(name: str) -> None:
    reading = reading_of(name)
    found = verdict(reading)
    expected = "none" if reading.state is ScreenState.NONE and is_right(name, reading) else EXPECTED[name].rstrip("?")
    assert found.status is STATUS.get(expected, AgentStatus.WAITING)
    assert len(found.reason.split()) > 1
    assert "\n" not in found.reason
    if expected.startswith("dialog:"):
        assert found.waiting_for == expected.removeprefix("dialog:")


@pytest.mark.parametrize("name", BEHIND_A_SHELL)
def test_behind_a_shell_no_screen_is_believed(name: str) -> None:
    assert verdict(reading_of(name), process=SHELL).status is AgentStatus.EXITED


@pytest.mark.parametrize("command", sorted(SHELLS))
def test_a_stale_screen_never_outvotes_the_process(command: str) -> None:
    """After SIGKILL the spinner and "esc to interrupt" are still to be seen."""
    stale = reading_of("50_sigterm")
    assert stale.state is ScreenState.BUSY
    shell = ProcessEvidence(exists=True, command=command, pid=100, is_agent=False)
    found = verdict(stale, process=shell)
    assert found.status is AgentStatus.EXITED
    assert command in found.reason


def test_killed_9() -> None:
    assert verdict(reading_of("48_killed_9"), process=SHELL).status is AgentStatus.EXITED
    dead = ProcessEvidence(exists=True, dead=True, exit_status=137, pid=100)
    assert verdict(reading_of("48_killed_9"), process=dead).status is AgentStatus.FAILED


@pytest.mark.parametrize(
    ("exit_status", "status", "reason"),
    [
        (0, AgentStatus.EXITED, "its program ended with exit code 0"),
        (1, AgentStatus.FAILED, "its program ended with exit code 1"),
        (127, AgentStatus.FAILED, "its program ended with exit code 127"),
    ],
)
@pytest.mark.parametrize("before", list(AgentStatus))
def test_a_dead_pane_says_how_it_ended(before: AgentStatus, exit_status: int, status: AgentStatus, reason: str) -> None:
    dead = ProcessEvidence(exists=True, dead=True, exit_status=exit_status, pid=100)
    assert verdict(None, process=dead, previous=agent(before)) == Verdict(status=status, reason=reason)


def test_a_pane_that_is_gone_has_exited() -> None:
    gone = ProcessEvidence(exists=False)
    assert verdict(reading_of("05_idle_seeded"), process=gone) == Verdict(
        status=AgentStatus.EXITED, reason="its pane is gone"
    )


def test_without_an_exit_code_the_next_look_decides() -> None:
    """tmux knows that a program ended a moment before it knows how."""
    dead = ProcessEvidence(exists=True, dead=True, pid=100)
    first = verdict(None, process=dead)
    assert first == Verdict(status=AgentStatus.UNKNOWN, reason=JUST_ENDED)
    second = verdict(None, process=dead, previous=agent(first.status, reason=first.reason))
    assert second == Verdict(status=AgentStatus.FAILED, reason=HOW_IS_UNKNOWN)
    assert verdict(None, process=dead, previous=agent(second.status, reason=second.reason)) == second
    starting = verdict(None, process=dead, previous=agent(AgentStatus.STARTING))
    assert starting.status is AgentStatus.STARTING


def test_something_else_in_front_is_named() -> None:
    vim = ProcessEvidence(exists=True, command="vim", pid=100)
    assert verdict(reading_of("05_idle_seeded"), process=vim) == Verdict(
        status=AgentStatus.UNKNOWN, reason="vim is in front in its pane"
    )
    login = ProcessEvidence(exists=True, command="-zsh", pid=100)
    assert verdict(None, process=login).reason == "its program is gone: a shell (zsh) is in front"


def test_a_pane_that_somebody_restarted_is_not_the_agent() -> None:
    other = ProcessEvidence(exists=True, command="claude", pid=200, is_agent=False)
    found = verdict(reading_of("05_idle_seeded"), process=other)
    assert found == Verdict(status=AgentStatus.EXITED, reason="its pane was restarted with claude")


class TestStarting:
    STARTING = agent(AgentStatus.STARTING, status_since=990.0)

    def test_the_script_that_starts_it_is_no_end(self) -> None:
        script = ProcessEvidence(exists=True, command="sh", pid=100, is_agent=False)
        assert verdict(None, process=script, previous=self.STARTING).status is AgentStatus.STARTING

    def test_it_lasts_until_the_first_prompt(self) -> None:
        blank = Reading(state=ScreenState.NONE, says="shows nothing")
        for reading in (None, blank):
            found = verdict(reading, previous=self.STARTING)
            assert found.status is AgentStatus.STARTING
            assert found.reason == "its program runs, but has shown no prompt yet"
        assert verdict(reading_of("05_idle_seeded"), previous=self.STARTING).status is AgentStatus.IDLE
        assert verdict(reading_of("63_bash_running"), previous=self.STARTING).status is AgentStatus.WORKING

    def test_the_reason_says_how_long_in_whole_minutes(self) -> None:
        long_since = agent(AgentStatus.STARTING, status_since=1000.0 - 185)
        assert verdict(None, previous=long_since).reason.endswith("has shown no prompt for 3 min")

    @pytest.mark.parametrize("gate", sorted(GATES))
    def test_a_gate_waits_and_what_follows_is_still_a_start(self, gate: str) -> None:
        shown = Reading(state=ScreenState.DIALOG, says="asks", dialog=gate, gate=True)
        waiting = verdict(shown, previous=self.STARTING)
        assert (waiting.status, waiting.waiting_for) == (AgentStatus.WAITING, gate)
        blank = Reading(state=ScreenState.NONE, says="shows nothing")
        after = verdict(blank, previous=agent(AgentStatus.WAITING, waiting_for=gate))
        assert after.status is AgentStatus.STARTING

    def test_an_agent_that_shows_nothing_ever_does_not_start_for_ever(self) -> None:
        found = verdict(UNREADABLE, previous=self.STARTING)
        assert found.status is AgentStatus.UNKNOWN
        assert found.reason == "it runs; this kind of agent shows no status"


def test_the_gates_are_those_of_the_pattern_file() -> None:
    assert patterns("claude").gates == GATES


def test_a_screen_that_cannot_be_read_is_unknown_with_a_reason() -> None:
    blank = Reading(state=ScreenState.NONE, says="shows neither a prompt nor a dialog that is known")
    assert verdict(blank) == Verdict(
        status=AgentStatus.UNKNOWN, reason="it shows neither a prompt nor a dialog that is known"
    )
    assert verdict(None).status is AgentStatus.UNKNOWN
    after_permission = agent(AgentStatus.WAITING, waiting_for="permission")
    assert verdict(blank, previous=after_permission).status is AgentStatus.UNKNOWN


def test_reasons_are_in_plain_words() -> None:
    assert verdict(reading_of("05_idle_seeded")).reason == "it shows an empty prompt"
    assert verdict(reading_of("73_user_draft")).reason == "it shows unsent text at its prompt"
    assert verdict(reading_of("84_bg_bash")).reason == "it shows an empty prompt; a shell of its own still runs"
    assert verdict(reading_of("63_bash_running")).reason == "it shows “esc to interrupt”"
    assert verdict(reading_of("25_usage_limit_5h_end")).reason == (
        "it shows a usage limit: You've hit your 5-hour limit · resets 2:59pm (UTC)"
    )
    assert verdict(reading_of("11_permission_write")).reason == "it asks for permission: Create file a.txt"
    assert verdict(reading_of("61_askuser_end")).reason == "it asks a question: Which color?"
    assert verdict(reading_of("02_trust_dialog")).reason == (
        "it asks whether to trust the folder: /home/user/claude_work/proj"
    )
    error = verdict(reading_of("56_not_logged_in_msg"))
    assert (error.status, error.waiting_for) == (AgentStatus.WAITING, "error")
    assert error.reason == "it shows an error that ended its turn: Not logged in · Please run /login"


def test_a_long_command_is_cut_in_the_reason() -> None:
    long = Reading(state=ScreenState.DIALOG, says="asks for permission", dialog="permission", detail="x\n" * 900)
    found = verdict(long)
    assert len(found.reason) == 160
    assert found.reason.endswith("…")


def test_what_it_does_is_told_only_while_it_works() -> None:
    assert verdict(reading_of("63_bash_running")).doing == "Running sleep 6"
    assert verdict(reading_of("75_queued")).doing == "Concocting…"
    assert verdict(reading_of("06_after_text_reply")).doing == ""


class TestIsAgentProcess:
    @pytest.mark.parametrize("shell", sorted(SHELLS))
    def test_a_shell_is_never_an_agent(self, shell: str) -> None:
        anything = CommandDriver("x", DriverSettings(command=(shell,), process_names=("*", shell)))
        for command in (shell, f"-{shell}", f"/bin/{shell}"):
            assert not is_agent_process(command, 100, AGENT, anything)

    @pytest.mark.parametrize("command", ["claude", "/usr/local/bin/claude", "2.1.330"])
    def test_claude_by_its_names(self, command: str) -> None:
        assert is_agent_process(command, 100, AGENT, CLAUDE)

    @pytest.mark.parametrize("command", ["", "vim", "claude-helper", "python3", "less", "2to3"])
    def test_other_programs_are_not(self, command: str) -> None:
        assert not is_agent_process(command, 100, AGENT, CLAUDE)

    def test_the_right_program_in_a_restarted_pane_is_not(self) -> None:
        assert not is_agent_process("claude", 101, AGENT, CLAUDE)
        assert is_agent_process("claude", 101, agent(pid=None), CLAUDE)

    def test_a_command_of_the_settings(self) -> None:
        wrapped = ClaudeDriver(ClaudeSettings(command=("/opt/bin/our-claude", "--x")))
        assert is_agent_process("our-claude", 100, AGENT, wrapped)
        aider = CommandDriver("aider", DriverSettings(command=("/opt/aider", "--x"), screen="none"))
        assert is_agent_process("aider", 100, AGENT, aider)
        named = CommandDriver("aider", DriverSettings(command=("aider",), process_names=("python3*",), screen="none"))
        assert is_agent_process("python3.12", 100, AGENT, named)
        assert not is_agent_process("aider", 100, AGENT, named)

    def test_the_demo_agent_is_python(self) -> None:
        assert is_agent_process("python3", 100, AGENT, DemoDriver(DemoSettings()))
        assert not is_agent_process("bash", 100, AGENT, DemoDriver(DemoSettings()))
