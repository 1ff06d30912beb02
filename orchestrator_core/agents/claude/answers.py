"""What Claude Code has printed when it was asked about a spec: an analysis, or one sentence why there is none. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from orchestrator_core.agents.limits import DOOMSDAY, EPOCH, USED_UP, UsageWindow
from orchestrator_core.models.analysis import Action, Analysis, AnalysisSource, Size, Suggestion
from orchestrator_core.models.credit import FIVE_HOUR
from orchestrator_core.models.spec import Phase

Json = dict[str, Any]
NO_PLAN = "its answer was no plan"
NOTHING = "it answered nothing"
NOT_LOGGED_IN = "nobody is logged in to Claude Code"

MOST_PHASES, MOST_TASKS, MOST_LINES, MOST_SUGGESTIONS = 12, 20, 20, 15
SUMMARY, NAME, LINE, WORD = 800, 120, 300, 60
"""How long texts may be."""
MOST_HOURS = 100_000.0
_MOST_PROSE = 200_000
_MOST_NUMBER = 1e12
_MOST_TRIES = 500
_LINES_OF = 4

_TEXT: Json = {"type": "string"}
_TEXTS: Json = {"type": "array", "items": _TEXT}
_HOURS: Json = {"type": ["number", "null"], "description": "Hours of work for one agent; null when nobody can say."}


def _object(required: tuple[str, ...], **properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


SCHEMA: Json = _object(
    ("summary", "phases", "size", "size_basis", "hours", "success_criteria", "deliverables", "suggestions"),
    summary={**_TEXT, "description": "What is to be made and for whom: two or three sentences."},
    phases={
        "type": "array",
        "items": _object(("name", "tasks", "hours"), name=_TEXT, tasks=_TEXTS, hours=_HOURS),
        "description": f"In their order, {MOST_PHASES} at most, with {MOST_TASKS} tasks at most each.",
    },
    size={"type": "string", "enum": [size.value for size in Size]},
    size_basis={**_TEXT, "description": "What the size rests on, in one line."},
    hours=_HOURS,
    success_criteria={**_TEXTS, "description": "Those that the spec lacks, each one that can be checked."},
    deliverables={**_TEXTS, "description": "Empty when the spec lists its own."},
    suggestions={
        "type": "array",
        "items": _object(
            ("action", "role", "why"),
            action={"type": "string", "enum": [action.value for action in Action]},
            role={**_TEXT, "description": "The key of a role of the catalogue."},
            why={**_TEXT, "description": "One sentence that names what in the spec or the project speaks for it."},
        ),
    },
)
"""What an answer is asked to look like. What comes is read more kindly: see `Answer`."""


class GivenPhase(Struct, frozen=True, kw_only=True):
    """A phase as it came."""

    name: str
    tasks: tuple[str, ...] = ()
    hours: float | None = None


class GivenSuggestion(Struct, frozen=True, kw_only=True):
    """A suggestion as it came."""

    action: Action
    role: str
    why: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """An answer as it came; without a summary and phases it is none."""

    summary: str
    phases: tuple[GivenPhase, ...]
    size: str | None = None
    size_basis: str = ""
    hours: float | None = None
    success_criteria: tuple[str, ...] = ()
    deliverables: tuple[str, ...] = ()
    suggestions: tuple[GivenSuggestion, ...] = ()


class Reading(Struct, frozen=True, kw_only=True):
    """What came of asking: an analysis, whose suggestions nobody has judged yet, or why there is none."""

    analysis: Analysis | None = None
    because: str = ""
    """One plain sentence, without a full stop; empty when there is an analysis."""
    model: str = ""
    cost_usd: float | None = None
    windows: Mapping[str, UsageWindow] = {}
    """What was told of the account's windows, by name."""


def read_answer(stdout: str, stderr: str, returncode: int | None, *, budget_usd: float) -> Reading:
    """Return what a program that has ended says: `stdout` as events, as one envelope, or as the bare answer."""
    events = _events(stdout)
    result = next((event for event in reversed(events) if event.get("type") == "result"), None)
    model, cost = _model(events), _number((result or {}).get("total_cost_usd"))
    analysis, because = _without_envelope(stdout, stderr, returncode) if result is None else _enveloped(result, events)
    if because == _BUDGET:
        because = f"it would have cost more than ${budget_usd:g}"
    return Reading(analysis=analysis, because=because, model=model, cost_usd=cost, windows=_windows(events))


# --- envelopes -------------------------------------------------------------------------------------------------------

_BUDGET = "error_max_budget_usd"
_NO_STRUCTURE = "error_max_structured_output_retries"
_LIMIT = re.compile(r"\byour (?P<name>[\w\- ]{1,40}? limit)\b(?:.*?\bresets? (?:at )?(?P<at>[^·\n]{1,60}))?", re.DOTALL)
_NO_LOGIN = re.compile(r"not logged in|please run /login|\bclaude login\b|no api key", re.IGNORECASE)


def _events(stdout: str) -> list[Json]:
    """Return every JSON object that has a line of its own; a line may also hold a list of them."""
    found: list[Json] = []
    for line in stdout.split("\n"):
        if line.startswith(("{", "[")):
            value = _decoded(line)
            found += [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]
    if found:
        return found
    whole = _decoded(stdout) if stdout.lstrip().startswith("{") else None
    return [whole] if isinstance(whole, dict) else []


def _enveloped(result: Json, events: list[Json]) -> tuple[Analysis | None, str]:
    subtype, said = str(result.get("subtype") or ""), result.get("result")
    if result.get("is_error") or subtype.startswith("error"):
        return None, _failed(result, subtype, events)
    given = _answer_of(result.get("structured_output"))
    if given is None and isinstance(said, str):
        given = _in_prose(said)
    return (_analysis(given), "") if given else (None, NO_PLAN)


def _failed(result: Json, subtype: str, events: list[Json]) -> str:
    if subtype == _BUDGET:
        return _BUDGET
    if subtype == _NO_STRUCTURE:
        return NO_PLAN
    said = _said(result, subtype)
    limit = _LIMIT.search(said)
    if result.get("api_error") == "usage_limit_reached" or (limit and limit["at"]):
        return _limited(said, events)
    if _NO_LOGIN.search(said):
        return NOT_LOGGED_IN
    if result.get("api_error_status") in (401, 403):
        return f"Claude Code's login was refused: {said}"
    return f"Claude Code met an error: {said}"


def _said(result: Json, subtype: str) -> str:
    errors = result.get("errors")
    texts = [result.get("result"), *(errors if isinstance(errors, list) else ()), result.get("api_error")]
    said = next((clean(text, LINE) for text in texts if isinstance(text, str) and text.strip()), "")
    return said.rstrip(".") or clean(subtype, WORD) or "it did not say which"


def _limited(said: str, events: list[Json]) -> str:
    found = _LIMIT.search(said)
    name = found["name"] if found else "usage limit"
    at = (found["at"] or "").strip().rstrip(".") if found else ""
    at = at or _reset(events)
    resets = f"; it resets {'on' if at[:1].isalpha() else 'at'} {at}" if at else ""
    return f"the {name} is reached{resets}"


def _reset(events: list[Json]) -> str:
    """Return when the limit resets by the newest event that tells; empty when none does."""
    told = [event.get("rate_limit_info") for event in reversed(events) if event.get("type") == "rate_limit_event"]
    at = next((_number(info.get("resetsAt")) for info in told if isinstance(info, dict)), None)
    if at is None or not EPOCH < at < DOOMSDAY:
        return ""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M (UTC)")


def _windows(events: list[Json]) -> dict[str, UsageWindow]:
    """Return the windows that the events tell of, the newest word on each; a limit counts as all used."""
    found: dict[str, UsageWindow] = {}
    for event in events:
        info = event.get("rate_limit_info") if event.get("type") == "rate_limit_event" else None
        if isinstance(info, dict):
            unified = info.get("unifiedWindows")
            told = {str(name): each for name, each in unified.items()} if isinstance(unified, dict) else {}
            if info.get("status") == "rejected":
                told[str(info.get("rateLimitType") or FIVE_HOUR)] = info
            found |= {name: window for name, each in told.items() if (window := _window(each)) is not None}
    return found


def _window(told: object) -> UsageWindow | None:
    if not isinstance(told, dict):
        return None
    resets_at, utilization = _number(told.get("resetsAt")), _number(told.get("utilization"))
    if resets_at is None or not EPOCH < resets_at < DOOMSDAY:
        return None
    if told.get("status") == "rejected":
        return UsageWindow(used_percentage=USED_UP, resets_at=resets_at)
    return None if utilization is None else UsageWindow(used_percentage=100 * utilization, resets_at=resets_at)


def _without_envelope(stdout: str, stderr: str, returncode: int | None) -> tuple[Analysis | None, str]:
    if returncode:
        said = clean(stderr, LINE) or clean(stdout, LINE)
        if _NO_LOGIN.search(said):
            return None, NOT_LOGGED_IN
        how = f"was ended by signal {-returncode}" if returncode < 0 else f"ended with exit code {returncode}"
        return None, f"Claude Code {how}: {said.rstrip('.')}" if said else f"Claude Code {how}"
    given = _in_prose(stdout)
    return (_analysis(given), "") if given else (None, NO_PLAN if stdout.strip() else NOTHING)


def _model(events: list[Json]) -> str:
    told = [event.get("model") for event in events if event.get("subtype") == "init"]
    used = [name for event in events if isinstance(event.get("modelUsage"), dict) for name in event["modelUsage"]]
    return next((clean(name, WORD) for name in (*told, *used) if isinstance(name, str) and name), "")


# --- answers ---------------------------------------------------------------------------------------------------------


def _in_prose(text: str) -> Answer | None:
    """Return the first object in `text` that is an answer, whatever stands around it."""
    decoder = json.JSONDecoder()
    given = text[:_MOST_PROSE]
    start = given.find("{")
    for _ in range(_MOST_TRIES):
        if start < 0:
            return None
        try:
            answer = _answer_of(decoder.raw_decode(given, start)[0])
        except (ValueError, RecursionError):
            answer = None
        if answer is not None:
            return answer
        start = given.find("{", start + 1)
    return None


def _answer_of(value: object) -> Answer | None:
    if not isinstance(value, dict):
        return None
    try:
        answer = msgspec.convert({k: v for k, v in value.items() if v is not None}, Answer, strict=False)
    except (msgspec.ValidationError, RecursionError):
        return None
    return answer if clean(answer.summary, SUMMARY) and any(clean(each.name, NAME) for each in answer.phases) else None


def _analysis(given: Answer) -> Analysis:
    size = clean(given.size or "", WORD).lower()
    return Analysis(
        source=AnalysisSource.CLAUDE,
        summary=clean(given.summary, SUMMARY),
        phases=tuple(_phase(each) for each in given.phases if clean(each.name, NAME))[:MOST_PHASES],
        deliverables=_lines(given.deliverables),
        success_criteria=_lines(given.success_criteria),
        size=Size(size) if size in tuple(Size) else None,
        size_basis=clean(given.size_basis, LINE),
        hours=_hours(given.hours),
        suggestions=tuple(_suggestion(each) for each in given.suggestions[:MOST_SUGGESTIONS]),
    )


def _phase(given: GivenPhase) -> Phase:
    return Phase(name=clean(given.name, NAME), tasks=_lines(given.tasks, MOST_TASKS), hours=_hours(given.hours))


def _suggestion(given: GivenSuggestion) -> Suggestion:
    return Suggestion(
        action=given.action, role=clean(given.role, WORD), why=clean(given.why, LINE), source=AnalysisSource.CLAUDE
    )


def _lines(texts: tuple[str, ...], most: int = MOST_LINES) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line for text in texts if (line := clean(text, LINE))))[:most]


def _hours(hours: float | None) -> float | None:
    return hours if hours is not None and 0 < hours <= MOST_HOURS else None


def clean(text: str, width: int) -> str:
    """Return `text` in one line of at most `width` characters, without anything that a terminal would obey."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: width * _LINES_OF]).split())
    return plain if len(plain) <= width else f"{plain[: width - 1].rstrip()}…"


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value <= _MOST_NUMBER else None  # no infinity, nothing that is not a number


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


# --- on the way ------------------------------------------------------------------------------------------------------


def step(line: str, project: str) -> str:
    """Return what one line of output says that Claude does now, such as `reads src/app.py`; empty when nothing new."""
    event = _decoded(line) if line.startswith("{") else None
    if not isinstance(event, dict):
        return ""
    kind = event.get("type")
    if kind == "system":
        return _own_step(event)
    message = event.get("message")
    content = message.get("content") if kind == "assistant" and isinstance(message, dict) else None
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    said = [text for text in (_tool_step(block, project) for block in blocks) if text]
    return said[-1] if said else ""


def _own_step(event: Json) -> str:
    if event.get("subtype") == "init":
        return "begins"
    if event.get("subtype") == "api_retry":
        return "met an error, and tries again"
    return ""


def _tool_step(block: Json, project: str) -> str:
    if block.get("type") == "text":
        return "thinks"
    given = block.get("input")
    words: Mapping[str, object] = given if isinstance(given, dict) else {}
    match block.get("name"):
        case "Read":
            return f"reads {_shown(words.get('file_path'), project)}"
        case "Grep" | "Glob":
            return f"looks for {_shown(words.get('pattern'), project)}"
        case "StructuredOutput":
            return "writes its answer"
    return ""


def _shown(value: object, project: str) -> str:
    text = value if isinstance(value, str) else ""
    return clean(text.removeprefix(f"{project.rstrip('/')}/"), NAME) or "something"
