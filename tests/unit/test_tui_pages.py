"""What is loaded of a long table: never twice, never out of order, never with a gap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from tui.pages import KEPT, PAGE, Pages


class Record(Struct, frozen=True):
    id: int
    text: str = ""


class Table:
    """A table in which ids may be missing, and its pages."""

    def __init__(self, *ids: int) -> None:
        self.ids = list(ids)

    def page(self, before: int = 0) -> tuple[Record, ...]:
        found = [number for number in sorted(self.ids, reverse=True) if not before or number < before]
        return tuple(map(Record, found[:PAGE]))


def ids(pages: Pages[Record]) -> list[int]:
    return [record.id for record in pages.records]


def test_a_short_table_is_loaded_at_once() -> None:
    pages: Pages[Record] = Pages()
    pages.take_newest(Table(3, 1, 2).page())
    assert ids(pages) == [1, 2, 3]
    assert not pages.has_older
    assert pages.oldest == 1


def test_what_changed_replaces_what_was_known() -> None:
    pages: Pages[Record] = Pages()
    pages.take_newest((Record(2), Record(1)))
    pages.take_newest((Record(3), Record(2, "changed")))
    assert pages.records == (Record(1), Record(2, "changed"), Record(3))


def test_an_older_page_that_comes_too_late_is_dropped() -> None:
    table = Table(*range(1, 4 * PAGE))
    pages: Pages[Record] = Pages()
    pages.take_newest(table.page())
    late, before = table.page(pages.oldest), pages.oldest
    table.ids.extend(range(4 * PAGE, 6 * PAGE))
    pages.take_newest(table.page())
    pages.take_older(late, before)
    assert ids(pages) == list(range(5 * PAGE, 6 * PAGE))


def test_a_page_that_is_read_again_changes_only_what_is_loaded() -> None:
    pages: Pages[Record] = Pages()
    pages.take_newest((Record(9), Record(7), Record(5)))
    pages.take_older((Record(7, "changed"), Record(6), Record(5), Record(4)), 8)
    assert pages.records == (Record(5), Record(7, "changed"), Record(9))
    assert not pages.has_older


def test_what_nobody_looks_at_is_let_go_and_can_be_loaded_again() -> None:
    table = Table(*range(1, 3 * KEPT))
    pages: Pages[Record] = Pages()
    pages.take_newest(table.page())
    for _ in range(3 * KEPT // PAGE):
        pages.take_older(table.page(pages.oldest), pages.oldest)
    assert len(pages.records) == 3 * KEPT - 1
    pages.trim()
    assert len(pages.records) == KEPT
    assert pages.has_older
    pages.take_older(table.page(pages.oldest), pages.oldest)
    assert ids(pages) == list(range(3 * KEPT - KEPT - PAGE, 3 * KEPT))


@given(st.lists(st.one_of(st.integers(1, 3 * PAGE), st.none()), max_size=12), st.integers(1, 3))
def test_whatever_is_written_and_read_there_is_no_gap(steps: list[int | None], step: int) -> None:
    table, pages = Table(1), Pages[Record]()
    pages.take_newest(table.page())
    for new in steps:
        if new is None:
            pages.take_older(table.page(pages.oldest), pages.oldest)
        else:
            last = table.ids[-1]
            table.ids.extend(range(last + step, last + step * new + 1, step))
            pages.take_newest(table.page())
        loaded = ids(pages)
        assert loaded == [number for number in table.ids if number >= loaded[0]]
        assert pages.has_older or loaded == table.ids
