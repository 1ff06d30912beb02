"""What in the catalogue's files speaks of each other: that it is there, and that it goes together. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import chain
from string import Formatter

from orchestrator_core.config.checking import Key, Problem
from orchestrator_core.team.catalogue import OptionalRole, Parts, Template, squeeze

NOTE_CHARACTERS = 750
"""How long what is typed at a check-in may be, so that no agent takes it for a paste."""

Found = tuple[str, Problem]
"""The file, as `catalogue.PARTS` calls it, and what is wrong in it."""


def broken_references(parts: Parts) -> Iterator[Found]:
    """Yield all that does not go together in files that are each right by themselves."""
    yield from (("roles", problem) for problem in _in_roles(parts))
    yield from (("templates", problem) for problem in _in_templates(parts))
    yield from (("plans", problem) for problem in _in_plans(parts))
    yield from (("routing", problem) for problem in _in_routing(parts))
    yield from (("collaboration", problem) for problem in _in_collaboration(parts))
    yield from (("check_ins", problem) for problem in _in_check_ins(parts))


# -- the files


def _in_roles(parts: Parts) -> Iterator[Problem]:
    roles = parts.roles.roles
    for key, entry in roles.items():
        yield from _unknown_entries(entry.needs, roles, ("roles", key, "needs"))
    yield from _circles({key: entry.needs for key, entry in roles.items()})
    names: dict[str, str] = {}
    for key in roles:
        first = names.setdefault(squeeze(key), key)
        if first != key:
            yield Problem(
                key=("roles", key), what=f"cannot be told apart from {first}", cause="case, - and _ do not count"
            )
    for alias, key in parts.roles.aliases.items():
        if not squeeze(alias) or names.get(squeeze(alias), key) != key:
            cause = "another name for a role has letters or digits, and is no role's own"
            yield Problem(key=("aliases", alias), what="cannot be another name", cause=cause)
        yield from _unknown(key, roles, ("aliases", alias))


def _in_templates(parts: Parts) -> Iterator[Problem]:
    templates, roles = parts.templates, parts.roles.roles
    yield from _unknown_names(templates.always, roles, ("always",))
    for type, template in templates.types.items():
        place = ("types", type)
        yield from _unknown_names(template.required, roles, (*place, "required"))
        yield from _unknown_names(template.optional, roles, (*place, "optional"))
        for role, rule in template.optional.items():
            yield from _in_optional(rule, templates.signs, (*place, "optional", role))
        yield from _doubled(template, place)


def _in_optional(rule: OptionalRole, signs: Collection[str], place: Key) -> Iterator[Problem]:
    yield from _unknown_entries(rule.signs, signs, (*place, "signs"), "sign")
    yield from _in_text(rule.found, ("found",), (*place, "found"))


def _doubled(template: Template, place: Key) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, indicator in enumerate(template.indicators, 1):
        if indicator.kind in seen:
            cause = "the names of one kind stand in one place"
            yield Problem(key=(*place, "indicators", str(number), "kind"), what="is there already", cause=cause)
        seen.add(indicator.kind)


def _in_plans(parts: Parts) -> Iterator[Problem]:
    yield from _unknown_names(parts.plans.order, parts.templates.types, ("order",), "type of project")
    for type, order in parts.plans.order.items():
        yield from _unknown_entries(order, parts.roles.roles, ("order", type))


def _in_routing(parts: Parts) -> Iterator[Problem]:
    rules, roles = parts.routing, parts.roles.roles
    yield from _unknown(rules.hub, roles, ("hub",))
    yield from _unknown(rules.gate, roles, ("gate",))
    yield from _unknown_names(rules.types, parts.templates.types, ("types",), "type of project")
    for type, sets in rules.types.items():
        yield from _unknown_entries(sets, rules.lateral, ("types", type), "set of lateral routes")
    for name, pairs in rules.lateral.items():
        for number, pair in enumerate(pairs, 1):
            yield from _unknown_entries(pair, roles, ("lateral", name, str(number)))


def _in_collaboration(parts: Parts) -> Iterator[Problem]:
    roles = parts.roles.roles
    yield from _unknown_names(parts.collaboration, roles, ())
    for role, others in parts.collaboration.items():
        yield from _unknown_names(others, roles, (role,))


def _in_check_ins(parts: Parts) -> Iterator[Problem]:
    notes = parts.check_ins
    yield from _unknown_names(notes.roles, parts.roles.roles, ("roles",))
    besides = max(map(len, notes.roles.values()), default=0)
    for name, text in (("default", notes.default), ("hub", notes.hub), ("alone", notes.alone)):
        places = ("role",) if name != "default" else ("hub", "role")
        yield from _in_text(text, places, (name,))
        yield from _in_note(text.strip(), besides, name)


def _in_note(text: str, besides: int, name: str) -> Iterator[Problem]:
    most = f"{NOTE_CHARACTERS} characters, what a role is told besides included"
    cause = f"it is typed as it stands: one paragraph of at most {most}"
    if "\n" in text:
        yield Problem(key=(name,), what="has more than one paragraph", cause=cause)
    elif len(text) + besides > NOTE_CHARACTERS:
        yield Problem(key=(name,), what=f"has {len(text)} characters, and a role is told {besides} more", cause=cause)


# -- what they have in common


def _unknown(name: str, known: Collection[str], key: Key, noun: str = "role") -> Iterator[Problem]:
    if name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        yield Problem(key=key, what=f"names {name!r}, which is no {noun}{hint}", cause=_known(known, noun))


def _unknown_entries(names: Iterable[str], known: Collection[str], key: Key, noun: str = "role") -> Iterator[Problem]:
    return chain.from_iterable(_unknown(name, known, (*key, str(number)), noun) for number, name in enumerate(names, 1))


def _unknown_names(names: Iterable[str], known: Collection[str], key: Key, noun: str = "role") -> Iterator[Problem]:
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            nearest = (*key, near[0]) if near else ()
            yield Problem(key=(*key, name), what=f"is no {noun}", cause=_known(known, noun), nearest=nearest)


def _known(known: Iterable[str], noun: str) -> str:
    nouns = {"type of project": "types of project", "set of lateral routes": "sets of lateral routes"}
    return f"the {nouns.get(noun, f'{noun}s')} are: {', '.join(known)}"


def _in_text(text: str, places: Collection[str], key: Key) -> Iterator[Problem]:
    """Hold what stands in braces against what is put there."""
    allowed = " and ".join(f"{{{place}}}" for place in places)
    cause = f"in braces may stand {allowed}, and nothing else in them; a brace itself is written twice"
    try:
        fields = [found[1:] for found in Formatter().parse(text) if found[1] is not None]
    except ValueError as error:
        yield Problem(key=key, what=f"has braces that do not match ({error})", cause=cause)
        return
    for name, spec, conversion in fields:
        if name not in places or spec or conversion:
            yield Problem(key=key, what=f"has {{{name}}}, for which there is nothing to put", cause=cause)


def _circles(needs: Mapping[str, Collection[str]]) -> Iterator[Problem]:
    for key, direct in needs.items():
        for number, need in enumerate(direct, 1):
            if key in _reached(need, needs):
                what = f"goes round in a circle: {need} needs {key}" if need != key else "is the role itself"
                cause = "no role can be taken before itself"
                yield Problem(key=("roles", key, "needs", str(number)), what=what, cause=cause)


def _reached(start: str, needs: Mapping[str, Collection[str]]) -> set[str]:
    """Return the roles that come with `start`, itself included."""
    found, todo = {start}, [start]
    while todo:
        more = set(needs.get(todo.pop(), ())) - found
        found |= more
        todo += more
    return found
