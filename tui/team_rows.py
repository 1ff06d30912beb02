"""The proposed team as rows: advice first, then who is in it, who was left out, and who else there is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct
from rich.cells import cell_len

from orchestrator_core.models.analysis import Action, Suggestion
from orchestrator_core.models.launch import Proposal
from orchestrator_core.models.team import Role, RoleChoice
from tui.widgets.row_list import ListRow
from tui.wording import QUIET, clean

NARROW = 90
"""Below this width a row has no room for the model."""
IN, OUT, UNDECIDED = "✔", "·", "±"
BYPASS = "bypassPermissions"
MODES = {"": "", BYPASS: "⚠ bypass"}
"""How permission modes are shown where there is little room; the others as they are."""
ADVICE = "advice:"
"""What the id of an advised change begins with; all others are roles."""
HEADING = "heading:"
OWN_MODEL = "its own"


class Widths(Struct, frozen=True):
    """How wide the columns are."""

    role: int
    mode: int
    model: int


def open_suggestions(proposal: Proposal) -> tuple[Suggestion, ...]:
    """Return the advice that the team does not show, what cannot be followed too."""
    team = proposal.team.roles
    return tuple(each for each in proposal.analysis.suggestions if (each.role in team) != (each.action is Action.ADD))


def can_be_followed(proposal: Proposal) -> bool:
    """Whether there is advice to accept."""
    return any(not each.refused for each in open_suggestions(proposal))


def other_roles(proposal: Proposal, roles: Iterable[Role]) -> tuple[Role, ...]:
    """Return the roles of the catalogue of which the proposal says nothing."""
    known = {choice.role.key for choice in (*proposal.team.chosen, *proposal.team.dropped)}
    return tuple(role for role in roles if role.key not in known)


def rows_of(proposal: Proposal, roles: tuple[Role, ...], width: int) -> tuple[ListRow, ...]:
    """Return every row, headings too."""
    return tuple(_rows(proposal, roles, _widths(proposal, roles, width)))


def _rows(proposal: Proposal, roles: tuple[Role, ...], widths: Widths) -> Iterator[ListRow]:
    if advice := open_suggestions(proposal):
        yield _heading("advice", "Suggested changes: nothing is changed before you accept it")
        yield from (_advice(each, widths) for each in advice)
        yield _heading("team", "The team")
    yield from (_member(choice, widths) for choice in proposal.team.chosen)
    if proposal.team.dropped:
        yield _heading("out", "Left out")
        yield from (_left_out(choice.role, clean(choice.reason), widths) for choice in proposal.team.dropped)
    if others := other_roles(proposal, roles):
        yield _heading("more", "Can be added")
        yield from (_left_out(role, clean(role.summary), widths) for role in others)


def _widths(proposal: Proposal, roles: Iterable[Role], width: int) -> Widths:
    known = (
        *(role.key for role in roles),
        *proposal.team.roles,
        *(each.role for each in proposal.analysis.suggestions),
    )
    modes = [mode_words(choice) for choice in proposal.team.chosen]
    models = [model_words(choice) for choice in proposal.team.chosen] if proposal.models and width >= NARROW else []
    return Widths(
        role=max((cell_len(clean(key)) for key in known), default=0) + 1,
        mode=max(map(cell_len, modes), default=0),
        model=max(map(cell_len, models), default=0),
    )


def mode_words(choice: RoleChoice) -> str:
    """Return what an agent may do without asking, in a word."""
    return MODES.get(choice.permission_mode, clean(choice.permission_mode))


def model_words(choice: RoleChoice) -> str:
    """Return the model an agent is started with, in a word."""
    return clean(choice.model) or OWN_MODEL


def interval_words(choice: RoleChoice) -> str:
    """Return how often an agent is checked in with."""
    return f"{choice.interval_min:g} min"


def _heading(name: str, words: str) -> ListRow:
    return ListRow(id=f"{HEADING}{name}", left=(("  ", ""), (words, "bold $text-muted")))


def _advice(suggestion: Suggestion, widths: Widths) -> ListRow:
    mark, look = ("+", "bold $text-success") if suggestion.action is Action.ADD else ("-", "bold $text-error")
    if suggestion.refused:
        mark, look = "⊘", QUIET
    why = clean(f"not possible: {suggestion.refused}" if suggestion.refused else suggestion.why)
    return ListRow(
        id=f"{ADVICE}{suggestion.action}:{suggestion.role}",
        left=((f" {mark} ", look), (_padded(clean(suggestion.role), widths.role), look)),
        text=why,
        style="" if not suggestion.refused else QUIET,
        right=((f"{'!' if suggestion.warning else ' '}", "bold $text-warning"),),
    )


def _member(choice: RoleChoice, widths: Widths) -> ListRow:
    key, mode = clean(choice.role.key), mode_words(choice)
    columns = [(f"{interval_words(choice):>7}", "")]
    if widths.mode:
        columns.insert(
            0, (_padded(mode, widths.mode), "bold $text-warning" if choice.permission_mode == BYPASS else "")
        )
    if widths.model:
        columns.insert(0, (_padded(model_words(choice), widths.model), "" if choice.model else QUIET))
    return ListRow(
        id=choice.role.key,
        left=((f" {IN} ", "$text-success"), (_padded(key, widths.role), "bold")),
        text=clean(choice.reason),
        style=QUIET,
        right=tuple(columns),
    )


def _left_out(role: Role, reason: str, widths: Widths) -> ListRow:
    return ListRow(
        id=role.key,
        left=((f" {OUT} ", QUIET), (_padded(clean(role.key), widths.role), QUIET)),
        text=reason,
        style=QUIET,
    )


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))
