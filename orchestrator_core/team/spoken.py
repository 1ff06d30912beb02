"""Which words a spec speaks of, and where: whole words, and only those it wants. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from orchestrator_core.models.spec import Spec

_TOKEN = re.compile(r"\w+(?:['’]\w+)*|[.;:!?](?=\s|$)|,|(?<=\s)[–—-](?=\s)")
_PLACE = re.compile(
    r"(?<!\w)\w+://\S+|(?<!\S)[~.]*/\S+|(?<![\w.-])[\w.-]+/\S*[./_]\w\S*|(?<![\w-])[\w-]+\.[a-z]\w{0,4}\b(?!\.\w)"
)
"""Addresses, paths and names of files: what they are called says nothing of what is wanted."""
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*)")
_KEY = re.compile(r"\s*\**([^\W\d_][\w -]{1,40}?)\**\s*:")
_UNDERLINE = re.compile(r"\s{0,3}(?:=+|-+)\s*$")
_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")
_KEY_LEVEL = 7
_ENDS = frozenset(".;!?–—-")
_NONE = frozenset(("no", "none", "not", "never", "nothing"))
_TURNS = frozenset(("but", "however"))
_SHORT_PART, _LONG_PART, _SHORT_LABEL = 2, 12, 5
_REACH = 2
"""How many words further on something still comes right after."""
_TELLING = 8
"""From how many letters on a part of a line is no accident."""


class Mention(Struct, frozen=True, kw_only=True):
    """A word of interest, as the spec has it."""

    phrase: str
    """As it was looked for."""
    written: str
    line: int
    """Counted from 1; 0 when the spec is not a file."""


class _Token(Struct, frozen=True):
    word: str
    """In lower case."""
    written: str
    line: int


class Vocabulary:
    """Phrases to be found among words, whatever their case; a hyphen in them is a blank."""

    def __init__(self, phrases: Iterable[str], *, in_plural: bool = False) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for phrase in phrases:
            *first, last = _words(phrase)
            for ending in ("", "s", "es") if in_plural else ("",):
                words = (*first, last + ending)
                self._by_first.setdefault(words[0], []).append((words, phrase))
        for found in self._by_first.values():
            found.sort(key=lambda entry: -len(entry[0]))

    def at(self, words: Sequence[str], place: int) -> tuple[str, int] | None:
        """Return the longest phrase that begins at a place, with how many words it has there."""
        for phrase, given in self._by_first.get(words[place], ()):
            if tuple(words[place : place + len(phrase)]) == phrase:
                return given, len(phrase)
        return None

    def is_in(self, words: Sequence[str]) -> bool:
        """Tell whether any of the phrases is among the words."""
        return any(self.at(words, place) for place in range(len(words)))


class Unwanted(Struct, frozen=True, kw_only=True):
    """What makes a word one that the spec does not want."""

    after: Vocabulary
    """It comes after one of these in its sentence."""
    right_after: Vocabulary
    """It comes within a few words after one of these."""
    beside: Vocabulary
    """One of these is anywhere in its sentence."""
    below: Vocabulary
    """One of these is in a heading over it."""


def mentions(spec: Spec, wanted: Vocabulary, unwanted: Unwanted) -> Iterator[Mention]:
    """Return where a spec speaks of what is `wanted`, from its first line to its last."""
    for sentence in _sentences(_lines(spec, unwanted.below)):
        words = [token.word for token in sentence]
        if not unwanted.beside.is_in(words):
            yield from _in_sentence(sentence, words, wanted, unwanted)


def central_lines(spec: Spec, numbers: Iterable[int]) -> frozenset[int]:
    """Return those of some lines that hold the goal, a deliverable or a task."""
    central = [*spec.goal.splitlines(), *spec.deliverables]
    central += [text for phase in spec.phases for text in (phase.name, *phase.tasks)]
    whole = "\n".join(_squeezed(text) for text in central)
    parts = frozenset(whole.split("\n"))
    lines = _text_lines(spec.text)
    return frozenset(
        number
        for number in numbers
        if not number
        or any(core in parts or (len(core) >= _TELLING and core in whole) for core in _cores(lines[number - 1]) if core)
    )


def _in_sentence(
    sentence: Sequence[_Token], words: Sequence[str], wanted: Vocabulary, unwanted: Unwanted
) -> Iterator[Mention]:
    is_denied = False
    there_until = 0
    place = _after_answered(words)
    while place < len(words):
        length = 1
        if words[place] == ",":
            is_denied = is_denied and _goes_on(words[place + 1 : place + 1 + _LONG_PART])
        elif words[place] == ":":
            is_denied = is_denied and place <= _SHORT_LABEL
        elif words[place] in _TURNS:
            is_denied = False
        elif denied := unwanted.after.at(words, place):
            is_denied = words[place + denied[1] : place + denied[1] + 1] != ["only"]
        elif there := unwanted.right_after.at(words, place):
            there_until = place + there[1] + _REACH
        elif found := wanted.at(words, place):
            phrase, length = found
            if not is_denied and place >= there_until:
                yield _mention(phrase, sentence[place : place + length])
        place += length


def _after_answered(words: Sequence[str]) -> int:
    """Return where to begin: what stands before `: no` is not wanted."""
    ends = (place for place, word in enumerate(words[:-1]) if word == ":" and words[place + 1] in _NONE)
    return next(ends, 0)


def _goes_on(words: Sequence[str]) -> bool:
    """Tell whether what comes after a comma goes on with the list before it."""
    part = list(words[: words.index(",")] if "," in words else words)
    return len(part) <= _SHORT_PART or "or" in part or "nor" in part


def _mention(phrase: str, tokens: Sequence[_Token]) -> Mention:
    is_plain = len(tokens) == len(phrase.split())
    written = " ".join(token.written for token in tokens) if is_plain else phrase
    return Mention(phrase=phrase, written=written, line=tokens[0].line)


# --- lines and sentences ---------------------------------------------------------------------------------------------


def _lines(spec: Spec, below: Vocabulary) -> Iterator[tuple[int, str]]:
    """Return the lines that say what is wanted, with their numbers; an empty one where something else begins."""
    if not spec.text:
        said = (spec.goal, *spec.deliverables, *spec.constraints, *spec.success_criteria)
        tasks = (task for phase in spec.phases for task in phase.tasks)
        yield from ((0, part) for text in (*said, *tasks) for part in (*text.splitlines(), ""))
        return
    lines = _text_lines(spec.text)
    unwanted_level = 0
    is_code = False
    for number in range(_front_matter(lines), len(lines)):
        text = lines[number]
        is_code ^= bool(_FENCE.match(text))
        level, title = (0, "") if is_code else _heading(text, lines[number + 1 : number + 2])
        if level and (not unwanted_level or level <= unwanted_level):
            unwanted_level = level if below.is_in(_words(title)) else 0
        if not unwanted_level and not _is_name(text, spec.project):
            if level or _ITEM.match(text):
                yield number + 1, ""
            yield number + 1, text
        else:
            yield number + 1, ""


def _sentences(lines: Iterable[tuple[int, str]]) -> Iterator[list[_Token]]:
    sentence: list[_Token] = []
    for number, text in lines:
        if not text.strip():
            yield sentence
            sentence = []
        for found in _TOKEN.finditer(_PLACE.sub(" ", text)):
            written = found.group()
            if written in _ENDS:
                yield sentence
                sentence = []
            else:
                sentence.append(_Token(written.casefold().replace("’", "'"), written, number))
    yield sentence


def _heading(text: str, following: Sequence[str]) -> tuple[int, str]:
    """Return how deep a heading is and what it says; 0 for what is none."""
    if found := _HEADING.match(text):
        return len(found[1]), found[2]
    if text.strip() and not _ITEM.match(text) and following and _UNDERLINE.match(following[0]):
        return (1 if "=" in following[0] else 2), text
    if found := _KEY.match(text):
        return _KEY_LEVEL, found[1]
    return 0, ""


def _text_lines(text: str) -> list[str]:
    return text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _front_matter(lines: Sequence[str]) -> int:
    """Return how many lines at the top are front matter."""
    if lines[0].rstrip() != "---":
        return 0
    ends = (number for number, text in enumerate(lines) if number and text.rstrip() in ("---", "..."))
    return next(ends, -1) + 1


def _is_name(text: str, project: str) -> bool:
    """Tell whether a line only says what the project is called."""
    return bool(project) and _squeezed(text) in (_squeezed(project), f"project{_squeezed(project)}")


def _cores(text: str) -> tuple[str, str]:
    """Return what a line says, without its bullet or number; and without a key before it."""
    plain = re.sub(r"^\s*(?:[-*+]\s+)?(?:\[[ xX]\]\s+)?(?:\d+[.)]\s+)?", "", text)
    return _squeezed(plain), _squeezed(plain.partition(":")[2])


def _squeezed(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+(?:'\w+)*", text.casefold().replace("’", "'")))
