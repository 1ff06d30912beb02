"""The YAML between `---` lines at the top of a spec. Pure; nothing of it is constructed but texts, lists and tables."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from orchestrator_core.models.spec import Phase, Remark, SpecWishes
from orchestrator_core.team.items import NOTHING, read_items
from orchestrator_core.team.phases import hours_of, phase_of, phase_of_item
from orchestrator_core.team.sections import CONTROL, KNOWN, PHASES

if TYPE_CHECKING:
    from yaml import Event

MAX_CHARACTERS = 20_000
MAX_DEPTH = 6
_FENCE = re.compile(r"---[ \t]*$")
_END = re.compile(r"(?:---|\.\.\.)[ \t]*$")
_FIRST_KEY = re.compile(r"""["']?[^\W\d][\w .-]{0,40}["']?[ \t]*:(?:[ \t]|$)""")
_NULL = ("", "~", "null", "Null", "NULL")
_WISHES = ("plan", "roles", "team_type", "agent")
_TITLES = ("name", "title", "phase")
_TASKS = ("tasks", "task", "steps", "items", "deliverables")
_HOURS = ("hours", "estimate", "duration", "estimatedhours")


def _squeeze(key: str) -> str:
    return "".join(letter for letter in key.casefold() if letter.isalnum())


_KEYS = (
    {_squeeze(label): name for label, name in KNOWN.items()}
    | {_squeeze(name): name for name in _WISHES}
    | {"type": "team_type", "name": "project", "title": "project"}
)
"""What a key says without its marks → the field of a spec that it fills."""


class Node(Struct, frozen=True, kw_only=True):
    """A value with the line at which it begins: a text, a list, or a table."""

    line: int
    text: str = ""
    items: tuple[Node, ...] | None = None
    pairs: tuple[tuple[Node, Node], ...] | None = None

    @property
    def is_text(self) -> bool:
        """Whether it is neither a list nor a table."""
        return self.items is None and self.pairs is None


class FrontMatter(Struct, frozen=True, kw_only=True):
    """What a spec says before its text."""

    items: dict[str, tuple[str, ...]] = {}
    """Field of a spec → what it says; of `project` and `goal` the first one is all."""
    lines: dict[str, int] = {}
    """Field → the line of its first key."""
    phases: tuple[Phase, ...] = ()
    wishes: SpecWishes = SpecWishes()
    unread: tuple[str, ...] = ()
    """The lines of keys that nobody reads, as written."""
    remarks: tuple[Remark, ...] = ()


class _UnfitError(Exception):
    """It is not to be read as front matter."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.remark = Remark(line=line, text=f"the front matter is read as text: {why}")


def split_off(text: str) -> tuple[FrontMatter, str]:
    """Return the front matter of a text, and the text with its lines blank, so that line numbers stay.

    What is not valid front matter stays in the text, but for the lines around it; a remark says why.
    """
    lines = text.split("\n")
    start = next((at for at, line in enumerate(lines) if line.strip()), 0)
    if not _FENCE.match(lines[start]) or not _begins_with_key(lines[start + 1 :]):
        return FrontMatter(), text
    end = next((at for at in range(start + 1, len(lines)) if _END.match(lines[at])), None)
    if end is None:
        lost = Remark(line=start + 1, text="the front matter is read as text: no other --- ends it")
        return FrontMatter(remarks=(lost,)), text
    inside, rest = lines[start + 1 : end], lines[end + 1 :]
    blank = [""] * (start + 1)
    try:
        found = _Reader(inside, start + 2).read()
    except _UnfitError as error:
        return FrontMatter(remarks=(error.remark,)), "\n".join([*blank, *inside, "", *rest])
    return found, "\n".join([*blank, *("" for _ in inside), "", *rest])


def _begins_with_key(lines: Iterable[str]) -> bool:
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    return bool(_FIRST_KEY.match(first))


class _Reader:
    """Reads one front matter; `first` is the number of its first line."""

    def __init__(self, lines: Sequence[str], first: int) -> None:
        self._source = lines
        self._first = first
        self._items: dict[str, list[str]] = {}
        self._lines: dict[str, int] = {}
        self._phases: list[Phase] = []
        self._unread: list[str] = []
        self._remarks: list[Remark] = []

    def read(self) -> FrontMatter:
        top = _tree("\n".join(self._source), self._first)
        if top.pairs is None:
            raise _UnfitError(top.line, "it is no table of keys")
        ends = [*(key.line for key, _ in top.pairs[1:]), self._first + len(self._source)]
        for (key, value), end in zip(top.pairs, ends, strict=True):
            self._pair(key, value, end)
        return FrontMatter(
            items={name: tuple(items) for name, items in self._items.items()},
            lines=self._lines,
            phases=tuple(self._phases),
            wishes=SpecWishes(
                plan=self._wish("plan"),
                roles=tuple(self._items.get("roles", ())),
                team_type=self._wish("team_type"),
                agent=self._wish("agent"),
            ),
            unread=tuple(self._unread),
            remarks=tuple(self._remarks),
        )

    def _wish(self, name: str) -> str:
        return next(iter(self._items.get(name, ())), "")

    def _remark(self, line: int, text: str) -> None:
        self._remarks.append(Remark(line=line, text=text))

    def _pair(self, key: Node, value: Node, end: int) -> None:
        name = _KEYS.get(_squeeze(key.text), "")
        if not name:
            self._unknown(key, end)
        elif value.is_text and not value.text.strip():
            self._remark(key.line, f"{key.text} is empty")
        else:
            if name in self._lines:
                kept = "the first one counts" if _is_single(name) else "both are read"
                self._remark(key.line, f"{name} is given again (first in line {self._lines[name]}): {kept}")
            self._lines.setdefault(name, key.line)
            self._fill(name, key, value)

    def _unknown(self, key: Node, end: int) -> None:
        near = difflib.get_close_matches(_squeeze(key.text), _KEYS, n=1, cutoff=0.7)
        hint = f"did you mean {_KEYS[near[0]]}?" if near else "agents get it as it is"
        self._remark(key.line, f"nothing reads {key.text[:40]!r} in the front matter: {hint}")
        self._unread += self._source[key.line - self._first : end - self._first]

    def _fill(self, name: str, key: Node, value: Node) -> None:
        if name == PHASES:
            self._phases += [phase for each in _entries(value) if (phase := self._phase(each)).name]
            return
        if _is_single(name) and not value.is_text:
            self._remark(value.line, f"{key.text} is to be a text, not a list or a table")
            return
        texts = [_as_text(value)] if _is_single(name) or name == "goal" else _list(value)
        if name == "roles":
            texts = [role.strip() for text in texts for role in text.split(",")]
        self._items.setdefault(name, []).extend(text for text in texts if text.strip() and not _says_nothing(text))

    def _phase(self, node: Node) -> Phase:
        if node.pairs is None:
            return phase_of_item(_as_text(node))
        fields = {_squeeze(key.text): (key, value) for key, value in node.pairs}
        if len(node.pairs) == 1 and not any(word in fields for word in _TITLES):
            ((key, value),) = node.pairs
            return self._titled(key.text, value)
        title = next((fields.pop(word)[1].text for word in _TITLES if word in fields), "")
        tasks = [fields.pop(word)[1] for word in _TASKS if word in fields]
        hours = [fields.pop(word)[1] for word in _HOURS if word in fields]
        for key, _ in fields.values():
            self._remark(key.line, f"nothing reads {key.text[:40]!r} in a phase; it may have name, tasks and hours")
        if not title:
            self._remark(node.line, "this phase has no name")
        phase = phase_of(title or "Phase", [task for each in tasks for task in _list(each)])
        return Phase(name=phase.name, tasks=phase.tasks, hours=self._hours(hours) or phase.hours)

    def _titled(self, title: str, value: Node) -> Phase:
        """Read `Setup: [tasks]`, or `Setup:` with its tasks and hours below."""
        inner = {_squeeze(key.text) for key, _ in value.pairs or ()}
        if inner & {*_TASKS, *_HOURS}:
            named = Node(line=value.line, text=title)
            pairs = ((Node(line=value.line, text="name"), named), *(value.pairs or ()))
            return self._phase(Node(line=value.line, pairs=pairs))
        return phase_of(title, _list(value))

    def _hours(self, nodes: Sequence[Node]) -> float | None:
        for node in nodes:
            hours = hours_of(node.text)
            if hours is None:
                self._remark(node.line, f"{_as_text(node)[:40]!r} is no number of hours")
            else:
                return hours
        return None


def _is_single(name: str) -> bool:
    return name in ("project", "plan", "team_type", "agent")


def _says_nothing(text: str) -> bool:
    return text.strip().casefold() in NOTHING


def _entries(node: Node) -> tuple[Node, ...]:
    """Return what a list holds; of a table its pairs, each a table; of a text its items."""
    if node.items is not None:
        return node.items
    if node.pairs is not None:
        return tuple(Node(line=key.line, pairs=((key, value),)) for key, value in node.pairs)
    return tuple(Node(line=node.line, text=item) for item in _list(node))


def _list(node: Node) -> list[str]:
    """Return the items that a value stands for; a table's begin with their key, as below a subheading."""
    if node.items is not None:
        return [_as_text(each) for each in node.items]
    if node.pairs is not None:
        return [f"{key.text}: {item}" for key, value in node.pairs for item in _list(value)]
    lines = node.text.split("\n")
    return list(read_items(lines, [False] * len(lines)))


def _as_text(node: Node) -> str:
    """Return a value as one text: lists with bullets, tables as `key: value`."""
    if node.items is not None:
        return "\n".join(f"- {_indented(each)}" for each in node.items)
    if node.pairs is not None:
        return "\n".join(_pair_text(key, value) for key, value in node.pairs)
    return node.text.strip()


def _pair_text(key: Node, value: Node) -> str:
    text = _as_text(value)
    return f"{key.text}: {text}" if value.is_text else f"{key.text}:\n{text}"


def _indented(node: Node) -> str:
    return _as_text(node).replace("\n", "\n  ")


def _tree(text: str, first: int) -> Node:
    """Return what the YAML says. Aliases are refused, so that it stays as large as it was written."""
    if len(text) > MAX_CHARACTERS:
        raise _UnfitError(first, f"it is longer than {MAX_CHARACTERS} characters")
    import yaml

    around = (yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent, yaml.StreamEndEvent)
    try:
        events = (event for event in yaml.parse(text, Loader=yaml.SafeLoader) if not isinstance(event, around))
        top = _node(next(events), events, first, 0)
        if further := next(events, None):
            raise _UnfitError(_line(further, first), "it is more than one document")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        hint = " (a text with a colon needs quotes)" if "mapping values" in str(error.problem) else ""
        raise _UnfitError(first + line, f"it is no valid YAML: {_clean(error.problem or '')}{hint}") from error
    except yaml.YAMLError as error:
        raise _UnfitError(first, f"it is no valid YAML: {_clean(str(error).splitlines()[0])}") from error
    except StopIteration as error:
        raise _UnfitError(first, "it is empty") from error
    return top


def _node(event: Event, events: Iterator[Event], first: int, depth: int) -> Node:
    from yaml.events import AliasEvent, CollectionEndEvent, MappingStartEvent, ScalarEvent

    line = _line(event, first)
    if isinstance(event, AliasEvent):
        raise _UnfitError(line, "it has an alias (*)")
    if depth > MAX_DEPTH:
        raise _UnfitError(line, "it is nested too deeply")
    if isinstance(event, ScalarEvent):
        is_null = event.style is None and event.value in _NULL
        return Node(line=line, text="" if is_null else _clean(event.value))
    children = []
    for each in events:
        if isinstance(each, CollectionEndEvent):
            break
        children.append(_node(each, events, first, depth + 1))
    if isinstance(event, MappingStartEvent):
        return Node(line=line, pairs=tuple(zip(children[::2], children[1::2], strict=True)))
    return Node(line=line, items=tuple(children))


def _line(event: Event, first: int) -> int:
    return first + (event.start_mark.line if event.start_mark else 0)


def _clean(text: str) -> str:
    return CONTROL.sub("", text)
