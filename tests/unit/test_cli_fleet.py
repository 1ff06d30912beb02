"""`list`, `status`, `team`, `messages`, `stop`, `supervisor`: what a front end without a screen shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from orchestrator_core.cli.fleet_view import age, supervisor_line
from orchestrator_core.cli.output import Look
from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.fleet import AgentView, SupervisorHealth, TmuxState
from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import AgentMessage, MessageState
from orchestrator_core.models.orchestration import OrchestrationState
from tests.fakes.cli import SERVER, FakeContext, FakeOrchestrator, make_agent, make_team, pane_row
from tests.fakes.json_shape import faults

PLAIN = Look(width=None, color=False)


def facade_of(*names: str, **changes: Any) -> FakeOrchestrator:
    facade = FakeOrchestrator()
    facade.teams = [make_team(name, **changes) for name in names]
    return facade


@pytest.mark.parametrize("command", [["list"], ["status"], ["status", "shop-1a2b:developer"], ["team"]])
def test_json_fits_the_schema(command: list[str]) -> None:
    context = FakeContext(*command, "--json")
    assert context.run() == ExitCode.DONE
    assert faults(context.json, schema_of(command[0])) == []
    (team,) = context.json["orchestrations"]
    assert team["agents"][0]["id"] == "shop-1a2b:developer"
    assert context.json["supervisor"]["pid"] == 321
    assert context.narrated == ""


def test_a_fleet_without_anything() -> None:
    facade = facade_of()
    facade.health_now = SupervisorHealth(running=False)
    context = FakeContext("status", "--json", orchestrator=facade)
    assert context.run() == ExitCode.DONE
    assert context.json == {
        "orchestrations": [],
        "supervisor": {
            "running": False,
            "responds": False,
            "since": None,
            "pid": None,
            "heartbeat_age_s": None,
            "last_error": "",
            "last_error_age_s": None,
            "overdue": 0,
            "service": False,
        },
    }
    listed = FakeContext("list", orchestrator=facade_of())
    assert listed.run() == ExitCode.DONE
    assert listed.said == ""
    assert "tmorch demo" in listed.narrated


def test_list_is_a_line_a_team() -> None:
    context = FakeContext("list", orchestrator=facade_of("shop-1a2b", "api-77c1"))
    assert context.run() == ExitCode.DONE
    heading, *lines = context.said.splitlines()
    assert heading.split()[0] == "ORCHESTRATION"
    assert [line.split()[0] for line in lines] == ["shop-1a2b", "api-77c1"]
    assert "● 1 working" in lines[0]


def test_status_shows_what_each_agent_does_or_why_it_does_not() -> None:
    agents = (
        make_agent(),
        make_agent("shop-1a2b:tester", "%3", status=AgentStatus.WAITING, reason="Bash(rm -rf build)?", doing="x"),
    )
    facade = FakeOrchestrator()
    facade.teams = [make_team(agents=agents)]
    context = FakeContext("status", orchestrator=facade)
    assert context.run() == ExitCode.DONE
    assert "● working" in context.said
    assert "Reading app.py" in context.said
    assert "◆ waiting" in context.said
    assert "Bash(rm -rf build)?" in context.said
    assert "supervisor running, pid 321" in context.said


def test_an_agents_screen_cannot_steer_the_terminal() -> None:
    facade = FakeOrchestrator()
    facade.teams = [make_team(agents=(make_agent(doing="\x1b[2J\x1b]0;gone\x07\rdone"),))]
    context = FakeContext("status", orchestrator=facade)
    context.run()
    assert "\x1b" not in context.said
    assert "\r" not in context.said


def test_status_of_one_agent_tells_all_about_it() -> None:
    agent = make_agent(status=AgentStatus.FAILED, reason="exit code 7", last_output="licence\nexpired")
    facade = FakeOrchestrator()
    team = make_team(agents=(agent,))
    facade.teams = [msgspec.structs.replace(team, agents=(AgentView(agent=agent, queued=2, unconfirmed=1),))]
    context = FakeContext("status", "developer", orchestrator=facade)
    assert context.run() == ExitCode.DONE
    fields = [line.split("  ")[0] for line in context.said.splitlines()]
    assert "exit code 7" in context.said
    assert fields.count("last output") == 2
    assert "queued" in fields
    assert "unconfirmed" in fields


def test_status_of_one_team() -> None:
    context = FakeContext("status", "api-77c1", "--json", orchestrator=facade_of("shop-1a2b", "api-77c1"))
    assert context.run() == ExitCode.DONE
    assert [team["id"] for team in context.json["orchestrations"]] == ["api-77c1"]


@pytest.mark.parametrize("target", ["nobody", "shop", "shop-1a2b:dev", "%77", "shop-1a2b:"])
def test_status_of_nobody(target: str) -> None:
    assert FakeContext("status", target).run() == ExitCode.NOT_FOUND


def test_status_by_window() -> None:
    context = FakeContext("status", "work:main", "--json")
    context.pane_rows = {SERVER: (pane_row("%2", "work", "main"),)}
    assert context.run() == ExitCode.DONE
    assert context.json["orchestrations"][0]["agents"][0]["id"] == "shop-1a2b:developer"


def test_an_agent_of_a_stopped_team_answers_to_its_id_but_not_to_its_role() -> None:
    facade = facade_of("old-0000", state=OrchestrationState.STOPPED)
    facade.teams.append(make_team())
    by_role = FakeContext("status", "developer", "--json", orchestrator=facade)
    assert by_role.run() == ExitCode.DONE
    assert by_role.json["orchestrations"][0]["id"] == "shop-1a2b"
    by_id = FakeContext("status", "old-0000:developer", "--json", orchestrator=facade)
    assert by_id.run() == ExitCode.DONE
    assert by_id.json["orchestrations"][0]["id"] == "old-0000"


def test_status_warns_when_nobody_delivers() -> None:
    facade = FakeOrchestrator()
    facade.health_now = SupervisorHealth(running=False)
    context = FakeContext("status", orchestrator=facade)
    assert context.run() == ExitCode.DONE
    assert "supervisor not running" in context.said
    assert "tmorch supervisor start" in context.narrated


def test_status_warns_when_tmux_is_not_there() -> None:
    facade = FakeOrchestrator()
    facade.tmux, facade.tmux_detail = TmuxState.MISSING, "tmux is too old: 2.9"
    context = FakeContext("status", orchestrator=facade)
    assert context.run() == ExitCode.DONE
    assert "! tmux: tmux is too old: 2.9" in context.narrated


def test_watching_prints_each_change_as_a_line_of_json() -> None:
    context = FakeContext("status", "--watch", "--json")
    assert context.run() == ExitCode.DONE
    first, second = (msgspec.json.decode(line) for line in context.said.splitlines())
    assert len(first["orchestrations"]) == 1
    assert second["orchestrations"] == []


def test_watching_on_a_terminal_paints_on_a_screen_of_its_own_and_gives_it_back() -> None:
    context = FakeContext("status", "--watch", terminal=True)
    assert context.run() == ExitCode.DONE
    assert context.said.startswith("\x1b[?1049h")
    assert context.said.endswith("\x1b[?1049l")
    assert "shop-1a2b" in context.said


def test_ctrl_c_is_how_watching_ends() -> None:
    facade = FakeOrchestrator()
    facade.failure = KeyboardInterrupt()
    assert FakeContext("status", "--watch", orchestrator=facade).run() == ExitCode.DONE
    assert facade.is_closed


def test_team_is_the_callers_own() -> None:
    facade = facade_of("shop-1a2b", "api-77c1")
    facade.teams[1] = make_team("api-77c1", agents=(make_agent("api-77c1:tester", "%5"),))
    inside = {"TMUX": f"{SERVER},1,0", "TMUX_PANE": "%5"}
    context = FakeContext("team", "--json", orchestrator=facade, environ=inside)
    assert context.run() == ExitCode.DONE
    assert context.json["orchestrations"][0]["id"] == "api-77c1"


def test_team_outside_of_any_is_the_only_active_one_or_none() -> None:
    assert FakeContext("team", orchestrator=facade_of("shop-1a2b")).run() == ExitCode.DONE
    several = FakeContext("team", "--json", orchestrator=facade_of("shop-1a2b", "api-77c1"))
    assert several.run() == ExitCode.NOT_FOUND
    assert several.json["error"]["code"] == "ambiguous"
    stopped = facade_of("shop-1a2b", state=OrchestrationState.STOPPED)
    assert FakeContext("team", orchestrator=stopped).run() == ExitCode.NOT_FOUND


def test_team_by_id_is_exact() -> None:
    context = FakeContext("team", "shop-1a2c")
    assert context.run() == ExitCode.NOT_FOUND
    assert "did you mean shop-1a2b?" in context.narrated


def message(number: int = 7, **changes: Any) -> AgentMessage:
    made = AgentMessage(id=MessageId(number), target=AgentId("shop-1a2b:developer"), sender="you", text="hi\nthere")
    return msgspec.structs.replace(made, **changes)


def test_messages_of_all_and_of_one() -> None:
    facade = FakeOrchestrator()
    facade.stored = (message(8, state=MessageState.REFUSED, reason="sent often", suppressed=3), message())
    context = FakeContext("messages", orchestrator=facade)
    assert context.run() == ExitCode.DONE
    assert ("messages", None, "", 20, "") in facade.asked
    assert "sent often (3 suppressed)" in context.said
    assert "hi …" in context.said
    one = FakeContext("messages", "developer", "--limit", "3", "--json", orchestrator=facade)
    assert one.run() == ExitCode.DONE
    assert ("messages", "shop-1a2b:developer", "", 3, "") in facade.asked
    assert faults(one.json, schema_of("messages")) == []
    assert [each["id"] for each in one.json["messages"]] == [8, 7]


def test_messages_between_two() -> None:
    facade = FakeOrchestrator()
    facade.teams = [make_team(agents=(make_agent(), make_agent("shop-1a2b:tester", "%3")))]
    assert FakeContext("messages", "developer", "--with", "tester", "--search", "red", orchestrator=facade).run() == 0
    assert ("messages", "shop-1a2b:developer", "shop-1a2b:tester", 20, "red") in facade.asked
    assert FakeContext("messages", "developer", "--with", "you", orchestrator=facade).run() == 0
    assert ("messages", "shop-1a2b:developer", "you", 20, "") in facade.asked
    assert FakeContext("messages", "--with", "tester").run() == ExitCode.USAGE


def test_followed_messages_are_shown_again_when_their_state_changes() -> None:
    facade = FakeOrchestrator()
    facade.stored = (message(8),)

    def stored(*messages: AgentMessage) -> Callable[[], None]:
        return lambda: setattr(facade, "stored", messages)

    facade.news = [
        stored(message(8)),
        stored(message(9), message(8, state=MessageState.DELIVERED), message(7)),
    ]
    context = FakeContext("messages", "--follow", "--json", orchestrator=facade)
    assert context.run() == ExitCode.DONE
    told = [json.loads(line) for line in context.said.splitlines()]
    assert [(each["id"], each["state"]) for each in told] == [(8, "queued"), (8, "delivered"), (9, "queued")]
    plain = FakeContext("messages", "--follow", orchestrator=facade)
    assert plain.run() == ExitCode.DONE
    assert "you → shop-1a2b:developer" in plain.said


def test_no_messages_yet() -> None:
    context = FakeContext("messages")
    assert context.run() == ExitCode.DONE
    assert context.said == ""
    assert context.narrated == "no messages yet\n"


@pytest.mark.parametrize("limit", ["0", "-3", "x"])
def test_a_limit_that_is_none(limit: str) -> None:
    assert FakeContext("messages", "--limit", limit).run() == ExitCode.USAGE


def test_stop() -> None:
    context = FakeContext("stop", "shop-1a2b")
    assert context.run() == ExitCode.DONE
    assert context.facade.asked == [("stop", "shop-1a2b", False)]
    assert context.said == "stopped: shop-1a2b\n"
    kept = FakeContext("stop", "shop-1a2b", "--keep-session", "--json")
    assert kept.run() == ExitCode.DONE
    assert kept.facade.asked == [("stop", "shop-1a2b", True)]
    assert faults(kept.json, schema_of("stop")) == []


def test_stop_of_nothing() -> None:
    assert FakeContext("stop", "shop").run() == ExitCode.NOT_FOUND
    assert FakeContext("stop").run() == ExitCode.USAGE


@pytest.mark.parametrize("act", ["status", "start", "stop"])
def test_supervisor(act: str) -> None:
    context = FakeContext("supervisor", act, "--json")
    assert context.run() == ExitCode.DONE
    assert faults(context.json, schema_of("supervisor")) == []
    assert context.json["supervisor"]["running"] == (act != "stop")


def test_supervisor_for_people() -> None:
    assert FakeContext("supervisor").run() == ExitCode.USAGE
    assert FakeContext("supervisor", "restart").run() == ExitCode.USAGE
    facade = FakeOrchestrator()
    facade.health_now = SupervisorHealth(running=False)
    context = FakeContext("supervisor", "stop", orchestrator=facade)
    assert context.run() == ExitCode.DONE
    assert context.said == "supervisor not running\n"
    assert context.narrated == "no supervisor ran\n"


def test_the_supervisors_last_error_is_told() -> None:
    health = SupervisorHealth(
        running=True, pid=1, heartbeat_at=990.0, last_error="ValueError: odd\x1b[2J", last_error_at=940.0
    )
    line = supervisor_line(health, 1000.0, PLAIN)
    assert "last sign of life 10s ago" in line
    assert "last error 1m ago: ValueError: odd [2J" in line


def test_what_nobody_must_overlook_of_the_supervisor() -> None:
    """Since when, whether it responds, what is overdue, whether a service keeps it."""
    well = SupervisorHealth(running=True, pid=7, heartbeat_at=990.0, since=400.0, has_service=True)
    assert supervisor_line(well, 1000.0, PLAIN) == (
        "supervisor running for 10m, pid 7, last sign of life 10s ago, a service"
    )
    stuck = SupervisorHealth(running=True, pid=7, heartbeat_at=900.0, since=400.0, overdue=2)
    assert supervisor_line(stuck, 1000.0, PLAIN).splitlines() == [
        "supervisor does not respond, last sign of life 1m ago, pid 7",
        "  2 check-ins are overdue",
    ]
    down = SupervisorHealth(running=False, pid=7, heartbeat_at=900.0, since=940.0)
    assert supervisor_line(down, 1000.0, PLAIN) == "supervisor not running for 1m"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0s"), (0, "0s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (5400, "1h 30m"), (90000, "1d 1h")],
)
def test_age(seconds: float, shown: str) -> None:
    assert age(seconds) == shown


def test_status_needs_no_more_than_the_terminal_has() -> None:
    facade = FakeOrchestrator()
    facade.teams = [make_team(agents=(make_agent(doing="x" * 300),))]
    context = FakeContext("status", orchestrator=facade, terminal=True, environ={"NO_COLOR": "1"})
    context.run()
    rows = context.said.splitlines()[1:3]
    assert all(len(row) <= 80 for row in rows)


def test_installing_a_service_where_nothing_keeps_one_says_how_else() -> None:
    """No half-done install: what to write is shown, nothing is written, and it counts as refused."""
    context = FakeContext("supervisor", "install", environ={"PATH": "/nowhere"})
    assert context.run() == ExitCode.REFUSED
    assert "--stay" in context.said
    assert "nothing was installed" in context.narrated
    planned = FakeContext("supervisor", "install", "--dry-run", "--json", environ={"PATH": "/nowhere"})
    assert planned.run() == ExitCode.DONE
    assert faults(planned.json, schema_of("supervisor")) == []
    assert planned.json["service"]["changed"] is False
    assert "PATH=/nowhere" in planned.json["service"]["text"]


def test_a_dry_run_is_of_an_install() -> None:
    assert FakeContext("supervisor", "stop", "--dry-run").run() == ExitCode.USAGE


def test_uninstalling_what_is_not_there_is_no_failure() -> None:
    context = FakeContext("supervisor", "uninstall")
    assert context.run() == ExitCode.DONE
    assert "there is no service" in context.said
