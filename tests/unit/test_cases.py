"""Stored cases: they hold nothing private, and are judged again just as agents are."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from orchestrator_core.agents.evidence import Evidence, ProcessEvidence, SessionEvidence
from orchestrator_core.agents.screen import read_screen
from orchestrator_core.agents.screen_patterns import Patterns, line_prompt, patterns, unread
from orchestrator_core.agents.status import judge
from orchestrator_core.errors import StoreError
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.dialog import OpenDialog
from orchestrator_core.models.evidence import Why
from orchestrator_core.models.hook import HookClaim, HookFact
from orchestrator_core.models.ids import AgentId, OrchestrationId, PaneId
from orchestrator_core.models.pane import Cursor, PaneFrame
from orchestrator_core.services import cases
from orchestrator_core.services.cases import Case, case_of, judge_case, read_case, store_case
from orchestrator_core.services.why import Inspection
from tests.fakes.captured_screens import EXPECTED, lines_of

FOLDER = Path(__file__).parents[1] / "data/cases"
SECRET = "acme-secret"
NOW = 2000.0
AGENT = Agent(
    id=AgentId(f"{SECRET}-1:developer"),
    orchestration=OrchestrationId(f"{SECRET}-1"),
    role="developer",
    driver="claude",
    worktree=f"/home/{SECRET}/w",
    branch=f"tmorch/{SECRET}",
    status=AgentStatus.IDLE,
    reason=f"it asks for permission: rm {SECRET}",
    doing=f"Running {SECRET}",
    dialog=OpenDialog(name="permission", detail=SECRET),
    pane=PaneId("%3"),
    pid=100,
    conversation=f"{SECRET}-conversation",
    last_output=SECRET,
)


def frame_of(*lines: str) -> PaneFrame:
    cursor = Cursor(x=2, y=len(lines) - 1, visible=True)
    return PaneFrame(pane=PaneId("%3"), lines=lines, width=120, height=len(lines), cursor=cursor)


def evidence(**changes: object) -> Evidence:
    return msgspec.structs.replace(
        Evidence(
            process=ProcessEvidence(exists=True, command="claude", pid=100, is_agent=True),
            session=SessionEvidence(pid=100, conversation=AGENT.conversation, status="idle", status_at=1900.0),
            hook=HookFact(
                agent=AGENT.id,
                event="Stop",
                claim=HookClaim.IDLE,
                at=1900.0,
                conversation=AGENT.conversation,
                detail=SECRET,
            ),
            read_at=NOW,
        ),
        **changes,
    )


def inspection(frame: PaneFrame | None, screen: Patterns, known: Evidence) -> Inspection:
    whole = msgspec.structs.replace(known, reading=read_screen(frame, screen) if frame else None)
    judgement = judge(whole, previous=AGENT, now=NOW)
    why = Why(agent=AGENT, verdict=judgement.verdict, grounds=(), looked_at=NOW)
    return Inspection(why=why, evidence=whole, judgement=judgement, frame=frame)


def case(frame: PaneFrame | None, screen: Patterns | None = None, known: Evidence | None = None) -> Case:
    used = screen or patterns("claude")
    return case_of(inspection(frame, used, known or evidence()), used, AgentStatus.WORKING)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_every_stored_case_is_judged_as_it_should_be(file: Path) -> None:
    found = read_case(file.read_bytes())
    assert judge_case(found).verdict.status is found.should_be


def test_there_are_stored_cases() -> None:
    assert len(list(FOLDER.glob("*.json"))) >= 2


def test_no_name_and_no_text_of_anybody_is_in_it() -> None:
    found = case(frame_of(f"⏺ {SECRET}", *lines_of("05_idle_seeded")))
    assert SECRET.encode() not in msgspec.json.encode(found)
    assert judge_case(found).verdict.status is AgentStatus.IDLE


def test_what_runs_in_front_is_named_only_if_everybody_has_it() -> None:
    stranger = ProcessEvidence(exists=True, command=SECRET, pid=100)
    assert case(None, known=evidence(process=stranger)).evidence.process.command == cases.MASK
    shell = ProcessEvidence(exists=True, command="zsh", pid=100)
    assert case(None, known=evidence(process=shell)).evidence.process.command == "zsh"


def test_ids_that_are_the_same_stay_the_same() -> None:
    other = evidence(session=SessionEvidence(pid=100, conversation="another", status="idle"))
    found = case(None, known=other).evidence
    assert found.hook is not None
    assert found.session is not None
    assert (found.hook.conversation, found.session.conversation) == ("conversation-1", "conversation-2")


@pytest.mark.parametrize("name", EXPECTED)
def test_a_masked_screen_is_judged_as_the_screen_was(name: str) -> None:
    """Else a case would be of no use."""
    alone = evidence(session=None, hook=None)
    found = case(frame_of(*lines_of(name)), known=alone)
    assert judge_case(found).verdict.status is found.judged


@pytest.mark.parametrize("screen", [line_prompt(r"^> "), unread(), patterns("claude")])
def test_every_kind_of_screen_is_read_again_as_it_was(screen: Patterns) -> None:
    found = case(frame_of("hello", "> "), screen, evidence(session=None, hook=None))
    assert judge_case(found).verdict.status is found.judged


def test_it_is_said_when_the_masking_hides_what_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "redact", lambda lines, _: ("",) * len(lines))
    alone = evidence(session=None, hook=None)
    found = case(frame_of(*lines_of("63_bash_running")), known=alone)
    assert "is judged unknown now, not working" in found.masked[-1]


def test_it_is_written_for_its_owner_only_and_read_again(tmp_path: Path) -> None:
    found = case(frame_of(*lines_of("05_idle_seeded")))
    stored = Path(store_case(tmp_path / "cases", found, AGENT.id).path)
    assert read_case(stored.read_bytes()) == found
    assert stored.name.endswith(f"-{SECRET}-1-developer.json")
    assert (stored.stat().st_mode | stored.parent.stat().st_mode) & 0o077 == 0
    assert [file.name for file in stored.parent.iterdir()] == [stored.name]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "cases").write_text("a file")
    with pytest.raises(StoreError, match="cases"):
        store_case(tmp_path / "cases", case(None), AGENT.id)
