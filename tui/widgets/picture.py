"""Which picture belongs to the selected row: the pane to look at, or the card that stands in for it. Pure."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from textual.content import Content

from orchestrator_core.models.fleet import AgentView, Fleet, Guest, Team, TmuxState
from tui.messages import Sight
from tui.widgets import cards
from tui.widgets.fleet_header import active_teams
from tui.widgets.fleet_rows import Row, RowKind
from tui.widgets.line import Part, part
from tui.widgets.pane_title import agent_title, guest_title, team_title


class Picture(Struct, frozen=True, kw_only=True):
    """What the stage shows."""

    left: list[Part]
    right: list[Part]
    sight: Sight | None = None
    """The pane to look at."""
    card: Content = Content()
    """Shown when there is no pane to look at."""


def picture_of(
    fleet: Fleet | None,
    row: Row | None,
    now: float,
    is_ours: Callable[[Sight], bool] = lambda _: False,
    new_team_key: str = "",
) -> Picture:
    """Return the picture of `row`. What is wrong with tmux itself comes first, whatever is selected."""
    if fleet is None:
        return _card("tmorch", cards.reading())
    if fleet.tmux is TmuxState.MISSING:
        return _card("tmux", cards.tmux_missing(fleet.tmux_detail))
    if fleet.tmux is TmuxState.NO_SERVER and active_teams(fleet):
        return _card("tmux", cards.server_gone(fleet))
    if row is None or (row.kind is RowKind.GUESTS and not fleet.teams):
        return _card("Welcome", cards.welcome(new_team_key, has_guests=bool(fleet.guests)))
    return _of_row(fleet, row, now, is_ours)


def _of_row(fleet: Fleet, row: Row, now: float, is_ours: Callable[[Sight], bool]) -> Picture:
    if row.kind is RowKind.AGENT and row.agent and (view := fleet.agent(row.agent)):
        return _of_agent(view, row, now, is_ours)
    if row.kind is RowKind.TEAM and (team := _team(fleet, row)):
        left, right = team_title(team)
        return Picture(left=left, right=right, card=cards.team_card(team, now))
    if row.kind is RowKind.WINDOW and (guest := _guest(fleet, row)):
        left, right = guest_title(guest)
        return _of_pane(left, right, Sight(guest.pane_id), is_ours)
    sessions = {guest.session_id for guest in fleet.guests}
    return _card("Guests", cards.guests_card(len(fleet.guests), len(sessions)))


def _of_agent(view: AgentView, row: Row, now: float, is_ours: Callable[[Sight], bool]) -> Picture:
    agent = view.agent
    left, right = agent_title(agent, now)
    if agent.pane is None or row.is_quiet:  # the pane ids of a team that ended may be somebody else's by now
        return Picture(left=left, right=right, card=cards.no_pane(agent))
    return _of_pane(left, right, Sight(agent.pane, row.server), is_ours)


def _of_pane(left: list[Part], right: list[Part], sight: Sight, is_ours: Callable[[Sight], bool]) -> Picture:
    if is_ours(sight):
        return Picture(left=left, right=right, card=cards.ourselves())
    return Picture(left=left, right=right, sight=sight)


def _card(title: str, card: Content) -> Picture:
    return Picture(left=[part(title, "bold", cost=None)], right=[], card=card)


def _team(fleet: Fleet, row: Row) -> Team | None:
    return next((team for team in fleet.teams if team.orchestration.id == row.orchestration), None)


def _guest(fleet: Fleet, row: Row) -> Guest | None:
    return next((guest for guest in fleet.guests if guest.pane_id == row.pane), None)
