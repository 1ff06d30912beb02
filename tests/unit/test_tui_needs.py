"""What needs the person in words and rows, and when the bell may ring."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.need import NeedKind
from tests.tui.samples import NOW, many_needs, need, needs, permission, question
from tui.attention import Attention
from tui.widgets.need_rows import MARKS, WORDS, labels, need_rows, what
from tui.widgets.row_list import ListRow, lay_out


def test_every_kind_has_a_mark_of_its_own_and_words() -> None:
    assert set(MARKS) == set(WORDS) == set(NeedKind)
    marks = [mark for mark, _ in MARKS.values()]
    assert len(set(marks)) == len(marks)
    assert all(cell_len(mark) == 1 for mark in marks)


@pytest.mark.parametrize("kind", NeedKind)
def test_a_need_without_a_detail_says_what_it_is(kind: NeedKind) -> None:
    assert what(need("shop-3f2a:tester", kind)) == WORDS[kind]


def test_agents_are_named_as_shortly_as_tells_them_apart() -> None:
    one = permission()
    assert labels((one,)) == {one.key: "tester"}
    assert set(labels((one, question())).values()) == {"shop:tester", "docs:tester"}
    twin = replace(question(), agent=AgentId("shop-0001:tester"))
    assert set(labels((one, twin)).values()) == {"shop-3f2a:tester", "shop-0001:tester"}
    again = replace(one, key="another")
    assert set(labels((one, again)).values()) == {"tester"}, "two needs of one agent"


@given(st.integers(1, 200), st.booleans())
def test_rows_are_as_wide_as_their_place(width: int, selected: bool) -> None:
    for row in need_rows(many_needs(), {needs()[0].key: "answering"}, NOW, width):
        assert sum(cell_len(text) for text, _ in lay_out(row, width, selected)) == width


@given(st.text(max_size=40), st.integers(1, 60))
def test_any_text_fits(text: str, width: int) -> None:
    row = need_rows((permission(command=text),), {}, NOW, width)[0]
    assert sum(cell_len(piece) for piece, _ in lay_out(row, width, False)) == width


def test_the_edges_of_a_row_stay_and_its_text_is_cut() -> None:
    row = ListRow(id="1", left=(("◆ ", ""),), text="a long text", right=(("12m", ""),))
    assert "".join(text for text, _ in lay_out(row, 14, False)) == " ◆ a lon… 12m "


def test_what_was_there_at_the_start_is_no_news() -> None:
    attention = Attention(10)
    first, lost, asked = needs()
    assert attention.news((first,)) == ()
    assert attention.news((first, lost, asked)) == (lost, asked)
    assert attention.news((first,)) == ()
    assert attention.news((first, lost)) == (lost,), "it ended, and came back"


def test_the_bell_is_silent_for_a_while() -> None:
    attention = Attention(10)
    assert [attention.may_ring(at) for at in (100.0, 105.0, 109.9, 110.0, 115.0)] == [True, False, False, True, False]
