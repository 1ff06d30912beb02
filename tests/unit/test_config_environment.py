from __future__ import annotations

import pytest

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings, load_settings
from orchestrator_core.errors import SettingsError
from orchestrator_core.models.team import Plan


@pytest.fixture
def paths() -> Paths:
    found = Paths.from_env()
    found.config_file.parent.mkdir(parents=True)
    return found


def failure(paths: Paths, **variables: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load_settings(paths, variables)
    return caught.value


def test_a_variable_overrides_the_file(paths: Paths) -> None:
    paths.config_file.write_text('[tmux]\nsocket = "file"\nbin = "tmux-3.5"\n')
    settings = load_settings(paths, {"TMORCH_TMUX__SOCKET": "variable"})
    assert settings.tmux.socket == "variable"
    assert settings.tmux.bin == "tmux-3.5"


def test_values_are_read_as_their_setting_is_typed(paths: Paths) -> None:
    settings = load_settings(
        paths,
        {
            "TMORCH_MESSAGES__WAIT_S": "2",
            "TMORCH_MESSAGES__DUPLICATE_LIMIT": "7",
            "TMORCH_TUI__GUESTS": "off",
            "TMORCH_TUI__THEME": "7",
            "TMORCH_TEAM__PLAN": "max20",
            "TMORCH_CLAUDE__GATES__TRUST": "refuse",
            "TMORCH_CLAUDE__COMMAND": "claude --model 'claude opus'",
            "TMORCH_TUI__KEYS": '{ "app.quit" = "ctrl+q" }',
        },
    )
    assert settings.messages.wait_s == 2.0
    assert settings.messages.duplicate_limit == 7
    assert settings.tui.guests is False
    assert settings.tui.theme == "7"
    assert settings.team.plan is Plan.MAX20
    assert settings.claude.gates.trust == "refuse"
    assert settings.claude.command == ("claude", "--model", "claude opus")
    assert settings.tui.keys == {"app.quit": "ctrl+q"}


@pytest.mark.parametrize("text", ['["claude", "-x y"]', "claude '-x y'", ' [ "claude" , "-x y" ] '])
def test_a_list_is_toml_or_words_as_in_a_shell(paths: Paths, text: str) -> None:
    assert load_settings(paths, {"TMORCH_CLAUDE__COMMAND": text}).claude.command == ("claude", "-x y")


@pytest.mark.parametrize(("text", "value"), [("1", True), ("YES", True), ("on", True), ("False", False), ("0", False)])
def test_truth_values(paths: Paths, text: str, value: bool) -> None:
    assert load_settings(paths, {"TMORCH_TUI__GUESTS": text}).tui.guests is value


def test_a_driver_is_found_however_the_file_spells_it(paths: Paths) -> None:
    paths.config_file.write_text('[drivers.My-Agent]\ncommand = ["a"]\n')
    settings = load_settings(
        paths, {"TMORCH_DRIVERS__MY_AGENT__SCREEN": "none", "TMORCH_DRIVERS__AIDER__COMMAND": "aider"}
    )
    assert settings.drivers["My-Agent"].screen == "none"
    assert settings.drivers["My-Agent"].command == ("a",)
    assert settings.drivers["aider"].command == ("aider",)


def test_other_variables_of_ours_are_left_alone(paths: Paths) -> None:
    variables = {"TMORCH_AGENT": "shop-1:dev", "TMORCH_STATE": "/x", "TMORCH_ORCHESTRATION": "shop-1", "XTMORCH__A": ""}
    assert load_settings(paths, variables) == Settings()


@pytest.mark.parametrize(
    ("variable", "title"),
    [
        (
            "TMORCH_MESSAGES__WAIT",
            "TMORCH_MESSAGES__WAIT: messages.wait is no setting; did you mean TMORCH_MESSAGES__WAIT_S?",
        ),
        ("TMORCH_TMX__SOCKET", "TMORCH_TMX__SOCKET: tmx is no setting; did you mean TMORCH_TMUX?"),
        ("TMORCH_TMUX__SOCKET__X", "TMORCH_TMUX__SOCKET__X: tmux.socket is"),
        ("TMORCH__TMUX", "TMORCH__TMUX:"),
        ("TMORCH_TMUX__", "TMORCH_TMUX__:"),
    ],
)
def test_an_unknown_variable_is_named(paths: Paths, variable: str, title: str) -> None:
    error = failure(paths, **{variable: "x"})
    assert error.title.startswith(title)
    assert error.remedy == f"correct or unset the variable {variable}"


@pytest.mark.parametrize(
    ("variable", "value", "title"),
    [
        ("TMORCH_MESSAGES__WAIT_S", "soon", 'TMORCH_MESSAGES__WAIT_S: messages.wait_s is "soon"'),
        ("TMORCH_MESSAGES__WAIT_S", "", 'TMORCH_MESSAGES__WAIT_S: messages.wait_s is ""'),
        ("TMORCH_SUPERVISOR__TICK_S", "0", "TMORCH_SUPERVISOR__TICK_S: supervisor.tick_s is 0"),
        ("TMORCH_TUI__GUESTS", "perhaps", 'TMORCH_TUI__GUESTS: tui.guests is "perhaps"'),
        ("TMORCH_CLAUDE__COMMAND", "'open", 'TMORCH_CLAUDE__COMMAND: claude.command is "\'open"'),
        ("TMORCH_CLAUDE__COMMAND", "[claude]", 'TMORCH_CLAUDE__COMMAND: claude.command is "[claude]"'),
        ("TMORCH_CLAUDE__COMMAND", "", "TMORCH_CLAUDE__COMMAND: claude.command is []"),
        ("TMORCH_DRIVERS__X__SCREEN", "none", "TMORCH_DRIVERS__X__SCREEN: drivers.x.command is missing"),
        ("TMORCH_MESSAGES__WAIT_S", "\udcff", "TMORCH_MESSAGES__WAIT_S: is not UTF-8 text"),
        ("TMORCH_DRIVERS__X", "none", 'TMORCH_DRIVERS__X: drivers.x is "none"'),
        ("TMORCH_DRIVERS__CLAUDE__COMMAND", "x", "TMORCH_DRIVERS__CLAUDE__COMMAND: drivers.claude would hide"),
    ],
)
def test_a_wrong_value_names_its_variable(paths: Paths, variable: str, value: str, title: str) -> None:
    assert failure(paths, **{variable: value}).title.startswith(title)


def test_what_the_file_has_wrong_is_not_blamed_on_a_variable(paths: Paths) -> None:
    paths.config_file.write_text("tmux = 3\n")
    assert failure(paths, TMORCH_TMUX__SOCKET="x").title.startswith(f"{paths.config_file}: tmux is 3")


def test_a_variable_can_put_right_what_the_file_has_wrong(paths: Paths) -> None:
    paths.config_file.write_text("[messages]\nwait_s = -1\n")
    assert load_settings(paths, {"TMORCH_MESSAGES__WAIT_S": "1"}).messages.wait_s == 1.0
