"""What travels in the app: news from the bridge downwards, wishes of the person upwards."""

from __future__ import annotations

from msgspec import Struct
from textual.message import Message

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.check_in import CheckIn, CheckInRequest
from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import AgentId, CheckInId, OrchestrationId, PaneId
from orchestrator_core.models.message import AgentMessage, DeliveryMode
from orchestrator_core.models.need import Need
from orchestrator_core.models.pane import PaneFrame
from orchestrator_core.models.timeline import Timeline


class Sight(Struct, frozen=True):
    """What the preview looks at."""

    pane: PaneId
    server: str = ""


class News(Message):
    """Something that was read for the screens to show."""


class FleetChanged(News):
    """The fleet was read and differs from the last one."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__()
        self.fleet = fleet

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, FleetChanged)


class FrameChanged(News):
    """The picture of the pane that is looked at changed."""

    def __init__(self, sight: Sight, frame: PaneFrame) -> None:
        super().__init__()
        self.sight = sight
        self.frame = frame

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, FrameChanged)


class SightLost(News):
    """The pane that is looked at cannot be shown."""

    def __init__(self, sight: Sight, error: TmorchError) -> None:
        super().__init__()
        self.sight = sight
        self.error = error


class ReceiptsChanged(News):
    """The latest messages to an agent, newest first."""

    def __init__(self, agent: AgentId, messages: tuple[AgentMessage, ...]) -> None:
        super().__init__()
        self.agent = agent
        self.messages = messages


class TimelineChanged(News):
    """The part of the schedule that is wanted was read."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self.timeline = timeline

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, TimelineChanged)


class FeedFailed(News):
    """A feed stopped unexpectedly; it starts again by itself after `retry_s` seconds."""

    def __init__(self, feed: str, error: TmorchError, retry_s: float) -> None:
        super().__init__()
        self.feed = feed
        self.error = error
        self.retry_s = retry_s


class FeedRecovered(News):
    """A feed that had failed delivers again."""

    def __init__(self, feed: str) -> None:
        super().__init__()
        self.feed = feed


class SightWanted(Message):
    """The person looks at another pane, or at none."""

    def __init__(self, sight: Sight | None, agent: AgentId | None) -> None:
        super().__init__()
        self.sight = sight
        self.agent = agent
        """Whose receipts are wanted."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SightWanted)


class Window(Struct, frozen=True):
    """A part of the schedule: from when to when, and how many seconds a cell stands for."""

    start: float
    end: float
    step_s: float


class TimelineWanted(Message):
    """The strip needs a part of the schedule, or the same part as it is now."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.window = window

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, TimelineWanted)


class AttachWanted(Message):
    """The person wants to be in a pane."""

    def __init__(self, sight: Sight, name: str) -> None:
        super().__init__()
        self.sight = sight
        self.name = name


class SendWanted(Message):
    """The person sends a text to the agent that the composer showed when they pressed the key."""

    def __init__(self, agent: AgentId, text: str, mode: DeliveryMode) -> None:
        super().__init__()
        self.agent = agent
        self.text = text
        self.mode = mode


class SupervisorWanted(Message):
    """The person wants the supervisor to be started."""


class ComposerKey(Message):
    """The person pressed a key of the composer: `send`, `leave`, `toggle_mode`, or `older`, `newer` at an edge."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action


class Scope(Struct, frozen=True, kw_only=True):
    """Of whom messages or events are shown; all empty: of everybody."""

    orchestration: str = ""
    agent: str = ""
    partner: str = ""
    """With an agent: only what passed between the two."""


class Query(Struct, frozen=True, kw_only=True):
    """Which messages or events are shown."""

    scope: Scope = Scope()
    text: str = ""


class StoreChanged(News):
    """Something may have been written to the store."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, StoreChanged)


class Wish(Message):
    """Something the person wants that `Overlays` sees to: another screen, or what is done on one."""


class AnswerOpened(Wish):
    """The person wants to see a need whole, and to answer it."""

    def __init__(self, need: Need) -> None:
        super().__init__()
        self.need = need


class AnswerWanted(Wish):
    """The person answers a need: `approve`, `deny`, or the digit or label of a choice."""

    def __init__(self, need: Need, choice: str) -> None:
        super().__init__()
        self.need = need
        self.choice = choice


class DismissWanted(Wish):
    """The person wants to see no more of a need."""

    def __init__(self, need: Need) -> None:
        super().__init__()
        self.need = need


class AgentWanted(Wish):
    """The person wants to be at an agent on the main screen: to look, to be in its pane, or to write to it."""

    def __init__(self, agent: AgentId, *, attach: bool = False, text: str | None = None) -> None:
        super().__init__()
        self.agent = agent
        self.attach = attach
        self.text = text
        """What the composer is to begin with; None leaves the composer alone."""


class WhyOpened(Wish):
    """The person asks why an agent has its status."""

    def __init__(self, agent: AgentId) -> None:
        super().__init__()
        self.agent = agent


class WhyWanted(Wish):
    """The evidence is to be looked at again."""

    def __init__(self, agent: AgentId) -> None:
        super().__init__()
        self.agent = agent

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, WhyWanted)


class WrongWanted(Wish):
    """The person says that a status is wrong, and which it should be."""

    def __init__(self, agent: AgentId, status: AgentStatus) -> None:
        super().__init__()
        self.agent = agent
        self.status = status


class MessagesOpened(Wish):
    """The person wants to read messages."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope


class LogOpened(Wish):
    """The person wants to read what happened."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope


class MessagesWanted(Wish):
    """A page of messages is wanted: the newest, or those before a number."""

    def __init__(self, query: Query, before: int) -> None:
        super().__init__()
        self.query = query
        self.before = before


class EventsWanted(Wish):
    """A page of the log is wanted: the newest, or those before a number."""

    def __init__(self, query: Query, before: int) -> None:
        super().__init__()
        self.query = query
        self.before = before


class ScheduleOpened(Wish):
    """The person wants to see what is due when, beginning with an agent."""

    def __init__(self, agent: AgentId | None) -> None:
        super().__init__()
        self.agent = agent


class ScheduleWanted(Wish):
    """The screen of the schedule needs a part of it, or the same part as it is now."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.window = window


class CheckInLooked(Wish):
    """The person looks at a check-in: its last firing is wanted."""

    def __init__(self, check_in: CheckInId) -> None:
        super().__init__()
        self.check_in = check_in

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, CheckInLooked)


class CheckInFormOpened(Wish):
    """The person wants to set a check-in for an agent, or to change the note of one."""

    def __init__(self, agent: AgentId, check_in: CheckIn | None = None) -> None:
        super().__init__()
        self.agent = agent
        self.check_in = check_in


class PreviewWanted(Wish):
    """The form wants to know when a request would be due."""

    def __init__(self, request: CheckInRequest) -> None:
        super().__init__()
        self.request = request

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, PreviewWanted)


class CheckInWanted(Wish):
    """The person sets a check-in."""

    def __init__(self, agent: AgentId, request: CheckInRequest) -> None:
        super().__init__()
        self.agent = agent
        self.request = request


class RewordWanted(Wish):
    """The person changes the note of a check-in."""

    def __init__(self, check_in: CheckInId, note: str) -> None:
        super().__init__()
        self.check_in = check_in
        self.note = note


class MoveWanted(Wish):
    """The person has a check-in fire at another time."""

    def __init__(self, check_in: CheckInId, to: float) -> None:
        super().__init__()
        self.check_in = check_in
        self.to = to


class CancelWanted(Wish):
    """The person has a check-in never fire again."""

    def __init__(self, check_in: CheckInId) -> None:
        super().__init__()
        self.check_in = check_in


class FireWanted(Wish):
    """The person has a check-in fire now."""

    def __init__(self, check_in: CheckInId) -> None:
        super().__init__()
        self.check_in = check_in


class PauseWanted(Wish):
    """The person lets nothing fire for a team, or lets it fire again."""

    def __init__(self, orchestration: OrchestrationId, *, paused: bool) -> None:
        super().__init__()
        self.orchestration = orchestration
        self.paused = paused


class PauseAllWanted(Wish):
    """The person has all teams wait, or go on."""

    def __init__(self, *, paused: bool) -> None:
        super().__init__()
        self.paused = paused
