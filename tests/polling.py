"""Waiting for something to become so, with a deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

STEP_S = 0.02
DEADLINE_S = 15.0


def eventually(check: Callable[[], T], *, timeout: float = DEADLINE_S, what: str = "") -> T:
    """Call `check` until it returns something true, and return that; fail after `timeout` seconds.

    An AssertionError from `check` counts as "not yet" and is shown when the time is up.
    """
    deadline = time.monotonic() + timeout
    while True:
        value, failure = _attempt(check)
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(what or f"still {value!r} after {timeout} s") from failure
        time.sleep(STEP_S)


def _attempt(check: Callable[[], T]) -> tuple[T | None, AssertionError | None]:
    try:
        return check(), None
    except AssertionError as failure:
        return None, failure


async def aeventually(check: Callable[[], T | Awaitable[T]], *, timeout: float = DEADLINE_S, what: str = "") -> T:
    """Do as `eventually` does, from a coroutine; `check` may be one too."""
    deadline = time.monotonic() + timeout
    while True:
        failure: AssertionError | None = None
        value: T | None = None
        try:
            found = check()
            value = await found if isinstance(found, Awaitable) else found
        except AssertionError as error:
            failure = error
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(what or f"still {value!r} after {timeout} s") from failure
        await asyncio.sleep(STEP_S)
