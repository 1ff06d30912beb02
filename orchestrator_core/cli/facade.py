"""Calling the facade from commands, which are not concurrent themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from orchestrator_core.cli.context import Context

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator

T = TypeVar("T")
Work = Callable[["Orchestrator"], Awaitable[T]]


class Calls:
    """A facade that is open for several calls; between them nothing runs, so that a person can be asked.

    One that `only_looks` works on a copy of what is stored: nothing is written into the state folder.
    """

    def __init__(self, context: Context, *, only_looks: bool = False) -> None:
        self._open = context.onlooker if only_looks else context.orchestrator
        self._runner = asyncio.Runner()
        self._orchestrator: Orchestrator | None = None

    def __enter__(self) -> Calls:
        return self

    def __call__(self, work: Work[T]) -> T:
        """Run `work` with the facade and return what it returned. Ctrl-C cancels it, then is raised."""
        return self._runner.run(self._work(work))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._orchestrator is not None:
                self(lambda orchestrator: orchestrator.close())
        finally:
            self._runner.close()

    async def _work(self, work: Work[T]) -> T:
        if self._orchestrator is None:
            self._orchestrator = self._open()
        return await work(self._orchestrator)


def with_orchestrator(context: Context, work: Work[T]) -> T:
    """Run `work` with a facade that is closed afterwards, and return what it returned."""
    with Calls(context) as call:
        return call(work)


async def ticking(values: AsyncIterator[T], period: float) -> AsyncIterator[T]:
    """Yield `values` as they come, and the latest one again after every `period` seconds without a new one."""
    waiting = asyncio.ensure_future(anext(values))
    latest: T | None = None
    try:
        while True:
            done, _ = await asyncio.wait({waiting}, timeout=period)
            if done:
                latest = waiting.result()
                waiting = asyncio.ensure_future(anext(values))
            if latest is not None:
                yield latest
    except StopAsyncIteration:
        return
    finally:
        waiting.cancel()
