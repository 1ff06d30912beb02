"""The orders that can be given to a demo agent through its control file. Times are in seconds.

{"do": "busy", "seconds": 5}            work on nothing; without seconds until idle
{"do": "idle"}                          end the turn, dialog, limit, error or hanging
{"do": "tool", "title": "Bash(make)", "seconds": 60}    run a tool that says nothing; without seconds until idle
{"do": "retry", "text": "API error"}    work on a request that is tried again
{"do": "fill", "tokens": 850000}        have so much in the context; shortening the conversation takes it away
{"do": "think", "seconds": 0}           how long answers take from now on
{"do": "permission", "command": "…"}    ask for permission
{"do": "question", "question": "…", "choices": ["…"]}   "descriptions": ["…"] come below, with "multiple": true any
                                        number may be picked; "questions": [{…}, {…}] asks several
{"do": "dialog", "name": "trust"}       any other dialog by name
{"do": "limit", "until": "2:59pm"}      hit a usage limit; a number is the time it resets; "menu": true asks,
                                        "continue": false stays idle afterwards, "window": "seven_day" is another one
{"do": "error", "text": "…"}            let an error end the turn; "error": "billing_error" is for the hooks
{"do": "subagent", "seconds": 5}        start a subagent in the background
{"do": "shell", "seconds": 5}           leave a command running in the background
{"do": "session", "status": "busy"}     lie in the session file; without a status no longer
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
from orchestrator_core.agents.demo.agent import DemoAgent
from orchestrator_core.agents.demo.answers import Echo
from orchestrator_core.agents.demo.standing import Standing
from orchestrator_core.agents.demo.steps import Ask, Inquire, Question, Script, Step, Think, Work
from orchestrator_core.agents.demo.temper import Exit
from orchestrator_core.agents.demo.transcript import Reply
from orchestrator_core.agents.demo.trouble import Limit


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
            seconds = float(order.get("seconds", math.inf)) * agent.temper.speed
            agent.play(_once(Think(seconds)), now)
        case "tool":
            seconds = float(order.get("seconds", math.inf)) * agent.temper.speed
            agent.play(_once(Work(str(order["title"]), seconds, str)), now)
        case "retry":
            agent.play(_once(Think(math.inf)), now, retry=str(order.get("text", "API error")))
        case "idle":
            _be_idle(agent, now)
        case "quiet":
            agent.quiet = True
        case "fill":
            agent.events.conversation.tokens = int(order["tokens"])
        case "think":
            echo.seconds = float(order["seconds"])
        case "subagent" | "shell" as kind:
            agent.start_task(kind, str(order.get("description", "a small job")), now + float(order["seconds"]))
        case "session":
            agent.lie = _lie(order)
        case _:
            _end(agent, order, now)


def _end(agent: DemoAgent, order: Mapping[str, Any], now: float) -> None:
    match order["do"]:
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
            agent.play(_once(_inquiry(order)), now)
        case "dialog":
            agent.open_dialog(dialogs.named(str(order["name"]), agent.temper.folder))
        case "limit":
            _limit(agent, order, now)
        case "error":
            agent.fail(str(order.get("error", "server_error")), str(order["text"]))
        case "draft":
            agent.box.clear()
            agent.box.type(str(order["text"]))
        case "swallow-enter":
            agent.swallow = int(order.get("count", 1))
        case "print":
            agent.transcript.add(Reply(str(order["text"])))
        case unknown:
            raise ValueError(f"{unknown!r} is no order")


def _inquiry(order: Mapping[str, Any]) -> Inquire:
    questions = tuple(_question(each) for each in order.get("questions", [order]))
    if not questions:
        raise ValueError("there is no question")
    return Inquire(questions)


def _question(order: Mapping[str, Any]) -> Question:
    choices, descriptions = (tuple(map(str, order.get(key, ()))) for key in ("choices", "descriptions"))
    if not choices:
        raise ValueError("a question has choices")
    header = str(order.get("header", "Choice"))
    return Question(str(order["question"]), header, choices, descriptions, multiple=bool(order.get("multiple")))


def _limit(agent: DemoAgent, order: Mapping[str, Any], now: float) -> None:
    until, lifts_at, resets_at = order["until"], math.inf, 0
    if not isinstance(until, str):
        resets_at = int(until)
        lifts_at = now + max(float(until) - time.time(), 0.0)
        until = time.strftime("%I:%M%p", time.gmtime(resets_at)).lower().removeprefix("0")
    window = str(order.get("window", "five_hour"))
    limit = Limit(until, lifts_at, resets_at, window, continues=bool(order.get("continue", True)))
    agent.hit_limit(limit, asks=bool(order.get("menu", not agent.temper.continues)))


def _lie(order: Mapping[str, Any]) -> Standing | None:
    return Standing(str(order["status"]), str(order.get("waitingFor", ""))) if "status" in order else None


def _once(step: Step) -> Script:
    yield step
