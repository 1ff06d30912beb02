"""Running the real git: its environment, its time-outs, its errors."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import psutil
import pytest

from orchestrator_core.errors import GitCommandError, MissingProgramError, TimedOutError
from orchestrator_core.git.run import ask_git, git, git_version
from tests.conftest import run_git
from tests.polling import aeventually


async def test_version_of_the_git_at_hand() -> None:
    assert await git_version() >= (2, 31)


async def test_output_loses_only_the_last_line_end(git_project: Path) -> None:
    run_git(git_project, "commit", "-q", "--allow-empty", "-m", "Title\n\nBody\n")

    assert await git(git_project, "log", "-1", "--format=%B%n") == "Title\n\nBody\n\n"


async def test_an_error_keeps_everything(git_project: Path) -> None:
    with pytest.raises(GitCommandError) as caught:
        await git(git_project, "rev-parse", "--verify", "no-such")

    error = caught.value
    assert error.argv == ("git", "rev-parse", "--verify", "no-such")
    assert error.returncode == 128
    assert "Needed a single revision" in error.stderr
    assert str(git_project) in error.cause


async def test_an_exit_code_can_be_an_answer(git_project: Path) -> None:
    done = await ask_git(git_project, "config", "--get", "no.such")

    assert (done.returncode, done.stdout, done.args) == (1, "", ("config", "--get", "no.such"))


async def test_the_callers_repository_does_not_leak_in(
    git_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'user.name'='Leaked'")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")

    assert await git(git_project, "rev-parse", "--show-toplevel") == str(git_project)
    assert await git(git_project, "status", "--porcelain") == ""
    assert await git(git_project, "config", "user.name") == "Test Person"


async def test_it_works_where_the_callers_own_folder_is_gone(
    git_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert await git(git_project, "symbolic-ref", "--short", "HEAD") == "main"


async def test_any_bytes_in_names_and_input(git_project: Path) -> None:
    raw = b"odd \xff\n\"'-.txt"
    Path(os.fsdecode(bytes(git_project) + b"/" + raw)).touch()

    listed = await git(git_project, "ls-files", "--others", "-z")
    name = listed.removesuffix("\0")
    blob = await git(git_project, "hash-object", "-w", "--stdin", stdin=name)

    assert name.encode("utf-8", "surrogateescape") == raw
    assert await git(git_project, "cat-file", "blob", blob) == name
    await git(git_project, "add", "--", f":(literal){name}")
    assert await git(git_project, "diff", "--cached", "--name-only", "-z") == listed


def hang(project: Path, pidfile: Path, *, ignoring: str = "") -> tuple[str, ...]:
    """Return arguments with which git waits for a script that started a child of its own."""
    script = project.parent / "hang.sh"
    script.write_text(f"#!/bin/sh\n{ignoring}\nsleep 600 &\necho $! > {pidfile}\nwait\nsleep 600\n")
    script.chmod(0o755)
    return ("-c", f"alias.hang=!{script}", "hang")


@pytest.mark.parametrize("ignoring", ["", "trap '' TERM"])
async def test_a_time_out_ends_the_whole_group(git_project: Path, tmp_path: Path, ignoring: str) -> None:
    pidfile = tmp_path / "pid"

    with pytest.raises(TimedOutError) as caught:
        await git(git_project, *hang(git_project, pidfile, ignoring=ignoring), timeout=0.5)

    assert "0.5 s" in caught.value.title
    assert "hang" in caught.value.cause
    child = int(pidfile.read_text())
    await aeventually(lambda: _is_over(child))


async def test_a_cancelled_task_leaves_no_process(git_project: Path, tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    task = asyncio.create_task(git(git_project, *hang(git_project, pidfile)))
    child = int(await aeventually(lambda: pidfile.exists() and pidfile.read_text()))

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await aeventually(lambda: _is_over(child))


async def test_a_background_process_of_a_hook_does_not_hold_us_up(git_project: Path, tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    script = tmp_path / "leave.sh"
    script.write_text(f"#!/bin/sh\necho done\nsleep 600 &\necho $! > {pidfile}\n")
    script.chmod(0o755)

    assert await git(git_project, "-c", f"alias.leave=!{script}", "leave") == "done"

    psutil.Process(int(pidfile.read_text())).kill()


async def test_no_hook_runs_unless_asked(git_project: Path, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    hook = git_project / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho ran >> {witness}\n")
    hook.chmod(0o755)

    await git(git_project, "update-ref", "refs/heads/quiet", "HEAD")
    assert not witness.exists()

    await git(git_project, "update-ref", "refs/heads/loud", "HEAD", hooks=True)
    assert witness.exists()


async def test_no_git_on_path(git_project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(MissingProgramError) as caught:
        await git(git_project, "status")

    assert caught.value.title == "git is missing"


async def test_an_old_git_on_path(git_project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "git"
    old.write_text("#!/bin/sh\necho git version 2.25.1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    with pytest.raises(MissingProgramError) as caught:
        await git(git_project, "status")

    assert "2.25.1" in caught.value.cause


def _is_over(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
