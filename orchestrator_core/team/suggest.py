"""Advice on a team: which suggestions can be taken, and which the words of a spec give rise to. Pure.

The words are data, in `data/suggestions.toml`.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cache

import msgspec
from msgspec.structs import replace

from orchestrator_core.errors import UsageError
from orchestrator_core.models.analysis import Action, AnalysisSource, Suggestion
from orchestrator_core.models.spec import Spec
from orchestrator_core.models.team import ReasonKind, TeamProposal
from orchestrator_core.team.catalogue import DATA, ORCHESTRATOR, Catalogue, Strict
from orchestrator_core.team.compose import joined, key_of, over_cap_by, without_need
from orchestrator_core.team.spoken import Mention, Unwanted, Vocabulary, central_lines, mentions

ENOUGH = 2
"""From how many points on the words of a spec speak for a role."""
STRONG, WEAK = 2, 1
CENTRAL = 2
"""How many times a word counts in the goal, a deliverable or a task."""
_SHOWN = 3

Scores = dict[str, dict[Mention, int]]
"""Role → what the spec says for it → points."""


class Advice(Strict, frozen=True, kw_only=True):
    """The words that speak for one role."""

    role: str
    strong: tuple[str, ...]
    weak: tuple[str, ...] = ()


class Rules(Strict, frozen=True, kw_only=True, eq=False):
    """How suggestions are made of a spec: `data/suggestions.toml`."""

    most: int
    most_over_cap: int
    best_size: int
    spare: tuple[str, ...]
    not_after: tuple[str, ...]
    not_right_after: tuple[str, ...]
    not_beside: tuple[str, ...]
    not_below: tuple[str, ...]
    advice: tuple[Advice, ...]


# --- which can be taken ----------------------------------------------------------------------------------------------


def validated(given: Sequence[Suggestion], team: TeamProposal, catalogue: Catalogue) -> tuple[Suggestion, ...]:
    """Return suggestions fit to be shown: roles by their keys, each once, those that would change nothing left out.

    What cannot be taken stays, with the reason in `refused`; what is to be known of the rest is its `warning`.
    """
    merged: dict[tuple[Action, str], Suggestion] = {}
    for each in given:
        plain = replace(each, role=_key_of(each.role, catalogue), why=_plain(each.why) or "no reason was given")
        if plain.role and (plain.role not in catalogue.roles or is_open(plain, team)):
            first = merged.setdefault((plain.action, plain.role), plain)
            if plain.why not in first.why:
                merged[plain.action, plain.role] = replace(first, why=f"{first.why}; {plain.why}")
    return judged(tuple(merged.values()), team, catalogue)


def judged(given: Sequence[Suggestion], team: TeamProposal, catalogue: Catalogue) -> tuple[Suggestion, ...]:
    """Return validated suggestions with `refused` and `warning` as they are for `team`; none is left out."""
    leaving = {each.role for each in given if each.action is Action.REMOVE and each.role != ORCHESTRATOR}
    return tuple(_judged(each, team, leaving, catalogue) for each in given)


def is_open(suggestion: Suggestion, team: TeamProposal) -> bool:
    """Tell whether the team is not yet as a suggestion has it."""
    return (suggestion.role in team.roles) != (suggestion.action is Action.ADD)


def _judged(each: Suggestion, team: TeamProposal, leaving: Collection[str], catalogue: Catalogue) -> Suggestion:
    refused = warning = ""
    if each.role not in catalogue.roles:
        refused = _unknown(each.role, catalogue)
    elif not is_open(each, team):
        pass
    elif each.action is Action.ADD:
        warning = _added(each.role, team, catalogue)
    else:
        refused, warning = _removed(each.role, team, leaving)
    return replace(each, refused=refused, warning=warning)


def _unknown(word: str, catalogue: Catalogue) -> str:
    names = catalogue.aliases | {key: key for key in catalogue.roles}
    near = dict.fromkeys(names[name] for name in difflib.get_close_matches(word.casefold(), names, n=_SHOWN))
    offered = f"near ones are {joined(list(near))}" if near else f"the roles are {', '.join(catalogue.roles)}"
    return f"there is no role {word!r}; {offered}"


def _added(role: str, team: TeamProposal, catalogue: Catalogue) -> str:
    warnings = [without_need(role, need) for need in catalogue.roles[role].needs if need not in team.roles]
    size = len(team.chosen) + 1
    if size > team.cap:
        warnings.append(over_cap_by(size, team.plan, team.cap))
    return "; ".join(warnings)


def _removed(role: str, team: TeamProposal, leaving: Collection[str]) -> tuple[str, str]:
    """Return why a role cannot be removed, or what is to be known before it is."""
    if role == ORCHESTRATOR:
        return "a team keeps its orchestrator: it moves the others on and answers to you", ""
    if len(team.chosen) == 1:
        return "nobody would be left in the team", ""
    needing = [choice.role.key for choice in team.chosen if role in choice.role.needs]
    build = f"{joined(needing)} {'builds' if len(needing) == 1 else 'build'} on its work"
    if any(key not in leaving for key in needing):
        return build, ""
    choice = next(choice for choice in team.chosen if choice.role.key == role)
    required = choice.reason if choice.kind is ReasonKind.REQUIRED else ""
    return "", "; ".join(part for part in (build if needing else "", required) if part)


def _key_of(word: str, catalogue: Catalogue) -> str:
    try:
        return key_of(word, catalogue)
    except UsageError:
        return _plain(word)


def _plain(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


# --- which the words of a spec give rise to --------------------------------------------------------------------------


def heuristic(spec: Spec, team: TeamProposal, catalogue: Catalogue) -> tuple[Suggestion, ...]:
    """Return what tmorch itself would change about a team, by the words of the spec: few, the best founded first.

    Each says which words on which lines speak for it. They are validated.
    """
    rules = _rules()
    scores = _scores(spec)
    advice = [*_spared(team, scores, rules), *_called_for(team, scores, rules, catalogue)]
    return validated(advice, team, catalogue)


@cache
def _rules() -> Rules:
    content = tomllib.loads((DATA / "suggestions.toml").read_text(encoding="utf-8"))
    return msgspec.convert(content, Rules)


@cache
def _vocabulary() -> tuple[Vocabulary, Unwanted, Mapping[str, list[tuple[str, int]]]]:
    """Return the words to look for, those that deny them, and for each of the former role and points."""
    rules = _rules()
    speaks_for: dict[str, list[tuple[str, int]]] = {}
    for advice in rules.advice:
        for points, phrases in ((STRONG, advice.strong), (WEAK, advice.weak)):
            for phrase in phrases:
                speaks_for.setdefault(phrase, []).append((advice.role, points))
    unwanted = Unwanted(
        after=Vocabulary(rules.not_after),
        right_after=Vocabulary(rules.not_right_after),
        beside=Vocabulary(rules.not_beside),
        below=Vocabulary(rules.not_below),
    )
    return Vocabulary(speaks_for, in_plural=True), unwanted, speaks_for


def _scores(spec: Spec) -> Scores:
    """Return what a spec says for each role: every word once, where it counts most."""
    wanted, unwanted, speaks_for = _vocabulary()
    found = tuple(mentions(spec, wanted, unwanted))
    central = central_lines(spec, {mention.line for mention in found})
    best: dict[str, Mention] = {}
    for mention in found:
        known = best.setdefault(mention.phrase, mention)
        if mention.line in central and known.line not in central:
            best[mention.phrase] = mention
    scores: Scores = {}
    for phrase, mention in best.items():
        for role, points in speaks_for[phrase]:
            times = CENTRAL if mention.line in central else 1
            scores.setdefault(role, {})[mention] = points * times
    return {role: said for role, said in scores.items() if sum(said.values()) >= ENOUGH}


def _called_for(team: TeamProposal, scores: Scores, rules: Rules, catalogue: Catalogue) -> list[Suggestion]:
    size = len(team.chosen)
    room = max(team.cap - size, rules.most_over_cap)
    count = max(0, min(rules.most, room, rules.best_size - size))
    roles = [role for role in scores if role in catalogue.roles and role not in team.roles]
    roles.sort(key=lambda role: -sum(scores[role].values()))
    return [_suggestion(Action.ADD, role, _citing(scores[role])) for role in roles[:count]]


def _citing(said: Mapping[Mention, int]) -> str:
    """Return the words that count most, in the order in which the spec has them."""
    most = sorted(said, key=lambda mention: -said[mention])[:_SHOWN]
    most.sort(key=lambda mention: mention.line)
    return f"the spec speaks of {joined([f'{each.written}{_place(each.line)}' for each in most])}"


def _place(line: int) -> str:
    return f" (line {line})" if line else ""


def _spared(team: TeamProposal, scores: Scores, rules: Rules) -> list[Suggestion]:
    size = len(team.chosen)
    spare = [role for role in rules.spare if role in team.roles and role not in scores]
    why = f"{size} agents cost more talk than {rules.best_size} without saving work, and this one can be spared first"
    return [_suggestion(Action.REMOVE, role, why) for role in spare[: max(0, size - rules.best_size)]]


def _suggestion(action: Action, role: str, why: str) -> Suggestion:
    return Suggestion(action=action, role=role, why=why, source=AnalysisSource.OFFLINE)
