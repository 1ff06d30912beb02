"""Specs as people write them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_core.errors import NotFoundError, UsageError
from orchestrator_core.team.spec import EXAMPLE, MAX_BYTES, other_text, parse_spec, read_spec

PLAIN = """\
PROJECT: Checkout
GOAL: Customers pay in three steps
CONSTRAINTS:
- Use the cart as it is
- At most 3 endpoints

DELIVERABLES:
1. Address form
2. Payment
3. Confirmation

SUCCESS CRITERIA:
- All forms validate
- Orders are stored
"""
HEADINGS = """\
# Project: Checkout

## Goal
Customers pay in three steps

## Constraints
* Use the cart as it is
* At most 3 endpoints

## Deliverables
1) Address form
2) Payment
3) Confirmation

## Success criteria
+ All forms validate
+ Orders are stored
"""
BOLD = """\
**Project:** Checkout
**Goal**: Customers pay in three steps

**CONSTRAINTS**

- [ ] Use the cart as it is
- [x] At most 3 endpoints

__Deliverables:__
- Address form
- Payment
- Confirmation

**Success Criteria:**
- All forms validate
- Orders are stored
"""
FRONT_MATTER = """\
---
Project: Checkout
goal: Customers pay in three steps
CONSTRAINTS: [Use the cart as it is, At most 3 endpoints]
success-criteria:
  - All forms validate
  - Orders are stored
---

## Deliverables
- Address form
- Payment
- Confirmation
"""
BULLETS = """\
- **Project**: Checkout
- Goal: Customers pay in three steps
- Constraints:
  - Use the cart as it is
  - At most 3 endpoints
- Deliverables:
  1. Address form
  2. Payment
  3. Confirmation
- Success criteria:
  - All forms validate
  - Orders are stored
"""
UNDERLINED = """\
Project: Checkout

Goal
====
Customers pay in three steps

Constraints
-----------
Use the cart as it is
At most 3 endpoints

Deliverables
------------
- Address form
- Payment
- Confirmation

Success Criteria
----------------
- All forms validate
- Orders are stored
"""
DECORATED = """\
# 🛒 Project: Checkout #
## 1. 🎯 Goal
Customers pay in three steps
## 2. **Constraints**
- Use the cart as it is
- At most 3 endpoints
## 3) Deliverables:
- Address form
- Payment
- Confirmation
## Success_Criteria
- All forms validate
- Orders are stored
"""
FORMS = {
    "plain": PLAIN,
    "small letters": PLAIN.replace("PROJECT", "project")
    .replace("GOAL", "goal")
    .replace("SUCCESS CRITERIA", "success criteria"),
    "headings": HEADINGS,
    "deep headings": HEADINGS.replace("## ", "#### ").replace("# Project", "### Project"),
    "bold": BOLD,
    "bullets": BULLETS,
    "bullets below a title": "# Checkout\n\n" + BULLETS,
    "numbered labels": BULLETS.replace("- Goal", "2. Goal").replace("- Constraints", "3. **Constraints**"),
    "objective": HEADINGS.replace("Goal", "Objective"),
    "underlined": UNDERLINED,
    "decorated": DECORATED,
    "indented": "\n".join(f"    {line}" for line in PLAIN.split("\n")),
    "carriage returns": PLAIN.replace("\n", "\r\n"),
    "old mac": PLAIN.replace("\n", "\r"),
    "byte order mark": "\ufeff" + HEADINGS,
    "tabs": BULLETS.replace("  ", "\t"),
    "half in the front matter": FRONT_MATTER,
    "front matter": "---\ntitle: x\n---\n" + PLAIN,
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_every_form_says_the_same(text: str) -> None:
    spec = parse_spec(text, "spec.md")
    assert spec.goal == "Customers pay in three steps"
    assert spec.project == "Checkout"
    assert spec.constraints == ("Use the cart as it is", "At most 3 endpoints")
    assert spec.deliverables == ("Address form", "Payment", "Confirmation")
    assert spec.success_criteria == ("All forms validate", "Orders are stored")
    assert (spec.text, spec.path) == (text, "spec.md")


def test_a_goal_is_enough() -> None:
    spec = parse_spec("GOAL: Add login")
    assert (spec.goal, spec.project, spec.constraints, spec.deliverables) == ("Add login", "", (), ())


def test_the_example_is_a_spec() -> None:
    spec = parse_spec(EXAMPLE)
    assert spec.project
    assert spec.constraints
    assert spec.deliverables
    assert spec.success_criteria


class Bad(NamedTuple):
    text: str
    cause: str


@pytest.mark.parametrize(
    "bad",
    [
        Bad("", "no GOAL section"),
        Bad("# Shop\n\nsome prose about a goal: nothing", "no GOAL section"),
        Bad("CONSTRAINTS:\n- a\nDELIVERABLES:\n- b", "it has CONSTRAINTS, DELIVERABLES, but no GOAL section"),
        Bad("GOAL:\n\nCONSTRAINTS:\n- a", "it has CONSTRAINTS, but its GOAL is empty"),
        Bad("## Goal\n\n<!-- GOAL: later -->\n", "its GOAL is empty"),
        Bad("GOAL: tbd", "its GOAL is empty"),
        Bad("```\nGOAL: in code\n```", "no GOAL section"),
        Bad("PROJECT: p\nGOAL:\n", "its GOAL is empty (line 2)"),
        Bad("---\nproject: p\ngoal: tbd\n---\n", "it has PROJECT, but its GOAL is empty (line 3)"),
        Bad("PROJECT: p\n\nGAOL: x\n", "line 3: GAOL heads no section: did you mean GOAL?"),
        Bad("---\ngaol: x\n---\n", "line 2: nothing reads 'gaol' in the front matter: did you mean goal?"),
        Bad("---\nrisks: {a\n---\n", "no GOAL section; line 2: the front matter is read as text"),
    ],
)
def test_without_a_goal_it_says_what_is_missing_and_gives_an_example(bad: Bad) -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec(bad.text, "docs/spec.md")
    assert caught.value.title == "docs/spec.md has no goal"
    assert bad.cause in caught.value.cause
    assert EXAMPLE in caught.value.remedy
    assert caught.value.code == "no-goal"


def test_values_of_many_lines_and_code_are_kept_as_written() -> None:
    goal = "First line\n\n  indented\n\n```python\n# Goal\nCONSTRAINTS: not here\n```\n\n- with\n- a list"
    assert parse_spec(f"GOAL: {goal}\n\nCONSTRAINTS:\n- a").goal == goal
    assert parse_spec(f"## Goal\n\n{goal}\n\n## Constraints\n- a").goal == goal


def test_code_blocks_hold_no_sections() -> None:
    text = "GOAL: a\n~~~\nDELIVERABLES:\n- no\n~~~\n````\n```\nCONSTRAINTS: no\n````\nDELIVERABLES:\n- yes"
    spec = parse_spec(text)
    assert spec.deliverables == ("yes",)
    assert spec.constraints == ()


def test_an_unclosed_code_block_does_not_swallow_the_rest() -> None:
    assert parse_spec("```\nGOAL: a").goal == "a"
    assert parse_spec("GOAL: a\n<!-- never closed\nDELIVERABLES:\n- b").deliverables == ("b",)


def test_comments_are_not_read() -> None:
    spec = parse_spec("<!-- GOAL: one\nCONSTRAINTS:\n- x -->\nGOAL: two\n<!-- a --> \nDELIVERABLES:\n- b")
    assert (spec.goal, spec.constraints, spec.deliverables) == ("two", (), ("b",))


def items(text: str) -> tuple[str, ...]:
    return parse_spec(f"GOAL: g\nDELIVERABLES:{text}").deliverables


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n- a\n- b", ("a", "b")),
        ("\n* a\n\n* b", ("a", "b")),
        ("\n• a\n– b", ("a", "b")),
        ("\n1. a\n2. b\n10. c", ("a", "b", "c")),
        ("\n1) a\n2) b", ("a", "b")),
        ("\na) x\nb) y", ("x", "y")),
        ("\n   - a\n   - b", ("a", "b")),
        ("\n- a that is\n  wrapped\n- b", ("a that is wrapped", "b")),
        ("\n- a that is\nwrapped lazily\n- b", ("a that is wrapped lazily", "b")),
        ("\n- a\n\n  second paragraph\n- b", ("a\nsecond paragraph", "b")),
        ("\n- a\n  - b\n    - c\n  - d\n- e", ("a\n- b\n  - c\n- d", "e")),
        ("\n1. a\n   - b\n     wrapped\n2. c", ("a\n- b wrapped", "c")),
        ("\n- a\n  ```sh\n  - not an item\n  ```\n- b", ("a\n```sh\n- not an item\n```", "b")),
        ("\n- [ ] a\n- [x] b\n- [X] c", ("a", "b", "c")),
        ("\n- \n-\n- a", ("a",)),
        (" one thing", ("one thing",)),
        (" none", ()),
        ("\n- None\n- n/a", ()),
        ("\nOne thing\nAnother thing", ("One thing", "Another thing")),
        ("\na sentence long enough to be wrapped already\nat its end", (
            "a sentence long enough to be wrapped already at its end",
        )),
        ("\nThe following are needed:\n- a\n- b", ("a", "b")),
        ("\nBackend:\n- a\nFrontend:\n- b", ("Backend: a", "Frontend: b")),
        ("\n**Backend**\n- a\n- b", ("Backend: a", "Backend: b")),
        ("\n- a\n\nand then some prose", ("a", "and then some prose")),
        ("\n---\n- a\n***\n- b", ("a", "b")),
        ("\n- `code: x`\n- #123 is fixed\n- *emphasis* stays", ("`code: x`", "#123 is fixed", "*emphasis* stays")),
        ("\n#123 is fixed", ("#123 is fixed",)),
        ("\n- größer\n- 日本語", ("größer", "日本語")),
    ],
)  # fmt: skip
def test_lists_are_read_as_people_write_them(text: str, expected: tuple[str, ...]) -> None:
    assert items(text) == expected


def test_items_below_subheadings_keep_them() -> None:
    text = "## Goal\ng\n## Deliverables\n### Phase 1\n- a\n### Phase 2\n- b\n## Notes\n- c"
    assert parse_spec(text).deliverables == ("Phase 1: a", "Phase 2: b")


def test_a_section_that_comes_twice_is_joined() -> None:
    spec = parse_spec("GOAL: a\nCONSTRAINTS:\n- x\n\nGOAL: b\nCONSTRAINTS:\n- y\nPROJECT: p\nPROJECT: q")
    assert (spec.goal, spec.constraints, spec.project) == ("a\n\nb", ("x", "y"), "p")


def test_sections_that_are_not_ours_end_ours_and_are_kept() -> None:
    spec = parse_spec(
        "# Shop\n\nWe sell things.\n\n## Goal\ng\n## Background\nolder\n### Deeper\nmore\n## Constraints\n- a"
    )
    assert (spec.goal, spec.constraints) == ("g", ("a",))
    assert other_text(spec) == "# Shop\n\nWe sell things.\n\n## Background\nolder\n### Deeper\nmore"


def test_labels_that_are_not_ours_end_ours_in_the_same_form() -> None:
    spec = parse_spec("GOAL: g\nBACKGROUND:\nold\nDELIVERABLES:\n- a\n\nNOTES: keep it short")
    assert (spec.goal, spec.deliverables) == ("g", ("a",))
    assert other_text(spec) == "BACKGROUND:\nold\nNOTES: keep it short"
    bold = parse_spec("**Goal:** g\n\n**Background:** old\n")
    assert (bold.goal, other_text(bold)) == ("g", "**Background:** old")


def test_text_with_colons_is_not_a_label() -> None:
    assert parse_spec("GOAL: do this\nHTTP: is the protocol\nTime: 10:30").goal == (
        "do this\nHTTP: is the protocol\nTime: 10:30"
    )
    assert items("\n- Goals: are shown\n- Project: is named") == ("Goals: are shown", "Project: is named")


def test_what_follows_the_project_is_kept() -> None:
    spec = parse_spec("# Project: Shop\n\nIt sells things.\n\n## Goal\ng")
    assert (spec.project, other_text(spec)) == ("Shop", "It sells things.")


def test_nothing_is_left_over_of_a_spec_with_our_sections_only() -> None:
    assert all(other_text(parse_spec(text)) == "" for name, text in FORMS.items() if name != "front matter")


@pytest.mark.parametrize("name", ["-dash", "a: b", "C#", "with `ticks` inside", "x" * 80, "Ünïcode ✓", "3d.shop"])
def test_project_names_stay_as_they_are(name: str) -> None:
    assert parse_spec(f"PROJECT: {name}\nGOAL: g").project == name


def test_control_characters_do_not_reach_the_terminal() -> None:
    spec = parse_spec("GOAL: a\x1b[31mred\x07\x9b\n")
    assert spec.goal == "a[31mred"


def outcome(text: str) -> str:
    """Return the goal, or the code of the error that says there is none."""
    try:
        return parse_spec(text).goal
    except UsageError as error:
        return error.code


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_a_spec_or_has_no_goal(text: str) -> None:
    assert outcome(text).strip()


words = st.text("abc XYZ:#*_`-1.", min_size=1, max_size=12)
markup = st.sampled_from(["GOAL:", "# Goal", "- a", "  - b", "```", "<!--", "-->", "---", ""])


@settings(deadline=None)
@given(st.lists(st.one_of(words, markup), max_size=25))
def test_any_markup_is_a_spec_or_has_no_goal(lines: list[str]) -> None:
    assert outcome("\n".join(lines)).strip()


word = st.text("abcdefgh", min_size=2, max_size=8)
plain_items = st.lists(st.lists(word, min_size=2, max_size=5).map(" ".join).map(str.capitalize), max_size=6)


@settings(deadline=None)
@given(plain_items, plain_items, st.sampled_from(["-", "*", "+", "1."]), st.sampled_from(["{}:", "## {}", "**{}:**"]))
def test_lists_come_out_as_they_went_in(one: list[str], two: list[str], bullet: str, form: str) -> None:
    def section(name: str, texts: list[str]) -> list[str]:
        return [form.format(name), *(f"{bullet} {text}" for text in texts), ""]

    text = "\n".join([form.format("Goal"), "g", "", *section("Constraints", one), *section("Deliverables", two)])
    spec = parse_spec(text)
    assert spec.goal == "g"
    assert spec.constraints == tuple(one)
    assert spec.deliverables == tuple(two)


@pytest.mark.parametrize(
    "line",
    [
        "~~~ a\n",
        "<!--\n",
        "`" * 3 + "a\n",
        "# " + "#" * 50_000 + "x\n",
        "**" * 30_000,
        "- " * 30_000,
        "__" * 30_000,
        " " * 60_000 + "x\n",
    ],
    ids=["fence", "comment", "opening fence", "hashes", "stars", "bullets", "underscores", "blanks"],
)
def test_no_file_takes_for_ever(line: str) -> None:
    with pytest.raises(UsageError):
        parse_spec(line * (200_000 // len(line)))


def write(folder: Path, content: bytes, name: str = "spec.md") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_file_is_read_with_its_path(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffGOAL: größer\r\n".encode())
    spec = read_spec(path)
    assert (spec.goal, spec.path) == ("größer", str(path))


def test_a_missing_file_is_not_found_with_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path, b"GOAL: a", "spec.md")
    with pytest.raises(NotFoundError) as caught:
        read_spec(tmp_path / "specs.md")
    assert caught.value.candidates == (str(tmp_path / "spec.md"),)
    with pytest.raises(NotFoundError):
        read_spec(tmp_path / "spec.md" / "below-a-file.md")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n\t\n", "is empty"),
        (b"GOAL: caf\xe9\n", "UTF-8"),
        ("GOAL: a".encode("utf-16"), "UTF-8"),
        (b"GOAL: a\0b", "UTF-8"),
        (b"GOAL: " + b"a" * MAX_BYTES, "too large"),
    ],
    ids=["empty", "blank", "latin-1", "utf-16", "binary", "huge"],
)
def test_an_unfit_file_is_a_clear_error(tmp_path: Path, content: bytes, what: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(UsageError) as caught:
        read_spec(path)
    assert what in caught.value.title
    assert str(path) in caught.value.title
    assert caught.value.remedy
    assert caught.value.code == "unfit-spec"


def test_a_bad_byte_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_spec(write(tmp_path, b"GOAL: a\nx\xe9\n"))
    assert "line 2" in caught.value.cause
    assert "0xe9" in caught.value.cause


def test_folders_pipes_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(UsageError, match="is not a file"):
            read_spec(path)


def test_a_loop_of_links_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "spec.md").symlink_to("spec.md")
    with pytest.raises(UsageError, match="cannot be read"):
        read_spec(tmp_path / "spec.md")
