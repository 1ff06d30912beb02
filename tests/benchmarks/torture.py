"""Messages to agents in every state while everything goes wrong: what the stand-ins wrote down is the truth.

Senders put messages into the outbox; meanwhile the supervisor is killed again and again, panes are put into copy
mode, dialogs open and close, drafts are typed, sent and thrown away, and some agents are killed. Then all of that
ends, and each message must have arrived once and whole, or its receipt must say truly why not.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from msgspec import Struct

from orchestrator_core.models.ids import AgentId, PaneId
from orchestrator_core.models.message import AgentMessage, DeliveryMode, MessageKind, MessageState
from orchestrator_core.services.liveness import is_running
from orchestrator_core.store.quick import QuickStore
from orchestrator_core.supervisor.spawn import ensure_running
from tests.benchmarks.stage import stage
from tests.conftest import IDENTITY, MakeProject, TmuxServer
from tests.polling import eventually
from tests.rig import Rig, StandIn, running_rig

ROLES = ("orchestrator", "project_manager", "developer", "tester", "testrunner")
ARRIVED = (MessageState.DELIVERED, MessageState.ACKNOWLEDGED)
DRAFT = "a thought of my own"
SETTLE_STEP_S = 0.3


class Plan(Struct, frozen=True, kw_only=True):
    """How hard it is going to be."""

    seed: int
    messages: int
    senders: int
    roles: int
    """How many agents each of the two teams has: one with hooks, and one without."""
    kills: int
    """How often the supervisor is killed."""
    deaths: int
    """How many agents are killed."""
    seconds: float
    """Over how long it is spread out."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of it all."""

    states: Counter[str]
    reasons: Counter[str]
    faults: tuple[str, ...]
    """What must never be: empty when all is well."""
    kills: int
    seconds: float


class Person:
    """Someone who works in the agents' windows at the same time, and a machine on which processes die."""

    def __init__(self, rig: Rig, agents: Sequence[StandIn], plan: Plan) -> None:
        self._rig = rig
        self._agents = agents
        self._random = random.Random(plan.seed)
        self._panes = {agent.id: PaneId(str(agent.row.pane)) for agent in agents}
        self._plan = plan
        self.dead: set[AgentId] = set()
        self.kills = 0
        self._acts: tuple[Callable[[StandIn], None], ...] = (
            self._scroll, self._open_dialog, self._keep_busy, self._limit, self._relieve, self._relieve,
            self._draft, self._throw_away, self._send_draft,
        )  # fmt: skip

    def live(self) -> None:
        """Do all kinds of things for the time that is planned."""
        began = time.monotonic()
        total = self._plan.kills + self._plan.deaths
        due = sorted(self._random.uniform(0.05, 0.9) * self._plan.seconds for _ in range(total))
        deaths = set(self._random.sample(range(total), self._plan.deaths))
        for number, moment in enumerate(due):
            while time.monotonic() - began < moment:
                self._random.choice(self._acts)(self._random.choice(self._living()))
                time.sleep(self._random.uniform(0, 0.1))
            if number in deaths:
                self._kill_agent()
            else:
                self._kill_supervisor()

    def _living(self) -> list[StandIn]:
        return [agent for agent in self._agents if agent.id not in self.dead]

    def _keys(self, agent: StandIn, *keys: str) -> None:
        self._rig.tmux.run("send-keys", "-t", self._panes[agent.id], *keys, check=False)

    def _scroll(self, agent: StandIn) -> None:
        self._rig.tmux.run("copy-mode", "-u", "-t", self._panes[agent.id], check=False)

    def _open_dialog(self, agent: StandIn) -> None:
        agent.do("permission", command="rm -rf build")

    def _keep_busy(self, agent: StandIn) -> None:
        agent.do("busy", seconds=self._random.uniform(0.1, 3))

    def _limit(self, agent: StandIn) -> None:
        agent.do("limit", until="2:59pm")

    def _relieve(self, agent: StandIn) -> None:
        agent.do("idle")

    def _draft(self, agent: StandIn) -> None:
        self._leave_mode(agent)
        self._keys(agent, "-l", DRAFT)

    def _throw_away(self, agent: StandIn) -> None:
        if self._has_draft(agent):
            self._leave_mode(agent)
            self._keys(agent, "C-u")

    def _send_draft(self, agent: StandIn) -> None:
        if self._has_draft(agent):
            self._leave_mode(agent)
            self._keys(agent, "Enter")

    def _has_draft(self, agent: StandIn) -> bool:
        """Look, as a person does, whether what lies at the prompt is one's own, perhaps beside something else."""
        return any(DRAFT in line for line in self._prompt(agent))

    def _prompt(self, agent: StandIn) -> list[str]:
        """Return the rows between the last two rules."""
        lines = self._rig.tmux.screen(self._panes[agent.id]).splitlines()
        rules = [row for row, line in enumerate(lines) if line.startswith("────")]
        return lines[rules[-2] + 1 : rules[-1]] if len(rules) > 1 else []

    def _leave_mode(self, agent: StandIn) -> None:
        self._rig.tmux.run("copy-mode", "-q", "-t", self._panes[agent.id], check=False)

    def _kill_agent(self) -> None:
        agent = self._random.choice(self._living())
        self.dead.add(agent.id)
        pid = agent.row.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def _kill_supervisor(self) -> None:
        ensure_running(self._rig.paths)
        pid = eventually(self._supervisor, what="the supervisor did not come back")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills += 1

    def _supervisor(self) -> int:
        """Return the process of the supervisor; 0 while none runs."""
        row = self._rig.store.health.read()
        return row.pid if row.pid is not None and is_running(row.pid, row.pid_started) else 0

    def go_home(self) -> None:
        """Leave every agent that lives at its empty prompt."""
        for agent in self._living():
            agent.do("idle")
        for agent in self._living():
            self._throw_away(agent)


def send(paths_of: Rig, agents: Sequence[AgentId], name: str, count: int, plan: Plan) -> None:
    """Be one sender: put messages into the outbox as `tmorch send --no-wait` does."""
    chance = random.Random(f"{plan.seed}-{name}")
    paths = paths_of.paths
    with closing(QuickStore(paths.database)) as store:
        for number in range(count):
            mode = DeliveryMode.NOW if chance.random() < 0.2 else DeliveryMode.WHEN_IDLE
            text = _text(chance, f"{name} {number}")
            store.add_message(chance.choice(agents), name, text, mode=mode, kind=MessageKind.TEXT, at=time.time())
            ensure_running(paths)
            time.sleep(chance.uniform(0, 1.6) * plan.seconds / count)


def _text(chance: random.Random, name: str) -> str:
    kind = chance.randrange(5)
    if kind == 0:
        return f"{name}:\n" + "\n".join(f"line {line} of a long text, 日本 🙂" for line in range(40)) + "\nend"
    if kind == 1:
        return f"{name}\nand {chance.randrange(9)}\nso on"
    return f"1 {name} is a message; `so` $(it) is\\"


def torture(rig: Rig, make_project: MakeProject, plan: Plan) -> Outcome:
    """Go through all of it and return what became of it."""
    agents = _agents(rig, make_project, plan)
    person = Person(rig, agents, plan)
    began = time.monotonic()
    ids = [agent.id for agent in agents]
    share, rest = divmod(plan.messages, plan.senders)
    threads = [
        threading.Thread(target=send, args=(rig, ids, f"s{number:02}", share + (number < rest), plan))
        for number in range(plan.senders)
    ]
    for thread in threads:
        thread.start()
    person.live()
    for thread in threads:
        thread.join()
    _settle(rig, person, plan)
    return _judge(rig, agents, person, time.monotonic() - began)


def _agents(rig: Rig, make_project: MakeProject, plan: Plan) -> list[StandIn]:
    """Start two teams: one whose agents have hooks, and one without."""
    program = rig.folder / "bin" / "claude"
    rig.configure(
        f'[drivers.plain]\ncommand = ["{program}"]\nprocess_names = ["claude"]\nscreen = "claude"\n',
        as_driver="claude",
        stand_in_args=("--think", "0.02", "--trace", f"{rig.folder}/$(echo $TMORCH_AGENT | tr : _).trace"),
    )
    found = []
    for name, driver in (("hooked", "claude"), ("plain", "plain")):
        roles = ROLES[: plan.roles]
        team = rig.start(make_project(name), roles=",".join(roles), agent=driver)
        found += [rig.agent(team, role) for role in roles]
    return found


def _settle(rig: Rig, person: Person, plan: Plan) -> None:
    """Wait until nothing is open but what waits for the dead."""

    def is_over() -> bool:
        ensure_running(rig.paths)
        person.go_home()
        time.sleep(SETTLE_STEP_S)
        return set(rig.store.messages.open_targets()) <= person.dead and not rig.store.messages.interrupted()

    with suppress(AssertionError):  # what is left open is a fault that is told of
        eventually(is_over, timeout=20 + plan.messages / 5)


def _judge(rig: Rig, agents: Sequence[StandIn], person: Person, seconds: float) -> Outcome:
    messages = [m for m in rig.store.messages.latest(limit=1_000_000) if m.kind is MessageKind.TEXT]
    prompts = {agent.id: agent.prompts()[1:] for agent in agents}  # the briefing shows what headers look like
    faults = [fault for message in messages if (fault := _fault(message, prompts, person.dead))]
    faults += [f"{agent.id}: {fault}" for agent in agents for fault in _touched(rig.folder, agent)]
    return Outcome(
        states=Counter(message.state.value for message in messages),
        reasons=Counter(f"{message.state}: {message.reason}" for message in messages if message.reason),
        faults=tuple(faults),
        kills=person.kills,
        seconds=seconds,
    )


def _fault(message: AgentMessage, prompts: dict[AgentId, list[str]], dead: set[AgentId]) -> str:
    """Return what is wrong with a message; empty when nothing is."""
    header = f"[tmorch {message.id} from "
    got = [prompt for prompt in prompts[message.target] if header in prompt]
    count = sum(prompt.count(header) for agent in prompts for prompt in prompts[agent])
    named = f"message {message.id} to {message.target} is {message.state} ({message.reason})"
    if count > 1 or count > len(got):
        return f"{named} and arrived {count} times, {len(got)} times at the right agent"
    if count and message.text not in got[0]:
        return f"{named} and arrived as {got[0]!r}"
    if message.state is MessageState.ACKNOWLEDGED and message.target in dead:
        return ""  # an agent that says that it has a message may be killed before it has written that down
    if message.state in ARRIVED:
        return "" if count == 1 else f"{named} and did not arrive"
    if not message.reason:
        return f"{named} without a reason"
    if message.state is MessageState.UNCONFIRMED:
        return ""
    if message.state is MessageState.QUEUED and message.target in dead and not count:
        return ""
    return f"{named} and arrived {count} times"


def _touched(folder: Path, agent: StandIn) -> list[str]:
    """Return what was done to an agent that nobody but a person may do: dialogs answered, turns interrupted."""
    trace = folder / f"{agent.id.replace(':', '_')}.trace"
    if not trace.exists():
        return []
    entries = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    return [f"{entry['kind']} {entry['text']}" for entry in entries if entry["kind"] in ("answer", "key")]


def measure(seed: int = 1) -> None:
    """Print what becomes of 1 000 messages from 20 senders to 10 agents, with 20 kills of the supervisor."""
    plan = Plan(seed=seed, messages=1000, senders=20, roles=5, kills=20, deaths=2, seconds=120)
    with stage() as here:
        os.environ.update(here.environ)
        identity = here.folder / "gitconfig"
        identity.write_text(IDENTITY)
        os.environ["GIT_CONFIG_GLOBAL"] = str(identity)
        tmux = TmuxServer(here.socket, here.environ)
        with running_rig(tmux, here.folder / "rig") as rig:
            outcome = torture(rig, MakeProject(here.folder / "projects"), plan)
    print(f"torture  seed {plan.seed}: {plan.messages} messages, {plan.senders} senders, {2 * plan.roles} agents")
    print(f"         {outcome.kills} kills of the supervisor, {plan.deaths} of agents, {outcome.seconds:.0f} s")
    for state, number in outcome.states.most_common():
        print(f"         {number:5} {state}")
    for reason, number in outcome.reasons.most_common():
        print(f"         {number:5} {reason}")
    for fault in outcome.faults:
        print(f"  WRONG  {fault}")
    print(f"         {len(outcome.faults)} faults, budget 0")
