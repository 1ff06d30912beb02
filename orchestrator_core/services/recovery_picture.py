"""What there is of a team: what was meant, by the store, and what tmux, git, the processes and the agents' files say.

Only looks: nothing is written, neither by us nor by git.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from orchestrator_core.agents.driver import Driver
from orchestrator_core.agents.run_script import SCRIPT
from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import TmorchError
from orchestrator_core.git.place import INITIALIZING, Place, locate
from orchestrator_core.git.registry import points_to
from orchestrator_core.git.run import ask_git
from orchestrator_core.git.work_done import work_done
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import SessionId
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.services.crash_loop import refusal_of
from orchestrator_core.services.evidence import running_elsewhere
from orchestrator_core.services.liveness import agent_runs
from orchestrator_core.services.restoration import revivable
from orchestrator_core.store import Store
from orchestrator_core.tmux import sessions
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.sessions import TaggedPane

GOODBYE_S = 2.0
"""How long a program may take to end after its window was closed."""
STEP_S = 0.05


class WorktreeFacts(Struct, frozen=True, kw_only=True):
    """An agent's worktree and branch."""

    is_there: bool = False
    """Its folder is there, and git knows it as this worktree."""
    is_unfinished: bool = False
    """Git was killed while it made it."""
    is_restorable: bool = False
    """Git has its index still, though its folder is gone."""
    in_its_place: bool = False
    """Something else is where its folder should be."""
    has_branch: bool = True
    last_commit: str = ""
    """What the branch was at last, by the worktree's own log; empty when that is gone too."""
    changed: int = 0
    """How many files are not committed."""
    ahead: int | None = None
    """How many commits the branch has that the starting branch has not; None when that cannot be told."""
    behind: int | None = None
    problem: str = ""
    """Why git cannot be asked; empty when it can."""


class AgentFacts(Struct, frozen=True, kw_only=True):
    """What there is of one agent."""

    agent: Agent
    pane: TaggedPane | None = None
    """The pane with its tag."""
    worktree: WorktreeFacts = WorktreeFacts()
    has_files: bool = True
    """Its run script is there."""
    can_resume: bool = False
    """Its conversation can be gone on with."""
    elsewhere: str = ""
    """Which process has its conversation open outside of its own pane; empty when none has."""
    crash_loop: str = ""
    """Why it is not started again before the person names it; empty when it may be."""
    check_ins: int = 0
    given_up: int = 0
    """Check-ins that were given up while it was gone, and go on when it comes back."""

    @property
    def runs(self) -> bool:
        """Whether a program runs in its pane."""
        return self.pane is not None and not self.pane.dead


class Picture(Struct, frozen=True, kw_only=True):
    """What there is of one team, at one moment."""

    orchestration: Orchestration
    agents: tuple[AgentFacts, ...]
    has_server: bool = True
    session: SessionId | None = None
    is_name_taken: bool = False
    """Another session has the name that the team's had."""
    has_project: bool = True
    is_supervised: bool = True
    limits: tuple[str, ...] = ()
    """What is said of the accounts that a limit holds."""


class Looker(Struct, frozen=True, kw_only=True):
    """What looking needs from outside."""

    store: Store
    paths: Paths
    settings: Settings
    drivers: Mapping[str, Driver]
    address: ServerAddress
    environ: Mapping[str, str]


async def look_at_team(
    looker: Looker,
    orchestration: Orchestration,
    now: float,
    *,
    is_supervised: bool = True,
    limits: tuple[str, ...] = (),
    named: frozenset[str] = frozenset(),
) -> Picture:
    """Return what there is of a team; the crash loops of agents that are `named` do not count.

    Raises:
        TimedOutError: the tmux server does not answer.

    """
    address = ServerAddress(bin=looker.address.bin, socket_path=orchestration.server or looker.address.socket_path)
    panes = await asyncio.to_thread(sessions.tagged_panes, address)
    session = await asyncio.to_thread(sessions.session_of, address, orchestration.id)
    has_project = Path(orchestration.project).is_dir()
    agents = looker.store.agents.of(orchestration.id)
    return Picture(
        orchestration=orchestration,
        agents=tuple(
            [
                await _facts(looker, agent, panes, orchestration if has_project else None, now, agent.role in named)
                for agent in agents
            ]
        ),
        has_server=address.is_listening(),
        session=session,
        is_name_taken=session is None
        and await asyncio.to_thread(sessions.is_name_taken, address, orchestration.session),
        has_project=has_project,
        is_supervised=is_supervised,
        limits=limits,
    )


async def _facts(
    looker: Looker,
    agent: Agent,
    panes: tuple[TaggedPane, ...],
    orchestration: Orchestration | None,
    now: float,
    is_named: bool,
) -> AgentFacts:
    driver = looker.drivers.get(agent.driver)
    own = sorted((pane for pane in panes if pane.agent == agent.id), key=lambda pane: pane.dead)
    pane = own[0] if own else None
    environ = {**looker.environ, **({"CLAUDE_CONFIG_DIR": agent.account} if agent.account.startswith("/") else {})}
    is_gone = pane is None or pane.dead
    return AgentFacts(
        agent=agent,
        pane=pane,
        worktree=await _worktree(orchestration, agent) if orchestration else WorktreeFacts(has_branch=False),
        has_files=(looker.paths.agents / agent.orchestration / agent.role / SCRIPT).exists(),
        can_resume=driver is not None and driver.can_resume(agent, environ),
        elsewhere=await _elsewhere(driver.session_folder(environ), agent) if driver and is_gone else "",
        crash_loop="" if is_named else refusal_of(agent, looker.settings.resume, now),
        check_ins=len(looker.store.check_ins.active(agent.id)),
        given_up=len(revivable(looker.store, agent, now)),
    )


async def _elsewhere(folder: Path | None, agent: Agent) -> str:
    """Return which process has the agent's conversation open, after a moment for one whose window was just closed."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + GOODBYE_S
    while (found := running_elsewhere(folder, agent)) and agent_runs(agent) and loop.time() < deadline:  # noqa: ASYNC110  # not ours
        await asyncio.sleep(STEP_S)
    return found


async def _worktree(orchestration: Orchestration, agent: Agent) -> WorktreeFacts:
    project = orchestration.project
    if agent.is_adopted or not agent.branch:
        return WorktreeFacts(is_there=Path(agent.worktree).is_dir())
    try:
        place = await locate(project, agent.worktree)
        has_branch = bool((await ask_git(project, "rev-parse", "--verify", "-q", f"refs/heads/{agent.branch}")).line)
        is_there = place.checkout is not None and points_to(place.path / ".git", place.checkout.git_dir)
        is_unfinished = place.known is not None and place.known.locked == INITIALIZING
        is_sound = is_there and has_branch and not is_unfinished
        done = await work_done(agent.worktree, "HEAD") if is_sound else None
        behind, ahead = await _apart(project, orchestration.starting_branch, agent.branch)
    except (TmorchError, OSError) as error:
        return WorktreeFacts(problem=f"{error.title}: {error.cause}" if isinstance(error, TmorchError) else str(error))
    return WorktreeFacts(
        is_there=is_there and not is_unfinished,
        is_unfinished=is_unfinished,
        is_restorable=place.checkout is not None,
        in_its_place=not is_there and not is_unfinished and _is_occupied(place.path),
        has_branch=has_branch,
        last_commit="" if has_branch else _last_commit(place),
        changed=len(done.uncommitted) if done else 0,
        ahead=ahead,
        behind=behind,
    )


async def _apart(project: str, base: str, branch: str) -> tuple[int | None, int | None]:
    """Return how many commits each of two branches has that the other one has not; None where one is gone."""
    both = f"refs/heads/{base}...refs/heads/{branch}"
    done = await ask_git(project, "rev-list", "--left-right", "--count", both, "--")
    counts = done.line.split()
    return (int(counts[0]), int(counts[1])) if not done.returncode and len(counts) == 2 else (None, None)


def _is_occupied(path: Path) -> bool:
    if path.is_dir() and not path.is_symlink():
        return any(path.iterdir())
    return path.exists() or path.is_symlink()


def _last_commit(place: Place) -> str:
    """Return the commit that the worktree's own log names last: its branch is gone, and that with its log."""
    if place.checkout is None:
        return ""
    try:
        lines = (place.checkout.git_dir / "logs" / "HEAD").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    words = lines[-1].split(" ") if lines else []
    return words[1] if len(words) > 1 and words[1].strip("0") else ""
