"""Several real processes on one database."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator_core.errors import RefusedError
from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import MessageState
from orchestrator_core.store import open_store
from orchestrator_core.store.admission import Limits
from orchestrator_core.store.quick import QuickStore
from tests.unit.test_store_contract import DEVELOPER, an_agent, an_orchestration

PROCESSES = 10
EACH = 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "tmorch.db"
    with closing(open_store(made)) as store:
        store.orchestrations.claim(an_orchestration())
        store.agents.add(an_agent())
    return made


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as workers:
        yield workers


def at_once(pool: ProcessPoolExecutor, call: Callable[..., object], path: Path, number: int) -> Sequence[object]:
    futures = [pool.submit(call, path, f"sender-{index}") for index in range(number)]
    return [future.result(60) for future in futures]


def send(path: Path, sender: str) -> list[int]:
    if sender.endswith(("1", "3", "5")):
        with closing(QuickStore(path)) as quick:
            return [quick.add_message(DEVELOPER, sender, f"{number}", at=1.0).id for number in range(EACH)]
    with closing(open_store(path)) as store:
        return [store.messages.add(DEVELOPER, sender, f"{number}", at=1.0).id for number in range(EACH)]


def test_what_ten_processes_send_at_once_is_all_there_and_in_order(pool: ProcessPoolExecutor, path: Path) -> None:
    numbers = at_once(pool, send, path, PROCESSES)
    with closing(open_store(path)) as store:
        messages = store.messages.latest(limit=1000)[::-1]
    assert [message.id for message in messages] == list(range(1, PROCESSES * EACH + 1))
    for index, mine in enumerate(numbers):
        assert isinstance(mine, list)
        assert mine == sorted(mine)
        texts = [message.text for message in messages if message.sender == f"sender-{index}"]
        assert texts == [f"{number}" for number in range(EACH)]


def send_equal(path: Path, sender: str) -> int:
    limits = Limits(duplicate_limit=5, duplicate_window_s=60)
    with closing(QuickStore(path)) as quick:
        for _ in range(EACH):
            last = quick.add_message(DEVELOPER, "one", "same", at=1.0, limits=limits)
        return last.suppressed


def test_equal_messages_are_counted_across_processes(pool: ProcessPoolExecutor, path: Path) -> None:
    at_once(pool, send_equal, path, PROCESSES)
    with closing(open_store(path)) as store:
        messages = store.messages.latest(limit=1000)
    assert len(messages) == 6
    assert messages[0].suppressed == PROCESSES * EACH - 6


def claim_project(path: Path, sender: str) -> str:
    with closing(open_store(path)) as store:
        try:
            store.orchestrations.claim(an_orchestration(f"api-{sender}", project="/projects/api"))
        except RefusedError as refused:
            return refused.title
        return ""


def test_of_all_that_claim_one_project_one_wins(pool: ProcessPoolExecutor, path: Path) -> None:
    answers = at_once(pool, claim_project, path, PROCESSES)
    assert answers.count("") == 1
    winner = f"api-sender-{answers.index('')}"
    assert set(answers) == {"", f"{winner} runs on this project already"}


def claim_messages(path: Path, sender: str) -> list[int]:
    claimed: list[int] = []
    with closing(open_store(path)) as store:
        while message := store.messages.claim_next(DEVELOPER, 2.0):
            claimed.append(message.id)
            store.messages.finish(message.id, MessageState.DELIVERED, at=3.0)
    return claimed


def test_every_message_is_claimed_once(pool: ProcessPoolExecutor, path: Path) -> None:
    send(path, "sender-0")
    send(path, "sender-2")
    shares = at_once(pool, claim_messages, path, 4)
    claimed: list[int] = []
    for share in shares:
        assert isinstance(share, list)
        claimed += share
    assert sorted(claimed) == list(range(1, 2 * EACH + 1))


def open_new(path: Path, sender: str) -> int:
    with closing(open_store(path)) as store:
        store.events.add("opened", sender, at=1.0)
        return len(store.events.latest(100))


@pytest.mark.parametrize("turn", range(3))
def test_a_new_database_is_made_once_however_many_open_it(pool: ProcessPoolExecutor, tmp_path: Path, turn: int) -> None:
    at_once(pool, open_new, tmp_path / "new/tmorch.db", PROCESSES)
    with closing(open_store(tmp_path / "new/tmorch.db")) as store:
        assert len(store.events.latest(100)) == PROCESSES


def open_damaged(path: Path, sender: str) -> str:
    from orchestrator_core.errors import StoreError

    try:
        with closing(open_store(path)) as store:
            store.events.add("opened", sender, at=1.0)
    except StoreError as error:
        return error.code
    return ""


def test_a_damaged_database_is_moved_aside_once_and_never_its_successor(pool: ProcessPoolExecutor, path: Path) -> None:
    path.write_bytes(b"no database at all " * 300)
    answers = at_once(pool, open_damaged, path, PROCESSES)
    assert set(answers) <= {"", "damaged"}
    (aside,) = path.parent.glob("*.damaged-*")
    assert aside.read_bytes().startswith(b"no database at all")
    with closing(open_store(path)) as store:
        assert len(store.events.latest(100)) == answers.count("")


QUICK = """
import sys
import orchestrator_core.store.quick
print(*[name for name in {heavy!r} if name in sys.modules])
"""
HEAVY = ("peewee", "asyncio", "tomllib", "subprocess", "libtmux", "textual", "psutil", "multiprocessing")


def test_the_quick_road_loads_nothing_heavy() -> None:
    program = QUICK.format(heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


def test_a_message_is_what_another_process_reads(pool: ProcessPoolExecutor, path: Path) -> None:
    with closing(open_store(path)) as store:
        before = store.data_version()
        (numbers,) = at_once(pool, send, path, 1)
        assert store.data_version() != before
        assert isinstance(numbers, list)
        assert store.messages.get(MessageId(numbers[0])).target == AgentId("shop-3f2a:developer")
