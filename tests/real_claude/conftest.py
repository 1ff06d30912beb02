"""The real Claude Code CLI, on an island. Opt-in: `pytest -m real_claude`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import TmuxServer
from tests.real_claude.install import NotHereError, installed, need_namespace
from tests.real_claude.island import Island, Seed, running_island
from tests.real_claude.real_rig import RealAgent, RealRig


@pytest.fixture(scope="session")
def claude_program() -> Path:
    """The pinned CLI; asked for before a test has a home of its own, so the cache is the person's."""
    try:
        need_namespace()
        return installed(os.environ)
    except NotHereError as reason:
        pytest.skip(f"the real Claude Code CLI cannot be run: {reason}")


@pytest.fixture
def island(claude_program: Path, tmux_server: TmuxServer, tmp_path: Path, isolated_home: Path) -> Iterator[Island]:
    """A namespace with the stub running; no tmux server and no seed yet."""
    with running_island(tmp_path / "island", tmux_server, isolated_home) as made:
        yield made


@pytest.fixture
def bare_rig(island: Island, claude_program: Path, tmp_path: Path) -> Iterator[RealRig]:
    """A tmorch beside an island whose tmux server and home the test makes."""
    made = RealRig(island, tmp_path / "rig", claude_program)
    yield made
    made.close()


@pytest.fixture
def real_rig(bare_rig: RealRig, git_project: Path) -> RealRig:
    """A tmorch with everything in place for a start in `git_project` without dialogs."""
    bare_rig.island.seed(Seed(trusted=(git_project,)))
    bare_rig.island.start_tmux()
    return bare_rig


@pytest.fixture
def agent(real_rig: RealRig, git_project: Path) -> RealAgent:
    """A developer that has read its briefing and is at its prompt."""
    agent = real_rig.real_agent(real_rig.start_claude(git_project))
    real_rig.island.wait_text("developer")
    agent.wait_status("idle")
    return agent
