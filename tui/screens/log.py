"""`LogScreen`: everything that happened, newest at the bottom."""

from __future__ import annotations

from textual.content import Content

from orchestrator_core.models.event import Event
from orchestrator_core.models.ids import AgentId
from tui.messages import EventsWanted
from tui.screens.records import ROOMY, RecordsScreen
from tui.widgets.line import Part, part
from tui.widgets.row_list import ListRow
from tui.wording import QUIET, clean, clean_line, clock_time, fit, moment

WHOSE_SHARE = 0.24
WHOSE_MAX = 36
KIND_SHARE = 0.2
KIND_MAX = 24
BAD = ("failed", "refused", "unconfirmed", "error", "lost", "wrong", "crashed")
"""Words in an event's kind that say that something went wrong."""
NEED = "need.raised"


class LogScreen(RecordsScreen[Event]):
    """The log of everything, of one team, or of one agent."""

    HELP = """\
What happened, the newest at the bottom: when, where, what kind of event it is, and what it says.

It stays at the newest until you go elsewhere; going to the end stays there again.
"""
    NAME = "Log"
    TEAMS = True

    def page_wanted(self, before: int) -> EventsWanted:
        return EventsWanted(self.query_now, before)

    def row_key(self, record: Event, width: int, now: float) -> object:
        return moment(record.at, now, brief=width < ROOMY)

    def row_of(self, record: Event, width: int, now: float) -> ListRow:
        whose_cells, kind_cells = min(WHOSE_MAX, int(width * WHOSE_SHARE)), min(KIND_MAX, int(width * KIND_SHARE))
        style = kind_style(record.kind)
        return ListRow(
            id=str(record.id),
            left=(
                (f"{moment(record.at, now, brief=width < ROOMY)} ", QUIET),
                (f"{fit(_whose(record), whose_cells):<{whose_cells}} ", ""),
                (f"{fit(clean(record.kind), kind_cells):<{kind_cells}} ", style or QUIET),
            ),
            text=clean(record.text),
            style=style,
        )

    def details_of(self, record: Event) -> tuple[list[Part], Content]:
        title = [
            part(clean(record.kind), "bold", cost=None),
            part(_whose(record), "$text-accent", cost=10),
            part(clock_time(record.at), QUIET, cost=5),
        ]
        return title, Content("\n".join(clean_line(line) for line in record.text.splitlines()))

    def agent_of(self, record: Event) -> AgentId | None:
        return AgentId(record.agent) if record.agent else None


def kind_style(kind: str) -> str:
    """Return how an event of this kind looks: what went wrong and what needs the person stand out."""
    if any(word in kind for word in BAD):
        return "$text-error"
    return "bold $status-waiting" if kind == NEED else ""


def _whose(event: Event) -> str:
    return clean(event.agent or event.orchestration) or "tmorch"
