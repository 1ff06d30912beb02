"""From evidence to a status. Pure.

The process is asked first: a program that was killed leaves its screen behind, prompt, spinner and all. Then its own
session file, its hooks and its screen each have a view. Two that agree are believed. Hooks may end without a word,
so a screen that shows otherwise outvotes an old one; a session file and a screen that go on to differ are `unknown`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePath

from msgspec.structs import replace

from orchestrator_core.agents.driver import Driver, GatePolicy
from orchestrator_core.agents.evidence import Evidence, Judgement, ProcessEvidence
from orchestrator_core.agents.screen import Reading, ScreenState
from orchestrator_core.agents.views import (
    USAGE_LIMIT,
    Stance,
    View,
    exact_dialog,
    hook_view,
    richest,
    screen_view,
    session_view,
    unseen,
)
from orchestrator_core.models.agent import Agent, AgentStatus, Verdict
from orchestrator_core.models.evidence import Source, Weight
from orchestrator_core.models.hook import HookClaim

SHELLS = frozenset(
    (
        *("sh", "ash", "bash", "busybox", "csh", "dash", "elvish", "fish", "ksh", "ksh93", "mksh", "nu", "osh"),
        *("pwsh", "rbash", "tcsh", "xonsh", "yash", "zsh"),
    )
)
GATES = frozenset(("trust", "bypass", "mcp", "apikey", "auto_nudge", "settings", "login", "resume"))
"""Dialogs that may stand before the first prompt: after one of them, an empty screen is still a start."""
GRACE_S = 3.0
"""For how long sources may differ, as they do while an agent goes from one state to the next."""
HOOK_HOLDS_S = 60.0
"""How long a hook is believed that nothing backs, of a state that may end without another hook."""
JUST_ENDED = "its program has just ended"
HOW_IS_UNKNOWN = "its program has ended without an exit code, as by a signal"
NOT_READ = Verdict(status=AgentStatus.UNKNOWN, reason="its screen has not been read yet")


def is_agent_process(pane_command: str, pid: int, agent: Agent, driver: Driver) -> bool:
    """Whether the program in front in a pane is the agent's own, so that text may go to it.

    `pane_command` and `pid` are tmux's `pane_current_command` and `pane_pid`. A shell is never an agent, whatever
    the settings call one, and neither is the right program in a pane that was restarted by somebody else.
    """
    name = PurePath(pane_command).name.removeprefix("-")
    if not name or name in SHELLS:
        return False
    if agent.pid is not None and pid != agent.pid:
        return False
    return any(fnmatchcase(name, pattern) for pattern in driver.process_names)


def judge(evidence: Evidence, *, previous: Agent, now: float) -> Judgement:
    """Return the status that the evidence speaks for; `previous` is the agent as it stood before."""
    process = evidence.process
    verdict = _of_ended(process, previous) or _of_stranger(process, previous)
    if verdict is not None:
        return Judgement(verdict=verdict, weights=_outdated(evidence))
    session = session_view(evidence)
    hook = hook_view(evidence, previous)
    screen = screen_view(evidence.reading)
    found = (
        _by_session(session, hook, screen, evidence, now)
        or _by_hook(hook, screen, now)
        or _by_screen(screen, evidence.reading, previous, now)
    )
    weights = {**_uncounted(evidence, session), **found.weights}
    return replace(found, verdict=_lasting(found.verdict, evidence, previous), weights=weights)


def at_gate(verdict: Verdict, previous: Agent, driver: Driver) -> Verdict:
    """Count an agent at a start-up gate that the settings answer as starting: no person is needed."""
    policy = driver.gates.get(verdict.waiting_for, GatePolicy.ASK)
    if verdict.status is not AgentStatus.WAITING or policy is GatePolicy.ASK:
        return verdict
    if previous.status is not AgentStatus.STARTING:
        return verdict
    reason = f"its {verdict.waiting_for} dialog is being answered as the settings say"
    return Verdict(status=AgentStatus.STARTING, reason=reason, waiting_for=verdict.waiting_for)


def limit_met_at(evidence: Evidence, previous: Agent, now: float) -> float:
    """Return when an agent that is held by a usage limit met it, as far as is known."""
    if evidence.hook is not None and evidence.hook.claim is HookClaim.LIMITED:
        return evidence.hook.at
    return previous.status_since if previous.status is AgentStatus.LIMITED else now


def limit_texts(evidence: Evidence) -> tuple[str, ...]:
    """Return what an agent that is held by a usage limit says of it, what is sure to be current first."""
    reading, hook = evidence.reading, evidence.hook
    is_shown = reading is not None and (reading.state is ScreenState.LIMIT or reading.dialog == USAGE_LIMIT)
    on_screen = (reading.detail,) if reading is not None and is_shown else ()
    return (*on_screen, hook.detail) if hook is not None and hook.claim is HookClaim.LIMITED else on_screen


# --- by its process


def _of_ended(process: ProcessEvidence, previous: Agent) -> Verdict | None:
    if not process.exists:
        return Verdict(status=AgentStatus.EXITED, reason="its pane is gone")
    if not process.dead:
        return None
    if process.exit_status is None:
        return _of_unknown_end(previous)
    status = AgentStatus.FAILED if process.exit_status else AgentStatus.EXITED
    return Verdict(status=status, reason=f"its program ended with exit code {process.exit_status}")


def _of_unknown_end(previous: Agent) -> Verdict:
    """Judge a dead pane without an exit code. tmux knows of the end a moment before it knows how it came."""
    if not previous.status.is_live or previous.reason == JUST_ENDED:
        return Verdict(status=AgentStatus.FAILED, reason=HOW_IS_UNKNOWN)
    is_starting = previous.status is AgentStatus.STARTING
    return Verdict(status=AgentStatus.STARTING if is_starting else AgentStatus.UNKNOWN, reason=JUST_ENDED)


def _of_stranger(process: ProcessEvidence, previous: Agent) -> Verdict | None:
    """Judge a pane in which something else is in front."""
    if process.is_agent:
        return None
    name = PurePath(process.command).name.removeprefix("-") or "another program"
    if previous.status is AgentStatus.STARTING:
        return Verdict(status=AgentStatus.STARTING, reason=f"{name} is still in front in its pane")
    if previous.pid is not None and process.pid != previous.pid:
        return Verdict(status=AgentStatus.EXITED, reason=f"its pane was restarted with {name}")
    if name in SHELLS:
        return Verdict(status=AgentStatus.EXITED, reason=f"its program is gone: a shell ({name}) is in front")
    return Verdict(status=AgentStatus.UNKNOWN, reason=f"{name} is in front in its pane")


def _outdated(evidence: Evidence) -> dict[Source, Weight]:
    """Return the weights when the process has decided: what the others say was said before."""
    said = {
        Source.SESSION: evidence.session is not None,
        Source.HOOKS: evidence.hook is not None,
        Source.SCREEN: evidence.reading is not None,
    }
    return {
        Source.PROCESS: Weight.DECIDES,
        **{source: Weight.STALE if has_said else Weight.SILENT for source, has_said in said.items()},
    }


def _uncounted(evidence: Evidence, session: View | None) -> dict[Source, Weight]:
    """Return the weights while the agent's own program is in front, before any view has been counted."""
    is_strange_session = session is None and evidence.session is not None and not evidence.is_own_session
    is_silent_hook = evidence.hook is None or evidence.hook.claim in (HookClaim.STARTING, HookClaim.ENDED)
    return {
        Source.PROCESS: Weight.AGREES,
        Source.SESSION: Weight.STALE if is_strange_session else Weight.SILENT,
        Source.HOOKS: Weight.SILENT if is_silent_hook else Weight.STALE,
        Source.SCREEN: Weight.SILENT,
    }


# --- by what its sources see


def _by_session(
    session: View | None, hook: View | None, screen: View | None, evidence: Evidence, now: float
) -> Judgement | None:
    if session is None:
        return None
    if screen is None or _is_held_back(session, evidence.reading):
        return _agreed(session, hook, None, now)
    if screen.stance is session.stance:
        return _agreed(session, hook, screen, now)
    if hook is not None and hook.stance is screen.stance and hook.at > session.at:
        return _by_both(hook, screen, {Source.SESSION: Weight.STALE}, now)
    since = now if evidence.disagreeing_since is None else max(evidence.disagreeing_since, session.at)
    weights = {Source.SESSION: Weight.DISAGREES, Source.SCREEN: Weight.DISAGREES, **_against(hook, session, now)}
    if now - since >= GRACE_S:
        return Judgement(verdict=_disputed(session, screen), weights=weights, is_disputed=True)
    leading = screen if screen.stance is Stance.ASKS else session
    weights[leading.source] = Weight.DECIDES
    return Judgement(verdict=leading.verdict, weights=weights, is_disputed=True, is_passing=True)


def _is_held_back(session: View, reading: Reading | None) -> bool:
    """Whether a dialog waits, unseen, for the person to stop typing, as Claude Code has it wait."""
    return session.stance is Stance.ASKS and reading is not None and bool(reading.draft)


def _agreed(session: View, hook: View | None, screen: View | None, now: float) -> Judgement:
    """Judge by the session file and a screen that shows the same or nothing."""
    agreeing = [view for view in (screen, session) if view is not None]
    if hook is None:
        return _decided(session, {}, agreeing)
    is_young = now - hook.at < GRACE_S and hook.verdict.status is not agreeing[0].verdict.status
    if hook.stance is session.stance and not hook.is_older_than(session) and not _is_over(hook, screen, now):
        agreeing.insert(1, hook)
    return replace(_decided(session, _against(hook, session, now), agreeing), is_passing=is_young)


def _is_over(hook: View, screen: View | None, now: float) -> bool:
    """Whether a limit or an error that a hook told of is not to be seen any more."""
    is_seen = screen is None or screen.verdict.status is not AgentStatus.IDLE
    return not is_seen and hook.verdict.status is not AgentStatus.IDLE and now - hook.at >= GRACE_S


def _by_both(hook: View, screen: View, others: dict[Source, Weight], now: float) -> Judgement:
    """Judge by a hook and a screen with one stance."""
    if _is_over(hook, screen, now):
        return _decided(screen, {**others, Source.HOOKS: Weight.STALE}, (screen,))
    is_young = now - hook.at < GRACE_S and hook.verdict.status is not screen.verdict.status
    return replace(_decided(hook, others, (screen, hook)), is_passing=is_young)


def _by_hook(hook: View | None, screen: View | None, now: float) -> Judgement | None:
    if hook is None:
        return None
    if screen is None:
        holds = hook.stance is Stance.RESTS or now - hook.at <= HOOK_HOLDS_S
        return _decided(hook, {}, (hook,)) if holds else None
    if screen.stance is hook.stance:
        return _by_both(hook, screen, {}, now)
    is_young = now - hook.at < GRACE_S
    if is_young and screen.stance is not Stance.ASKS:
        found = _decided(hook, {Source.SCREEN: Weight.DISAGREES}, (hook,))
    else:
        found = _decided(screen, {Source.HOOKS: Weight.STALE}, (screen,))
    return replace(found, is_passing=is_young)


def _by_screen(screen: View | None, reading: Reading | None, previous: Agent, now: float) -> Judgement:
    weights = {} if reading is None else {Source.SCREEN: Weight.DECIDES}
    if screen is not None:
        return Judgement(verdict=screen.verdict, weights=weights)
    is_start = previous.status is AgentStatus.STARTING or previous.waiting_for in GATES
    if is_start and (reading is None or (reading.readable and not reading.has_prompt)):
        return Judgement(verdict=_of_start(previous, now), weights={Source.PROCESS: Weight.DECIDES})
    return Judgement(verdict=NOT_READ if reading is None else unseen(reading), weights=weights)


def _of_start(previous: Agent, now: float) -> Verdict:
    minutes = int((now - previous.status_since) / 60)
    since = f" for {minutes} min" if minutes and previous.status is AgentStatus.STARTING else " yet"
    return Verdict(status=AgentStatus.STARTING, reason=f"its program runs, but has shown no prompt{since}")


def _decided(by: View, others: dict[Source, Weight], agreeing: Sequence[View]) -> Judgement:
    """Judge by views with one stance: the trusted one decides, unless another tells of a limit or an error."""
    teller = richest(agreeing)
    decider = by if by.verdict.status is teller.verdict.status else teller
    weights = {**others, **{view.source: Weight.AGREES for view in agreeing}, decider.source: Weight.DECIDES}
    return Judgement(verdict=teller.verdict, weights=weights)


def _against(hook: View | None, decisive: View, now: float) -> dict[Source, Weight]:
    """Return what a hook counts for beside a source that is trusted more."""
    if hook is None:
        return {}
    if hook.verdict.status is decisive.verdict.status:
        return {Source.HOOKS: Weight.AGREES}
    is_over = hook.is_older_than(decisive) or now - hook.at >= GRACE_S
    return {Source.HOOKS: Weight.STALE if is_over else Weight.DISAGREES}


def _disputed(session: View, screen: View) -> Verdict:
    """Return that the two differ. A dialog that is to be seen stays known: somebody may have to answer it."""
    return Verdict(
        status=AgentStatus.UNKNOWN,
        reason=f"{session.verdict.reason}, but {screen.verdict.reason}",
        waiting_for=screen.verdict.waiting_for,
        dialog=screen.verdict.dialog,
    )


def _lasting(verdict: Verdict, evidence: Evidence, previous: Agent) -> Verdict:
    """Return the verdict with its dialog as it was first seen: that a cursor moves is no news."""
    if verdict.dialog is None:
        return verdict
    dialog = exact_dialog(verdict.dialog, evidence.hook)
    known = previous.dialog
    if known is not None and known.fingerprint == dialog.fingerprint:
        dialog = known if dialog.detail == dialog.seen else replace(known, detail=dialog.detail)
    return replace(verdict, dialog=dialog)
