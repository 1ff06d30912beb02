"""tmux versions, as `tmux -V` and `#{version}` write them. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

_RELEASE = re.compile(r"(?:tmux )?(?:next-)?(\d+)\.(\d+)([a-z]?)(?:-rc\d*)?$")
_OPENBSD = re.compile(r"(?:tmux )?openbsd-(\d+)\.(\d+)$")
_OPENBSD_WITH_3_3 = (7, 0)
_NEWEST = 1_000_000


class TmuxVersion(Struct, frozen=True, kw_only=True):
    """A version that can be compared."""

    text: str
    """As tmux wrote it, without `tmux `."""
    major: int
    minor: int
    letter: str = ""

    def at_least(self, other: TmuxVersion) -> bool:
        """Whether this version is `other` or newer."""
        return (self.major, self.minor, self.letter) >= (other.major, other.minor, other.letter)


def parse_version(text: str) -> TmuxVersion | None:
    """Return the version in `text`, or None when there is none.

    `next-3.6` counts as 3.6. Builds without a number (`master`, OpenBSD's own from 7.0 on) count as newer than every
    release.
    """
    text = text.strip()
    words = text.removeprefix("tmux ")
    if match := _RELEASE.match(text):
        return TmuxVersion(text=words, major=int(match[1]), minor=int(match[2]), letter=match[3])
    if match := _OPENBSD.match(text):
        is_new = (int(match[1]), int(match[2])) >= _OPENBSD_WITH_3_3
        return TmuxVersion(text=words, major=_NEWEST if is_new else 0, minor=0)
    if words == "master":
        return TmuxVersion(text=words, major=_NEWEST, minor=0)
    return None


OLDEST = TmuxVersion(text="3.2a", major=3, minor=2, letter="a")
"""What tmorch needs."""
