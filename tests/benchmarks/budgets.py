"""One function per budget of the product; each prints what it measured beside the budget."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.benchmarks.stage import (
    Screen,
    Stage,
    cpu_seconds,
    percentile,
    spread,
    stage,
    tmorch,
    tmorch_tui,
)

EMPTY_APP = (
    "from textual.app import App\nfrom textual.widgets import Static\n"
    "class Empty(App):\n    def compose(self):\n        yield Static('READY-NOW')\nEmpty().run()\n"
)


def p1_latency(samples: int = 60) -> None:
    """From a byte written in the selected agent's pane to the terminal showing it: p95 ≤ 60 ms, ≤ 3 × tmux attach.

    Both run inside another tmux, as they do at a person's desk.
    """
    with stage() as here:
        agent = here.populate(1, 1, mode="idle")[0]
        here.start_supervisor()
        tty = here.tmux("display-message", "-p", "-t", str(agent.pane), "#{pane_tty}")
        app = here.open_in_tmux("desk1", tmorch_tui())
        _wait_for_first_agent(app)
        ours = _echoes(app, tty, samples)
        app.close()
        plain = here.open_in_tmux("desk2", f"env -u TMUX tmux -S {here.socket} attach -t ={agent.orchestration}")
        plain.drain(1.0)
        nested = _echoes(plain, tty, samples)
    ratio = percentile(ours, 0.95) / percentile(nested, 0.95)
    print(f"P1  pane to TUI     {spread(ours)}   budget p95 ≤ 60 ms")
    print(f"    tmux attach     {spread(nested)}   ratio of p95 {ratio:.1f}, budget ≤ 3")


def _echoes(screen: Screen, tty: str, samples: int) -> list[float]:
    times = []
    terminal = os.open(tty, os.O_WRONLY | os.O_NOCTTY)
    for number in range(samples):
        token = f"tok{number:04}x"
        screen.drain(0.12 + (number % 7) * 0.013)
        screen.forget()
        began = time.perf_counter()
        os.write(terminal, f"\x1b[{5 + number % 30};1H\x1b[K{token}".encode())
        times.append(screen.wait_for(token.encode()) - began)
    os.close(terminal)
    return times


def _wait_for_first_agent(app: Screen) -> None:
    """Wait for the tree and the preview of the first agent, which is selected from the start."""
    app.wait_for(b"role0")
    app.drain(2.0)


def p2_cpu(seconds: float = 20.0) -> None:
    """CPU of all tmorch processes together: 20 agents ≤ 5 %, 50 ≤ 8 %, nothing happening ≤ 0.5 % of a core."""
    for count, mode, budget in ((20, "busy", 5.0), (50, "busy", 8.0), (20, "idle", 0.5)):
        with stage() as here:
            here.populate(count // 5, 5, mode=mode)
            _measure_cpu(here, seconds, f"{count} agents {mode}", budget)


def _measure_cpu(here: Stage, seconds: float, label: str, budget: float) -> None:
    supervisor = here.start_supervisor()
    app = here.open(tmorch_tui())
    _wait_for_first_agent(app)
    app.drain(6.0)
    parents = [app.process, supervisor]
    ours = parents + [child for parent in parents for child in parent.children(recursive=True)]
    server = psutil.Process(int(here.tmux("display-message", "-p", "#{pid}")))
    before, server_before, forks = cpu_seconds(ours), cpu_seconds([server]), _forks()
    began = time.perf_counter()
    app.drain(seconds)
    passed = time.perf_counter() - began
    used = (cpu_seconds(ours) - before) / passed * 100
    server_used = (cpu_seconds([server]) - server_before) / passed * 100
    started = _forks() - forks
    print(
        f"P2  {label:15} {used:5.2f} % of a core in {len(ours)} processes, budget ≤ {budget} %   "
        f"(tmux server {server_used:.1f} %, processes started on the machine meanwhile: {started})"
    )


def _forks() -> int:
    try:
        with Path("/proc/stat").open() as stat:
            return next(int(line.split()[1]) for line in stat if line.startswith("processes "))
    except FileNotFoundError:
        return 0


def p3_start(samples: int = 7) -> None:
    """Start of tmorch-tui to its first complete picture with 100 agents: ≤ 1.5 × an empty Textual app."""
    with stage() as here:
        here.populate(20, 5, mode="idle")
        here.start_supervisor()
        ours, empty = [], []
        for _ in range(samples):
            app = here.open(tmorch_tui())
            ours.append(app.wait_for(b"role0") - app.started)
            app.close()
            other = here.open(sys.executable, "-c", EMPTY_APP)
            empty.append(other.wait_for(b"READY-NOW") - other.started)
            other.close()
    ratio = statistics.median(ours) / statistics.median(empty)
    print(f"P3  tmorch-tui      {spread(ours)}")
    print(f"    empty Textual   {spread(empty)}   ratio of medians {ratio:.2f}, budget ≤ 1.5")


def p4_cold(samples: int = 25) -> None:
    """Cold processes: send and whoami ≤ 8 × `python -c pass`, a hook ≤ 3 ×."""
    from tests.benchmarks import hooks

    with stage() as here:
        agent = here.populate(1, 2, mode="busy")[0]
        here.start_supervisor()
        inside = here.environ | {"TMUX": f"{here.socket},1,0", "TMUX_PANE": str(agent.pane)}
        commands = {
            "whoami": [tmorch(), "whoami"],
            "send": [tmorch(), "send", f"{agent.orchestration}:role1", "hello {}", "--no-wait"],
        }
        base: list[float] = []
        times: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(samples):
            base.append(_wall([sys.executable, "-c", "pass"], inside))
            for name, argv in commands.items():
                times[name].append(_wall([word.format(number) for word in argv], inside))
        hooks.measure(here, agent, samples)
    for name, values in times.items():
        ratio = statistics.median(values) / statistics.median(base)
        print(f"P4  {name:15} {spread(values)}   {ratio:.1f} × python -c pass, budget ≤ 8")


def _wall(argv: list[str], environ: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(argv, check=True, env=environ, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def p5_delivery(samples: int = 20) -> None:
    """Message to an idle agent, command issued to prompt accepted: p95 ≤ 400 ms beyond what the agent needs."""
    from tests.benchmarks.delivery import measure

    measure(samples)


def p7_schedule() -> None:
    """10 000 check-ins stored: they fire ≤ 250 ms late (p99), the timeline is read in ≤ 10 ms, at rest ≤ 0.5 % CPU."""
    from tests.benchmarks.schedule import measure

    measure()


def torture() -> None:
    """1 000 messages through kills, dialogs, drafts and copy mode: none lost, none doubled, none in a wrong place."""
    from tests.benchmarks.torture import measure

    measure()


def p8_memory() -> None:
    """Memory with 100 agents: TUI ≤ 90 MB, supervisor ≤ 60 MB."""
    with stage() as here:
        here.populate(20, 5, mode="busy")
        supervisor = here.start_supervisor()
        app = here.open(tmorch_tui())
        _wait_for_first_agent(app)
        app.drain(10.0)
        print(f"P8  tmorch-tui      {app.process.memory_info().rss / 1e6:6.1f} MB, budget ≤ 90 MB")
        print(f"    supervisor      {supervisor.memory_info().rss / 1e6:6.1f} MB, budget ≤ 60 MB")


def p9_keys(samples: int = 40) -> None:
    """A key (move in the tree) to painted, 100 agents at work: p95 ≤ 40 ms."""
    with stage() as here:
        here.populate(20, 5, mode="busy")
        here.start_supervisor()
        app = here.open(tmorch_tui())
        _wait_for_first_agent(app)
        app.drain(4.0)
        times = []
        for number in range(samples):
            app.drain(0.15 + (number % 5) * 0.021)
            app.forget()
            key, token = (b"j", b"bench-00/role1") if number % 2 == 0 else (b"k", b"bench-00/role0")
            began = time.perf_counter()
            app.type(key)
            times.append(app.wait_for(token) - began)
    print(f"P9  key to paint    {spread(times)}   budget p95 ≤ 40 ms")


BUDGETS = {
    "P1": p1_latency,
    "P2": p2_cpu,
    "P3": p3_start,
    "P4": p4_cold,
    "P5": p5_delivery,
    "P7": p7_schedule,
    "P8": p8_memory,
    "P9": p9_keys,
    "TORTURE": torture,
}
