"""`plan`: what is shown, who is asked, and the saved proposals."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.cli.tables import display_width
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.analysis import Action, Analysis, AnalysisSource, Size, Suggestion
from orchestrator_core.models.launch import Proposal, ProposalId, StartRequest
from orchestrator_core.models.spec import Phase, Remark
from orchestrator_core.models.team import Estimate, Tuning
from tests.fakes.cli import FakeContext, FakeOrchestrator, interrupted
from tests.fakes.json_shape import faults
from tests.fakes.proposals import SPEC, a_proposal

ADVICE = (
    Suggestion(action=Action.ADD, role="devops", why="line 4 speaks of Docker", source=AnalysisSource.CLAUDE),
    Suggestion(action=Action.REMOVE, role="testrunner", why="there is no suite", source=AnalysisSource.CLAUDE),
    Suggestion(
        action=Action.ADD, role="wizard", why="magic", source=AnalysisSource.CLAUDE, refused="there is no such role"
    ),
)
READING = Analysis(
    source=AnalysisSource.CLAUDE,
    summary="Two weeks of work on payments.",
    phases=(Phase(name="Groundwork", tasks=("models", "forms"), hours=3.5),),
    success_criteria=("a refund has a receipt",),
    size=Size.MEDIUM,
    size_basis="2 deliverables, 40 source files",
    hours=12,
    suggestions=ADVICE,
    model="opus",
    cost_usd=0.254,
    seconds=31.2,
    raw="/state/analyses/1.json",
)


def rich() -> Proposal:
    """A proposal with something in every section."""
    request = StartRequest(project="shop", tuning={"tester": Tuning(check_in_min=12.5, model="haiku")})
    spec = replace(
        SPEC,
        constraints=("no new dependency",),
        remarks=(Remark(line=12, text="this heading is not known"), Remark(line=0, text="the file is long")),
    )
    return replace(
        a_proposal(request, spec=spec),
        worktrees="/state/worktrees/shop-8aa5",
        warnings=("2 uncommitted files stay yours",),
        overrides=("/home/dana/projects/shop/.tmorch/roles.toml",),
        estimate=Estimate(check_ins_per_hour=11.4, tokens_per_hour=(22_000, 68_000), basis="It rests on check-ins."),
    )


def facade_with(proposal: Proposal, analysis: Analysis = READING) -> FakeOrchestrator:
    facade = FakeOrchestrator()
    facade.proposals.proposal = proposal
    facade.proposals.analysis = analysis
    return facade


def planned(*words: str, terminal: bool = False, analysis: Analysis = READING) -> FakeContext:
    facade = facade_with(rich(), analysis)
    context = FakeContext("plan", "shop", *words, orchestrator=facade, terminal=terminal, environ={"NO_COLOR": "1"})
    assert context.run() == ExitCode.DONE, context.narrated
    return context


def names(context: FakeContext) -> list[str]:
    return [what[0] for what in context.facade.asked]


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("terminal", [False, True])
def test_every_section_is_there(terminal: bool) -> None:
    said = flat(planned(terminal=terminal).said)
    for words in (
        "/home/dana/projects/shop", "main at 4f2c1d9", "code_project (", "goal Let customers pay by bank transfer",
        "constraints - no new dependency", "deliverables - A form", "success criteria - Every payment",
        "success criteria, proposed besides - a refund", "phases - Groundwork (3.5 h): models; forms",
        "? line 12: this heading is not known", "? the file is long",
        "by Claude (opus, 31 s, $0.25)", "in short Two weeks", "medium, about 12 h of work: 2 deliverables",
        "/state/analyses/1.json", "agents on plan max5, driver claude", "tester 12.5 min haiku",
        "LEFT OUT", "+ devops line 4 speaks of Docker", "- testrunner there is no suite",
        "+ wizard magic not to be taken: there is no such role",
        "at most 11.4 check-ins an hour, 22,000 to 68,000 tokens for them. It rests on check-ins.",
        "/ROLE", "trust: accept", "changed by /home/dana/projects/shop/.tmorch/roles.toml",
        "! 2 uncommitted files stay yours",
    ):  # fmt: skip
        assert words in said, words


def test_it_is_readable_at_80_columns() -> None:
    for line in planned(terminal=True).said.splitlines():
        assert display_width(line) <= 80, line


def test_every_role_in_or_out_has_its_reason() -> None:
    context = planned("--json")
    assert faults(context.json, schema_of("plan")) == []
    choices = context.json["roles"] + context.json["dropped"]
    assert all(choice["reason"] and choice["kind"] for choice in choices)
    assert [each["taken"] for each in context.json["analysis"]["suggestions"]] == [False, False, False]
    assert context.json["proposal"] is None


def test_a_driver_without_dialogs_has_no_gates() -> None:
    proposal = replace(rich(), driver="demo")
    context = FakeContext("plan", "shop", "--json", orchestrator=facade_with(proposal))
    assert context.run() == ExitCode.DONE
    assert context.json["gates"] == {}


def test_nothing_is_started_or_kept() -> None:
    context = planned()
    assert names(context) == ["propose", "analyse"]
    assert context.facade.proposals.kept == {}


# --- who is asked


def test_claude_is_asked_and_it_is_told_how_it_goes() -> None:
    context = planned()
    assert context.facade.proposals.readings == 1
    assert "at most; Ctrl-C" in context.narrated
    assert "3 s  reads SPEC.md" in context.narrated


def test_on_a_terminal_one_line_changes_and_is_gone_at_the_end() -> None:
    narrated = planned(terminal=True).narrated
    assert "\r\x1b[K  3 s  reads SPEC.md" in narrated
    assert narrated.endswith("\r\x1b[K")


def test_on_a_terminal_that_cannot_do_that_lines_are_written() -> None:
    environ = {"TERM": "dumb"}
    context = FakeContext("plan", "shop", orchestrator=facade_with(rich()), terminal=True, environ=environ)
    assert context.run() == ExitCode.DONE
    assert "\x1b" not in context.narrated
    assert "reads SPEC.md" in context.narrated


@pytest.mark.parametrize("words", [["--offline"], ["--agent", "demo"]])
def test_offline_and_demo_ask_nobody(words: list[str]) -> None:
    context = FakeContext("plan", "shop", *words)
    assert context.run() == ExitCode.DONE
    assert context.facade.proposals.readings == 0
    assert context.narrated == ""
    assert "offline: nobody was asked" in flat(context.said)


def test_why_claude_has_not_read_it_is_said() -> None:
    context = planned(analysis=Analysis(because="the 5-hour limit is reached"))
    assert "! Claude has not read the spec: the 5-hour limit is reached" in context.narrated
    assert "offline: the 5-hour limit is reached" in flat(context.said)


def test_ctrl_c_leaves_the_offline_reading() -> None:
    context = FakeContext("plan", "shop", "--json", orchestrator=interrupted(facade_with(rich())))
    assert context.run() == ExitCode.DONE
    assert context.json["analysis"]["source"] == "offline"
    assert context.json["analysis"]["because"] == "you ended the reading"


def test_refine_takes_what_can_be_taken() -> None:
    context = planned("--refine", "--json")
    roles = {choice["role"]: choice for choice in context.json["roles"]}
    assert roles["devops"]["kind"] == "suggested"
    assert "testrunner" not in roles
    assert [each["taken"] for each in context.json["analysis"]["suggestions"]] == [True, True, False]
    assert "+ devops" not in planned("--refine").said


# --- saved ones


def test_save_keeps_it_and_says_how_to_go_on() -> None:
    context = planned("--save")
    assert context.said.rstrip().endswith("saved as proposal 1")
    assert "tmorch start --proposal 1" in context.narrated
    assert context.facade.proposals.kept[ProposalId(1)].analysis == READING
    assert planned("--save", "--json").json["proposal"] == 1


def with_saved() -> FakeOrchestrator:
    facade = FakeOrchestrator()
    facade.proposals.keep(a_proposal())
    facade.proposals.keep(a_proposal())
    return facade


def test_saved_ones_are_listed() -> None:
    context = FakeContext("plan", "--saved", "--json", orchestrator=with_saved())
    assert context.run() == ExitCode.DONE
    assert faults(context.json, schema_of("plan --saved")) == []
    assert [each["proposal"] for each in context.json["proposals"]] == [2, 1]
    people = FakeContext("plan", "--saved", orchestrator=with_saved())
    people.run()
    assert re.search(r"^2 +/home/dana/projects/shop +Let customers", people.said, re.MULTILINE)
    none = FakeContext("plan", "--saved")
    assert none.run() == ExitCode.DONE
    assert (none.said, none.narrated) == ("", "no proposal is saved; tmorch plan --save saves one\n")


def test_one_is_discarded() -> None:
    context = FakeContext("plan", "--discard", "1", "--json", orchestrator=with_saved())
    assert context.run() == ExitCode.DONE
    assert faults(context.json, schema_of("plan --discard")) == []
    assert context.json["discarded"] == 1
    assert [each["proposal"] for each in context.json["proposals"]] == [2]


def test_what_is_not_saved_cannot_be_discarded() -> None:
    context = FakeContext("plan", "--discard", "9", "--json", orchestrator=with_saved())
    assert context.run() == ExitCode.NOT_FOUND
    assert context.json["error"]["code"] == "no-proposal"
    assert context.json["error"]["cause"] == "saved are 2, 1"


@pytest.mark.parametrize("words", [["--saved", "shop"], ["--discard", "1", "--save"], ["--saved", "--discard", "1"]])
def test_the_saved_ones_go_with_no_wish(words: list[str]) -> None:
    context = FakeContext("plan", *words, orchestrator=with_saved())
    assert context.run() == ExitCode.USAGE
    assert context.facade.asked == []
    assert len(context.facade.proposals.kept) == 2
