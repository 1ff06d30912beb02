"""The facade's part for teams that are not there yet: what is pure is the real thing, the rest is as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec.structs import replace

from orchestrator_core.agents.catalogue import drivers
from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import NotFoundError
from orchestrator_core.models.analysis import Analysis, AnalysisProgress, AnalysisSource
from orchestrator_core.models.launch import PathKind, Proposal, ProposalId, SavedProposal, StartRequest
from orchestrator_core.models.project import ProjectState
from orchestrator_core.models.spec import Spec
from orchestrator_core.proposals import Proposals
from orchestrator_core.services.revise import complete, first_team
from orchestrator_core.store import Store
from orchestrator_core.team.catalogue import builtin
from orchestrator_core.team.detect import detect_names

T = TypeVar("T")
MADE_AT = 1_700_000_000.0
SHOP = ProjectState(path="/home/dana/projects/shop", name="shop", branch="main", head="4f2c1d9")
SPEC = Spec(
    goal="Let customers pay by bank transfer, with a receipt by mail.",
    deliverables=("A form for the transfer", "A receipt by mail"),
    success_criteria=("Every payment has a receipt",),
    path="/home/dana/projects/shop/SPEC.md",
)
FILES = ("pyproject.toml", "src/shop/app.py", "src/shop/till.py", "tests/test_till.py")


def a_proposal(
    request: StartRequest | None = None, *, project: ProjectState = SHOP, spec: Spec = SPEC, driver: str = "claude"
) -> Proposal:
    """Return a proposal as the rules make it, for a Python project."""
    wish = request or StartRequest(project=project.path)
    settings, catalogue = Settings(), builtin()
    bare = Proposal(
        request=wish,
        project=project,
        spec=spec,
        team=first_team(wish, spec, detect_names(list(FILES)), settings, catalogue),
        driver=driver,
        made_at=MADE_AT,
    )
    return complete(bare, drivers(settings)[driver], settings, Paths.from_env(), catalogue)


class FakeProposals(Proposals):
    """Proposals without projects, specs and Claude. Changes, briefings and the catalogue are the real ones."""

    def __init__(self, may_fail: Callable[[str], None]) -> None:
        settings = Settings()
        self._may_fail = may_fail
        self.proposal: Proposal | None = None
        """What is proposed whatever is asked for; None: the usual one."""
        self.requests: list[StartRequest] = []
        """What proposals were asked for."""
        self.analysis = Analysis(source=AnalysisSource.CLAUDE, summary="Claude has read it.")
        """What Claude makes of every spec."""
        self.readings = 0
        """How often Claude was asked."""
        self.cut_short = 0
        """How often the asking was cancelled."""
        self.may_propose, self.may_read, self.may_complete = asyncio.Event(), asyncio.Event(), asyncio.Event()
        """Set unless a test holds proposals, Claude, or candidates for paths back."""
        for event in (self.may_propose, self.may_read, self.may_complete):
            event.set()
        self.kept: dict[ProposalId, Proposal] = {}
        """The saved ones."""
        self.discarded: list[ProposalId] = []
        self.paths: dict[tuple[PathKind, str], tuple[str, ...]] = {}
        """How a text goes on."""
        self.completed: list[tuple[str, PathKind, str]] = []
        """What was to be completed: text, kind, project."""
        super().__init__(
            Store.__new__(Store),  # what would use it is overridden below
            Paths.from_env(),
            settings,
            _ask,
            drivers=drivers(settings),
            environ={},
            clock=lambda: MADE_AT,
        )

    def keep(self, proposal: Proposal) -> Proposal:
        """Have a proposal among the saved ones."""
        kept = replace(proposal, saved=proposal.saved or ProposalId(max(self.kept, default=0) + 1))
        self.kept[kept.saved] = kept
        return kept

    async def propose(self, request: StartRequest) -> Proposal:
        self.requests.append(request)
        await self.may_propose.wait()
        self._may_fail("propose")
        return self.proposal or a_proposal(request, driver=request.driver or "claude")

    async def analyse(self, proposal: Proposal, progress: Callable[[AnalysisProgress], None] | None = None) -> Proposal:
        self.readings += 1
        if progress is not None:
            progress(AnalysisProgress(text="reads SPEC.md", seconds=3, limit_s=300))
        try:
            await self.may_read.wait()
        except asyncio.CancelledError:
            self.cut_short += 1
            raise
        self._may_fail("analyse")
        return replace(proposal, analysis=self.analysis)

    async def save(self, proposal: Proposal) -> Proposal:
        self._may_fail("save")
        return self.keep(proposal)

    async def load(self, number: ProposalId) -> Proposal:
        self._may_fail("load")
        if number not in self.kept:
            raise NotFoundError(f"there is no saved proposal {number}", cause="none is saved", code="no-proposal")
        return self.kept[number]

    async def renewed(self, proposal: Proposal) -> Proposal:
        self._may_fail("renewed")
        return proposal

    async def saved(self) -> tuple[SavedProposal, ...]:
        self._may_fail("saved")
        return tuple(_row(proposal) for proposal in reversed(self.kept.values()))

    async def discard(self, number: ProposalId) -> bool:
        self._may_fail("discard")
        self.discarded.append(number)
        return self.kept.pop(number, None) is not None

    async def completions(self, text: str, kind: PathKind, project: str = "") -> tuple[str, ...]:
        self.completed.append((text, kind, project))
        await self.may_complete.wait()
        self._may_fail("completions")
        return self.paths.get((kind, text), ())


def _row(proposal: Proposal) -> SavedProposal:
    return SavedProposal(
        id=proposal.saved,
        project=proposal.project.path,
        spec=proposal.spec.path,
        goal=proposal.spec.goal,
        agents=len(proposal.team.chosen),
        saved_at=proposal.made_at,
    )


def _ask(question: Callable[[], T]) -> Awaitable[T]:
    raise AssertionError("there is no store")
