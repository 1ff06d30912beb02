from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.agents.screen import Reading, ScreenState, read_screen
from orchestrator_core.agents.screen_patterns import line_prompt, unread
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import Cursor, PaneFrame
from tests.fakes.captured_screens import CLAUDE, FOLDER, lines_of, read


def frame_of(text: str, *, width: int = 120, history: int = 0, cursor: Cursor | None = None) -> PaneFrame:
    lines = tuple(text.split("\n"))
    return PaneFrame(
        pane=PaneId("%1"),
        lines=lines,
        width=width,
        height=len(lines) - history,
        cursor=cursor or Cursor(x=0, y=0, visible=False),
        history=history,
    )


def reading_of(name: str) -> Reading:
    return read(lines_of(name))


@pytest.mark.parametrize("folder", [FOLDER, FOLDER / "panes"])
def test_every_captured_screen_has_an_expected_state(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert {path.name.removesuffix(".ansi.txt") for path in folder.glob("*.txt")} == set(manifest)


def test_choices_carry_the_cursor() -> None:
    trust = reading_of("02_trust_dialog")
    assert [(c.key, c.label, c.selected) for c in trust.choices] == [
        ("", "No, exit", True),
        ("", "Yes, I trust this folder", False),
    ]
    moved = read_screen(
        frame_of(
            "\n".join(lines_of("02_trust_dialog")).replace("❯", " ").replace("   Yes, I trust", " ❯ Yes, I trust")
        ),
        CLAUDE,
    )
    assert [c.selected for c in moved.choices] == [False, True]
    mcp = reading_of("88_mcp_approval")
    assert [c.label for c in mcp.choices if c.selected] == ["Continue without using this MCP server"]
    assert [c.key for c in reading_of("09_permission_bash").choices] == ["1", "2", "3", "4"]
    assert [c.label for c in reading_of("61_askuser_end").choices] == [
        "Red",
        "Blue",
        "Type something.",
        "Chat about this",
    ]


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("09_permission_bash", "echo hi > /home/user/claude_tmp/x; curl -s http://127.0.0.1:1/"),
        ("11_permission_write", "Create file a.txt"),
        ("61_askuser_end", "Which color?"),
        ("88_mcp_approval", "demo"),
        ("03_apikey_dialog", "ANTHROPIC_API_KEY: sk-ant-...sk-ant-dummy"),
        ("29_limit_weekly_end", "You've hit your weekly limit · resets Nov 26, 12:24am (UTC)"),
        ("43_model_dialog", "Select model"),
        ("21_credit_low_mid", "Credit balance too low · Add funds: https://platform.claude.com/settings/billing"),
    ],
)
def test_what_is_asked_is_told(name: str, detail: str) -> None:
    assert reading_of(name).detail == detail


def test_an_error_is_told_with_the_rows_it_is_wrapped_onto() -> None:
    assert reading_of("31_apikey_429_unified_end").detail.endswith("Please try again later.")


@pytest.mark.parametrize(
    ("name", "draft"),
    [
        ("73_user_draft", "half typed dra"),
        ("74_stash_restored", "half typed dra"),
        ("77_early_input_0.5", "EARLY message\nsecond line"),
        ("82_classic_exit", "/exit"),
        ("21_credit_low_mid", ""),
        ("23_err529_retry_end", ""),
        ("75_queued", ""),
        ("05_idle_seeded", ""),
    ],
)
def test_a_draft_is_told_from_a_placeholder(name: str, draft: str) -> None:
    reading = reading_of(name)
    assert (reading.has_prompt, reading.draft) == (True, draft)


RULE = "\x1b[38;5;244m" + "─" * 120
FOOTER = "\x1b[39m  ⏸ manual mode on"


def boxed(*rows: str, above: str = "", footer: str = FOOTER, top: str = RULE) -> Reading:
    text = "\n".join((above, top, *rows, RULE, footer))
    return read_screen(frame_of(text), CLAUDE)


@pytest.mark.parametrize(
    ("rows", "draft"),
    [
        (("\x1b[39m❯\u00a0typed\x1b[7m \x1b[0m",), "typed"),
        (("\x1b[39m❯\u00a0\x1b[7mt\x1b[0mhe cursor is on its first letter",), "the cursor is on its first letter"),
        (("\x1b[39m❯\u00a0\x1b[7mx\x1b[0m",), "x"),
        (("\x1b[39m❯\u00a0日本語\x1b[7m \x1b[0m", "  二行目"), "日本語\n二行目"),
        (("\x1b[39m❯\u00a0first", "", "    indented", "  last\x1b[7m \x1b[0m"), "first\n\n  indented\nlast"),
        (("\x1b[39m❯\u00a0com\x1b[7mm\x1b[0;2mit the changes\x1b[0m",), "com"),
        (("\x1b[39m❯\u00a0\x1b[7mA\x1b[0;2ms you like\x1b[0m",), ""),
        (("\x1b[39m❯\u00a0\x1b[0;2mNot focused\x1b[0m",), ""),
        (("\x1b[39m❯\u00a0\x1b[7m \x1b[0m",), ""),
        (("\x1b[39m❯\u00a0",), ""),
        (("\x1b[39m!\u00a0ls -l\x1b[7m \x1b[0m",), "!\u00a0ls -l"),
        (("\x1b[39m❯\u00a0[Pasted text #1 +9 lines]\x1b[7m \x1b[0m",), "[Pasted text #1 +9 lines]"),
    ],
)
def test_drafts(rows: tuple[str, ...], draft: str) -> None:
    reading = boxed(*rows, above="✻ Baked for 3s · done 1:00 PM")
    assert (reading.state, reading.has_prompt, reading.draft) == (ScreenState.READY, True, draft)
    assert reading.pasted == ("[Pasted" in draft)


def test_dim_carries_over_from_the_rows_above() -> None:
    """tmux says once that text is dim, however many rows it goes on for."""
    plain = boxed("\x1b[0m❯\u00a0typed", above="\x1b[2mdim\nstill dim")
    assert plain.draft == "typed"
    dim = boxed("❯\u00a0", "  a placeholder of two rows", above="\x1b[2mdim", top="─" * 120)
    assert dim.draft == ""


def test_the_name_of_the_agent_may_stand_in_the_rule() -> None:
    assert boxed("❯\u00a0", top="\x1b[38;5;244m" + "─" * 100 + " shop-3f2a:developer ─").has_prompt


class TestQuoted:
    """What somebody only talks about is not what is."""

    LIMIT = "You've hit your 5-hour limit · resets 3:04pm (UTC)"

    def test_a_limit_in_a_reply(self) -> None:
        reading = boxed(
            "❯\u00a0", above=f"❯ what does it say?\n\n● It says: {self.LIMIT}\n\n✻ Baked for 3s · done 1:00 PM"
        )
        assert reading.state is ScreenState.READY

    def test_a_limit_in_the_output_of_a_tool(self) -> None:
        above = f"❯ read it\n\n● Bash(cat docs/upgrade.md)\n  ⎿ \u00a0{self.LIMIT}\n     and more"
        assert boxed("❯\u00a0", above=above).state is ScreenState.READY

    def test_a_limit_of_an_earlier_turn(self) -> None:
        above = f"❯ one\n  ⎿ \u00a0{self.LIMIT}\n\n❯ two\n\n● done\n\n✻ Baked for 3s · done 1:00 PM"
        assert boxed("❯\u00a0", above=above).state is ScreenState.READY

    def test_a_limit_that_the_turn_went_on_after(self) -> None:
        above = f"❯ one\n  ⎿ \u00a0{self.LIMIT}\n\n● Usage limit reset · Continuing automatically\n\n● done"
        assert boxed("❯\u00a0", above=above).state is ScreenState.READY

    def test_a_limit_in_the_message_itself(self) -> None:
        assert boxed("❯\u00a0", above=f"❯ it said\n  {self.LIMIT}\n\n● ok").state is ScreenState.READY

    def test_a_limit_in_the_scrollback(self) -> None:
        notice = f"\x1b[38;5;246m  ⎿ \u00a0\x1b[38;5;211m{self.LIMIT}"
        text = "\n".join(("\x1b[39m❯ hello", notice, "", RULE, "❯\u00a0", RULE, FOOTER))
        below = text.replace(notice, f"{notice}\n\x1b[39m❯ /clear")
        assert read_screen(frame_of(below, history=2), CLAUDE).state is ScreenState.READY
        assert read_screen(frame_of(text), CLAUDE).state is ScreenState.LIMIT

    def test_an_error_in_a_reply(self) -> None:
        above = "❯ hm\n\n● The log has this line:\n  API Error: Request rejected (429)\n\n✻ Baked for 3s · done 1:00 PM"
        assert boxed("❯\u00a0", above=above).state is ScreenState.READY

    def test_a_dialog_above_a_prompt(self) -> None:
        above = "❯ hm\n\n● It asked: Do you want to proceed?\n  ❯ 1. Yes\n    2. No\n  Esc to cancel · Tab to amend"
        assert boxed("❯\u00a0", above=above).state is ScreenState.READY

    def test_a_prompt_box_above_a_dialog(self) -> None:
        """As the plain renderer leaves it in the terminal."""
        dialog = ("Bash command", "Do you want to proceed?", "❯ 1. Yes", "  2. No", "Esc to cancel · Tab to amend")
        text = "\n".join((RULE, "❯\u00a0old", RULE, FOOTER, RULE, *dialog))
        reading = read_screen(frame_of(text), CLAUDE)
        assert (reading.state, reading.dialog) == (ScreenState.DIALOG, "permission")

    def test_a_limit_in_the_output_of_a_command_of_the_person(self) -> None:
        """The very row a limit has, while `!` runs it and before anything follows it."""
        above = f"! cat upgrade.md\n  ⎿ \u00a0{self.LIMIT}"
        assert boxed("❯\u00a0", above=above).state is ScreenState.READY

    def test_a_limit_in_a_reply_that_looks_like_one(self) -> None:
        above = f"\x1b[38;5;231m❯ x\n\n\x1b[38;5;231m●\x1b[39m It says:\n\n  ⎿ \u00a0{self.LIMIT}"
        assert boxed("❯\u00a0", above=above).state is ScreenState.READY

    def test_a_gate_in_the_content_of_a_file(self) -> None:
        """A gate may be answered by a policy: nothing that an agent writes may look like one."""
        content = ("Detected a custom API key in your environment", "Do you want to use this API key?", "❯ Yes")
        rows = (" Create file", " a.md", "╌" * 120, *(f"  {line}" for line in content), "╌" * 120)
        asked = (" Do you want to create a.md?", " ❯ 1. Yes", "   2. No", "", " Esc to cancel · Tab to amend")
        reading = read_screen(frame_of("\n".join((RULE, *rows, *asked))), CLAUDE)
        assert (reading.dialog, reading.gate, [c.label for c in reading.choices]) == (
            "permission",
            False,
            ["Yes", "No"],
        )

    def test_esc_to_interrupt_in_the_transcript(self) -> None:
        assert boxed("❯\u00a0", above="● press esc to interrupt").state is ScreenState.READY


def test_a_dialog_taller_than_the_screen_is_still_known() -> None:
    dashes = "╌" * 120
    text = "\n".join(
        (
            *(f"  {n} line of a file" for n in range(30)),
            dashes,
            " Do you want to create a.txt?",
            " ❯ 1. Yes",
            "   2. No",
        )
    )
    reading = read_screen(frame_of(text), CLAUDE)
    assert (reading.state, reading.dialog) == (ScreenState.DIALOG, "permission")
    assert [choice.label for choice in reading.choices] == ["Yes", "No"]


def test_a_dialog_whose_sentences_are_wrapped_is_still_known() -> None:
    rows = (
        "─" * 40,
        " Quick safety",
        " check: Is this a project you trust?",
        "",
        " ❯ No, exit",
        "   Yes, I trust this folder",
    )
    reading = read_screen(frame_of("\n".join(rows), width=40), CLAUDE)
    assert (reading.dialog, len(reading.choices)) == ("trust", 2)


def test_a_spinner_alone_is_enough_when_the_footer_is_hidden() -> None:
    reading = boxed("❯\u00a0/co", above="❯ go\n\n✢ Concocting… (2s · ↓ 5 tokens)", footer="  ❯ /compact  Shorten")
    assert (reading.state, reading.doing, reading.draft) == (ScreenState.BUSY, "Concocting…", "/co")
    assert reading.says == "shows a spinner"


def test_what_it_does_leaves_out_running_seconds() -> None:
    def doing(line: str) -> str:
        return boxed("❯\u00a0", above=f"❯ go\n\n{line}\n\n✢ Concocting… (2s)", footer="  esc to interrupt").doing

    assert doing("● Running sleep 6 · 4s") == "Running sleep 6"
    assert doing("● Bash(make test) · 2m 4s") == "Bash(make test)"
    assert doing(f"● Bash({'x' * 100})") == f"Bash({'x' * 74}…"
    assert doing("● some words of the agent") == "Concocting…"
    assert doing("") == "Concocting…"


def test_the_newest_message_is_given_back_whole() -> None:
    ground = "\x1b[48;5;237m"
    above = f"{ground}❯ \x1b[38;5;231m[tmorch 4 from lead] one\x1b[39m\n\n  two\x1b[49m\n\n  Ran 1 shell command"
    assert boxed("❯\u00a0", above=above).last_prompt == "[tmorch 4 from lead] one\n\ntwo"
    assert boxed("❯\u00a0", above="❯ old\n\n❯ new\n  second\n\n● reply").last_prompt == "new\nsecond"
    assert boxed("❯\u00a0", above="❯ old\n\n! ls\n  ⎿ \u00a0a").last_prompt == "old"


def test_a_plain_screen_is_neither() -> None:
    for text in ("", "\n\n\n", "$ claude", "Traceback (most recent call last):\n  boom"):
        reading = read_screen(frame_of(text), CLAUDE)
        assert (reading.state, reading.has_prompt) == (ScreenState.NONE, False)


def test_an_agent_without_patterns_is_never_read() -> None:
    reading = read_screen(frame_of("\n".join(lines_of("05_idle_seeded"))), unread())
    assert (reading.state, reading.readable, reading.has_prompt) == (ScreenState.NONE, False, False)


class TestLinePrompt:
    AIDER = line_prompt(r"^> ")

    def at(self, text: str, row: int) -> Reading:
        return read_screen(frame_of(text, cursor=Cursor(x=0, y=row, visible=True)), self.AIDER)

    def test_ready_with_and_without_a_draft(self) -> None:
        assert self.at("hello\n> ", 1).state is ScreenState.READY
        assert self.at("hello\n>", 1).has_prompt
        assert self.at("hello\n> half a", 1).draft == "half a"

    def test_busy_elsewhere(self) -> None:
        assert self.at("> done\nthinking", 1).state is ScreenState.BUSY
        assert not self.at("", 5).has_prompt


lines_of_anything = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.sampled_from(
            [
                RULE,
                "❯\u00a0",
                "❯ ",
                "▔" * 120,
                "╌" * 120,
                " ❯ 1. Yes",
                "Do you want to proceed?",
                "\x1b[2m",
                "\x1b[0m",
                "● ",
            ]
        ),
    ),
    max_size=30,
)


@given(lines_of_anything, st.integers(0, 40))
def test_whatever_a_program_draws_is_read_without_a_fault(lines: list[str], history: int) -> None:
    text = "\n".join(line.replace("\n", " ") for line in lines)
    frame = frame_of(text, history=min(history, text.count("\n") + 1))
    for read_by in (CLAUDE, unread(), line_prompt("^>")):
        assert isinstance(read_screen(frame, read_by), Reading)
