"""What the approval says of a spec, of a role and of a team. Pure; texts of others are never markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from textual.content import Content

from orchestrator_core.models.analysis import Analysis, AnalysisProgress, AnalysisSource, Suggestion
from orchestrator_core.models.launch import LIMITED, Proposal
from orchestrator_core.models.spec import Phase
from orchestrator_core.models.team import Role, RoleChoice
from tui.team_rows import BYPASS, interval_words, model_words
from tui.widgets.line import Part, part
from tui.wording import QUIET, clean, clean_line, plural, sentence

TITLE = "bold $text-accent"
PROPOSED = "proposed, not in the spec"
LABEL_CELLS = 13
LEAST_CELLS = 20


# -- the spec -------------------------------------------------------------------------------------


def spec_text(proposal: Proposal, width: int) -> Content:
    """Return the spec as it was understood in lines of `width` cells; what a reading adds to it is marked as such."""
    return Content("\n").join(_spec_lines(proposal, max(LEAST_CELLS, width)))


def _spec_lines(proposal: Proposal, width: int) -> Iterator[Content]:
    spec, analysis = proposal.spec, proposal.analysis
    yield from _prose("Goal", spec.goal, width)
    yield from _listed("Deliverables", spec.deliverables, width)
    if not spec.deliverables:
        yield from _listed("Deliverables", analysis.deliverables, width, note=PROPOSED)
    yield from _listed("Constraints", spec.constraints, width)
    yield from _listed("Success criteria", spec.success_criteria, width)
    more = tuple(each for each in analysis.success_criteria if each not in spec.success_criteria)
    yield from _listed("More success criteria", more, width, note=PROPOSED)
    yield from _phases(spec.phases or analysis.phases, width, is_own=bool(spec.phases))
    if analysis.size_basis:
        size = f"{analysis.size}: " if analysis.size else "not known: "
        hours = f", about {analysis.hours:g} h" if analysis.hours else ""
        yield from _prose("Size", f"{size}{analysis.size_basis}{hours}", width)
    remarks = tuple(f"line {each.line}: {each.text}" if each.line else each.text for each in spec.remarks)
    yield from _listed("To be looked at", remarks, width, style="$text-warning")


def _heading(title: str, note: str = "") -> Content:
    return Content.assemble((title, TITLE), (f"  {note}" if note else "", QUIET))


def _hung(mark: str, text: str, width: int, style: str = "") -> Iterator[Content]:
    """Yield a text behind a mark, its further lines below its first one."""
    lines = [part for line in text.strip().splitlines() for part in wrap(clean_line(line), width - len(mark)) or [""]]
    for at, line in enumerate(lines):
        yield Content.assemble((" " * len(mark) if at else mark, QUIET), (line, style))


def _prose(title: str, text: str, width: int) -> Iterator[Content]:
    yield _heading(title)
    yield from _hung("  ", text, width)
    yield Content("")


def _listed(title: str, items: Sequence[str], width: int, *, note: str = "", style: str = "") -> Iterator[Content]:
    if not items:
        return
    yield _heading(title, note)
    for item in items:
        yield from _hung("  • ", item, width, style)
    yield Content("")


def _phases(phases: Sequence[Phase], width: int, *, is_own: bool) -> Iterator[Content]:
    if not phases:
        return
    yield _heading("Phases", "" if is_own else PROPOSED)
    for number, phase in enumerate(phases, 1):
        hours = f" ({phase.hours:g} h)" if phase.hours else ""
        yield from _hung(f" {number:>2} ", f"{clean(phase.name)}{hours}", width)
        for task in phase.tasks:
            yield from _hung("      ", clean(task), width, QUIET)
    yield Content("")


def reader_words(analysis: Analysis) -> tuple[str, str]:
    """Return who has read the spec, and the look of that."""
    if analysis.source is AnalysisSource.CLAUDE:
        seconds = f" in {analysis.seconds:.0f} s" if analysis.seconds is not None else ""
        cost = f", ${analysis.cost_usd:.2f}" if analysis.cost_usd is not None else ""
        return f"read by Claude{seconds}{cost}", "$text-success"
    if analysis.because:
        return f"read offline: {clean(analysis.because)}", "$text-warning"
    return "read offline: nobody was asked", QUIET


def progress_words(progress: AnalysisProgress | None) -> str:
    """Return how far a reading by Claude is."""
    if progress is None:
        return "Claude reads the spec …"
    return f"Claude reads the spec, {progress.seconds:.0f} of {progress.limit_s:.0f} s: {clean(progress.text)}"


# -- the team -------------------------------------------------------------------------------------


def title_parts(proposal: Proposal) -> tuple[list[Part], list[Part]]:
    """Return the title of the approval, and the totals against the plan's cap."""
    team = proposal.team
    count, is_over = len(team.chosen), len(team.chosen) > team.cap
    totals = f"{'‼ ' if is_over else ''}{count} of {plural(team.cap, 'agent')}"
    saved = [part(f"saved as {proposal.saved} ·", QUIET, cost=5)] if proposal.saved else []
    return (
        [part("New team", "bold", cost=None), part(clean(proposal.project.name), "$text-accent", cost=60)],
        [
            *saved,
            part(f"{clean(proposal.driver)} agents ·", QUIET, cost=10),
            part(f"{clean(team.type).replace('_', ' ')} ·", QUIET, cost=20),
            part(f"plan {team.plan} ·", "", cost=40),
            part(totals, "bold $text-error" if is_over else "bold", cost=None),
        ],
    )


def estimate_words(proposal: Proposal) -> str:
    """Return what the team would use, in a line; empty when nothing is known."""
    if proposal.estimate is None:
        return ""
    least, most = (tokens / 1e6 for tokens in proposal.estimate.tokens_per_hour)
    words = f"at most {proposal.estimate.check_ins_per_hour:.1f} check-ins an hour"
    return f"{words}, {least:.1f} to {most:.1f} M tokens; work comes on top" if most else words


def place_words(proposal: Proposal) -> str:
    """Return where the team starts from, in a line."""
    project = proposal.project
    return f"from {clean(project.branch)} at {project.head[:10]}"


def warnings_of(proposal: Proposal) -> tuple[str, ...]:
    """Return what is to be known before the team is approved; not the spec's remarks, which stand with the spec."""
    remarks = {each.text for each in proposal.spec.remarks}
    found = (clean(each) for each in (*proposal.team.warnings, *proposal.warnings))
    return tuple(dict.fromkeys(each for each in found if not any(clean(remark) in each for remark in remarks)))


def needs_a_second_press(proposal: Proposal) -> str:
    """Return why approving is asked for twice; empty when it is not."""
    team = proposal.team
    if len(team.chosen) > team.cap:
        return f"{len(team.chosen)} agents are more than the plan {team.plan} carries ({team.cap})"
    if free := [choice.role.key for choice in team.chosen if choice.permission_mode == BYPASS]:
        return f"{', '.join(map(clean, free))} would ask for no permission at all"
    return next((clean(warning) for warning in proposal.warnings if warning.startswith(LIMITED)), "")


def details_of(proposal: Proposal, choice: RoleChoice | None, role: Role, width: int) -> Content:
    """Return everything there is to say of a role; `choice` is None when the proposal says nothing of it."""
    is_in = role.key in proposal.team.roles
    fields = [("why" if is_in else "why not", sentence(choice.reason) if choice else "Nothing asks for it.")]
    fields.append(("what for", sentence(role.summary)))
    if is_in and choice is not None:
        fields += _member_fields(proposal, choice)
    else:
        fields.append(("check-in", f"{role.check_in_min:g} min"))
    if role.needs:
        fields.append(("builds on", ", ".join(map(clean, role.needs))))
    return _fields(fields, width)


def _member_fields(proposal: Proposal, choice: RoleChoice) -> Iterator[tuple[str, str]]:
    key = choice.role.key
    to = [target for target in proposal.team.roles if (key, target) in proposal.routes]
    yield "writes to", ", ".join(map(clean, to)) or "nobody"
    yield "check-in", f"every {interval_words(choice)}"
    if proposal.models:
        yield "model", model_words(choice)
    if proposal.permission_modes:
        yield "permissions", clean(choice.permission_mode)
    yield "worktree", clean(f"{proposal.worktrees}/{key}")
    yield "branch", clean(f"{proposal.branches}{key}")


def advice_details(suggestion: Suggestion, width: int) -> Content:
    """Return everything there is to say of an advised change."""
    who = "Claude" if suggestion.source is AnalysisSource.CLAUDE else "tmorch, by the words of the spec"
    fields = [("why", sentence(suggestion.why)), ("by", who)]
    if suggestion.refused:
        fields.insert(0, ("not possible", sentence(suggestion.refused)))
    if suggestion.warning:
        fields.append(("mind", sentence(suggestion.warning)))
    return _fields(fields, width)


def team_details(proposal: Proposal, width: int) -> Content:
    """Return what there is to say of the team as a whole."""
    detection, estimate = proposal.team.detection, proposal.estimate
    fields = [
        ("type", f"{clean(proposal.team.type)}, {detection.confidence:.0%} sure"),
        ("because", sentence(detection.reason)),
        ("worktrees", clean(f"{proposal.worktrees}/ROLE")),
        ("branches", clean(f"{proposal.branches}ROLE")),
    ]
    if estimate is not None:
        fields += [("estimate", sentence(estimate_words(proposal))), ("basis", clean(estimate.basis))]
    if proposal.overrides:
        fields.append(("changed by", ", ".join(map(clean, proposal.overrides))))
    return _fields(fields, width)


def _fields(fields: Iterable[tuple[str, str]], width: int) -> Content:
    """Return names and values, a line or more each; further lines of a value stand below its first one."""
    room = max(LEAST_CELLS, width - LABEL_CELLS)
    lines = []
    for name, value in fields:
        for at, line in enumerate(wrap(value, room)):
            lines.append(Content.assemble((f"{'' if at else name:<{LABEL_CELLS}}", QUIET), (line, "")))
    return Content("\n").join(lines)
