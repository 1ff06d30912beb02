"""`TeamPanel`: who would work: the rows, what there is to know of the selected one, and the field for its interval."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from orchestrator_core.models.analysis import Suggestion
from orchestrator_core.models.launch import Proposal
from orchestrator_core.models.team import Role, RoleChoice
from tui.team_rows import ADVICE, open_suggestions, other_roles, rows_of
from tui.team_words import advice_details, details_of, place_words, team_details, warnings_of
from tui.widgets.interval_input import IntervalInput
from tui.widgets.line import TitleRule, part
from tui.widgets.row_list import RowList
from tui.widgets.team_list import TeamList
from tui.wording import QUIET, clean

SHOWN_WARNINGS = 3
"""How many stand below the team; the others are told with its details."""


class TeamPanel(Vertical):
    """The panel. It shows the proposal that it was given last, and changes none."""

    def __init__(self, proposal: Proposal, roles: tuple[Role, ...], *, id: str) -> None:
        super().__init__(id=id)
        self._proposal = proposal
        self._roles = roles
        self.list = TeamList(id="team")
        self.interval = IntervalInput(id="interval")
        self._interval_label = Static(classes="label", markup=False)
        self._title = TitleRule(id="team-title")
        self._details_title = TitleRule(id="team-details-title")
        self._details_body = VerticalScroll(id="team-details-body", can_focus=False)
        self._details = Static(id="team-details", markup=False)

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.list
        yield self._details_title
        with self._details_body:
            yield self._details
        with Horizontal(id="interval-line"):
            yield self._interval_label
            yield self.interval

    def show(self, proposal: Proposal, *, select: str = "") -> None:
        """Show a proposal; when what was selected is no more, `select` is, or else the first role."""
        self._proposal = proposal
        self._title.set_parts([part("Who would work", "bold")], [part(place_words(proposal), QUIET)])
        self.list.show(rows_of(proposal, self._roles, self.list.size.width))
        if not self.list.selected_id:
            self.list.select(select if select in proposal.team.roles else proposal.team.chosen[0].role.key)
        self._show_details()

    def _show_details(self) -> None:
        suggestion, role = self.suggestion, self.role
        width = self._details_body.scrollable_content_region.width
        title, text = "The team", team_details(self._proposal, width)
        if suggestion is not None:
            title, text = f"{suggestion.action} {clean(suggestion.role)}", advice_details(suggestion, width)
        elif role is not None:
            title, about = clean(role.title), details_of(self._proposal, self.choice, role, width)
            text = Content("\n").join([about, Content(""), text])
        more = Content("\n").join([Content(f"! {each}") for each in warnings_of(self._proposal)[SHOWN_WARNINGS:]])
        self._details.update(Content("\n").join([text, more]) if more else text)
        self._details_title.set_parts([part(title, "bold")])

    @on(RowList.Moved)
    def _on_moved(self) -> None:
        self._show_details()
        self._details_body.scroll_home(animate=False)

    def scroll_details(self, lines: int) -> None:
        """Scroll what there is to know of the selected row."""
        self._details_body.scroll_relative(y=lines, animate=False)

    # -- what is selected -------------------------------------------------------------------------

    @property
    def suggestion(self) -> Suggestion | None:
        """The advice that is selected."""
        named = {f"{ADVICE}{each.action}:{each.role}": each for each in open_suggestions(self._proposal)}
        return named.get(self.list.selected_id)

    @property
    def choice(self) -> RoleChoice | None:
        """What the proposal says of the selected role; None: nothing."""
        team = self._proposal.team
        key = self.list.selected_id
        return next((each for each in (*team.chosen, *team.dropped) if each.role.key == key), None)

    @property
    def role(self) -> Role | None:
        """The role that is selected."""
        if (choice := self.choice) is not None:
            return choice.role
        others = other_roles(self._proposal, self._roles)
        return next((role for role in others if role.key == self.list.selected_id), None)

    @property
    def member(self) -> RoleChoice | None:
        """The selected role, if it is in the team."""
        choice = self.choice
        return choice if choice is not None and choice.role.key in self._proposal.team.roles else None

    # -- the interval -----------------------------------------------------------------------------

    def ask_interval(self, member: RoleChoice) -> None:
        """Open the field with the interval of a member."""
        self._interval_label.update(f"Minutes between the check-ins of {clean(member.role.key)}")
        self.interval.value = f"{member.interval_min:g}"
        self.add_class("-asks-interval")
        self.interval.focus()
        self.interval.action_end()

    def ask_no_interval(self) -> None:
        """Close the field."""
        self.remove_class("-asks-interval")
        self.list.focus()
