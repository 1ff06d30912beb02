"""The restoring briefing: what it tells, and that nothing quoted in it does any harm."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.models.spec import Phase
from orchestrator_core.team.restoring import MOST, SHOWN, Note, Restoration, harmless, restoring

ANYTHING = st.text(max_size=400)
HEADINGS = [
    "## Who you are",
    "## What was decided",
    "## What was done",
    "## What is not committed",
    "## What you have not read yet",
    "## What comes next",
]


def found(**changes: Any) -> Restoration:
    told: dict[str, Any] = {
        "role": "developer",
        "title": "Developer",
        "agent": "shop-1:developer",
        "team": "shop-1",
        "project": "Shop",
        "goal": "Sell things",
        "worktree": "/w/developer",
        "branch": "tmorch/shop-1/developer",
        "base": "1234567",
    }
    return Restoration(**told | changes)


def test_it_tells_who_what_was_decided_done_left_unread_and_next() -> None:
    text = restoring(
        found(
            spec_path="SPEC.md",
            heard=(Note(number=4, who="the person", text="Use SQLite"),),
            said=(Note(number=5, who="shop-1:tester", text="The till is ready"),),
            waiting=(Note(number=9, who="shop-1:orchestrator", text="Task 3"),),
            commits=(("abc1234", "Add the till"),),
            commit_count=7,
            uncommitted=("src/till.py",),
            operation="merge",
            phases=(Phase(name="Till"), Phase(name="Receipts")),
            check_ins=(("at 2026-01-01 10:00, then every 30 min", "look around"),),
        )
    )
    for part in (
        "You are the Developer (`developer`); your agent id is `shop-1:developer`",
        "Spec: `SPEC.md`",
        "Message 4 from `the person`: `Use SQLite`",
        "You wrote to `shop-1:tester` (message 5): `The till is ready`",
        "- `abc1234` `Add the till`",
        "and 6 earlier commits",
        "- `src/till.py`",
        "in the middle of a merge",
        "Message 9 from `shop-1:orchestrator`: `Task 3`",
        "`Till`, `Receipts`",
        "Check-in at 2026-01-01 10:00, then every 30 min: `look around`",
    ):
        assert part in text
    assert [line for line in text.split("\n") if line.startswith("#")] == HEADINGS
    assert text.startswith("You are being started again by tmorch, in your own conversation")


def test_it_says_so_when_there_is_nothing_to_tell() -> None:
    text = restoring(found())
    for part in ("No messages between you", "Nothing is committed", "your worktree is clean", "Nothing waits for you"):
        assert part in text
    assert "Spec:" not in text
    assert "Git could not be asked" in restoring(found(is_known=False))


def test_a_new_conversation_and_a_reminder_are_called_what_they_are() -> None:
    anew = restoring(found(is_new_conversation=True, has_briefing=True))
    assert "nothing of your earlier conversation is left" in anew
    assert anew.endswith("Your briefing as you had it at first:")
    assert "briefing" not in restoring(found(is_new_conversation=True))
    reminder = restoring(found(is_running=True))
    assert reminder.startswith("This is a reminder from tmorch")
    assert "started again" not in reminder


@given(subject=ANYTHING, path=ANYTHING, text=ANYTHING, goal=ANYTHING, due=ANYTHING)
def test_whatever_is_quoted_stays_quoted(subject: str, path: str, text: str, goal: str, due: str) -> None:
    """No subject, path or message begins a line, a heading, a block or a command of its own."""
    told = restoring(
        found(
            goal=goal,
            project=text,
            worktree=path,
            commits=(("abc1234", subject),),
            commit_count=1,
            uncommitted=(path,),
            heard=(Note(number=1, who=text, text=text),),
            waiting=(Note(number=2, who=subject, text=subject),),
            phases=(Phase(name=subject),),
            check_ins=(("at ten", text),),
        )
    )
    lines = told.split("\n")
    assert [line for line in lines if line.startswith("#")] == HEADINGS
    assert all(line == "" or line[0] in "-#" or line[0].isupper() for line in lines)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", told)
    assert "```" not in told or "```" in f"{subject}{path}{text}{goal}"
    assert len(told) < 40 * SHOWN


@given(text=ANYTHING)
def test_harmless_text_is_one_short_line_that_says_something(text: str) -> None:
    line = harmless(text)
    assert line.isprintable()
    assert 0 < len(line) <= SHOWN
    assert line == line.strip()
    assert harmless(line) == line


def test_of_much_only_the_latest_is_named_and_the_rest_is_counted() -> None:
    commits = tuple((f"{number:07}", f"commit {number}") for number in range(30))
    notes = tuple(Note(number=number, who="you", text=f"note {number}") for number in range(50))
    text = restoring(
        found(commits=commits, commit_count=90, uncommitted=tuple(f"f{n}" for n in range(45)), heard=notes)
    )
    assert text.count("`commit ") == MOST
    assert "and 70 earlier commits" in text
    assert "and 25 more." in text
    assert "`note 49`" in text
    assert "`note 29`" not in text


def test_the_persons_own_template_is_used(tmp_path: Path) -> None:
    (tmp_path / "restore.md.j2").write_text("Welcome back, {{ title }}: {{ commits | length }} commits.")
    assert restoring(found(), [tmp_path]) == "Welcome back, Developer: 0 commits."
