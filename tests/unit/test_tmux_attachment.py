"""Which session a control client of ours may attach to."""

from __future__ import annotations

from orchestrator_core.models.ids import SessionId
from orchestrator_core.tmux.attachment import Candidate, choose


def session(number: int, *, survives: bool = True, is_ours: bool = False) -> Candidate:
    return Candidate(session_id=SessionId(f"${number}"), survives=survives, is_ours=is_ours, server_pid=1)


def chosen(*candidates: Candidate, preferred: str = "") -> str | None:
    found = choose(candidates, SessionId(preferred))
    return found.session_id if found else None


def test_ours_come_first() -> None:
    assert chosen(session(0), session(1, is_ours=True), session(2, is_ours=True)) == "$1"


def test_the_preferred_one_comes_before_ours() -> None:
    assert chosen(session(0), session(1, is_ours=True), preferred="$0") == "$0"


def test_any_other_will_do() -> None:
    assert chosen(session(0, survives=False), session(1), session(2)) == "$1"


def test_never_one_that_would_end_when_we_leave() -> None:
    assert chosen(session(0, survives=False, is_ours=True), preferred="$0") is None
    assert chosen() is None
