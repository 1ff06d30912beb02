"""The lines that keys of a TOML file stand on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.config.toml_lines import lines_of, written_part

TEXT = '''\
# a comment with a = 1 and [b]
a.b = 1.5  # another
"q.r" = "x # y = 2"

[roles."the x"]
title = """
multi "" line = 3
]"""
list = [
  "a",  # a comma, and a ]
  ["b", "c"],
  { x = 1, y = [1, 2] },
]
[[types.t.indicators]]
kind = 2026-11-22 10:00:00.5
[[types.t.indicators]]
kind = 'it\\'
[types.t.indicators.more]
z = \'\'\'a'b\'\'\'
[[types.t.indicators.less]]
w = {}
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("a.b", 2),
        ("q.r", 3),
        ("roles.the x", 5),
        ("roles.the x.title", 6),
        ("roles.the x.list", 9),
        ("roles.the x.list.1", 10),
        ("roles.the x.list.2.2", 11),
        ("roles.the x.list.3.y.2", 12),
        ("types.t.indicators.1", 14),
        ("types.t.indicators.1.kind", 15),
        ("types.t.indicators.2.kind", 17),
        ("types.t.indicators.2.more.z", 19),
        ("types.t.indicators.2.less.1.w", 21),
    ],
)
def test_every_key_has_its_line(key: str, line: int) -> None:
    assert {".".join(names): number for names, number in lines_of(TEXT).items()}[key] == line


def test_of_a_key_that_is_not_written_the_innermost_table_is_found() -> None:
    lines = lines_of(TEXT)
    assert written_part(("roles", "the x", "summary"), lines) == ("roles", "the x")
    assert written_part(("nothing", "here"), lines) == ()


NAMES = st.text(max_size=6) | st.sampled_from(["a", "b", "a.b", "1", '"', "#", "="])
SCALARS = st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text() | st.dates()
TABLES = st.dictionaries(
    NAMES,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=4,
)


def keys_in(value: object, key: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if key:
        yield key
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from keys_in(inner, (*key, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from keys_in(inner, (*key, str(number)))


@given(TABLES, st.booleans())
def test_every_key_of_any_file_is_found_and_nothing_else(table: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(table, multiline_strings=multiline)
    lines = lines_of(text)
    assert set(lines) == set(keys_in(table))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@given(TABLES)
def test_the_line_of_a_key_begins_with_it(table: dict[str, Any]) -> None:
    text = tomli_w.dumps({"before": {"x": 1}, "it": table, "after": {"x": 1}})
    at = text.split("\n")
    lines = lines_of(text)
    assert at[lines["after",] - 1] == "[after]"
    assert at[lines["before", "x"] - 1] == "x = 1"
    assert at[lines["after", "x"] - 1] == "x = 1"
