"""Front matter: the YAML above a spec's text."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_core.errors import UsageError
from orchestrator_core.models.spec import Phase, Remark, Spec, SpecWishes
from orchestrator_core.team.front_matter import MAX_CHARACTERS
from orchestrator_core.team.spec import other_text, parse_spec


def of(front: str, body: str = "GOAL: g\n") -> Spec:
    return parse_spec(f"---\n{front}\n---\n{body}", "spec.md")


@pytest.mark.parametrize("key", ["success_criteria", "Success Criteria", "SUCCESS-CRITERIA", "successCriteria"])
def test_keys_are_known_in_any_spelling(key: str) -> None:
    assert of(f"{key}: [tests pass]").success_criteria == ("tests pass",)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" one thing", ("one thing",)),
        (" [a, b]", ("a", "b")),
        ("\n  - a\n  - b", ("a", "b")),
        ("\n- a\n- 3.10\n- yes\n- 2026-01-02", ("a", "3.10", "yes", "2026-01-02")),
        (" |\n  - a\n  - b", ("a", "b")),
        (" |\n  One thing\n  Another thing", ("One thing", "Another thing")),
        ("\n  - API: three endpoints", ("API: three endpoints",)),
        ("\n  backend: [a, b]\n  frontend: c", ("backend: a", "backend: b", "frontend: c")),
        ("\n  - Backend:\n      - a\n      - b", ("Backend:\n- a\n- b",)),
        (" [none]", ()),
        (' ["a\\e[31mred"]', ("a[31mred",)),
    ],
)
def test_lists_are_read_as_people_write_them(value: str, expected: tuple[str, ...]) -> None:
    assert of(f"deliverables:{value}").deliverables == expected


def test_front_matter_and_text_add_up() -> None:
    spec = of("goal: first\nconstraints: [a, b]", "GOAL: second\nCONSTRAINTS:\n- b\n- c\n")
    assert spec.goal == "first\n\nsecond"
    assert spec.constraints == ("a", "b", "c")
    assert spec.remarks == ()


def test_the_text_names_the_project() -> None:
    spec = of("title: About the shop", "# Project: Shop\n\n## Goal\ng\n")
    assert spec.project == "Shop"
    assert spec.remarks == (Remark(line=2, text="the project is named otherwise below: 'Shop' counts"),)
    assert of("title: Shop").project == "Shop"


def test_wishes_for_the_team() -> None:
    spec = of("plan: max20\nroles: orchestrator, dev\nteam type: data\nagent: demo")
    assert spec.wishes == SpecWishes(plan="max20", roles=("orchestrator", "dev"), team_type="data", agent="demo")
    assert of("type: code\nroles: [dev, tester]").wishes == SpecWishes(team_type="code", roles=("dev", "tester"))
    assert of("project: p").wishes == SpecWishes()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("\n  - Setup (4 h)\n  - Build", (Phase(name="Setup", hours=4), Phase(name="Build"))),
        ("\n  - name: Setup\n    tasks: [a, b]\n    hours: 2-3", (Phase(name="Setup", tasks=("a", "b"), hours=2.5),)),
        ("\n  - Setup: [a]\n  - Build:", (Phase(name="Setup", tasks=("a",)), Phase(name="Build"))),
        ("\n  Setup:\n    tasks: [a]\n    estimate: 30 min", (Phase(name="Setup", tasks=("a",), hours=0.5),)),
        ("\n  'Phase 1: Setup': [a]", (Phase(name="Setup", tasks=("a",)),)),
        (" |\n  1. Setup (~1 h)\n     - a", (Phase(name="Setup", tasks=("a",), hours=1),)),
    ],
)
def test_phases(value: str, expected: tuple[Phase, ...]) -> None:
    assert of(f"phases:{value}").phases == expected


class Odd(NamedTuple):
    front: str
    line: int
    text: str


@pytest.mark.parametrize(
    "odd",
    [
        Odd(
            "project: p\ndeliverabels: [a]", 3, "nothing reads 'deliverabels' in the front matter: did you mean deliver"
        ),
        Odd("# a comment\n\nauthor: Bob", 4, "nothing reads 'author' in the front matter: agents get it as it is"),
        Odd("project: p\nconstraints:", 3, "constraints is empty"),
        Odd("plan: pro\nplan: max5", 3, "plan is given again (first in line 2): the first one counts"),
        Odd("goal: a\nobjective: b", 3, "goal is given again (first in line 2): both are read"),
        Odd("project:\n  - a\n  - b", 3, "project is to be a text"),
        Odd("phases:\n  - name: a\n    hours: soon", 4, "'soon' is no number of hours"),
        Odd("phases:\n  - name: a\n    owner: Bob", 4, "nothing reads 'owner' in a phase"),
        Odd("phases:\n  - tasks: [a]\n    hours: 1", 3, "this phase has no name"),
    ],
)
def test_what_is_odd_is_remarked_with_its_line(odd: Odd) -> None:
    (remark,) = of(odd.front).remarks
    assert remark.line == odd.line
    assert remark.text.startswith(odd.text)


@pytest.mark.parametrize(
    "odd",
    [
        Odd("project: p\nconstraints: [a", 3, "it is no valid YAML"),
        Odd("project: p\nwhy: this: that", 3, "mapping values are not allowed here (a text with a colon needs quotes)"),
        Odd("project: p\n\tplan: pro", 3, "it is no valid YAML"),
        Odd("project: p\n\ufffe", 2, "it is no valid YAML"),
        Odd("project: &a [x]\nroles: *a", 3, "it has an alias"),
        Odd("project: p\nroles: [[[[[[[[[x]]]]]]]]]", 3, "it is nested too deeply"),
        Odd("project: p\nroles: " + "[" * 10_000, 3, "it is nested too deeply"),
        Odd("project: p\nx: " + "y" * MAX_CHARACTERS, 2, "it is longer than"),
        Odd("project: p\n--- more", 3, "it is more than one document"),
    ],
    ids=lambda odd: odd.text,
)
def test_what_is_no_valid_front_matter_is_read_as_text(odd: Odd) -> None:
    spec = of(odd.front)
    remark = spec.remarks[0]
    assert remark.line == odd.line
    assert remark.text.startswith("the front matter is read as text: ")
    assert odd.text in remark.text
    assert spec.goal == "g"
    assert spec.project == "p" or odd.front.startswith("project: &")
    assert spec.wishes == SpecWishes()


def test_front_matter_that_does_not_end_is_text() -> None:
    spec = parse_spec("---\nauthor: Bob\nGOAL: g\n")
    assert spec.goal == "g"
    assert spec.remarks == (Remark(line=1, text="the front matter is read as text: no other --- ends it"),)


@pytest.mark.parametrize(
    "text", ["---\n\n# Shop\n\nGOAL: g\n\n---\nmore", "---\n---\nGOAL: g", "---\n- a\n---\nGOAL: g"]
)
def test_a_rule_at_the_top_is_no_front_matter(text: str) -> None:
    spec = parse_spec(text)
    assert spec.goal.startswith("g")
    assert spec.remarks == ()


def test_what_nothing_reads_is_handed_on() -> None:
    spec = of("stack:\n  web: Django\nplan: pro\nauthor: Bob", "GOAL: g\n\n## Notes\nfree\n")
    assert other_text(spec) == "stack:\n  web: Django\nauthor: Bob\n\n## Notes\nfree"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_those_of_the_file_as_written(end: str) -> None:
    lines = ["\ufeff---", "goal: g", "colour: red", "---", "<!-- a", "comment -->", "CONTRAINTS:", "- a", ""]
    remarks = parse_spec(end.join(lines)).remarks
    assert [remark.line for remark in remarks] == [3, 7]


def checked(text: str) -> None:
    """Parse a text and see that remarks are in order and speak of its lines."""
    try:
        spec = parse_spec(text)
    except UsageError:  # it has no goal
        return
    count = len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    lines = [remark.line for remark in spec.remarks]
    assert all(1 <= line <= count for line in lines)
    assert lines == sorted(lines)
    assert all(remark.text for remark in spec.remarks)
    assert all(phase.name for phase in spec.phases)
    shown = (spec.project, *spec.constraints, *spec.deliverables, *spec.wishes.roles, other_text(spec))
    assert not any("\x1b" in text for text in shown)


YAML = r"""
goal: g|Goal:|project: [a]|phases:|  - name: x|    hours: 3 h|- a|  - a: b|roles: [a, b]|x: &a y|z: *a|? k|: v|
a: {b: c}|
plan: !!python/object:os.system x|t: >|  text|# c|<<: x|"\e[1m": "\e"|---|...|%YAML 1.1|goal: 'x|{goal: x}|"": a|- ""
"""
BODY = """
GOAL: g|## Phases|### Setup (4 h)|Phase 1: x|## Phase 2|- a|  - b|DELIVERABELS:|<!--|-->|```|Deliverables||---|PHASES:|
**Phase 3: y**|\x1b[1m|====|\r|Setup:|(4 h)
"""
yaml_lines = st.sampled_from(YAML.replace("\n", "").split("|"))
body_lines = st.sampled_from(BODY.replace("\n", "").split("|"))


@settings(deadline=None)
@given(st.lists(st.one_of(yaml_lines, st.text(max_size=20)), max_size=12), st.lists(body_lines, max_size=20))
def test_any_front_matter_is_read_or_remarked(front: list[str], body: list[str]) -> None:
    checked("\n".join(["---", *front, "---", *body]))


@settings(deadline=None)
@given(st.lists(st.one_of(body_lines, st.text(max_size=30)), max_size=25))
def test_remarks_speak_of_lines_of_the_file(lines: list[str]) -> None:
    checked("\n".join(["GOAL: g", *lines]))
