"""The lines of the screen that shows credit: each account with its windows, its use over time and its agents. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len, set_cell_size
from textual.content import Content

from orchestrator_core.models.credit import (
    SEVEN_DAY,
    AccountId,
    AccountStatus,
    AgentUse,
    CreditReading,
    WindowStatus,
)
from orchestrator_core.models.credit_words import (
    USUAL,
    Thresholds,
    context_left,
    cost,
    gauge_of,
    level_of,
    level_of_account,
    projection_words,
    reset_words,
    source_words,
    tokens,
    window_name,
)
from orchestrator_core.models.fleet import AgentView, Fleet
from orchestrator_core.models.ids import AgentId
from tui.credit_plot import held, plot
from tui.credit_words import LEVEL_WORDS, MARKS, STYLES, hours, is_nearly_full, used_words
from tui.wording import QUIET, clean, fit, moment, plural

DAY_S = 86400.0
FIVE_HOURS_S = 5 * 3600.0
WindowKey = tuple[AccountId, str]
NAME_CELLS = 8
USED_CELLS = 8
SCALE = 6
"""Cells that the numbers beside a plot take."""
BAR_MOST = 60
COST_NOTE = "Cost: as by the API. Tokens and cost are those of the whole conversation."
NO_ACCOUNT = (
    "Nothing is known of any account.",
    "An agent of Claude Code tells how much is used when it has answered once.",
    "Until then, and where no agent runs on a subscription, nothing can be shown.",
)


class Knowledge(Struct, frozen=True, kw_only=True):
    """What was read of credit at one moment."""

    accounts: tuple[AccountStatus, ...] = ()
    history: Mapping[WindowKey, tuple[CreditReading, ...]] = {}
    """What was told of each window, oldest first: of the week over seven days, of others over five hours."""
    use: Mapping[AgentId, AgentUse] = {}
    """The latest of each agent."""


class Scene(Struct, frozen=True, kw_only=True):
    """Everything that the lines depend on."""

    known: Knowledge
    fleet: Fleet
    now: float
    width: int
    height: int
    thresholds: Thresholds = USUAL
    nearly_full: float = 0.0


def credit_lines(scene: Scene) -> tuple[list[Content], dict[AccountId, int]]:
    """Return all lines, and at which of them each account begins."""
    lines: list[Content] = []
    begins: dict[AccountId, int] = {}
    for account in scene.known.accounts:
        if lines:
            lines.append(Content())
        begins[account.account] = len(lines)
        lines.extend(_account_lines(account, scene))
    return lines or [_line(text, QUIET if i else "bold") for i, text in enumerate(NO_ACCOUNT)], begins


def _line(text: str, style: str = "") -> Content:
    return Content.assemble((text, style))


def _account_lines(account: AccountStatus, scene: Scene) -> Iterable[Content]:
    yield _heading(account, scene)
    if not account.windows:
        yield _line("  ? nothing told yet: its agents tell when they have answered once", QUIET)
    cells = _bar_cells(account, scene)
    for window in account.windows:
        yield from _window_lines(window, scene, cells)
    for window in account.windows[:2]:
        yield from _plot_lines(account.account, window, scene)
    views = _agents_of(account, scene.fleet)
    if views:
        yield Content()
        yield from _agent_lines(views, scene)


def _heading(account: AccountStatus, scene: Scene) -> Content:
    level = level_of_account(account, scene.now, scene.thresholds)
    views = _agents_of(account, scene.fleet)
    plans = _plans(views, scene.fleet)
    notes = [f"plan {', '.join(plans)}"] if plans else []
    notes.append(plural(len(views), "agent") if views else "no agent runs")
    state = f"{MARKS[level]} {LEVEL_WORDS[level]}"
    return Content.assemble(
        (clean(account.name), "bold $text-accent"),
        ("  " + state, STYLES[level] or "$text-success"),
        ("  " + " · ".join(notes), QUIET),
    )


def _agents_of(account: AccountStatus, fleet: Fleet) -> list[AgentView]:
    wanted = set(account.agents)
    return [view for team in fleet.teams for view in team.agents if view.agent.id in wanted]


def _plans(views: Sequence[AgentView], fleet: Fleet) -> list[str]:
    """Return the plans that the teams of these agents were started with."""
    teams = {view.agent.orchestration for view in views}
    found = {team.orchestration.plan for team in fleet.teams if team.orchestration.id in teams}
    return sorted(clean(plan) for plan in found if plan)


def _bar_cells(account: AccountStatus, scene: Scene) -> int:
    """Return how wide all bars of an account can be, beside the longest that is said of a reset."""
    longest = max((cell_len(reset_words(window.reading, scene.now)) for window in account.windows), default=0)
    room = scene.width - 4 - NAME_CELLS - 1 - 1 - USED_CELLS - 2 - longest
    return max(8, min(BAR_MOST, room))


def _window_lines(window: WindowStatus, scene: Scene, cells: int) -> Iterable[Content]:
    reading, now = window.reading, scene.now
    level = level_of(reading, now, scene.thresholds)
    name = fit(clean(window_name(reading.window)), NAME_CELLS)
    used = used_words(reading, now, level)
    head = f"  {MARKS[level]} {set_cell_size(name, NAME_CELLS)} "
    yield Content.assemble(
        (f"{head}{gauge_of(reading, now, cells)} {used:>{USED_CELLS}}", STYLES[level]),
        (f"  {reset_words(reading, now)}", ""),
    )
    indent = " " * 4
    if projection := projection_words(window, now):
        yield _line(indent + projection)
    yield _line(indent + source_words(reading, now), QUIET)


# -- use over time --------------------------------------------------------------------------------


def _plot_lines(account: AccountId, window: WindowStatus, scene: Scene) -> Iterable[Content]:
    name = window.reading.window
    told = scene.known.history.get((account, name), ())
    values = held(told, scene.now)
    if len(values) < 2:
        return
    span = 7 * DAY_S if name == SEVEN_DAY else FIVE_HOURS_S
    height = 3 if scene.height < 30 else 5 if scene.height < 45 else 8
    width = max(10, min(120, scene.width - SCALE - 3))
    yield Content()
    yield _line(f"  use of the window ({clean(window_name(name))}) over the last {hours(span)}", QUIET)
    rows = plot(values, scene.now - span, scene.now, width, height)
    for row, cells in enumerate(rows):
        scale = "100 %" if row == 0 else "0 %" if row == height - 1 else ""
        yield Content.assemble((f"{scale:>{SCALE}} ", QUIET), (cells, "$text-primary"))
    start = moment(scene.now - span, scene.now, brief=True)
    yield _line(" " * (SCALE + 1) + start + "now".rjust(width - len(start)), QUIET)


# -- agents ---------------------------------------------------------------------------------------


class _Column(Struct, frozen=True):
    title: str
    cells: tuple[str, ...]
    is_number: bool = True
    gives_way: bool = False


def _agent_lines(views: Sequence[AgentView], scene: Scene) -> Iterable[Content]:
    columns = _fitting(_columns(views, scene), scene.width - 2)
    widths = [_widest(column) for column in columns]
    yield _line("  " + _row([column.title for column in columns], columns, widths), "bold")
    for i, view in enumerate(views):
        full = is_nearly_full(view.agent, scene.nearly_full)
        text = _row([column.cells[i] for column in columns], columns, widths)
        yield _line(("! " if full else "  ") + text, "$text-warning" if full else "")
    yield _line("  " + fit(COST_NOTE, scene.width - 2), QUIET)


def _columns(views: Sequence[AgentView], scene: Scene) -> list[_Column]:
    uses = [scene.known.use.get(view.agent.id) or AgentUse(agent=view.agent.id, at=0.0) for view in views]
    agents = [view.agent for view in views]
    pairs = list(zip(uses, agents, strict=True))
    costs = [use.cost_usd if use.cost_usd is not None else agent.cost_usd for use, agent in pairs]
    return [
        _Column("agent", tuple(clean(agent.id) for agent in agents), is_number=False),
        _Column("model", tuple(clean(use.model) or "?" for use in uses), is_number=False, gives_way=True),
        _Column("tokens in", tuple(tokens(use.input_tokens) for use in uses)),
        _Column("out", tuple(tokens(use.output_tokens) for use in uses)),
        _Column("cost (API)", tuple(map(cost, costs))),
        _Column("context left", tuple(_context(agent.context_used, use) for use, agent in pairs)),
        _Column("of", tuple(tokens(use.context_size) for use in uses), gives_way=True),
    ]


def _context(used: float | None, use: AgentUse) -> str:
    left = context_left(used if used is not None else use.context_used)
    if left is None:
        return "?"
    return f"{int(left)} %"


def _fitting(columns: list[_Column], width: int) -> list[_Column]:
    """Return the columns without those that give way, if all of them are too wide; then the names are cut."""
    if _width(columns) > width:
        columns = [column for column in columns if not column.gives_way]
    names = columns[0]
    room = max(8, _widest(names) - max(0, _width(columns) - width))
    return [replace(names, cells=tuple(fit(cell, room) for cell in names.cells)), *columns[1:]]


def _width(columns: Sequence[_Column]) -> int:
    return sum(_widest(column) + 2 for column in columns) - 2


def _widest(column: _Column) -> int:
    return max(cell_len(column.title), *map(cell_len, column.cells))


def _row(cells: Sequence[str], columns: Sequence[_Column], widths: Sequence[int]) -> str:
    padded = (
        " " * (width - cell_len(cell)) + cell if column.is_number else cell + " " * (width - cell_len(cell))
        for cell, column, width in zip(cells, columns, widths, strict=True)
    )
    return "  ".join(padded).rstrip()
