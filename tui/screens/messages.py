"""`MessagesScreen`: every message with its receipt; the selected one in full, with its times."""

from __future__ import annotations

from textual.content import Content

from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.message import PERSON, AgentMessage, DeliveryMode, MessageKind, MessageState
from tui.messages import AgentWanted, MessagesWanted, Scope
from tui.screens.records import ROOMY, RecordsScreen
from tui.widgets.line import Part, part
from tui.widgets.receipts import STYLES, UNCONFIRMED_ADVICE
from tui.widgets.row_list import ListRow
from tui.wording import QUIET, RECEIPTS, age, clean, clean_line, clock_time, fit, moment, receipt_note

STATE_CELLS = 14
WHO_SHARE = 0.3
"""The part of a row's width that sender and target may take."""
WHO_MAX = 44
WHO_ROOM = 36
"""With fewer cells than these for sender and target only their roles are shown."""
TROUBLE = (MessageState.REFUSED, MessageState.UNCONFIRMED)
"""States whose reason stands before the text."""


class MessagesScreen(RecordsScreen[AgentMessage]):
    """The messages of everybody, of one agent, or between two."""

    HELP = """\
Every message with its receipt, the newest at the bottom.

… queued: not typed yet, and why  → delivering  ✔ delivered: its prompt took it  ✔ acknowledged: it said so itself
✖ refused: it was not typed, and why  ‼ unconfirmed: typed, and nobody can know whether it was taken

Nothing is sent again by itself. “write anew” puts the text into the composer, as a new message.
"""
    NAME = "Messages"
    CHANGES = True

    def page_wanted(self, before: int) -> MessagesWanted:
        return MessagesWanted(self.query_now, before)

    def row_key(self, record: AgentMessage, width: int, now: float) -> object:
        return age(now - record.created_at), moment(record.created_at, now, brief=width < ROOMY)

    def row_of(self, record: AgentMessage, width: int, now: float) -> ListRow:
        mark, word = RECEIPTS[record.state]
        is_trouble = record.state in TROUBLE
        who_cells = min(WHO_MAX, int(width * WHO_SHARE))
        first = clean(next((line for line in record.text.splitlines() if line.strip()), ""))
        note = receipt_note(record)
        text = " · ".join(filter(None, (note, first) if is_trouble else (first, note)))
        style = STYLES[record.state].removeprefix("bold reverse ") if is_trouble else ""
        return ListRow(
            id=str(record.id),
            left=(
                (f"{moment(record.created_at, now, brief=width < ROOMY)} ", QUIET),
                (f"{mark} {word}", STYLES[record.state]),
                (" " * (STATE_CELLS - len(mark) - len(word)), ""),
                (f"{who(record, who_cells):<{who_cells}} ", ""),
            ),
            text=text,
            style=style,
            right=((f"{age(now - record.created_at):>5}", QUIET),),
        )

    def details_of(self, record: AgentMessage) -> tuple[list[Part], Content]:
        mark, word = RECEIPTS[record.state]
        title = [
            part(f"{clean(record.sender)} → {clean(record.target)}", "bold", cost=None),
            part(f"{mark} {word}", STYLES[record.state], cost=None),
            part(f"message {record.id}", QUIET, cost=5),
        ]
        lines = [clean_line(line) for line in record.text.splitlines()]
        return title, Content("\n").join([*_facts(record), Content(), *map(Content, lines)])

    def agent_of(self, record: AgentMessage) -> AgentId | None:
        return record.target

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "conversation":
            return self.selected is not None and not self.query_now.scope.partner
        if action == "resend":
            return self.selected is not None and self.selected.kind is MessageKind.TEXT
        return super().check_action(action, parameters)

    def action_conversation(self) -> None:
        """Show only what passed between the two of the selected message."""
        if self.selected is not None:
            self.show_scope(Scope(agent=self.selected.target, partner=self.selected.sender))

    def action_resend(self) -> None:
        """Go to the target with the text in the composer."""
        if self.selected is not None:
            self.post_message(AgentWanted(self.selected.target, text=self.selected.text))


def who(message: AgentMessage, cells: int) -> str:
    """Return sender and target: their roles, and where there is room which team they are of."""
    team, _, role = message.target.rpartition(":")
    if cells < WHO_ROOM:
        return fit(clean(f"{message.sender.rpartition(':')[2]} → {role}"), cells)
    is_within = message.sender != PERSON and message.sender.rpartition(":")[0] == team
    return fit(clean(f"{message.sender} → {role if is_within else message.target}"), cells)


def _facts(message: AgentMessage) -> list[Content]:
    """Return the times, the way and the reason of a message."""
    lines = [Content.assemble((" · ".join(_times(message)), QUIET))]
    if message.reason:
        style = STYLES[message.state].removeprefix("bold reverse ")
        lines.append(Content.assemble((f"{clean(message.reason)}", style)))
    if message.state is MessageState.UNCONFIRMED:
        lines.append(Content.assemble((UNCONFIRMED_ADVICE, "$text-warning")))
    if message.suppressed:
        lines.append(Content.assemble((f"{message.suppressed} more like it held back", "$text-warning")))
    return lines


def _times(message: AgentMessage) -> list[str]:
    times = [f"queued {clock_time(message.created_at)}"]
    for word, at in (("delivered", message.delivered_at), ("acknowledged", message.acknowledged_at)):
        if at is not None:
            times.append(f"{word} {clock_time(at)} (+{at - message.created_at:.1f}s)")
    times.append("now" if message.mode is DeliveryMode.NOW else "when idle")
    if message.pane:
        times.append(f"typed into {message.pane}")
    return times
