"""The facade's part for what is missing of teams: what it is, what would bring it back, and doing that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator_core.check_ins import Ask
from orchestrator_core.errors import RefusedError, TmorchError
from orchestrator_core.models.credit_words import on_clock
from orchestrator_core.models.fleet import SupervisorHealth
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.models.recovery import Orphan, Part, RecoveryOutcome, RecoveryPlan, Step, Verb
from orchestrator_core.services.credit import accounts_of
from orchestrator_core.store import Store

if TYPE_CHECKING:
    from orchestrator_core.services.launch import Tools

NOBODY: frozenset[str] = frozenset()
LIMITS_S = 8 * 86400.0
"""How far back it is looked what was told of an account: longer than any window lasts."""


def ignore(step: Step) -> None:
    """Hear of a step that was done, and do nothing about it."""


class Recovery:
    """Bringing teams back. Raises `TmorchError`s that are fit to be shown."""

    def __init__(
        self, tools: Callable[[], Tools], ask: Ask, *, health: Callable[[], Awaitable[SupervisorHealth]]
    ) -> None:
        self._make_tools = tools
        self._ask = ask
        self._health = health

    async def plan(self, orchestration: OrchestrationId, *, named: frozenset[str] = NOBODY) -> RecoveryPlan:
        """Return what bringing a team back would do. Writes nothing.

        Agents whose roles are `named` are started again however many times they have ended.

        Raises:
            NotFoundError: there is no such team.
            RefusedError: it is not meant to run (`not-running`), or is being started (`starting`).

        """
        team = await self._ask(lambda: self._tools.store.orchestrations.get(orchestration))
        if not team.state.is_active:
            raise RefusedError(f"{team.id} is not meant to run", cause=f"it is {team.state}", code="not-running")
        if self._is_being_started(team):
            raise RefusedError(f"{team.id} is being started", cause="its start is still under way", code="starting")
        return await self._look(team, named)

    async def plans(self) -> tuple[RecoveryPlan, ...]:
        """Return the plans of all teams that are meant to run, oldest first, whole ones too. Writes nothing.

        One that cannot be looked at, as its tmux server does not answer, has a plan that says so.
        """
        teams = await self._ask(lambda: self._tools.store.orchestrations.list(active=True))
        return tuple([await self._see(team) for team in teams if not self._is_being_started(team)])

    async def execute(
        self, plan: RecoveryPlan, *, rebrief_all: bool = False, hear: Callable[[Step], None] = ignore
    ) -> RecoveryOutcome:
        """Do what a plan says and is still to be done; `hear` is told of each step that was.

        With `rebrief_all` each agent that runs is told once where it stands, at its prompt.

        Raises:
            RefusedError: as `plan` does, or somebody else brings the team back just now (`already-resuming`).
            TmorchError: the supervisor cannot be started; nothing else was done.

        """
        from orchestrator_core.services.recovery import execute

        started = {step.agent for step in plan.steps if step.verb in (Verb.CONTINUE, Verb.START_ANEW)}
        named = frozenset(str(agent).rpartition(":")[2] for agent in started)
        return await execute(self._tools, plan, partial(self.plan, named=named), rebrief_all=rebrief_all, hear=hear)

    async def orphans(self) -> tuple[Orphan, ...]:
        """Return what is left over of teams, and teams of which nothing is left. Writes nothing."""
        from orchestrator_core.services.orphans import orphans_of

        return await orphans_of(self._tools.store, self._tools.address, self._tools.settings, self._tools.paths)

    async def offer(self) -> tuple[RecoveryPlan, ...]:
        """Return the plans of the teams that a reboot has interrupted: once for each boot, then nothing."""
        from orchestrator_core.services.boot import boot_id

        now = boot_id()
        if not now or not self._tools.settings.resume.offer_after_reboot:
            return ()
        teams = [
            team
            for team in await self._ask(lambda: self._tools.store.orchestrations.list(active=True))
            if team.boot_id not in ("", now) and team.offered_boot_id != now and not self._is_being_started(team)
        ]
        plans = [await self._see(team) for team in teams]
        for team in teams:
            await self._ask(partial(self._tools.store.orchestrations.update, team.id, offered_boot_id=now))
        return tuple(plan for plan in plans if not plan.is_whole)

    def booted_at(self) -> float | None:
        """Return when the machine was started, seconds since the epoch; None when nobody tells."""
        from orchestrator_core.services.boot import booted_at

        return booted_at()

    # --- looking

    @property
    def _tools(self) -> Tools:
        return self._make_tools()

    def _is_being_started(self, team: Orchestration) -> bool:
        from orchestrator_core.services.settle import has_launcher

        return team.state is OrchestrationState.STARTING and has_launcher(team)

    async def _see(self, team: Orchestration) -> RecoveryPlan:
        try:
            return await self._look(team, NOBODY)
        except TmorchError as error:
            reason = f"{error.title}: {error.cause}" if error.cause else error.title
            refusal = Step(verb=Verb.REFUSE, part=Part.SESSION, reason=reason)
            return RecoveryPlan(orchestration=team.id, project=team.project, steps=(refusal,))

    async def _look(self, team: Orchestration, named: frozenset[str]) -> RecoveryPlan:
        from orchestrator_core.services.recovery_picture import Looker, look_at_team
        from orchestrator_core.services.recovery_plan import plan_of

        tools = self._tools
        looker = Looker(
            store=tools.store,
            paths=tools.paths,
            settings=tools.settings,
            drivers=tools.drivers,
            address=tools.address,
            environ=tools.environ,
        )
        is_supervised = (await self._health()).running
        now = tools.clock()
        limits = await self._ask(partial(_limits, tools.store, team.id, now))
        return plan_of(await look_at_team(looker, team, now, is_supervised=is_supervised, limits=limits, named=named))


def _limits(store: Store, team: OrchestrationId, now: float) -> tuple[str, ...]:
    """Return what is said of each account of a team's agents that a limit holds."""
    agents = store.agents.of(team)
    accounts = accounts_of(store.readings.current(now - LIMITS_S), agents, now, str(Path.home()))
    return tuple(
        f"the account {account.name} is limited until "
        f"{'about ' if account.limit_is_estimate else ''}{on_clock(account.limited_until, now)}: what is started waits"
        for account in accounts
        if account.agents and account.limited_until is not None and account.limited_until > now
    )
