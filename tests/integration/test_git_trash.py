"""The trash keeps everything, in every state a worktree may be in, and changes nothing."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from orchestrator_core.errors import GitCommandError
from orchestrator_core.git.registry import find_checkout
from orchestrator_core.git.run import git_version
from orchestrator_core.git.trash import keep, move_to_trash, trash_list
from orchestrator_core.git.worktrees import add_worktree
from tests.conftest import MakeProject, run_git
from tests.polling import eventually

ORCHESTRATION, ROLE = "shop-3f2a", "developer"
BRANCH = f"tmorch/{ORCHESTRATION}/{ROLE}"


@pytest.fixture
async def worktree(git_project: Path, tmp_path: Path) -> Path:
    return await add_worktree(git_project, tmp_path / "w/developer", BRANCH, "HEAD")


async def trash(project: Path, worktree: Path) -> str:
    return await move_to_trash(project, ORCHESTRATION, ROLE, worktree, BRANCH)


def commit(worktree: Path, message: str, **files: str) -> str:
    for name, text in files.items():
        (worktree / name).write_text(text)
    run_git(worktree, "add", "-A")
    run_git(worktree, "commit", "-q", "--allow-empty", "-m", message)
    return run_git(worktree, "rev-parse", "HEAD")


def files_in(project: Path, tree: str) -> dict[bytes, bytes]:
    """Return the paths of a commit with their contents, byte by byte."""
    listing = raw_git(project, "ls-tree", "-r", "-z", tree)
    rows = [row.partition(b"\t") for row in listing.split(b"\0") if row]
    return {path: raw_git(project, "cat-file", "blob", facts.split()[2].decode()) for facts, _, path in rows}


def raw_git(project: Path, *args: str) -> bytes:
    return subprocess.run(["git", "-C", str(project), *args], capture_output=True, check=True).stdout


def has(project: Path, ref: str, commit: str) -> bool:
    """Whether `commit` is in the history of `ref`."""
    return commit in run_git(project, "rev-list", ref).split()


def fingerprint(*folders: Path) -> dict[Path, tuple[int, str]]:
    return {
        file: (
            file.lstat().st_mtime_ns if file.is_file() else 0,
            hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "",
        )
        for folder in folders
        for file in folder.rglob("*")
    }


async def test_uncommitted_staged_and_untracked_work_is_kept(git_project: Path, worktree: Path) -> None:
    tip = commit(worktree, "Work", done="done\n")
    (worktree / "README.md").write_text("changed\n")
    (worktree / "both").write_text("staged\n")
    run_git(worktree, "add", "both")
    (worktree / "both").write_text("and changed again\n")
    (worktree / "new").write_text("untracked\n")
    (worktree / "tool").write_text("#!/bin/sh\n")
    (worktree / "tool").chmod(0o755)
    (worktree / "link").symlink_to("nowhere")
    (worktree / "done").unlink()

    ref = await trash(git_project, worktree)

    assert files_in(git_project, ref) == {
        b"README.md": b"changed\n",
        b"both": b"and changed again\n",
        b"link": b"nowhere",
        b"new": b"untracked\n",
        b"tool": b"#!/bin/sh\n",
    }
    modes = run_git(git_project, "ls-tree", ref)
    assert "100755" in modes
    assert "120000" in modes
    assert run_git(git_project, "rev-parse", f"{ref}^1") == tip
    assert files_in(git_project, f"{ref}^2")[b"both"] == b"staged\n"


async def test_nothing_changes_but_the_trash(git_project: Path, worktree: Path) -> None:
    (worktree / "README.md").write_text("changed")
    (worktree / "new").touch()
    run_git(worktree, "add", "-N", "new")
    (worktree / "staged").touch()
    run_git(worktree, "add", "staged")
    os.utime(worktree / "README.md", (1, 1))
    git_dir = Path(run_git(worktree, "rev-parse", "--absolute-git-dir"))
    refs = run_git(git_project, "for-each-ref")
    before = fingerprint(worktree, git_dir), (git_project / ".git/index").stat().st_mtime_ns

    ref = await trash(git_project, worktree)

    assert (fingerprint(worktree, git_dir), (git_project / ".git/index").stat().st_mtime_ns) == before
    after = run_git(git_project, "for-each-ref").splitlines()
    assert [line for line in after if ref not in line] == refs.splitlines()


async def test_a_clean_worktree_is_kept_too(git_project: Path, worktree: Path) -> None:
    tip = commit(worktree, "Work", done="done")

    ref = await trash(git_project, worktree)

    assert run_git(git_project, "rev-list", "--parents", "-1", ref).split()[1:] == [tip]
    assert run_git(git_project, "rev-parse", f"{ref}^{{tree}}") == run_git(git_project, "rev-parse", f"{tip}^{{tree}}")


async def test_names_are_unique_within_a_second(git_project: Path, worktree: Path) -> None:
    refs = [await trash(git_project, worktree) for _ in range(4)]

    assert len(set(refs)) == 4
    assert {entry.ref for entry in await trash_list(git_project)} == set(refs)
    assert all(ref.startswith(f"refs/tmorch/trash/{ORCHESTRATION}/{ROLE}/2") for ref in refs)


async def test_the_list_says_what_is_kept(git_project: Path, worktree: Path) -> None:
    tip = commit(worktree, "Work")
    ref = await trash(git_project, worktree)

    (entry,) = await trash_list(git_project)

    assert (entry.ref, entry.orchestration, entry.role) == (ref, ORCHESTRATION, ROLE)
    assert (entry.branch, entry.worktree, entry.tip) == (BRANCH, str(worktree), tip)
    assert entry.commit == run_git(git_project, "rev-parse", ref)
    assert entry.at == float(run_git(git_project, "log", "-1", "--format=%ct", ref))


async def test_what_others_put_there_does_not_break_the_list(git_project: Path, worktree: Path) -> None:
    ref = await trash(git_project, worktree)
    run_git(git_project, "update-ref", "refs/tmorch/trash/stray", "HEAD^{tree}")
    odd = run_git(git_project, "commit-tree", "-m", "x\n\nTmorch-Branch: not quoted\nTmorch-Tip: 7", "HEAD^{tree}")
    run_git(git_project, "update-ref", "refs/tmorch/trash/a/b/c", odd)

    entries = {entry.ref: entry for entry in await trash_list(git_project)}

    assert set(entries) == {ref, "refs/tmorch/trash/stray", "refs/tmorch/trash/a/b/c"}
    assert entries["refs/tmorch/trash/a/b/c"].branch == "not quoted"


async def test_an_empty_list(git_project: Path) -> None:
    assert await trash_list(git_project) == ()


NAMES = (
    b"new\nline", b'"quoted"', b"-dash", b"sp ace ", "größe 🚀".encode(), b"latin \xe9", b"\x01control", b"ta\tb",
    b":(top)magic", b"*", b"back\\slash", b"git~1", b"[a]", b"#hash", b"!bang", b"con", b"dot.",
)  # fmt: skip


async def test_names_of_any_kind(git_project: Path, worktree: Path) -> None:
    for name in NAMES:
        Path(os.fsdecode(bytes(worktree) + b"/" + name)).write_bytes(name)

    ref = await trash(git_project, worktree)

    kept = files_in(git_project, ref)
    assert {name: kept.get(name) for name in NAMES} == {name: name for name in NAMES}


async def test_big_files(git_project: Path, worktree: Path) -> None:
    run_git(git_project, "config", "core.bigFileThreshold", "1m")
    data = os.urandom(3_000_000)
    (worktree / "big").write_bytes(data)

    ref = await trash(git_project, worktree)

    assert files_in(git_project, ref)[b"big"] == data


async def test_no_identity_is_needed(
    git_project: Path, worktree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gitconfig").write_text("[user]\n\tuseConfigOnly = true\n[core]\n\tlogAllRefUpdates = always\n")
    monkeypatch.delenv("HOME")
    (worktree / "new").touch()

    ref = await trash(git_project, worktree)

    assert run_git(git_project, "log", "-1", "--format=%an %cn", ref) == "tmorch tmorch"


async def test_no_hook_runs(git_project: Path, worktree: Path, tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/witness\nexit 1\n")
        (hooks / name).chmod(0o755)
    run_git(git_project, "config", "core.hooksPath", str(hooks))
    (worktree / "new").touch()

    assert await trash(git_project, worktree)
    assert not (tmp_path / "witness").exists()


async def test_ignored_files_are_named_as_not_kept(git_project: Path, worktree: Path) -> None:
    commit(worktree, "Ignore", **{".gitignore": ".env\ncache/\n"})
    (worktree / ".env").write_text("SECRET=1")
    (worktree / "cache/deep").mkdir(parents=True)
    (worktree / "cache/deep/file").touch()

    kept = await keep(git_project, ORCHESTRATION, ROLE, find_checkout(git_project / ".git", worktree), BRANCH)

    assert set(kept.not_kept) == {".env", "cache/"}
    assert b".env" not in files_in(git_project, kept.ref)


@pytest.mark.parametrize(
    "settings",
    [
        {"core.safecrlf": "true", "core.autocrlf": "input"},
        {"core.splitIndex": "true", "splitIndex.maxPercentChange": "0"},
        {"core.untrackedCache": "true"},
        {"core.fsmonitor": "/bin/false"},
        {"core.ignoreStat": "true"},
        {"status.showUntrackedFiles": "no"},
        {"add.ignoreErrors": "true"},
        {"commit.gpgSign": "true"},
        {"core.bare": "true"},
    ],
    ids=lambda settings: next(iter(settings)),
)
async def test_settings_that_could_hide_work(git_project: Path, worktree: Path, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        run_git(git_project, "config", name, value)
    (worktree / "staged").touch()
    run_git(worktree, "add", "staged")
    (worktree / "README.md").write_bytes(b"mixed\r\nends\n")
    (worktree / "new").write_text("work")
    git_dir = Path(run_git(worktree, "rev-parse", "--absolute-git-dir"))
    before = {file: content for file, (_, content) in fingerprint(git_dir).items()}

    kept = files_in(git_project, await trash(git_project, worktree))

    assert kept[b"new"] == b"work"
    assert kept[b"README.md"].replace(b"\r", b"") == b"mixed\nends\n"
    assert {file: content for file, (_, content) in fingerprint(git_dir).items()} == before


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
async def test_files_hidden_by_index_flags(git_project: Path, worktree: Path, flag: str) -> None:
    run_git(worktree, "update-index", flag, "README.md")
    (worktree / "README.md").write_text("hidden work")

    ref = await trash(git_project, worktree)

    assert files_in(git_project, ref)[b"README.md"] == b"hidden work"


@pytest.mark.parametrize("sparse_index", ["--no-sparse-index", "--sparse-index"])
async def test_a_sparse_checkout(make_project: MakeProject, tmp_path: Path, sparse_index: str) -> None:
    project = make_project(files={"in/a": "a", "out/b": "b", "out/deep/c": "c"})
    worktree = await add_worktree(project, tmp_path / "w", BRANCH, "HEAD")
    run_git(worktree, "sparse-checkout", "set", "--cone", sparse_index, "in")
    assert not (worktree / "out").exists()
    (worktree / "in/a").write_text("changed")
    (worktree / "out").mkdir()
    (worktree / "out/new").write_text("outside")

    ref = await trash(project, worktree)

    assert files_in(project, ref) == {
        b"in/a": b"changed",
        b"out/b": b"b",
        b"out/deep/c": b"c",
        b"out/new": b"outside",
    }


async def test_a_change_in_the_same_second_as_the_index(git_project: Path, worktree: Path) -> None:
    """Git looks into such files, by the index's own time: the copy of the index has to keep that."""
    file = worktree / "README.md"

    def change_within_a_second() -> bool:
        file.write_text("aaaa")
        run_git(worktree, "add", "README.md")
        first = int(file.stat().st_ctime)
        file.write_text("bbbb")
        return int(file.stat().st_ctime) == first == int(time.time())

    eventually(change_within_a_second)
    eventually(lambda: time.time() > int(file.stat().st_mtime) + 1)

    ref = await trash(git_project, worktree)

    assert files_in(git_project, ref)[b"README.md"] == b"bbbb"


async def test_intent_to_add(git_project: Path, worktree: Path) -> None:
    (worktree / "new").write_text("work")
    run_git(worktree, "add", "-N", "new")

    assert files_in(git_project, await trash(git_project, worktree))[b"new"] == b"work"


def conflicting(git_project: Path, worktree: Path) -> tuple[str, str]:
    theirs = commit(git_project, "Theirs", **{"README.md": "theirs\n"})
    ours = commit(worktree, "Ours", **{"README.md": "ours\n", "other": "other\n"})
    return ours, theirs


async def test_in_the_middle_of_a_merge(git_project: Path, worktree: Path) -> None:
    ours, theirs = conflicting(git_project, worktree)
    with pytest.raises(AssertionError):
        run_git(worktree, "merge", "main")
    (worktree / "other").write_text("staged\n")
    run_git(worktree, "add", "other")
    (worktree / "other").write_text("changed\n")
    (worktree / "README.md").write_text("half solved\n")

    ref = await trash(git_project, worktree)

    assert files_in(git_project, ref) == {b"README.md": b"half solved\n", b"other": b"changed\n"}
    assert files_in(git_project, f"{ref}^2")[b"other"] == b"staged\n"
    assert has(git_project, ref, ours)
    assert has(git_project, "main", theirs)
    assert (worktree / "README.md").read_text() == "half solved\n"
    assert run_git(worktree, "ls-files", "--unmerged")


async def test_in_the_middle_of_a_rebase_with_an_autostash(git_project: Path, worktree: Path) -> None:
    ours, _ = conflicting(git_project, worktree)
    (worktree / "other").write_text("stashed away by the rebase\n")
    with pytest.raises(AssertionError):
        run_git(worktree, "rebase", "--autostash", "main")
    git_dir = Path(run_git(worktree, "rev-parse", "--absolute-git-dir"))
    autostash = (git_dir / "rebase-merge/autostash").read_text().strip()

    ref = await trash(git_project, worktree)

    assert has(git_project, ref, ours)
    assert has(git_project, ref, autostash)
    assert files_in(git_project, autostash)[b"other"] == b"stashed away by the rebase\n"


async def test_commits_that_only_the_reflog_names(git_project: Path, worktree: Path) -> None:
    reset = commit(worktree, "Reset away", lost="lost")
    run_git(worktree, "reset", "-q", "--hard", "HEAD~")
    amended = commit(worktree, "Before", work="1")
    run_git(worktree, "commit", "-q", "--amend", "-m", "After")
    run_git(worktree, "checkout", "-q", "--detach")
    detached = commit(worktree, "Detached", aside="x")
    run_git(worktree, "checkout", "-q", BRANCH)
    run_git(worktree, "update-ref", "refs/worktree/mine", commit_in_the_air(worktree))

    ref = await trash(git_project, worktree)

    for lost in (reset, amended, detached, run_git(worktree, "rev-parse", "refs/worktree/mine")):
        assert has(git_project, ref, lost)
    assert not has(git_project, "main", reset)


def commit_in_the_air(worktree: Path) -> str:
    return run_git(worktree, "commit-tree", "-m", "In the air", "HEAD^{tree}")


async def test_what_others_still_have_is_not_tied_in(git_project: Path, worktree: Path) -> None:
    commit(worktree, "Kept by a tag")
    run_git(worktree, "tag", "v1")
    run_git(worktree, "reset", "-q", "--hard", "HEAD~")

    ref = await trash(git_project, worktree)

    assert not has(git_project, ref, run_git(git_project, "rev-parse", "v1"))


async def test_detached(git_project: Path, worktree: Path) -> None:
    tip = commit(worktree, "On the branch")
    run_git(worktree, "checkout", "-q", "--detach", "HEAD~")
    head = commit(worktree, "Beside it", beside="x")

    ref = await trash(git_project, worktree)

    assert run_git(git_project, "rev-parse", f"{ref}^1", f"{ref}^2").split() == [head, tip]


async def test_an_orphan_branch(git_project: Path, worktree: Path) -> None:
    tip = commit(worktree, "Work")
    run_git(worktree, "checkout", "-q", "--orphan", "fresh")
    (worktree / "new").write_text("work")

    ref = await trash(git_project, worktree)

    assert has(git_project, ref, tip)
    assert files_in(git_project, ref)[b"new"] == b"work"


async def test_the_branch_is_checked_out_elsewhere(git_project: Path, worktree: Path) -> None:
    tip = commit(worktree, "Work")
    run_git(worktree, "checkout", "-q", "--detach")
    run_git(git_project, "checkout", "-q", BRANCH)
    (worktree / "new").write_text("work")

    ref = await trash(git_project, worktree)

    assert has(git_project, ref, tip)
    assert run_git(git_project, "symbolic-ref", "--short", "HEAD") == BRANCH
    assert run_git(git_project, "status", "--porcelain") == ""


async def test_the_folder_is_gone_but_the_staged_work_is_not(git_project: Path, worktree: Path) -> None:
    tip = commit(worktree, "Work")
    (worktree / "staged").write_text("work")
    run_git(worktree, "add", "staged")
    worktree.rename(worktree.with_name("away"))

    ref = await trash(git_project, worktree)

    assert has(git_project, ref, tip)
    assert files_in(git_project, ref)[b"staged"] == b"work"


async def test_the_branch_is_gone_but_its_commits_are_not(git_project: Path, worktree: Path) -> None:
    lost = commit(worktree, "Work", work="work")
    run_git(git_project, "update-ref", "-d", f"refs/heads/{BRANCH}")

    ref = await trash(git_project, worktree)

    assert has(git_project, ref, lost)


async def test_only_the_branch_is_left(git_project: Path, worktree: Path) -> None:
    tip = commit(worktree, "Work")
    run_git(git_project, "worktree", "remove", str(worktree))

    assert has(git_project, await trash(git_project, worktree), tip)


async def test_nothing_is_left(git_project: Path, tmp_path: Path) -> None:
    assert await trash(git_project, tmp_path / "never") == ""
    assert await trash_list(git_project) == ()


async def test_what_cannot_be_stored_is_an_error_not_a_loss(git_project: Path, worktree: Path) -> None:
    run_git(git_project, "config", "filter.broken.clean", "false")
    run_git(git_project, "config", "filter.broken.required", "true")
    (worktree / ".gitattributes").write_text("*.bin filter=broken\n")
    (worktree / "a.bin").write_text("work")

    with pytest.raises(GitCommandError):
        await trash(git_project, worktree)

    assert await trash_list(git_project) == ()


async def test_a_repository_inside_is_no_part_of_the_tree(git_project: Path, worktree: Path) -> None:
    run_git(worktree, "init", "-q", "-b", "main", "in:ner [x]")
    (worktree / "new").write_text("work")

    ref = await trash(git_project, worktree)

    assert files_in(git_project, ref) == {b"README.md": b"# shop\n", b"new": b"work"}


async def test_refs_and_logs_that_are_no_files(tmp_path: Path) -> None:
    if await git_version() < (2, 45):
        pytest.skip("this git has no reftable")
    project = tmp_path / "shop"
    project.mkdir()
    run_git(project, "init", "-q", "--ref-format=reftable")
    commit(project, "Begin")
    worktree = await add_worktree(project, tmp_path / "w", BRANCH, "HEAD")
    lost = commit(worktree, "Lost", lost="lost")
    run_git(worktree, "reset", "-q", "--hard", "HEAD~")
    run_git(worktree, "update-ref", "refs/worktree/mine", commit_in_the_air(worktree))

    ref = await trash(project, worktree)
    assert has(project, ref, lost)
    assert has(project, ref, run_git(worktree, "rev-parse", "refs/worktree/mine"))

    run_git(project, "update-ref", "-d", f"refs/heads/{BRANCH}")
    assert has(project, await trash(project, worktree), lost)


async def test_kept_through_a_collection_of_garbage(git_project: Path, worktree: Path) -> None:
    lost = commit(worktree, "Lost", lost="lost")
    run_git(worktree, "reset", "-q", "--hard", "HEAD~")
    (worktree / "new").write_text("work")
    ref = await trash(git_project, worktree)
    run_git(git_project, "worktree", "remove", "--force", str(worktree))
    run_git(git_project, "branch", "-D", BRANCH)
    run_git(git_project, "reflog", "expire", "--expire=now", "--all")

    run_git(git_project, "gc", "-q", "--prune=now")

    assert files_in(git_project, ref)[b"new"] == b"work"
    assert has(git_project, ref, lost)
    run_git(git_project, "fsck", "--strict")
