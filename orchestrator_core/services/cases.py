"""Cases: a status that a person called wrong, with all that it was judged by, fit to be shown to others.

A case holds no text of the person's or the agent's: what is on screen is masked, names are replaced. It can be judged
again, here and by a test.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from orchestrator_core.agents.evidence import Evidence, Judgement, ProcessEvidence
from orchestrator_core.agents.redact import redact
from orchestrator_core.agents.screen import read_screen
from orchestrator_core.agents.screen_patterns import FOLDER, Patterns, line_prompt, patterns
from orchestrator_core.agents.status import JUST_ENDED, SHELLS, judge
from orchestrator_core.errors import StoreError
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.evidence import StoredCase
from orchestrator_core.models.hook import HookFact
from orchestrator_core.models.ids import AgentId, OrchestrationId, PaneId
from orchestrator_core.models.pane import PaneFrame
from orchestrator_core.services.why import Inspection

AGENT = AgentId("team:role")
MASK = "masked"
PRIVATE = 0o700


class Case(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stored case. Times are seconds since the epoch."""

    version: int = 1
    should_be: AgentStatus
    """As the person says."""
    judged: AgentStatus
    """As it was judged, unmasked."""
    now: float
    """When it was judged."""
    patterns: str
    """The pattern file by which its screen is read; empty when its prompt is told by an expression."""
    prompt: str = ""
    """That expression."""
    agent: Agent
    """As it stood before, without names."""
    evidence: Evidence
    """Without the reading: that is made anew from the screen."""
    frame: PaneFrame | None
    """The screen, masked."""
    masked: tuple[str, ...] = ()
    """What was masked, in words."""


def case_of(inspection: Inspection, screen: Patterns, should_be: AgentStatus) -> Case:
    """Return what was looked at as a case, with everything private masked."""
    why, evidence, frame = inspection.why, inspection.evidence, inspection.frame
    names = _conversations(why.agent, evidence)
    case = Case(
        should_be=should_be,
        judged=inspection.judgement.verdict.status,
        now=why.looked_at,
        patterns=_name_of(screen),
        prompt=screen.prompt.pattern if screen.prompt else "",
        agent=_masked_agent(why.agent, names),
        evidence=_masked_evidence(evidence, names),
        frame=frame and replace(frame, pane=PaneId("%0"), lines=redact(frame.lines, screen), command=MASK),
    )
    return replace(case, masked=_told(case, frame))


def judge_case(case: Case) -> Judgement:
    """Judge a stored case as an agent is judged."""
    screen = patterns(case.patterns) if case.patterns else line_prompt(case.prompt)
    reading = read_screen(case.frame, screen) if case.frame else None
    return judge(replace(case.evidence, reading=reading), previous=case.agent, now=case.now)


def store_case(folder: Path, case: Case, agent: AgentId) -> StoredCase:
    """Write a case into `folder`, which is made if it is not there, and return where it is.

    Raises:
        StoreError: it cannot be written.

    """
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(case.now))
    path = folder / f"{stamp}-{agent.replace(':', '-').replace(os.sep, '-')}.json"
    part = path.with_suffix(f".{os.getpid()}")
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(case), indent=1) + b"\n")
        part.replace(path)
    except OSError as error:
        raise StoreError(
            f"the case cannot be written to {folder}", cause=error.strerror or str(error), code="case-folder"
        ) from error
    return StoredCase(path=str(path), masked=case.masked)


def read_case(content: bytes) -> Case:
    """Return a stored case.

    Raises:
        msgspec.ValidationError: it is none.

    """
    return msgspec.json.decode(content, type=Case)


# --- masking


def _conversations(agent: Agent, evidence: Evidence) -> dict[str, str]:
    """Return stand-ins for the ids of conversations: that two are the same matters, what they are does not."""
    session, fact = evidence.session, evidence.hook
    ids = (agent.conversation, session.conversation if session else "", fact.conversation if fact else "")
    return {"": "", **{name: f"conversation-{n}" for n, name in enumerate(dict.fromkeys(filter(None, ids)), 1)}}


def _masked_agent(agent: Agent, names: dict[str, str]) -> Agent:
    return replace(
        agent,
        id=AGENT,
        orchestration=OrchestrationId("team"),
        role="role",
        worktree="",
        branch="",
        reason=agent.reason if agent.reason == JUST_ENDED else "",
        doing="",
        dialog=None,
        conversation=names[agent.conversation],
        last_output="",
    )


def _masked_evidence(evidence: Evidence, names: dict[str, str]) -> Evidence:
    session, fact = evidence.session, evidence.hook
    return replace(
        evidence,
        process=_masked_process(evidence.process),
        session=session and replace(session, conversation=names[session.conversation]),
        hook=fact and _masked_fact(fact, names),
        reading=None,
    )


def _masked_process(process: ProcessEvidence) -> ProcessEvidence:
    is_known = process.is_agent or process.command.removeprefix("-") in SHELLS
    return process if is_known else replace(process, command=MASK if process.command else "")


def _masked_fact(fact: HookFact, names: dict[str, str]) -> HookFact:
    detail = MASK if fact.detail else ""
    return replace(fact, agent=AGENT, conversation=names[fact.conversation], detail=detail)


def _told(case: Case, frame: PaneFrame | None) -> tuple[str, ...]:
    """Return what was masked, and whether that hides what the status rested on."""
    told = ["the names of the agent, its team, role, folder and branch", "the ids of its conversations"]
    if case.evidence.hook and case.evidence.hook.detail:
        told.append("what its last hook was about")
    if frame and case.frame:
        changed = sum(before != after for before, after in zip(frame.lines, case.frame.lines, strict=True))
        told.append(f"the text in {changed} of the {len(frame.lines)} rows of its screen")
    if (again := judge_case(case).verdict.status) is not case.judged:
        told.append(f"and so it is judged {again} now, not {case.judged}: what decided is masked")
    return tuple(told)


def _name_of(screen: Patterns) -> str:
    """Return the pattern file that `screen` was made from; empty when it was made from an expression."""
    return next((file.stem for file in sorted(FOLDER.glob("*.toml")) if patterns(file.stem) is screen), "")
