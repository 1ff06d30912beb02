"""What each source said, in words, with what it counted for: the answer to "why?". Pure."""

from __future__ import annotations

from orchestrator_core.agents.evidence import Evidence, Judgement, ProcessEvidence, SessionEvidence, SessionOwner
from orchestrator_core.agents.views import cut
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.evidence import Ground, Source
from orchestrator_core.models.hook import HookFact

OWNERS = {
    SessionOwner.AGENT: "",
    SessionOwner.ENDED: ", but its process {pid} has ended",
    SessionOwner.STRANGER: ", but is of process {pid}, which is not in the agent's pane",
}


def grounds(evidence: Evidence, judgement: Judgement, agent: Agent) -> tuple[Ground, ...]:
    """Return one ground for each source, the most trusted first."""
    said = {
        Source.PROCESS: _of_process(evidence.process, agent),
        Source.SESSION: _of_session(evidence.session, evidence.session_owner, agent),
        Source.HOOKS: _of_hook(evidence.hook),
        Source.SCREEN: _of_screen(evidence),
    }
    return tuple(
        Ground(source=source, says=cut(says), weight=judgement.weights[source], at=at)
        for source, (says, at) in said.items()
    )


def _of_process(process: ProcessEvidence, agent: Agent) -> tuple[str, float | None]:
    if not process.exists:
        return "its pane is gone", None
    since = agent.pid_started if process.pid == agent.pid else None
    if process.dead:
        code = process.exit_status
        return "has ended, " + ("without an exit code" if code is None else f"exit code {code}"), None
    name = process.command or "an unnamed program"
    whose = "" if process.is_agent else ", which is not the agent's program"
    return f"{name} is in front, pid {process.pid}{whose}", since


def _of_session(session: SessionEvidence | None, owner: SessionOwner, agent: Agent) -> tuple[str, float | None]:
    if session is None:
        return "there is no session file of it", None
    says = f"says {session.status or 'nothing of its status'}"
    if session.waiting_for:
        says += f", for: {session.waiting_for}"
    if agent.conversation and session.conversation != agent.conversation:
        says += ", in another conversation than we gave it"
    return says + OWNERS[owner].format(pid=session.pid), session.status_at


def _of_hook(fact: HookFact | None) -> tuple[str, float | None]:
    if fact is None:
        return "none has told anything", None
    detail = " ".join(fact.detail.split())
    return f"{fact.event} was the last: {fact.claim}" + (f", {detail}" if detail else ""), fact.at


def _of_screen(evidence: Evidence) -> tuple[str, float | None]:
    reading = evidence.reading
    if reading is None:
        return "has not been read", None
    detail = " ".join(reading.detail.split())
    return reading.says + (f": {detail}" if detail else ""), evidence.read_at
