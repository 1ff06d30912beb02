"""`ScheduleScreen`: the lanes with all that can be done to the check-ins in them."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from orchestrator_core.models.check_in import TMORCH, CheckIn
from orchestrator_core.models.ids import AgentId, CheckInId
from orchestrator_core.models.message import CHECK_IN, CHECK_IN_BY
from orchestrator_core.models.timeline import TickKind
from tui.keys import bindings
from tui.messages import (
    AgentWanted,
    CancelWanted,
    CheckInFormOpened,
    FireWanted,
    MessagesOpened,
    MoveWanted,
    PauseWanted,
    Scope,
)
from tui.schedule_choice import Spot
from tui.screens.lanes import LanesScreen
from tui.wording import MINUTE_S

GATHER_S = 0.4
"""How long after the last press of a key a check-in is moved: many presses are one change."""


class ScheduleScreen(LanesScreen):
    """The schedule. Each change is one call; what is shown of it first is the wish, then what became of it."""

    HELP = """\
What is due when, agent by agent, and what came of what was due.

◉ due  ○ repeats then  ▲ a usage limit ends  ! overdue: stands between the name and the lane, with their number
fired: … queued  → delivering  » delivered  ✔ acknowledged  ✖ refused  ‼ unconfirmed
↷ skipped by a rule  † dead: it could not fire, and is not tried any more  ⏸ its team is paused

A digit stands for as many moments in one cell: zoom in, or go through them with ← and →. What you do to a check-in
that repeats is done to all that it is going to fire. Moving one that is dead, cancelled or done sets it again.
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("schedule")]

    # -- what the person does ---------------------------------------------------------------------

    def action_add(self) -> None:
        if self.agent is not None:
            self.post_message(CheckInFormOpened(self.agent))

    def action_edit(self) -> None:
        if self.check_in is not None:
            self.post_message(CheckInFormOpened(self.check_in.target, self.check_in))

    def action_shift(self, minutes: int) -> None:
        """Have the selected check-in fire so many minutes later; many presses are one change."""
        check_in = self.check_in
        if check_in is None:
            return
        now = self._clock()
        known = check_in.due_at if check_in.is_active else now
        to = max(now, max(now, self._wishes.get(check_in.id, known)) + minutes * MINUTE_S)
        self._settled.discard(check_in.id)
        self._settling.discard(check_in.id)
        self._wishes[check_in.id] = to
        if timer := self._gathering.pop(check_in.id, None):
            timer.stop()
        self._gathering[check_in.id] = self.set_timer(GATHER_S, lambda: self._move(check_in.id))
        self.spot, self._asks = Spot(check_in.id, TickKind.DUE, to), None
        if not self._scale.holds(to):
            self._look_at(to)
        self._show()

    def _move(self, number: CheckInId) -> None:
        self._gathering.pop(number, None)
        if number in self._wishes:
            self.post_message(MoveWanted(number, self._wishes[number]))

    def take_moved(self, to: float, moved: CheckIn) -> None:
        """Take in that a check-in was moved: what is read from now on is how it is."""
        if self._wishes.get(moved.id) == to:
            self._settled.add(moved.id)

    def move_failed(self, number: CheckInId) -> None:
        """Take in that a check-in could not be moved: it is where it was."""
        if number not in self._gathering:
            self._wishes.pop(number, None)
            self._show()

    def action_cancel(self) -> None:
        """Cancel the selected check-in; one that repeats when the key is pressed again."""
        check_in = self.check_in
        if check_in is None or not check_in.is_active:
            return
        if check_in.repeats and self._asks != check_in.id:
            self._asks = check_in.id
            self._show_details()
        else:
            self._asks = None
            self.post_message(CancelWanted(check_in.id))

    def action_fire(self) -> None:
        if self.check_in is not None:
            self.post_message(FireWanted(self.check_in.id))

    def action_pause(self) -> None:
        if self.lane is not None:
            self._asks = None
            self.post_message(PauseWanted(self.lane.orchestration, paused=not self.lane.is_paused))

    def action_go(self) -> None:
        if self.agent is not None:
            self.post_message(AgentWanted(self.agent))

    def action_go_to(self, agent: AgentId) -> None:
        """Go to an agent on the main screen."""
        self.post_message(AgentWanted(agent))

    def action_write(self) -> None:
        if self.agent is not None:
            self.post_message(AgentWanted(self.agent, text=""))

    def action_messages(self) -> None:
        """Open the messages that this check-in's author has sent to its agent by check-ins."""
        one = self.check_in
        if one is not None:
            sender = CHECK_IN if one.author in (one.target, TMORCH) else CHECK_IN_BY + one.author
            self.post_message(MessagesOpened(Scope(agent=one.target, partner=sender)))

    def action_back(self) -> None:
        """Take back the question, then the choice of a team, then leave."""
        if self._asks is not None:
            self._asks = None
            self._show_details()
        elif self.team is not None:
            self.action_team()
        else:
            self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done with the selected moment."""
        check_in = self.check_in
        match action:
            case "edit" | "cancel" | "fire":
                return check_in is not None and check_in.is_active
            case "shift":
                return self._may_shift(check_in, is_later=str(parameters[0])[:1] != "-")
            case "messages":
                return check_in is not None
            case "add" | "pause" | "go" | "write" | "team":
                return self.lane is not None
        return True

    def _may_shift(self, check_in: CheckIn | None, *, is_later: bool) -> bool:
        """Whether it can be moved: one that has ended only to a later time, and no standing one that has."""
        if check_in is None:
            return False
        return check_in.is_active or (is_later and not check_in.is_standing)
