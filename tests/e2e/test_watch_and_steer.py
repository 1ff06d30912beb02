"""The whole program in a real tmux, as a person uses it: keys in, screen out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import MakeProject, TmuxServer
from tests.e2e.terminal import Terminal
from tests.polling import eventually
from tests.rig import Rig, StandIn

TUI = f"{Path(sys.executable).with_name('tmorch-tui')}"


@pytest.fixture
def team(rig: Rig, make_project: MakeProject) -> dict[str, Any]:
    rig.configure(stand_in_args=("--trace", f"{rig.folder}/$(echo $TMORCH_AGENT | tr : _).trace"))
    made = rig.start(make_project(), roles="orchestrator,developer,tester")
    for role in ("orchestrator", "developer", "tester"):
        rig.agent(made, role).wait_status("idle")
    return made


@pytest.fixture
def outer_socket() -> Path:
    return Path(os.environ["TMUX_TMPDIR"]) / "person"


@pytest.fixture
def outside(rig: Rig, team: dict[str, Any], outer_socket: Path) -> Iterator[Terminal]:
    """`tmorch-tui` in a terminal that is not inside the agents' tmux."""
    terminal = Terminal(outer_socket, TUI, cwd=rig.folder)
    yield terminal
    terminal.close()


def pids(rig: Rig, team: dict[str, Any]) -> list[int]:
    return [agent.pid or 0 for agent in rig.store.agents.of(team["id"])]


def test_watch_message_filter_zoom_attach_quit(rig: Rig, team: dict[str, Any], outside: Terminal) -> None:
    """One sitting: select, see it change, send and see the receipt, filter, zoom, attach and return, quit."""
    developer = rig.agent(team)
    outside.sees("tmorch", "1 team", "3 agents", "orchestrator", "developer", "tester")

    outside.press("j")
    outside.sees(f"{team['id']} ▸ developer")
    developer.do("print", text="a line of its own")
    outside.sees("a line of its own")

    outside.press("m")
    outside.type("please check the [till]")
    outside.press("Enter")
    outside.sees("✔ delivered  please check the [till]")
    assert developer.texts() == ["please check the [till]"]
    outside.press("Escape")
    outside.sees("q quit")  # an escape and a key right behind it would be one alt-key

    outside.press("/")
    outside.type("tester")
    outside.sees("1 of 3")
    outside.press("Escape")
    outside.sees("developer", "q quit")

    outside.press("z")
    outside.sees_no("orchestrator  ")
    outside.press("z")
    outside.sees("orchestrator")

    before = pids(rig, team)
    outside.press("Enter")
    eventually(lambda: rig.tmux.run("list-clients", "-F", "#{client_control_mode} #{session_name}").count("0 ") == 1)
    rig.tmux.run("detach-client", "-s", f"={team['session']}")
    outside.sees("1 team", "developer")

    outside.press("q")
    assert outside.exit_status() == 0
    assert pids(rig, team) == before
    assert all(psutil.pid_exists(pid) for pid in before)


def test_inside_tmux_the_client_is_switched_and_comes_back(
    rig: Rig, team: dict[str, Any], tmux_server: TmuxServer, outer_socket: Path
) -> None:
    """Started inside the agents' own tmux: it never shows itself, attach switches the client, a key brings it back."""
    tmux_server.run("set-option", "-g", "status", "off")
    tmux_server.run("set-option", "-g", "escape-time", "0")
    tmux_server.run(
        "new-session", "-d", "-s", "desk", "-x", "120", "-y", "40", "-e", "COLORTERM=truecolor", f"exec {TUI}"
    )
    terminal = Terminal(outer_socket, f"tmux -S {tmux_server.socket_path} attach -t =desk", cwd=rig.folder)
    try:
        terminal.sees("1 team", "developer")
        assert "desk" not in terminal.text()
        terminal.press("j")
        terminal.sees(f"{team['id']} ▸ developer")
        terminal.press("Enter")
        eventually(lambda: session_of_person(tmux_server) == team["session"])
        terminal.press("C-b", "L")
        eventually(lambda: session_of_person(tmux_server) == "desk")
        terminal.sees("1 team", f"{team['id']} ▸ developer")
    finally:
        terminal.close()


def picked(rig: Rig, agent: StandIn) -> list[str]:
    """Return what was chosen in an agent's dialogs."""
    trace = rig.folder / f"{agent.id.replace(':', '_')}.trace"
    entries = [json.loads(line) for line in trace.read_text().splitlines()] if trace.exists() else []
    return [entry["text"] for entry in entries if entry["kind"] == "answer"]


def test_who_asks_for_permission_is_answered_by_one_key(rig: Rig, team: dict[str, Any], outside: Terminal) -> None:
    """Scenario 82: listed, seen, answered with a key, gone; and the agent goes on."""
    tester = rig.agent(team, "tester")
    outside.sees("tester", "q quit")
    tester.do("permission", command="rm -rf build")
    eventually(lambda: "rm -rf build" in tester.screen())
    outside.sees("Needs you (1)", "◆1 needs you", "◆ tester rm -rf")

    outside.press("n")
    outside.sees("tester ◆", "y approve", "Do you want to proceed?")
    outside.press("y")
    outside.sees_no("1 needs you")
    assert picked(rig, tester) == ["permission: Yes"]
    tester.wait_status("idle", "working")
    outside.sees_no("Do you want to proceed?")

    tester.do("permission", command="git push --force")
    outside.sees("Needs you (1)", "git push --force")
    outside.press("a")
    outside.sees("asks for permission", "1  Yes", "d deny")
    outside.press("d")
    outside.sees_no("1 needs you")
    assert picked(rig, tester) == ["permission: Yes", "permission: No"]


def test_a_prompt_that_was_answered_elsewhere_is_not_answered_again(
    rig: Rig, team: dict[str, Any], outside: Terminal
) -> None:
    """Scenario 82: the next prompt of the same agent gets none of it."""
    tester = rig.agent(team, "tester")
    tester.do("permission", command="make test")
    outside.sees("Needs you (1)", "make test")
    outside.press("a")
    outside.sees("asks for permission")
    rig.tmux.run("send-keys", "-t", str(tester.row.pane), "3")
    outside.sees("This is over")
    tester.do("permission", command="make install")
    eventually(lambda: "make install" in tester.screen())
    outside.press("y")
    outside.press("Escape")
    outside.sees("Needs you (1)", "make install")
    assert picked(rig, tester) == ["permission: No"]


def test_why_messages_and_the_log_are_a_key_away(rig: Rig, team: dict[str, Any], outside: Terminal) -> None:
    """Each opens over the main screen, shows what is so, and leads back."""
    outside.sees("developer", "q quit")
    outside.press("j", "w")
    outside.sees("why", "decides", "process", "screen")
    outside.press("Escape")
    outside.sees("q quit")
    assert rig.tmorch("send", "developer", "look at the till").code == 0
    outside.press("M")
    outside.sees("Messages", f"{team['id']}:developer", "look at the till", "✔ ")
    assert rig.tmorch("send", "developer", "and at the [stock]").code == 0
    outside.sees("and at the [stock]")
    outside.press("Escape")
    outside.sees("q quit", "orchestrator  ")
    outside.press("L")
    outside.sees("Log", "agent.status")
    outside.press("/")
    outside.type("no such thing")
    outside.sees("Nothing that fits")


def session_of_person(server: TmuxServer) -> str:
    rows = server.run("list-clients", "-F", "#{client_control_mode} #{session_name}").splitlines()
    return next(row[2:] for row in rows if row.startswith("0 "))


def test_a_terminal_of_80_by_24_is_enough(rig: Rig, team: dict[str, Any], outer_socket: Path) -> None:
    terminal = Terminal(outer_socket, TUI, width=80, height=24, cwd=rig.folder)
    try:
        screen = terminal.sees("tmorch", "developer", "tester", "?")
        assert all(len(line) <= 80 for line in screen.splitlines())
        terminal.press("j", "m")
        terminal.type("short screen")
        terminal.press("Enter")
        terminal.sees("✔ delivered  short screen")
    finally:
        terminal.close()
    assert rig.agent(team).texts() == ["short screen"]


def test_the_supervisor_that_is_down_is_shown_and_started_from_here(
    rig: Rig, team: dict[str, Any], outside: Terminal
) -> None:
    """Scenario 85."""
    outside.sees("developer")
    rig.tmorch("supervisor", "stop")
    outside.sees("The supervisor is down")
    outside.press("S")
    eventually(lambda: rig.tmorch("supervisor", "status", "--json").json["supervisor"]["running"])


def test_a_tmux_server_that_dies_is_shown_and_the_app_goes_on(
    rig: Rig, team: dict[str, Any], outside: Terminal, tmux_server: TmuxServer
) -> None:
    """Scenario 85."""
    outside.sees("developer")
    tmux_server.kill()
    outside.sees("The tmux server is gone", "no server")
    outside.press("q")
    assert outside.exit_status() == 0
