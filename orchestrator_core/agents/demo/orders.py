"""The orders that can be given to a demo agent through its control file. Times are in seconds.

{"do": "busy", "seconds": 5}            work on nothing; without seconds until idle
{"do": "idle"}                          end the turn, dialog, limit, error or hanging
{"do": "retry", "text": "API error"}    work on a request that is tried again
{"do": "think", "seconds": 0}           how long answers take from now on
{"do": "permission", "command": "…"}    ask for permission
{"do": "question", "question": "…", "choices": ["…"]}
{"do": "dialog", "name": "trust"}       any other dialog by name
{"do": "limit", "until": "2:59pm"}      hit a usage limit; a number is the time it resets; "menu": true asks
{"do": "error", "text": "…"}            let an error end the turn
{"do": "draft", "text": "…"}            leave text at the prompt
{"do": "swallow-enter", "count": 1}     lose the next Enters
{"do": "print", "text": "…"}            say something
{"do": "quiet"}                         hang: read nothing and draw nothing until idle
{"do": "exit", "code": 0}               end
{"do": "crash"}                         die by SIGKILL, leaving the screen as it is
"""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from orchestrator_core.agents.demo import dialogs
from orchestrator_core.agents.demo.agent import DemoAgent, Exit
from orchestrator_core.agents.demo.answers import Echo
from orchestrator_core.agents.demo.steps import Ask, Question, Script, Step
from orchestrator_core.agents.demo.transcript import Reply


def obey(agent: DemoAgent, echo: Echo, order: Mapping[str, Any], now: float) -> None:
    """Carry one order out. An order that is not known or not complete is left alone.

    Raises:
        Exit: the order was to end.

    """
    try:
        _obey(agent, echo, order, now)
    except (KeyError, TypeError, ValueError) as fault:
        agent.transcript.add(Reply(f"(order not understood: {type(fault).__name__}: {fault})"))


def _obey(agent: DemoAgent, echo: Echo, order: Mapping[str, Any], now: float) -> None:
    match order["do"]:
        case "busy":
            agent.activity.pass_time(float(order.get("seconds", math.inf)), now)
        case "retry":
            agent.activity.pass_time(math.inf, now, retry=str(order.get("text", "API error")))
        case "idle":
            _be_idle(agent, now)
        case "quiet":
            agent.quiet = True
        case "think":
            echo.seconds = float(order["seconds"])
        case "exit":
            raise Exit(int(order.get("code", 0)))
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case _:
            _show(agent, order, now)


def _be_idle(agent: DemoAgent, now: float) -> None:
    agent.quiet = False
    agent.close_dialog()
    agent.trouble.end()
    if agent.activity.is_on:
        agent.end_turn(now)


def _show(agent: DemoAgent, order: Mapping[str, Any], now: float) -> None:
    match order["do"]:
        case "permission":
            agent.play(_once(Ask(str(order["command"]), str(order.get("purpose", "")))), now)
        case "question":
            choices = tuple(str(choice) for choice in order["choices"])
            agent.play(_once(Question(str(order["question"]), str(order.get("header", "Choice")), choices)), now)
        case "dialog":
            agent.open_dialog(dialogs.named(str(order["name"]), agent.temper.folder))
        case "limit":
            _limit(agent, order, now)
        case "error":
            agent.activity.stop()
            agent.trouble.fail(str(order["text"]))
        case "draft":
            agent.box.clear()
            agent.box.type(str(order["text"]))
        case "swallow-enter":
            agent.swallow = int(order.get("count", 1))
        case "print":
            agent.transcript.add(Reply(str(order["text"])))
        case unknown:
            raise ValueError(f"{unknown!r} is no order")


def _limit(agent: DemoAgent, order: Mapping[str, Any], now: float) -> None:
    until, lifts_at = order["until"], math.inf
    if not isinstance(until, str):
        lifts_at = now + float(until) - time.time()
        until = time.strftime("%I:%M%p", time.gmtime(float(until))).lower().removeprefix("0")
    agent.activity.stop()
    if order.get("menu"):
        agent.trouble.tell_limit(until)
        agent.open_dialog(dialogs.usage_limit(until))
    else:
        agent.trouble.hit_limit(until, lifts_at)


def _once(step: Step) -> Script:
    yield step
