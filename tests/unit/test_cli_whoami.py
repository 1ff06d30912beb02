"""`tmorch whoami`: the pane a process was started in, on the server it was started in."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.errors import ExitCode
from tests.fakes.cli import SERVER, FakeContext, FakeQuickStore, make_agent
from tests.fakes.json_shape import faults

INSIDE = {"TMUX": f"{SERVER},4242,0", "TMUX_PANE": "%2"}


def test_the_agent_of_this_pane() -> None:
    store = FakeQuickStore([make_agent("shop-1a2b:tester", "%3"), make_agent()])
    context = FakeContext("whoami", store=store, environ=INSIDE)
    assert context.run() == ExitCode.DONE
    assert context.said.splitlines() == [
        "agent          shop-1a2b:developer",
        "role           developer",
        "orchestration  shop-1a2b",
        "pane           %2",
        "worktree       /state/worktrees/shop-1a2b/developer",
        "branch         tmorch/shop-1a2b/developer",
    ]
    assert store.is_closed


def test_as_json() -> None:
    context = FakeContext("whoami", "--json", store=FakeQuickStore([make_agent()]), environ=INSIDE)
    assert context.run() == ExitCode.DONE
    assert faults(context.json, schema_of("whoami")) == []
    assert context.json["agent"] == "shop-1a2b:developer"


def test_a_socket_behind_a_symbolic_link_is_the_same_server(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    agent = make_agent()
    store = FakeQuickStore([agent], {agent.id: str((tmp_path / "real").resolve() / "default")})
    environ = {"TMUX": f"{tmp_path}/link/default,1,0", "TMUX_PANE": "%2"}
    assert FakeContext("whoami", store=store, environ=environ).run() == ExitCode.DONE


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"TMUX_PANE": "%2"},
        {"TMUX": f"{SERVER},4242,0"},
        {**INSIDE, "TMUX_PANE": "%99"},
        {**INSIDE, "TMUX": "/tmp/tmux-1/other,4242,0"},
        {**INSIDE, "TMUX": "/tmp/a,b/default,1,0"},
    ],
)
def test_any_other_pane_is_no_agents(environ: dict[str, str]) -> None:
    context = FakeContext("whoami", "--json", store=FakeQuickStore([make_agent()]), environ=environ)
    assert context.run() == ExitCode.NOT_FOUND
    assert context.json["error"]["code"] == "not-an-agent"
    assert context.json["error"]["remedy"]


def test_before_anything_was_started() -> None:
    context = FakeContext("whoami", environ=INSIDE)
    assert context.run() == ExitCode.NOT_FOUND


def test_it_takes_no_words() -> None:
    assert FakeContext("whoami", "x").run() == ExitCode.USAGE
