"""The facade's part for teams that are not there yet: each use case is one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator_core.check_ins import Ask
from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.models.analysis import AnalysisProgress
from orchestrator_core.models.launch import Change, PathKind, Proposal, ProposalId, SavedProposal, StartRequest
from orchestrator_core.models.team import Role
from orchestrator_core.store import Store

if TYPE_CHECKING:
    from orchestrator_core.agents.driver import Driver


class Proposals:
    """Proposals of teams. Nothing here makes a worktree, a branch or a window. Raises `TmorchError`s."""

    def __init__(
        self,
        store: Store,
        paths: Paths,
        settings: Settings,
        ask: Ask,
        *,
        drivers: Mapping[str, Driver],
        environ: Mapping[str, str],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._paths = paths
        self._settings = settings
        self._ask = ask
        self._drivers = drivers
        self._environ = environ
        self._clock = clock

    async def propose(self, request: StartRequest) -> Proposal:
        """Return what a start would do, with the offline reading of the spec. Takes a moment; asks nobody.

        Raises as `services.proposal.propose`.
        """
        from orchestrator_core.services.proposal import propose

        return await propose(request, self._settings, self._paths, drivers=self._drivers, now=self._clock())

    async def analyse(self, proposal: Proposal, progress: Callable[[AnalysisProgress], None] | None = None) -> Proposal:
        """Have Claude read the spec, and return the proposal with what it says; its team is not changed.

        When Claude cannot be asked, or answers nonsense, the offline reading stays and says why. Cancelling the call
        ends the asking; nothing is left running.
        """
        from orchestrator_core.services.analysis import analyse

        return await analyse(
            proposal, self._settings, self._paths, environ=self._environ, progress=progress, now=self._clock
        )

    def revise(self, proposal: Proposal, change: Change) -> Proposal:
        """Return the proposal after a change. Quick, and touches nothing but the files of the catalogue.

        Raises as `services.revise.revise`.
        """
        from orchestrator_core.services.catalogues import catalogue_for
        from orchestrator_core.services.revise import revise

        catalogue = catalogue_for(proposal, self._paths)
        driver = self._drivers[proposal.driver]
        return revise(proposal, change, driver, self._settings, self._paths, catalogue)

    def refined(self, proposal: Proposal) -> Proposal:
        """Return the proposal with every suggestion accepted that can be."""
        from orchestrator_core.services.revise import accepted

        revised = proposal
        for change in accepted(proposal):
            revised = self.revise(revised, change)
        return revised

    def briefing(self, proposal: Proposal, role: str) -> str:
        """Return the first prompt that the agent with `role` would get, as Markdown.

        Raises:
            NotFoundError: that role is not in the team.

        """
        from orchestrator_core.services.briefings import preview

        return preview(proposal, role, self._settings, self._paths)

    def roles(self, project: str = "") -> tuple[Role, ...]:
        """Return every role of the catalogue, as the project at that path has it; empty: as the person has it.

        Raises:
            UsageError: a file that changes the catalogue is wrong.

        """
        from orchestrator_core.services.catalogues import catalogue_of

        return tuple(catalogue_of(Path(project) if project else None, self._paths).roles.values())

    async def save(self, proposal: Proposal) -> Proposal:
        """Keep a proposal until it is started or discarded; return it with its number."""
        return await self._ask(lambda: self._store.proposals.save(proposal, self._clock()))

    async def load(self, number: ProposalId) -> Proposal:
        """Return a saved proposal; its project and spec are as they were when it was made.

        Raises:
            NotFoundError: there is none with that number.
            StoreError: it was saved by another version of tmorch.

        """
        return await self._ask(lambda: self._store.proposals.get(number))

    async def saved(self) -> tuple[SavedProposal, ...]:
        """Return the saved proposals, newest first."""
        return await self._ask(self._store.proposals.list)

    async def discard(self, number: ProposalId) -> bool:
        """Let a saved proposal wait no more; return False when none did."""
        return await self._ask(lambda: self._store.proposals.discard(number))

    async def completions(self, text: str, kind: PathKind, project: str = "") -> tuple[str, ...]:
        """Return how a path that was begun may go on, likely ones first; for the spec, seen from the project too."""
        from orchestrator_core.services.paths import completions

        return await self._ask(lambda: completions(text, kind, project, self._settings))
