from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.agents.screen import Reading, ScreenState, read_screen
from orchestrator_core.agents.screen_patterns import FOLDER, Patterns, line_prompt, patterns, unread
from orchestrator_core.errors import NotFoundError
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import Cursor, PaneFrame

SCREENS = Path(__file__).parents[1] / "data/claude-screens"
EXPECTED: dict[str, str] = json.loads((SCREENS / "manifest.json").read_text(encoding="utf-8"))
CLAUDE = patterns("claude")


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


def captured(name: str) -> str:
    return (SCREENS / f"{name}.ansi.txt").read_text(encoding="utf-8").removesuffix("\n")


def reading_of(name: str) -> Reading:
    return read_screen(frame_of(captured(name)), CLAUDE)


def in_words(reading: Reading) -> str:
    """The state in the words of manifest.json."""
    match reading.state:
        case ScreenState.READY:
            return "idle:shell" if reading.background else "idle"
        case ScreenState.BUSY:
            return "busy:retrying" if reading.retrying else "busy"
        case ScreenState.LIMIT:
            return "limit_waiting" if reading.resumes else "limit_stopped"
        case ScreenState.DIALOG:
            return f"dialog:{reading.dialog}"
        case _:
            return str(reading.state)


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if expected != "shell"])
def test_every_captured_screen_is_read_as_what_it_was(name: str) -> None:
    assert in_words(reading_of(name)) == EXPECTED[name]


def test_every_captured_screen_has_an_expected_state() -> None:
    assert {path.name.removesuffix(".ansi.txt") for path in SCREENS.glob("*.txt")} == set(EXPECTED)


def test_choices_carry_the_cursor() -> None:
    trust = reading_of("02_trust_dialog")
    assert [(c.key, c.label, c.selected) for c in trust.choices] == [
        ("", "No, exit", True),
        ("", "Yes, I trust this folder", False),
    ]
    moved = read_screen(
        frame_of(captured("02_trust_dialog").replace("❯", " ").replace("   Yes, I trust", " ❯ Yes, I trust")), CLAUDE
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
    reading = boxed(*rows)
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
        text = "\n".join((f"  ⎿ \u00a0{self.LIMIT}", "", RULE, "❯\u00a0", RULE, FOOTER))
        assert read_screen(frame_of(text, history=1), CLAUDE).state is ScreenState.READY
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
    reading = read_screen(frame_of(captured("05_idle_seeded")), unread())
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


def test_an_unknown_pattern_file_is_named_with_those_there_are() -> None:
    with pytest.raises(NotFoundError) as failure:
        patterns("nosuch")
    assert "claude" in failure.value.candidates


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


def test_the_pattern_file_names_its_versions() -> None:
    file = tomllib.loads((FOLDER / "claude.toml").read_text(encoding="utf-8"))
    assert (file["version"], file["agent_version"]) == (1, "2.1.330")


@pytest.mark.parametrize("patterns_of", [CLAUDE])
def test_every_answer_to_a_gate_is_a_choice_of_its_dialog(patterns_of: Patterns) -> None:
    for name in EXPECTED:
        reading = reading_of(name)
        for accept in (True, False):
            answer = patterns_of.gate_answer(reading.dialog, accept=accept)
            assert not answer or any(answer in choice.label for choice in reading.choices)
