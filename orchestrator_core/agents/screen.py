"""From a picture of an agent's screen to what it shows. Pure, and quick: it runs for every agent every second.

The prompt box decides: where there is one, the rows below it say whether the agent works, and only what follows
the newest message above it can be a current limit or error. Without a box, what follows the last full-width rule
is a dialog. Scrollback is never looked at. Rows may be missing or covered, and a person's status line or an agent's
reply may say anything: a state is told only when a row that is the agent's own says so, and is NONE else.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from orchestrator_core.agents.choices import Choice
from orchestrator_core.agents.dialogs import read_dialog
from orchestrator_core.agents.footer import Footer, read_footer
from orchestrator_core.agents.rows import Rows
from orchestrator_core.agents.screen_patterns import Patterns
from orchestrator_core.agents.transcript import Transcript, read_transcript
from orchestrator_core.models.pane import PaneFrame

__all__ = ["Choice", "Reading", "ScreenState", "read_screen"]

RETRY = "shows that a request is tried again"
EMPTY = "shows an empty prompt"
DRAFT = "shows unsent text at its prompt"
UNTOLD = ", but not whether anything runs"


class ScreenState(StrEnum):
    """What a screen shows an agent to be."""

    READY = "ready"
    BUSY = "busy"
    DIALOG = "dialog"
    LIMIT = "limit"
    """It has hit a usage limit and takes text, but will not act on it."""
    ERROR = "error"
    """An error ended its last turn; it takes text."""
    NONE = "none"
    """Nothing that is known."""


class Reading(Struct, frozen=True, kw_only=True):
    """What an agent's screen shows."""

    state: ScreenState
    says: str = ""
    """The evidence in plain words, to follow "it" or "its screen"."""
    readable: bool = True
    """False for agents without screen patterns: nothing can be told from this screen, ever."""
    dialog: str = ""
    """The name of the open dialog, as in the pattern file."""
    gate: bool = False
    """The dialog may stand before the first prompt."""
    detail: str = ""
    """The command or question a dialog asks about, or the text of the limit or error."""
    cut: bool = False
    """The dialog begins above the screen: `detail` is the end of what it asks about."""
    choices: tuple[Choice, ...] = ()
    """Of the open dialog, from top to bottom; empty when it has none or they cannot be read."""
    more_choices: bool = False
    """It has choices that are out of sight."""
    multi: bool = False
    """More than one choice may be ticked before the answer is submitted: picking one answers nothing yet."""
    question_tabs: tuple[str, ...] = ()
    """The names of the questions of this dialog, which are answered one after the other."""
    has_prompt: bool = False
    """The prompt box is there: text typed now goes into it."""
    draft: str = ""
    """Text that lies unsent at the prompt, without a placeholder; rows as they are wrapped on screen."""
    pasted: bool = False
    """A fold that stands for a long paste lies at the prompt."""
    queued: bool = False
    """Submitted text waits for the end of the turn."""
    doing: str = ""
    """What it shows it is doing now, without running seconds; empty unless busy."""
    last_prompt: str = ""
    """The newest submitted message to be seen; empty when it has scrolled away."""
    turn_ended: bool = False
    """It says that a turn has ended: it had a prompt, though that may have scrolled away."""
    retrying: bool = False
    background: bool = False
    """A shell of the agent's runs on although its turn has ended."""
    resumes: bool = False
    """It says that it will continue by itself when the limit resets."""


UNREADABLE = Reading(state=ScreenState.NONE, readable=False, says="runs; this kind of agent shows no status")


def read_screen(frame: PaneFrame, patterns: Patterns) -> Reading:
    """Return what `frame` shows by `patterns`. Never raises for what a program may have drawn."""
    if patterns.prompt is not None:
        return _read_line_prompt(frame, patterns)
    if not patterns.readable:
        return UNREADABLE
    rows = Rows(frame.lines[frame.history :])
    box = find_box(rows, patterns)
    if box is None:
        return _read_dialog(rows, patterns)
    return _read_box(rows, box, patterns)


class Box(Struct, frozen=True):
    """Where the prompt box is: the rows of its two rules."""

    top: int
    bottom: int


def find_box(rows: Rows, patterns: Patterns) -> Box | None:
    """Return the box, when the last two full-width rules enclose a prompt."""
    bottom = rows.last_rule(len(rows))
    if bottom is None or not rows.text(bottom).startswith(patterns.box.rule):
        return None
    top = rows.last_rule(bottom)
    if top is None or top + 1 >= bottom or not rows.text(top + 1).startswith(patterns.box.prompts):
        return None
    return Box(top, bottom)


def _read_box(rows: Rows, box: Box, patterns: Patterns) -> Reading:
    draft, placeholder = _read_draft(rows, box, patterns)
    transcript = read_transcript(rows, box.top, patterns)
    footer = read_footer(rows, box.bottom + 1, patterns)
    state, says, detail = _judge_box(transcript, footer, patterns, has_draft=bool(draft))
    is_busy = state is ScreenState.BUSY
    return Reading(
        state=state,
        says=says,
        detail=detail,
        has_prompt=True,
        draft=draft,
        pasted=bool(patterns.box.pasted) and patterns.box.pasted in draft,
        queued=transcript.queued or placeholder.startswith(patterns.box.placeholder_queued or "\0"),
        doing=transcript.doing if is_busy else "",
        last_prompt=transcript.last_prompt,
        turn_ended=transcript.turn_ended,
        retrying=is_busy and transcript.retrying,
        background=footer.background,
        resumes=state is ScreenState.LIMIT and bool(footer.limit),
    )


def _judge_box(
    transcript: Transcript, footer: Footer, patterns: Patterns, *, has_draft: bool
) -> tuple[ScreenState, str, str]:
    """Return the state, what speaks for it, and the text of a limit or error.

    The mode's row leaves out how to interrupt while something is typed: with a draft it does not tell that nothing
    runs, and suggestions for the draft may cover the spinner.
    """
    prompt = DRAFT if has_draft else EMPTY
    if transcript.spinning or (footer.is_busy and not transcript.at_rest):
        says = (
            RETRY if transcript.retrying else f"shows “{patterns.busy_mark}”" if footer.is_busy else "shows a spinner"
        )
        return ScreenState.BUSY, says, ""
    if footer.is_busy or (has_draft and transcript.covered):
        return ScreenState.NONE, prompt + UNTOLD, ""
    if footer.resumes or transcript.limit:
        return ScreenState.LIMIT, "shows a usage limit", transcript.limit or footer.limit
    if transcript.error:
        return ScreenState.ERROR, "shows an error that ended its turn", transcript.error
    tells = footer.is_whole and transcript.in_sight and not has_draft
    if footer.limit or not (transcript.at_rest or tells):
        return ScreenState.NONE, prompt + UNTOLD, ""
    return ScreenState.READY, prompt, ""


def _read_draft(rows: Rows, box: Box, patterns: Patterns) -> tuple[str, str]:
    """Return what lies at the prompt and which placeholder stands there; one of them is empty.

    A placeholder is a reversed first letter and the rest dim. What is dim after typed text is a suggestion.
    """
    typed: list[str] = []
    dim: list[str] = []
    for row in range(box.top + 1, box.bottom):
        plain, faint = rows.plain_and_dim(row)
        if row == box.top + 1:
            prompt = next(p for p in patterns.box.prompts if rows.text(row).startswith(p))
            plain = plain.removeprefix(prompt.rstrip("\u00a0")).removeprefix("\u00a0")
            plain = prompt + plain if prompt in patterns.box.typed_prompts else plain
        else:
            plain = plain.removeprefix(" " * patterns.box.indent)
        typed.append(plain.rstrip())
        dim.append(faint)
    draft = "\n".join(typed).strip()
    return draft, "" if draft else "".join(dim).strip()


def _read_dialog(rows: Rows, patterns: Patterns) -> Reading:
    found = read_dialog(rows, patterns)
    if found is None:
        return Reading(state=ScreenState.NONE, says="shows neither a prompt nor a dialog that is known")
    return Reading(
        state=ScreenState.DIALOG,
        says=found.pattern.says,
        dialog=found.pattern.name,
        gate=found.pattern.gate,
        detail=found.detail,
        cut=found.cut,
        choices=found.choices,
        more_choices=found.more_choices,
        multi=found.multi,
        question_tabs=found.tabs,
    )


def _read_line_prompt(frame: PaneFrame, patterns: Patterns) -> Reading:
    """Read an agent that takes text on the row of the cursor."""
    rows = Rows(frame.lines[frame.history :])
    row = min(frame.cursor.y, len(rows) - 1)
    text = rows.text(row) if row >= 0 else ""
    found = patterns.prompt.search(text + " ") if patterns.prompt else None
    if found is None:
        return Reading(state=ScreenState.BUSY, says="shows no prompt on the row of the cursor")
    draft = text[found.end() :].strip()
    return Reading(state=ScreenState.READY, says=DRAFT if draft else EMPTY, has_prompt=True, draft=draft)
