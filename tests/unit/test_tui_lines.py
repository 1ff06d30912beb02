"""One-line widgets: what gives way first, and what the header, the title and the receipts say."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from textual.content import Content

from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.fleet import Fleet, SupervisorHealth, TmuxState
from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import AgentMessage, MessageState
from orchestrator_core.models.orchestration import OrchestrationState
from tests.tui.samples import IDLE, LIMITED, NOW, WAITING, WORKING, agent, healthy, needs, no_teams, shop, three_teams
from tui.widgets.fleet_header import header_parts
from tui.widgets.line import Part, arrange, part
from tui.widgets.pane_title import agent_title
from tui.widgets.receipts import receipt_line


def text(parts: tuple[list[Content], list[Content]]) -> str:
    left, right = parts
    return "  ".join(map(str, left)) + " | " + "  ".join(map(str, right))


def header(fleet: Fleet, width: int, now: float = NOW) -> str:
    return text(arrange(*header_parts(fleet, now), width, 2))


def title(who: Agent, width: int) -> str:
    return text(arrange(*agent_title(who, NOW), width))


def test_the_cheapest_step_is_taken_first_and_the_last_of_equals() -> None:
    parts = [part("aaaa", cost=2), part("bbbb", cost=1), part("cccc", cost=1), part("dddd", cost=None)]
    shown = [text(arrange(parts, [], width)) for width in (19, 18, 13, 8, 3)]
    assert shown == ["aaaa  bbbb  cccc  dddd | ", "aaaa  bbbb  dddd | ", "aaaa  dddd | ", "dddd | ", "dddd | "]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9)), max_size=8), st.integers(0, 60))
def test_what_can_be_dropped_never_overflows(sizes: list[tuple[int, int]], width: int) -> None:
    parts = [part("x" * size, cost=cost) for size, cost in sizes]
    left, _ = arrange(parts, [], width)
    assert sum(form.cell_length for form in left) + max(0, len(left) - 1) <= width


def test_a_part_gives_way_step_by_step() -> None:
    steps = Part((Content("working"), Content("w"), Content()), (1, 2))
    assert [text(arrange([steps], [], width)) for width in (7, 6, 0)] == ["working | ", "w | ", " | "]


def test_the_header_says_everything_when_there_is_room() -> None:
    assert header(three_teams(), 120) == (
        "tmorch  demo  3 teams · 14 agents  ●7 working  ○4 idle  ◆3 need you  ⏸1 limited | supervisor ✔"
    )


@pytest.mark.parametrize("width", range(30, 120))
def test_who_needs_a_person_is_in_the_header_at_any_width(width: int) -> None:
    assert "◆3" in header(three_teams(), width)


def test_the_header_of_80_columns_keeps_every_number() -> None:
    shown = header(three_teams(), 78)
    assert all(mark in shown for mark in ("3 teams · 14 agents", "●7", "○4", "◆3 need you", "⏸1", "supervisor ✔"))


def test_one_that_needs_a_person() -> None:
    one = Fleet(teams=(shop(),), needs=needs()[:1], supervisor=healthy())
    assert "◆1 needs you" in header(one, 100)
    assert "eeds you" not in header(replace(one, needs=()), 100), "the header counts what the panel lists"


def test_teams_that_ended_are_not_counted() -> None:
    ended = replace(shop(), orchestration=replace(shop().orchestration, state=OrchestrationState.STOPPED))
    assert header(Fleet(teams=(ended,)), 100) == "tmorch  no team runs | tmux …  supervisor ○ off"


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        (SupervisorHealth(running=False), "supervisor ✘ down"),
        (SupervisorHealth(running=True, heartbeat_at=NOW - 3), "supervisor ✔"),
        (SupervisorHealth(running=True, heartbeat_at=NOW - 60), "supervisor ✔"),
        (SupervisorHealth(running=True, heartbeat_at=NOW - 200), "supervisor ✘ does not respond for 3m"),
        (SupervisorHealth(running=True, heartbeat_at=NOW, overdue=2), "supervisor ! 2 check-ins overdue"),
        (SupervisorHealth(running=True), "supervisor ! starting"),
        (
            SupervisorHealth(running=True, heartbeat_at=NOW, last_error="disk\nfull", last_error_at=NOW - 60),
            "supervisor ! disk full",
        ),
        (
            SupervisorHealth(running=True, heartbeat_at=NOW, last_error="old news", last_error_at=NOW - 7200),
            "supervisor ✔",
        ),
    ],
)
def test_the_supervisor_in_the_header(health: SupervisorHealth, expected: str) -> None:
    assert header(replace(three_teams(), supervisor=health), 140).endswith(f"| {expected}")


def test_without_teams_nothing_is_wrong_with_a_supervisor_that_is_off() -> None:
    assert header(no_teams(), 100).endswith("supervisor ○ off")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (TmuxState.NO_SERVER, "tmux ✘ no server"),
        (TmuxState.MISSING, "tmux ✘ missing"),
        (TmuxState.CONNECTING, "tmux …"),
    ],
)
def test_tmux_in_the_header(state: TmuxState, words: str) -> None:
    assert words in header(replace(three_teams(), tmux=state), 60)


def test_the_title_says_who_how_since_when_and_where() -> None:
    who = agent("shop-3f2a", "developer", 12, WORKING)
    assert title(who, 100) == "shop-3f2a ▸ developer  %12  ● working 3m | tmorch/shop-3f2a/developer"
    assert title(who, 45) == "shop-3f2a ▸ developer  ● working 3m | "


def test_the_title_of_a_waiting_agent_says_what_for() -> None:
    who = agent("shop-3f2a", "tester", 13, WAITING, waiting_for="permission", reason="it asks for permission: rm -rf x")
    assert "approve? rm -rf x" in title(who, 120)
    assert "⏎ goes there to answer" in title(who, 120)
    assert "approve? rm -rf x" in title(who, 44)


def test_the_title_of_an_ended_agent_says_why_and_what_to_do() -> None:
    who = agent("shop-3f2a", "tester", 13, AgentStatus.FAILED, reason="its program ended with exit code 3")
    assert "its program ended with exit code 3" in title(who, 150)
    assert "tmorch stop shop-3f2a" in title(who, 150)
    assert "exit code 3" in title(who, 44)


def test_the_title_of_a_limited_agent_says_until_when() -> None:
    who = agent("shop-3f2a", "tester", 13, LIMITED, reason="it shows a usage limit: resets 2:05pm (UTC)")
    assert "until 2:05pm" in title(who, 60)


def test_an_agent_without_a_pane_or_a_time() -> None:
    who = replace(agent("shop-3f2a", "tester", None, IDLE), status_since=0.0)
    assert title(who, 100).startswith("shop-3f2a ▸ tester  no pane  ○ idle |")


def message(state: MessageState, reason: str = "", **fields: object) -> AgentMessage:
    made = AgentMessage(
        id=MessageId(1), target=AgentId("t-1:a"), sender="you", text="Look at\n[this]", state=state, reason=reason,
        created_at=NOW,
    )  # fmt: skip
    return replace(made, **fields)


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        (MessageState.QUEUED, "", "22:13 … queued  Look at [this]"),
        (
            MessageState.QUEUED,
            "a dialog is open: permission",
            "22:13 … queued: a dialog is open: permission  Look at [this]",
        ),
        (MessageState.DELIVERING, "", "22:13 → delivering  Look at [this]"),
        (MessageState.DELIVERED, "ignored", "22:13 ✔ delivered  Look at [this]"),
        (MessageState.REFUSED, "not an agent", "22:13 ✖ refused: not an agent  Look at [this]"),
    ],
)
def test_receipts(state: MessageState, reason: str, expected: str) -> None:
    assert str(receipt_line(message(state, reason), time.gmtime)) == expected


def test_an_unconfirmed_message_is_visibly_something_else_and_says_what_to_do() -> None:
    line = str(receipt_line(message(MessageState.UNCONFIRMED, "the pane went away"), time.gmtime))
    assert "‼ unconfirmed: the pane went away; look at its screen before you send it again" in line


def test_a_receipt_names_a_sender_who_is_not_the_person() -> None:
    line = str(receipt_line(message(MessageState.DELIVERED, sender="t-1:orchestrator"), time.gmtime))
    assert line.endswith("orchestrator: Look at [this]")
