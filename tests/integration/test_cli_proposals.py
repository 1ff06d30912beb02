"""`plan`, `start` and `team` as processes: what is proposed, saved and started, and that nothing else is made."""

from __future__ import annotations

import json
import os
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator_core.cli.commands import load
from orchestrator_core.cli.parsing import Parser
from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.config.paths import Paths
from orchestrator_core.store import open_store
from tests.conftest import MakeProject, TmuxServer, run_git
from tests.fakes.json_shape import faults
from tests.integration.test_cli_process import AtTerminal, tmorch
from tests.polling import eventually

SPEC = """\
---
plan: max20
roles: [orchestrator, developer, tester]
---
GOAL: Customers log in
DELIVERABLES:
1. login, served from Docker and Kubernetes
"""
FILES = {"pyproject.toml": "", "src/shop.py": "", "SPEC.md": SPEC}
SLOW_CLAUDE = "#!/bin/sh\ntouch {sign}\nexec sleep 60\n"


@pytest.fixture
def project(make_project: MakeProject, tmux_server: TmuxServer) -> Path:
    return make_project(files=FILES)


def told(*args: str, code: int = 0, **more: Any) -> Any:
    """Run tmorch with `--json` and return what it printed."""
    done = tmorch(*args, "--json", **more)
    assert done.returncode == code, done
    return json.loads(done.stdout)


def roles_of(document: dict[str, Any]) -> list[str]:
    return [choice["role"] for choice in document["roles"]]


def nothing_was_made(project: Path, server: TmuxServer) -> bool:
    assert run_git(project, "for-each-ref", "refs/heads/tmorch") == ""
    assert run_git(project, "worktree", "list").count("\n") == 0
    assert run_git(project, "status", "--porcelain") == ""
    assert list(Paths.from_env().worktrees.glob("*")) == []
    return server.run("list-sessions", check=False) == ""


def test_plan_offline_tells_what_it_understood_and_makes_nothing(project: Path, tmux_server: TmuxServer) -> None:
    found = told("plan", str(project), "--agent", "demo")
    assert faults(found, schema_of("plan")) == []
    assert roles_of(found) == ["orchestrator", "developer", "tester"]
    assert found["plan"] == "max20"
    assert found["analysis"]["source"] == "offline"
    assert [each["role"] for each in found["analysis"]["suggestions"]] == ["devops"]
    assert nothing_was_made(project, tmux_server)
    refined = told("plan", str(project), "--agent", "demo", "--refine")
    assert "devops" in roles_of(refined)
    assert nothing_was_made(project, tmux_server)


def section_of_the_readme() -> str:
    text = (Path(__file__).parents[2] / "README.md").read_text()
    return text.partition("## Start a team\n")[2].partition("\n## ")[0]


def test_the_example_of_the_readme_gives_its_team(make_project: MakeProject, tmux_server: TmuxServer) -> None:
    spec = section_of_the_readme().partition("```markdown\n")[2].partition("```")[0]
    project = make_project(files={**FILES, "SPEC.md": spec})
    found = told("plan", str(project), "--agent", "demo")
    assert roles_of(found) == ["orchestrator", "project_manager", "developer", "tester", "testrunner"]
    assert found["spec"]["remarks"] == []
    assert found["spec"]["deliverables"] == ["login and logout endpoints", "session handling"]
    assert all(choice["reason"] for choice in [*found["roles"], *found["dropped"]])


def test_the_commands_of_the_readme_are_commands() -> None:
    lines = [line for line in section_of_the_readme().splitlines() if line.startswith("tmorch ")]
    assert len(lines) > 5
    for line in lines:
        _, name, *words = shlex.split(line.replace(" N ", " 1 "), comments=True)
        parser, command = Parser(name, ""), load(name)
        command.add_arguments(parser)
        parser.parse_all(words, "")


def test_roles_may_be_listed_or_repeated(project: Path) -> None:
    """Scenario 8."""
    listed = told("plan", str(project), "--agent", "demo", "--roles", "orchestrator,developer,sysadmin,devops")
    words = [word for role in ("orchestrator", "developer", "sysadmin", "devops") for word in ("--roles", role)]
    assert roles_of(listed) == roles_of(told("plan", str(project), "--agent", "demo", *words))
    assert roles_of(listed) == ["orchestrator", "developer", "sysadmin", "devops"]
    error = told("plan", str(project), "--agent", "demo", "--roles", "orchestrator,tesster", code=2)["error"]
    assert "tester" in f"{error['cause']} {error['remedy']}"
    assert "databaseops" in f"{error['cause']} {error['remedy']}"


def test_a_type_that_is_wished_brings_its_team(make_project: MakeProject) -> None:
    """Scenario 9."""
    project = make_project(files={**FILES, "SPEC.md": "GOAL: Put it online\n"})
    found = told("plan", str(project), "--agent", "demo", "--team-type", "system_deployment")
    assert {"sysadmin", "devops", "securityops"} <= set(roles_of(found))


@pytest.fixture
def ended(tmux_server: TmuxServer) -> Iterator[None]:
    """What was started is ended after the test."""
    yield
    tmorch("supervisor", "stop")


@pytest.mark.usefixtures("ended")
def test_a_saved_proposal_is_started_as_it_is(project: Path) -> None:
    saved = told("plan", str(project), "--agent", "demo", "--roles", "orchestrator,tester", "--save")
    assert saved["proposal"] == 1
    listed = told("plan", "--saved")
    assert faults(listed, schema_of("plan --saved")) == []
    assert [(each["proposal"], each["agents"]) for each in listed["proposals"]] == [(1, 2)]
    run_git(project, "commit", "--allow-empty", "-m", "more")
    done = tmorch("start", "--proposal", "1", "--yes", "--json")
    assert done.returncode == 0, done
    (team,) = json.loads(done.stdout)["orchestrations"]
    assert [agent["role"] for agent in team["agents"]] == ["orchestrator", "tester"]
    assert "has moved on since" in done.stderr
    assert told("plan", "--saved")["proposals"] == []
    assert told("start", "--proposal", "1", "--yes", code=4)["error"]["code"] == "no-proposal"
    tmorch("stop", team["id"])


def test_a_proposal_whose_branch_is_gone_makes_nothing(project: Path, tmux_server: TmuxServer) -> None:
    told("plan", str(project), "--agent", "demo", "--save")
    run_git(project, "branch", "-m", "trunk")
    assert told("start", "--proposal", "1", "--yes", code=3)["error"]["code"] == "branch-gone"
    assert nothing_was_made(project, tmux_server)
    assert [each["proposal"] for each in told("plan", "--saved")["proposals"]] == [1]


def test_a_proposal_of_another_version_says_so_and_can_be_discarded(project: Path) -> None:
    told("plan", str(project), "--agent", "demo", "--save")
    store = open_store(Paths.from_env().database)
    store._database.execute("UPDATE proposal SET body = '{}'")
    store.close()
    assert told("start", "--proposal", "1", "--yes", code=1)["error"]["code"] == "old-proposal"
    assert told("plan", "--saved")["proposals"] == []
    assert told("plan", "--discard", "1")["discarded"] == 1


def test_ctrl_c_while_claude_reads_leaves_the_offline_reading(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claude, sign = tmp_path / "bin/claude", tmp_path / "asked"
    claude.parent.mkdir()
    claude.write_text(SLOW_CLAUDE.format(sign=sign))
    claude.chmod(0o755)
    monkeypatch.setenv("PATH", str(claude.parent), prepend=os.pathsep)
    terminal = AtTerminal("plan", str(project), "--agent", "claude")
    eventually(sign.exists)
    terminal.process.send_signal(signal.SIGINT)
    terminal.wait_for("offline: you ended the reading")
    terminal.wait_for("branches")
    assert terminal.end() == 0


def test_detection_needs_no_repository(tmp_path: Path) -> None:
    for name in ("package.json", *(f"data/{number}.csv" for number in range(500))):
        file = tmp_path / "plain" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    found = told("team", "detect", str(tmp_path / "plain"))
    assert faults(found, schema_of("team detect")) == []
    assert found["type"] == "code_project"
    assert told("team", "detect", str(tmp_path / "gone"), code=4)["error"]["code"] == "no-project"
