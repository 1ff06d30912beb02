"""What a proposal's orchestration and agents are going to be, and what these would be told first."""

from __future__ import annotations

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import NotFoundError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import OrchestrationId, agent_id
from orchestrator_core.models.launch import Proposal
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.models.team import RoleChoice
from orchestrator_core.services.catalogues import catalogue_for
from orchestrator_core.services.naming import branch_name
from orchestrator_core.team.briefing import briefing
from orchestrator_core.team.catalogue import Catalogue


def planned_orchestration(proposal: Proposal, identifier: OrchestrationId) -> Orchestration:
    """Return the orchestration that a proposal would become, before anything of it exists."""
    return Orchestration(
        id=identifier,
        project=proposal.project.path,
        project_name=proposal.project.name,
        session=identifier,
        starting_branch=proposal.project.branch,
        base_commit=proposal.project.head,
        spec_path=proposal.spec.path,
        goal=proposal.spec.goal,
        driver=proposal.driver,
        plan=proposal.team.plan,
        team_type=proposal.team.type,
    )


def planned_agents(
    proposal: Proposal, orchestration: Orchestration, settings: Settings, paths: Paths, now: float = 0.0
) -> tuple[Agent, ...]:
    """Return the agents of a proposal as they are before their start, in the order of their windows."""
    folder = settings.worktrees.path(paths) / orchestration.id

    def agent(choice: RoleChoice) -> Agent:
        role = choice.role.key
        return Agent(
            id=agent_id(orchestration.id, role),
            orchestration=orchestration.id,
            role=role,
            driver=proposal.driver,
            worktree=str(folder / role),
            branch=branch_name(orchestration.id, role),
            check_in_min=choice.interval_min,
            model=choice.model,
            permission_mode=choice.permission_mode,
            reason="it is being started",
            status_since=now,
            created_at=now,
        )

    return tuple(map(agent, proposal.team.chosen))


def preview(proposal: Proposal, role: str, settings: Settings, paths: Paths) -> str:
    """Return the first prompt that the agent with `role` would get, as Markdown.

    Raises:
        NotFoundError: that role is not in the team.

    """
    if role not in proposal.team.roles:
        raise NotFoundError(
            f"{role} is not in the team",
            cause=f"the team is {', '.join(proposal.team.roles)}",
            candidates=proposal.team.roles,
        )
    orchestration = planned_orchestration(proposal, proposal.orchestration)
    agents = planned_agents(proposal, orchestration, settings, paths)
    return first_prompt(proposal, role, orchestration, agents, settings, catalogue_for(proposal, paths))


def first_prompt(
    proposal: Proposal,
    role: str,
    orchestration: Orchestration,
    agents: tuple[Agent, ...],
    settings: Settings,
    catalogue: Catalogue,
) -> str:
    """Return what the agent with `role` is told first."""
    return briefing(
        role,
        proposal.team,
        orchestration,
        agents,
        proposal.project,
        proposal.spec,
        analysis=proposal.analysis,
        standing=settings.schedule.standing,
        catalogue=catalogue,
    )
