"""Gathering what is known of agents: what tmux says of their processes, and their own session files.

A session file is read again only when its `stat` differs; a folder is listed only when it changed and an agent's own
file is not known yet. So fifty quiet agents cost fifty `stat`s.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from functools import cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from orchestrator_core.agents.claude import usage
from orchestrator_core.agents.claude.sessions import decode
from orchestrator_core.agents.driver import Driver
from orchestrator_core.agents.evidence import Evidence, ProcessEvidence, SessionEvidence, SessionOwner
from orchestrator_core.agents.limits import UsageWindow, limit_end
from orchestrator_core.agents.status import is_agent_process, limit_met_at, limit_texts
from orchestrator_core.models.agent import Agent, AgentStatus, Verdict
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.pane import Pane

MOST_BYTES = 1 << 16
"""A session file has about one kB; more than this is none."""
TORN_S = 2.0
"""For how long a file that cannot be decoded may be one that is just being written."""
SETTLED_S = 0.05
"""What changed so shortly before it was read may have changed again within the same tick of the file system."""
START_SLACK_S = 1.0
"""How much a process may seem younger than the session it began."""
HAS_PROC = Path("/proc/self/stat").exists()

Stamp = tuple[int, int, int]
NOWHERE: Stamp = (0, 0, 0)
UNSETTLED: Stamp = (-1, 0, 0)


class Session(Struct, frozen=True, kw_only=True):
    """A session file, and whose it is."""

    says: SessionEvidence
    owner: SessionOwner


class Link(Struct, frozen=True, kw_only=True):
    """An agent's way to its session file."""

    agent: tuple[object, ...]
    """What the file was looked for by."""
    folder: Stamp
    """The folder as it was then."""
    path: Path | None = None
    stamp: Stamp = NOWHERE
    session: Session | None = None


class SessionFiles:
    """The session files of agents, each kept until it changes."""

    def __init__(self, drivers: Mapping[str, Driver], environ: Mapping[str, str]) -> None:
        self._folders = {name: driver.session_folder(environ) for name, driver in drivers.items()}
        self._links: dict[AgentId, Link] = {}
        self._files: dict[Path, tuple[Stamp, SessionEvidence | None]] = {}

    def refresh(self, agents: Iterable[Agent]) -> frozenset[AgentId]:
        """Look at the files of `agents`, and return whose says something else than at the last look."""
        stamps: dict[Path, Stamp] = {}
        changed = set()
        for agent in agents:
            folder = self._folders.get(agent.driver)
            if folder is None or agent.pid is None:
                continue
            before = self._links.get(agent.id)
            link = self._link(agent, folder, stamps, before)
            if link is not before:
                self._links[agent.id] = link
                if link.session != (before and before.session):
                    changed.add(agent.id)
        return frozenset(changed)

    def of(self, agent: AgentId) -> Session | None:
        """Return the agent's session file as it was at the last look; None when there is none."""
        link = self._links.get(agent)
        return link.session if link else None

    def forget_others(self, agents: Iterable[AgentId]) -> None:
        """Drop what is known of all but `agents`."""
        kept = frozenset(agents)
        self._links = {agent: link for agent, link in self._links.items() if agent in kept}

    def _link(self, agent: Agent, folder: Path, stamps: dict[Path, Stamp], before: Link | None) -> Link:
        key = (agent.pid, agent.conversation, agent.pane)
        if before is not None and before.agent == key and before.path is not None:
            link = self._followed(agent, before)
            if link.session is not None and link.session.owner is SessionOwner.AGENT:
                return link
        if folder not in stamps:
            stamps[folder] = _stamp(folder)
        if before is not None and before.agent == key and before.folder == stamps[folder]:
            return link if before.path is not None else before
        path = self._search(agent, folder)
        unread = Link(agent=key, folder=stamps[folder], path=path)
        return unread if path is None else self._followed(agent, unread)

    def _followed(self, agent: Agent, link: Link) -> Link:
        """Return the link with what its file says now; the very same when nothing changed."""
        assert link.path is not None
        stamp = _stamp(link.path)
        before = link.session
        if stamp == link.stamp and (before is None or before.says.pid == agent.pid):
            return link  # tmux tells of the end of a pane's own process
        read, says = self._read(link.path, stamp)
        session = Session(says=says, owner=owner_of(says, agent)) if says else None
        if read == link.stamp and session == before:
            return link
        return Link(agent=link.agent, folder=link.folder, path=link.path, stamp=read, session=session)

    def _read(self, path: Path, stamp: Stamp) -> tuple[Stamp, SessionEvidence | None]:
        """Return what the file says, and its stamp then; while it is just being written, what it said before."""
        known = self._files.get(path, (NOWHERE, None))
        if known[0] == stamp:
            return known
        says = None if stamp == NOWHERE else _decoded(path)
        age = time.time() - stamp[0] / 1e9
        if says is None and stamp != NOWHERE and age < TORN_S:
            return known
        self._files[path] = (UNSETTLED if 0 <= age < SETTLED_S else stamp), says
        return self._files[path]

    def _search(self, agent: Agent, folder: Path) -> Path | None:
        """Return the agent's session file: by its pid, else by its conversation, else by its pane."""
        own = folder / f"{agent.pid}.json"
        _, says_own = self._read(own, _stamp(own))
        if says_own is not None and owner_of(says_own, agent) is SessionOwner.AGENT:
            return own
        listed = _listed(folder)
        self._files = {path: known for path, known in self._files.items() if path in listed}
        found = [(path, says) for path in listed if (says := self._read(path, _stamp(path))[1]) is not None]
        same = [(path, says) for path, says in found if agent.conversation and says.conversation == agent.conversation]
        near = [(path, says) for path, says in found if agent.pane and says.pane == agent.pane]
        candidates = [*same, *sorted(near, key=lambda each: each[1].started_at or 0.0)]  # nested ones begin later
        for path, says in candidates:
            if owner_of(says, agent) is SessionOwner.AGENT:
                return path
        return same[0][0] if same else None


def owner_of(session: SessionEvidence, agent: Agent) -> SessionOwner:
    """Return whose session it is: an agent's own runs in its pane, as its process or below it."""
    if not session_runs(session):
        return SessionOwner.ENDED
    is_own = session.pid == agent.pid or agent.pid in _ancestors(session.pid)
    return SessionOwner.AGENT if is_own else SessionOwner.STRANGER


def running_elsewhere(folder: Path | None, agent: Agent) -> str:
    """Return which process has the conversation open of an agent in whose pane nothing runs; empty when none has.

    `folder` is where the programs of its kind keep their session files. It may be the agent's own process: one whose
    window was closed may take its time, and a pane may have lost its tag.
    """
    from orchestrator_core.services.liveness import started_at

    for path in _listed(folder) if folder is not None and agent.conversation else ():
        says = _decoded(path)
        if says is None or says.conversation != agent.conversation:
            continue
        if session_runs(says) and started_at(says.pid) is not None:  # one that has ended may still have its number
            return f"process {says.pid}" + (f" in pane {says.pane}" if says.pane else "")
    return ""


def session_runs(session: SessionEvidence) -> bool:
    """Whether the very process that wrote the file runs: its pid may be another one's by now."""
    if HAS_PROC and session.process_start.isdecimal():
        return _start_of(session.pid) == session.process_start
    from orchestrator_core.services.liveness import started_at

    started = started_at(session.pid)
    return started is not None and (session.started_at is None or started <= session.started_at + START_SLACK_S)


def process_of(agent: Agent, pane: Pane | None, driver: Driver) -> ProcessEvidence:
    """Return what tmux says of an agent; `pane` is the one with its id, if there is one."""
    if pane is None or pane.agent_tag != agent.id:
        return ProcessEvidence(exists=False)
    return ProcessEvidence(
        exists=True,
        dead=pane.dead,
        exit_status=pane.exit_status,
        command=pane.command,
        pid=pane.pid,
        is_agent=not pane.dead and is_agent_process(pane.command, pane.pid, agent, driver),
    )


def _stamp(path: Path) -> Stamp:
    try:
        found = os.stat(path)  # noqa: PTH116  # half the time of Path.stat, for every agent every second
    except OSError:
        return NOWHERE
    return found.st_mtime_ns, found.st_size, found.st_ino


def _decoded(path: Path) -> SessionEvidence | None:
    try:
        with path.open("rb") as file:
            return decode(file.read(MOST_BYTES))
    except OSError:
        return None


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*.json"))
    except OSError:
        return []


def _start_of(pid: int) -> str | None:
    """Return field 22 of the process's `stat`: when it started; None when it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  # as above
            fields = file.read(4096).rpartition(b") ")[2].split(b" ")
    except OSError:
        return None
    return None if len(fields) < 20 or fields[0] in (b"Z", b"X") else fields[19].decode()


def _ancestors(pid: int) -> frozenset[int]:
    import psutil

    try:
        return frozenset(parent.pid for parent in psutil.Process(pid).parents())
    except psutil.Error:
        return frozenset()


def with_limit_end(verdict: Verdict, evidence: Evidence, agent: Agent, agents_folder: Path, now: float) -> Verdict:
    """Return the verdict on `agent`, when it is held by a usage limit with when that ends as far as anybody says."""
    if verdict.status is not AgentStatus.LIMITED:
        return verdict
    windows = _usage(agents_folder / agent.orchestration / agent.role / usage.STATUS_LINE)
    since = limit_met_at(evidence, agent, now)
    return replace(verdict, limited_until=limit_end(windows, limit_texts(evidence), since, _local_zone()))


def _usage(path: Path) -> tuple[UsageWindow, ...]:
    try:
        with path.open("rb") as file:
            told = usage.decode(file.read(MOST_BYTES))
    except OSError:
        return ()
    return tuple(told.windows.values()) if told else ()


@cache
def _local_zone() -> tzinfo:
    from orchestrator_core.services.zones import local_zone, zone_of

    return zone_of(local_zone())
