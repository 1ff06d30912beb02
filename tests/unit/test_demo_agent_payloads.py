"""What the demo agent tells its hooks and its status line has the shape of what the real one was seen to tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator_core.agents.demo import settings
from orchestrator_core.agents.demo.conversation import Conversation, new_id
from orchestrator_core.agents.demo.keys import Key
from orchestrator_core.agents.demo.settings import Hook, Settings
from orchestrator_core.agents.demo.status_line import payload
from orchestrator_core.agents.demo.trouble import Limit
from orchestrator_core.agents.screen import ScreenState
from tests.unit.test_agents_demo import Desk

CAPTURED = Path(__file__).parents[1] / "data/claude-payloads"

Told = dict[str, dict[str, Any]]


def captured(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CAPTURED / f"{name}.json").read_text(encoding="utf-8"))
    return found


def same_shape(ours: object, theirs: object, where: str = "") -> None:
    """Hold that both have the same keys and kinds of values, all the way down; null and empty lists go with all."""
    if ours is None or theirs is None:
        return
    assert type(ours) is type(theirs) or {type(ours), type(theirs)} == {int, float}, where
    if isinstance(ours, dict) and isinstance(theirs, dict):
        assert set(ours) == set(theirs), where
        for key in ours:
            same_shape(ours[key], theirs[key], f"{where}.{key}")
    if isinstance(ours, list) and isinstance(theirs, list) and ours and theirs:
        same_shape(ours[0], theirs[0], f"{where}[]")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.hooks.wanted = True
    return made


def name_of(event: str, told: dict[str, Any]) -> str:
    for key in ("source", "notification_type", "tool_name", "trigger", "reason", "error"):
        if key in told:
            return f"hook_{event}.{told[key]}"
    return f"hook_{event}"


def a_whole_life(desk: Desk) -> Told:
    """Everything that can be told."""
    desk.agent.events.begun("startup", "")
    desk.agent.events.begun("resume", "shop:developer")
    desk.submit("hello")
    desk.pass_time(100)
    desk.do("permission", command="rm -rf build", purpose="Clean up")
    desk.pass_time(10)
    desk.press(Key("Enter"))
    desk.do("question", question="Which?", choices=["Red", "Blue"], descriptions=["r", "b"])
    desk.press(Key("Enter"))
    desk.do("subagent", seconds=1)
    desk.pass_time(2)
    desk.do("limit", until=0)
    desk.pass_time(2)
    desk.do("error", text="Credit balance is too low", error="billing_error")
    desk.do("error", text="API Error: Repeated 529 Overloaded errors.")
    desk.submit("/compact")
    desk.agent.events.ended("prompt_input_exit")
    desk.agent.events.ended("other")
    desk.submit("/clear")
    return {name_of(event, told): told for event, told in desk.hooks.told}


HOOKS = sorted(file.stem for file in CAPTURED.glob("hook_*"))
NOT_OURS = ("PreToolUse", "PostToolUse", "PostToolBatch", "authentication_failed", "PermissionRequest.Write")


@pytest.mark.parametrize("name", [name for name in HOOKS if not any(word in name for word in NOT_OURS)])
def test_a_hook_is_told_what_the_real_one_tells(desk: Desk, name: str) -> None:
    told = a_whole_life(desk)
    assert name in told, sorted(told)
    same_shape(told[name], captured(name), name)


@pytest.mark.parametrize(
    ("name", "limit"), [("statusline_apikey", None), ("statusline_oauth_limit", Limit("3pm", resets_at=1_795_359_592))]
)
def test_a_status_line_is_told_what_the_real_one_tells(name: str, limit: Limit | None) -> None:
    conversation = Conversation("", "/project")
    conversation.begin_prompt()
    told = payload(conversation, 12.5, limit)
    same_shape(told, captured(name), name)
    if limit:
        assert told["rate_limits"]["five_hour"] == captured(name)["rate_limits"]["five_hour"]


def test_nothing_that_identifies_a_prompt_is_told_before_the_first(desk: Desk) -> None:
    desk.do("permission", command="ls")
    assert all("prompt_id" not in told for _, told in desk.hooks.told)


def test_a_conversation_is_kept_where_the_real_one_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/user/home_t3")
    theirs = captured("hook_UserPromptSubmit")
    ours = Conversation("", theirs["cwd"], theirs["session_id"])
    assert Path(ours.path).relative_to("/home/user/home_t3") == Path(theirs["transcript_path"]).relative_to(
        "/home/user/home_t4"
    )


def test_ids_are_random_uuids() -> None:
    import uuid

    ids = {new_id() for _ in range(50)}
    assert len(ids) == 50
    assert {uuid.UUID(each).version for each in ids} == {4}


class TestTurns:
    """By a clock of our own, with hooks that answer at once."""

    def test_a_stop_hook_may_go_on_more_than_once(self, desk: Desk) -> None:
        desk.hooks.answers["Stop"] = [{"decision": "block", "reason": text} for text in ("one", "two")]
        desk.submit("hello")
        desk.pass_time(10)
        stops = [told for event, told in desk.hooks.told if event == "Stop"]
        assert [told["stop_hook_active"] for told in stops] == [False, True, True]
        assert desk.texts() == ["hello", "Stop hook feedback:\none", "Stop hook feedback:\ntwo"]
        assert desk.hooks.names().count("UserPromptSubmit") == 1

    @pytest.mark.parametrize("answer", [{"decision": "block"}, {"reason": "x"}, {"decision": "approve"}, {"x": 1}])
    def test_other_answers_of_a_stop_hook_are_none(self, desk: Desk, answer: dict[str, Any]) -> None:
        desk.hooks.answers["Stop"] = [answer]
        desk.submit("hello")
        desk.pass_time(10)
        assert desk.texts() == ["hello"]

    @pytest.mark.parametrize("answer", [{}, {"hookSpecificOutput": 1}, {"hookSpecificOutput": {"decision": {}}}])
    def test_other_answers_of_a_permission_hook_leave_the_dialog(self, desk: Desk, answer: dict[str, Any]) -> None:
        desk.hooks.answers["PermissionRequest"] = [answer]
        desk.do("permission", command="ls")
        desk.pass_time(1)
        assert desk.reading().dialog == "permission"

    def test_a_command_waits_for_the_turn_and_keeps_its_place(self, desk: Desk) -> None:
        desk.do("busy", seconds=5)
        for text in ("one", "/compact", "two", "three"):
            desk.submit(text)
        assert "PreCompact" not in desk.hooks.names()
        desk.pass_time(30)
        turns = [json.loads(line)["text"] for line in desk.trace.read_text().splitlines()]
        assert turns == ["one", "two\nthree"]
        names = [name for name in desk.hooks.names() if name in ("PreCompact", "Stop")]
        assert names == ["Stop", "Stop", "PreCompact", "Stop"]

    @pytest.mark.parametrize("key", ["Escape", "C-c"])
    def test_a_prompt_that_has_an_answer_is_not_put_back(self, desk: Desk, key: str) -> None:
        desk.submit("hello")
        desk.do("print", text="something was said")
        desk.press(Key(key))
        desk.pass_time(1)
        assert desk.reading().draft == ""

    def test_a_prompt_without_an_answer_comes_back_a_moment_later(self, desk: Desk) -> None:
        desk.submit("old text")
        desk.press(Key("Escape"))
        assert (desk.reading().draft, desk.reading().state) == ("", ScreenState.READY)
        desk.agent.box.type("new text")
        desk.pass_time(0.1)
        assert desk.reading().draft == "new textold text"


class TestSettings:
    def test_hooks_of_all_documents_count_and_the_last_status_line(self) -> None:
        one = {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "a"}]}]}, "statusLine": {"command": "1"}}
        two = {"hooks": {"Stop": [{"matcher": "x", "hooks": [{"type": "command", "command": "b", "timeout": 5}]}]}}
        found = settings.merged([one, two, {"statusLine": {"type": "command", "command": "2"}}])
        assert found.hooks == (Hook("Stop", "", "a", 60.0), Hook("Stop", "x", "b", 5.0))
        assert (found.status_line, found.continues) == ("2", True)

    @pytest.mark.parametrize(
        "text",
        [
            "{", "[]", "{}", '{"hooks": []}', '{"hooks": {"Stop": 1}}', '{"hooks": {"Stop": [1, {"hooks": 1}]}}',
            '{"hooks": {"Stop": [{"hooks": [1, {"type": "prompt"}, {"type": "command", "command": 1}]}]}}',
            '{"statusLine": "x"}', "/no/such/file", "",
        ],
    )  # fmt: skip
    def test_what_makes_no_sense_is_left_out(self, text: str) -> None:
        assert settings.load(text, ("/no/such/file",)) == Settings()
