"""`tmorch credits`."""

from __future__ import annotations

import re
import time
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.credit import (
    FIVE_HOUR,
    SEVEN_DAY,
    AccountId,
    AccountStatus,
    AgentUse,
    Confidence,
    CreditReading,
    Projection,
    ReadingSource,
    WindowStatus,
)
from orchestrator_core.models.ids import AgentId
from tests.fakes.cli import FakeContext, FakeOrchestrator
from tests.fakes.json_shape import faults

DEVELOPER = AgentId("shop-1a2b:developer")


def reading(window: str, used: float | None, resets_s: float, **more: Any) -> CreditReading:
    now = time.time()
    values: dict[str, Any] = {"source": ReadingSource.STATUS_LINE, "confidence": Confidence.SURE, **more}
    return CreditReading(
        account=AccountId("/h/.claude"),
        window=window,
        at=now - 60,
        used_percentage=used,
        resets_at=now + resets_s,
        **values,
    )


def account(*readings: CreditReading, limited: bool = False) -> AccountStatus:
    soon = Projection(at=time.time() + 1800, basis="20.0 % an hour over the last 45 min")
    windows = tuple(WindowStatus(reading=one, projection=soon if one.used_percentage else None) for one in readings)
    return AccountStatus(
        account=AccountId("/h/.claude"),
        name="~/.cla\x1b[31mude",
        windows=windows,
        agents=(DEVELOPER,),
        limited_until=time.time() + 4321 if limited else None,
    )


def facade(*accounts: AccountStatus) -> FakeOrchestrator:
    made = FakeOrchestrator()
    made.credits.accounts = accounts
    made.credits.uses = (
        AgentUse(
            agent=DEVELOPER,
            at=time.time() - 10,
            cost_usd=1.5,
            context_used=80.0,
            input_tokens=12_345,
            output_tokens=678,
            model="Opus",
        ),
    )
    return made


def well() -> tuple[CreditReading, ...]:
    return reading(FIVE_HOUR, 63.7, 4330), reading(SEVEN_DAY, 80, 300_000)


def guessed() -> CreditReading:
    return reading(FIVE_HOUR, None, 4330, source=ReadingSource.GUESS, confidence=Confidence.ESTIMATE, is_limit=True)


def test_windows_and_agents_are_shown() -> None:
    context = FakeContext("credits", orchestrator=facade(account(*well())))
    assert context.run() == ExitCode.DONE
    heading, titles, five, week, _, agents, developer = context.said.splitlines()
    assert "\x1b" not in context.said
    assert heading.endswith("warning")
    assert titles.split()[:3] == ["WINDOW", "USED", "STATE"]
    assert five.startswith("5 h")
    assert "63 %" in five
    assert re.search(r"resets in 1 h 1[12] min", five)
    assert "20.0 % an hour over the last 45 min" in five
    assert "warning" in week
    assert "COST (AS BY THE API)" in agents
    assert developer.split() == [DEVELOPER, "Opus", "12.3k", "678", "$1.50", "20", "%"]


def test_what_nobody_has_told_is_marked() -> None:
    context = FakeContext("credits", orchestrator=facade(account(guessed(), limited=True)))
    assert context.run() == ExitCode.DONE
    assert "exhausted" in context.said
    assert re.search(r"resets in ~1 h 1[12] min", context.said)
    assert "estimated" in context.said


@pytest.mark.parametrize(
    "accounts",
    [(), (account(),), (account(*well()),), (account(guessed(), limited=True), account(*well()))],
    ids=["none", "untold", "well", "two"],
)
def test_the_document_fits_its_schema(accounts: tuple[AccountStatus, ...]) -> None:
    context = FakeContext("credits", "--json", orchestrator=facade(*accounts))
    assert context.run() == ExitCode.DONE
    assert faults(context.json, schema_of("credits")) == []
    assert len(context.json["accounts"]) == len(accounts)


def test_the_document_says_what_is_known_and_what_is_not() -> None:
    context = FakeContext("credits", "--json", orchestrator=facade(account(*well(), guessed())))
    assert context.run() == ExitCode.DONE
    (found,) = context.json["accounts"]
    five, week, guess = found["windows"]
    assert [window["state"] for window in found["windows"]] == ["ok", "warning", "exhausted"]
    assert (five["origin"], guess["origin"]) == ("parsed", "estimated")
    assert guess["used_percentage"] is None
    assert guess["projection"] is None
    assert week["projection"]["basis"] == "20.0 % an hour over the last 45 min"
    assert found["agents"][0]["context_left_percentage"] == 20


def test_a_window_that_is_over_is_unknown() -> None:
    context = FakeContext("credits", "--json", orchestrator=facade(account(reading(FIVE_HOUR, 100, -5, is_limit=True))))
    assert context.run() == ExitCode.DONE
    (window,) = context.json["accounts"][0]["windows"]
    assert (window["state"], window["used_percentage"], window["is_limit"]) == ("unknown", None, False)


def test_where_nothing_was_told_it_says_what_to_do() -> None:
    context = FakeContext("credits", orchestrator=facade())
    assert context.run() == ExitCode.DONE
    assert context.said == ""
    assert "tmorch status" in context.narrated


def test_watching_prints_each_change_as_a_line_of_json() -> None:
    made = facade(account(*well()))
    told = made.credits.status

    async def changing() -> tuple[AccountStatus, ...]:
        found = await told()
        made.credits.accounts = (account(guessed(), limited=True),)
        return found

    made.credits.status = changing  # type: ignore[method-assign]
    context = FakeContext("credits", "--watch", "--json", orchestrator=made)
    assert context.run() == ExitCode.DONE
    lines = [msgspec.json.decode(line) for line in context.said.splitlines()]
    assert [line["accounts"][0]["state"] for line in lines] == ["warning", "exhausted"]


def test_what_is_the_same_is_not_printed_again() -> None:
    context = FakeContext("credits", "--watch", "--json", orchestrator=facade(account(*well())))
    assert context.run() == ExitCode.DONE
    assert len(context.said.splitlines()) == 1


def test_watching_on_a_terminal_paints_on_a_screen_of_its_own_and_gives_it_back() -> None:
    context = FakeContext("credits", "--watch", orchestrator=facade(account(*well())), terminal=True)
    assert context.run() == ExitCode.DONE
    assert context.said.startswith("\x1b[?1049h")
    assert context.said.endswith("\x1b[?1049l")
    assert "63 %" in context.said


def test_ctrl_c_is_how_watching_ends() -> None:
    made = facade(account(*well()))
    made.failure = KeyboardInterrupt()
    assert FakeContext("credits", "--watch", orchestrator=made).run() == ExitCode.DONE
    assert made.is_closed


def test_an_agent_that_has_told_nothing_of_late_shows_what_is_known_of_it() -> None:
    made = facade(account(*well()))
    made.credits.uses = ()
    (team,) = made.teams
    views = tuple(replace(view, agent=replace(view.agent, cost_usd=0.5, context_used=10.0)) for view in team.agents)
    made.teams = [replace(team, agents=views)]
    context = FakeContext("credits", orchestrator=made)
    assert context.run() == ExitCode.DONE
    assert context.said.splitlines()[-1].split() == [DEVELOPER, "?", "?", "?", "$0.50", "90", "%"]
