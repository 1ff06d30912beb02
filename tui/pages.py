"""`Pages`: what is loaded of a long, growing table: the newest page, and older ones as they were wanted. Pure."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

PAGE = 200
"""How many records are read at once."""
KEPT = 1000
"""How many records stay loaded while nobody looks at old ones."""


class Numbered(Protocol):
    """A record whose id is higher than that of every one before it."""

    @property
    def id(self) -> int: ...


R = TypeVar("R", bound=Numbered)


class Pages(Generic[R]):
    """Records by id. What is known is replaced by what is read anew; nothing is loaded twice."""

    def __init__(self) -> None:
        self._records: dict[int, R] = {}
        self._has_older = False

    @property
    def records(self) -> tuple[R, ...]:
        """What is loaded, oldest first."""
        return tuple(self._records[number] for number in sorted(self._records))

    @property
    def oldest(self) -> int:
        """The id of the oldest loaded record; 0 when there is none."""
        return min(self._records, default=0)

    @property
    def has_older(self) -> bool:
        """Whether there may be records before the oldest loaded one."""
        return self._has_older

    def take_newest(self, page: tuple[R, ...]) -> None:
        """Take in the newest records, newest first. If others may lie between them and those known, these go."""
        is_full = len(page) == PAGE
        if not self._records or (is_full and page[-1].id > max(self._records)):
            self._records, self._has_older = {}, is_full
        self._records.update({record.id: record for record in page})

    def take_older(self, page: tuple[R, ...], before: int) -> None:
        """Take in the page before the id `before`: new ones if that is the oldest loaded one, else known ones anew."""
        if before == self.oldest:
            self._has_older = len(page) == PAGE
            self._records.update({record.id: record for record in page})
        self._records.update({record.id: record for record in page if record.id in self._records})

    def trim(self) -> None:
        """Let go of old records; they can be loaded again."""
        if len(self._records) > 2 * KEPT:
            self._records = {number: self._records[number] for number in sorted(self._records)[-KEPT:]}
            self._has_older = True
