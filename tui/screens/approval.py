"""`ApprovalScreen`: a team before anything of it is made: what the spec was understood to say, who would work, and why.

Every change is one wish; what is shown is always a proposal that came back. Nothing is started before it is approved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.analysis import Action, Analysis, AnalysisProgress
from orchestrator_core.models.launch import (
    Change,
    PlanChosen,
    Proposal,
    RoleToggled,
    RoleTuned,
    TeamReset,
    TypeChosen,
)
from orchestrator_core.models.team import Plan, Role, RoleChoice, Tuning
from tui.keys import bindings
from tui.screens.over import OverScreen
from tui.team_messages import (
    AnalysisCancelled,
    AnalysisWanted,
    ApprovalLeft,
    Approved,
    BriefingWanted,
    ChangeWanted,
    RefineWanted,
    SaveWanted,
)
from tui.team_rows import BYPASS, can_be_followed
from tui.team_words import (
    estimate_words,
    needs_a_second_press,
    progress_words,
    reader_words,
    spec_text,
    title_parts,
    warnings_of,
)
from tui.widgets.interval_input import IntervalInput
from tui.widgets.key_bar import KeyBar
from tui.widgets.line import Line, TitleRule, part
from tui.widgets.row_list import RowList
from tui.widgets.team_panel import SHOWN_WARNINGS, TeamPanel
from tui.wording import QUIET, clean, sentence

WIDTHS: list[tuple[int, str]] = [(0, "-narrow"), (110, "-wide")]
NONE_ACCEPTED = "None was accepted: the plan carries no more agents. Take one out first, or accept one by itself."
AGAIN = "press the key again to do so"


class ApprovalScreen(OverScreen):
    """The proposal. It posts what the person wants of it and is told what became of that."""

    HELP = """\
The team that would be started, and why. Nothing has been made: no branch, no worktree, no window.

✔ in the team  · left out, or could be added  + - a suggested change  ⊘ one that is not possible
! there is something to know about it  ‼ more agents than the plan carries  ⚠ works without asking for permission

What you take in or out stays so; the rules never push a role out for one that you add. The reasons, what an agent may
write to, its branch and its worktree stand below the team.
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("approval")]
    AUTO_FOCUS = "TeamList"
    HORIZONTAL_BREAKPOINTS = WIDTHS

    def __init__(
        self,
        proposal: Proposal,
        roles: tuple[Role, ...],
        *,
        clock: Callable[[], float],
        keys_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        super().__init__()
        self.proposal = proposal
        self._first_request = proposal.request
        self._kept = proposal
        """As it was when it was opened or saved last."""
        self._keys_of = keys_of
        self._progress: AnalysisProgress | None = None
        self.is_reading = False
        self._failure = ""
        """Why the last wish could not be."""
        self._is_accepting = False
        self._pending = 0
        """How many changes have not come back yet."""
        self._follows = ""
        """The role that is selected when what was selected is no more: the one that was advised."""
        self._asks = ""
        """What the next press of the same key would do; empty when nothing is asked."""
        self._title_rule = TitleRule(id="approval-title")
        self._note = Line(id="approval-note")
        self._spec = Static(id="spec-text", markup=False)
        self.team = TeamPanel(proposal, roles, id="team-panel")
        self._state = Static(id="approval-state", markup=False)

    def compose(self) -> ComposeResult:
        yield self._title_rule
        yield self._note
        with Horizontal(id="approval-body"):
            with Vertical(id="spec-panel"):
                yield TitleRule(id="spec-title")
                with VerticalScroll(id="spec-body"):
                    yield self._spec
            yield self.team
        yield self._state
        yield KeyBar(keys_of=self._keys_of)

    def on_mount(self) -> None:
        self._show()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    # -- news -------------------------------------------------------------------------------------

    def take_proposal(self, proposal: Proposal) -> None:
        """Show what a change made of the proposal."""
        is_same, self.proposal = proposal == self.proposal, proposal
        self._asks = self._failure = ""
        self._show()
        if is_same and self._is_accepting:
            self._say(f"! {NONE_ACCEPTED}", "bold $text-warning")
        self._is_accepting = False

    def take_saved(self, saved: Proposal) -> None:
        """Take in that this is kept."""
        self._kept = saved
        self.take_proposal(replace(self.proposal, saved=saved.saved))

    @property
    def holds_keys(self) -> bool:
        """Whether a change has not come back yet: the next key is about the proposal that it makes."""
        return self._pending > 0

    def settle(self) -> None:
        """Take in that one change came back, whatever became of it."""
        self._pending -= 1

    def take_progress(self, progress: AnalysisProgress) -> None:
        """Show how far Claude is."""
        self.is_reading, self._progress = True, progress
        self._show_note()

    def take_analysis(self, analysis: Analysis | None) -> None:
        """Take in that Claude reads no more; None: it has said nothing."""
        self.is_reading, self._progress = False, None
        if analysis is not None and not self.proposal.analysis.suggestions:
            self.proposal = replace(self.proposal, analysis=analysis)
        if self.is_mounted:
            self._show()

    def take_failure(self, error: TmorchError) -> None:
        """Say why what was wanted cannot be; the proposal is as it was."""
        words = (sentence(error.title), clean(error.cause), clean(error.remedy))
        self._failure = "\n".join(filter(None, words))
        self._show_warnings()

    def take_briefing(self, role: str, text: str) -> None:
        """Show what an agent would be told first."""
        from tui.screens.briefing import BriefingScreen

        self.app.push_screen(BriefingScreen(role, text, keys_of=self._keys_of))

    # -- what is shown ----------------------------------------------------------------------------

    def _show(self) -> None:
        proposal = self.proposal
        self._title_rule.set_parts(*title_parts(proposal))
        self.query_one("#spec-title", TitleRule).set_parts(
            [part("The spec as understood", "bold")], [part(clean(proposal.spec.path), QUIET)]
        )
        spec_body = self.query_one("#spec-body")
        self._spec.update(spec_text(proposal, spec_body.scrollable_content_region.width))
        self.team.show(proposal, select=self._follows)
        self._show_note()
        self._show_warnings()

    def _show_note(self) -> None:
        if self.is_reading:
            left = part(progress_words(self._progress), "bold $text-accent", cost=None)
        else:
            left = part(*reader_words(self.proposal.analysis), cost=None)
        self._note.set_parts([left], [part(estimate_words(self.proposal), QUIET)])
        self.refresh_bindings()

    def _show_warnings(self) -> None:
        """Say why the last wish could not be, or else what there is to know of the team."""
        if self._failure:
            self._say(self._failure, "$text-error")
            return
        found = warnings_of(self.proposal)
        lines = [f"! {each}" for each in found[:SHOWN_WARNINGS]]
        if len(found) > SHOWN_WARNINGS:
            lines.append(f"! and {len(found) - SHOWN_WARNINGS} more: scroll the details of the team")
        self._say("\n".join(lines), "$text-warning")

    def _say(self, words: str, style: str = "") -> None:
        self._state.update(Content.assemble((words, style)))
        self._state.display = bool(words)

    @on(RowList.Moved)
    def _on_moved(self, event: RowList.Moved) -> None:
        event.stop()
        self._ask_no_more()
        self.refresh_bindings()

    # -- changes ----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done."""
        member, proposal = self.team.member, self.proposal
        match action:
            case "take":
                suggestion = self.team.suggestion
                return suggestion is None or not suggestion.refused
            case "open" | "interval":
                return member is not None or (action == "open" and self.team.suggestion is not None)
            case "model":
                return member is not None and bool(proposal.models)
            case "mode":
                return member is not None and bool(proposal.permission_modes)
            case "accept_all":
                return can_be_followed(proposal)
            case "reset":
                return proposal.request != self._first_request
        return True

    def _change(self, change: Change) -> None:
        self._asks = ""
        self._post_change(ChangeWanted(change))

    def _post_change(self, wish: ChangeWanted | RefineWanted | SaveWanted) -> None:
        self._pending += 1
        self.post_message(wish)

    def action_take(self) -> None:
        suggestion, role = self.team.suggestion, self.team.role
        if suggestion is not None:
            self._follows = suggestion.role
            self._change(RoleToggled(role=suggestion.role, is_in=suggestion.action is Action.ADD))
        elif role is not None:
            self._change(RoleToggled(role=role.key, is_in=self.team.member is None))

    def action_open(self) -> None:
        if self.team.suggestion is not None:
            self.action_take()
        elif (member := self.team.member) is not None:
            self.post_message(BriefingWanted(member.role.key))

    def _tuning(self, member: RoleChoice) -> Tuning:
        return self.proposal.request.tuning.get(member.role.key, Tuning())

    def action_model(self) -> None:
        """Choose the next model; after the last comes the agent's own default."""
        member, models = self.team.member, ("", *self.proposal.models)
        if member is not None:
            at = models.index(member.model) if member.model in models else 0
            tuning = replace(self._tuning(member), model=models[(at + 1) % len(models)])
            self._change(RoleTuned(role=member.role.key, tuning=tuning))

    def action_mode(self, steps: int) -> None:
        """Choose the next permission mode; the one that asks for nothing when the key is pressed again."""
        member, modes = self.team.member, self.proposal.permission_modes
        if member is None or not modes:
            return
        at = modes.index(member.permission_mode) if member.permission_mode in modes else 0
        mode = modes[(at + steps) % len(modes)]
        if mode == BYPASS and not self._is_asked_twice(f"mode {member.role.key}"):
            words = f"{clean(member.role.key)} would do everything without asking for permission: {AGAIN}"
            self._say(f"⚠ {words}", "bold $text-warning")
            return
        tuning = replace(self._tuning(member), permission_mode=mode)
        self._change(RoleTuned(role=member.role.key, tuning=tuning))

    def action_plan(self) -> None:
        plans = [str(plan) for plan in Plan]
        at = plans.index(str(self.proposal.team.plan))
        self._change(PlanChosen(plan=plans[(at + 1) % len(plans)]))

    def action_type(self) -> None:
        types = self.proposal.types
        if types:
            at = types.index(self.proposal.team.type) if self.proposal.team.type in types else -1
            self._change(TypeChosen(team_type=types[(at + 1) % len(types)]))

    def action_accept_all(self) -> None:
        self._is_accepting = True
        self._post_change(RefineWanted())

    def action_reset(self) -> None:
        self._change(TeamReset())

    # -- the interval -----------------------------------------------------------------------------

    def action_interval(self) -> None:
        if (member := self.team.member) is not None:
            self.team.ask_interval(member)

    @on(IntervalInput.Left)
    def _on_interval_left(self, event: IntervalInput.Left) -> None:
        event.stop()
        member = self.team.member
        if event.keep and member is not None:
            minutes = self.team.interval.minutes
            if minutes is None:
                self._say("! How many minutes? A number above 0, as in 30 or 7.5.", "$text-error")
                return
            tuning = replace(self._tuning(member), check_in_min=minutes)
            self._change(RoleTuned(role=member.role.key, tuning=tuning))
        self.team.ask_no_interval()

    # -- reading, keeping, approving, leaving -----------------------------------------------------

    def action_read(self) -> None:
        if self.is_reading:
            self.post_message(AnalysisCancelled())
        else:
            self.is_reading = True
            self._show_note()
            self.post_message(AnalysisWanted())

    def action_save(self) -> None:
        self._post_change(SaveWanted())

    def action_approve(self) -> None:
        """Have the team started; what is unusual about it is asked first."""
        why = needs_a_second_press(self.proposal)
        if why and not self._is_asked_twice("approve"):
            self._say(f"‼ {why}: {AGAIN}", "bold $text-warning")
            return
        self.post_message(Approved(self.proposal))

    def action_leave(self) -> None:
        """Leave; when there are changes that nobody has kept, on the second press."""
        is_changed = self.proposal.request != self._kept.request
        if is_changed and not self._is_asked_twice("leave"):
            self._say(f"Your changes are not saved. Leave them? {sentence(AGAIN)}.", "bold $text-warning")
            return
        self.post_message(ApprovalLeft())

    def _is_asked_twice(self, what: str) -> bool:
        was, self._asks = self._asks, what
        if was == what:
            self._asks = ""
        return was == what

    def _ask_no_more(self) -> None:
        if self._asks or self._failure:
            self._asks = self._failure = ""
            self._show_warnings()

    # -- moving -----------------------------------------------------------------------------------

    @property
    def _is_at_spec(self) -> bool:
        return self.focused is self.query_one("#spec-body")

    def action_panel(self) -> None:
        """Go to the spec, or back to the team; where there is room for one alone it is the one that is shown."""
        to_spec = not self._is_at_spec
        self.set_class(to_spec, "-spec")
        self.set_focus(self.query_one("#spec-body") if to_spec else self.team.list)
        self.call_after_refresh(self._show)

    def action_move(self, lines: int) -> None:
        if self._is_at_spec:
            self.query_one("#spec-body").scroll_relative(y=lines, animate=False)
        else:
            self.team.list.action_move(lines)

    def action_move_page(self, pages: int) -> None:
        if self._is_at_spec:
            self.query_one("#spec-body").scroll_relative(y=pages * (self.size.height - 6), animate=False)
        else:
            self.team.list.action_move_page(pages)

    def action_move_to(self, index: int) -> None:
        if self._is_at_spec:
            body = self.query_one("#spec-body")
            body.scroll_to(y=0 if index >= 0 else body.max_scroll_y, animate=False)
        else:
            self.team.list.action_move_to(index)

    def action_scroll_text(self, lines: int) -> None:
        self.team.scroll_details(lines)
