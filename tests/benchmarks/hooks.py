"""What a hook costs the agent that waits for it: with a store at work, one that is locked, and none at all."""

from __future__ import annotations

import json
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from orchestrator_core.agents.claude.agent_settings import settings_file
from orchestrator_core.agents.driver import LaunchContext
from orchestrator_core.models.agent import Agent
from tests.benchmarks.stage import Stage, spread

PAYLOAD = json.dumps({"session_id": "none", "hook_event_name": "Stop", "last_assistant_message": "word " * 400})


def measure(here: Stage, agent: Agent, samples: int) -> None:
    """Print what a `Stop` hook, the one that does most, takes beside `python -c pass`, run in turns."""
    command = _command(here, agent)
    for label, surroundings in (("", _as_it_is), (" locked", _locked), (" no store", _missing)):
        base, times = [], []
        with surroundings(here):
            for _ in range(samples):
                base.append(_wall([sys.executable, "-c", "pass"], here))
                times.append(_wall(["/bin/sh", "-c", command], here))
        ratio = statistics.median(times) / statistics.median(base)
        print(f"P4  {'hook' + label:15} {spread(times)}   {ratio:.1f} × python -c pass, budget ≤ 3")


def _command(here: Stage, agent: Agent) -> str:
    context = LaunchContext(
        agent=agent,
        folder=here.paths.agents / agent.orchestration / agent.role,
        spool=here.paths.spool,
        briefing="",
        tmorch_argv=(),
        env={},
    )
    hooks = json.loads(settings_file(context, "manual").text)["hooks"]
    return str(hooks["Stop"][0]["hooks"][0]["command"])


def _wall(argv: list[str], here: Stage) -> float:
    began = time.perf_counter()
    subprocess.run(argv, check=True, env=here.environ, input=PAYLOAD.encode(), stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


@contextmanager
def _as_it_is(here: Stage) -> Iterator[None]:
    yield


@contextmanager
def _locked(here: Stage) -> Iterator[None]:
    with closing(sqlite3.connect(here.paths.database, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def _missing(here: Stage) -> Iterator[None]:
    aside = here.paths.database.with_suffix(".aside")
    here.paths.database.rename(aside)
    yield
    aside.rename(here.paths.database)
