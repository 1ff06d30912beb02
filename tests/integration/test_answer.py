"""Answers from afar: given to the very dialog that was answered, once, or to none."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable

import pytest

from orchestrator_core.bootstrap import build
from orchestrator_core.errors import RefusedError
from orchestrator_core.models.need import Answer, AnswerState, Need, NeedKind
from tests.conftest import MakeProject
from tests.polling import eventually
from tests.rig import Rig, StandIn


@pytest.fixture
def start(rig: Rig, make_project: MakeProject) -> Callable[..., tuple[StandIn, ...]]:
    """Start a team whose agents write down what is chosen in their dialogs."""

    def start(*roles: str) -> tuple[StandIn, ...]:
        rig.configure(stand_in_args=("--trace", f"{rig.folder}/$(echo $TMORCH_AGENT | tr : _).trace"))
        team = rig.start(make_project(), roles=",".join(roles))
        agents = tuple(rig.agent(team, role) for role in roles)
        for agent in agents:
            agent.wait_status("idle")
        return agents

    return start


@pytest.fixture
def agent(start: Callable[..., tuple[StandIn, ...]]) -> StandIn:
    return start("developer")[0]


def picked(rig: Rig, agent: StandIn) -> list[str]:
    """What was chosen in the agent's dialogs, oldest first."""
    trace = rig.folder / f"{agent.id.replace(':', '_')}.trace"
    entries = [json.loads(line) for line in trace.read_text().splitlines()] if trace.exists() else []
    return [entry["text"] for entry in entries if entry["kind"] == "answer"]


def answer(*choices: str, fingerprint: str = "", target: str = "developer") -> list[Answer]:
    """Give answers through the facade, all at once."""

    async def ask() -> list[Answer]:
        orchestrator = build(os.environ)
        try:
            giving = (orchestrator.answer(target, one, fingerprint=fingerprint, wait_s=20) for one in choices)
            return await asyncio.gather(*giving)
        finally:
            await orchestrator.close()

    return asyncio.run(ask())


def need_of(rig: Rig, agent: StandIn, kind: NeedKind, detail: str = "") -> Need:
    def found() -> list[Need]:
        needs = (need for need in rig.store.needs.open() if need.agent == agent.id)
        return [need for need in needs if need.kind is kind and detail in need.detail]

    return eventually(found, what=f"no {kind} with {detail!r} among {rig.store.needs.open()}")[0]


def wait_gone(rig: Rig, need: Need) -> None:
    eventually(lambda: need.key not in [n.key for n in rig.store.needs.open()], what=f"{need.key} stays")


def test_a_permission_is_a_need_until_it_is_answered(rig: Rig, agent: StandIn) -> None:
    """Scenario 28: the exact command is listed, and a message meanwhile leaves the dialog alone."""
    agent.do("permission", command="rm -rf build")
    need = need_of(rig, agent, NeedKind.PERMISSION)
    assert need.detail == "rm -rf build"
    assert [choice.label for choice in need.choices][::2] == ["Yes", "No"]
    sent = rig.tmorch("send", "developer", "Enter 1 y", "--json")
    assert sent.json["state"] == "queued"
    assert "permission" in rig.wait_message(sent.json["id"], "queued").reason
    assert picked(rig, agent) == []
    (given,) = answer("deny")
    assert given.state is AnswerState.GIVEN, given
    assert picked(rig, agent) == ["permission: No"]
    wait_gone(rig, need)
    kinds = [event.kind for event in rig.store.events.latest(50, agent=agent.id)]
    assert [kinds.count(kind) for kind in ("need.raised", "need.ended", "answer.given")] == [1, 1, 1]


def test_an_answer_changes_just_that_prompt(rig: Rig, start: Callable[..., tuple[StandIn, ...]]) -> None:
    """Scenario 82: two agents ask for the very same; only one is answered, and with the plain yes."""
    developer, tester = start("developer", "tester")
    for agent in (developer, tester):
        agent.do("permission", command="make install")
    first, other = (need_of(rig, agent, NeedKind.PERMISSION) for agent in (developer, tester))
    assert first.fingerprint == other.fingerprint
    (given,) = answer("approve", fingerprint=first.fingerprint)
    assert given.state is AnswerState.GIVEN, given
    wait_gone(rig, first)
    assert (picked(rig, developer), picked(rig, tester)) == (["permission: Yes"], [])
    assert [need.key for need in rig.store.needs.open()] == [other.key]
    assert "Do you want to proceed?" in tester.screen()


def test_a_question_is_answered_by_number_and_by_words(rig: Rig, agent: StandIn) -> None:
    """What names no choice, or more than one, presses nothing."""
    teas = ["Black tea", "White tea", "Green tea"]
    for choice in ("3", "green", "Green tea"):
        before = len(picked(rig, agent))
        agent.do("question", question=f"Which tea goes with {choice}?", choices=teas)
        assert need_of(rig, agent, NeedKind.QUESTION, choice).detail == f"Which tea goes with {choice}?"
        shown = agent.screen()
        for wrong, reason in (("approve", "no plain yes"), ("te", "no such choice"), ("9", "no such choice")):
            (refused,) = answer(wrong)
            assert refused.state is AnswerState.REFUSED
            assert reason in refused.reason
        assert (len(picked(rig, agent)), agent.screen()) == (before, shown)
        (given,) = answer(choice)
        assert given.state is AnswerState.GIVEN, given
        assert picked(rig, agent)[before:] == ["question: Green tea"]


def test_an_answer_to_a_dialog_that_was_replaced_is_refused(rig: Rig, agent: StandIn) -> None:
    agent.do("permission", command="git push")
    old = need_of(rig, agent, NeedKind.PERMISSION, "git push")
    agent.do("idle")
    agent.do("permission", command="git push --force")
    eventually(lambda: "git push --force" in agent.screen(), what="the other dialog does not open")
    (refused,) = answer("approve", fingerprint=old.fingerprint)
    assert (refused.state, refused.reason) == (AnswerState.REFUSED, "another dialog is open by now")
    assert picked(rig, agent) == []
    new = need_of(rig, agent, NeedKind.PERMISSION, "git push --force")
    assert new.fingerprint != old.fingerprint
    wait_gone(rig, old)


def test_a_pane_in_copy_mode_is_answered_too(rig: Rig, agent: StandIn) -> None:
    agent.do("permission", command="make")
    need_of(rig, agent, NeedKind.PERMISSION)
    pane = agent.row.pane
    assert pane is not None
    rig.tmux.run("copy-mode", "-t", pane)
    (given,) = answer("deny")
    assert given.state is AnswerState.GIVEN, given
    assert picked(rig, agent) == ["permission: No"]


def test_of_two_answers_at_once_one_is_given(rig: Rig, agent: StandIn) -> None:
    agent.do("permission", command="make")
    need = need_of(rig, agent, NeedKind.PERMISSION)
    states = [done.state for done in answer("approve", "deny", fingerprint=need.fingerprint)]
    assert sorted(states) == [AnswerState.GIVEN, AnswerState.REFUSED]
    assert len(picked(rig, agent)) == 1


def test_an_answer_to_an_agent_that_died_is_refused(rig: Rig, agent: StandIn) -> None:
    agent.do("permission", command="make")
    need = need_of(rig, agent, NeedKind.PERMISSION)
    agent.do("crash")
    agent.wait_status("failed", "exited")
    (refused,) = answer("approve", fingerprint=need.fingerprint)
    assert (refused.state, refused.reason) == (AnswerState.REFUSED, "its program has ended")
    with pytest.raises(RefusedError) as error:
        answer("approve")
    assert error.value.code == "no-dialog"
    assert [n.kind for n in rig.store.needs.open()] == [NeedKind.FAILED]


def test_a_key_that_was_not_seen_to_arrive_is_never_followed_by_another(rig: Rig, agent: StandIn) -> None:
    """An agent that hangs takes keys later: a second Enter would meet whatever it shows then."""
    agent.do("permission", command="make")
    need = need_of(rig, agent, NeedKind.PERMISSION)
    agent.do("quiet")
    (lost,) = answer("approve", fingerprint=need.fingerprint)
    assert (lost.state, "still open" in lost.reason) == (AnswerState.UNCONFIRMED, True)
    (refused,) = answer("approve", fingerprint=need.fingerprint)
    assert (refused.state, "attach" in refused.reason) == (AnswerState.REFUSED, True)


def test_an_answer_that_a_crash_cut_short_is_not_given_again(rig: Rig, agent: StandIn) -> None:
    agent.do("permission", command="make")
    need = need_of(rig, agent, NeedKind.PERMISSION)
    agent.do("quiet")
    cut = rig.store.answers.add(
        agent.id, "deny", fingerprint=need.fingerprint, at=rig.store.agents.get(agent.id).status_since
    )
    eventually(lambda: rig.store.answers.get(cut.id).state is AnswerState.GIVING, what="it is not begun")
    pid = rig.store.health.read().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert rig.tmorch("supervisor", "start").code == 0
    eventually(lambda: rig.store.answers.get(cut.id).state is AnswerState.UNCONFIRMED, what="it is not settled")
    assert "stopped while it was being given" in rig.store.answers.get(cut.id).reason
    (refused,) = answer("deny", fingerprint=need.fingerprint)
    assert refused.state is AnswerState.REFUSED


def test_a_start_up_gate_that_is_left_to_the_person(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 18, answered from the command line: the API key is not used."""
    rig.configure('[claude.gates]\napi_key = "ask"\n', stand_in_args=("--gates", "apikey"), as_driver="claude")
    agent = rig.agent(rig.start(make_project(), agent="claude"))
    need_of(rig, agent, NeedKind.GATE)
    listed = rig.tmorch("needs", "--json").json["needs"]
    assert [(need["kind"], need["agent"]) for need in listed] == [("gate", agent.id)]
    done = rig.tmorch("answer", "developer", "deny", "--json")
    assert (done.code, done.json["state"]) == (0, "given"), done
    agent.wait_status("idle", "working")
    assert len(eventually(agent.prompts)) == 1


def test_an_agent_does_not_answer_for_the_person(rig: Rig, start: Callable[..., tuple[StandIn, ...]]) -> None:
    developer, tester = start("developer", "tester")
    developer.do("permission", command="make")
    need_of(rig, developer, NeedKind.PERMISSION)
    pane = tester.row.pane
    assert pane is not None
    inside = {"TMUX": f"{rig.tmux.socket_path},{rig.tmux.pid},0", "TMUX_PANE": pane}
    done = rig.tmorch("answer", developer.id, "approve", "--json", env=inside)
    assert (done.code, done.json["error"]["code"]) == (3, "agent"), done
    assert picked(rig, developer) == []
    assert rig.tmorch("answer", "nobody", "approve").code == 4


@pytest.mark.parametrize("has_hooks", [True, False])
def test_a_command_that_is_taller_than_its_pane(rig: Rig, make_project: MakeProject, has_hooks: bool) -> None:
    """Two commands may end alike: it is answered only if the agent's hook has told the whole of this one."""
    driver = "claude" if has_hooks else "stand-in"
    rig.configure(stand_in_args=("--trace", f"{rig.folder}/$(echo $TMORCH_AGENT | tr : _).trace"), as_driver=driver)
    agent = rig.agent(rig.start(make_project(), agent=driver))
    agent.wait_status("idle")
    command = "\n".join(f"echo step {number}" for number in range(80))
    agent.do("permission", command=command)
    need = need_of(rig, agent, NeedKind.PERMISSION, command if has_hooks else "step 79")
    assert "step 0" not in agent.screen()
    (done,) = answer("approve", fingerprint=need.fingerprint)
    if has_hooks:
        assert (done.state, picked(rig, agent)) == (AnswerState.GIVEN, ["permission: Yes"]), done
    else:
        assert (done.state, picked(rig, agent)) == (AnswerState.REFUSED, []), done
        assert "above the top of its pane: attach" in done.reason
