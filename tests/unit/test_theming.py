"""Themes: legible, complete, told apart, and forgiving about one bad file."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pytest
from rich.color import ColorSystem
from textual.app import App, ComposeResult
from textual.color import Color, Lab, rgb_to_lab
from textual.theme import BUILTIN_THEMES, Theme
from textual.widgets import Button, DataTable, Footer, Input, Markdown, OptionList, TextArea, Tree

from orchestrator_core.config.paths import Paths
from orchestrator_core.models.agent import AgentStatus
from tui.ansi import contrast
from tui.theming import (
    DEFAULT_THEME,
    SIXTEEN,
    ThemeProblem,
    ThemeSet,
    changed_since,
    load_themes,
    terminal_colours,
    variable_defaults,
)

TEXT, SIGN = 4.5, 3.0
GROUNDS = ("background", "surface", "panel")
BUILT_IN = {
    "ansi",
    "tmorch-colourblind",
    "tmorch-contrast",
    "tmorch-dark",
    "tmorch-dusk",
    "tmorch-light",
    "tmorch-paper",
}


@pytest.fixture
def paths() -> Paths:
    return Paths.from_env()


def own(paths: Paths, name: str, text: str) -> Path:
    paths.themes.mkdir(parents=True, exist_ok=True)
    file = paths.themes / f"{name}.toml"
    file.write_text(text)
    return file


def named(themes: ThemeSet, name: str) -> Theme:
    return {theme.name: theme for theme in themes.themes}[name]


def built_in() -> list[Theme]:
    return list(load_themes(Paths.from_env({"HOME": "/nowhere"})).themes)


def colours_of(theme: Theme) -> dict[str, str]:
    return variable_defaults(theme) | theme.to_color_system().generate() | theme.variables


COLOURED = [theme for theme in built_in() if not theme.ansi]
by_name = pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)


def over(text: str, ground: Color) -> Color:
    """Return a colour of the design, such as `auto 60%`, as it is painted on `ground`."""
    if text.startswith("auto"):
        share = float(text.removeprefix("auto").strip().rstrip("%") or 100) / 100
        return ground + ground.get_contrast_text(share)
    return ground + Color.parse(text)


def test_the_built_in_themes_are_all_there(paths: Paths) -> None:
    themes = load_themes(paths)
    assert {theme.name for theme in themes.themes} == BUILT_IN
    assert themes.problems == ()
    assert DEFAULT_THEME in BUILT_IN


def truecolour(colour: Color) -> Color:
    return colour


def in_256(colour: Color) -> Color:
    """Return what a terminal of 256 colours makes of it: tmux, unless COLORTERM says otherwise."""
    return Color.from_rich_color(colour.rich_color.downgrade(ColorSystem.EIGHT_BIT))


depths = pytest.mark.parametrize("depth", [truecolour, in_256])


@by_name
@depths
@pytest.mark.parametrize("ground", GROUNDS)
def test_text_is_legible(theme: Theme, ground: str, depth: Callable[[Color], Color]) -> None:
    colours = colours_of(theme)
    behind = Color.parse(colours[ground])
    for text in ("foreground", "text", "text-muted", "footer-key-foreground"):
        assert contrast(depth(over(colours[text], behind)), depth(behind)) >= TEXT, text


@by_name
@depths
@pytest.mark.parametrize("ground", GROUNDS)
def test_statuses_and_signs_stand_out(theme: Theme, ground: str, depth: Callable[[Color], Color]) -> None:
    colours = colours_of(theme)
    behind = depth(Color.parse(colours[ground]))
    for status in AgentStatus:
        assert contrast(depth(Color.parse(colours[f"status-{status}"])), behind) >= SIGN, status
    for sign in ("primary", "secondary", "accent", "success", "warning", "error"):
        assert contrast(depth(Color.parse(colours[sign])), behind) >= SIGN, sign


@by_name
def test_surfaces_keep_their_tone_in_256_colours(theme: Theme) -> None:
    """A faint tint must not become navy or pink."""
    colours = colours_of(theme)
    for name in (*GROUNDS, "block-cursor-blurred-background", "border-blurred"):
        before = rgb_to_lab(Color.parse(colours[name]))
        after = rgb_to_lab(in_256(Color.parse(colours[name])))
        assert abs(before.L - after.L) < 13, name
        assert ((before.a - after.a) ** 2 + (before.b - after.b) ** 2) ** 0.5 < 15, name


@by_name
def test_what_is_selected_is_legible(theme: Theme) -> None:
    colours = colours_of(theme)
    for cursor in ("block-cursor", "block-cursor-blurred"):
        behind = Color.parse(colours[f"{cursor}-background"])
        assert contrast(over(colours[f"{cursor}-foreground"], behind), behind) >= TEXT


@by_name
def test_the_terminals_colours_are_complete_and_legible(theme: Theme) -> None:
    terminal = terminal_colours(colours_of(theme))
    assert contrast(terminal.foreground, terminal.background) >= TEXT
    for name, colour in zip(SIXTEEN, terminal.sixteen, strict=True):
        if "black" not in name and "white" not in name:
            assert contrast(colour, terminal.background) >= SIGN, name


def test_high_contrast_is_that() -> None:
    colours = colours_of(next(theme for theme in COLOURED if theme.name == "tmorch-contrast"))
    behind = Color.parse(colours["background"])
    for status in AgentStatus:
        assert contrast(Color.parse(colours[f"status-{status}"]), behind) >= 7


# What protanopes and deuteranopes see: Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
PROTANOPIA = ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))
DEUTERANOPIA = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))


def seen(colour: Color, vision: tuple[tuple[float, ...], ...]) -> Lab:
    linear = [(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4) for part in colour.normalized]
    mixed = [min(1.0, max(0.0, sum(a * b for a, b in zip(row, linear, strict=True)))) for row in vision]
    red, green, blue = (
        round(255 * (12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055)) for part in mixed
    )
    return rgb_to_lab(Color(red, green, blue))


@pytest.mark.parametrize("vision", [PROTANOPIA, DEUTERANOPIA], ids=["protanopia", "deuteranopia"])
def test_the_colourblind_theme_is_told_apart(vision: tuple[tuple[float, ...], ...]) -> None:
    colours = colours_of(next(theme for theme in COLOURED if theme.name == "tmorch-colourblind"))
    for one, other in combinations(("working", "waiting", "limited", "failed"), 2):
        a, b = (seen(Color.parse(colours[f"status-{status}"]), vision) for status in (one, other))
        distance = ((a.L - b.L) ** 2 + (a.a - b.a) ** 2 + (a.b - b.b) ** 2) ** 0.5
        assert distance >= 20, (one, other)


def test_the_ansi_theme_uses_only_the_terminals_colours(paths: Paths) -> None:
    theme = named(load_themes(paths), "ansi")
    assert theme.ansi
    for name, value in theme.variables.items():
        if not name.endswith("style") and not name.startswith("terminal-"):
            assert Color.parse(value).ansi is not None, name


@pytest.mark.parametrize("name", ["nord", "textual-light", "ansi-dark"])
def test_textuals_own_themes_get_our_variables(name: str) -> None:
    defaults = variable_defaults(BUILTIN_THEMES[name])
    assert set(defaults) >= {f"status-{status}" for status in AgentStatus}
    for colour in defaults.values():
        Color.parse(colour)


def test_a_persons_theme_overrides_by_name(paths: Paths) -> None:
    own(paths, "tmorch-dark", 'primary = "#ff0000"\n[status]\nidle = "red"\n')
    themes = load_themes(paths)
    assert not themes.problems
    assert len(themes.themes) == len(BUILT_IN)
    theme = named(themes, "tmorch-dark")
    assert (theme.primary, theme.variables["status-idle"]) == ("#ff0000", "red")


def test_a_theme_may_extend_another(paths: Paths) -> None:
    own(paths, "mine", 'extends = "tmorch-light"\naccent = "#123456"\n[status]\nidle = "#222222"\n')
    themes = load_themes(paths)
    assert not themes.problems
    mine, light = named(themes, "mine"), named(themes, "tmorch-light")
    assert (mine.accent, mine.variables["status-idle"]) == ("#123456", "#222222")
    assert (mine.primary, mine.dark) == (light.primary, False)
    assert mine.variables["status-working"] == light.variables["status-working"]


def test_a_theme_may_extend_the_built_in_one_of_its_name(paths: Paths) -> None:
    own(paths, "tmorch-dark", 'extends = "tmorch-dark"\naccent = "#123456"\n')
    themes = load_themes(paths)
    assert not themes.problems
    theme = named(themes, "tmorch-dark")
    assert (theme.accent, theme.background) == ("#123456", named(load_built_in(), "tmorch-dark").background)


def load_built_in() -> ThemeSet:
    return ThemeSet(themes=tuple(built_in()))


class Bad(NamedTuple):
    id: str
    text: str
    key: str
    says: str


BAD = [
    Bad("no TOML", "primary = \n", "", "line 1"),
    Bad("unknown key", 'primary = "red"\nbackgruond = "red"\n', "backgruond", "did you mean “background”?"),
    Bad("unknown status", 'primary = "red"\n[status]\nworkin = "red"\n', "status.workin", "“working”"),
    Bad(
        "unknown terminal colour",
        'primary = "red"\n[terminal]\nbright_red = "red"\n',
        "terminal.bright_red",
        "“bright-red”",
    ),
    Bad("unknown variable", 'primary = "red"\n[variables]\nbordr = "red"\n', "variables.bordr", "“border”"),
    Bad("no colour", 'primary = "#12g"\n', "primary", "“#12g” is no colour"),
    Bad("nearly a colour", 'primary = "bleu"\n', "primary", "did you mean “blue”?"),
    Bad("no colour of a status", 'primary = "red"\n[status]\nidle = "grayish"\n', "status.idle", "is no colour"),
    Bad(
        "no colour of a variable", 'primary = "red"\n[variables]\nborder = "x 5%"\n', "variables.border", "is no colour"
    ),
    Bad("no style", 'primary = "red"\n[variables]\nlink-style = "loud"\n', "variables.link-style", "is no text style"),
    Bad("wrong type", "primary = 3\n", "primary", "Expected str"),
    Bad("wrong type below", 'primary = "red"\n[status]\nidle = 3\n', "status.idle", "Expected str"),
    Bad("primary missing", "dark = true\n", "", "missing required field primary"),
    Bad("no ratio", 'primary = "red"\n[terminal]\ncontrast = 50\n', "terminal.contrast", "from 1 to 21"),
    Bad("extends nothing", 'extends = "tmorch-drak"\n', "extends", "“tmorch-dark”"),
    Bad("extends itself", 'extends = "bad"\n', "extends", "no theme “bad”"),
]


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.id)
def test_a_bad_file_is_reported_and_the_others_load(paths: Paths, case: Bad) -> None:
    file = own(paths, "bad", case.text)
    own(paths, "good", 'primary = "red"\n')
    themes = load_themes(paths)
    assert {theme.name for theme in themes.themes} == BUILT_IN | {"good"}
    (problem,) = themes.problems
    assert (problem.file, problem.key) == (str(file), case.key)
    assert case.says in problem.message
    assert str(problem).startswith(str(file))


def test_all_mistakes_of_a_file_are_reported(paths: Paths) -> None:
    own(paths, "bad", 'primary = "nope"\naccent = "nope"\n[status]\nidle = "nope"\n')
    assert [problem.key for problem in load_themes(paths).problems] == ["primary", "accent", "status.idle"]


def test_a_file_that_is_no_text_is_reported(paths: Paths) -> None:
    own(paths, "bad", "").write_bytes(b"\xff\xfe\x00")
    (problem,) = load_themes(paths).problems
    assert "cannot be read" in problem.message


def test_a_bad_override_leaves_the_built_in_theme(paths: Paths) -> None:
    own(paths, "tmorch-dark", 'primary = "nope"\n')
    themes = load_themes(paths)
    assert named(themes, "tmorch-dark").primary == named(load_built_in(), "tmorch-dark").primary
    assert len(themes.problems) == 1


def test_themes_that_extend_each_other_are_reported(paths: Paths) -> None:
    own(paths, "a", 'extends = "b"\n')
    own(paths, "b", 'extends = "a"\n')
    assert {problem.key for problem in load_themes(paths).problems} == {"extends"}


def test_changes_are_seen(paths: Paths) -> None:
    stamp = load_themes(paths).stamp
    assert not changed_since(paths, stamp)
    file = own(paths, "mine", 'primary = "red"\n')
    assert changed_since(paths, stamp)
    stamp = load_themes(paths).stamp
    assert not changed_since(paths, stamp)
    os.utime(file, ns=(1, 1))
    assert changed_since(paths, stamp)
    stamp = load_themes(paths).stamp
    file.unlink()
    assert changed_since(paths, stamp)
    assert not changed_since(paths, load_themes(paths).stamp)


class Themed(App[None]):
    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variable_defaults(self.current_theme)


class Furnished(Themed):
    def compose(self) -> ComposeResult:
        yield from (Button(), Input(), TextArea(), Tree("tree"), DataTable(), Markdown(), OptionList(), Footer())


@pytest.mark.parametrize("name", [*sorted(BUILT_IN), "plain", "terminal", "nord", "ansi-light"])
async def test_every_theme_has_what_textuals_widgets_need(paths: Paths, name: str) -> None:
    own(paths, "plain", 'primary = "red"\n')
    own(paths, "terminal", 'primary = "ansi_red"\nansi = true\n')
    async with Furnished().run_test() as pilot:
        assert load_themes(paths).apply(pilot.app, name) is None
        await pilot.pause()
        assert pilot.app.theme == name


async def test_apply_shows_the_chosen_theme(paths: Paths) -> None:
    async with Themed().run_test() as pilot:
        assert load_themes(paths).apply(pilot.app, "tmorch-paper") is None
        await pilot.pause()
        assert pilot.app.theme == "tmorch-paper"
        assert pilot.app.theme_variables["status-waiting"] == "#962f14"


async def test_a_choice_that_does_not_exist_gives_the_default(paths: Paths) -> None:
    async with Themed().run_test() as pilot:
        problem = load_themes(paths).apply(pilot.app, "tmorch-drak")
        assert pilot.app.theme == DEFAULT_THEME
        assert isinstance(problem, ThemeProblem)
        assert "“tmorch-dark”" in problem.message


async def test_a_theme_in_use_is_repainted_when_its_file_changes(paths: Paths) -> None:
    own(paths, "mine", 'primary = "#111111"\n')
    async with Themed().run_test() as pilot:
        load_themes(paths).apply(pilot.app, "mine")
        await pilot.pause()
        own(paths, "mine", 'primary = "#222222"\n')
        load_themes(paths).apply(pilot.app, pilot.app.theme)
        await pilot.pause()
        assert pilot.app.theme_variables["primary"] == "#222222"


async def test_a_theme_whose_file_went_is_forgotten(paths: Paths) -> None:
    file = own(paths, "mine", 'primary = "#111111"\n')
    async with Themed().run_test() as pilot:
        load_themes(paths).apply(pilot.app, "mine")
        file.unlink()
        problem = load_themes(paths).apply(pilot.app, "tmorch-light")
        assert problem is None
        assert "mine" not in pilot.app.available_themes
