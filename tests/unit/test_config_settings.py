from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.config.checking import checked_settings, checked_table
from orchestrator_core.config.paths import Paths
from orchestrator_core.config.schema import example_text, schema_rows
from orchestrator_core.config.settings import Settings, load_settings
from orchestrator_core.errors import ExitCode, SettingsError
from orchestrator_core.models.team import Plan


@pytest.fixture
def paths() -> Paths:
    found = Paths.from_env()
    found.config_file.parent.mkdir(parents=True)
    return found


def load(paths: Paths, text: str, **variables: str) -> Settings:
    paths.config_file.write_text(text)
    return load_settings(paths, variables)


def failure(paths: Paths, text: str, **variables: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load(paths, text, **variables)
    return caught.value


def error_of(call: Callable[[], object]) -> SettingsError | None:
    try:
        call()
    except SettingsError as error:
        return error
    return None


def test_without_a_file_the_defaults_hold() -> None:
    settings = load_settings(Paths.from_env({"HOME": "/nonexistent"}), {})
    assert settings == Settings()
    assert settings.tmux.socket == ""
    assert settings.claude.command == ("claude",)
    assert settings.claude.gates.trust == "accept"
    assert settings.messages.wait_s == 5.0


def test_the_file_overrides_single_values(paths: Paths) -> None:
    settings = load(paths, '[team]\nplan = "pro"\n[claude.gates]\nmcp = "accept"\n[supervisor]\ntick_s = 2\n')
    assert settings.team.plan is Plan.PRO
    assert settings.team.driver == "claude"
    assert settings.claude.gates.mcp == "accept"
    assert settings.claude.gates.trust == "accept"
    assert settings.supervisor.tick_s == 2.0


def test_a_driver_of_ones_own(paths: Paths) -> None:
    settings = load(paths, '[drivers.aider]\ncommand = ["aider", "--yes"]\nenv = { A = "b" }\n')
    driver = settings.drivers["aider"]
    assert driver.command == ("aider", "--yes")
    assert driver.process_names == ()
    assert driver.screen == "claude"
    assert driver.env == {"A": "b"}


def test_a_byte_order_mark_and_dos_line_ends_are_fine(paths: Paths) -> None:
    paths.config_file.write_bytes(b'\xef\xbb\xbf[tui]\r\ntheme = "x"\r\n')
    assert load_settings(paths, {}).tui.theme == "x"


class Wrong(NamedTuple):
    test_id: str
    text: str
    title: str
    cause: str


WRONG = [
    Wrong(
        "a misspelt key",
        "[messages]\nwait = 2\n",
        "messages.wait is no setting; did you mean messages.wait_s?",
        "[messages] has wait_s, duplicate_limit, duplicate_window_s",
    ),
    Wrong(
        "a misspelt section",
        '[tmx]\nsocket = "x"\n',
        "tmx is no setting; did you mean tmux?",
        "the sections are tmux, projects, worktrees, team, claude, demo, drivers, analysis, messages, schedule, "
        "credit, budget, resume, context, "
        "progress, notify, supervisor, tui",
    ),
    Wrong(
        "a key without its section",
        'theme = "x"\n',
        "theme is no setting; did you mean tui.theme?",
        "the sections are",
    ),
    Wrong("a key far from any", "[demo]\nqqqqqq = 1\n", "demo.qqqqqq is no setting", "[demo] has speed, seed"),
    Wrong("a nested key", "[claude.gates]\ntrst = 1\n", "did you mean claude.gates.trust?", "[claude.gates] has"),
    Wrong(
        "text for a number",
        '[messages]\nwait_s = "soon"\n',
        'messages.wait_s is "soon"',
        "it must be a number of 0 or more, at most 86400",
    ),
    Wrong("below the range", "[supervisor]\ntick_s = 0\n", "supervisor.tick_s is 0", "a number above 0, at most 60"),
    Wrong("not a number", "[messages]\nwait_s = nan\n", "messages.wait_s is nan", "it must be a number"),
    Wrong("for ever", "[messages]\nwait_s = inf\n", "messages.wait_s is inf", "at most 86400"),
    Wrong("a truth for a number", "[demo]\nseed = true\n", "demo.seed is true", "a whole number of 0 or more"),
    Wrong("a number for a truth", "[tui]\nguests = 1\n", "tui.guests is 1", "it must be true or false"),
    Wrong("text for a list", '[claude]\ncommand = "claude"\n', 'claude.command is "claude"', "a list of words"),
    Wrong("an empty list", "[claude]\ncommand = []\n", "claude.command is []", "a list of words"),
    Wrong("numbers in a list", "[claude]\ncommand = [1]\n", "claude.command is [1]", "a list of words"),
    Wrong(
        "a word that is none of them",
        '[team]\nplan = "max10"\n',
        'team.plan is "max10"; did you mean "max20"?',
        'one of "pro", "max5", "max20", "console"',
    ),
    Wrong(
        "a word in other letters",
        '[claude]\npermission_mode = "acceptedits"\n',
        'did you mean "acceptEdits"?',
        'one of "acceptEdits"',
    ),
    Wrong("a relative socket", '[tmux]\nsocket = "a/b"\n', 'tmux.socket is "a/b"', "a name without slashes"),
    Wrong("a value for a section", "tmux = 3\n", "tmux is 3", "it must be a table, written as [tmux]"),
    Wrong("a value for the drivers", "drivers = 3\n", "drivers is 3", "made of tables such as [drivers.NAME]"),
    Wrong("a value for a driver", "[drivers]\nx = 3\n", "drivers.x is 3", "written as [drivers.x]"),
    Wrong("a driver without command", "[drivers.x]\n", "drivers.x.command is missing", "a list of words"),
    Wrong(
        "a driver's misspelt key",
        '[drivers.x]\ncommand = ["x"]\nscren = "none"\n',
        "did you mean drivers.x.screen?",
        "[drivers.x] has command",
    ),
    Wrong(
        "a broken pattern",
        '[drivers.x]\ncommand = ["x"]\nprompt_pattern = "("\n',
        "drivers.x.prompt_pattern is no regular expression: missing )",
        "",
    ),
    Wrong("a built-in driver", '[drivers.claude]\ncommand = ["x"]\n', "drivers.claude would hide", ""),
    Wrong("a driver's odd name", '[drivers."a b"]\ncommand = ["x"]\n', "a b", ""),
    Wrong("keys that are no text", "[tui.keys]\nquit = 3\n", 'tui.keys is { "quit" = 3 }', "a table of strings"),
    Wrong("a date", "[tui]\ntheme = 2026-11-22\n", "tui.theme is 2026-11-22", "the name of a theme"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=[wrong.test_id for wrong in WRONG])
def test_what_is_wrong_is_named_exactly(paths: Paths, wrong: Wrong) -> None:
    error = failure(paths, wrong.text)
    assert error.title.startswith(f"{paths.config_file}: ")
    assert wrong.title in error.title
    assert wrong.cause in error.cause
    assert str(paths.config_file) in error.remedy
    assert error.exit_code is ExitCode.USAGE


def test_everything_that_is_wrong_is_named_at_once(paths: Paths) -> None:
    error = failure(paths, '[tmux]\nbn = "x"\n[messages]\nwait_s = -1\n[tui]\nguests = "yes"\n')
    assert "tmux.bn is no setting; did you mean tmux.bin?" in error.title
    assert error.cause.endswith("; wrong as well: messages.wait_s, tui.guests")


@pytest.mark.parametrize(
    ("text", "place", "line"),
    [
        ("[tui]\ntheme = x\n", "line 2, column 9", "theme = x"),
        ("[tui]\ntheme = 'x'\ntheme = 'y'\n", "line 3, column 12", "theme = 'y'"),
        ("[tui\n", "line 1, column 5", "[tui"),
        ("[tui]\ntheme = '''x", "line 2, at its end", "the file ends there"),
    ],
)
def test_what_is_not_toml_is_named_with_line_and_column(paths: Paths, text: str, place: str, line: str) -> None:
    error = failure(paths, text)
    assert f"{paths.config_file} is not TOML: " in error.title
    assert error.title.endswith(place)
    assert line in error.cause


def test_a_file_that_is_not_text_is_refused(paths: Paths) -> None:
    paths.config_file.write_bytes(b"[tui]\ntheme = '\xff'\n")
    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        load_settings(paths, {})


def test_a_folder_in_place_of_the_file_is_refused(paths: Paths) -> None:
    paths.config_file.mkdir()
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        load_settings(paths, {})
    assert "directory" in caught.value.cause


@given(st.text())
def test_any_text_is_settings_or_an_explained_error(text: str) -> None:
    error = error_of(lambda: checked_settings(text, Path("config.toml"), {}))
    assert error is None or ("config.toml" in error.title and error.remedy)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(key=st.sampled_from([row.key for row in schema_rows()]), value=VALUES)
def test_any_value_is_taken_or_refused_by_its_key(key: str, value: object) -> None:
    table: Any = value
    for name in reversed(key.split(".")):
        table = {name: table}
    error = error_of(lambda: checked_table(table, Path("config.toml")))
    assert error is None or key.rpartition(".")[0].removesuffix(".NAME") in error.title


def test_the_example_file_sets_nothing_and_shows_every_default(paths: Paths) -> None:
    text = example_text()
    assert load(paths, text) == Settings()
    setting = re.compile(r"^# (?=(?:\w+ = )|\[)", re.MULTILINE)
    taken = load(paths, setting.sub("", text))
    assert msgspec.structs.replace(taken, drivers={}) == Settings()
    assert taken.drivers["aider"].screen == "none"


def test_every_setting_has_a_text_and_a_default_that_is_allowed() -> None:
    rows = {row.key: row for row in schema_rows()}
    assert [key for key, row in rows.items() if not row.text] == []
    assert [key for key, row in rows.items() if not row.type] == []
    assert [key for key, row in rows.items() if not row.default] == ["drivers.NAME.command"]
    assert rows["messages.wait_s"].default == "5.0"
    assert msgspec.convert(msgspec.to_builtins(Settings()), Settings) == Settings()


def imported(code: str, *modules: str) -> set[str]:
    program = f"{code}\nimport sys\nprint(*[name for name in {modules!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


LOAD = (
    "from orchestrator_core.config.paths import Paths\n"
    "from orchestrator_core.config.settings import load_settings\n"
    "load_settings(Paths.from_env())"
)
HEAVY = ("tomllib", "tomli_w", "subprocess", "asyncio", "difflib", "orchestrator_core.config.checking")


def test_with_nothing_set_nothing_is_parsed(paths: Paths) -> None:
    assert imported(LOAD, *HEAVY) == set()
    paths.config_file.write_text(example_text())
    assert imported(LOAD, *HEAVY) == set()


def test_with_something_set_it_is(paths: Paths) -> None:
    paths.config_file.write_text("[demo]\nseed = 4\n")
    assert "tomllib" in imported(LOAD, *HEAVY)
