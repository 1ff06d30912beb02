"""The facade's part for teams that are not there yet: each use case is one call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from orchestrator_core.check_ins import Ask
from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import NotFoundError
from orchestrator_core.models.analysis import Analysis, AnalysisProgress
from orchestrator_core.models.launch import LIMITED, Change, PathKind, Proposal, ProposalId, SavedProposal, StartRequest
from orchestrator_core.models.team import Detection, Role
from orchestrator_core.store import Store

if TYPE_CHECKING:
    from orchestrator_core.agents.driver import Driver
    from orchestrator_core.services.role_facts import RoleFacts
    from orchestrator_core.team.catalogue import Catalogue


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

        made = await propose(request, self._settings, self._paths, drivers=self._drivers, now=self._clock())
        return await self._with_limit(made)

    async def _with_limit(self, proposal: Proposal) -> Proposal:
        """Say so when a usage limit holds the account that the agents would use: they would wait for its end."""
        from orchestrator_core.credits import limit_of
        from orchestrator_core.models.credit_words import on_clock

        account, now = self._drivers[proposal.driver].account(self._environ), self._clock()
        until = await self._ask(lambda: limit_of(self._store, account, now))
        others = tuple(each for each in proposal.warnings if not each.startswith(LIMITED))
        if until is None:
            return replace(proposal, warnings=others)
        words = f"{LIMITED} until {on_clock(until, now)}: agents that are started now wait until then"
        return replace(proposal, warnings=(words, *others))

    async def analyse(self, proposal: Proposal, progress: Callable[[AnalysisProgress], None] | None = None) -> Proposal:
        """Have Claude read the spec, and return the proposal with what it says; its team is not changed.

        When Claude cannot be asked, or answers nonsense, the offline reading stays and says why. Cancelling the call
        ends the asking; nothing is left running.
        """
        from orchestrator_core.services.analysis import analyse
        from orchestrator_core.services.credit import keep_told

        account = self._drivers[proposal.driver].account(self._environ)
        return await analyse(
            proposal,
            self._settings,
            self._paths,
            environ=self._environ,
            progress=progress,
            now=self._clock,
            told=lambda windows: keep_told(self._store, account, windows, self._clock()),
        )

    def asks_claude(self, proposal: Proposal) -> bool:
        """Whether the settings have Claude read specs; scripted agents need no reading."""
        return self._settings.analysis.by == "claude" and not self._drivers[proposal.driver].is_demo

    def revise(self, proposal: Proposal, change: Change) -> Proposal:
        """Return the proposal after a change. Quick, and touches nothing but the files of the catalogue.

        Raises as `services.revise.revise`.
        """
        from orchestrator_core.services.catalogues import catalogue_for
        from orchestrator_core.services.revise import revise

        catalogue = catalogue_for(proposal, self._paths)
        driver = self._drivers[proposal.driver]
        return revise(proposal, change, driver, self._settings, self._paths, catalogue)

    def with_analysis(self, proposal: Proposal, analysis: Analysis) -> Proposal:
        """Return the proposal with another reading of its spec, whose suggestions are seen with the team as it is now.

        Raises as `services.revise.revise`.
        """
        from orchestrator_core.services.catalogues import catalogue_for
        from orchestrator_core.services.revise import complete

        catalogue, driver = catalogue_for(proposal, self._paths), self._drivers[proposal.driver]
        return complete(replace(proposal, analysis=analysis), driver, self._settings, self._paths, catalogue)

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

    async def renewed(self, proposal: Proposal) -> Proposal:
        """Return a proposal of earlier with its project as it is now; its warnings say what is different.

        Raises as `services.renew.renewed`.
        """
        from orchestrator_core.services.renew import renewed

        made = await renewed(proposal, self._settings, self._paths, drivers=self._drivers, now=self._clock())
        return await self._with_limit(made)

    async def detect(self, project: str = "") -> Detection:
        """Return the type of the project that `project` names, with what speaks for it; it need not be a repository.

        Raises:
            NotFoundError: there is no such folder.
            UsageError: a file that changes the catalogue is wrong.

        """
        from orchestrator_core.services.catalogues import catalogue_of
        from orchestrator_core.services.proposal import detect_project

        folder = self._folder(project)
        return await detect_project(folder, catalogue_of(folder, self._paths))

    async def catalogue(self, project: str = "") -> Catalogue:
        """Return roles, types and routes as the project that `project` names has them; empty: as the person has them.

        Raises:
            NotFoundError: there is no such folder.
            UsageError: a file that changes the catalogue is wrong.

        """
        from orchestrator_core.services.catalogues import catalogue_of

        folder = self._folder(project) if project else None
        return await asyncio.to_thread(catalogue_of, folder, self._paths)

    async def role(self, name: str, project: str = "") -> RoleFacts:
        """Return what is known of the role that `name` means; raises as `catalogue`, and UsageError for no role."""
        from orchestrator_core.services.role_facts import facts_of

        return facts_of(await self.catalogue(project), name)

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

        return await asyncio.to_thread(completions, text, kind, project, self._settings)  # a disk may take its time

    def _folder(self, project: str) -> Path:
        from orchestrator_core.services.proposal import find_project

        folder = find_project(project, self._settings)
        if not folder.is_dir():
            raise NotFoundError(f"{folder} is not a folder", remedy="name the folder of a project", code="no-project")
        return folder
