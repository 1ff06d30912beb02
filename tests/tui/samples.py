"""Fleets as they are in life: three teams, fourteen agents, somebody else's windows."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from orchestrator_core.models.agent import Agent, AgentStatus, Verdict
from orchestrator_core.models.dialog import Choice, OpenDialog
from orchestrator_core.models.event import Event
from orchestrator_core.models.evidence import Ground, Source, Weight, Why
from orchestrator_core.models.fleet import AgentView, Fleet, Guest, SupervisorHealth, Team, TmuxState
from orchestrator_core.models.ids import (
    AgentId,
    CheckInId,
    FiringId,
    MessageId,
    OrchestrationId,
    PaneId,
    SessionId,
    WindowId,
    agent_id,
)
from orchestrator_core.models.message import PERSON, AgentMessage, DeliveryMode, MessageState
from orchestrator_core.models.need import Need, NeedKind
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.models.timeline import Lane, Tick, TickKind, Timeline

NOW = 1_700_000_000.0
MINUTE = 60.0
SERVER = "/tmp/tmux-1000/default"

WORKING = AgentStatus.WORKING
IDLE = AgentStatus.IDLE
WAITING = AgentStatus.WAITING
LIMITED = AgentStatus.LIMITED


def orchestration(
    name: str, *, state: OrchestrationState = OrchestrationState.RUNNING, is_demo: bool = False, goal: str = ""
) -> Orchestration:
    """Return an orchestration called `name`."""
    return Orchestration(
        id=OrchestrationId(name),
        project=f"/home/dana/projects/{name.split('-')[0]}",
        project_name=name.split("-", maxsplit=1)[0],
        session=name,
        starting_branch="main",
        base_commit="4f2c1d9",
        state=state,
        server=SERVER,
        spec_path=f"/home/dana/projects/{name.split('-')[0]}/spec.md",
        goal=goal or "Let customers pay by bank transfer, with a receipt by mail.",
        driver="demo" if is_demo else "claude",
        plan="max5",
        is_demo=is_demo,
        created_at=NOW - 185 * MINUTE,
    )


def agent(
    team: str,
    role: str,
    pane: int | None,
    status: AgentStatus,
    doing: str = "",
    *,
    minutes: float = 3,
    waiting_for: str = "",
    reason: str = "",
) -> Agent:
    """Return an agent of `team`."""
    return Agent(
        id=agent_id(OrchestrationId(team), role),
        orchestration=OrchestrationId(team),
        role=role,
        driver="claude",
        worktree=f"/home/dana/.local/state/tmorch/worktrees/{team}/{role}",
        branch=f"tmorch/{team}/{role}",
        status=status,
        reason=reason,
        doing=doing,
        waiting_for=waiting_for,
        status_since=NOW - minutes * MINUTE,
        pane=None if pane is None else PaneId(f"%{pane}"),
    )


def view(agent: Agent, *, queued: int = 0, unconfirmed: int = 0) -> AgentView:
    """Return an agent with its counts."""
    return AgentView(agent=agent, queued=queued, unconfirmed=unconfirmed)


def guest(session: int, name: str, index: int, window: str, command: str) -> Guest:
    """Return a window of somebody else's session."""
    number = session * 10 + index
    return Guest(
        session_id=SessionId(f"${session}"),
        session=name,
        window_id=WindowId(f"@{number}"),
        window=window,
        window_index=index,
        pane_id=PaneId(f"%{900 + number}"),
        command=command,
    )


def shop() -> Team:
    """Return a team in the thick of it."""
    t = "shop-3f2a"
    return Team(
        orchestration=orchestration(t),
        agents=(
            view(agent(t, "orchestrator", 10, WORKING, "Reading the test report", minutes=1)),
            view(agent(t, "project_manager", 11, IDLE, minutes=14)),
            view(agent(t, "developer", 12, WORKING, "Editing src/payments/transfer.py"), queued=2),
            view(
                agent(
                    t,
                    "tester",
                    13,
                    WAITING,
                    waiting_for="permission",
                    reason="it asks for permission: rm -rf build && make test",
                    minutes=12,
                )
            ),
            view(agent(t, "testrunner", 14, IDLE, minutes=2), queued=1),
        ),
    )


def api() -> Team:
    """Return a team of which one is limited and one did not get a message for sure."""
    t = "api-77c1"
    return Team(
        orchestration=orchestration(t, goal="Version 2 of the public API, with the old one still answering."),
        agents=(
            view(agent(t, "orchestrator", 20, WORKING, "Planning the next step", minutes=0.5)),
            view(agent(t, "developer", 21, WORKING, "Running 214 tests", minutes=7)),
            view(agent(t, "tester", 22, WORKING, "Writing test_limits.py", minutes=2), unconfirmed=1),
            view(
                agent(
                    t,
                    "devops",
                    23,
                    LIMITED,
                    reason="it shows a usage limit: You've hit your 5-hour limit · resets 2:05pm (UTC)",
                    minutes=41,
                )
            ),
            view(agent(t, "researcher", 24, IDLE, minutes=95)),
        ),
    )


def docs() -> Team:
    """Return a demo team with a question and an end."""
    t = "docs-09be"
    return Team(
        orchestration=orchestration(t, is_demo=True, goal="A guide for newcomers."),
        agents=(
            view(agent(t, "orchestrator", 30, WORKING, "Waiting for the writer", minutes=6)),
            view(agent(t, "developer", 31, WORKING, "Drafting chapter 3", minutes=4)),
            view(
                agent(
                    t,
                    "tester",
                    32,
                    WAITING,
                    waiting_for="question",
                    reason="it asks a question: Which Python versions should the guide cover?",
                    minutes=1,
                )
            ),
            view(agent(t, "documentation_writer", 33, IDLE, minutes=33)),
        ),
    )


def guests() -> tuple[Guest, ...]:
    """Return two sessions of the person's own."""
    return (
        guest(5, "work", 1, "editor", "nvim"),
        guest(5, "work", 2, "server", "python3"),
        guest(6, "notes [old]", 1, "zsh", "zsh"),
    )


def healthy(now: float = NOW) -> SupervisorHealth:
    """Return a supervisor that has just given a sign of life."""
    return SupervisorHealth(running=True, pid=4242, heartbeat_at=now - 1)


COMMAND = "rm -rf build && make test"
STUCK = (
    "no sign of progress since 13:31: it shows as working (Running make test), its screen last changed 13:31, "
    "last commit 12:50, last hook UserPromptSubmit 13:02, last message 13:02"
)
MISSED = "check-in 12 (“look at the tests”) is not tried any more: its program is gone"
QUESTION = "Which Python versions should the guide cover?"


def choices(*labels: str) -> tuple[Choice, ...]:
    """Return numbered choices with the cursor on the first."""
    return tuple(Choice(key=str(i), label=label, selected=i == 1) for i, label in enumerate(labels, start=1))


def need(
    agent_: str,
    kind: NeedKind,
    detail: str = "",
    *labels: str,
    minutes: float = 1,
    message: int | None = None,
) -> Need:
    """Return what an agent needs; the dialog's choices are `labels`."""
    offered = choices(*labels)
    dialog = OpenDialog(name=kind.value, detail=detail, choices=offered)
    fingerprint = dialog.fingerprint if kind.is_answerable else ""
    return Need(
        key=f"message:{message}" if message else f"{agent_}:{fingerprint or 'ended'}",
        kind=kind,
        orchestration=OrchestrationId(agent_.partition(":")[0]),
        agent=AgentId(agent_),
        message=MessageId(message) if message else None,
        detail=detail,
        choices=offered,
        fingerprint=fingerprint,
        since=NOW - minutes * MINUTE,
    )


def permission(agent_: str = "shop-3f2a:tester", command: str = COMMAND, *, minutes: float = 12) -> Need:
    """Return a request to run a command."""
    labels = ("Yes", "Yes, and don't ask again for: rm -rf build", "No, and tell Claude what to do differently (esc)")
    return need(agent_, NeedKind.PERMISSION, command, *labels, minutes=minutes)


def question() -> Need:
    """Return a question with three answers to choose from."""
    return need("docs-09be:tester", NeedKind.QUESTION, QUESTION, "3.11 and newer", "3.9 and newer", "Type something.")


def needs() -> tuple[Need, ...]:
    """Return what the usual fleet needs, oldest first."""
    lost = need(
        "api-77c1:tester", NeedKind.UNCONFIRMED, "it was typed, and never showed at the prompt", minutes=4, message=7
    )
    return permission(), lost, question()


def many_needs() -> tuple[Need, ...]:
    """Return one need of every kind, and then some more."""
    api_, shop_ = "api-77c1:", "shop-3f2a:"
    return (
        need(api_ + "researcher", NeedKind.FAILED, "its program ended with exit code 7", minutes=400),
        need(api_ + "orchestrator", NeedKind.STUCK, STUCK, minutes=31),
        permission(),
        need(api_ + "devops", NeedKind.ERROR, "API Error: 500 [overloaded]", minutes=9),
        need(shop_ + "developer", NeedKind.REFUSED, "a developer does not write to devops", minutes=5, message=6),
        *needs()[1:],
        need(api_ + "developer", NeedKind.GATE, "Do you trust the files in this folder?", "Yes", "No", minutes=0.5),
        need(shop_ + "project_manager", NeedKind.DIALOG, "Resume a conversation", minutes=0.4),
        need(shop_ + "testrunner", NeedKind.EXITED, "its pane is gone", minutes=0.3),
        need(shop_ + "orchestrator", NeedKind.MISSED, MISSED, minutes=0.2),
        permission(api_ + "orchestrator", "git push --force", minutes=0.2),
    )


def why(fleet: Fleet, agent_: str = "shop-3f2a:tester") -> Why:
    """Return why an agent of `fleet` has its status: a ground of each weight."""
    found = fleet.agent(AgentId(agent_))
    assert found is not None
    status, reason = found.agent.status, found.agent.reason
    ran = "claude runs in the pane, pid 4711, the one that was started here"
    return Why(
        agent=found.agent,
        verdict=Verdict(status=status, reason=reason),
        grounds=(
            Ground(source=Source.PROCESS, says=ran, weight=Weight.AGREES, at=NOW - 200 * MINUTE),
            Ground(source=Source.SESSION, says="says that it works [busy]", weight=Weight.STALE, at=NOW - 14 * MINUTE),
            Ground(
                source=Source.HOOKS,
                says=f"asked for permission to run: {COMMAND}, and said nothing since",
                weight=Weight.DECIDES,
                at=NOW - 12 * MINUTE,
            ),
            Ground(source=Source.SCREEN, says="shows no dialog", weight=Weight.DISAGREES, at=NOW - 2),
        ),
        looked_at=NOW,
    )


def message(number: int, sender: str, target: str, text: str, *, seconds: float = 0.0, **more: Any) -> AgentMessage:
    """Return a message that was written so many seconds ago."""
    return AgentMessage(
        id=MessageId(number), sender=sender, target=AgentId(target), text=text, created_at=NOW - seconds, **more
    )


def messages() -> tuple[AgentMessage, ...]:
    """Return messages in every state, oldest first; two days, three teams, one conversation."""
    shop_, api_ = "shop-3f2a:", "api-77c1:"
    lead, dev, tester = shop_ + "orchestrator", shop_ + "developer", shop_ + "tester"
    done = MessageState.ACKNOWLEDGED
    return (
        message(1, PERSON, lead, "Begin with the form.", seconds=90_000, state=done, delivered_at=NOW - 89_999),
        message(
            2, lead, dev, "Please write the transfer form.\nThe fields are in spec.md, §3 [all of them].",
            seconds=7200, state=done, delivered_at=NOW - 7198.6, acknowledged_at=NOW - 7198.1, pane=PaneId("%12"),
        ),
        message(3, dev, lead, "The form is done: 3 commits.", seconds=3600, state=MessageState.DELIVERED,
                delivered_at=NOW - 3599.2),
        message(4, dev, api_ + "developer", "Does v2 take IBANs?", seconds=1800, state=MessageState.REFUSED,
                reason="a developer does not write to another team; its orchestrator does"),
        message(5, lead, tester, "Test the form, please.", seconds=1700, state=MessageState.UNCONFIRMED,
                reason="it was typed, and never showed at the prompt", pane=PaneId("%13")),
        message(6, PERSON, tester, "Are you stuck?", seconds=700, suppressed=3, reason="a dialog is open: permission"),
        message(7, lead, dev, "Next: the receipt by mail.", seconds=20, state=MessageState.DELIVERING,
                mode=DeliveryMode.NOW),
    )  # fmt: skip


def events(count: int = 12) -> list[Event]:
    """Return so many events of two teams, oldest first, the last of them just now."""
    kinds = (
        ("agent.status", "working: it shows a running turn"),
        ("message.delivered", "message 7 from orchestrator"),
        ("need.raised", "shop-3f2a:tester: permission: " + COMMAND),
        ("agent.status", "idle: its prompt is empty"),
        ("message.refused", "message 8: a developer does not write to [devops]"),
        ("hook.failed", "the turn ended: rate_limit"),
    )
    made = []
    for number in range(1, count + 1):
        kind, text = kinds[number % len(kinds)]
        team = ("shop-3f2a", "api-77c1")[number % 2]
        made.append(
            Event(
                id=number,
                at=NOW - (count - number) * 7,
                kind=kind,
                text=f"{text} #{number}",
                orchestration=team,
                agent=f"{team}:developer" if number % 3 else "",
            )
        )
    return made


def three_teams() -> Fleet:
    """Return the usual fleet: 3 teams, 14 agents, 3 things that need a person, 1 agent held by a limit."""
    return Fleet(
        teams=(shop(), api(), docs()),
        guests=guests(),
        needs=needs(),
        supervisor=healthy(),
        tmux=TmuxState.CONNECTED,
    )


def no_teams(*, with_guests: bool = False, tmux: TmuxState = TmuxState.CONNECTED) -> Fleet:
    """Return a fleet without a team."""
    return Fleet(guests=guests() if with_guests else (), supervisor=SupervisorHealth(running=False), tmux=tmux)


def many(count: int, per_team: int = 5, *, doing: str = "") -> Fleet:
    """Return a fleet with `count` agents at work."""
    roles = ("orchestrator", "developer", "tester", "testrunner", "devops", "researcher")
    teams = []
    for number in range(0, count, per_team):
        t = f"team-{number:04x}"
        size = min(per_team, count - number)
        agents = tuple(
            view(agent(t, roles[i % len(roles)] + ("" if i < len(roles) else str(i)), number + i, WORKING, doing))
            for i in range(size)
        )
        teams.append(Team(orchestration=orchestration(t), agents=agents))
    return Fleet(teams=tuple(teams), supervisor=healthy(), tmux=TmuxState.CONNECTED)


def with_agent(fleet: Fleet, agent_: AgentId, **changes: object) -> Fleet:
    """Return `fleet` with one agent changed; `queued` and `unconfirmed` are its counts."""
    counts = {key: changes.pop(key) for key in ("queued", "unconfirmed") if key in changes}

    def changed(view_: AgentView) -> AgentView:
        if view_.agent.id != agent_:
            return view_
        return replace(view_, agent=replace(view_.agent, **changes), **counts)

    teams = tuple(replace(team, agents=tuple(map(changed, team.agents))) for team in fleet.teams)
    return replace(fleet, teams=teams)


def without_agent(fleet: Fleet, agent_: AgentId) -> Fleet:
    """Return `fleet` without one agent."""
    teams = tuple(replace(team, agents=tuple(v for v in team.agents if v.agent.id != agent_)) for team in fleet.teams)
    return replace(fleet, teams=teams)


def tick(minutes: float, kind: TickKind = TickKind.DUE, note: str = "", **more: Any) -> Tick:
    """Return a moment so many minutes from now."""
    is_reset = kind is TickKind.RESET
    return Tick(at=NOW + minutes * MINUTE, kind=kind, note=note, check_in=None if is_reset else CheckInId(1), **more)


def sent(minutes: float, receipt: MessageState, note: str = "", reason: str = "") -> Tick:
    """Return a check-in that fired so many minutes ago."""
    return tick(-minutes, TickKind.SENT, note, receipt=receipt, reason=reason, firing=FiringId(1), message=MessageId(1))


def lane(agent_: str, *ticks: Tick, is_paused: bool = False) -> Lane:
    """Return an agent's lane."""
    team, _, role = agent_.partition(":")
    return Lane(
        agent=AgentId(agent_),
        role=role,
        orchestration=OrchestrationId(team),
        is_live=True,
        is_paused=is_paused,
        ticks=tuple(sorted(ticks, key=lambda tick_: tick_.at)),
    )


STANDING = "look at your branch and say what is next"


def standing(first: float, every: float = 30) -> tuple[Tick, ...]:
    """Return a check-in that repeats, from so many minutes from now on."""
    later = (tick(first + i * every, TickKind.REPEAT, STANDING) for i in range(1, int((125 - first) // every) + 1))
    return (tick(first, TickKind.DUE, STANDING), *later)


def schedule() -> Timeline:
    """Return what is planned for the usual fleet: every kind of moment somewhere, one overdue."""
    shop_, api_, docs_ = "shop-3f2a:", "api-77c1:", "docs-09be:"
    return Timeline(
        start=NOW - 15 * MINUTE,
        end=NOW + 125 * MINUTE,
        lanes=(
            lane(
                shop_ + "orchestrator",
                sent(13, MessageState.ACKNOWLEDGED, STANDING),
                sent(2, MessageState.UNCONFIRMED, "ask the tester", "it was typed, and never showed"),
                *standing(9),
                tick(24, note="review auth [again]"),
            ),
            lane(shop_ + "project_manager", sent(6, MessageState.DELIVERED, STANDING), *standing(24, 45)),
            lane(
                shop_ + "developer",
                tick(-9, TickKind.SKIPPED, STANDING, reason="it works"),
                *standing(21, 30),
                tick(64, note="merge the payments branch"),
            ),
            lane(shop_ + "tester", tick(-31, TickKind.OVERDUE, "run the suite", reason="it asks for permission")),
            lane(shop_ + "testrunner", *standing(3, 10)),
            lane(api_ + "orchestrator", *standing(17)),
            lane(api_ + "developer", sent(1, MessageState.QUEUED, "rebase on main"), *standing(28)),
            lane(
                api_ + "tester",
                sent(8, MessageState.REFUSED, "x", "its pane is gone"),
                tick(-50, TickKind.DEAD, "count the failures", reason="the agent has ended"),
            ),
            lane(api_ + "devops", tick(93, TickKind.RESET), tick(94, note="go on with the deploy")),
            lane(api_ + "researcher"),
            lane(docs_ + "orchestrator", *standing(26)),
            lane(docs_ + "developer", *standing(11, 60)),
            lane(docs_ + "tester", *standing(19, 60)),
            lane(docs_ + "documentation_writer", *standing(40, 60)),
        ),
    )


def check_ins_due(fleet: Fleet, timeline: Timeline) -> Fleet:
    """Return `fleet` with the next check-in of each agent that has one in `timeline`."""
    due = {
        lane_.agent: min(tick_.at for tick_ in lane_.ticks if tick_.kind is TickKind.DUE)
        for lane_ in timeline.lanes
        if any(tick_.kind is TickKind.DUE for tick_ in lane_.ticks)
    }
    teams = (
        replace(team, agents=tuple(replace(v, next_check_in=due.get(v.agent.id)) for v in team.agents))
        for team in fleet.teams
    )
    return replace(fleet, teams=tuple(teams))
