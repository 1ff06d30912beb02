"""TARGET and ID against the fleet: for the commands that read all of it anyway."""

from __future__ import annotations

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.parsing import nearest
from orchestrator_core.cli.targets import one_agent, server_names
from orchestrator_core.errors import NotFoundError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.fleet import AgentView, Fleet, Team


def caller_among(context: Context, fleet: Fleet) -> Agent | None:
    """Return the agent in whose pane this command runs, if it is one of the fleet's."""
    if not context.pane:
        return None
    servers = server_names(context)
    for team in fleet.teams:
        for view in team.agents:
            if view.agent.pane == context.pane and team.orchestration.server in servers:
                return view.agent
    return None


def view_in(context: Context, fleet: Fleet, target: str) -> AgentView:
    """Return the one agent of the fleet that `target` names; those of stopped teams answer to their id.

    Raises:
        NotFoundError: nothing or more than one answers to it.

    """
    views = {view.agent.id: view for team in fleet.teams for view in team.agents}
    servers = {view.agent.id: team.orchestration.server for team in fleet.teams for view in team.agents}
    exact = [view.agent for name, view in views.items() if name == target]
    active = [view.agent for team in fleet.teams if team.orchestration.state.is_active for view in team.agents]
    caller = caller_among(context, fleet)
    agent = one_agent(context, target, exact or active, lambda agent: servers[agent.id], caller)
    return views[agent.id]


def team_in(fleet: Fleet, orchestration: str) -> Team:
    """Return the team with exactly that id.

    Raises:
        NotFoundError: there is none.

    """
    for team in fleet.teams:
        if team.orchestration.id == orchestration:
            return team
    names = tuple(team.orchestration.id for team in fleet.teams)
    guess = nearest(orchestration, names)
    raise NotFoundError(
        f"there is no orchestration {orchestration!r}" + (f"; did you mean {guess}?" if guess else ""),
        cause=("there are " + ", ".join(names)) if names else "no team was started yet",
        remedy="tmorch list shows them; ids match exactly",
        candidates=names,
    )


def own_team(context: Context, fleet: Fleet) -> Team:
    """Return the team of the agent in whose pane this runs, or the only active one.

    Raises:
        NotFoundError: it is neither clear from the pane nor from the number of teams.

    """
    caller = caller_among(context, fleet)
    if caller is not None:
        return team_in(fleet, caller.orchestration)
    active = [team for team in fleet.teams if team.orchestration.state.is_active]
    if len(active) == 1:
        return active[0]
    names = tuple(team.orchestration.id for team in active)
    raise NotFoundError(
        "it is not clear which team you mean" if active else "no team is active",
        cause=("there are " + ", ".join(names)) if names else "this pane is no agent's",
        remedy=f"name one, as in: tmorch team {names[0]}" if names else "tmorch start begins one",
        code="ambiguous" if active else "not-found",
        candidates=names,
    )
