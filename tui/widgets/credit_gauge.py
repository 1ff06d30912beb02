"""How much of the subscription is used, as parts of the header: what stands worst is given up last. Pure."""

from __future__ import annotations

from textual.content import Content

from orchestrator_core.models.credit import CreditReading
from orchestrator_core.models.credit_words import Level, Thresholds, gauge_of, level_of, most_used
from orchestrator_core.models.fleet import Fleet
from tui.credit_words import STYLES, shown_windows, window_forms
from tui.widgets.line import Part, part
from tui.wording import QUIET

BAR_CELLS = 8
COSTS: dict[Level, tuple[int, ...]] = {
    Level.UNKNOWN: (1, 2, 6, 8),
    Level.OK: (1, 2, 6, 22),
    Level.WARNING: (3, 4, 8, 55),
    Level.ALARM: (3, 4, 14, 65),
    Level.EXHAUSTED: (3, 4, 14),
}
"""What giving up the long countdown, the bar, the short countdown and the window itself costs. A limit always shows."""
MORE_COST = 21
UNKNOWN_COST = 25


def gauge_parts(fleet: Fleet, now: float, thresholds: Thresholds) -> list[Part]:
    """Return the windows of the account that stands worst, and how many other accounts there are."""
    account = most_used(fleet.accounts, now, thresholds)
    if account is None:
        return []
    readings = shown_windows(account, now, thresholds)
    parts = [_window(reading, now, thresholds) for reading in readings] or [part("credit ?", QUIET, cost=UNKNOWN_COST)]
    others = len(fleet.accounts) - 1
    return [*parts, part(f"+{others}", QUIET, cost=MORE_COST)] if others else parts


def _window(reading: CreditReading, now: float, thresholds: Thresholds) -> Part:
    level = level_of(reading, now, thresholds)
    name, full, brief, tight = window_forms(reading, now, thresholds)
    gauge, style = gauge_of(reading, now, BAR_CELLS), STYLES[level]
    texts = (f"{name} {gauge} {full}", f"{name} {gauge} {brief}", f"{name} {brief}", tight)
    forms = tuple(Content.assemble((text, style)) for text in texts)
    costs = COSTS[level]
    return Part((*forms, Content()) if len(costs) == len(forms) else forms, costs)
