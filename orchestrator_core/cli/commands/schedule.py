"""`tmorch schedule`: check-ins, messages that agents get at their time."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from orchestrator_core.cli.adoption import adopted
from orchestrator_core.cli.caller import calling_agent, sender_of
from orchestrator_core.cli.check_in_view import check_in_fields, check_in_line, schedule_lines
from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import check_in_document, firing_document
from orchestrator_core.cli.facade import Calls
from orchestrator_core.cli.fleet_targets import team_in
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.cli.text import readable
from orchestrator_core.errors import ExitCode, NotFoundError, UsageError
from orchestrator_core.models.check_in import CheckIn, CheckInRequest, Scheduled
from orchestrator_core.models.ids import CheckInId
from orchestrator_core.models.when import FORMS, clock_of, next_at, shift_of, span_of

if TYPE_CHECKING:
    from orchestrator_core.models.fleet import Fleet
    from orchestrator_core.orchestrator import Orchestrator

HELP = """\
Set a check-in: a message that an agent gets at its time, typed when its
prompt is free. Agents set them for themselves.

  schedule WHEN NOTE [TARGET]             once
  schedule WHEN NOTE [TARGET] --every     again and again, WHEN apart
  schedule --cron "0 9 * * 1-5" NOTE [TARGET] [--zone Europe/Berlin]
  schedule list [TARGET] [--all]          the next first; --all: also what ended
  schedule show N                         one, with its last firing
  schedule move N WHEN                    from now on, or at 14:30, or: now
  schedule move N +10 | move N --by -10   later or earlier than it was due
  schedule note N NOTE                    other words
  schedule cancel N...                    never
  schedule fire N                         now, besides its own times
  schedule pause TEAM | resume TEAM       nothing fires for a team meanwhile

WHEN is a number of minutes (30, 0.5), a time span (90s, 45m, 2h, 1h30m, 1d)
or a clock time: 14:30 is the next 14:30 here, or in --zone. NOTE is one
argument; "-" reads it from stdin. TARGET is as for send; without it, it is
the agent in whose pane this runs, and list shows those by or for that agent.
The same note for the same agent at about the same time is not set twice.
"""
TOO_MANY = 'put the note in quotes: tmorch schedule 30 "look at the tests"'
LIST_LIMIT = 1000
"""How many check-ins are listed at most."""


class Verb(NamedTuple):
    """What may be done with check-ins that are set."""

    run: Callable[[argparse.Namespace, Context, Calls], None]
    form: str
    least: int
    most: float
    options: tuple[str, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("words", metavar="WORD", nargs="*", help="see above")
    parser.add_argument("--every", action="store_true", help="again and again, as far apart as WHEN says")
    parser.add_argument("--cron", default="", metavar="EXPR", help="at the times of a cron expression, instead of WHEN")
    parser.add_argument("--zone", default="", metavar="ZONE", help="the time zone of --cron or of a clock time")
    parser.add_argument("--from", dest="sender", default="", metavar="NAME", help="who it is from; not for agents")
    parser.add_argument("--all", action="store_true", help="with list: also those that fired, were cancelled or died")
    parser.add_argument("--by", default="", metavar="SPAN", help="with move: later by SPAN, or earlier (-10, or =-1h)")
    add_json(parser, "the check-ins")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Set a check-in, or list or change those that are set.

    Raises:
        NotFoundError: a target, a check-in or a team is not there, or it is not clear which.
        RefusedError: a rule said no.
        UsageError: the words make no sense.

    """
    verb = VERBS.get(args.words[0]) if args.words and not args.cron else None
    if verb is None:
        _set(args, context)
    else:
        _check(args, verb)
        with Calls(context) as call:
            verb.run(args, context, call)
    return ExitCode.DONE


def _check(args: argparse.Namespace, verb: Verb) -> None:
    name, words = args.words[0], args.words[1:]
    for option in ("every", "zone", "sender", "all", "by"):
        if getattr(args, option) and option not in verb.options:
            said = "--from" if option == "sender" else f"--{option}"
            raise UsageError(f"{said} does not go with `schedule {name}`", remedy=f"tmorch schedule {verb.form}")
    if not verb.least <= len(words) <= verb.most:
        few = "few" if len(words) < verb.least else "many"
        raise UsageError(f"`schedule {name}` has too {few} words", remedy=f"tmorch schedule {verb.form}")


# --- setting


def _set(args: argparse.Namespace, context: Context) -> None:
    now = time.time()
    words = list(args.words)
    when = words.pop(0) if words and not args.cron else ""
    _check_form(args, when, words)
    caller = calling_agent(context)
    author = sender_of(args.sender, caller) if args.sender else ""
    target = words[1] if len(words) == 2 else ""
    if not target and caller is None:
        raise _no_target()
    request = _request(args, when, readable(words[0], context), now)
    try:
        scheduled = _add(context, request, target, author)
    except NotFoundError as unknown:
        if caller is not None:
            raise
        scheduled = _add(context, request, adopted(context, target, unknown).id, author)
    _show_scheduled(context, scheduled)


def _check_form(args: argparse.Namespace, when: str, words: list[str]) -> None:
    if args.all or args.by:
        raise _unclear("--all goes with list, and --by with move")
    if args.cron and args.every:
        raise _unclear("--cron says when it is due each time: --every does not go with it")
    if not args.cron and span_of(when) is None and clock_of(when) is None:
        raise _unclear(f"{when!r} is neither {FORMS}, nor one of {', '.join(VERBS)}" if when else "there is no WHEN")
    if args.every and clock_of(when) is not None:
        raise _unclear('every day at a clock time is --cron "30 14 * * *"; --every takes how far apart')
    if args.zone and not args.cron and clock_of(when) is None:
        raise _unclear("--zone goes with --cron or a clock time")
    if not words:
        raise _unclear("there is no NOTE")
    if len(words) > 2:
        raise _unclear(f"there are too many words: {' '.join(words[2:])}; the note is one, in quotes")


def _unclear(cause: str) -> UsageError:
    return UsageError(
        "it is not clear when to check in, or with what",
        cause=cause,
        remedy=f'tmorch schedule 30 "look at the tests" [TARGET], or tmorch schedule {"|".join(VERBS)} …',
    )


def _no_target() -> NotFoundError:
    return NotFoundError(
        "name the agent that the check-in is for",
        cause="this pane is no agent's, and so it is not for the one who asks",
        remedy='as in: tmorch schedule 30 "look at the tests" developer',
        code="no-target",
    )


def _request(args: argparse.Namespace, when: str, note: str, now: float) -> CheckInRequest:
    if args.cron:
        return CheckInRequest(note=note, cron=args.cron, zone=args.zone)
    at_clock = clock_of(when)
    if at_clock is None:
        return CheckInRequest(note=note, delay_s=span_of(when), repeats=args.every)
    zone = None
    if args.zone:
        from orchestrator_core.services.zones import zone_of

        zone = zone_of(args.zone)
    return CheckInRequest(note=note, at=next_at(at_clock, now, zone), zone=args.zone)


def _add(context: Context, request: CheckInRequest, target: str, author: str) -> Scheduled:
    with Calls(context) as call:
        return call(lambda orchestrator: orchestrator.check_ins.add(request, target, author=author))


def _show_scheduled(context: Context, scheduled: Scheduled) -> None:
    if context.out.as_json:
        document = {"check_ins": [check_in_document(scheduled.check_in)], "is_new": scheduled.is_new}
        context.out.document(document)
        return
    before = "" if scheduled.is_new else "was set already: "
    context.out.line(before + check_in_line(scheduled.check_in, time.time()))


# --- what is set


def _list(args: argparse.Namespace, context: Context, call: Calls) -> None:
    target = args.words[1] if len(args.words) == 2 else ""
    fleet = call(lambda orchestrator: orchestrator.fleet())
    is_shown = _choice(context, fleet, target)
    asked = "" if is_shown else target
    found = call(lambda orchestrator: orchestrator.check_ins.list(asked, ended=args.all, limit=LIST_LIMIT))
    check_ins = [check_in for check_in in found if is_shown is None or is_shown(check_in)]
    if context.out.as_json:
        documents = [check_in_document(check_in) for check_in in check_ins]
        context.out.document({"check_ins": documents, "paused": _paused_teams(fleet)})
        return
    context.out.lines(schedule_lines(check_ins, _paused_agents(fleet), time.time(), context.out.look))
    if not check_ins:
        context.note.say("nothing is scheduled")
    if len(found) == LIST_LIMIT:
        context.note.say(f"there may be more than these {LIST_LIMIT}: name a TARGET")


def _choice(context: Context, fleet: Fleet, target: str) -> Callable[[CheckIn], bool] | None:
    """Return which ones are listed when that is not for the facade to say: a team's, or those of the caller."""
    if target in [team.orchestration.id for team in fleet.teams]:
        agents = {view.agent.id for view in team_in(fleet, target).agents}
        return lambda check_in: check_in.target in agents
    caller = None if target else calling_agent(context)
    if caller is None:
        return None
    return lambda check_in: caller.id in (check_in.target, check_in.author)


def _paused_teams(fleet: Fleet) -> list[str]:
    runs = [team.orchestration for team in fleet.teams]
    return [run.id for run in runs if run.state.is_active and run.holds_check_ins]


def _paused_agents(fleet: Fleet) -> set[str]:
    paused = _paused_teams(fleet)
    return {view.agent.id for team in fleet.teams if team.orchestration.id in paused for view in team.agents}


def _show(args: argparse.Namespace, context: Context, call: Calls) -> None:
    number = _number(args.words[1])
    check_in, last = call(lambda orchestrator: orchestrator.check_ins.get(number))
    if context.out.as_json:
        context.out.document({"check_ins": [check_in_document(check_in)], "firing": last and firing_document(last)})
        return
    paused = _paused_agents(call(lambda orchestrator: orchestrator.fleet()))
    context.out.fields(check_in_fields(check_in, last, check_in.target in paused, time.time()))


def _move(args: argparse.Namespace, context: Context, call: Calls) -> None:
    number, words = _number(args.words[1]), args.words[2:]
    if bool(words) == bool(args.by):
        raise UsageError("say either when, or by how much", remedy=f"tmorch schedule {VERBS['move'].form}")
    now = time.time()
    to = _moment(words[0], now) if words and words[0][:1] not in ("+", "-") else None
    if to is None:
        to = _shifted(call, number, args.by or words[0])
    moment = to
    _show_changed(context, [call(lambda orchestrator: orchestrator.check_ins.move(number, to=moment))], now)


def _moment(word: str, now: float) -> float:
    span, at_clock = span_of(word), clock_of(word)
    if span is not None:
        return now + span
    if at_clock is not None:
        return next_at(at_clock, now)
    raise UsageError(f"{word!r} is no time", cause=f"a time is {FORMS}, or now", remedy="tmorch help schedule")


def _shifted(call: Calls, number: CheckInId, by: str) -> float:
    shift = shift_of(by if by[:1] in ("+", "-") else f"+{by}")
    if shift is None:
        raise UsageError(f"{by!r} is no time span", cause="one is 10, 90s, 45m, 2h or 1h30m", remedy="as in: --by -10")
    check_in, _ = call(lambda orchestrator: orchestrator.check_ins.get(number))
    return check_in.due_at + shift


def _reword(args: argparse.Namespace, context: Context, call: Calls) -> None:
    number, note = _number(args.words[1]), readable(args.words[2], context)
    _show_changed(context, [call(lambda orchestrator: orchestrator.check_ins.reword(number, note))], time.time())


def _cancel(args: argparse.Namespace, context: Context, call: Calls) -> None:
    numbers = list(dict.fromkeys(_number(word) for word in args.words[1:]))
    cancelled: list[CheckIn] = []

    async def cancel(orchestrator: Orchestrator) -> None:
        for number in numbers:  # that one is not there must be known before the first is cancelled
            await orchestrator.check_ins.get(number)
        for number in numbers:
            cancelled.append(await orchestrator.check_ins.cancel(number))

    try:
        call(cancel)
    finally:
        if len(cancelled) == len(numbers) or not context.out.as_json:
            _show_changed(context, cancelled, time.time())


def _fire(args: argparse.Namespace, context: Context, call: Calls) -> None:
    number = _number(args.words[1])
    firing = call(lambda orchestrator: orchestrator.check_ins.fire(number))
    check_in, _ = call(lambda orchestrator: orchestrator.check_ins.get(number))
    if context.out.as_json:
        context.out.document({"check_ins": [check_in_document(check_in)], "firing": firing_document(firing)})
        return
    context.out.line(f"fired: message {firing.message} to {firing.target}")
    if check_in.is_active:
        context.out.line(check_in_line(check_in, time.time()))


def _pause(args: argparse.Namespace, context: Context, call: Calls) -> None:
    paused = args.words[0] == "pause"
    team = team_in(call(lambda orchestrator: orchestrator.fleet()), args.words[1]).orchestration.id
    is_new = call(lambda orchestrator: orchestrator.check_ins.pause(team, paused=paused))
    if context.out.as_json:
        fleet = call(lambda orchestrator: orchestrator.fleet())
        context.out.document({"check_ins": [], "paused": _paused_teams(fleet), "is_new": is_new})
        return
    now, before = ("are paused", "were paused already") if paused else ("fire again", "were not paused")
    context.out.line(f"the check-ins of {team} {now if is_new else before}")


def _show_changed(context: Context, check_ins: list[CheckIn], now: float) -> None:
    if context.out.as_json:
        context.out.document({"check_ins": [check_in_document(check_in) for check_in in check_ins]})
    else:
        context.out.lines(check_in_line(check_in, now) for check_in in check_ins)


def _number(word: str) -> CheckInId:
    if not (word.isdecimal() and word.isascii()):
        raise UsageError(f"{word!r} is not the number of a check-in", remedy="tmorch schedule list shows the numbers")
    return CheckInId(int(word))


VERBS = {
    "list": Verb(_list, "list [TARGET] [--all]", 0, 1, ("all",)),
    "show": Verb(_show, "show N", 1, 1),
    "move": Verb(_move, "move N WHEN, or: move N --by -10", 1, 2, ("by",)),
    "note": Verb(_reword, 'note N "look at the tests"', 2, 2),
    "cancel": Verb(_cancel, "cancel N…", 1, math.inf),
    "fire": Verb(_fire, "fire N", 1, 1),
    "pause": Verb(_pause, "pause TEAM", 1, 1),
    "resume": Verb(_pause, "resume TEAM", 1, 1),
}
"""By the words that are reserved as the first one; anything else there says when a new one is due."""
