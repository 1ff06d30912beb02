"""A command line without a machine behind it: every part that a command may ask for is scripted."""

from __future__ import annotations

import io
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

import msgspec

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.main import run
from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import NotFoundError, RefusedError
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.branch import CleanupResult, Removal
from orchestrator_core.models.event import Event
from orchestrator_core.models.fleet import AgentView, Fleet, SupervisorHealth, Team, TmuxState
from orchestrator_core.models.ids import AgentId, MessageId, OrchestrationId, PaneId, SessionId, WindowId
from orchestrator_core.models.launch import Decide, Progress, Proposal, StartRequest, StepProgress
from orchestrator_core.models.message import AgentMessage, DeliveryMode, MessageKind
from orchestrator_core.models.need import Answer, AnswerState, Need
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.models.pane import Pane
from orchestrator_core.models.project import ProjectState, WorkAtRisk
from orchestrator_core.models.spec import Spec
from orchestrator_core.models.team import Detection, Plan, ProjectType, Role, RoleChoice, TeamProposal
from orchestrator_core.store.admission import NO_LIMITS, Limits
from tests.fakes.credits import FakeCredits
from tests.fakes.pausing import FakePausing
from tests.fakes.proposals import FakeProposals
from tests.fakes.recovery import FakeRecovery

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator
    from orchestrator_core.services.doctor import Check
    from orchestrator_core.services.setup import SetupReport
    from orchestrator_core.store.quick import QuickStore
else:  # the fakes stand in for their signatures only
    Orchestrator = QuickStore = object

SERVER = "/tmp/tmux-1/default"


def make_agent(name: str = "shop-1a2b:developer", pane: str | None = "%2", **changes: Any) -> Agent:
    """An agent that works."""
    orchestration, _, role = name.partition(":")
    agent = Agent(
        id=AgentId(name),
        orchestration=OrchestrationId(orchestration),
        role=role,
        driver="claude",
        worktree=f"/state/worktrees/{orchestration}/{role}",
        branch=f"tmorch/{orchestration}/{role}",
        status=AgentStatus.WORKING,
        reason="it shows a spinner",
        doing="Reading app.py",
        pane=PaneId(pane) if pane else None,
        window=WindowId(f"@{pane[1:]}") if pane else None,
    )
    return msgspec.structs.replace(agent, **changes)


def make_orchestration(name: str = "shop-1a2b", **changes: Any) -> Orchestration:
    """An orchestration that runs."""
    orchestration = Orchestration(
        id=OrchestrationId(name),
        project="/home/me/shop",
        project_name="shop",
        session=name,
        starting_branch="main",
        base_commit="abc",
        state=OrchestrationState.RUNNING,
        server=SERVER,
    )
    return msgspec.structs.replace(orchestration, **changes)


def make_team(name: str = "shop-1a2b", agents: Sequence[Agent] = (), **changes: Any) -> Team:
    """A team, with one agent unless told otherwise."""
    agents = agents or (make_agent(f"{name}:developer"),)
    return Team(
        orchestration=make_orchestration(name, **changes),
        agents=tuple(AgentView(agent=agent) for agent in agents),
    )


def make_proposal(request: StartRequest, **changes: Any) -> Proposal:
    """A proposal of one developer, with one role dropped and one warning."""
    developer = Role(
        key="developer", title="Developer", summary="writes code", check_in_min=30, responsibilities=("code",)
    )
    tester = msgspec.structs.replace(developer, key="tester", title="Tester")
    team = TeamProposal(
        type=ProjectType("code_project"),
        detection=Detection(type=ProjectType("code_project"), confidence=0.8, evidence=("pyproject.toml",)),
        plan=Plan.PRO,
        cap=3,
        chosen=(RoleChoice(role=developer, reason="somebody must write it"),),
        dropped=(RoleChoice(role=tester, reason="the plan has no room"),),
        warnings=("a small team",),
    )
    proposal = Proposal(
        request=request,
        project=ProjectState(path="/home/me/shop", name="shop", branch="main", head="0123456789abcdef"),
        spec=Spec(goal="Sell things", path="spec.md"),
        team=team,
        driver=request.driver or "claude",
        warnings=("2 uncommitted paths",),
        worktrees="/state/worktrees/shop-1a2b",
        branches="tmorch/shop-1a2b/",
    )
    return msgspec.structs.replace(proposal, **changes)


class FakeQuickStore(QuickStore):
    """The outbox in memory. `outcomes` are what the message becomes, one each time the store is looked at."""

    def __init__(self, agents: Sequence[Agent] = (), servers: Mapping[str, str] | None = None) -> None:
        self._agents = tuple(agents)
        self._servers = dict(servers or {})
        self.added: list[AgentMessage] = []
        self.first: dict[str, Any] = {}
        self.outcomes: list[dict[str, Any]] = []
        self.refusal: RefusedError | None = None
        self.is_closed = False
        self._message: AgentMessage | None = None
        self._version = 0

    def agents(self) -> tuple[Agent, ...]:
        return self._agents

    def agent_by_pane(self, server: str, pane: PaneId) -> Agent | None:
        found = (a for a in self._agents if a.pane == pane and self.orchestration_server(a) == server)
        return next(found, None)

    def orchestration_server(self, agent: Agent) -> str:
        return self._servers.get(agent.id, SERVER)

    def add_message(
        self,
        target: AgentId,
        sender: str,
        text: str,
        *,
        mode: DeliveryMode = DeliveryMode.WHEN_IDLE,
        kind: MessageKind = MessageKind.TEXT,
        at: float,
        limits: Limits = NO_LIMITS,
    ) -> AgentMessage:
        if self.refusal is not None:
            raise self.refusal
        new = AgentMessage(
            id=MessageId(7), target=target, sender=sender, text=text, mode=mode, kind=kind, created_at=at
        )
        self.added.append(new)
        self._message = msgspec.structs.replace(new, **self.first)
        return self._message

    def message(self, message: MessageId) -> AgentMessage:
        assert self._message is not None
        assert self._message.id == message
        if self.outcomes:
            self._message = msgspec.structs.replace(self._message, **self.outcomes.pop(0))
        return self._message

    def data_version(self) -> int:
        self._version += 1
        return self._version

    def close(self) -> None:
        self.is_closed = True


class FakeCliProposals(FakeProposals):
    """Proposals that tell the facade what they were asked for; what is proposed is small."""

    def __init__(self, note: Callable[..., None]) -> None:
        super().__init__(note)
        self._note = note
        self.proposal = None
        self.differences: tuple[str, ...] = ()
        """What has changed since a proposal was saved."""

    async def propose(self, request: StartRequest) -> Proposal:
        self._note("propose", request)
        return self.proposal or make_proposal(request)

    async def renewed(self, proposal: Proposal) -> Proposal:
        self._note("renewed", proposal.saved)
        return msgspec.structs.replace(proposal, warnings=(*self.differences, *proposal.warnings))


class FakeOrchestrator(Orchestrator):
    """The facade, with what it was asked for kept in `asked`."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.teams: list[Team] = [make_team()]
        self.health_now = SupervisorHealth(running=True, pid=321, heartbeat_at=time.time())
        self.tmux, self.tmux_detail = TmuxState.CONNECTED, ""
        self.stored: tuple[AgentMessage, ...] = ()
        self.happened: tuple[Event, ...] = ()
        """Newest first."""
        self.needs_now: list[Need] = []
        self.answered: dict[str, Any] = {"state": AnswerState.GIVEN}
        """What becomes of an answer."""
        self.news: list[Callable[[], None]] = []
        """What happens, one after the other, while changes are followed."""
        self.steps: tuple[StepProgress, ...] = ()
        self.failure: BaseException | None = None
        self.risks: tuple[WorkAtRisk, ...] = ()
        self.removals: tuple[Removal, ...] = ()
        self.still_ending = 0
        """How often a clean-up finds agents that have not ended yet."""
        self.is_closed = False
        self.proposals: FakeCliProposals = FakeCliProposals(self._note)
        self.pausing: FakePausing = FakePausing(self._note)
        self.credits: FakeCredits = FakeCredits(self._note)
        self.recovery: FakeRecovery = FakeRecovery(self._note)

    def _note(self, *what: Any) -> None:
        self.asked.append(what)
        if self.failure is not None:
            raise self.failure

    async def fleet(self) -> Fleet:
        self._note("fleet")
        return Fleet(teams=tuple(self.teams), supervisor=self.health_now, tmux=self.tmux, tmux_detail=self.tmux_detail)

    async def fleets(self) -> AsyncIterator[Fleet]:
        yield await self.fleet()
        self.teams = []
        yield await self.fleet()

    async def messages(
        self, agent: AgentId | None = None, *, partner: str = "", limit: int = 50, before: int = 0, text: str = ""
    ) -> tuple[AgentMessage, ...]:
        self._note("messages", agent, partner, limit, text)
        return self.stored

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
        self._note("events", limit, orchestration, agent, text, after)
        return tuple(event for event in self.happened if event.id > after)[:limit]

    async def needs(self) -> tuple[Need, ...]:
        self._note("needs")
        return tuple(self.needs_now)

    async def answer(self, target: str, choice: str, *, fingerprint: str = "", wait_s: float = 5.0) -> Answer:
        self._note("answer", target, choice, fingerprint, wait_s)
        answer = Answer(id=3, agent=AgentId("shop-1a2b:developer"), fingerprint=fingerprint, choice=choice)
        return msgspec.structs.replace(answer, **self.answered)

    async def dismiss(self, key: str) -> bool:
        self._note("dismiss", key)
        found = [need for need in self.needs_now if need.key == key]
        self.needs_now = [need for need in self.needs_now if need.key != key]
        return bool(found)

    async def changes(self) -> AsyncIterator[None]:
        yield
        for step in self.news:
            step()
            yield

    async def adopt(self, target: str, *, role: str = "", team: str = "", driver: str = "") -> Agent:
        self._note("adopt", target, role, team, driver)
        raise NotFoundError(f"{target!r} is no pane of this tmux server")

    async def propose(self, request: StartRequest) -> Proposal:
        self._note("propose", request)
        return make_proposal(request)

    async def start(self, proposal: Proposal, progress: Progress, decide: Decide | None = None) -> Orchestration:
        self._note("start", proposal)
        for step in self.steps:
            progress(step)
        return self.teams[0].orchestration

    async def stop(self, orchestration: OrchestrationId, *, keep_session: bool = False) -> None:
        self._note("stop", orchestration, keep_session)
        if orchestration not in {team.orchestration.id for team in self.teams}:
            raise NotFoundError(f"there is no orchestration {orchestration!r}")

    async def health(self) -> SupervisorHealth:
        self._note("health")
        return self.health_now

    async def start_supervisor(self) -> SupervisorHealth:
        self._note("start_supervisor")
        return self.health_now

    async def stop_supervisor(self) -> bool:
        self._note("stop_supervisor")
        was, self.health_now = self.health_now.running, SupervisorHealth(running=False)
        return was

    async def work_at_risk(self, orchestration: OrchestrationId) -> tuple[WorkAtRisk, ...]:
        self._note("work_at_risk", orchestration)
        return self.risks

    async def cleanup(self, orchestration: OrchestrationId, *, force: tuple[str, ...] = ()) -> CleanupResult:
        self._note("cleanup", orchestration, force)
        if self.still_ending:
            self.still_ending -= 1
            raise RefusedError("it still runs", code="still-running")
        if any(not risk.is_clean and risk.name not in force for risk in self.risks):
            raise RefusedError("it would lose work", cause="developer: 1", remedy="name it", code="work-at-risk")
        return CleanupResult(orchestration=orchestration, state=OrchestrationState.CLEANED, removals=self.removals)

    async def close(self) -> None:
        self.is_closed = True


def interrupted(facade: FakeOrchestrator) -> FakeOrchestrator:
    """The same, with somebody who presses Ctrl-C while Claude reads."""

    async def analyse(proposal: Proposal, progress: object = None) -> Proposal:
        raise KeyboardInterrupt

    facade.proposals.analyse = analyse  # type: ignore[method-assign]
    return facade


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class FakeContext(Context):
    """A context whose parts are scripted; `run` runs a command in it."""

    def __init__(
        self,
        *arguments: str,
        store: FakeQuickStore | None = None,
        orchestrator: FakeOrchestrator | None = None,
        environ: Mapping[str, str] | None = None,
        typed: str = "",
        terminal: bool = False,
    ) -> None:
        make = Terminal if terminal else io.StringIO
        self.stdout, self.stderr = make(), make()
        self.arguments = arguments
        super().__init__(arguments, environ=environ or {}, stdin=make(typed), stdout=self.stdout, stderr=self.stderr)
        self.store = store
        self.facade = orchestrator or FakeOrchestrator()
        self.listening = True
        self.looked_only = False
        self.supervisor_wanted = 0
        self.supervisor_failure: Exception | None = None
        self.pane_rows: dict[str, tuple[Pane, ...]] = {}
        self.panes_asked: list[str] = []
        self.became: tuple[str, ...] = ()
        self.scratch: list[tuple[Path, int]] = []
        self.setup_report: SetupReport | None = None
        self.checks: tuple[Check, ...] = ()

    @cached_property
    def settings(self) -> Settings:
        return Settings()

    @cached_property
    def paths(self) -> Paths:
        return Paths.from_env()

    def has_store(self) -> bool:
        return self.store is not None

    def quick_store(self) -> QuickStore:
        assert self.store is not None
        return self.store

    def orchestrator(self) -> Orchestrator:
        return self.facade

    def onlooker(self) -> Orchestrator:
        self.looked_only = True
        return self.facade

    def ensure_supervisor(self) -> None:
        self.supervisor_wanted += 1
        if self.supervisor_failure:
            raise self.supervisor_failure

    def is_listening(self, server: str) -> bool:
        return self.listening

    def panes(self, server: str) -> tuple[Pane, ...]:
        self.panes_asked.append(server)
        return self.pane_rows.get(server, ())

    def make_scratch_project(self, folder: Path, seed: int) -> Path:
        self.scratch.append((folder, seed))
        return folder / "corner-shop"

    def set_up(self) -> SetupReport:
        assert self.setup_report is not None
        return self.setup_report

    def examine(self) -> tuple[Check, ...]:
        return self.checks

    def become(self, argv: Sequence[str]) -> Never:
        self.became = tuple(argv)
        raise SystemExit(0)

    def run(self) -> int:
        """Run the command and return its exit code."""
        return run(self.arguments, self)

    @property
    def said(self) -> str:
        """What it wrote to stdout."""
        return self.stdout.getvalue()

    @property
    def narrated(self) -> str:
        """What it wrote to stderr."""
        return self.stderr.getvalue()

    @property
    def json(self) -> Any:
        """Its stdout, decoded."""
        return json.loads(self.said)


def pane_row(pane: str, session: str, window: str, *, index: int = 0) -> Pane:
    """A pane as `list-panes` gives it."""
    return Pane(
        session_id=SessionId("$1"),
        session=session,
        window_id=WindowId(f"@{pane[1:]}"),
        window_index=index,
        window=window,
        pane_id=PaneId(pane),
        pane_index=0,
        pid=1,
        command="claude",
        dead=False,
        exit_status=None,
        in_mode=False,
        width=80,
        height=24,
        title="",
        path=str(Path("/")),
        activity=0,
        active=True,
    )
