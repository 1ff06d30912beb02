"""Starting a team on real tmux and git: what is made, and what is left when something fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import MakeProject, run_git
from tests.polling import eventually
from tests.rig import Done, Rig

FIVE = "orchestrator,project_manager,developer,tester,testrunner"
NASTY = """GOAL: Quote 'single' "double" `back` $HOME $(date) ; #{pane_id} \\ {{ jinja }} 🙂 日本
DELIVERABLES:
""" + "\n".join(f"{n}. item {n} with 'quotes', `ticks`, $VARS; and #{{formats}}" for n in range(1, 280))


def tree_of(project: Path) -> tuple[str, str, str]:
    return (
        run_git(project, "rev-parse", "HEAD"),
        run_git(project, "status", "--porcelain"),
        run_git(project, "ls-files", "-s"),
    )


def leftovers(project: Path, rig: Rig) -> tuple[str, str, list[str]]:
    """What a failed start may have left: branches, worktrees, sessions."""
    worktrees = [
        line for line in run_git(project, "worktree", "list", "--porcelain").splitlines() if "worktree " in line
    ]
    return (
        run_git(project, "for-each-ref", "refs/heads/tmorch"),
        "\n".join(worktrees[1:]),
        rig.tmux.run("list-sessions", "-F", "#{session_name}", check=False).splitlines(),
    )


def test_each_agent_gets_a_window_and_a_branch_of_its_own(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 12."""
    project = make_project(files={"app.py": "print()\n"}, branch="feature-x")
    before = tree_of(project)
    team = rig.start(project, roles=FIVE)
    assert tree_of(project) == before
    branches = {agent["branch"] for agent in team["agents"]}
    assert len(branches) == 5
    base = run_git(project, "rev-parse", "feature-x")
    for agent in team["agents"]:
        assert run_git(project, "merge-base", agent["branch"], "feature-x") == base
        assert run_git(Path(agent["worktree"]), "branch", "--show-current") == agent["branch"]
        assert not Path(agent["worktree"]).is_relative_to(project)
    windows = rig.tmux.run("list-windows", "-t", f"={team['session']}", "-F", "#{window_name}").splitlines()
    assert windows == FIVE.split(",")
    assert team["state"] == "running"
    assert team["starting_branch"] == "feature-x"


@pytest.mark.parametrize(
    "name",
    ["My Web App", "a.b.c", 'it\'s "quoted"', "日本語", "-rf", "x" * 80, "semi;colon$HOME", "b\\s"],
)
def test_odd_project_names(rig: Rig, make_project: MakeProject, name: str) -> None:
    """Scenario 13."""
    team = rig.start(make_project(name))
    sent = rig.tmorch("send", f"{team['id']}:developer", "hello", "--json")
    assert sent.code == 0, sent
    assert sent.json["state"] == "delivered"
    assert rig.agent(team).texts() == ["hello"]
    assert rig.tmorch("status", "--json").code == 0


def test_two_projects_with_one_name_do_not_collide(rig: Rig, make_project: MakeProject) -> None:
    first = rig.start(make_project("one/Web App"))
    second = rig.start(make_project("two/web-app"))
    assert first["id"] != second["id"]
    assert rig.tmorch("send", f"{second['id']}:developer", "for the second").code == 0
    assert rig.agent(second).texts() == ["for the second"]
    assert rig.agent(first).texts() == []


def test_a_persons_own_tmux_settings_do_not_mislead(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 14."""
    rig.tmux.run("new-session", "-d", "-s", "mine")
    for option in ("base-index", "renumber-windows", "destroy-unattached"):
        rig.tmux.run(
            "set-option", "-g", option, "1" if option == "base-index" else "on" if "re" in option[:2] else "off"
        )
    rig.tmux.run("set-option", "-gw", "pane-base-index", "1")
    rig.tmux.run("set-option", "-gw", "automatic-rename", "on")
    team = rig.start(make_project(), roles="orchestrator,developer,tester")
    rig.tmux.run("kill-window", "-t", next(a["window"] for a in team["agents"] if a["role"] == "orchestrator"))
    for role in ("developer", "tester"):
        assert rig.tmorch("send", role, f"for the {role}").code == 0
        assert rig.agent(team, role).texts() == [f"for the {role}"]
    assert rig.tmux.run("list-windows", "-t", "=mine", "-F", "#{window_index}") != ""


@pytest.mark.parametrize("case", ["not-a-repository", "no-commits", "detached"])
def test_a_project_that_cannot_be_worked_on_is_refused_and_untouched(
    rig: Rig, make_project: MakeProject, tmp_path: Path, case: str
) -> None:
    """Scenario 15."""
    if case == "not-a-repository":
        project = tmp_path / "plain"
        project.mkdir()
    else:
        project = make_project(commit=case != "no-commits")
        if case == "detached":
            run_git(project, "checkout", "-q", "--detach")
    done = rig.tmorch(
        "start", "--project", str(project), "--spec", str(rig.spec), "--agent", "stand-in", "--yes", "--json"
    )
    assert done.code == 3, done
    assert done.json["error"]["code"] == case
    assert done.json["error"]["remedy"]
    assert rig.tmux.run("list-sessions", check=False) == ""


def test_a_dirty_checkout_is_left_alone_and_named(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 15."""
    project = make_project(files={"app.py": "a = 1\n"})
    (project / "app.py").write_text("a = 2\n")
    (project / "new.txt").write_text("mine\n")
    before = tree_of(project)
    done = rig.tmorch(
        "start", "--project", str(project), "--spec", str(rig.spec), "--agent", "stand-in", "--roles", "developer",
        "--yes", "--json",
    )  # fmt: skip
    assert done.code == 0, done
    assert "2 uncommitted" in done.err
    assert tree_of(project) == before
    worktree = Path(done.json["orchestrations"][0]["agents"][0]["worktree"])
    assert (worktree / "app.py").read_text() == "a = 1\n"
    assert not (worktree / "new.txt").exists()


def failing_tmux(folder: Path, subcommand: str) -> Path:
    """Write a tmux that fails at `subcommand` and is the real one otherwise."""
    program = folder / "tmux"
    program.write_text(
        "#!/bin/sh\n"
        f'for word in "$@"; do [ "$word" = {subcommand} ] && {{ echo "no space for a window" >&2; exit 1; }}; done\n'
        'exec tmux "$@"\n'
    )
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("step", ["worktree", "session", "window", "agent", "briefing"])
def test_a_failed_start_leaves_nothing_and_a_second_one_succeeds(
    rig: Rig, make_project: MakeProject, tmp_path: Path, step: str
) -> None:
    """Scenario 16: each step fails for a real reason."""
    project = make_project()
    blocked = rig.paths.worktrees
    if step == "worktree":
        blocked.parent.mkdir(parents=True, exist_ok=True)
        blocked.write_text("in the way")
    elif step in ("session", "window"):
        program = failing_tmux(tmp_path, f"new-{step}")
        rig.configure(f'[tmux]\nbin = "{program}"\n')
    elif step == "agent":
        rig.configure('[drivers.broken]\ncommand = ["/bin/sh", "-c", "echo no licence; exit 3"]\n')
    else:
        rig.configure(stand_in_args=("--gates", "trust"), text="[team]\nstart_timeout_s = 20\n", as_driver="claude")
        rig.configure(
            "[team]\nstart_timeout_s = 20\n[drivers.broken]\n"
            'command = ["/bin/sh", "-c", "sleep 1; echo lost its terminal; exit 4"]\nprocess_names = ["sleep"]\n'
        )
    failed = rig.tmorch(
        "start", "--project", str(project), "--spec", str(rig.spec), "--roles", "developer,tester", "--yes", "--json",
        "--agent", "broken" if step in ("agent", "briefing") else "stand-in",
    )  # fmt: skip
    assert failed.code not in (0, 3), failed
    assert failed.json["error"]["cause"]
    if step == "agent":
        assert "no licence" in failed.json["error"]["cause"]
    assert leftovers(project, rig) == ("", "", []), failed
    if step == "worktree":
        blocked.unlink()
    rig.configure()
    assert rig.start(project)["state"] == "running"


def test_a_start_that_was_killed_is_undone_by_the_next(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 16: not even `kill -9` leaves a half-made team in the way."""
    project = make_project()
    rig.configure(stand_in_args=("--ready-after", "600"))
    launcher = subprocess.Popen(
        [
            sys.executable, "-m", "orchestrator_core.cli.main", "start", "--project", str(project), "--spec",
            str(rig.spec), "--roles", "developer,tester", "--agent", "stand-in", "--yes",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    eventually(lambda: run_git(project, "for-each-ref", "refs/heads/tmorch").count("\n") == 1)
    launcher.kill()
    launcher.wait()
    rig.configure()
    team = rig.tmorch(
        "start", "--project", str(project), "--spec", str(rig.spec), "--roles", "developer,tester", "--agent",
        "stand-in", "--yes", "--json",
    )  # fmt: skip
    running = [o for o in rig.tmorch("list", "--json").json["orchestrations"] if o["state"] == "running"]
    assert len(running) == 1, team
    assert team.code in (0, 3), team  # it had made everything by then, and runs; or it was undone and made anew
    assert run_git(project, "for-each-ref", "refs/heads/tmorch").count("\n") == 1


def test_a_briefing_of_any_content_is_one_prompt(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 17, by the outbox."""
    rig.spec.write_text(NASTY)
    team = rig.start(make_project())
    prompts = rig.agent(team).prompts()
    assert len(prompts) == 1
    assert prompts[0].startswith("[tmorch 1 briefing] ")
    assert NASTY.splitlines()[0].removeprefix("GOAL: ") in prompts[0]
    assert "item 279 with 'quotes', `ticks`, $VARS; and #{formats}" in prompts[0]


def test_a_briefing_as_an_argument_is_one_prompt(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 17, by the command line, as Claude Code takes it."""
    rig.spec.write_text(NASTY)
    rig.configure(as_driver="claude")
    team = rig.start(make_project(), agent="claude")
    prompts = rig.agent(team).prompts()
    assert len(prompts) == 1
    assert NASTY.splitlines()[0].removeprefix("GOAL: ") in prompts[0]


def test_gates_are_answered_by_the_policy_and_the_briefing_waits(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 18."""
    rig.configure(
        '[claude.gates]\ntrust = "accept"\nbypass = "accept"\nmcp = "accept"\n',
        stand_in_args=("--gates", "trust,bypass,mcp"),
        as_driver="claude",
    )
    team = rig.start(make_project(), agent="claude")
    agent = rig.agent(team)
    eventually(lambda: len(agent.prompts()) == 1)
    agent.wait_status("working", "idle")
    gates = [event.text for event in rig.store.events.latest(50) if event.kind == "agent.gate"]
    assert len(gates) == 3


def test_a_gate_whose_policy_is_to_ask_is_shown_to_the_person(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 18: surfaced, not answered."""
    rig.configure('[claude.gates]\ntrust = "ask"\n', stand_in_args=("--gates", "trust"), as_driver="claude")
    team = rig.start(make_project(), agent="claude")
    agent = rig.agent(team)
    assert team["agents"][0]["status"] == "waiting"
    assert agent.row.waiting_for == "trust"
    assert agent.prompts() == []


def test_an_agent_that_ends_at_once_has_failed_and_the_others_go_on(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 19."""
    program = rig.folder / "bin" / "sometimes"
    program.write_text(
        '#!/bin/sh\ncase $TMORCH_AGENT in *:tester) echo "licence expired"; exit 7;; esac\n'
        f'exec {rig.folder}/bin/claude "$@"\n'
    )
    program.chmod(0o755)
    rig.configure(f'[drivers.sometimes]\ncommand = ["{program}"]\nprocess_names = ["claude"]\nscreen = "claude"\n')
    team = rig.start(make_project(), roles="developer,tester", agent="sometimes")
    failed = rig.agent(team, "tester").row
    assert failed.status == "failed"
    assert "7" in failed.reason
    assert "licence expired" in failed.last_output
    assert rig.agent(team).row.status in ("idle", "working")
    assert len(rig.agent(team).prompts()) == 1
    assert "licence" in rig.tmux.run("capture-pane", "-p", "-S", "-9", "-t", str(failed.pane))


def test_of_two_starts_at_once_one_wins_and_the_other_names_it(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 20."""
    project = make_project()
    command = [
        sys.executable, "-m", "orchestrator_core.cli.main", "start", "--project", str(project), "--spec", str(rig.spec),
        "--roles", "developer", "--agent", "stand-in", "--yes", "--json",
    ]  # fmt: skip
    starts = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
        for _ in range(2)
    ]
    ends = [Done(subprocess.CompletedProcess(command, *_ended(start))) for start in starts]
    won, lost = sorted(ends, key=lambda end: end.code)
    assert won.code == 0, ends
    assert lost.code == 3, ends
    winner = won.json["orchestrations"][0]["id"]
    assert lost.json["error"]["code"] == "already-running"
    assert winner in lost.json["error"]["cause"] + lost.json["error"]["title"]
    assert len(run_git(project, "for-each-ref", "refs/heads/tmorch").splitlines()) == 1


def _ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=80)
    return process.returncode, out, err


def test_no_question_without_a_terminal(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 7."""
    project = make_project()
    done = rig.tmorch("start", "--project", str(project), "--spec", str(rig.spec), "--agent", "stand-in")
    assert done.code == 3, done
    assert "--yes" in done.err
    assert leftovers(project, rig) == ("", "", [])
