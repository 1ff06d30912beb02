"""A scripted facade for the screens: fleets, frames and outcomes are what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from msgspec import field
from msgspec.structs import replace

from orchestrator_core.errors import NotFoundError, TmorchError
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.event import Event
from orchestrator_core.models.evidence import StoredCase, Why
from orchestrator_core.models.fleet import Fleet, SupervisorHealth
from orchestrator_core.models.ids import AgentId, MessageId, PaneId
from orchestrator_core.models.launch import Decide, Decision, Progress, Proposal, StepFailure, StepProgress
from orchestrator_core.models.message import PERSON, AgentMessage, DeliveryMode, MessageState
from orchestrator_core.models.need import Answer, AnswerState
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.models.pane import Cursor, PaneFrame
from orchestrator_core.orchestrator import Attachment, Orchestrator, Previews
from orchestrator_core.services.briefings import planned_orchestration
from tests.fakes.check_ins import FakeCheckIns
from tests.fakes.credits import FakeCredits
from tests.fakes.pausing import FakePausing
from tests.fakes.proposals import FakeProposals
from tests.fakes.recovery import FakeRecovery

Item = Fleet | PaneFrame | BaseException


class Feed:
    """An async iterator that yields what is put, and raises what is an exception. The last value stays."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Item] | None = None
        self._before: list[Item] = []
        self.openings = 0

    def put(self, item: Item) -> None:
        """Let the reader have `item` next."""
        if self._queue is None:
            self._before.append(item)
        else:
            self._queue.put_nowait(item)

    async def read(self) -> AsyncIterator[Item]:
        """Yield what is put, for one reader."""
        self.openings += 1
        if self._queue is None:
            self._queue = asyncio.Queue()
            for item in self._before:
                self._queue.put_nowait(item)
        while True:
            item = await self._queue.get()
            if isinstance(item, BaseException):
                raise item
            yield item


class FakeAttachment(Attachment, frozen=True, kw_only=True):
    """An attachment that remembers when it was run."""

    runs: list[str] = field(default_factory=list)

    def run(self) -> None:
        self.runs.append(self.way_back)


class FakePreviews(Previews):
    """Pictures by pane; following one gives its picture at once."""

    def __init__(self) -> None:
        self.pictures: dict[PaneId, PaneFrame] = {}
        self.follows: list[PaneId | None] = []
        self.servers: list[str] = []
        self.histories: list[tuple[PaneId, int]] = []
        self.feed = Feed()
        self.is_closed = False

    def show(self, frame: PaneFrame) -> None:
        """Give a new picture of a pane."""
        self.pictures[frame.pane] = frame
        if self.follows and self.follows[-1] == frame.pane:
            self.feed.put(frame)

    async def follow(self, pane: PaneId | None, *, server: str = "") -> None:
        self.follows.append(pane)
        self.servers.append(server)
        if pane is not None:
            if pane not in self.pictures:
                raise NotFoundError(f"no pane {pane}", cause="it was closed")
            self.feed.put(self.pictures[pane])

    async def frames(self) -> AsyncIterator[PaneFrame]:
        async for item in self.feed.read():
            assert isinstance(item, PaneFrame)
            yield item

    async def history(self, pane: PaneId, lines: int, *, server: str = "") -> PaneFrame:
        self.histories.append((pane, lines))
        frame = self.pictures[pane]
        older = tuple(f"older {i}" for i in range(lines))
        return replace(frame, lines=older + frame.lines, history=lines, history_size=lines)

    async def close(self) -> None:
        self.is_closed = True


class Sent(NamedTuple):
    """A call of `send`."""

    target: str
    text: str
    mode: DeliveryMode


class Given(NamedTuple):
    """A call of `answer`."""

    target: str
    choice: str
    fingerprint: str


class FakeOrchestrator(Orchestrator):
    """The facade without anything behind it."""

    check_ins: FakeCheckIns
    proposals: FakeProposals
    pausing: FakePausing
    credits: FakeCredits
    recovery: FakeRecovery

    def __init__(self, fleet: Fleet | None = None) -> None:
        self.fleet_feed = Feed()
        self.pictures = FakePreviews()
        self.check_ins = FakeCheckIns(self._may_fail)
        self.proposals = FakeProposals(self._may_fail)
        self.pausing = FakePausing(self._may_fail)
        self.credits = FakeCredits(self._may_fail)
        self.recovery = FakeRecovery(self._may_fail)
        self.launches: list[Proposal] = []
        """What was to be started."""
        self.steps: list[StepProgress | StepFailure] = []
        """What every start tells, in this order; what is to be done about a failure is asked."""
        self.decisions: list[Decision] = []
        """What the person has decided about failures."""
        self.may_start = asyncio.Event()
        """Set unless a test holds starts back at their end."""
        self.may_start.set()
        self.previews_made = 0
        self.sent: list[Sent] = []
        self.answers: list[Given] = []
        self.outcome = (AnswerState.GIVEN, "")
        """What becomes of every answer."""
        self.may_answer = asyncio.Event()
        """Set unless a test holds answers back."""
        self.may_answer.set()
        self.dismissed: list[str] = []
        self.whys: dict[str, Why] = {}
        self.looks: list[str] = []
        self.log: list[Event] = []
        self.pages_read: list[tuple[int, int]] = []
        """Limit and `before` of every page of the log that was read."""
        self.has_changed = asyncio.Event()
        """Set by a test that wrote something."""
        self.change_feeds = 0
        self.wrongs: list[tuple[str, AgentStatus]] = []
        self.outbox: dict[MessageId, AgentMessage] = {}
        self.attached: list[tuple[PaneId, str]] = []
        self.attachment = FakeAttachment(way_back="ctrl+b L")
        self.supervisor_starts = 0
        self.failures: dict[str, BaseException] = {}
        self.own_panes: set[tuple[PaneId, str]] = set()
        self.is_closed = False
        self.clock: Callable[[], float] = lambda: 0.0
        self._latest = fleet or Fleet()
        if fleet is not None:
            self.publish(fleet)

    # -- the script -------------------------------------------------------------------------------

    @property
    def latest(self) -> Fleet:
        """The fleet as it was published last."""
        return self._latest

    def publish(self, fleet: Fleet) -> None:
        """Let the fleet be this from now on."""
        self._latest = fleet
        self.fleet_feed.put(fleet)

    def fail(self, call: str, error: BaseException) -> None:
        """Let the next call of this name raise `error`."""
        self.failures[call] = error

    def advance(self, message: MessageId, state: MessageState, reason: str = "") -> None:
        """Let a message have come this far."""
        self.outbox[message] = replace(self.outbox[message], state=state, reason=reason)

    def _may_fail(self, call: str) -> None:
        error = self.failures.pop(call, None)
        if error is not None:
            raise error

    # -- the facade -------------------------------------------------------------------------------

    async def fleet(self) -> Fleet:
        return self._latest

    async def fleets(self) -> AsyncIterator[Fleet]:
        async for item in self.fleet_feed.read():
            assert isinstance(item, Fleet)
            yield item

    def previews(self) -> FakePreviews:
        self.previews_made += 1
        self._may_fail("previews")
        return self.pictures

    async def send(
        self, target: str, text: str, *, sender: str = PERSON, mode: DeliveryMode = DeliveryMode.WHEN_IDLE
    ) -> AgentMessage:
        self._may_fail("send")
        self.sent.append(Sent(target, text, mode))
        message = AgentMessage(
            id=MessageId(len(self.outbox) + 1),
            target=AgentId(target),
            sender=sender,
            text=text,
            mode=mode,
            created_at=self.clock(),
        )
        self.outbox[message.id] = message
        return message

    async def answer(self, target: str, choice: str, *, fingerprint: str = "", wait_s: float = 0.0) -> Answer:
        self._may_fail("answer")
        self.answers.append(Given(target, choice, fingerprint))
        await self.may_answer.wait()
        state, reason = self.outcome
        if state is AnswerState.GIVEN:
            needs = (n for n in self._latest.needs if (n.agent, n.fingerprint) != (target, fingerprint))
            self.publish(replace(self._latest, needs=tuple(needs)))
        return Answer(
            id=len(self.answers), agent=AgentId(target), fingerprint=fingerprint, choice=choice, state=state,
            reason=reason,
        )  # fmt: skip

    async def dismiss(self, key: str) -> bool:
        self._may_fail("dismiss")
        self.dismissed.append(key)
        self.publish(replace(self._latest, needs=tuple(n for n in self._latest.needs if n.key != key)))
        return True

    async def why(self, target: str) -> Why:
        self.looks.append(target)
        self._may_fail("why")
        if target not in self.whys:
            raise NotFoundError(f"no agent is called {target}")
        return self.whys[target]

    async def report_wrong(self, target: str, should_be: AgentStatus) -> StoredCase:
        self._may_fail("report_wrong")
        self.wrongs.append((target, should_be))
        return StoredCase(path="/state/cases/1.json", masked=("what is on screen", "names"))

    async def message(self, message: MessageId) -> AgentMessage:
        return self.outbox[message]

    async def messages(
        self, agent: AgentId | None = None, *, partner: str = "", limit: int = 50, before: int = 0, text: str = ""
    ) -> tuple[AgentMessage, ...]:
        self._may_fail("messages")

        def fits(m: AgentMessage) -> bool:
            ends = {m.target, m.sender}
            is_of_them = (not agent or agent in ends) and (not partner or ends == {agent, partner})
            return is_of_them and (not before or m.id < before) and text.casefold() in m.text.casefold()

        return tuple([m for m in reversed(self.outbox.values()) if fits(m)][:limit])

    async def receipts(self, agent: AgentId, *, limit: int) -> tuple[AgentMessage, ...]:
        self._may_fail("messages")
        return tuple([message for message in reversed(self.outbox.values()) if message.target == agent][:limit])

    async def events(
        self,
        *,
        limit: int = 100,
        orchestration: str = "",
        agent: str = "",
        text: str = "",
        after: int = 0,
        before: int = 0,
    ) -> tuple[Event, ...]:
        self._may_fail("events")
        self.pages_read.append((limit, before))

        def fits(e: Event) -> bool:
            is_of_it = orchestration in ("", e.orchestration) and agent in ("", e.agent)
            is_in_page = e.id > after and (not before or e.id < before)
            return is_of_it and is_in_page and text.casefold() in f"{e.kind} {e.text}".casefold()

        return tuple([e for e in reversed(self.log) if fits(e)][:limit])

    async def changes(self) -> AsyncIterator[None]:
        self.change_feeds += 1
        try:
            while True:
                yield
                await self.has_changed.wait()
                self.has_changed.clear()
        finally:
            self.change_feeds -= 1

    async def start(self, proposal: Proposal, progress: Progress, decide: Decide | None = None) -> Orchestration:
        self.launches.append(proposal)
        for step in self.steps:
            if isinstance(step, StepProgress):
                progress(step)
                continue
            self.decisions.append(await decide(step) if decide else Decision.ROLL_BACK)
            if self.decisions[-1] is Decision.ROLL_BACK:
                raise TmorchError(step.title, cause=step.cause, remedy=step.remedy)
        await self.may_start.wait()
        self._may_fail("start")
        return planned_orchestration(proposal, proposal.orchestration)

    async def health(self) -> SupervisorHealth:
        return self._latest.supervisor

    async def start_supervisor(self) -> SupervisorHealth:
        self._may_fail("start_supervisor")
        self.supervisor_starts += 1
        health = SupervisorHealth(running=True, pid=4242, heartbeat_at=self.clock())
        self.publish(replace(self._latest, supervisor=health))
        return health

    async def attach(self, pane: PaneId, *, server: str = "") -> Attachment:
        self._may_fail("attach")
        self.attached.append((pane, server))
        return self.attachment

    def is_own_pane(self, pane: PaneId, *, server: str = "") -> bool:
        return (pane, server) in self.own_panes

    async def close(self) -> None:
        self.is_closed = True


def picture(pane: str, *lines: str, width: int = 100, height: int = 30) -> PaneFrame:
    """Return a frame of `pane` with these lines at its top."""
    filled = (*lines, *([""] * (height - len(lines))))[:height]
    return PaneFrame(
        pane=PaneId(pane), lines=filled, width=width, height=height, cursor=Cursor(x=0, y=0, visible=False)
    )


GONE = TmorchError("gone", cause="as scripted")
