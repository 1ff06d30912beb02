"""Sessions and windows of tmorch's own, on servers configured by all kinds of people."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestrator_core.errors import MissingProgramError, NotFoundError, RefusedError, TimedOutError, UsageError
from orchestrator_core.models.ids import AgentId, OrchestrationId, PaneId, SessionId
from orchestrator_core.tmux import sessions, transport
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.sessions import Created
from tests.conftest import TmuxServer
from tests.integration.tmux_stage import Person, address_of
from tests.polling import eventually

SHOP = OrchestrationId("shop-3f2a")
DEVELOPER = AgentId("shop-3f2a:developer")
STAY = ("sleep", "1000")
TELL = "import json, os, sys; json.dump([sys.argv[2:], dict(os.environ), os.getcwd()], open(sys.argv[1], 'w'))"
"""A program that tells how it was started."""


class Stage:
    """Makes sessions and windows with little ado."""

    def __init__(self, server: TmuxServer, folder: Path) -> None:
        self.server = server
        self.address = address_of(server)
        self.folder = folder

    def session(
        self, *argv: str, name: str = SHOP, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Created:
        return sessions.create_session(
            self.address,
            name=name,
            window="orchestrator",
            cwd=str(cwd or self.folder),
            argv=argv or STAY,
            env=env or {},
            orchestration=SHOP,
            agent=AgentId("shop-3f2a:orchestrator"),
        )

    def window(
        self,
        session: SessionId,
        argv: Sequence[str] = STAY,
        *,
        name: str = "developer",
        env: Mapping[str, str] | None = None,
    ) -> Created:
        return sessions.create_window(
            self.address,
            session_id=session,
            window=name,
            cwd=str(self.folder),
            argv=argv,
            env=env or {},
            orchestration=SHOP,
            agent=DEVELOPER,
        )

    def screen(self, pane: str) -> str:
        """Return the screen with a line of scrollback, where tmux 3.2a puts the first line of a dead pane."""
        return self.server.run("capture-pane", "-p", "-S", "-1", "-t", pane)

    def end_of(self, pane: str) -> str:
        """Return `1` and the exit status of a dead pane; see `TmuxGateway.reap`."""
        self.server.run("run-shell", "-b", "true")
        return self.ask(pane, "#{pane_dead} #{pane_dead_status}")

    def ask(self, target: str, what: str) -> str:
        return self.server.run("display-message", "-p", "-t", target, what)


@pytest.fixture
def stage(tmux_server: TmuxServer, tmp_path: Path) -> Stage:
    """A stage without a server yet; the first session starts it with the configuration in HOME, if there is one."""
    Path(tmux_server.socket_path).parent.rmdir()
    return Stage(tmux_server, tmp_path)


def configure(text: str) -> None:
    """Write the person's tmux configuration."""
    Path(os.environ["HOME"], ".tmux.conf").write_text(text)


def test_a_session_starts_the_server(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    configure("set -g @mine yes")
    for name in ("TMUX", "TMUX_PANE", "TMORCH_AGENT"):
        monkeypatch.setenv(name, "/nowhere,1,0")
    made = stage.session()
    assert stage.ask(made.pane_id, "#{session_name} #{window_name} #{pane_pid}") == f"{SHOP} orchestrator {made.pid}"
    assert stage.ask(made.pane_id, "#{window_width}x#{window_height}") == "200x50"
    assert stage.ask(made.pane_id, "#{@tmorch_orchestration} #{@tmorch_agent}") == f"{SHOP} {SHOP}:orchestrator"
    assert stage.server.run("show-options", "-gv", "@mine") == "yes"
    assert "/nowhere" not in stage.server.run("show-environment", "-g")
    assert "TMORCH" not in stage.server.run("show-environment", "-t", made.session_id)
    eventually(lambda: stage.ask(made.pane_id, "#{pane_current_command}") == "sleep")


def test_nothing_of_the_persons_is_changed(stage: Stage) -> None:
    def everything() -> list[str]:
        return [
            stage.server.run("show-options", *where)
            for where in (["-s"], ["-g"], ["-gw"], ["-t", "mine:"], ["-w", "-t", "mine:"], ["-p", "-t", "mine:"])
        ] + [stage.server.run("show-environment", "-g"), stage.server.run("list-windows", "-t", "mine")]

    stage.address.make_folder()
    stage.server.run("new-session", "-d", "-s", "mine", "exec cat")
    before = everything()
    made = stage.session()
    stage.window(made.session_id)
    assert everything() == before
    assert sessions.kill_session(stage.address, made.session_id, orchestration=SHOP)
    assert everything() == before


ODD_CONFIGURATION = """\
set -g base-index 1
setw -g pane-base-index 1
set -g renumber-windows on
setw -g automatic-rename on
setw -g allow-rename on
set -g default-command "exit 7"
set -g default-shell /bin/sh
set -g destroy-unattached on
set -g detach-on-destroy off
setw -g remain-on-exit off
set -g status off
set -g default-size 10x5
set -g set-titles on
set -g no-such-option 1
"""


def test_an_odd_configuration_changes_nothing(stage: Stage) -> None:
    configure(ODD_CONFIGURATION)
    made = stage.session()
    second = stage.window(made.session_id, name="tester")
    third = stage.window(made.session_id, ("sh", "-c", r"printf '\033kother name\033\\'; exec sleep 1000"))
    rows = stage.server.run("list-windows", "-t", made.session_id, "-F", "#{window_index} #{window_id} #{window_name}")
    assert rows.splitlines() == [
        f"1 {made.window_id} orchestrator",
        f"2 {second.window_id} tester",
        f"3 {third.window_id} developer",
    ]
    assert stage.ask(made.pane_id, "#{pane_dead} #{pane_in_mode} #{window_width}x#{window_height}") == "0 0 200x50"
    assert stage.ask(second.pane_id, "#{window_width}x#{window_height}") == "200x50"
    assert stage.ask(made.pane_id, "#{window_id}") == stage.ask(f"{made.session_id}:", "#{window_id}"), (
        "none is selected"
    )


def test_the_session_outlives_its_clients(stage: Stage) -> None:
    configure("set -g destroy-unattached on\n")
    made = stage.session()
    with Person(stage.server, SHOP) as person:
        eventually(lambda: person.sees("orchestrator"))
        eventually(lambda: stage.ask(made.pane_id, "#{window_width}") == "80")
    eventually(lambda: not stage.server.run("list-clients"))
    assert sessions.session_exists(stage.address, made.session_id, orchestration=SHOP)


def test_windows_are_appended_even_behind_gaps(stage: Stage) -> None:
    made = stage.session()
    doomed, kept = stage.window(made.session_id), stage.window(made.session_id)
    stage.server.run("kill-window", "-t", doomed.window_id)
    added = stage.window(made.session_id)
    order = stage.server.run("list-windows", "-t", made.session_id, "-F", "#{window_id}").split()
    assert order == [made.window_id, kept.window_id, added.window_id]


HOOKS = {"no hooks": "", "hooks that take their time": "set-hook -g after-new-window 'run-shell \"sleep 0.02\"'\n"}


@pytest.mark.parametrize("configuration", HOOKS.values(), ids=HOOKS.keys())
def test_a_program_that_ends_at_once_leaves_its_pane(stage: Stage, configuration: str) -> None:
    configure(configuration)
    made = stage.session()
    times = 50 if not configuration else 10
    panes = [stage.window(made.session_id, ("sh", "-c", f"exit {n}")).pane_id for n in range(times)]
    panes.append(stage.window(made.session_id, ("false",)).pane_id)

    def states() -> list[str]:
        return [stage.end_of(pane) for pane in panes]

    eventually(lambda: states() == [*(f"1 {n}" for n in range(times)), "1 1"])


@pytest.mark.parametrize("configuration", HOOKS.values(), ids=HOOKS.keys())
def test_a_program_that_ends_soon_leaves_its_last_words(stage: Stage, configuration: str) -> None:
    configure(configuration)
    made = stage.session()
    times = 10
    programs = [("sh", "-c", f"echo last words {n}; sleep 0.4; exit {n}") for n in range(times)]
    panes = [stage.window(made.session_id, program).pane_id for program in programs]

    def states() -> list[str]:
        return [stage.end_of(pane) for pane in panes]

    eventually(lambda: states() == [f"1 {n}" for n in range(times)])
    for n, pane in enumerate(panes):
        assert f"last words {n}" in stage.screen(pane)


def test_the_very_first_program_may_end_at_once_too(stage: Stage) -> None:
    made = stage.session("false")
    eventually(lambda: stage.end_of(made.pane_id) == "1 1")
    assert made.pid > 0


def test_a_program_that_is_not_there_says_so_in_its_pane(stage: Stage) -> None:
    made = stage.session("no-such-program-at-all")
    panes = [made.pane_id, *(stage.window(made.session_id, ("/no/such/program",)).pane_id for _ in range(10))]
    eventually(lambda: {stage.end_of(pane) for pane in panes} == {"1 127"})
    for pane in panes:
        assert "such" in stage.screen(pane)


def test_no_shell_is_left_around_the_program(stage: Stage) -> None:
    made = stage.session()
    eventually(lambda: Path(f"/proc/{made.pid}/comm").read_text() == "sleep\n" if sys.platform == "linux" else True)


class Teller:
    """A session in which programs tell how they were started."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._session = stage.session()
        self._count = 0

    def told(self, argv: Sequence[str], env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        self._count += 1
        file = self._stage.folder / f"told-{self._count}"
        made = self._stage.window(self._session.session_id, (sys.executable, "-c", TELL, str(file), *argv), env=env)
        eventually(lambda: self._stage.ask(made.pane_id, "#{pane_dead}") == "1")
        said, environ, _ = json.loads(file.read_text())
        self._stage.server.run("kill-window", "-t", made.window_id)
        return said, environ


@pytest.fixture
def teller(stage: Stage) -> Teller:
    """A teller on a server of its own."""
    return Teller(stage)


SOME_TEXT = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]) | st.sampled_from("\"'\\$;#{}~-% \n\té漢"),
    max_size=30,
)


@given(argv=st.lists(SOME_TEXT, max_size=3), value=SOME_TEXT)
@example(
    argv=["", "a;", ";", "\\;", "-x", "--", "$HOME `id` #{pane_id} 'q' \"d\"", "two\nlines\n"], value="x=y;\n#(id) 'é'"
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
def test_arguments_and_environment_arrive_to_the_character(teller: Teller, argv: list[str], value: str) -> None:
    said, environ = teller.told(argv, {"TMORCH_TEST": value, "EMPTY": ""})
    assert said == argv
    assert (environ["TMORCH_TEST"], environ["EMPTY"]) == (value, "")


def test_variables_do_not_leak_into_other_windows(stage: Stage) -> None:
    made = stage.session(env={"TMORCH_AGENT": "orchestrator"})
    assert "TMORCH_AGENT" not in stage.server.run("show-environment", "-t", made.session_id)
    assert "TMORCH_AGENT" not in stage.server.run("show-environment", "-g")


@pytest.mark.parametrize("name", ["a#{pane_id}", "c#", "##[x]#[y]", "#(touch x) 100%H", "a.b:c é漢", "-n", "two words"])
def test_odd_window_names(stage: Stage, name: str) -> None:
    made = stage.session()
    window = stage.window(made.session_id, name=name)
    assert stage.ask(window.pane_id, "#{window_name}") == name
    assert not (stage.folder / "x").exists()


@pytest.mark.parametrize("name", ["c# project", "a#{pane_id};$HOME 'é'", "-x"])
def test_odd_folders(stage: Stage, name: str) -> None:
    folder = stage.folder / name
    folder.mkdir()
    told = stage.folder / "told"
    made = stage.session(sys.executable, "-c", TELL, str(told), cwd=folder)
    eventually(lambda: stage.ask(made.pane_id, "#{pane_dead}") == "1")
    assert json.loads(told.read_text())[2] == str(folder)
    assert stage.ask(made.pane_id, "#{session_path}") == str(folder), "the person's own windows open there too"


def test_a_taken_name_and_names_that_tmux_would_change(stage: Stage) -> None:
    stage.session()
    with pytest.raises(RefusedError) as caught:
        stage.session()
    assert caught.value.code == "name-taken"
    for name in ("", "a.b", "a:b", "$0", "=x", "-d", "x\n", "{end}", "#S"):
        with pytest.raises(UsageError):
            stage.session(name=name)
    assert len(stage.server.run("list-sessions").splitlines()) == 1
    assert sessions.is_name_taken(stage.address, SHOP)
    assert not sessions.is_name_taken(stage.address, SHOP[:4])


def test_what_cannot_be_run_makes_nothing(stage: Stage) -> None:
    with pytest.raises(RefusedError) as caught:
        stage.session(cwd=stage.folder / "nowhere")
    assert caught.value.code == "no-folder"
    for argv, env in ((("a\0b",), {}), (STAY, {"A=B": "x"}), (STAY, {"A": "\0"})):
        with pytest.raises(UsageError):
            stage.session(*argv, env=env)
    assert not stage.address.is_listening()


def test_what_fails_half_way_is_taken_back(stage: Stage) -> None:
    made = stage.session()
    with pytest.raises(Exception, match="failed"):
        stage.window(made.session_id, ("echo", "x" * 30_000))
    assert len(stage.server.run("list-windows", "-a").splitlines()) == 1
    with pytest.raises(Exception, match="failed"):
        stage.session("echo", "x" * 30_000, name="other")
    assert len(stage.server.run("list-sessions").splitlines()) == 1


def test_only_its_own_session_is_ended(stage: Stage) -> None:
    made = stage.session()
    stage.server.run("new-session", "-d", "-s", "mine", "exec cat")
    other = OrchestrationId("other-77c1")
    for session, orchestration in ((SessionId("$1"), SHOP), (made.session_id, other), (SessionId("$9"), SHOP)):
        assert not sessions.session_exists(stage.address, session, orchestration=orchestration)
        assert not sessions.kill_session(stage.address, session, orchestration=orchestration)
    with pytest.raises(NotFoundError):
        stage.window(SessionId("$1"))
    assert sessions.session_of(stage.address, SHOP) == made.session_id
    assert sessions.session_exists(stage.address, made.session_id, orchestration=SHOP)
    assert sessions.kill_session(stage.address, made.session_id, orchestration=SHOP)
    assert not sessions.kill_session(stage.address, made.session_id, orchestration=SHOP)
    assert stage.server.run("list-sessions", "-F", "#{session_name}") == "mine"


def test_without_a_server(stage: Stage) -> None:
    assert not sessions.session_exists(stage.address, SessionId("$0"), orchestration=SHOP)
    assert not sessions.kill_session(stage.address, SessionId("$0"), orchestration=SHOP)
    assert sessions.session_of(stage.address, SHOP) is None
    assert not sessions.is_name_taken(stage.address, SHOP)
    with pytest.raises(MissingProgramError):
        stage.window(SessionId("$0"))
    assert not stage.address.is_listening()
    missing = ServerAddress(bin="no-such-tmux", socket_path=stage.address.socket_path)
    with pytest.raises(MissingProgramError, match="not installed"):
        Stage.session(_with_address(stage, missing))


def _with_address(stage: Stage, address: ServerAddress) -> Stage:
    other = Stage(stage.server, stage.folder)
    other.address = address
    return other


def test_a_wedged_server_is_not_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    made = stage.session()
    monkeypatch.setattr(sessions, "DEFAULT_TIMEOUT_S", 0.3)
    assert transport.DEFAULT_TIMEOUT_S > 1
    server = stage.server.pid
    subprocess.run(["kill", "-STOP", str(server)], check=True)
    try:
        with pytest.raises(TimedOutError) as caught:
            stage.window(made.session_id)
        assert caught.value.code == "tmux-wedged"
    finally:
        subprocess.run(["kill", "-CONT", str(server)], check=True)


def test_a_program_that_ended_is_run_anew_in_its_pane(stage: Stage) -> None:
    made = stage.session()
    developer = stage.window(made.session_id, ("false",))
    eventually(lambda: stage.end_of(developer.pane_id) == "1 1")

    def respawn(pane: PaneId, agent: AgentId) -> int:
        return sessions.respawn(
            stage.address, pane, cwd=str(stage.folder), argv=("sh", "-c", 'echo "$WORD"; sleep 600'),
            env={"WORD": "a b; #{x}"}, agent=agent,
        )  # fmt: skip

    for pane, agent in ((developer.pane_id, AgentId("shop-3f2a:tester")), (made.pane_id, DEVELOPER)):
        with pytest.raises(RefusedError):
            respawn(pane, agent)
    pid = respawn(developer.pane_id, DEVELOPER)
    assert stage.ask(developer.pane_id, "#{pane_pid} #{pane_dead}") == f"{pid} 0"
    eventually(lambda: "a b; #{x}" in stage.screen(developer.pane_id))
    with pytest.raises(RefusedError, match="not one in which"):
        respawn(developer.pane_id, DEVELOPER)
