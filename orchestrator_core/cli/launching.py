"""Starting a proposed team and telling how it goes: what `start` and `demo` have in common."""

from __future__ import annotations

import time
from collections.abc import Callable

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import fleet_document
from orchestrator_core.cli.facade import Calls
from orchestrator_core.cli.fleet_view import team_lines
from orchestrator_core.models.fleet import Fleet, Team
from orchestrator_core.models.launch import Proposal, StepProgress, StepState

_MARKS = {StepState.DONE: ("✔", "good"), StepState.FAILED: ("✘", "bad"), StepState.UNDONE: ("↺", "warn")}
Prepare = Callable[[Calls], Proposal]
"""Makes the proposal, or takes one that was made before."""
Approve = Callable[[Proposal], None]
"""Hears the proposal; raises RefusedError when the person does not want it."""


def launch(context: Context, prepare: Prepare, approve: Approve) -> tuple[Fleet, Team]:
    """Prepare a proposal, have it approved, start it, and return the fleet with the new team; tells each finished step.

    Raises:
        TmorchError: it was not approved, or could not be started; nothing is left behind then.

    """
    with Calls(context) as call:
        proposal = prepare(call)
        approve(proposal)
        started = call(lambda orchestrator: orchestrator.start(proposal, lambda step: _tell(context, step)))
        fleet = call(lambda orchestrator: orchestrator.fleet())
    mine = (team for team in fleet.teams if team.orchestration.id == started.id)
    return fleet, next(mine, Team(orchestration=started, agents=()))


def show_started(context: Context, fleet: Fleet, team: Team) -> None:
    """Print the team on stdout, and for people what to do next on stderr."""
    now = time.time()
    if context.out.as_json:
        context.out.document(fleet_document(fleet, [team], now))
        return
    context.out.lines(team_lines(team, now, context.out.look))
    context.out.flush()
    name = team.orchestration.id
    first = team.agents[0].agent.role if team.agents else "orchestrator"
    context.note.say()
    context.note.say(f'watch it: tmorch-tui   talk to it: tmorch send {name}:{first} "…"   end it: tmorch stop {name}')


def _tell(context: Context, step: StepProgress) -> None:
    if step.state in _MARKS:
        context.note.step(*_MARKS[step.state], step.text)
