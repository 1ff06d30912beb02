"""What each source sees an agent do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from orchestrator_core.agents.evidence import Evidence
from orchestrator_core.agents.screen import Reading, ScreenState
from orchestrator_core.models.agent import Agent, AgentStatus, Verdict
from orchestrator_core.models.dialog import OpenDialog
from orchestrator_core.models.evidence import Source
from orchestrator_core.models.hook import HookClaim, HookFact

USAGE_LIMIT = "usage_limit"
"""The dialog that a usage limit opens: it ends with the limit, not with a person's answer."""
ERROR = "error"
REASON_CHARACTERS = 160
LAG_S = 2.0
"""How far apart two sources may tell of one moment."""
SESSION_DIALOGS = {"permission prompt": "permission", "input needed": "question", "dialog open": "other"}
"""The pattern file's names for what a session file waits for."""


class Stance(StrEnum):
    """What an agent does, as coarsely as every source can tell."""

    RESTS = "rests"
    """It takes text; a limit or an error may have ended its turn."""
    WORKS = "works"
    ASKS = "asks"
    """A dialog is open."""


class View(Struct, frozen=True, kw_only=True):
    """What one source sees."""

    source: Source
    stance: Stance
    verdict: Verdict
    at: float = 0.0
    """Since when it says so; 0 when it does not tell."""

    def is_older_than(self, other: View) -> bool:
        """Whether the other one tells of a later moment."""
        return self.at < other.at - LAG_S


def richest(views: Sequence[View]) -> View:
    """Return the view that tells most, of some with the same stance: one of no plain rest, else the first."""
    return next((view for view in views if view.verdict.status is not AgentStatus.IDLE), views[0])


# --- its session file


def session_view(evidence: Evidence) -> View | None:
    """Return what the agent's session file says; None when there is none of it, or in words we do not know."""
    session = evidence.session
    if session is None or not evidence.is_own_session:
        return None
    stance = {
        "idle": Stance.RESTS,
        "shell": Stance.RESTS,
        "busy": Stance.WORKS,
        "waiting": Stance.ASKS,
    }.get(session.status)
    if stance is None:
        return None
    return View(
        source=Source.SESSION,
        stance=stance,
        verdict=_of_session(stance, session.status, session.waiting_for),
        at=session.status_at or 0.0,
    )


def _of_session(stance: Stance, status: str, waiting_for: str) -> Verdict:
    said = "its session file says that it"
    match stance:
        case Stance.RESTS:
            background = "; a shell of its own still runs" if status == "shell" else ""
            return Verdict(status=AgentStatus.IDLE, reason=f"{said} is idle{background}")
        case Stance.WORKS:
            return Verdict(status=AgentStatus.WORKING, reason=f"{said} is busy")
    words = waiting_for.strip() or "a dialog"
    return Verdict(
        status=AgentStatus.WAITING,
        reason=cut(f"{said} waits: {words}"),
        waiting_for=SESSION_DIALOGS.get(words, "other"),
    )


# --- its hooks


def hook_view(evidence: Evidence, previous: Agent) -> View | None:
    """Return what the agent's latest hook told; None when there is none, or none of its conversation."""
    fact = evidence.hook
    if fact is None or not _is_same_conversation(fact, evidence, previous):
        return None
    found = _of_hook(fact)
    return found and View(source=Source.HOOKS, stance=found[0], verdict=found[1], at=fact.at)


def _is_same_conversation(fact: HookFact, evidence: Evidence, previous: Agent) -> bool:
    own = {previous.conversation}
    if evidence.session is not None and evidence.is_own_session:
        own.add(evidence.session.conversation)
    return not previous.conversation or fact.conversation in own


def _of_hook(fact: HookFact) -> tuple[Stance, Verdict] | None:
    detail = " ".join(fact.detail.split())
    about = f": {detail}" if detail else ""
    match fact.claim:
        case HookClaim.WORKING:
            return Stance.WORKS, Verdict(status=AgentStatus.WORKING, reason=f"its hook {fact.event} says it works")
        case HookClaim.IDLE:
            background = "; something of its own still runs" if fact.has_background else ""
            reason = f"its hook {fact.event} says it rests{background}"
            return Stance.RESTS, Verdict(status=AgentStatus.IDLE, reason=reason)
        case HookClaim.WAITING:
            reason = cut(f"its hook {fact.event} says it asks{about}")
            return Stance.ASKS, Verdict(status=AgentStatus.WAITING, reason=reason, waiting_for="other")
        case HookClaim.FAILED:
            reason = cut(f"an error ended its turn{about}")
            return Stance.RESTS, Verdict(status=AgentStatus.WAITING, reason=reason, waiting_for=ERROR)
        case HookClaim.LIMITED:
            return Stance.RESTS, Verdict(status=AgentStatus.LIMITED, reason=cut(f"it has hit a usage limit{about}"))
    return None


# --- its screen


def screen_view(reading: Reading | None) -> View | None:
    """Return what the agent's screen shows; None when it shows nothing that is known."""
    found = None if reading is None else _of_screen(reading, sentence(reading))
    return found and View(source=Source.SCREEN, stance=found[0], verdict=found[1])


def unseen(reading: Reading) -> Verdict:
    """Return that a screen shows nothing that is known."""
    return Verdict(status=AgentStatus.UNKNOWN, reason=sentence(reading))


def _of_screen(reading: Reading, reason: str) -> tuple[Stance, Verdict] | None:
    match reading.state:
        case ScreenState.DIALOG:
            is_limit = reading.dialog == USAGE_LIMIT
            status = AgentStatus.LIMITED if is_limit else AgentStatus.WAITING
            dialog = dialog_of(reading)
            return Stance.ASKS, Verdict(status=status, reason=reason, waiting_for=dialog.name, dialog=dialog)
        case ScreenState.LIMIT:
            return Stance.RESTS, Verdict(status=AgentStatus.LIMITED, reason=reason)
        case ScreenState.ERROR:
            return Stance.RESTS, Verdict(status=AgentStatus.WAITING, reason=reason, waiting_for=ERROR)
        case ScreenState.BUSY:
            return Stance.WORKS, Verdict(status=AgentStatus.WORKING, reason=reason, doing=reading.doing)
        case ScreenState.READY:
            return Stance.RESTS, Verdict(status=AgentStatus.IDLE, reason=reason)
    return None


def sentence(reading: Reading) -> str:
    """Return what a screen shows as a sentence about its agent."""
    detail = " ".join(reading.detail.split())
    text = f"it {reading.says}" + (f": {detail}" if detail else "")
    if reading.background and reading.state is ScreenState.READY:
        text += "; a shell of its own still runs"
    return cut(text)


def cut(text: str) -> str:
    """Return `text` as a reason may be: in one line, and not too long."""
    text = " ".join(text.split())
    return text if len(text) <= REASON_CHARACTERS else text[: REASON_CHARACTERS - 1] + "…"


def dialog_of(reading: Reading) -> OpenDialog:
    """Return the dialog on a screen whose state is DIALOG."""
    return OpenDialog(
        name=reading.dialog,
        detail=reading.detail,
        seen=reading.detail,
        choices=reading.choices,
        is_gate=reading.gate,
    )


def exact_dialog(dialog: OpenDialog, fact: HookFact | None) -> OpenDialog:
    """Return the dialog with the whole text that a hook told of it, if what is on screen is a part of that text.

    An agent may ask for several things at once, and the latest hook be about another one.
    """
    if fact is None or fact.claim is not HookClaim.WAITING:
        return dialog
    seen = "".join(dialog.seen.split()).rstrip("…")
    is_same = bool(seen) and seen in "".join(fact.detail.split())
    return replace(dialog, detail=fact.detail) if is_same else dialog
