"""What Claude Code prints when it is asked about a spec, read without asking it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.agents.claude.answers import (
    LINE,
    MOST_PHASES,
    MOST_SUGGESTIONS,
    MOST_TASKS,
    NAME,
    SCHEMA,
    SUMMARY,
    Reading,
    clean,
    read_answer,
    step,
)
from orchestrator_core.agents.limits import UsageWindow
from orchestrator_core.models.analysis import Action, Analysis, Size
from tests.fakes.claude_print import PLAN, envelope, uses

LIMIT = Path(__file__).parents[1] / "data/claude-payloads/print_json_usage_limit.json"
API_ERROR = {"is_error": True, "terminal_reason": "api_error"}


def read(*printed: object, stderr: str = "", code: int | None = 0) -> Reading:
    lines = [each if isinstance(each, str) else json.dumps(each) for each in printed]
    return read_answer("\n".join(lines) + "\n", stderr, code, budget_usd=1.5)


def analysed(*printed: object) -> Analysis:
    reading = read(*printed)
    assert reading.analysis is not None, reading.because
    assert reading.because == ""
    return reading.analysis


def plan(**more: Any) -> dict[str, Any]:
    return {**PLAN, **more}


# --- where the answer is ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "printed",
    [
        envelope(PLAN),
        envelope(result=json.dumps(PLAN)),
        envelope(result=f"It is {{so}}:\n```json\n{json.dumps(PLAN, indent=1)}\n```\nDone."),
        envelope({"summary": "half of one"}, result=json.dumps(PLAN)),
        envelope(result=json.dumps({"answer": {"plan": PLAN}})),
        envelope(result=json.dumps({"summary": "no phases"}) + json.dumps(PLAN)),
        [{"type": "system", "subtype": "init"}, envelope(PLAN)],
        json.dumps(envelope(PLAN), indent=2),
        PLAN,
        f"Sure! {json.dumps(PLAN)} Anything else?",
    ],
)
def test_a_plan_is_found_wherever_it_is(printed: object) -> None:
    found = analysed(printed)
    assert found.summary == PLAN["summary"]
    assert [phase.name for phase in found.phases] == ["Look around", "Build"]


def test_the_last_result_counts() -> None:
    assert analysed(envelope(plan(summary="first")), envelope(plan(summary="second"))).summary == "second"


def test_a_line_separator_in_a_text_ends_no_line() -> None:
    said = json.dumps(envelope(plan(summary="one\u2028two")), ensure_ascii=False)
    assert analysed(said).summary == "one two"


def test_model_and_cost_are_those_of_the_reading() -> None:
    reading = read({"type": "system", "subtype": "init", "model": "claude-x"}, envelope(PLAN, total_cost_usd=0.5))
    assert (reading.model, reading.cost_usd) == ("claude-x", 0.5)
    assert read(envelope(PLAN)).model == "claude-stub"
    for cost in (None, True, "much", -1, float("inf"), float("nan")):
        assert read(envelope(PLAN, total_cost_usd=cost)).cost_usd is None


# --- what is taken of it ---------------------------------------------------------------------------------------------


def test_the_schema_asks_for_what_is_read() -> None:
    assert set(SCHEMA["properties"]) == set(SCHEMA["required"]) == set(PLAN)


def test_an_answer_is_bounded() -> None:
    phase = {"name": "n" * 1000, "tasks": [f"{number} " + "t" * 1000 for number in range(50)]}
    found = analysed(
        envelope(
            plan(
                summary="s" * 5000,
                phases=[phase] * 50,
                suggestions=[{"action": "add", "role": "x" * 500, "why": "y" * 5000}] * 50,
            )
        )
    )
    assert (len(found.summary), len(found.phases), len(found.suggestions)) == (SUMMARY, MOST_PHASES, MOST_SUGGESTIONS)
    assert {len(each.name) for each in found.phases} == {NAME}
    assert {len(each.tasks) for each in found.phases} == {MOST_TASKS}
    assert max(len(task) for each in found.phases for task in each.tasks) == LINE


def test_nothing_that_a_terminal_obeys_stays() -> None:
    found = analysed(envelope(plan(summary="a\x1b[31mred\x07 \ud800\u202e b\nc")))
    assert found.summary == "a [31mred b c"


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(3, 3), ("4.5", 4.5), (0, None), (-2, None), (float("nan"), None), (1e9, None), (None, None)],
)
def test_hours_are_sensible_or_none(hours: object, expected: float | None) -> None:
    found = analysed(envelope(plan(hours=hours, phases=[{"name": "One", "hours": hours}])))
    assert (found.hours, found.phases[0].hours) == (expected, expected)


def test_a_size_is_one_of_three_or_none() -> None:
    assert analysed(envelope(plan(size="Large"))).size is Size.LARGE
    assert analysed(envelope(plan(size="gigantic"))).size is None


def test_suggestions_are_told_as_they_came() -> None:
    (found,) = analysed(envelope(PLAN)).suggestions
    assert (found.action, found.role, found.why) == (Action.ADD, "securityops", "Passwords are kept.")


@pytest.mark.parametrize(
    "broken",
    [
        {"summary": ""},
        {"summary": "\x07"},
        {"phases": []},
        {"phases": [{"name": " "}]},
        {"phases": "many"},
        {"suggestions": [{"action": "promote", "role": "tester"}]},
    ],
)
def test_half_a_plan_is_none(broken: dict[str, Any]) -> None:
    assert read(envelope(plan(**broken))).because == "its answer was no plan"


# --- why there is none -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "because"),
    [
        (
            "You've hit your 5-hour limit · resets 3:29pm (UTC)",
            "the 5-hour limit is reached; it resets at 3:29pm (UTC)",
        ),
        (
            "You've hit your weekly limit · resets Nov 26, 12:24am (UTC)",
            "the weekly limit is reached; it resets on Nov 26, 12:24am (UTC)",
        ),
        ("You've reached your Opus limit ∙ resets at 3am.", "the Opus limit is reached; it resets at 3am"),
        ("You're out of usage credits", "the usage limit is reached"),
    ],
)
def test_a_usage_limit_is_said_with_its_end(said: str, because: str) -> None:
    limited = envelope(**API_ERROR, api_error_status=429, api_error="usage_limit_reached", result=said)
    assert read(limited, code=1).because == because


def test_a_limit_without_words_takes_the_end_from_its_event() -> None:
    event = {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": 1795402479}}
    limited = envelope(**API_ERROR, api_error="usage_limit_reached", result="Limit.")
    assert read(event, limited, code=1).because == "the usage limit is reached; it resets at 2026-11-23 02:54 (UTC)"


def test_what_is_told_of_windows_is_kept() -> None:
    reset = 1795402479
    windows = {"five_hour": {"utilization": 0.63, "resetsAt": reset}, "seven_day": {"utilization": 2}, "odd": "?"}
    info = {"status": "allowed", "resetsAt": reset, "rateLimitType": "five_hour", "unifiedWindows": windows}
    event = {"type": "rate_limit_event", "rate_limit_info": info}
    assert read(event, envelope()).windows == {"five_hour": UsageWindow(used_percentage=63, resets_at=reset)}
    limited = {"type": "rate_limit_event", "rate_limit_info": {**info, "status": "rejected"}}
    assert read(event, limited, envelope()).windows["five_hour"].used_percentage == 100


def test_the_recorded_limit_is_known() -> None:
    for recorded in (LIMIT.read_text(), json.dumps(json.loads(LIMIT.read_text()))):
        assert read(recorded, code=1).because == "the 5-hour limit is reached; it resets at 3:29pm (UTC)"


@pytest.mark.parametrize(
    ("result", "because"),
    [
        ({"result": "Not logged in · Please run /login"}, "nobody is logged in to Claude Code"),
        (
            {"result": "Invalid API key.", "api_error_status": 401},
            "Claude Code's login was refused: Invalid API key",
        ),
        ({"result": "Credit balance is too low"}, "Claude Code met an error: Credit balance is too low"),
        (
            {"result": "API Error: Request rejected (429)", "api_error_status": 429},
            "Claude Code met an error: API Error: Request rejected (429)",
        ),
        ({"subtype": "error_max_budget_usd", "errors": ["Reached"]}, "it would have cost more than $1.5"),
        ({"subtype": "error_max_structured_output_retries"}, "its answer was no plan"),
        ({"subtype": "error_during_execution", "errors": ["It broke."]}, "Claude Code met an error: It broke"),
        ({"subtype": "error_during_execution"}, "Claude Code met an error: error_during_execution"),
        ({"subtype": ""}, "Claude Code met an error: it did not say which"),
    ],
)
def test_an_error_is_one_sentence(result: dict[str, Any], because: str) -> None:
    """Also where the subtype says success, and where a plan comes with it."""
    assert read(envelope(PLAN, **{**API_ERROR, "result": None, **result}), code=1).because == because


def test_an_error_by_its_subtype_alone_is_one() -> None:
    assert read(envelope(PLAN, subtype="error_max_turns", result="")).because.startswith("Claude Code met an error")


def test_a_program_without_an_envelope_is_told_by_its_end() -> None:
    assert read(stderr="error: unknown option '--tools'\n", code=1).because == (
        "Claude Code ended with exit code 1: error: unknown option '--tools'"
    )
    assert read(stderr="Please run /login", code=1).because == "nobody is logged in to Claude Code"
    assert read(code=-9).because == "Claude Code was ended by signal 9"
    assert read().because == "it answered nothing"
    assert read("Hello").because == "its answer was no plan"
    assert read({"type": "system", "subtype": "init"}).because == "its answer was no plan"


# --- whatever comes --------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from((*PLAN, "name", "tasks")), inner),
    max_leaves=20,
)


@given(st.text() | JSON.map(json.dumps), st.text(), st.sampled_from((None, 0, 1, -9)))
def test_any_output_has_one_outcome(stdout: str, stderr: str, code: int | None) -> None:
    reading = read_answer(stdout, stderr, code, budget_usd=1)
    assert (reading.analysis is None) == bool(reading.because)


@given(st.dictionaries(st.sampled_from((*envelope(PLAN), "errors", "api_error", "message")), JSON))
def test_any_envelope_has_one_outcome(result: dict[str, Any]) -> None:
    reading = read({**result, "type": "result"})
    assert (reading.analysis is None) == bool(reading.because)
    assert step(json.dumps({**result, "type": "assistant"}), "/p") is not None


@given(st.dictionaries(st.sampled_from(tuple(PLAN)), JSON))
def test_any_plan_has_one_outcome(given_plan: dict[str, Any]) -> None:
    reading = read(envelope(plan(**given_plan)))
    assert (reading.analysis is None) == bool(reading.because)


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_clean_text_is_one_printable_line(text: str, width: int) -> None:
    cleaned = clean(text, width)
    assert cleaned.isprintable()
    assert len(cleaned) <= width
    assert clean(cleaned, width) == cleaned


@pytest.mark.parametrize(
    "text",
    ["{" * 300_000, '{"a":' * 100_000, "[" * 200_000, '{"hours":' + "1" * 5000 + "}"],
    ids=["braces", "deep", "lists", "digits"],
)
def test_hostile_text_is_no_plan_and_costs_little(text: str) -> None:
    assert read(text).because == "its answer was no plan"
    assert read(envelope(result=text)).because == "its answer was no plan"
    assert step(text, "/p") == ""


# --- on the way ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"type": "system", "subtype": "init"}, "begins"),
        ({"type": "system", "subtype": "api_retry", "attempt": 2}, "met an error, and tries again"),
        ({"type": "system", "subtype": "other"}, ""),
        (uses("Read", file_path="/home/dana/shop/src/app.py"), "reads src/app.py"),
        (uses("Read", file_path="/elsewhere/a.py"), "reads /elsewhere/a.py"),
        (uses("Read"), "reads something"),
        (uses("Grep", pattern="def \x1b[0mlogin"), "looks for def [0mlogin"),
        (uses("Glob", pattern="**/*.py"), "looks for **/*.py"),
        (uses("StructuredOutput"), "writes its answer"),
        (uses("Other"), ""),
        ({"type": "assistant", "message": {"content": [{"type": "text", "text": "Hm."}]}}, "thinks"),
        ({"type": "user", "message": {"content": []}}, ""),
        (["no event"], ""),
    ],
)
def test_an_event_is_told_in_a_few_words(event: object, said: str) -> None:
    assert step(json.dumps(event), "/home/dana/shop") == said
