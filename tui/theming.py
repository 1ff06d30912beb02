"""Themes from TOML files: the built-in ones, and a person's own, which override by name.

    themes = load_themes(paths)                # never raises: what is wrong is in themes.problems
    problem = themes.apply(app, settings.tui.theme)
    if changed_since(paths, themes.stamp):     # cheap, for polling: a file came, went or changed
        themes = load_themes(paths)
        themes.apply(app, app.theme)           # repaints when the theme in use is another now

The app returns `variable_defaults(self.current_theme)` from `get_theme_variable_defaults`, so that stylesheets may use
`$status-working` … with every theme, Textual's own too. A theme's name is the name of its file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct
from textual.app import App
from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

if TYPE_CHECKING:
    from orchestrator_core.config.paths import Paths

DEFAULT_THEME = "tmorch-dark"
SUFFIX = ".toml"
LEAST_CONTRAST = 2.5

Stamp = tuple[tuple[str, int, int], ...]
"""Name, time of change and size of each of a person's theme files."""


class StatusColours(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """`[status]`: a colour for each status of an agent."""

    starting: str = ""
    working: str = ""
    idle: str = ""
    waiting: str = ""
    limited: str = ""
    exited: str = ""
    failed: str = ""
    unknown: str = ""


class TerminalPalette(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """`[terminal]`: what an agent's screen is painted with. Without the 16, Textual's are used."""

    foreground: str = ""
    background: str = ""
    black: str = ""
    red: str = ""
    green: str = ""
    yellow: str = ""
    blue: str = ""
    magenta: str = ""
    cyan: str = ""
    white: str = ""
    bright_black: str = ""
    bright_red: str = ""
    bright_green: str = ""
    bright_yellow: str = ""
    bright_blue: str = ""
    bright_magenta: str = ""
    bright_cyan: str = ""
    bright_white: str = ""
    contrast: float = LEAST_CONTRAST
    """Text with less contrast than this, 1 to 21, is moved until it has it: an agent's theme may be for another
    background."""


class ThemeFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A theme file. Colours are `#rrggbb`, names as in CSS, or `ansi_red` …; all but `primary` may be left out."""

    extends: str = ""
    """Another theme, whose values are used where this file has none."""
    dark: bool = True
    ansi: bool = False
    """Leave all colours to the terminal."""
    primary: str
    secondary: str = ""
    accent: str = ""
    success: str = ""
    warning: str = ""
    error: str = ""
    foreground: str = ""
    background: str = ""
    surface: str = ""
    panel: str = ""
    boost: str = ""
    status: StatusColours = StatusColours()
    terminal: TerminalPalette = TerminalPalette()
    variables: dict[str, str] = {}
    """Any other variable of Textual's design system."""


SIXTEEN = tuple(field.encode_name for field in msgspec.structs.fields(TerminalPalette))[2:18]
_PALETTE = ("primary", "secondary", "accent", "success", "warning", "error")
_GROUND = ("foreground", "background", "surface", "panel", "boost")
COLOURS = (*_PALETTE, *_GROUND)


class ThemeProblem(Struct, frozen=True, kw_only=True):
    """What is wrong in a theme file, which was not loaded. `key` is dotted; empty: the whole file."""

    file: str
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.message) if part)


class ThemeSet(Struct, frozen=True, kw_only=True):
    """All themes that could be loaded, and what is wrong with the others."""

    themes: tuple[Theme, ...] = ()
    problems: tuple[ThemeProblem, ...] = ()
    stamp: Stamp = ()
    """For `changed_since`."""

    def apply(self, app: App[Any], chosen: str) -> ThemeProblem | None:
        """Make `app` know these themes, and only these besides Textual's, and show `chosen`.

        Returns what is wrong with the choice; the default theme is shown then.
        """
        before = app.current_theme
        for theme in self.themes:
            app.register_theme(theme)
        known = app.available_themes
        problem = None if chosen in known else _no_such_theme(chosen, known)
        shown = chosen if problem is None else DEFAULT_THEME if DEFAULT_THEME in known else before.name
        if app.theme != shown:
            app.theme = shown
        elif app.current_theme != before:
            app.mutate_reactive(App.theme)
        for name in set(known) - set(BUILTIN_THEMES) - {theme.name for theme in self.themes} - {app.theme}:
            app.unregister_theme(name)
        return problem


def _no_such_theme(name: str, known: Mapping[str, Theme]) -> ThemeProblem:
    near = get_close_matches(name, known, 1)
    hint = f"did you mean “{near[0]}”?" if near else f"there are: {', '.join(sorted(known))}"
    return ThemeProblem(file="settings", key="tui.theme", message=f"there is no theme “{name}”; {hint}")


# Reading ------------------------------------------------------------------------------------------------------


def load_themes(paths: Paths) -> ThemeSet:
    """Read all theme files. A file with mistakes is left out and reported; a built-in theme of its name stays."""
    built_in, problems = _tables(built_in_folder())
    own, own_problems = _tables(paths.themes)
    problems += own_problems
    themes: dict[str, Theme] = {}
    for tables, folder in ((built_in, None), (own, paths.themes)):
        for name, table in tables.items():
            file = name + SUFFIX if folder is None else str(folder / (name + SUFFIX))
            theme, mistakes = _theme(name, table, built_in, own)
            problems += [ThemeProblem(file=file, key=key, message=message) for key, message in mistakes]
            if theme is not None:
                themes[name] = theme
    return ThemeSet(themes=tuple(themes.values()), problems=tuple(problems), stamp=_stamp(paths.themes))


def changed_since(paths: Paths, stamp: Stamp) -> bool:
    """Return whether one of the person's theme files came, went or changed since `stamp` was taken."""
    return _stamp(paths.themes) != stamp


def built_in_folder() -> Traversable:
    """Return the folder of the built-in themes: in the wheel, or of the checkout."""
    packaged = files("tui").joinpath("_themes")
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "themes"


def _stamp(folder: Path) -> Stamp:
    found = []
    try:
        for file in folder.iterdir():
            if file.suffix == SUFFIX:
                facts = file.stat()
                found.append((file.name, facts.st_mtime_ns, facts.st_size))
    except OSError:
        return tuple(found)  # no folder, or a file that went while we looked
    return tuple(sorted(found))


def _tables(folder: Traversable) -> tuple[dict[str, dict[str, Any]], list[ThemeProblem]]:
    tables: dict[str, dict[str, Any]] = {}
    problems: list[ThemeProblem] = []
    for file in _theme_files(folder):
        try:
            tables[file.name.removesuffix(SUFFIX)] = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            problems.append(ThemeProblem(file=str(file), key="", message=f"cannot be read: {error}"))
    return tables, problems


def _theme_files(folder: Traversable) -> list[Traversable]:
    try:
        return sorted((f for f in folder.iterdir() if f.name.endswith(SUFFIX)), key=lambda f: f.name)
    except OSError:
        return []  # nobody needs to have a folder of their own


Tables = Mapping[str, dict[str, Any]]
Mistakes = list[tuple[str, str]]


def _theme(name: str, table: dict[str, Any], built_in: Tables, own: Tables) -> tuple[Theme | None, Mistakes]:
    mistakes = list(_unknown_keys(table, ThemeFile))
    try:
        whole = _extended(name, table, built_in, own)
        file = msgspec.convert(whole, ThemeFile)
    except LookupError as error:
        return None, [*mistakes, ("extends", str(error.args[0]))]
    except msgspec.ValidationError as error:
        return None, mistakes or [_located(str(error))]
    mistakes += _wrong_values(file)
    return (None if mistakes else _made(name, file)), mistakes


def _extended(name: str, table: dict[str, Any], built_in: Tables, own: Tables) -> dict[str, Any]:
    """Return `table` over the theme that it extends; a person's theme may extend the built-in one of its name."""
    seen = {name}
    while base := table.get("extends"):
        below = built_in.get(base) if base in seen else own.get(base, built_in.get(base))
        if below is None or (base in seen and below.get("extends") in seen):
            near = get_close_matches(str(base), [*built_in, *own], 1)
            hint = f"; did you mean “{near[0]}”?" if near and near[0] != base else ""
            raise LookupError(f"there is no theme “{base}” to extend{hint}")
        table = _merged(below, {key: value for key, value in table.items() if key != "extends"})
        seen.add(base)
    return table


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = below | above
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            merged[key] = below[key] | above[key]
    return merged


# Checking -----------------------------------------------------------------------------------------------------


def _unknown_keys(table: Mapping[str, Any], kind: type[Struct], prefix: str = "") -> Iterator[tuple[str, str]]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for key, value in table.items():
        if key not in fields:
            near = get_close_matches(key, fields, 1)
            yield prefix + key, "is no key of a theme" + (f"; did you mean “{near[0]}”?" if near else "")
        elif isinstance(value, dict) and isinstance(inner := fields[key].type, type) and issubclass(inner, Struct):
            yield from _unknown_keys(value, inner, f"{key}.")


def _located(error: str) -> tuple[str, str]:
    """Split msgspec's `… - at `$.status.idle`` into key and message."""
    message, _, path = error.partition(" - at ")
    return path.strip("`").removeprefix("$").lstrip("."), message.replace("`", "")


def _wrong_values(file: ThemeFile) -> Mistakes:
    mistakes = [(name, _wrong_colour(getattr(file, name))) for name in COLOURS]
    for table, values in (("status", _written(file.status)), ("terminal", _written(file.terminal))):
        mistakes += [(f"{table}.{name}", _wrong_colour(value)) for name, value in values.items()]
    mistakes += [(f"variables.{name}", _wrong_variable(name, value)) for name, value in file.variables.items()]
    if not 1 <= file.terminal.contrast <= 21:
        mistakes.append(("terminal.contrast", "is a ratio from 1 to 21"))
    return [(key, message) for key, message in mistakes if message]


def _written(table: Struct) -> dict[str, str]:
    return {key: value for key, value in msgspec.to_builtins(table).items() if value and isinstance(value, str)}


def _wrong_colour(value: str) -> str:
    try:
        if value:
            Color.parse(value)
    except ColorParseError as error:
        hint = f"; did you mean “{error.suggested_color}”?" if error.suggested_color else ""
        return f"“{value}” is no colour{hint}"
    return ""


_TEXT_STYLES = {"none", "not", "bold", "b", "italic", "i", "underline", "u", "reverse", "r", "dim", "d", "strike", "s"}
_AUTOMATIC = re.compile(r"(auto(?: \d+%)?|initial|transparent)")
_SHARE = re.compile(r" \d+%$")


def _wrong_variable(name: str, value: str) -> str:
    if name not in _known_variables():
        near = get_close_matches(name, _known_variables(), 1)
        return "is no variable of the design" + (f"; did you mean “{near[0]}”?" if near else "")
    if name.endswith("style") or "-style-" in name:
        return "" if set(value.split()) <= _TEXT_STYLES else f"“{value}” is no text style"
    return "" if _AUTOMATIC.fullmatch(value) else _wrong_colour(_SHARE.sub("", value))


@cache
def _known_variables() -> frozenset[str]:
    """Return the names of all variables that Textual makes from a theme."""
    return frozenset(Theme(name="any", primary="blue").to_color_system().generate())


# Making -------------------------------------------------------------------------------------------------------


def _made(name: str, file: ThemeFile) -> Theme:
    variables = dict(file.variables)
    variables |= {f"status-{status}": colour for status, colour in _written(file.status).items()}
    variables |= {f"terminal-{part}": colour for part, colour in _written(file.terminal).items()}
    variables["terminal-contrast"] = str(file.terminal.contrast)
    theme = Theme(
        name=name,
        dark=file.dark,
        ansi=file.ansi,
        variables=variables,
        **{colour: getattr(file, colour) for colour in COLOURS if getattr(file, colour)},
    )
    theme.variables = variable_defaults(theme) | variables
    return theme


_LEFT_OUT_BY_ANSI = ("ansi-background", "ansi-foreground", "foreground-disabled", "surface-active")
"""Variables that Textual's stylesheets need, and that it does not make for an ANSI theme."""


def variable_defaults(theme: Theme) -> dict[str, str]:
    """Return tmorch's own variables as they follow from a theme that does not say them."""
    success, warning = theme.success or theme.primary, theme.warning or theme.primary
    quiet = "ansi_default" if theme.ansi else "#9a9a9a" if theme.dark else "#6a6a6a"
    left_out = dict.fromkeys(_LEFT_OUT_BY_ANSI, "ansi_default") if theme.ansi else {}
    return left_out | {
        "status-starting": theme.primary,
        "status-working": success,
        "status-idle": quiet,
        "status-waiting": warning,
        "status-limited": theme.accent or warning,
        "status-exited": quiet,
        "status-failed": theme.error or warning,
        "status-unknown": quiet,
    }


class TerminalColours(NamedTuple):
    """What an agent's screen is painted with: the arguments of `tui.ansi.Palette`."""

    foreground: Color
    background: Color
    sixteen: tuple[Color, ...]
    least_contrast: float


def terminal_colours(variables: Mapping[str, str]) -> TerminalColours:
    """Return the terminal's colours from `App.theme_variables`."""
    sixteen = [variables.get(f"terminal-{name}", "") for name in SIXTEEN]
    return TerminalColours(
        foreground=Color.parse(variables.get("terminal-foreground") or variables["foreground"]),
        background=Color.parse(variables.get("terminal-background") or variables["background"]),
        sixteen=tuple(map(Color.parse, sixteen)) if all(sixteen) else (),
        least_contrast=float(variables.get("terminal-contrast", LEAST_CONTRAST)),
    )
