"""Cleaning up never loses work, whatever happens before, meanwhile and after."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from orchestrator_core.errors import GitCommandError, NotFoundError, RefusedError
from orchestrator_core.git.place import aside_of, locate, remains_of
from orchestrator_core.git.removal import remove_verified
from orchestrator_core.git.snapshot import take_snapshot
from orchestrator_core.git.trash import keep, trash_list
from orchestrator_core.git.worktrees import add_worktree
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.branch import CleanupResult, Removal
from orchestrator_core.models.ids import OrchestrationId, agent_id
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.services import cleanup as service
from orchestrator_core.store import Store, open_store
from tests.conftest import MakeProject, run_git
from tests.polling import aeventually

ID = OrchestrationId("shop-3f2a")
ROLES = ("orchestrator", "developer", "tester")


class Team:
    """A stopped team with a worktree per role."""

    def __init__(self, store: Store, project: Path, folder: Path) -> None:
        self.store = store
        self.project = project
        self.folder = folder
        self.base = run_git(project, "rev-parse", "HEAD")
        self.orchestration = Orchestration(
            id=ID,
            project=str(project),
            project_name="shop",
            session=ID,
            starting_branch="main",
            base_commit=self.base,
            state=OrchestrationState.STOPPED,
        )
        self.agents = [
            Agent(
                id=agent_id(ID, role),
                orchestration=ID,
                role=role,
                driver="demo",
                worktree=str(folder / role),
                branch=f"tmorch/{ID}/{role}",
            )
            for role in ROLES
        ]

    async def make(self) -> None:
        """Do what a start and a stop would have done."""
        self.store.orchestrations.claim(self.orchestration)
        for agent in self.agents:
            self.store.agents.add(agent)
            await add_worktree(self.project, agent.worktree, agent.branch, self.base)

    def tree(self, role: str) -> Path:
        return self.folder / role

    async def clean(self, *force: str, live: tuple[str, ...] = ()) -> CleanupResult:
        return await service.cleanup(
            self.store,
            self.store.orchestrations.get(ID),
            self.agents,
            force=force,
            is_live=lambda agent: agent.role in live,
        )

    async def refusal(self, *force: str) -> RefusedError:
        with pytest.raises(RefusedError) as caught:
            await self.clean(*force)
        return caught.value

    def branches(self) -> list[str]:
        names = run_git(self.project, "for-each-ref", "--format=%(refname:short)", "refs/heads/tmorch")
        return [name.rpartition("/")[2] for name in names.splitlines()]

    def folders(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []

    def known(self) -> list[str]:
        lines = run_git(self.project, "worktree", "list", "--porcelain").splitlines()
        return [Path(line.split(" ", 1)[1]).name for line in lines if line.startswith("worktree ")][1:]

    def state(self) -> OrchestrationState:
        return self.store.orchestrations.get(ID).state

    def events(self) -> list[str]:
        return [event.kind for event in reversed(self.store.events.latest(100))]

    def whole(self) -> tuple[object, ...]:
        """Return everything that a refused clean-up must leave as it is."""
        files = {
            file: file.read_bytes() if file.is_file() else b""
            for folder in (self.folder, self.project)
            for file in folder.rglob("*")
            if ".git/objects" not in str(file)
        }
        return files, run_git(self.project, "for-each-ref"), self.state(), self.events()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "tmorch.db")
    yield opened
    opened.close()


@pytest.fixture
async def team(store: Store, git_project: Path, tmp_path: Path) -> Team:
    made = Team(store, git_project, tmp_path / "state/worktrees" / ID)
    await made.make()
    return made


def commit(tree: Path, message: str, **files: str) -> str:
    for name, text in files.items():
        (tree / name).write_text(text)
    run_git(tree, "add", "-A")
    run_git(tree, "commit", "-q", "--allow-empty", "-m", message)
    return run_git(tree, "rev-parse", "HEAD")


def of(result: CleanupResult, role: str) -> Removal:
    return next(removal for removal in result.removals if removal.role == role)


def kept_file(project: Path, ref: str, name: str) -> str:
    return run_git(project, "cat-file", "blob", f"{ref}:{name}")


@contextmanager
def sleeping_in(folder: Path) -> Iterator[int]:
    with subprocess.Popen(["sleep", "600"], cwd=folder) as program:
        try:
            yield program.pid
        finally:
            program.kill()


# --- the plain ways -----------------------------------------------------------------------------------------------


async def test_a_clean_team_goes(team: Team) -> None:
    before = (team.project / ".git/index").read_bytes(), run_git(team.project, "status", "--porcelain")

    result = await team.clean()

    assert result.state is team.state() is OrchestrationState.CLEANED
    assert result.left == ()
    assert (team.branches(), team.known(), team.folders(), team.folder.exists()) == ([], [], [], False)
    assert {entry.ref for entry in await trash_list(team.project)} == {r.ref for r in result.removals}
    assert team.events() == ["cleanup.removed"] * 3 + ["orchestration.cleaned"]
    assert ((team.project / ".git/index").read_bytes(), run_git(team.project, "status", "--porcelain")) == before
    assert run_git(team.project, "symbolic-ref", "--short", "HEAD") == "main"


async def test_doing_it_again_is_harmless(team: Team) -> None:
    await team.clean()
    before = team.whole()

    again = await team.clean()

    assert again.state is OrchestrationState.CLEANED
    assert all(removal.removed and not removal.ref for removal in again.removals)
    assert team.whole() == before


async def test_unsaved_work_refuses_everything_and_is_listed(team: Team, tmp_path: Path) -> None:
    run_git(team.project, "clone", "-q", "--bare", ".", str(tmp_path / "origin.git"))
    run_git(team.project, "remote", "add", "origin", str(tmp_path / "origin.git"))
    run_git(team.project, "fetch", "-q", "origin")
    (team.tree("developer") / "new.py").write_text("work")
    commit(team.tree("tester"), "Work")
    before = team.whole()

    error = await team.refusal()

    assert error.code == "work-at-risk"
    assert error.cause.splitlines() == [
        "developer: 1 uncommitted path: new.py",
        "tester: 1 commit not in the starting branch; 1 commit on no remote",
    ]
    assert f"tmorch cleanup {ID} --force developer tester" in error.remedy
    assert team.whole() == before


async def test_naming_one_of_two_is_not_enough(team: Team) -> None:
    (team.tree("developer") / "new").touch()
    commit(team.tree("tester"), "Work")
    before = team.whole()

    error = await team.refusal("developer")

    assert error.cause == "tester: 1 commit not in the starting branch"
    assert "--force developer tester" in error.remedy
    assert team.whole() == before


async def test_what_is_named_goes_into_the_trash(team: Team) -> None:
    lost = commit(team.tree("developer"), "Reset away", lost="lost")
    run_git(team.tree("developer"), "reset", "-q", "--hard", "HEAD~")
    tip = commit(team.tree("developer"), "Work", done="done")
    (team.tree("developer") / "done").write_text("changed")
    (team.tree("developer") / "new").write_text("new")

    result = await team.clean("developer")

    ref = of(result, "developer").ref
    assert result.state is OrchestrationState.CLEANED
    assert kept_file(team.project, ref, "done") == "changed"
    assert kept_file(team.project, ref, "new") == "new"
    history = run_git(team.project, "rev-list", ref).split()
    assert tip in history
    assert lost in history
    assert team.branches() == []


async def test_naming_a_role_that_is_not_there(team: Team) -> None:
    before = team.whole()

    with pytest.raises(NotFoundError) as caught:
        await team.clean("developr")

    assert caught.value.candidates == ROLES
    assert team.whole() == before


async def test_naming_a_clean_role_is_fine(team: Team) -> None:
    assert (await team.clean(*ROLES)).state is OrchestrationState.CLEANED


async def test_ignored_files_are_named_in_the_result(team: Team) -> None:
    (team.project / ".git/info").mkdir(exist_ok=True)
    (team.project / ".git/info/exclude").write_text(".env\n")
    (team.tree("tester") / ".env").touch()

    result = await team.clean()

    assert (of(result, "tester").not_kept, of(result, "tester").not_kept_count) == ((".env",), 1)


async def test_examine_only_looks(team: Team) -> None:
    (team.tree("developer") / "new").touch()
    before = team.whole()

    risks = await service.examine(team.orchestration, team.agents)

    assert [(risk.name, risk.is_clean) for risk in risks] == [
        ("orchestrator", True),
        ("developer", False),
        ("tester", True),
    ]
    assert team.whole() == before


async def test_a_project_that_is_a_linked_worktree(store: Store, make_project: MakeProject, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    run_git(make_project(), "worktree", "add", "-q", "-b", "feature", str(linked))
    team = Team(store, linked, tmp_path / "w" / ID)
    await team.make()
    (team.tree("developer") / "new").write_text("work")

    result = await team.clean("developer")

    assert result.state is OrchestrationState.CLEANED
    assert kept_file(linked, of(result, "developer").ref, "new") == "work"
    assert linked.exists()


# --- what lives ---------------------------------------------------------------------------------------------------


async def test_a_live_agent_refuses_everything(team: Team) -> None:
    before = team.whole()

    with pytest.raises(RefusedError) as caught:
        await team.clean(*ROLES, live=("tester",))

    assert caught.value.code == "still-running"
    assert "tester" in caught.value.cause
    assert f"tmorch stop {ID}" in caught.value.remedy
    assert team.whole() == before


async def test_a_start_under_way_refuses_everything(team: Team) -> None:
    me = psutil.Process()
    team.store.orchestrations.update(
        ID, state=OrchestrationState.STARTING, launcher_pid=me.pid, launcher_started=me.create_time()
    )

    assert (await team.refusal()).code == "still-running"

    team.store.orchestrations.update(ID, launcher_started=me.create_time() - 1000)  # the pid is another's by now
    assert (await team.clean()).state is OrchestrationState.CLEANED


async def test_a_program_in_a_worktree_is_not_overruled_by_naming(team: Team) -> None:
    with sleeping_in(team.tree("developer")) as pid:
        before = team.whole()
        error = await team.refusal(*ROLES)
        assert team.whole() == before

    assert error.cause == f"developer: programs run in it: sleep ({pid})"
    assert "naming is not enough" in error.remedy


async def test_an_agent_that_comes_to_life_meanwhile_keeps_its_worktree(team: Team) -> None:
    asked: list[str] = []

    def is_live(agent: Agent) -> bool:
        asked.append(agent.role)
        return agent.role == "developer" and asked.count("developer") > 1

    result = await service.cleanup(team.store, team.orchestration, team.agents, is_live=is_live)

    assert [removal.role for removal in result.left] == ["developer"]
    assert team.branches() == team.folders() == ["developer"]
    assert result.state is team.state() is OrchestrationState.STOPPED


# --- what must not go at all --------------------------------------------------------------------------------------


def lock(team: Team) -> None:
    run_git(team.project, "worktree", "lock", str(team.tree("developer")))


def put_a_repository_inside(team: Team) -> None:
    run_git(team.tree("developer"), "init", "-q", "inner")
    (team.tree("developer") / "inner/file").write_text("only here")


def put_a_worktree_inside(team: Team) -> None:
    inner = team.tree("developer") / "inner"
    run_git(team.project, "worktree", "add", "-q", "-b", "inner", str(inner))
    (inner / "file").write_text("only here")
    (team.project / ".git/info").mkdir(exist_ok=True)
    (team.project / ".git/info/exclude").write_text("inner\n")


def make_it_a_repository_of_its_own(team: Team) -> None:
    tree = team.tree("developer")
    (tree / ".git").unlink()
    run_git(tree, "init", "-q")
    commit(tree, "Only here")


def replace_it_by_a_link(team: Team) -> None:
    team.tree("developer").rename(team.folder / "elsewhere")
    team.tree("developer").symlink_to(team.project)


def take_its_git_file(team: Team) -> None:
    (team.tree("developer") / ".git").unlink()


def check_its_branch_out_elsewhere(team: Team) -> None:
    run_git(team.tree("developer"), "checkout", "-q", "--detach")
    run_git(team.project, "checkout", "-q", f"tmorch/{ID}/developer")


def move_it(team: Team) -> None:
    run_git(team.project, "worktree", "move", str(team.tree("developer")), str(team.folder / "elsewhere"))


def take_the_project_away(team: Team) -> None:
    team.project.rename(team.project.with_name("away"))


def let_a_filter_fail(team: Team) -> None:
    run_git(team.project, "config", "filter.broken.clean", "false")
    run_git(team.project, "config", "filter.broken.required", "true")
    (team.tree("developer") / ".gitattributes").write_text("*.bin filter=broken\n")
    (team.tree("developer") / "a.bin").write_text("only here")
    run_git(team.tree("developer"), "add", "-N", "a.bin")


async def test_what_cannot_be_stored_stays(team: Team) -> None:
    let_a_filter_fail(team)

    result = await team.clean(*ROLES)

    assert [removal.role for removal in result.left] == ["developer"]
    assert "clean filter 'broken' failed" in of(result, "developer").reason
    assert (team.tree("developer") / "a.bin").read_text() == "only here"
    assert team.folders() == team.branches() == ["developer"]


@pytest.mark.parametrize(
    "obstacle",
    [
        lock,
        put_a_repository_inside,
        put_a_worktree_inside,
        make_it_a_repository_of_its_own,
        replace_it_by_a_link,
        take_its_git_file,
        check_its_branch_out_elsewhere,
        move_it,
        take_the_project_away,
    ],
)
async def test_naming_does_not_overrule_what_nothing_could_bring_back(
    team: Team, obstacle: Callable[[Team], None]
) -> None:
    obstacle(team)
    files = {file: file.read_bytes() for file in team.folder.rglob("*") if file.is_file()}
    folders = team.folders()

    error = await team.refusal(*ROLES)

    assert "developer: " in error.cause
    assert {file: file.read_bytes() for file in team.folder.rglob("*") if file.is_file()} == files
    assert team.folders() == folders
    assert team.state() is OrchestrationState.STOPPED


async def test_rows_that_name_what_tmorch_did_not_make(team: Team) -> None:
    """A row in the database may be wrong: neither the project nor a branch of the person's goes by it."""
    run_git(team.project, "branch", "feature")
    agents = (
        replace(team.agents[0], worktree=str(team.project), branch="main"),
        replace(team.agents[1], worktree=str(team.folder / "never"), branch="feature"),
        replace(team.agents[2], branch="tmorch/other-1234/tester"),
    )
    for agent in agents:
        team.agents = [agent]
        try:
            result = await team.clean(agent.role)
        except RefusedError:
            continue
        assert not result.removals[0].removed

    assert (team.project / "README.md").exists()
    assert run_git(team.project, "rev-parse", "main", "feature").split() == [team.base] * 2
    assert team.tree("tester").exists()


async def test_an_agent_without_a_worktree_is_passed_over(
    team: Team, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(team.project)
    team.agents.append(replace(team.agents[0], role="adopted", worktree="", branch=""))

    result = await team.clean()

    assert [removal.role for removal in result.removals] == list(ROLES)
    assert (team.project / "README.md").exists()


# --- what changes while we are at it ------------------------------------------------------------------------------


async def test_a_file_that_appears_before_the_last_look_saves_the_worktree(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def keep_and_be_late(*args: object) -> object:
        kept = await keep(*args)  # type: ignore[arg-type]  # passed through as it came
        if args[2] == "developer":
            (team.tree("developer") / "late").write_text("late")
        return kept

    monkeypatch.setattr(service, "keep", keep_and_be_late)

    result = await team.clean("developer")

    assert [removal.role for removal in result.left] == ["developer"]
    assert "changed while it was being removed" in of(result, "developer").reason
    assert (team.tree("developer") / "late").read_text() == "late"
    assert team.folders() == team.known() == team.branches() == ["developer"]
    assert team.state() is OrchestrationState.STOPPED
    assert "cleanup.kept" in team.events()


async def test_work_in_a_submodule_under_our_hands_saves_the_worktree(
    store: Store, make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, project = make_project("library"), make_project("shop")
    allow = ("-c", "protocol.file.allow=always", "submodule")
    run_git(project, *allow, "add", "-q", str(library), "lib")
    run_git(project, "commit", "-q", "-m", "Add lib")
    team = Team(store, project, tmp_path / "w" / ID)
    await team.make()
    run_git(team.tree("developer"), *allow, "update", "-q", "--init")

    async def change_and_look(*args: object) -> object:
        aside = aside_of(team.tree("developer"))
        if aside.exists():
            (aside / "lib/late").write_text("late")
        return await take_snapshot(*args)  # type: ignore[arg-type]  # passed through as it came

    monkeypatch.setattr(service, "take_snapshot", change_and_look)

    result = await team.clean("developer")

    assert [removal.role for removal in result.left] == ["developer"]
    assert (team.tree("developer") / "lib/late").read_text() == "late"


@pytest.mark.parametrize("how", ["untracked", "staged", "commit", "hidden", "branch", "merge"])
async def test_any_change_under_our_hands_saves_the_worktree(
    team: Team, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Even in the folder that is set aside already, by a program that holds it open."""
    theirs = commit(team.project, "Theirs", **{"README.md": "theirs"})
    mine = commit(team.tree("developer"), "Mine", **{"README.md": "mine"})
    changes: dict[str, Callable[[Path], object]] = {
        "untracked": lambda tree: (tree / "late").touch(),
        "staged": lambda tree: run_git(tree, "rm", "-q", "--cached", "README.md"),
        "commit": lambda tree: commit(tree, "Late"),
        "hidden": lambda tree: (tree / "README.md").write_text("late"),
        "branch": lambda tree: run_git(tree, "reset", "-q", "--soft", "HEAD~"),
        "merge": lambda tree: subprocess.run(["git", "-C", str(tree), "merge", "-q", theirs], check=False),
    }

    async def change_and_look(*args: object) -> object:
        aside = aside_of(team.tree("developer"))
        if aside.exists():
            changes[how](aside)
        return await take_snapshot(*args)  # type: ignore[arg-type]  # passed through as it came

    monkeypatch.setattr(service, "take_snapshot", change_and_look)

    result = await team.clean("developer")

    assert [removal.role for removal in result.left] == ["developer"]
    assert team.folders() == team.known() == team.branches() == ["developer"]
    assert mine in run_git(team.project, "rev-list", "--all", of(result, "developer").ref).split()


async def test_work_that_appears_after_the_first_look_is_not_taken_for_clean(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def be_late_and_keep(*args: object) -> object:
        (team.tree(str(args[2])) / "late").write_text("late")
        return await keep(*args)  # type: ignore[arg-type]  # passed through as it came

    monkeypatch.setattr(service, "keep", be_late_and_keep)

    result = await team.clean()

    assert len(result.left) == 3
    assert all((team.tree(role) / "late").exists() for role in ROLES)


async def test_a_program_that_starts_in_it_meanwhile_saves_the_worktree(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    async def keep_and_start(*args: object) -> object:
        kept = await keep(*args)  # type: ignore[arg-type]  # passed through as it came
        if args[2] == "tester":
            started.append(subprocess.Popen(["sleep", "600"], cwd=team.tree("tester")))  # noqa: ASYNC220
        return kept

    monkeypatch.setattr(service, "keep", keep_and_start)
    try:
        result = await team.clean()
    finally:
        for program in started:
            program.kill()
            program.wait()

    assert [removal.role for removal in result.left] == ["tester"]
    assert "sleep" in of(result, "tester").reason
    assert team.folders() == ["tester"]


async def test_a_branch_that_moves_on_without_its_worktree_stays(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    later = run_git(team.project, "commit-tree", "-p", team.base, "-m", "Later", f"{team.base}^{{tree}}")

    async def remove_and_move_on(*args: object) -> str:
        leftover = await remove_verified(*args)  # type: ignore[arg-type]  # passed through as it came
        run_git(team.project, "update-ref", f"refs/heads/tmorch/{ID}/tester", later)
        run_git(team.project, "update-ref", f"refs/heads/tmorch/{ID}/developer", later)
        return leftover

    monkeypatch.setattr(service, "remove_verified", remove_and_move_on)

    result = await team.clean()

    assert set(team.branches()) == {"tester", "developer"}
    assert not of(result, "tester").removed
    assert run_git(team.project, "rev-parse", f"tmorch/{ID}/tester") == later


async def test_a_storm_of_new_files(team: Team) -> None:
    """Files are made in the worktree all the while: each one that was made is either there or in the trash."""
    tree = team.tree("developer")
    made: list[str] = []
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            name = f"file{number}"
            try:
                os.close(os.open(tree / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            except OSError:
                over.wait(0.001)
                continue
            made.append(name)
            number += 1
            over.wait(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        await aeventually(lambda: len(made) > 20)
        results = [await team.clean("developer") for _ in range(3)]
    finally:
        over.set()
        writer.join()

    there = {path.name for path in tree.iterdir()} if tree.exists() else set()
    for result in results:
        if ref := of(result, "developer").ref:
            there |= set(run_git(team.project, "ls-tree", "-r", "--name-only", ref).splitlines())
    assert set(made) <= there
    assert of(results[-1], "tester").removed


# --- failures and crashes -----------------------------------------------------------------------------------------


async def test_a_failure_in_one_role_leaves_the_others_done(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail_once(*args: object) -> object:
        if args[2] == "developer":
            raise GitCommandError(("git", "add"), 128, "fatal: No space left on device")
        return await keep(*args)  # type: ignore[arg-type]  # passed through as it came

    monkeypatch.setattr(service, "keep", fail_once)
    result = await team.clean()

    assert [(removal.role, removal.removed) for removal in result.removals] == [
        ("orchestrator", True),
        ("developer", False),
        ("tester", True),
    ]
    assert "No space left" in of(result, "developer").reason
    assert result.state is team.state() is OrchestrationState.STOPPED
    assert team.folders() == team.known() == team.branches() == ["developer"]

    monkeypatch.undo()
    assert (await team.clean()).state is OrchestrationState.CLEANED
    assert team.folder.exists() is False


async def test_git_that_refuses_to_forget_gets_its_folder_back(team: Team) -> None:
    git_dir = Path(run_git(team.tree("developer"), "rev-parse", "--absolute-git-dir"))
    (team.tree("developer") / "new").write_text("work")

    async def look_and_lock(*args: object) -> object:
        snapshot = await take_snapshot(*args)  # type: ignore[arg-type]  # passed through as it came
        if aside_of(team.tree("developer")).exists():
            (git_dir / "locked").write_text("just now")
        return snapshot

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "take_snapshot", look_and_lock)
        result = await team.clean("developer")

    assert [removal.role for removal in result.left] == ["developer"]
    assert (team.tree("developer") / "new").read_text() == "work"
    assert team.folders() == ["developer"]


@pytest.mark.parametrize("crashed", ["set aside", "given up", "folder deleted", "worktree gone", "all gone"])
async def test_a_clean_up_that_crashed_is_finished_by_the_next(team: Team, crashed: str) -> None:
    tree = team.tree("developer")
    (tree / "new").write_text("work")
    await keep_all(team)
    match crashed:
        case "set aside":
            tree.rename(aside_of(tree))
        case "given up":
            tree.rename(remains_of(tree))
        case _:
            tree.rename(remains_of(tree))
            (remains_of(tree) / "new").unlink()
    if crashed in ("worktree gone", "all gone"):
        run_git(team.project, "worktree", "remove", str(tree))
    if crashed == "all gone":
        run_git(team.project, "update-ref", "-d", f"refs/heads/tmorch/{ID}/developer")

    result = await team.clean("developer")

    assert result.state is OrchestrationState.CLEANED
    assert (team.known(), team.branches(), team.folder.exists()) == ([], [], False)
    kept = [entry.ref for entry in await trash_list(team.project) if entry.role == "developer"]
    assert "work" in [kept_file(team.project, ref, "new") for ref in kept if has_file(team.project, ref, "new")]


async def test_remains_beside_a_worktree_that_was_made_again(team: Team) -> None:
    tree = team.tree("developer")
    remains_of(tree).mkdir()
    (remains_of(tree) / "old").touch()
    (tree / "new").write_text("work")

    result = await team.clean("developer")

    assert result.state is OrchestrationState.CLEANED
    assert kept_file(team.project, of(result, "developer").ref, "new") == "work"
    assert not team.folder.exists()


async def keep_all(team: Team) -> None:
    for agent in team.agents:
        await keep(
            team.project,
            ID,
            agent.role,
            (await locate(team.project, agent.worktree)).checkout,
            agent.branch,
        )


def has_file(project: Path, ref: str, name: str) -> bool:
    return name in run_git(project, "ls-tree", "--name-only", ref).splitlines()


async def test_work_set_aside_by_a_crash_is_still_at_risk(team: Team) -> None:
    tree = team.tree("developer")
    (tree / "new").write_text("work")
    tree.rename(aside_of(tree))

    error = await team.refusal()

    assert "developer: 1 uncommitted path: new" in error.cause
    assert (aside_of(tree) / "new").exists()


async def test_two_clean_ups_at_once(team: Team) -> None:
    (team.tree("developer") / "new").write_text("work")

    results = await asyncio.gather(*(team.clean("developer") for _ in range(3)), return_exceptions=True)

    done = [result for result in results if isinstance(result, CleanupResult)]
    assert done
    assert all(isinstance(result, CleanupResult | RefusedError) for result in results)
    refs = [of(result, "developer").ref for result in done if of(result, "developer").ref]
    assert any(has_file(team.project, ref, "new") for ref in refs)
    assert (await team.clean("developer")).state is OrchestrationState.CLEANED
    assert (team.known(), team.branches(), team.folder.exists()) == ([], [], False)


async def test_missing_folder_and_missing_branch(team: Team) -> None:
    tip = commit(team.tree("developer"), "Work")
    team.tree("developer").rename(team.folder / "thrown away")
    run_git(team.tree("tester"), "checkout", "-q", "--detach")
    run_git(team.project, "branch", "-D", f"tmorch/{ID}/tester")
    error = await team.refusal()
    assert error.cause == "developer: 1 commit not in the starting branch; its folder is gone"

    result = await team.clean("developer")

    assert result.state is OrchestrationState.CLEANED
    assert tip in run_git(team.project, "rev-list", of(result, "developer").ref).split()
    assert team.folders() == ["thrown away"]
    assert (team.known(), team.branches()) == ([], [])


async def test_others_missing_worktrees_are_not_pruned(team: Team, tmp_path: Path) -> None:
    """One on a disk that is not mounted, say: `git worktree prune` would have forgotten it."""
    stick = tmp_path / "stick"
    run_git(team.project, "worktree", "add", "-q", "-b", "mine", str(stick))
    stick.rename(tmp_path / "unplugged")
    team.tree("developer").rename(tmp_path / "gone")

    await team.clean()

    assert team.known() == ["stick"]


async def test_submodules_do_not_stand_in_the_way(store: Store, make_project: MakeProject, tmp_path: Path) -> None:
    library, project = make_project("library"), make_project("shop")
    allow = ("-c", "protocol.file.allow=always", "submodule")
    run_git(project, *allow, "add", "-q", str(library), "lib")
    run_git(project, "commit", "-q", "-m", "Add lib")
    team = Team(store, project, tmp_path / "w" / ID)
    await team.make()
    run_git(team.tree("developer"), *allow, "update", "-q", "--init")

    run_git(team.tree("tester"), *allow, "update", "-q", "--init")
    newer = commit(library, "Newer")
    run_git(team.tree("tester") / "lib", "pull", "-q", "origin", "main")

    result = await team.clean("tester")

    assert result.state is OrchestrationState.CLEANED
    assert newer in run_git(project, "ls-tree", of(result, "tester").ref, "lib")
    assert run_git(project, "status", "--porcelain") == ""
    assert (project / "lib/README.md").exists()


async def test_mid_merge_needs_its_name_and_is_kept(team: Team) -> None:
    commit(team.project, "Theirs", **{"README.md": "theirs"})
    mine = commit(team.tree("developer"), "Mine", **{"README.md": "mine"})
    subprocess.run(["git", "-C", str(team.tree("developer")), "merge", "-q", "main"], check=False)  # noqa: ASYNC221
    (team.tree("developer") / "README.md").write_text("half solved")
    assert "git is in the middle of a merge" in (await team.refusal()).cause

    result = await team.clean("developer")

    ref = of(result, "developer").ref
    assert kept_file(team.project, ref, "README.md") == "half solved"
    assert mine in run_git(team.project, "rev-list", ref).split()


async def test_odd_names_in_the_listing_cannot_write_on_the_terminal(team: Team) -> None:
    (team.tree("developer") / "a\x1b[2Jb\nc").touch()

    cause = (await team.refusal()).cause

    assert cause == "developer: 1 uncommitted path: a\\x1b[2Jb\\nc"
