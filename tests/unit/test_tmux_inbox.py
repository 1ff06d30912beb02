"""The bounded queue of notifications."""

from __future__ import annotations

import asyncio

from orchestrator_core.models.ids import PaneId
from orchestrator_core.tmux.inbox import DROPPED, Inbox
from orchestrator_core.tmux.protocol import Notification


async def names(inbox: Inbox) -> list[str]:
    inbox.close()
    return [notification.name async for notification in inbox]


def output(pane: str) -> Notification:
    return Notification(name="output", pane=PaneId(pane), data=b"x")


async def test_in_order_until_closed() -> None:
    inbox = Inbox()
    for name in ("a", "b"):
        inbox.put(Notification(name=name))
    assert await names(inbox) == ["a", "b"]


async def test_output_is_a_flag_per_pane() -> None:
    inbox = Inbox()
    for pane in ("%1", "%2", "%1", "%1"):
        inbox.put(output(pane))
    assert [(n.pane, n.data) for n in (await anext(inbox), await anext(inbox))] == [("%1", b""), ("%2", b"")]
    inbox.put(output("%1"))
    assert (await anext(inbox)).pane == "%1"


async def test_a_full_queue_is_marked() -> None:
    inbox = Inbox(capacity=3)
    inbox.put(output("%1"))
    for name in ("a", "b", "c"):
        inbox.put(Notification(name=name))
    inbox.put(output("%1"))
    assert await names(inbox) == [DROPPED, "c", "output"]


async def test_a_reader_waits_and_is_woken() -> None:
    inbox = Inbox()
    reader = asyncio.create_task(anext(inbox))
    await asyncio.sleep(0)
    assert not reader.done()
    inbox.put(Notification(name="late"))
    assert (await reader).name == "late"
